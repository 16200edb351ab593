using System.Globalization;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;

namespace DeviceHub.Channels.Alipay;

/// <summary>Alipay's payment by the customer's code (当面付 条码支付), direct or for a merchant that authorised a service provider.</summary>
internal sealed class AlipayChannel(AlipayClient client, ChannelAlarms alarms, TimeProvider clock) : IPaymentChannel
{
    internal const string ChannelName = "alipay";

    /// <summary>The one that asks for notices.</summary>
    internal const string PayMethod = "alipay.trade.pay";

    private const int MaxSubject = 128;

    public string Name => ChannelName;

    public IReadOnlyList<AccountField> AccountFields => AlipayAccount.Fields;

    public string? FieldFault(string field, string value) => client.FieldFault(field, value);

    public (string Field, string Says)? WholeFault(ChannelAccount account) => AlipayKeys.Of(account) is { Fault: { } fault, FaultField: { } field } ? (field, fault) : null;

    public IReadOnlyList<Wallet> Wallets { get; } = [Wallet.Alipay];

    public async Task<AccountCheck> Test(ChannelAccount account, CancellationToken cancellationToken)
    {
        var reply = await client.Call(account, EffectKind.Query, "alipay.trade.query", cancellationToken, ("out_trade_no", "devicehub_account_test"));
        const string asked = "asked Alipay about an order that does not exist";
        var expired = client.Expired(account) is { } says ? $"; {says}, so nothing is charged with it" : "";
        if (reply.Fault is { } fault)
        {
            return new AccountCheck(false, $"{asked}: {fault.Code}{(fault.Text is null ? "" : ", " + fault.Text)}{expired}");
        }

        var code = AlipayCodes.Of(reply.Fields);
        return code is "ACQ.TRADE_NOT_EXIST"
            ? new AccountCheck(expired.Length == 0, $"{asked}: it knows the application, accepts our signature and signed its answer{expired}")
            : new AccountCheck(false, $"{asked}: {ChannelAlarms.Shown(code)}, {(AlipayCodes.Query.Find(code) ?? AlipayCodes.Pay.Find(code))?.Says ?? "a code that is in no table"}{expired}");
    }

    public async Task<ChannelVerdict> Pay(ChannelPayment payment, CancellationToken cancellationToken)
    {
        var (reference, account) = (payment.Reference, payment.Reference.Account);
        var reply = await client.Call(
            account, EffectKind.Pay, PayMethod, cancellationToken,
            ("out_trade_no", reference.OrderNumber),
            ("scene", "bar_code"),
            ("auth_code", payment.Code.Reveal()),
            ("product_code", "FACE_TO_FACE_PAYMENT"),
            ("subject", Subject(payment.Subject)),
            ("total_amount", Yuan.Write(reference.AmountFen)),
            ("timeout_express", Timeout(payment.ExpiresAt)),
            ("terminal_id", Short(payment.SerialNumber, 32)),
            ("store_id", account.Setting(AlipayAccount.StoreId)));
        if (reply.Fault is { } fault)
        {
            return fault;
        }

        var verdict = alarms.Judge(account, EffectKind.Pay, AlipayCodes.Pay, AlipayCodes.Of(reply.Fields));
        return verdict.Verdict is Verdict.Approved or Verdict.Pending ? Check(verdict, reply.Fields, reference, EffectKind.Pay) : verdict;
    }

    public async Task<ChannelVerdict> Query(ChannelReference reference, CancellationToken cancellationToken)
    {
        var reply = await client.Call(reference.Account, EffectKind.Query, "alipay.trade.query", cancellationToken, ("out_trade_no", reference.OrderNumber));
        if (reply.Fault is { } fault)
        {
            return fault;
        }

        var code = AlipayCodes.Of(reply.Fields);
        var verdict = Judge(reference, EffectKind.Query, AlipayCodes.Query, code is "10000" ? reply.Fields.GetValueOrDefault("trade_status", "") : code);
        return code is "10000" && verdict.Verdict != Verdict.Unknown ? Check(verdict, reply.Fields, reference, EffectKind.Query) : verdict;
    }

    public async Task<ChannelVerdict> Reverse(ChannelReference reference, CancellationToken cancellationToken)
    {
        var reply = await client.Call(reference.Account, EffectKind.Reverse, "alipay.trade.cancel", cancellationToken, ("out_trade_no", reference.OrderNumber));
        if (reply.Fault is { } fault)
        {
            return fault;
        }

        var code = AlipayCodes.Of(reply.Fields);
        if (code is not "10000")
        {
            return Judge(reference, EffectKind.Reverse, AlipayCodes.Cancel, code);
        }

        if (!IsOf(reply.Fields, reference))
        {
            return alarms.WrongAnswer(reference.Account, EffectKind.Reverse, "other-order");
        }

        // Whether to ask again is said apart from what was done.
        var done = reply.Fields.GetValueOrDefault("retry_flag", "") switch
        {
            "N" => reply.Fields.GetValueOrDefault("action", "nothing"),
            _ => "retry",
        };
        return Judge(reference, EffectKind.Reverse, AlipayCodes.Cancel, done);
    }

