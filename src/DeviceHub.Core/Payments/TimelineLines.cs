namespace DeviceHub.Core.Payments;

/// <summary>Makes steps of events, one after the other; an answer ends the step that it answers.</summary>
internal sealed class TimelineLines
{
    private readonly List<TimelineLane> lanes = [new(), new()];
    private readonly List<TimelineStep> steps = [];
    private readonly Dictionary<int, int> laneOfAttempt = [];
    private DateTimeOffset scannedAt;

    /// <param name="before">The payment as it stood; null: it begins.</param>
    public void Add(PaymentState? before, PaymentEvent happened)
    {
        switch (happened)
        {
            case PaymentAccepted e:
                scannedAt = e.At - TimeSpan.FromMilliseconds(e.ScanAgeMs);
                steps.Add(new(TimelineStepKind.Scanned, PaymentTimeline.Terminal, scannedAt, e.At) { AmountFen = e.AmountFen });
                steps.Add(At(TimelineStepKind.Accepted, PaymentTimeline.Hub, e) with { AmountFen = e.AmountFen });
                break;
            case AttemptStarted e:
                Begin(before!, e);
                break;
            case PayAnswered e when Open(TimelineStepKind.Paid, e.Attempt) is { } open:
                steps[open] = steps[open] with { To = e.At, Said = e.Verdict, Note = e.NoRoute };
                break;
            case PayAnswered e:
                steps.Add(At(TimelineStepKind.LateAnswer, Lane(e.Attempt), e) with { Attempt = e.Attempt, Said = e.Verdict });
                break;
            case Interrupted e:
                if (Open(TimelineStepKind.Paid, e.Attempt) is { } lost)
                {
                    steps[lost] = steps[lost] with { To = e.At };
                }

                steps.Add(At(TimelineStepKind.Interrupted, PaymentTimeline.Hub, e) with { Attempt = e.Attempt });
                break;
            case Queried e:
                Ask(before!, e);
                break;
            case ReversalStarted e:
                if (Open(TimelineStepKind.Reversed, e.Attempt) is { } unanswered)
                {
                    // Whoever sent it died before its answer was written.
                    steps[unanswered] = steps[unanswered] with { To = e.At };
                }

                steps.Add(new(TimelineStepKind.Reversed, Lane(e.Attempt), e.At, null, WhyReversed(before!, before!.Attempts[e.Attempt - 1])) { Attempt = e.Attempt });
                break;
            case ReversalAnswered e when Open(TimelineStepKind.Reversed, e.Attempt) is { } open:
                steps[open] = steps[open] with { To = e.At, Said = e.Verdict };
                break;
            case RefundStarted or RefundAnswered:
                AddRefund(before!, happened);
                break;
            case OutcomeReached or OutcomeShown:
                AddOutcome(before!, happened);
                break;
            case CancelRequested e:
                steps.Add(At(TimelineStepKind.Cancelled, e.By == "terminal" ? PaymentTimeline.Terminal : PaymentTimeline.Hub, e) with { By = e.By });
                break;
            case NoticeReceived e:
                steps.Add(At(TimelineStepKind.Noticed, Lane(e.Attempt), e) with { Attempt = e.Attempt, Number = e.RefundNumber, Said = e.Verdict });
                break;
            case AttentionNeeded e:
                steps.Add(At(TimelineStepKind.Attention, PaymentTimeline.Hub, e) with { Note = e.Why });
                break;
        }
    }

    public PaymentTimeline Done()
    {
        var told = new List<TimelineStep>();
        foreach (var step in steps.OrderBy(s => s.From))
        {
            told.Add(step);

            // Reversed and asked, again and again: hours of it are two steps.
            if (told is [.., var first, var second, var third, var fourth] && Repeats(first, third) && Repeats(second, fourth))
            {
                told.RemoveRange(told.Count - 4, 4);
                told.Add(first with { To = third.To, Times = first.Times + third.Times });
                told.Add(second with { To = fourth.To, Times = second.Times + fourth.Times });
            }
        }

        return new(scannedAt, lanes, told);
    }

    private static bool Repeats(TimelineStep one, TimelineStep other) =>
        one.Kind is TimelineStepKind.Reversed or TimelineStepKind.Queried && one.To is not null
        && (one.Kind, one.Attempt, one.Reason, one.Said) == (other.Kind, other.Attempt, other.Reason, other.Said);

    private void AddRefund(PaymentState before, PaymentEvent happened)
    {
        switch (happened)
        {
            case RefundStarted e:
                steps.Add(new(TimelineStepKind.Refunded, Lane(e.Attempt), e.At, null, WhyRefunded(before, e))
                {
                    Attempt = e.Attempt, Number = e.RefundNumber, AmountFen = e.AmountFen, By = e.By, Note = e.By is null ? null : e.Why, Times = 0,
                });
                break;
            case RefundAnswered e:
                var refund = steps.FindIndex(s => s.Kind == TimelineStepKind.Refunded && s.Number == e.RefundNumber);
                var ended = e.Verdict.Verdict is Verdict.Refunded or Verdict.RefundFailed;
                steps[refund] = steps[refund] with { To = ended ? e.At : null, Said = e.Verdict, Times = steps[refund].Times + 1 };
                break;
        }
    }

