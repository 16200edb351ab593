using System.Text.Json;
using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Faults;

namespace DeviceHub.Tools.ChannelSandbox.WeChat;

/// <summary>Refunds in v3.</summary>
internal sealed class WeChatV3Refunds(Bank.Bank bank, FaultPlan faults)
{
    private const string Path = "/v3/refund/domestic/refunds/";

    public void Refund(V3Exchange exchange, JsonElement root)
    {
        if (!HasScope(exchange, V3Json.Text(root, "sub_mchid")) || Key(exchange, root) is not { } key)
        {
            return;
        }

        var number = V3Json.Text(root, "out_refund_no");
        var (fen, total) = (V3Json.Number(root, "amount", "refund"), V3Json.Number(root, "amount", "total"));
        var wrong = !WeChatBook.IsRefundNumber(number) ? "/out_refund_no"
            : fen <= 0 ? "/amount/refund"
            : total <= 0 ? "/amount/total"
            : V3Json.Text(V3Json.Object(root, "amount")!.Value, "currency") != "CNY" ? "/amount/currency"
            : V3Json.Text(root, "reason") is { Length: > 80 } ? "/reason" : null;
        if (wrong is not null)
        {
            exchange.Refuse("PARAM_ERROR", wrong);
            return;
        }

        var planned = exchange.Plan(faults.For(Api.Refund, Channel.WeChat, key.Number, 0, bank.NthCall(key)));
        if (planned?.Code is { } code)
        {
            exchange.Refuse(code);
        }
        else if (planned is { IsDone: false })
        {
            exchange.Refuse("SYSTEM_ERROR");
        }
        else if (bank.Find(key) is { } order && order.Fen != total)
        {
            exchange.Refuse("INVALID_REQUEST", "订单金额或退款金额与之前请求不一致，请核实后再试");
        }
        else
        {
            Answer(exchange, bank.Refund(key, number!, fen, V3Json.Text(root, "notify_url"), isV3: true));
        }
    }

    public void Query(V3Exchange exchange)
    {
        if (!HasScope(exchange, exchange.Call.Request.Query["sub_mchid"].FirstOrDefault()))
        {
            return;
        }

        var number = exchange.Call.Request.Path.Value![Path.Length..];
        var refund = bank.FindRefund(new(Channel.WeChat, exchange.Scope, number));
        var order = refund?.Order;
        var planned = exchange.Plan(faults.For(Api.RefundQuery, Channel.WeChat, order?.Key.Number ?? number, 0, order is null ? 0 : bank.NthCall(order.Key)));
        if (planned?.Code is { } code)
        {
            exchange.Refuse(code);
        }
        else if (refund is null)
        {
            exchange.Refuse("RESOURCE_NOT_EXISTS", "退款单不存在");
        }
        else
        {
            V3Json.WriteRefund(exchange, order!, refund);
        }
    }

    private static void Answer(V3Exchange exchange, RefundAnswer refund)
    {
        switch (refund.Outcome)
        {
            case RefundOutcome.Accepted or RefundOutcome.Again:
                V3Json.WriteRefund(exchange, refund.Order!, refund.Refund!);
                break;
            case RefundOutcome.Lost:
                exchange.Call.Fault = FaultTable.ByName["hang"];
                break;
            case RefundOutcome.NoOrder:
                exchange.Refuse("RESOURCE_NOT_EXISTS", "订单不存在");
                break;
            case RefundOutcome.Differs:
                exchange.Refuse("INVALID_REQUEST", "订单金额或退款金额与之前请求不一致，请核实后再试");
                break;
            case RefundOutcome.TooMuch:
                exchange.Refuse("INVALID_REQUEST", refund.Order!.NetFen == 0 ? "订单已全额退款" : "申请退款金额大于订单剩余可退金额");
                break;
            case RefundOutcome.TooMany:
                exchange.Refuse("INVALID_REQUEST", "单笔订单最多部分退款50次");
                break;
            default:
                exchange.Refuse("INVALID_REQUEST", refund.Order!.State == OrderState.Revoked ? "订单已撤销" : "订单未支付");
                break;
        }
    }

    private static bool HasScope(V3Exchange exchange, string? subMerchant)
    {
        exchange.SubMerchant = subMerchant;
        if (exchange.Merchant!.Scope(subMerchant) is { } scope)
        {
            exchange.Scope = scope;
            return true;
        }

        exchange.Refuse("PARAM_ERROR", "/sub_mchid");
        return false;
    }

    private OrderKey? Key(V3Exchange exchange, JsonElement root)
    {
        if (V3Json.Text(root, "out_trade_no") is { } number && WeChatBook.IsOrderNumber(number))
        {
            return new(Channel.WeChat, exchange.Scope, number);
        }

        if (V3Json.Text(root, "transaction_id") is { Length: 28 } id && long.TryParse(id.AsSpan(15), out var sequence))
        {
            return bank.FindBySequence(Channel.WeChat, exchange.Scope, sequence)?.Key ?? new(Channel.WeChat, exchange.Scope, id);
        }

        exchange.Refuse("PARAM_ERROR", "/out_trade_no");
        return null;
    }
}
