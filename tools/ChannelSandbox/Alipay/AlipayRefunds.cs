using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Faults;

namespace DeviceHub.Tools.ChannelSandbox.Alipay;

/// <summary>alipay.trade.refund, and what became of it.</summary>
internal sealed class AlipayRefunds(Bank.Bank bank, FaultPlan faults)
{
    public void Refund(AlipayExchange exchange)
    {
        var number = exchange.Text("out_trade_no");
        var fen = AlipayBook.Fen(exchange.Text("refund_amount"));
        var request = exchange.Text("out_request_no");
        if (number is null || fen < 0 || request is { Length: > 64 })
        {
            exchange.Refuse("ACQ.INVALID_PARAMETER", number is null ? "out_trade_no" : fen < 0 ? "refund_amount" : "out_request_no");
            return;
        }

        var key = exchange.Key(number);
        var planned = exchange.Plan(faults.For(Api.Refund, Channel.Alipay, number, 0, bank.NthCall(key)));
        if (planned?.Code is { } code)
        {
            exchange.Refuse(code);
        }
        else if (planned is { IsDone: false })
        {
            exchange.Refuse("ACQ.SYSTEM_ERROR");
        }
        else if (request is null && bank.Find(key) is { } order && order.Fen != fen)
        {
            exchange.Refuse("ACQ.INVALID_PARAMETER", "out_request_no");
        }
        else
        {
            // Without a number of its own a refund is of the whole trade, and known by the trade's number.
            Answer(exchange, bank.Refund(key, Number(number, request), fen, exchange.Form["notify_url"]));
        }
    }

    public void Query(AlipayExchange exchange)
    {
        var (number, request) = (exchange.Text("out_trade_no"), exchange.Text("out_request_no"));
        if (number is null || request is null)
        {
            exchange.Refuse("ACQ.INVALID_PARAMETER", number is null ? "out_trade_no" : "out_request_no");
            return;
        }

        var key = exchange.Key(number);
        var planned = exchange.Plan(faults.For(Api.RefundQuery, Channel.Alipay, number, 0, bank.NthCall(key)));
        var order = bank.Find(key);
        if (planned?.Code is { } code)
        {
            exchange.Refuse(code);
            return;
        }

        if (order is null)
        {
            exchange.Refuse("ACQ.TRADE_NOT_EXIST");
            return;
        }

        // A refund that is not known, or that failed, has nothing but the trade's numbers in the answer.
        var refund = order.FindRefund(Number(number, request));
        exchange.Write(10000, json =>
        {
            if (refund is not { State: RefundState.Done or RefundState.Processing })
            {
                return;
            }

            json.WriteString("trade_no"u8, AlipayBook.TradeNumber(order));
            json.WriteString("out_trade_no"u8, number);
            json.WriteString("out_request_no"u8, request);
            json.WriteString("total_amount"u8, AlipayBook.Yuan(order.Fen));
            json.WriteString("refund_amount"u8, AlipayBook.Yuan(refund.Fen));
            json.WriteString("refund_status"u8, refund.State == RefundState.Done ? "REFUND_SUCCESS"u8 : "REFUND_PROCESSING"u8);
            if (refund.State == RefundState.Done)
            {
                json.WriteString("gmt_refund_pay"u8, AlipayBook.Time(refund.EndedAt));
            }
        });
    }

    /// <summary>Alipay's refund numbers are unique in their trade, the book's among the merchant's.</summary>
    private static string Number(string trade, string? request) => $"{trade} {request ?? trade}";

    private static void Answer(AlipayExchange exchange, RefundAnswer refund)
    {
        switch (refund.Outcome)
        {
            case RefundOutcome.Accepted or RefundOutcome.Again:
                var order = refund.Order!;
                exchange.Write(10000, json =>
                {
                    json.WriteString("trade_no"u8, AlipayBook.TradeNumber(order));
                    json.WriteString("out_trade_no"u8, order.Key.Number);
                    json.WriteString("buyer_logon_id"u8, "158****1562"u8);
                    json.WriteString("buyer_user_id"u8, AlipayBook.Buyer(order));
                    json.WriteString("fund_change"u8, refund.Outcome == RefundOutcome.Accepted && refund.Refund!.State == RefundState.Done ? "Y"u8 : "N"u8);
                    json.WriteString("refund_fee"u8, AlipayBook.Yuan(order.RefundedFen));
                    json.WriteString("gmt_refund_pay"u8, AlipayBook.Time(refund.Refund!.At));
                });
                break;
            case RefundOutcome.Lost:
                exchange.Call.Fault = FaultTable.ByName["hang"];
                break;
            case RefundOutcome.NoOrder:
                exchange.Refuse("ACQ.TRADE_NOT_EXIST");
                break;
            case RefundOutcome.NotPaid:
                exchange.Refuse("ACQ.TRADE_STATUS_ERROR");
                break;
            case RefundOutcome.Differs:
                exchange.Refuse("ACQ.DISCORDANT_REPEAT_REQUEST");
                break;
            default:
                exchange.Refuse("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL");
                break;
        }
    }
}
