using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace DeviceHub.Core.Payments;

/// <summary>
/// A moment as a payment sees it. <see cref="At"/> is wall time that was read once and then moved by the monotonic clock, never
/// behind the last event; <see cref="Watched"/> is how long this activation has watched the payment without a gap (I5);
/// <see cref="Busy"/>: an effect of this activation runs, so evidence is taken and nothing else is begun.
/// </summary>
public readonly record struct Moment(DateTimeOffset At, TimeSpan Watched, bool Busy = false);

/// <summary>What the shell tells the decision core.</summary>
public abstract record PaymentInput
{
    /// <param name="Why">Why this account, in plain words, for the timeline.</param>
    public sealed record Request(PaymentOrder Order, string CodeFingerprint, string Channel, string Account, string Why) : PaymentInput;

    /// <summary><c>Pay</c> answered, or was given up waiting for (Unknown).</summary>
    public sealed record PayReply(int Attempt, ChannelVerdict Verdict) : PaymentInput;

    /// <param name="Asked">When it was asked, not when its answer came or could be written: a "not found" counts by it (I5).</param>
    /// <param name="Known">The payment as the asker knew it: an answer that is older than a reversal says nothing of that reversal.</param>
    public sealed record QueryReply(int Attempt, ChannelVerdict Verdict, Moment Asked, PaymentState Known) : PaymentInput;

    public sealed record ReversalReply(int Attempt, ChannelVerdict Verdict) : PaymentInput;

    public sealed record RefundReply(int Attempt, ChannelVerdict Verdict) : PaymentInput;

    public sealed record Cancel(string By) : PaymentInput;

    public sealed record Shown(int Revision) : PaymentInput;

    /// <summary>Time passed, or somebody woke the payment.</summary>
    public sealed record Tick : PaymentInput;
}

public enum EffectKind { Pay, Query, Reverse, Refund, QueryRefund }

/// <summary>A call to a channel. At most one of a payment runs at a time in an activation.</summary>
public sealed record PaymentEffect(EffectKind Kind, int Attempt);

/// <param name="Effect">To run after the events are durable; null: none now.</param>
/// <param name="Due">When a Tick is wanted, also by a later activation; null: nothing is left to do by itself.</param>
public sealed record PaymentDecision(PaymentState? State, IReadOnlyList<PaymentEvent> Events, PaymentEffect? Effect, DateTimeOffset? Due);

/// <summary>
/// The pure decision core of a payment: no clock, no I/O, no Orleans. Inputs become events; then <see cref="Next"/> looks at the
/// state alone and says what is done about it. Nothing here may turn an Unknown into "not charged" without evidence (I4 to I8).
/// </summary>
public static class PaymentDecisions
{
    public static PaymentDecision Decide(PaymentId id, PaymentState? state, PaymentInput input, Moment now, PaymentOptions options)
    {
        var events = new List<PaymentEvent>(2);
        foreach (var e in Evidence(id, state, input, now, options))
        {
            Add(e);
        }

        if (state is null)
        {
            return new(null, [], null, null);
        }

        if (now.Busy)
        {
            // Where nothing is left to do, a due time that stands for the running effect would outlive a death and be woken for ever.
            var (wanted, begins, idle) = Next(state, false, now, options);
            return new(state, events, null, wanted is null && begins is null ? idle : now.At + options.QueryDeadline + options.SweepGrace);
        }

        // What follows from the state: at most an outcome, an attention mark and the start of one effect.
        for (var steps = 0; steps < 4; steps++)
        {
            var (more, effect, due) = Next(state, input is PaymentInput.Request, now, options);
            if (more is null)
            {
                return new(state, events, effect, due);
            }

            Add(more);
            if (effect is not null)
            {
                return new(state, events, effect, due);
            }
        }

        throw new InvalidOperationException($"payment {id} did not settle on a next step");

        void Add(PaymentEvent e)
        {
            events.Add(e);
            state = PaymentState.Apply(id, state, e);
        }
    }

