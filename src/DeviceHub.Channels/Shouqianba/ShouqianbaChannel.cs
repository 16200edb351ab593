using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;

namespace DeviceHub.Channels.Shouqianba;

/// <summary>Shouqianba (收钱吧), an aggregator: upay v2. It tells the wallet by the code, and has one terminal an account.</summary>
internal sealed class ShouqianbaChannel(ShouqianbaClient client, ShouqianbaTerminals terminals, ChannelAlarms alarms, NoticeAddress notices) : IPaymentChannel, IAccountActivation
{
    internal const string ChannelName = "shouqianba";

    /// <summary>Of refund_request_no, by Shouqianba's documents.</summary>
    private const int RefundNumberLength = 20;

    private const int MaxSubject = 64;

    public string Name => ChannelName;

    public IReadOnlyList<AccountField> AccountFields => ShouqianbaAccount.Fields;

    public string? FieldFault(string field, string value) => client.FieldFault(field, value);

    public (string Field, string Says)? WholeFault(ChannelAccount account) => ShouqianbaAccount.WholeFault(account);

    public Task<AccountCheck> Activate(ChannelAccount account, CancellationToken cancellationToken) => terminals.Activate(account, cancellationToken);

    public async Task<AccountCheck> Test(ChannelAccount account, CancellationToken cancellationToken)
    {
        var reply = await Call(account, EffectKind.Query, "/upay/v2/query", cancellationToken, ("client_sn", "devicehub-account-test"));
        const string asked = "asked Shouqianba about an order that does not exist";
        if (reply.Fault is { } fault)
        {
            return new AccountCheck(false, $"{asked}: {fault.Code}{(fault.Text is null ? "" : ", " + fault.Text)}");
        }

        var code = reply.Answer!.Code;
        return code is "FAIL.UPAY_ORDER_NOT_EXISTS"
            ? new AccountCheck(true, $"{asked}: it knows the terminal and accepts its key")
            : new AccountCheck(false, $"{asked}: {ChannelAlarms.Shown(code)}, {ShouqianbaCodes.Query.Find(ShouqianbaCodes.KeyIn(ShouqianbaCodes.Query, reply.Answer))?.Says ?? "a code that is in no table"}");
    }

    public async Task<ChannelVerdict> Pay(ChannelPayment payment, CancellationToken cancellationToken)
    {
        var reference = payment.Reference;
        var reply = await Call(
            reference.Account, EffectKind.Pay, "/upay/v2/pay", cancellationToken,
            ("client_sn", reference.OrderNumber),
            ("total_amount", Fen(reference.AmountFen)),
            ("dynamic_id", payment.Code.Reveal()),
            ("subject", Short(payment.Subject, MaxSubject)),
            ("operator", Short(payment.SerialNumber, 32)),
            ("device_id", ShouqianbaAccount.DeviceOf(reference.Account)),
            ("notify_url", NoticesTo(reference.Account)));
        return Judge(ShouqianbaCodes.Pay, reply, reference, EffectKind.Pay);
    }

    public async Task<ChannelVerdict> Query(ChannelReference reference, CancellationToken cancellationToken) =>
        Judge(ShouqianbaCodes.Query, await Ask(reference, EffectKind.Query, "/upay/v2/query", cancellationToken), reference, EffectKind.Query);

    public async Task<ChannelVerdict> Reverse(ChannelReference reference, CancellationToken cancellationToken) =>
        Judge(ShouqianbaCodes.Cancel, await Ask(reference, EffectKind.Reverse, "/upay/v2/cancel", cancellationToken), reference, EffectKind.Reverse);

    public async Task<ChannelVerdict> Refund(ChannelRefund refund, CancellationToken cancellationToken)
    {
        var reference = refund.Reference;
        var reply = await Call(
            reference.Account, EffectKind.Refund, "/upay/v2/refund", cancellationToken,
            ("client_sn", reference.OrderNumber),
            ("client_tsn", refund.RefundNumber),
            ("refund_request_no", RequestNumber(refund.RefundNumber)),
            ("operator", "DeviceHub"),
            ("refund_amount", Fen(refund.RefundFen)));
        return Judge(ShouqianbaCodes.Refund, reply, reference, EffectKind.Refund);
    }

