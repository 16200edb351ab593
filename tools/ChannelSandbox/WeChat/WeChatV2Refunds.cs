using System.Buffers.Text;
using System.Globalization;
using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Faults;

namespace DeviceHub.Tools.ChannelSandbox.WeChat;

/// <summary>Refunds in v2. An accepted refund is one that is under way; what becomes of it is asked for.</summary>
internal sealed class WeChatV2Refunds(Bank.Bank bank, FaultPlan faults)
{
    public void Refund(V2Exchange exchange)
    {
        var fields = exchange.Fields;
        if (exchange.OrderKey(bank) is not { } key)
        {
            return;
        }

        var number = fields.Text("out_refund_no"u8);
        if (!WeChatBook.IsRefundNumber(number) || !TryFen(fields["refund_fee"u8], out var fen) || !TryFen(fields["total_fee"u8], out var total))
        {
            exchange.Refuse("PARAM_ERROR", !WeChatBook.IsRefundNumber(number) ? "out_refund_no" : "refund_fee, total_fee");
            return;
        }

        var planned = exchange.Plan(faults.For(Api.Refund, Channel.WeChat, key.Number, 0, bank.NthCall(key)));
        if (planned?.Code is { } code)
        {
            exchange.Refuse(code);
            return;
        }

        if (planned is { IsDone: false })
        {
            return;
        }

        if (bank.Find(key) is { } order && order.Fen != total)
        {
            exchange.Refuse("REFUND_FEE_MISMATCH");
            return;
        }

        Answer(exchange, bank.Refund(key, number!, fen, fields.Text("notify_url"u8)));
    }

    public void Query(V2Exchange exchange)
    {
        var number = exchange.Fields.Text("out_refund_no"u8);
        var key = new OrderKey(Channel.WeChat, exchange.Scope, number ?? exchange.Fields.Text("out_trade_no"u8) ?? "");
        var order = number is null ? bank.Find(key) : bank.FindRefund(key)?.Order;
        var planned = exchange.Plan(faults.For(Api.RefundQuery, Channel.WeChat, order?.Key.Number ?? key.Number, 0, order is null ? 0 : bank.NthCall(order.Key)));
        if (planned?.Code is { } code)
        {
            exchange.Refuse(code);
            return;
        }

        var found = order?.Refunds.Where(r => number is null || r.Number == number).ToList() ?? [];
        if (found.Count == 0)
        {
            exchange.Refuse("REFUNDNOTEXIST");
            return;
        }

        exchange.Accept();
        var answer = exchange.Answer;
        AboutOrder(answer, order!);
        answer.Add("refund_count"u8, found.Count);
        for (var i = 0; i < Math.Min(found.Count, 3); i++)
        {
            AboutRefund(answer, found[i], i);
        }
    }

    private static void Answer(V2Exchange exchange, RefundAnswer refund)
    {
        switch (refund.Outcome)
        {
            case RefundOutcome.Accepted or RefundOutcome.Again:
                exchange.Accept();
                AboutOrder(exchange.Answer, refund.Order!);
                exchange.Answer.Add("out_refund_no"u8, refund.Refund!.Number);
                exchange.Answer.Add("refund_id"u8, WeChatBook.RefundId(refund.Refund));
                exchange.Answer.Add("refund_fee"u8, refund.Refund.Fen);
                exchange.Answer.Add("cash_refund_fee"u8, refund.Refund.Fen);
                break;
            case RefundOutcome.Lost:
                exchange.Call.Fault = FaultTable.ByName["hang"];
                break;
            case RefundOutcome.NoOrder:
                exchange.Refuse("ORDERNOTEXIST");
                break;
            case RefundOutcome.NotPaid when refund.Order!.State == OrderState.Revoked:
                exchange.Refuse("ERROR", "订单已撤销");
                break;
            case RefundOutcome.NotPaid:
                exchange.Refuse("ORDERNOTREADY");
                break;
            case RefundOutcome.Differs:
                exchange.Refuse("REFUND_FEE_MISMATCH");
                break;
            case RefundOutcome.TooMany:
                exchange.Refuse("ERROR", "单笔订单最多部分退款50次");
                break;
            default:
                exchange.Refuse("ERROR", refund.Order!.NetFen == 0 ? "订单已全额退款" : "累计退款金额大于支付金额");
                break;
        }
    }

    private static void AboutOrder(FieldSet answer, Order order)
    {
        answer.Add("transaction_id"u8, WeChatBook.TransactionId(order));
        answer.Add("out_trade_no"u8, order.Key.Number);
        answer.Add("total_fee"u8, order.Fen);
        answer.Add("cash_fee"u8, order.Fen);
        answer.Add("fee_type"u8, "CNY"u8);
    }

    private static void AboutRefund(FieldSet answer, Refund refund, int i)
    {
        var status = refund.State switch { RefundState.Done => "SUCCESS", RefundState.Failed => "REFUNDCLOSE", _ => "PROCESSING" };
        Add("out_refund_no", refund.Number);
        Add("refund_id", WeChatBook.RefundId(refund));
        Add("refund_channel", "ORIGINAL");
        Add("refund_fee", refund.Fen.ToString(CultureInfo.InvariantCulture));
        Add("refund_status", status);
        Add("refund_recv_accout", "支付用户的零钱");
        if (refund.State == RefundState.Done)
        {
            Add("refund_success_time", ChannelClock.Local(refund.EndedAt).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture));
        }

        void Add(string name, string value) => answer.Add(System.Text.Encoding.ASCII.GetBytes($"{name}_{i}"), value);
    }

    private static bool TryFen(ReadOnlySpan<byte> text, out long fen) => Utf8Parser.TryParse(text, out fen, out var used) && used == text.Length && fen > 0;
}