    public async Task<ChannelVerdict> Refund(ChannelRefund refund, CancellationToken cancellationToken)
    {
        var reference = refund.Reference;
        var reply = await client.Call(
            reference.Account, EffectKind.Refund, "alipay.trade.refund", cancellationToken,
            ("out_trade_no", reference.OrderNumber),
            ("refund_amount", Yuan.Write(refund.RefundFen)),
            ("out_request_no", refund.RefundNumber));
        if (reply.Fault is { } fault)
        {
            return fault;
        }

        var code = AlipayCodes.Of(reply.Fields);
        if (code is not "10000")
        {
            return Judge(reference, EffectKind.Refund, AlipayCodes.Refund, code);
        }

        if (!IsOf(reply.Fields, reference))
        {
            return alarms.WrongAnswer(reference.Account, EffectKind.Refund, "other-order");
        }

        // refund_fee is what of the order went back in all.
        var verdict = alarms.Judge(reference.Account, EffectKind.Refund, AlipayCodes.Refund, reply.Fields.GetValueOrDefault("fund_change", "N"));
        return verdict.Verdict == Verdict.Refunded && (!Read(reply.Fields, "refund_fee", out var back) || back < refund.RefundFen)
            ? alarms.WrongAnswer(reference.Account, EffectKind.Refund, "other-amount")
            : verdict;
    }

    public async Task<ChannelVerdict> QueryRefund(ChannelRefund refund, CancellationToken cancellationToken)
    {
        var reference = refund.Reference;
        var reply = await client.Call(
            reference.Account, EffectKind.QueryRefund, "alipay.trade.fastpay.refund.query", cancellationToken,
            ("out_trade_no", reference.OrderNumber),
            ("out_request_no", refund.RefundNumber));
        if (reply.Fault is { } fault)
        {
            return fault;
        }

        var code = AlipayCodes.Of(reply.Fields);
        if (code is "10000")
        {
            code = reply.Fields.GetValueOrDefault("refund_status", reply.Fields.ContainsKey("refund_amount") ? "found" : "nothing");
        }

        var verdict = alarms.Judge(reference.Account, EffectKind.QueryRefund, AlipayCodes.RefundQuery, code);
        if (verdict.Verdict != Verdict.Refunded)
        {
            return verdict;
        }

        return !IsOf(reply.Fields, reference) || reply.Fields.GetValueOrDefault("out_request_no") != refund.RefundNumber
            ? alarms.WrongAnswer(reference.Account, EffectKind.QueryRefund, "other-order")
            : !Read(reply.Fields, "refund_amount", out var amount) || amount != refund.RefundFen
                ? alarms.WrongAnswer(reference.Account, EffectKind.QueryRefund, "other-amount")
                : verdict;
    }

    /// <summary>The customer's part and the discount, together the order's amount.</summary>
    internal static ChannelVerdict WithMoney(ChannelVerdict verdict, IReadOnlyDictionary<string, string> fields, long amountFen)
    {
        var paid = Read(fields, "buyer_pay_amount", out var part) && part <= amountFen ? part : amountFen;
        return verdict with
        {
            PaidFen = paid,
            DiscountFen = amountFen - paid,
            Transaction = fields.GetValueOrDefault("trade_no"),
            Payer = fields.GetValueOrDefault("buyer_logon_id"),
        };
    }

    internal static bool Read(IReadOnlyDictionary<string, string> fields, string name, out long fen)
    {
        fen = 0;
        return fields.TryGetValue(name, out var yuan) && Yuan.TryRead(yuan, out fen);
    }

    /// <summary>A merchant's order is known under the merchant's token alone.</summary>
    private ChannelVerdict Judge(ChannelReference reference, EffectKind call, VerdictTable table, string code)
    {
        var verdict = alarms.Judge(reference.Account, call, table, code);
        return code is "ACQ.TRADE_NOT_EXIST" or "nothing" && reference.Account.SecretsSince.TryGetValue(AlipayAccount.AppAuthToken, out var since)
            ? alarms.NotThere(reference, call, verdict, since)
            : verdict;
    }

    private static bool IsOf(IReadOnlyDictionary<string, string> fields, ChannelReference reference) =>
        fields.GetValueOrDefault("out_trade_no") == reference.OrderNumber;

    /// <summary>An answer about another order or amount proves nothing of ours, however it is signed.</summary>
    private ChannelVerdict Check(ChannelVerdict verdict, IReadOnlyDictionary<string, string> fields, ChannelReference reference, EffectKind call)
    {
        if (!IsOf(fields, reference))
        {
            return alarms.WrongAnswer(reference.Account, call, "other-order");
        }

        if (verdict.Verdict != Verdict.Approved)
        {
            return verdict;
        }

        return Read(fields, "total_amount", out var total) && total == reference.AmountFen
            ? WithMoney(verdict, fields, reference.AmountFen)
            : alarms.WrongAnswer(reference.Account, call, "other-amount");
    }

    /// <summary>Whole minutes, at least one: the order does not outlive the request by more than Alipay allows.</summary>
    private string Timeout(DateTimeOffset expiresAt) =>
        string.Create(CultureInfo.InvariantCulture, $"{Math.Clamp((long)(expiresAt - clock.GetUtcNow()).TotalMinutes, 1, 24 * 60)}m");

    /// <summary>Alipay refuses some signs in a subject, and its bills do not quote others.</summary>
    private static string Subject(string subject) =>
        Short(new string([.. subject.Select(c => c is '/' or '=' or '&' or ',' or '"' || char.IsControl(c) ? ' ' : c)]), MaxSubject);

    private static string Short(string text, int length) =>
        text.Length <= length ? text : text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)];
}
