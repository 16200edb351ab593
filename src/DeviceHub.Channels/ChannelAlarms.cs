using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Channels;

/// <summary>
/// What operators must hear of a channel's answers and notices: each is counted; the first of its kind of an account is logged, and again when
/// an hour has passed. Never with what was in it.
/// </summary>
public sealed partial class ChannelAlarms(ILogger<ChannelAlarms> logger, TimeProvider clock)
{
    /// <summary>Kinds that are remembered; past it nothing new is logged, only counted.</summary>
    private const int MaxRemembered = 10_000;

    private static readonly TimeSpan Again = TimeSpan.FromHours(1);
    private static readonly Meter Meter = new("DeviceHub.Channels");
    private static readonly Counter<long> BadSignatures = Meter.CreateCounter<long>("channels.bad_signatures");
    private static readonly Counter<long> UnknownCodes = Meter.CreateCounter<long>("channels.unknown_codes");
    private static readonly Counter<long> WrongAnswers = Meter.CreateCounter<long>("channels.wrong_answers");
    private static readonly Counter<long> RefusedNotices = Meter.CreateCounter<long>("channels.notices_refused");
    private static readonly Counter<long> Refusals = Meter.CreateCounter<long>("channels.account_refused");

    private readonly ConcurrentDictionary<(string Kind, string Account, string Detail), DateTimeOffset> told = new();

    /// <summary>An answer is not signed by the channel, so nothing in it is believed.</summary>
    /// <returns>The verdict of it.</returns>
    public ChannelVerdict BadSignature(ChannelAccount account, string why)
    {
        BadSignatures.Add(1, Tag(account));
        if (IsNew("signature", account.Id, why))
        {
            LogBadSignature(account.Channel, account.Id, why);
        }

        return new ChannelVerdict(Verdict.Unknown, "bad-signature", why);
    }

    /// <summary>A code that is in no table. It is not printed unless it looks like a code.</summary>
    /// <returns>The verdict of it.</returns>
    public ChannelVerdict UnknownCode(ChannelAccount account, EffectKind call, string code)
    {
        UnknownCodes.Add(1, Tag(account));
        var shown = Shown(code);
        if (IsNew("code", account.Id, shown))
        {
            LogUnknownCode(account.Channel, account.Id, call, shown);
        }

        return new ChannelVerdict(Verdict.Unknown, shown, "in no table");
    }

    /// <summary>An answer that is signed or plain but not what was asked for: garbage, of another order, of another amount.</summary>
    /// <param name="why">A word of ours, such as <c>garbage</c> or <c>other-order</c>.</param>
    /// <returns>The verdict of it.</returns>
    public ChannelVerdict WrongAnswer(ChannelAccount account, EffectKind call, string why)
    {
        WrongAnswers.Add(1, Tag(account), new KeyValuePair<string, object?>("why", why));
        if (IsNew("answer", account.Id, why))
        {
            LogWrongAnswer(account.Channel, account.Id, call, why);
        }

        return new ChannelVerdict(Verdict.Unknown, why);
    }

    /// <summary>What a code of the call's table proves. One that says that the account is set up wrongly is told; one that is in no table too.</summary>
    public ChannelVerdict Judge(ChannelAccount account, EffectKind call, VerdictTable table, string code)
    {
        if (table.Find(code) is not { } row)
        {
            return UnknownCode(account, call, code);
        }

        if (row.Verdict == Verdict.Rerouteable)
        {
            Refusals.Add(1, Tag(account));
            if (IsNew("refused", account.Id, code))
            {
                LogRefused(account.Channel, account.Id, call, code, row.Says);
            }
        }

        return new ChannelVerdict(row.Verdict, code, row.Says, row.Reason);
    }

