using System.Text.Json;
using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Faults;

namespace DeviceHub.Tools.ChannelSandbox.Alipay;

/// <summary>alipay.trade.pay with a bar code, query and cancel.</summary>
internal sealed class AlipayTrades(Bank.Bank bank, FaultPlan faults)
{
    public void Pay(AlipayExchange exchange)
    {
        var number = exchange.Text("out_trade_no");
        var fen = AlipayBook.Fen(exchange.Text("total_amount"));
        var code = exchange.Text("auth_code");
        var wrong = !AlipayBook.IsOrderNumber(number) ? "out_trade_no"
            : exchange.Text("scene") is not ("bar_code" or "security_code") ? "scene"
            : exchange.Text("subject") is not { Length: <= 256 } ? "subject"
            : fen < 0 ? "total_amount"
            : code is null ? "auth_code"
            : exchange.Text("terminal_id") is { Length: > 32 } ? "terminal_id"
            : exchange.Text("product_code") is not (null or "FACE_TO_FACE_PAYMENT") ? "product_code" : null;
        if (wrong is not null || !AlipayBook.IsPaymentCode(code))
        {
            exchange.Refuse(wrong is null ? "ACQ.PAYMENT_AUTH_CODE_INVALID" : "ACQ.INVALID_PARAMETER", wrong);
            return;
        }

        var planned = exchange.Plan(faults.For(Api.Pay, Channel.Alipay, number!, fen, 0));
        var answer = bank.Pay(
            new(exchange.Key(number!), fen, CodeDigest.Of(System.Text.Encoding.UTF8.GetBytes(code!)))
            {
                Subject = exchange.Text("subject")!,
                Application = exchange.AppId,
                Device = exchange.Text("terminal_id") ?? exchange.Text("store_id"),
                NotifyUrl = exchange.Form["notify_url"],
            },
            planned);
        if (planned?.Code is { } told && answer.Outcome is not (PayOutcome.Again or PayOutcome.NumberUsed or PayOutcome.CodeUsed or PayOutcome.Full))
        {
            exchange.Refuse(told);
            return;
        }

        var state = answer.Outcome == PayOutcome.Again ? answer.Order!.State : OrderState.Created;
        if (answer.Outcome == PayOutcome.Paid)
        {
            Write(exchange, answer.Order!, 10000);
        }
        else if (answer.Outcome == PayOutcome.Waiting || state == OrderState.Waiting)
        {
            Write(exchange, answer.Order!, 10003);
        }
        else
        {
            exchange.Refuse(Refusal(answer.Outcome, state));
        }
    }

    public void Query(AlipayExchange exchange)
    {
        if (Key(exchange) is not { } key)
        {
            return;
        }

        var planned = exchange.Plan(faults.For(Api.Query, Channel.Alipay, key.Number, 0, bank.NthCall(key)));
        if (planned?.Code is { } code)
        {
            exchange.Refuse(code);
            return;
        }

        var answer = bank.Query(key);
        if (answer.Outcome == QueryOutcome.Found)
        {
            Write(exchange, answer.Order!, 10000, withStatus: true);
        }
        else
        {
            exchange.Refuse(answer.Outcome == QueryOutcome.NotFound ? "ACQ.TRADE_NOT_EXIST" : "ACQ.SYSTEM_ERROR");
        }
    }

