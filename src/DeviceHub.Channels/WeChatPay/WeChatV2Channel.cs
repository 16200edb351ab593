using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.Options;

namespace DeviceHub.Channels.WeChatPay;

/// <summary>WeChat Pay version 2: payment codes over XML, direct and under a service provider.</summary>
internal sealed class WeChatV2Channel(WeChatV2Client client, NoticeAddress notices, IOptions<WeChatPayOptions> options, TimeProvider clock) : IPaymentChannel
{
    internal const string ChannelName = "wechat-v2";

    public string Name => ChannelName;

    public IReadOnlyList<AccountField> AccountFields => WeChatFields.V2;

    public string? FieldFault(string field, string value) => client.FieldFault(field, value);

    public (string Field, string Says)? WholeFault(ChannelAccount account) => WeChatFields.WholeFault(() => WeChatV2Keys.Of(account));

    public IReadOnlyList<Wallet> Wallets => [Wallet.WeChat];

    public Task<ChannelVerdict> Pay(ChannelPayment payment, CancellationToken cancellationToken)
    {
        var order = payment.Reference;
        return client.Call(EffectKind.Pay, order, "/pay/micropay", mutual: false, WeChatCodes.PayV2, Write, m => Paid(order, EffectKind.Pay, m), cancellationToken);

        WeChatV2Message Write(WeChatV2Keys keys) => WeChatV2Client.Begin(keys)
            .Add("device_info", payment.SerialNumber)
            .Add("body", WeChatText.Subject(payment.Subject))
            .Add("out_trade_no", order.OrderNumber)
            .Add("total_fee", order.AmountFen)
            .Add("fee_type", "CNY")
            .Add("spbill_create_ip", options.Value.ClientIp)
            .Add("time_expire", WeChatText.ExpireTime(payment.ExpiresAt, clock.GetUtcNow()))
            .Add("auth_code", payment.Code.Reveal());
    }

    public Task<ChannelVerdict> Query(ChannelReference reference, CancellationToken cancellationToken) => client.Call(
        EffectKind.Query, reference, "/pay/orderquery", mutual: false, WeChatCodes.QueryV2, keys => WeChatV2Client.Begin(keys).Add("out_trade_no", reference.OrderNumber),
        m => Queried(reference, m), cancellationToken);

    /// <summary>
    /// SUCCESS is an answer and no proof: which of "closed" and "paid back" it was is not said, and WeChat is known to say it of orders that it does
    /// not reverse. <c>recall</c> Y means that it must be called again.
    /// </summary>
    public Task<ChannelVerdict> Reverse(ChannelReference reference, CancellationToken cancellationToken) => client.Call(
        EffectKind.Reverse, reference, "/secapi/pay/reverse", mutual: true, WeChatCodes.ReverseV2, keys => WeChatV2Client.Begin(keys).Add("out_trade_no", reference.OrderNumber),
        m => m["recall"] == "N" ? new ChannelVerdict(Verdict.Reversed, "SUCCESS", "answered") : new ChannelVerdict(Verdict.Unknown, "recall", "to be called again"),
        cancellationToken);

    /// <summary>SUCCESS means taken; the query says what became of it.</summary>
    public Task<ChannelVerdict> Refund(ChannelRefund refund, CancellationToken cancellationToken)
    {
        var order = refund.Reference;
        return client.Call(EffectKind.Refund, order, "/secapi/pay/refund", mutual: true, WeChatCodes.RefundV2, Write, Taken, cancellationToken);

        WeChatV2Message Write(WeChatV2Keys keys) => WeChatV2Client.Begin(keys)
            .Add("out_trade_no", order.OrderNumber)
            .Add("out_refund_no", refund.RefundNumber)
            .Add("total_fee", order.AmountFen)
            .Add("refund_fee", refund.RefundFen)
            .Add("refund_fee_type", "CNY")
            .Add("notify_url", notices.Of(order.Account));

        ChannelVerdict Taken(WeChatV2Message m) => IsRefund(m, "", refund)
            ? new ChannelVerdict(Verdict.Pending, "SUCCESS", "taken", Transaction: m["refund_id"])
            : client.Alarms.WrongAnswer(order.Account, EffectKind.Refund, "other-refund");
    }