    /// <summary>
    /// "There is no such order", of an order that is older than what says whose the account is: it may be another merchant's by now, who knows
    /// none of its orders, so that proves nothing.
    /// </summary>
    /// <param name="since">When the account got what it is asked with; null: it never had another.</param>
    /// <returns>The verdict of it.</returns>
    public ChannelVerdict NotThere(ChannelReference reference, EffectKind call, ChannelVerdict verdict, DateTimeOffset? since) =>
        OwnOrder.StartOf(reference.OrderNumber) < since ? WrongAnswer(reference.Account, call, "order-older-than-account") : verdict;

    /// <summary>An account that cannot be used as it stands: nothing was sent.</summary>
    /// <param name="why">In words; nothing secret.</param>
    public ChannelVerdict UnusableAccount(ChannelAccount account, EffectKind call, string why)
    {
        Refusals.Add(1, Tag(account));
        if (IsNew("account", account.Id, why))
        {
            LogUnusable(account.Channel, account.Id, call, why);
        }

        return new ChannelVerdict(call == EffectKind.Pay ? Verdict.Rerouteable : Verdict.Unknown, "account", why);
    }

    /// <summary>A notice that nothing is done about: not believed, or not about a payment of the hub.</summary>
    /// <param name="why">In words; nothing of the notice.</param>
    public void RefusedNotice(ChannelAccount account, string why)
    {
        RefusedNotices.Add(1, Tag(account), new KeyValuePair<string, object?>("why", why));
        if (IsNew("notice", account.Id, why))
        {
            LogRefusedNotice(account.Channel, account.Id, why);
        }
    }

    /// <summary>A channel's sentence as a timeline may keep it: bounded, without control characters; null for none.</summary>
    internal static string? Words(string? text) =>
        string.IsNullOrWhiteSpace(text) ? null : string.Concat(text.Where(c => !char.IsControl(c)).Take(128));

    internal static string Shown(string code) =>
        code.Length is > 0 and <= 64 && code.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.') ? code : "unreadable-code";

    private static KeyValuePair<string, object?> Tag(ChannelAccount account) => new("channel", account.Channel);

    private bool IsNew(string kind, string account, string detail)
    {
        var key = (kind, account, detail);
        var now = clock.GetUtcNow();
        if (told.TryGetValue(key, out var last))
        {
            return now - last >= Again && told.TryUpdate(key, now, last);
        }

        return told.Count < MaxRemembered && told.TryAdd(key, now);
    }

    [LoggerMessage(EventName = "BadSignature", Level = LogLevel.Warning, Message = "{Channel} account {Account}: an answer is not signed by the channel ({Why}); nothing in it is believed")]
    private partial void LogBadSignature(string channel, string account, string why);

    [LoggerMessage(EventName = "UnknownCode", Level = LogLevel.Warning, Message = "{Channel} account {Account}: {Call} was answered with {Code}, which is in no table; it is taken as Unknown")]
    private partial void LogUnknownCode(string channel, string account, EffectKind call, string code);

    [LoggerMessage(EventName = "WrongAnswer", Level = LogLevel.Warning, Message = "{Channel} account {Account}: the answer to {Call} proves nothing: {Why}")]
    private partial void LogWrongAnswer(string channel, string account, EffectKind call, string why);

    [LoggerMessage(EventName = "AccountRefused", Level = LogLevel.Warning, Message = "{Channel} account {Account}: {Call} was refused with {Code}: {Says}. The account or the hub's request must be mended")]
    private partial void LogRefused(string channel, string account, EffectKind call, string code, string says);

    [LoggerMessage(EventName = "AccountUnusable", Level = LogLevel.Warning, Message = "{Channel} account {Account}: {Call} was not sent: {Why}")]
    private partial void LogUnusable(string channel, string account, EffectKind call, string why);

    [LoggerMessage(EventName = "NoticeRefused", Level = LogLevel.Warning, Message = "{Channel} account {Account}: a notice was not acted upon: {Why}")]
    private partial void LogRefusedNotice(string channel, string account, string why);
}
