namespace DeviceHub.Core.Payments;

/// <summary>What is done about one attempt. Each goes its own way until its money is proven, whatever became of the payment.</summary>
public static partial class PaymentDecisions
{
    private static Step OfAttempt(PaymentState state, AttemptState attempt, Moment now, PaymentOptions options)
    {
        var times = options.For(attempt.Channel);
        return attempt.Fate switch
        {
            AttemptFate.InFlight => new(null, null, attempt.Deadline + options.SweepGrace),
            AttemptFate.Charged => Charged(state, attempt, now, options, times),
            AttemptFate.NotCharged => NotCharged(state, attempt, now, options, times),
            AttemptFate.Pending => Pending(state, attempt, now, options, times),
            _ => Unsettled(state, attempt, now, options, times),
        };
    }

    private static Step Charged(PaymentState state, AttemptState attempt, Moment now, PaymentOptions options, ChannelTimes times)
    {
        if (state.OwnRefund(attempt.Number) is { } refund)
        {
            // It may be refused because the money went back already, by a reversal that was done late.
            if (refund.Standing != RefundStanding.Failed || attempt.Queries >= times.QueryWaits.Count)
            {
                return default;
            }

            var ask = attempt.LastStepAt + times.QueryWait(attempt.Queries);
            return now.At >= ask ? Query(attempt, now, options, times) : new(null, null, ask);
        }

        if (IsPaidBy(state, attempt))
        {
            return attempt.AskNow ? Query(attempt, now, options, times) : default;
        }

        // Money goes back by a refund only when no reversal can still be doing the same.
        var untouched = attempt.Reversals == 0 || attempt.PaidSinceReversal;
        if (untouched && state.IsFinal)
        {
            return StartRefund(state, attempt, now, "charged after the payment was settled otherwise");
        }

        if (untouched && now.At - attempt.StartedAt >= times.GiveUpAfter)
        {
            return StartRefund(state, attempt, now, $"the channel reverses nothing that is older than {times.GiveUpAfter}");
        }

        return attempt.PaidSinceReversal && attempt.ReversalsAnswered >= options.MaxReversals
            ? StartRefund(state, attempt, now, "reversals were answered and did nothing")
            : Unsettled(state, attempt, now, options, times);
    }

    private static Step NotCharged(PaymentState state, AttemptState attempt, Moment now, PaymentOptions options, ChannelTimes times)
    {
        if (attempt.AskNow)
        {
            return Query(attempt, now, options, times);
        }

        if (!state.IsFinal || attempt.NotFoundAt is not { } notFoundAt)
        {
            return default;
        }

        var from = Later(state.FinalAt!.Value, notFoundAt);
        if (IsGivenUp(attempt, from, now, times))
        {
            return default;
        }

        foreach (var wait in options.LateChecks)
        {
            if (attempt.LateCheckedAt is null || from + wait > attempt.LateCheckedAt)
            {
                var due = Later(from + wait, attempt.LastStepAt + times.QueryWait(attempt.Queries));
                return now.At >= due ? Query(attempt, now, options, times) : new(null, null, due);
            }
        }

        return default;
    }

    private static Step Pending(PaymentState state, AttemptState attempt, Moment now, PaymentOptions options, ChannelTimes times)
    {
        if (attempt.Reversals > 0 || IsUnwanted(state) || now.At - attempt.PendingSince!.Value >= times.PendingLimit)
        {
            return Unsettled(state, attempt, now, options, times);
        }

        var due = attempt.LastStepAt + times.PendingWait;
        return attempt.AskNow || now.At >= due ? Query(attempt, now, options, times) : new(null, null, due);
    }