    private void AddOutcome(PaymentState before, PaymentEvent happened)
    {
        switch (happened)
        {
            case OutcomeReached e:
                // Of an older one the terminal will not tell any more.
                steps.RemoveAll(s => s is { Kind: TimelineStepKind.Shown, To: null });
                steps.Add(At(TimelineStepKind.Outcome, PaymentTimeline.Hub, e, WhyEnded(before, e)) with { Attempt = e.Attempt, Outcome = e });
                steps.Add(new(TimelineStepKind.Shown, PaymentTimeline.Terminal, e.At, null) { Outcome = e });
                break;
            case OutcomeShown e when steps.FindLastIndex(s => s.Kind == TimelineStepKind.Shown && s.Outcome!.Revision == e.Revision) is >= 0 and var shown:
                steps[shown] = steps[shown] with { To = e.At };
                break;
            case OutcomeShown e:
                // An older revision than the last, whose wait was taken off.
                steps.Add(At(TimelineStepKind.Shown, PaymentTimeline.Terminal, e));
                break;
        }
    }

    private void Begin(PaymentState before, AttemptStarted e)
    {
        var lane = lanes.FindIndex(l => l.Channel == e.Channel && l.Account == e.Account);
        if (lane < 0)
        {
            lane = lanes.Count;
            lanes.Add(new(e.Channel, e.Account));
        }

        laneOfAttempt[e.Attempt] = lane;
        var reason = before.Attempts.IsEmpty ? TimelineReason.First : TimelineReason.NotReached;
        steps.Add(At(TimelineStepKind.Routed, PaymentTimeline.Hub, e, reason) with { Attempt = e.Attempt, Note = e.Why });
        steps.Add(new(TimelineStepKind.Paid, lane, e.At, null) { Attempt = e.Attempt, Number = e.ChannelOrderNumber });
    }

    /// <summary>Queries that follow each other for the same reason, with the same answer, are one step: ten minutes of asking are one line.</summary>
    private void Ask(PaymentState before, Queried e)
    {
        var why = WhyAsked(before, before.Attempts[e.Attempt - 1]);
        if (steps[^1] is { Kind: TimelineStepKind.Queried } last && last.Attempt == e.Attempt && last.Reason == why && last.Said == e.Verdict)
        {
            steps[^1] = last with { To = e.At, Times = last.Times + 1 };
            return;
        }

        steps.Add(At(TimelineStepKind.Queried, Lane(e.Attempt), e, why) with { Attempt = e.Attempt, Said = e.Verdict });
    }

    private static TimelineReason WhyAsked(PaymentState state, AttemptState attempt) => attempt switch
    {
        { AskNow: true } => TimelineReason.Hinted,
        { Fate: AttemptFate.NotCharged } when state.IsFinal => TimelineReason.ToBeSure,
        { Fate: AttemptFate.Pending, Reversals: 0 } => TimelineReason.CustomerTypes,
        { Reversals: > 0 } => TimelineReason.AfterReversal,
        { Fate: AttemptFate.Charged } when state.IsFinal => TimelineReason.ToBeSure,
        _ => TimelineReason.InDoubt,
    };

    private static TimelineReason WhyReversed(PaymentState state, AttemptState attempt) => attempt switch
    {
        { QuietNotFound: true, ReversedWhenQuiet: false } => TimelineReason.NotFound,
        { Reversals: > 0 } => TimelineReason.Again,
        _ when state.CancelledBy is not null => TimelineReason.CancelWanted,
        _ when state.IsFinal => TimelineReason.NotNeeded,
        { PendingSince: not null, UnknownSince: null } => TimelineReason.TypedTooLong,
        _ => TimelineReason.DoubtTooLong,
    };

    private static TimelineReason WhyRefunded(PaymentState state, RefundStarted e) => e switch
    {
        { By: not null } => TimelineReason.AskedFor,
        _ when state.IsFinal => TimelineReason.ChargedLate,
        _ when state.Attempts[e.Attempt - 1].ReversalsAnswered > 0 => TimelineReason.ReversalsUseless,
        _ => TimelineReason.TooOldToReverse,
    };

    private static TimelineReason WhyEnded(PaymentState state, OutcomeReached e) => e.Result switch
    {
        PaymentResult.Approved => TimelineReason.Charged,
        PaymentResult.Refunded => TimelineReason.GivenBack,
        PaymentResult.Declined when e.Reason == DeclineReason.ChannelUnavailable => TimelineReason.NoAccountTookIt,
        PaymentResult.Declined => TimelineReason.DeclinedByChannel,
        _ when state.Attempts[e.Attempt - 1].SettledOnNotFound => TimelineReason.ProvenUnknown,
        _ => TimelineReason.ProvenNotCharged,
    };

    private static TimelineStep At(TimelineStepKind kind, int lane, PaymentEvent e, TimelineReason reason = TimelineReason.None) => new(kind, lane, e.At, e.At, reason);

    private int Lane(int attempt) => laneOfAttempt[attempt];

    private int? Open(TimelineStepKind kind, int attempt)
    {
        var index = steps.FindLastIndex(s => s.Kind == kind && s.Attempt == attempt && s.To is null);
        return index < 0 ? null : index;
    }
}