    /// <summary>No <c>action</c> in the answer: there was no trade, or nothing of it is known.</summary>
    public void Cancel(AlipayExchange exchange)
    {
        if (Key(exchange) is not { } key)
        {
            return;
        }

        var planned = exchange.Plan(faults.For(Api.Reverse, Channel.Alipay, key.Number, 0, bank.NthCall(key)));
        if (planned?.Code is { } code)
        {
            exchange.Refuse(code);
            return;
        }

        var answer = planned is { IsDone: false } ? default : bank.Reverse(key, TimeSpan.Zero, TimeSpan.FromHours(24));
        if (answer.Outcome is ReverseOutcome.TooLate or ReverseOutcome.Refunded)
        {
            exchange.Refuse(answer.Outcome == ReverseOutcome.TooLate ? "ACQ.TRADE_CANCEL_TIME_OUT" : "ACQ.TRADE_STATUS_ERROR");
            return;
        }

        exchange.Write(10000, json =>
        {
            json.WriteString("out_trade_no"u8, key.Number);
            json.WriteString("retry_flag"u8, "N"u8);
            if (answer.Order is { } order)
            {
                json.WriteString("trade_no"u8, AlipayBook.TradeNumber(order));
                json.WriteString("action"u8, answer.Outcome == ReverseOutcome.PaidBack ? "refund"u8 : "close"u8);
            }
        });
    }

    /// <summary>Null: none is named, which is answered.</summary>
    private OrderKey? Key(AlipayExchange exchange)
    {
        if (exchange.Text("out_trade_no") is { } number)
        {
            return exchange.Key(number);
        }

        if (exchange.Text("trade_no") is { Length: 28 } trade && long.TryParse(trade.AsSpan(13), out var sequence))
        {
            return bank.FindBySequence(Channel.Alipay, exchange.Seller, sequence)?.Key ?? exchange.Key(trade);
        }

        exchange.Refuse("ACQ.INVALID_PARAMETER", "out_trade_no, trade_no");
        return null;
    }

    public static string StatusOf(Order order) => order.State switch
    {
        OrderState.Created or OrderState.Waiting => "WAIT_BUYER_PAY",
        OrderState.Paid when order.NetFen > 0 => "TRADE_SUCCESS",
        _ => "TRADE_CLOSED",
    };

    private static string Refusal(PayOutcome outcome, OrderState state) => outcome switch
    {
        PayOutcome.Refused => "ACQ.PAYMENT_FAIL",
        PayOutcome.Closed or PayOutcome.Revoked => "ACQ.TRADE_HAS_CLOSE",
        PayOutcome.NumberUsed => "ACQ.CONTEXT_INCONSISTENT",
        PayOutcome.CodeUsed => "ACQ.PAYMENT_AUTH_CODE_INVALID",
        PayOutcome.Again when state == OrderState.Paid => "ACQ.TRADE_HAS_SUCCESS",
        PayOutcome.Again => "ACQ.TRADE_HAS_CLOSE",
        _ => "ACQ.SYSTEM_ERROR",
    };

    private static void Write(AlipayExchange exchange, Order order, int code, bool withStatus = false) => exchange.Write(code, json =>
    {
        json.WriteString("trade_no"u8, AlipayBook.TradeNumber(order));
        json.WriteString("out_trade_no"u8, order.Key.Number);
        json.WriteString("buyer_logon_id"u8, "158****1562"u8);
        json.WriteString("total_amount"u8, AlipayBook.Yuan(order.Fen));
        if (withStatus)
        {
            json.WriteString("trade_status"u8, StatusOf(order));
        }

        if (order.WasCharged)
        {
            Paid(json, order, withStatus);
        }
    });

    private static void Paid(Utf8JsonWriter json, Order order, bool query)
    {
        json.WriteString("receipt_amount"u8, AlipayBook.Yuan(order.Fen));
        json.WriteString("buyer_pay_amount"u8, AlipayBook.Yuan(order.Fen));
        json.WriteString("point_amount"u8, "0.00"u8);
        json.WriteString("invoice_amount"u8, AlipayBook.Yuan(order.Fen));
        json.WriteString("buyer_user_id"u8, AlipayBook.Buyer(order));
        json.WriteString(query ? "send_pay_date"u8 : "gmt_payment"u8, AlipayBook.Time(order.ChargedAt));
        json.WriteStartArray("fund_bill_list"u8);
        json.WriteStartObject();
        json.WriteString("amount"u8, AlipayBook.Yuan(order.Fen));
        json.WriteString("fund_channel"u8, "ALIPAYACCOUNT"u8);
        json.WriteEndObject();
        json.WriteEndArray();
    }
}