    /// <summary>
    /// There is no query of a refund, only of the order, which shows the last thing that was done to it. Any other refund is asked for again, which is
    /// the same refund under the same number.
    /// </summary>
    public async Task<ChannelVerdict> QueryRefund(ChannelRefund refund, CancellationToken cancellationToken)
    {
        var reference = refund.Reference;
        var reply = await Ask(reference, EffectKind.QueryRefund, "/upay/v2/query", cancellationToken);
        var order = Judge(ShouqianbaCodes.Query, reply, reference, EffectKind.QueryRefund);
        var whole = refund.RefundFen == reference.AmountFen;
        return order.Verdict switch
        {
            // Shouqianba's own word for one of several: it is the last, and it succeeded.
            Verdict.Approved or Verdict.Reversed when reply.Answer!.ClientTsn == refund.RefundNumber && reply.Answer.LastSucceeded =>
                new ChannelVerdict(Verdict.Refunded, order.Code, "the money went back"),
            Verdict.Reversed when whole => new ChannelVerdict(Verdict.Refunded, order.Code, "all of the order went back"),
            Verdict.Approved or Verdict.Reversed when reply.Answer!.OrderStatus != "CANCELED" => new ChannelVerdict(Verdict.NotFound, order.Code, "the last thing done to the order is not this refund"),
            Verdict.NotFound => order,
            _ => new ChannelVerdict(Verdict.Unknown, order.Code, order.Text),
        };
    }

    /// <summary>Shouqianba's own number for a refund is shorter than ours, so it is made of ours: the same for each repeat (I7).</summary>
    internal static string RequestNumber(string refundNumber) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(refundNumber)))[..RefundNumberLength];

    /// <summary>Only when a notice would be believed, and the address is not longer than Shouqianba takes.</summary>
    private string? NoticesTo(ChannelAccount account) =>
        account.Setting(ShouqianbaAccount.NoticeKey) is not null && notices.Of(account) is { Length: <= 128 } address ? address : null;

    private Task<ShouqianbaReply> Ask(ChannelReference reference, EffectKind call, string path, CancellationToken cancellationToken) =>
        Call(reference.Account, call, path, cancellationToken, ("client_sn", reference.OrderNumber));

    private async Task<ShouqianbaReply> Call(
        ChannelAccount account, EffectKind call, string path, CancellationToken cancellationToken, params (string Name, string? Value)[] members)
    {
        if (await terminals.Of(account, cancellationToken) is not { } terminal)
        {
            const string says = $"the account has no {ShouqianbaAccount.TerminalSn} and {ShouqianbaAccount.TerminalKey}: activate it";
            return new ShouqianbaReply(alarms.UnusableAccount(account, call, says), null);
        }

        return await client.Post(account, call, path, terminal.Sn, terminal.Key, cancellationToken, [("terminal_sn", terminal.Sn), .. members]);
    }

    private ChannelVerdict Judge(VerdictTable table, ShouqianbaReply reply, ChannelReference reference, EffectKind call)
    {
        if (reply.Fault is { } fault)
        {
            return fault;
        }

        var answer = reply.Answer!;
        var verdict = alarms.Judge(reference.Account, call, table, ShouqianbaCodes.KeyIn(table, answer)) with { Code = ChannelAlarms.Shown(answer.Code) };

        // Which store's the new terminal is its activation does not say.
        if (answer.Error == "UPAY_ORDER_NOT_EXISTS" && call != EffectKind.QueryRefund)
        {
            return alarms.NotThere(reference, call, verdict, ShouqianbaAccount.Since(reference.Account));
        }

        // What proves something of an order says of which one; what has no order was refused before there was one.
        if (verdict.Verdict != Verdict.Unknown && answer.OrderStatus.Length > 0)
        {
            // An account that was activated again asks about its older terminal's orders too.
            var otherTerminal = call == EffectKind.Pay && answer.TerminalSn is { } sn && sn != reference.Account.Setting(ShouqianbaAccount.TerminalSn);
            if (answer.ClientSn != reference.OrderNumber || otherTerminal)
            {
                return alarms.WrongAnswer(reference.Account, call, "other-order");
            }

            if (answer.TotalFen != reference.AmountFen && (answer.TotalFen is not null || verdict.Verdict is Verdict.Approved or Verdict.Refunded))
            {
                return alarms.WrongAnswer(reference.Account, call, "other-amount");
            }
        }

        return verdict.Verdict == Verdict.Approved ? WithMoney(verdict, answer) : verdict;
    }

    internal static ChannelVerdict WithMoney(ChannelVerdict verdict, ShouqianbaAnswer answer)
    {
        var total = answer.TotalFen ?? 0;
        var discount = Math.Min(answer.DiscountFen, total);
        return verdict with { PaidFen = total - discount, DiscountFen = discount, Transaction = answer.Sn, Payer = answer.Payer };
    }

    private static string Fen(long fen) => fen.ToString(CultureInfo.InvariantCulture);

    private static string Short(string text, int length) =>
        text.Length <= length ? text : text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)];
}
