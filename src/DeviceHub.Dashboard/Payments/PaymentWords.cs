using System.Globalization;
using System.Text;
using DeviceHub.Core.Payments;
using DeviceHub.Dashboard.Shared;
using Microsoft.Extensions.Localization;

namespace DeviceHub.Dashboard.Payments;

/// <summary>Payments and their walks in the reader's language.</summary>
public sealed class PaymentWords(IStringLocalizer<PaymentWords> words, LedgerWords ledger, ChannelWords channels, Who who, Format format)
{
    public string Of(PaymentStatus status) => words[$"Status{status}"];

    /// <summary>Class of a chip or a mark: good, bad, warning, main, or nothing.</summary>
    public static string Tone(PaymentStatus status) => status switch
    {
        PaymentStatus.Approved => "good",
        PaymentStatus.Declined => "bad",
        PaymentStatus.InDoubt => "warning",
        PaymentStatus.Working or PaymentStatus.AwaitingCustomer or PaymentStatus.Cancelling => "main",
        _ => "",
    };

    public string Of(Wallet wallet) => wallet == Wallet.None ? "" : words[$"Wallet{wallet}"];

    public string Of(DeclineReason reason) => words[$"Decline{reason}"];

    /// <summary>What a channel is called; its own name when it is none of those that are known.</summary>
    public string Channel(string channel) => channel switch
    {
        "sandbox" => words["ChannelSandbox"],
        "alipay" => words["ChannelAlipay"],
        "wechat-v2" or "wechat-v3" => words["ChannelWeChat"],
        "shouqianba" => words["ChannelShouqianba"],
        "remote" => words["ChannelRemote"],
        _ => channel,
    };

    /// <summary>Who asked: the cashier, a person, a program, or the hub.</summary>
    public string By(string? by) => by switch
    {
        null => words["ByHub"],
        "terminal" => words["ByTerminal"],
        _ => who.Of(by),
    };

    public string Lane(TimelineLane lane, int index) => index switch
    {
        PaymentTimeline.Terminal => words["LaneTerminal"],
        PaymentTimeline.Hub => words["LaneHub"],
        _ => Channel(lane.Channel!),
    };

    public string Title(TimelineStep step, PaymentTimeline timeline)
    {
        var lane = Lane(timeline.Lanes[step.Lane], step.Lane);
        return step.Kind switch
        {
            TimelineStepKind.Cancelled => words["StepCancelled", By(step.By)],
            TimelineStepKind.Refunded => words["StepRefunded", lane, Format.Money(step.AmountFen)],
            TimelineStepKind.Outcome => words["StepOutcome", Of(PaymentStatuses.Of(PaymentStage.Final, step.Outcome!.Result, 1, 0))],
            TimelineStepKind.Shown when step.To is null => words["StepNotShown"],
            TimelineStepKind.Accepted or TimelineStepKind.Scanned => words[$"Step{step.Kind}", Format.Money(step.AmountFen)],
            TimelineStepKind.Queried or TimelineStepKind.Reversed when step.Times > 1 => words[$"StepTimes{step.Kind}", lane, step.Times],
            _ => words[$"Step{step.Kind}", lane],
        };
    }

    /// <summary>Why it was done; null: it needs no reason.</summary>
    public string? Why(TimelineStep step) => step switch
    {
        { Reason: TimelineReason.None } => null,
        { Reason: TimelineReason.AskedFor } => words["WhyAskedFor", By(step.By)].Value,
        { Reason: TimelineReason.DeclinedByChannel, Outcome.Reason: var reason } when reason != DeclineReason.None => Of(reason),
        _ => words[$"Why{step.Reason}"].Value,
    };

    /// <summary>What the channel said to it: what that proves, what its code means, and the code; null: it was not asked, or has not answered.</summary>
    public string? Said(TimelineStep step) => step.Said is { } said
        ? channels.Meaning(said) is { } meaning ? words["SaidMeaning", words[$"Verdict{said.Verdict}"], meaning, said.Code].Value : words["Said", words[$"Verdict{said.Verdict}"], said.Code].Value
        : step is { Kind: TimelineStepKind.Paid or TimelineStepKind.Reversed } ? step.To is null ? words["NotAnsweredYet"].Value : words["NeverAnswered"].Value : null;

    /// <summary>What the channel said in its own words; null: nothing.</summary>
    public string? Quoted(TimelineStep step, PaymentTimeline timeline) =>
        step.Said is { } said && channels.Quoted(said) is { } text ? words["Quoted", Lane(timeline.Lanes[step.Lane], step.Lane), text].Value : null;

    public static string Tone(TimelineStep step) => step switch
    {
        { Kind: TimelineStepKind.Outcome } => Tone(PaymentStatuses.Of(PaymentStage.Final, step.Outcome!.Result, 1, 0)),
        { Kind: TimelineStepKind.Attention } or { Said.Verdict: Verdict.RefundFailed or Verdict.Declined } => "bad",
        { Kind: TimelineStepKind.Interrupted or TimelineStepKind.Cancelled } or { Said.Verdict: Verdict.Unknown or Verdict.NotFound } => "warning",
        { Said.Verdict: Verdict.Approved or Verdict.Refunded or Verdict.Reversed } or { Kind: TimelineStepKind.Shown, To: not null } => "good",
        { To: null } or { Said.Verdict: Verdict.Pending } or { Kind: TimelineStepKind.Scanned or TimelineStepKind.Accepted } => "main",
        _ => "",
    };

    /// <summary>What the hub noted, or a person wrote; null: nothing.</summary>
    public string? Note(TimelineStep step) => step.Note is { } note && step.By is null ? ledger.Of(note) : step.Note;

    /// <summary>How long after the scan, and how long it took.</summary>
    public string When(TimelineStep step, PaymentTimeline timeline) => "+" + format.Took((step.From - timeline.ScannedAt).TotalMilliseconds);

    /// <summary>Null: it was a moment.</summary>
    public string? Took(TimelineStep step) => step.To is { } to ? to == step.From ? null : words["Took", format.Took((to - step.From).TotalMilliseconds)].Value : words["Runs"].Value;

    /// <summary>The whole walk as text, for a ticket.</summary>
    public string Text(PaymentId id, PaymentTimeline timeline)
    {
        var text = new StringBuilder().AppendLine(CultureInfo.InvariantCulture, $"{id}  {format.DateTime(timeline.ScannedAt)} {format.Zone.Id}");
        for (var i = 0; i < timeline.Steps.Count; i++)
        {
            var step = timeline.Steps[i];
            text.Append(CultureInfo.InvariantCulture, $"{i + 1,2}. {When(step, timeline),-12} {Title(step, timeline)}");
            foreach (var more in (string?[])[Took(step), Said(step), Quoted(step, timeline), Why(step), step.Number, Note(step)])
            {
                text.Append(string.IsNullOrEmpty(more) ? "" : "; " + more);
            }

            text.AppendLine();
        }

        return text.ToString();
    }
}
