using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Faults;

namespace DeviceHub.Tools.ChannelSandbox.Shouqianba;

/// <summary>Shouqianba's query, cancel and refund.</summary>
internal sealed class ShouqianbaUndo(Bank.Bank bank, FaultPlan faults, ChannelClock clock)
{
    public void Query(ShouqianbaExchange exchange)
    {
        if (Key(exchange) is not { } key || IsRefused(exchange, Api.Query, key))
        {
            return;
        }

        var answer = bank.Query(key);
        if (answer.Outcome == QueryOutcome.Found)
        {
            exchange.Business("SUCCESS", answer.Order);
        }
        else
        {
            exchange.Refuse(answer.Outcome == QueryOutcome.NotFound ? "UPAY_ORDER_NOT_EXISTS" : "UNKNOWN_SYSTEM_ERROR");
        }
    }

    /// <summary>On the day of the payment only.</summary>
    public void Cancel(ShouqianbaExchange exchange)
    {
        if (Key(exchange) is not { } key || IsRefused(exchange, Api.Reverse, key))
        {
            return;
        }

        var order = bank.Find(key);
        if (exchange.Call.Fault is { IsDone: false })
        {
            exchange.Business("CANCEL_SUCCESS", order);
        }
        else if (order is { State: OrderState.Revoked or OrderState.Refused or OrderState.Closed })
        {
            exchange.Refuse(order.State == OrderState.Revoked ? "UPAY_CANCEL_ORDER_NOOP" : "UPAY_CANCEL_INVALID_ORDER_STATE", order: order);
        }
        else
        {
            var sinceMidnight = TimeSpan.FromMilliseconds(clock.NowMs - ChannelClock.StartMs(ChannelClock.Day(clock.NowMs)));
            var answer = bank.Reverse(key, TimeSpan.Zero, sinceMidnight);
            switch (answer.Outcome)
            {
                case ReverseOutcome.NotFound:
                    exchange.Refuse("UPAY_ORDER_NOT_EXISTS");
                    break;
                case ReverseOutcome.TooLate or ReverseOutcome.Refunded:
                    exchange.Refuse("UPAY_CANCEL_INVALID_ORDER_STATE");
                    break;
                default:
                    exchange.Business(answer.Outcome == ReverseOutcome.PaidBack ? "CANCEL_SUCCESS" : "CANCEL_ABORT_SUCCESS", answer.Order);
                    break;
            }
        }
    }

    public void Refund(ShouqianbaExchange exchange)
    {
        var number = exchange.Text("refund_request_no");
        var fen = ShouqianbaApi.Fen(exchange.Text("refund_amount"));
        if (number is not { Length: <= 20 } || fen <= 0 || exchange.Text("operator") is null)
        {
            exchange.Refuse("INVALID_PARAMS", "refund_request_no, refund_amount, operator");
            return;
        }

        if (Key(exchange) is not { } key || IsRefused(exchange, Api.Refund, key))
        {
            return;
        }

        if (exchange.Call.Fault is { IsDone: false })
        {
            exchange.Business("REFUND_IN_PROGRESS", bank.Find(key));
            return;
        }

        Answer(exchange, bank.Refund(key, $"{key.Number} {number}", fen, null));
    }

    private static void Answer(ShouqianbaExchange exchange, RefundAnswer refund)
    {
        switch (refund.Outcome)
        {
            case RefundOutcome.Accepted:
                exchange.Business(refund.Refund!.State switch { RefundState.Done => "REFUND_SUCCESS", RefundState.Failed => "REFUND_FAIL", _ => "REFUND_IN_PROGRESS" }, refund.Order);
                break;
            case RefundOutcome.Again or RefundOutcome.Differs:
                exchange.Refuse("UPAY_REFUND_ORDER_NOOP", order: refund.Order);
                break;
            case RefundOutcome.Lost:
                exchange.Call.Fault = FaultTable.ByName["hang"];
                break;
            case RefundOutcome.NoOrder:
                exchange.Refuse("UPAY_ORDER_NOT_EXISTS");
                break;
            case RefundOutcome.NotPaid or RefundOutcome.TooMany:
                exchange.Refuse("UPAY_REFUND_INVALID_ORDER_STATE", order: refund.Order);
                break;
            default:
                exchange.Refuse(refund.Order!.NetFen == 0 ? "UPAY_REFUND_INVALID_ORDER_STATE" : "REFUNDABLE_AMOUNT_NOT_ENOUGH", order: refund.Order);
                break;
        }
    }

    /// <summary>By <c>sn</c> first, then by <c>client_sn</c>; null: neither is there, which is answered.</summary>
    private OrderKey? Key(ShouqianbaExchange exchange)
    {
        if (exchange.Text("sn") is { Length: 16 } sn && long.TryParse(sn.AsSpan(4), out var sequence) && bank.FindBySequence(Channel.Shouqianba, exchange.Vendor, sequence) is { } order)
        {
            return order.Key;
        }

        if (exchange.Text("client_sn") is { } number)
        {
            return exchange.Key(number);
        }

        exchange.Refuse(exchange.Text("sn") is null ? "INVALID_PARAMS" : "UPAY_ORDER_NOT_EXISTS");
        return null;
    }

    private bool IsRefused(ShouqianbaExchange exchange, Api api, OrderKey key)
    {
        var planned = exchange.Plan(faults.For(api, Channel.Shouqianba, key.Number, 0, bank.NthCall(key)));
        if (planned?.Code is { } code)
        {
            exchange.Refuse(code);
        }

        return planned?.Code is not null;
    }
}
