using System.Globalization;
using DeviceHub.Core.Payments;

namespace DeviceHub.Server.Api;

/// <summary>A payment's events in plain words, for support.</summary>
internal static class Timeline
{
    public static string Say(PaymentEvent happened) => happened switch
    {
        PaymentAccepted e => $"Accepted: {Yuan(e.AmountFen)} by {e.Wallet}, code ending {e.CodeLastFour}" + (e.OrderNumber is null ? "" : $", order {e.OrderNumber}") + (e.ChargeId is null ? "" : $", for the till's charge {e.ChargeId}"),
        AttemptStarted e => $"Attempt {e.Attempt} began at channel {e.Channel} with order number {e.ChannelOrderNumber}: {e.Why}",
        PayAnswered e => $"Attempt {e.Attempt}: the channel answered the payment: {Say(e.Verdict)}" + (e.NoRoute is null ? "" : $"; it goes nowhere else: {e.NoRoute}"),
        Interrupted e => $"Attempt {e.Attempt} was found without an answer: the hub had stopped while it ran. It is asked about, never paid again",
        Queried e => $"Attempt {e.Attempt}: asked, the channel says: {Say(e.Verdict)}",
        CancelRequested e => $"Cancel was asked for by {e.By}",
        ReversalStarted e => $"Attempt {e.Attempt}: a reversal was sent",
        ReversalAnswered e => $"Attempt {e.Attempt}: the channel answered the reversal: {Say(e.Verdict)}",
        RefundStarted e => $"Attempt {e.Attempt}: {Yuan(e.AmountFen)} go back with refund number {e.RefundNumber}" + (e.By is null ? "" : $", asked for by {e.By}") + $": {e.Why}",
        NoticeReceived e => (e.RefundNumber is null ? $"Attempt {e.Attempt}" : $"Refund {e.RefundNumber}") + $": the channel calls by itself: {Say(e.Verdict)}. It is asked",
        RefundAnswered e => $"Refund {e.RefundNumber}: the channel says: {Say(e.Verdict)}",
        OutcomeReached e => $"Outcome, revision {e.Revision}: {e.Result}" + (e.Reason == DeclineReason.None ? "" : $" ({e.Reason})"),
        OutcomeShown e => $"The terminal has shown revision {e.Revision}",
        AttentionNeeded e => $"A person must look: {e.Why}",
        _ => happened.GetType().Name,
    };

    private static string Say(ChannelVerdict verdict) => verdict.Text is null ? $"{verdict.Verdict} ({verdict.Code})" : $"{verdict.Verdict} ({verdict.Code}: {verdict.Text})";

    private static string Yuan(long fen) => "¥" + (fen / 100m).ToString("0.00", CultureInfo.InvariantCulture);
}