    public Task<ChannelVerdict> QueryRefund(ChannelRefund refund, CancellationToken cancellationToken)
    {
        var order = refund.Reference;
        return client.Call(
            EffectKind.QueryRefund, order, "/pay/refundquery", mutual: false, WeChatCodes.RefundQueryV2, keys => WeChatV2Client.Begin(keys).Add("out_refund_no", refund.RefundNumber),
            Read, cancellationToken);

        ChannelVerdict Read(WeChatV2Message m)
        {
            // Asked by our refund number it is the only one, at 0; but its number is what counts. An order has at most 50 refunds.
            for (var n = 0; n < 50; n++)
            {
                var at = $"_{n}";
                if (m["out_refund_no" + at] == refund.RefundNumber)
                {
                    return IsRefund(m, at, refund) && m["refund_status" + at] is { } status
                        ? client.Alarms.Judge(order.Account, EffectKind.QueryRefund, WeChatCodes.RefundState, status) with { Transaction = m["refund_id" + at] }
                        : client.Alarms.WrongAnswer(order.Account, EffectKind.QueryRefund, "other-amount");
                }
            }

            return client.Alarms.WrongAnswer(order.Account, EffectKind.QueryRefund, "other-refund");
        }
    }

    public async Task<AccountCheck> Test(ChannelAccount account, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(options.Value.TestDeadline, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            var verdict = await Query(WeChatTest.NoSuchOrder(account), either.Token);
            return WeChatTest.Says(account, options.Value, verdict, "the API key, its signType or the merchant number is wrong", () => Certificate(account));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return WeChatTest.NoAnswer(account, options.Value);
        }
    }

    private AccountCheck Certificate(ChannelAccount account)
    {
        var keys = WeChatV2Keys.Of(account);
        return keys.CertificateFault(clock.GetUtcNow()) is { } fault
            ? new AccountCheck(false, $"the key is right, but {fault}: reversals and refunds would fail, so nothing is paid")
            : new AccountCheck(true, $"asked for an order that does not exist, and WeChat Pay signed that it does not; the API certificate is valid until {keys.Certificate.NotAfter.ToUniversalTime():yyyy-MM-dd}, and is used for the first time by a reversal or a refund");
    }

    private ChannelVerdict Queried(ChannelReference order, WeChatV2Message m)
    {
        if (m["out_trade_no"] is null || m["trade_state"] is not { } state)
        {
            return client.Alarms.WrongAnswer(order.Account, EffectKind.Query, "garbage");
        }

        return state == "SUCCESS" ? Paid(order, EffectKind.Query, m) : client.Alarms.Judge(order.Account, EffectKind.Query, WeChatCodes.TradeState, state) with { Transaction = m["transaction_id"] };
    }

    /// <summary>Only this order over this amount in this currency is this payment.</summary>
    private ChannelVerdict Paid(ChannelReference order, EffectKind call, WeChatV2Message m)
    {
        if (m["out_trade_no"] != order.OrderNumber || m["transaction_id"] is not { } transaction || m["fee_type"] is not (null or "CNY"))
        {
            return client.Alarms.WrongAnswer(order.Account, call, "garbage");
        }

        // What the payer paid is less by coupons; an answer without it is one of the full amount.
        var paid = m["cash_fee"] is null ? order.AmountFen : m.Fen("cash_fee");
        return m.Fen("total_fee") != order.AmountFen || paid is null || paid > order.AmountFen
            ? client.Alarms.WrongAnswer(order.Account, call, "other-amount")
            : new ChannelVerdict(
                Verdict.Approved, "SUCCESS", PaidFen: paid.Value, DiscountFen: order.AmountFen - paid.Value, Transaction: transaction, Payer: WeChatText.Payer(m["openid"]));
    }

    private static bool IsRefund(WeChatV2Message m, string at, ChannelRefund refund) =>
        m["out_refund_no" + at] == refund.RefundNumber && m.Fen("refund_fee" + at) == refund.RefundFen;
}