    /// <summary>
    /// Ours at the channel, 30 characters, in the ledger before it is used. It begins with the time, so that the ledger's and the
    /// channel's keys are written beside each other and not all over their trees.
    /// </summary>
    public static string ChannelOrderNumber(PaymentId id, int attempt, DateTimeOffset startedAt)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{id}#{attempt}"), hash);
        return string.Create(CultureInfo.InvariantCulture, $"d{startedAt.ToUnixTimeMilliseconds():x11}{Convert.ToHexStringLower(hash[..9])[..17]}{attempt:x1}");
    }

    private static IEnumerable<PaymentEvent> Evidence(PaymentId id, PaymentState? state, PaymentInput input, Moment now, PaymentOptions options)
    {
        switch (input)
        {
            case PaymentInput.Request r when state is null:
                var order = r.Order;
                yield return new PaymentAccepted(
                    now.At, order.Request.AmountFen, order.Request.Currency, order.Wallet, order.Request.Code.LastFour, r.CodeFingerprint,
                    order.Request.OrderNumber, order.MerchantId, order.MerchantName, order.StoreId, order.ExpiresAt, order.Request.RepeatOf);
                yield return new AttemptStarted(
                    now.At, 1, r.Channel, r.Account, ChannelOrderNumber(id, 1, now.At), now.At + options.PayDeadline, r.Why);
                break;
            case PaymentInput.PayReply r when state is not null:
                yield return new PayAnswered(now.At, r.Attempt, r.Verdict);
                break;
            case PaymentInput.QueryReply r when state is not null:
                var asked = state.Attempts[r.Attempt - 1];
                var stale = r.Known.IsFinal != state.IsFinal || r.Known.Attempts[r.Attempt - 1].ReversalSteps != asked.ReversalSteps;
                yield return new Queried(now.At, r.Attempt, r.Verdict, IsQuiet(asked, r.Asked, options), stale);
                break;
            case PaymentInput.ReversalReply r when state is not null:
                yield return new ReversalAnswered(now.At, r.Attempt, r.Verdict);
                break;
            case PaymentInput.RefundReply r when state is not null:
                yield return new RefundAnswered(now.At, r.Attempt, state.Attempts[r.Attempt - 1].RefundNumber!, r.Verdict);
                break;
            case PaymentInput.Cancel r when state is { IsFinal: false, CancelledBy: null }:
                yield return new CancelRequested(now.At, r.By);
                break;
            case PaymentInput.Shown r when state is { IsFinal: true } && r.Revision > state.ShownRevision && r.Revision <= state.Outcome!.Revision:
                yield return new OutcomeShown(now.At, r.Revision);
                break;
            case PaymentInput.Tick when !now.Busy && state is { IsFinal: false, Current.Fate: AttemptFate.InFlight }:
                yield return new Interrupted(now.At, state.Current.Number);
                break;
        }
    }

    private static (PaymentEvent? Event, PaymentEffect? Effect, DateTimeOffset? Due) Next(PaymentState state, bool begun, Moment now, PaymentOptions options)
    {
        var attempt = state.Current;
        var refunding = attempt.Refund is RefundStanding.Asked or RefundStanding.Unknown or RefundStanding.Pending;
        if (!state.IsFinal && !state.NeedsAttention && now.At - state.Accepted.At >= options.AttentionAfter)
        {
            return (new AttentionNeeded(now.At, $"not settled {options.AttentionAfter} after it was accepted"), null, null);
        }

        if (refunding && !state.NeedsAttention && now.At - attempt.RefundStartedAt >= options.AttentionAfter)
        {
            return (new AttentionNeeded(now.At, $"not refunded {options.AttentionAfter} after the refund was begun"), null, null);
        }

        if (attempt.Refund is not RefundStanding.None)
        {
            return Refunding(state, attempt, now, options);
        }

        return attempt.Fate switch
        {
            // Only the append that began the attempt is followed by Pay; whoever else finds it open gives up on it by a Tick.
            AttemptFate.InFlight => (null, begun ? new PaymentEffect(EffectKind.Pay, attempt.Number) : null, attempt.Deadline + options.SweepGrace),
            AttemptFate.Charged => Charged(state, attempt, now, options),
            AttemptFate.NotCharged => NotCharged(state, attempt, now, options),
            AttemptFate.Pending => Pending(state, attempt, now, options),
            _ => Unsettled(state, attempt, now, options),
        };
    }

    private static (PaymentEvent?, PaymentEffect?, DateTimeOffset?) Charged(PaymentState state, AttemptState attempt, Moment now, PaymentOptions options)
    {
        if (state.Outcome is { Result: PaymentResult.Approved })
        {
            return (null, null, null);
        }

        if (state.IsFinal)
        {
            return StartRefund(state, attempt, now, "charged after the payment was settled as not charged");
        }

        if (state.CancelledBy is null && attempt.Reversals == 0)
        {
            return (new OutcomeReached(now.At, 1, PaymentResult.Approved, DeclineReason.None, attempt.Number), null, null);
        }

        return attempt.ReversalsAnswered >= options.MaxReversals && attempt.PaidSinceReversal
            ? StartRefund(state, attempt, now, "reversals were answered and did nothing")
            : Unsettled(state, attempt, now, options);
    }

    private static (PaymentEvent?, PaymentEffect?, DateTimeOffset?) NotCharged(PaymentState state, AttemptState attempt, Moment now, PaymentOptions options)
    {
        if (!state.IsFinal)
        {
            var answer = attempt.Answer;
            var declined = answer?.Verdict is Verdict.Declined or Verdict.Rerouteable && attempt.Reversals == 0;
            var reason = !declined ? DeclineReason.None
                : answer!.Verdict == Verdict.Rerouteable ? DeclineReason.ChannelUnavailable
                : answer.Reason == DeclineReason.None ? DeclineReason.Other : answer.Reason;
            return (new OutcomeReached(now.At, 1, declined ? PaymentResult.Declined : PaymentResult.NotCharged, reason, attempt.Number), null, null);
        }

        if (attempt.AskNow)
        {
            return Query(attempt, now, options);
        }

        if (!attempt.SettledOnNotFound || IsGivenUp(attempt, state.FinalAt!.Value, now, options))
        {
            return (null, null, null);
        }

        foreach (var wait in options.LateChecks)
        {
            if (attempt.LateCheckedAt is null || state.FinalAt.Value + wait > attempt.LateCheckedAt)
            {
                var due = Later(state.FinalAt.Value + wait, attempt.LastStepAt + options.QueryWait(attempt.Queries));
                return now.At >= due ? Query(attempt, now, options) : (null, null, due);
            }
        }

        return (null, null, null);
    }

    private static (PaymentEvent?, PaymentEffect?, DateTimeOffset?) Pending(PaymentState state, AttemptState attempt, Moment now, PaymentOptions options)
    {
        if (attempt.Reversals > 0 || state.CancelledBy is not null || now.At - attempt.PendingSince!.Value >= options.PendingLimit)
        {
            return Unsettled(state, attempt, now, options);
        }

        var due = attempt.LastStepAt + options.PendingWait;
        return attempt.AskNow || now.At >= due ? Query(attempt, now, options) : (null, null, due);
    }

    /// <summary>Possibly charged, or charged and to be undone: query, reverse when it is time, confirm by query.</summary>
    private static (PaymentEvent?, PaymentEffect?, DateTimeOffset?) Unsettled(PaymentState state, AttemptState attempt, Moment now, PaymentOptions options)
    {
        if (IsGivenUp(attempt, attempt.StartedAt, now, options))
        {
            return state.NeedsAttention
                ? (null, null, null)
                : (new AttentionNeeded(now.At, $"not settled after {options.GiveUpAfter}: nothing is asked any more"), null, null);
        }

        // A reversal whose answer was lost may have been done: what it did is found out first.
        var wait = options.QueryWait(attempt.Queries + Math.Max(0, attempt.Reversals - 1));
        if (attempt.HeardNotFound && !attempt.QuietNotFound && wait > options.NotFoundWait)
        {
            // After a longer wait the activation would have been collected, and the next one has not watched for I5's wait either.
            wait = options.NotFoundWait;
        }

        var due = attempt.LastStepAt + wait;
        if (attempt.AskNow || (attempt.Queries == 0 && now.At >= due))
        {
            return Query(attempt, now, options);
        }

        if (WantsReversal(state, attempt, now, options))
        {
            // The first one, and the one that I5 asks for, follow their query without a gap in which the payer could pay.
            var follows = attempt.Reversals == 0 || (attempt.QuietNotFound && !attempt.ReversedWhenQuiet);
            due = Later(follows ? attempt.LastStepAt : due, attempt.StartedAt + options.ReverseNotBefore);
            return now.At >= due
                ? (new ReversalStarted(now.At, attempt.Number), new PaymentEffect(EffectKind.Reverse, attempt.Number), now.At + options.QueryDeadline + options.SweepGrace)
                : (null, null, due);
        }

        return now.At >= due ? Query(attempt, now, options) : (null, null, due);
    }

    private static bool WantsReversal(PaymentState state, AttemptState attempt, Moment now, PaymentOptions options)
    {
        if (attempt.Queries == 0)
        {
            return false;
        }

        // "Not found" counts only after the wait, and then a reversal and one more query follow it. A reversal before that could
        // close nothing, so while the channel knows no such order the hub keeps asking.
        if (attempt.NotFounds > 0 && attempt.Fate == AttemptFate.Unknown && attempt.Reversals > 0)
        {
            return attempt.QuietNotFound;
        }

        return state.CancelledBy is not null
            || attempt.Reversals > 0
            || now.At - (attempt.UnknownSince ?? attempt.PendingSince ?? attempt.StartedAt) >= options.UnknownLimit
            || (attempt.PendingSince is { } pending && now.At - pending >= options.PendingLimit);
    }

    /// <summary>I5's wait, by the monotonic clock of the activation that asked, and counted from the attempt and not from an older activation.</summary>
    private static bool IsQuiet(AttemptState attempt, Moment asked, PaymentOptions options) =>
        asked.Watched >= options.NotFoundWait && asked.At >= attempt.Deadline + options.CodeLifetime + options.NotFoundMargin;

    /// <summary>By its age, and only after all the waits were waited several times: a wall clock that leaps ahead gives nothing up.</summary>
    private static bool IsGivenUp(AttemptState attempt, DateTimeOffset since, Moment now, PaymentOptions options) =>
        now.At - since >= options.GiveUpAfter && attempt.QueriesInAll >= 4 * options.QueryWaits.Length;

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;

    private static (PaymentEvent?, PaymentEffect?, DateTimeOffset?) Query(AttemptState attempt, Moment now, PaymentOptions options) =>
        (null, new PaymentEffect(EffectKind.Query, attempt.Number), now.At + options.QueryDeadline + options.SweepGrace);

    private static (PaymentEvent?, PaymentEffect?, DateTimeOffset?) StartRefund(PaymentState state, AttemptState attempt, Moment now, string why) =>
        (new RefundStarted(now.At, attempt.Number, attempt.OrderNumber + "r1", state.Accepted.AmountFen, why), null, null);

    private static (PaymentEvent?, PaymentEffect?, DateTimeOffset?) Refunding(PaymentState state, AttemptState attempt, Moment now, PaymentOptions options)
    {
        switch (attempt.Refund)
        {
            case RefundStanding.Done or RefundStanding.Failed when attempt.Refund == RefundStanding.Done || attempt.Fate == AttemptFate.NotCharged:
                return state.Outcome is { Result: PaymentResult.Refunded }
                    ? (null, null, null)
                    : (new OutcomeReached(now.At, (state.Outcome?.Revision ?? 0) + 1, PaymentResult.Refunded, DeclineReason.None, attempt.Number), null, null);
            case RefundStanding.Failed when !state.NeedsAttention:
                return (new AttentionNeeded(now.At, "the channel refuses the refund of a late charge"), null, null);
            case RefundStanding.Failed when attempt.Queries >= options.QueryWaits.Length:
                return (null, null, null);
            case RefundStanding.Failed:
                // It may be refused because the money went back already, by a reversal that was done late.
                var ask = attempt.LastStepAt + options.QueryWait(attempt.Queries);
                return now.At >= ask ? Query(attempt, now, options) : (null, null, ask);
        }

        if (now.At - attempt.RefundStartedAt >= options.GiveUpAfter && attempt.RefundAnswers >= 4 * options.QueryWaits.Length)
        {
            return state.NeedsAttention
                ? (null, null, null)
                : (new AttentionNeeded(now.At, $"not refunded after {options.GiveUpAfter}: nothing is asked any more"), null, null);
        }

        var due = attempt.LastStepAt + options.QueryWait(attempt.RefundAnswers);
        if (now.At < due)
        {
            return (null, null, due);
        }

        // The refund number never changes, so asking for it again is the same refund.
        var kind = attempt.Refund == RefundStanding.Asked ? EffectKind.Refund : EffectKind.QueryRefund;
        return (null, new PaymentEffect(kind, attempt.Number), now.At + options.QueryDeadline + options.SweepGrace);
    }
}