    /// <summary>Possibly charged, or charged and to be undone: query, reverse when it is time, confirm by query.</summary>
    private static Step Unsettled(PaymentState state, AttemptState attempt, Moment now, PaymentOptions options, ChannelTimes times)
    {
        if (attempt.AskNow)
        {
            return Query(attempt, now, options, times);
        }

        if (IsGivenUp(attempt, attempt.StartedAt, now, times))
        {
            return state.NeedsAttention
                ? default
                : new(new AttentionNeeded(now.At, $"not settled after {times.GiveUpAfter}: nothing is asked any more"), null, null);
        }

        // A reversal whose answer was lost may have been done: what it did is found out first.
        var wait = times.QueryWait(attempt.Queries + Math.Max(0, attempt.Reversals - 1));
        if (attempt.HeardNotFound && !attempt.QuietNotFound && wait > times.NotFoundWait)
        {
            // After a longer wait the activation would have been collected, and the next one has not watched for I5's wait either.
            wait = times.NotFoundWait;
        }

        var due = attempt.LastStepAt + wait;
        if (attempt.Queries == 0 && now.At >= due)
        {
            return Query(attempt, now, options, times);
        }

        if (WantsReversal(state, attempt, now, times))
        {
            // The first one, and the one that I5 asks for, follow their query without a gap in which the payer could pay.
            var follows = attempt.Reversals == 0 || (attempt.QuietNotFound && !attempt.ReversedWhenQuiet);
            due = Later(follows ? attempt.LastStepAt : due, attempt.StartedAt + times.ReverseNotBefore);
            return now.At >= due
                ? new(new ReversalStarted(now.At, attempt.Number), new PaymentEffect(EffectKind.Reverse, attempt.Number), Answered(now, options, times))
                : new(null, null, due);
        }

        return now.At >= due ? Query(attempt, now, options, times) : new(null, null, due);
    }

    private static bool WantsReversal(PaymentState state, AttemptState attempt, Moment now, ChannelTimes times)
    {
        // What a terminal was told is paid goes back only when people say so, however doubtful a notice has made it.
        if (attempt.Queries == 0 || IsPaidBy(state, attempt))
        {
            return false;
        }

        // "Not found" counts only after the wait, and then a reversal and one more query follow it. A reversal before that could
        // close nothing, so while the channel knows no such order the hub keeps asking.
        if (attempt.NotFounds > 0 && attempt.Fate == AttemptFate.Unknown && attempt.Reversals > 0)
        {
            return attempt.QuietNotFound;
        }

        return IsUnwanted(state)
            || attempt.Reversals > 0
            || now.At - (attempt.UnknownSince ?? attempt.PendingSince ?? attempt.StartedAt) >= times.UnknownLimit
            || (attempt.PendingSince is { } pending && now.At - pending >= times.PendingLimit);
    }

    /// <summary>Nobody waits for this money any more: the payment was cancelled, or settled by another attempt.</summary>
    private static bool IsUnwanted(PaymentState state) => state.CancelledBy is not null || state.IsFinal;

    private static bool IsPaidBy(PaymentState state, AttemptState attempt) =>
        state.Outcome is { Result: PaymentResult.Approved, Attempt: var paid } && paid == attempt.Number;

    /// <summary>I5's wait, by the monotonic clock of the activation that asked, and counted from the attempt and not from an older activation.</summary>
    private static bool IsQuiet(AttemptState attempt, Moment asked, ChannelTimes times) =>
        asked.Watched >= times.NotFoundWait && asked.At >= attempt.Deadline + times.CodeLifetime + times.NotFoundMargin;

    /// <summary>By its age, and only after all the waits were waited several times: a wall clock that leaps ahead gives nothing up.</summary>
    private static bool IsGivenUp(AttemptState attempt, DateTimeOffset since, Moment now, ChannelTimes times) =>
        now.At - since >= times.GiveUpAfter && attempt.QueriesInAll >= 4 * times.QueryWaits.Count;

    private static Step Query(AttemptState attempt, Moment now, PaymentOptions options, ChannelTimes times) =>
        new(null, new PaymentEffect(EffectKind.Query, attempt.Number), Answered(now, options, times));

    /// <summary>When somebody must look although nobody has said what came of the call.</summary>
    private static DateTimeOffset Answered(Moment now, PaymentOptions options, ChannelTimes times) => now.At + times.QueryDeadline + options.SweepGrace;
}
