using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Routing;

namespace DeviceHub.Core.Payments;

/// <summary>
/// The pure decision core of a payment: no clock, no I/O, no Orleans. Inputs become events; then <see cref="Next"/> looks at the
/// state alone and says what is done about it. Nothing here may turn an Unknown into "not charged" without evidence (I4 to I8).
/// </summary>
public static partial class PaymentDecisions
{
    public static PaymentDecision Decide(PaymentId id, PaymentState? state, PaymentInput input, Moment now, PaymentOptions options)
    {
        var events = new List<PaymentEvent>(2);
        var refusal = state is not null && input is PaymentInput.Refund r ? Refuse(state, r.Wanted, options) : null;
        var route = state is not null && input is PaymentInput.PayReply reply ? Onward(state, reply, options) : null;
        var begun = 0;
        foreach (var e in Evidence(id, state, input, route, now, options))
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
            var idle = Next(state, 0, null, now, options);
            return new(state, events, null, idle.Acts ? now.At + options.For(state.Current.Channel).QueryDeadline + options.SweepGrace : idle.Due, refusal);
        }

        // What follows from the state: at most an outcome or another attempt, an attention mark and the start of one effect.
        for (var steps = 0; steps < 8; steps++)
        {
            var next = Next(state, begun, route, now, options);
            if (next.Event is { } more)
            {
                Add(more);
            }

            if (next.Event is null || next.Effect is not null)
            {
                return new(state, events, next.Effect, next.Due, refusal);
            }
        }

        throw new InvalidOperationException($"payment {id} did not settle on a next step");

        void Add(PaymentEvent e)
        {
            events.Add(e);
            state = PaymentState.Apply(id, state, e);
            begun = e is AttemptStarted started ? started.Attempt : begun;
        }
    }

    /// <summary>
    /// The input speaks of what this state does not have, or would be refused by it: before that is believed the ledger is read again, since
    /// another activation may have gone on. What is written is fenced by its version; what is not written is not.
    /// </summary>
    public static bool MayBeBehind(PaymentInput input, PaymentDecision decision) => decision.Refusal is not null || input switch
    {
        PaymentInput.Shown x => x.Revision > (decision.State?.Outcome?.Revision ?? 0),
        PaymentInput.Notice x => decision.State?.AttemptOf(x.OrderNumber) is null,
        _ => false,
    };

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

    private static IEnumerable<PaymentEvent> Evidence(
        PaymentId id, PaymentState? state, PaymentInput input, Route? route, Moment now, PaymentOptions options)
    {
        switch (input)
        {
            case PaymentInput.Request r when state is null:
                var order = r.Order;
                yield return new PaymentAccepted(
                    now.At, order.Request.AmountFen, order.Request.Currency, order.Wallet, order.Request.Code.LastFour, r.CodeFingerprint,
                    order.Request.OrderNumber, order.MerchantId, order.MerchantName, order.StoreId, order.ExpiresAt, order.Request.RepeatOf, order.Request.ChargeId,
                    (long)order.Request.Age.TotalMilliseconds);
                yield return Attempt(id, 1, r.Route.Account!, r.Route.Why, now, options);
                break;
            case PaymentInput.PayReply r when state is not null:
                // Told again, because it was not known whether it had been written.
                if (state.Attempts[r.Attempt - 1] is not { Fate: AttemptFate.NotCharged or AttemptFate.Charged } told || told.Answer != r.Verdict)
                {
                    yield return new PayAnswered(now.At, r.Attempt, r.Verdict, route is { Account: null } ? route.Why : null);
                }

                break;
            case PaymentInput.QueryReply r when state is not null:
                var asked = state.Attempts[r.Attempt - 1];
                var stale = r.Known.IsFinal != state.IsFinal || r.Known.Attempts[r.Attempt - 1].ReversalSteps != asked.ReversalSteps;
                yield return new Queried(now.At, r.Attempt, r.Verdict, IsQuiet(asked, r.Asked, options.For(asked.Channel)), stale);
                break;
            case PaymentInput.ReversalReply r when state is not null:
                yield return new ReversalAnswered(now.At, r.Attempt, r.Verdict);
                break;
            case PaymentInput.RefundReply r when state is not null:
                yield return new RefundAnswered(now.At, state.Refund(r.RefundNumber)!.Attempt, r.RefundNumber, r.Verdict);
                break;
            case PaymentInput.Notice r when state is not null && News(state, r, options) is { } news:
                yield return news with { At = now.At };
                break;
            case PaymentInput.Refund r when state is not null && Repeated(state, r.Wanted) is null && Refuse(state, r.Wanted, options) is null:
                yield return new RefundStarted(
                    now.At, state.Deciding.Number, state.NextRefundNumber(state.Deciding), r.Wanted.AmountFen, r.Wanted.Reason, r.Wanted.By, r.Wanted.Key);
                break;
            case PaymentInput.Cancel r when state is { IsFinal: false, CancelledBy: null }:
                yield return new CancelRequested(now.At, r.By);
                break;
            case PaymentInput.Shown r when state is { IsFinal: true } && r.Revision > state.ShownRevision && r.Revision <= state.Outcome!.Revision:
                yield return new OutcomeShown(now.At, r.Revision);
                break;
            case PaymentInput.Tick when !now.Busy && state is { Current.Fate: AttemptFate.InFlight }:
                yield return new Interrupted(now.At, state.Current.Number);
                break;
        }
    }

    private static AttemptStarted Attempt(PaymentId id, int number, ChannelAccount account, string why, Moment now, PaymentOptions options) => new(
        now.At, number, account.Channel, account.Id, ChannelOrderNumber(id, number, now.At), now.At + options.For(account.Channel).PayDeadline, why);

    /// <summary>The route belongs to the answer that was waited for, and to no repeat of it or later attempt.</summary>
    private static Route? Onward(PaymentState state, PaymentInput.PayReply reply, PaymentOptions options) =>
        reply.Attempt != state.Current.Number || state.Current.Fate != AttemptFate.InFlight || reply.Verdict.Verdict != Verdict.Rerouteable ? null
        : state.Attempts.Length < options.MaxAttempts ? reply.Next
        : new Route(null, $"{options.MaxAttempts} accounts were tried");

    /// <summary>What is not known yet of a verified notice; null: it is old, or about nothing of ours.</summary>
    private static NoticeReceived? News(PaymentState state, PaymentInput.Notice notice, PaymentOptions options)
    {
        if (state.AttemptOf(notice.OrderNumber) is not { } attempt)
        {
            return null;
        }

        if (notice.RefundNumber is { } number && state.Refund(number) is { } refund)
        {
            return refund.IsNews(notice.Verdict, options.MaxNotices) ? new(default, attempt.Number, number, notice.Verdict) : null;
        }

        return attempt.IsNews(notice.Verdict, options.MaxNotices) ? new(default, attempt.Number, null, notice.Verdict) : null;
    }

    /// <summary>What follows from the state: an event, the start of one effect, or when to look again.</summary>
    private static Step Next(PaymentState state, int begun, Route? route, Moment now, PaymentOptions options)
    {
        if (begun > 0)
        {
            // Only the append that began the attempt is followed by Pay; whoever else finds it open gives up on it by a Tick.
            return new(null, new PaymentEffect(EffectKind.Pay, begun), state.Attempts[begun - 1].Deadline + options.SweepGrace);
        }

        if (Attention(state, now, options) is { } why)
        {
            return new(new AttentionNeeded(now.At, why), null, null);
        }

        if (Settle(state, route, now, options) is { } settled)
        {
            return new(settled, null, null);
        }

        DateTimeOffset? due = null;
        foreach (var attempt in state.Attempts)
        {
            var step = OfAttempt(state, attempt, now, options);
            if (step.Acts)
            {
                return step;
            }

            due = Earlier(due, step.Due);
        }

        foreach (var refund in state.Refunds)
        {
            var step = OfRefund(state, refund, now, options);
            if (step.Acts)
            {
                return step;
            }

            due = Earlier(due, step.Due);
        }

        return new(null, null, due);
    }

    /// <summary>The payment's end, when all its attempts allow one, or its next attempt, when none can be charged any more (I4).</summary>
    private static PaymentEvent? Settle(PaymentState state, Route? route, Moment now, PaymentOptions options)
    {
        if (state.Outcome is { Result: PaymentResult.Approved or PaymentResult.Refunded })
        {
            return null;
        }

        AttemptState? charged = null;
        AttemptState? refunded = null;
        var settled = true;
        foreach (var attempt in state.Attempts)
        {
            var refund = state.OwnRefund(attempt.Number);
            if (refund is { Standing: RefundStanding.Done } || (refund is { Standing: RefundStanding.Failed } && !attempt.IsPossiblyCharged))
            {
                refunded = attempt;
            }
            else if (attempt.IsPossiblyCharged || refund is not null)
            {
                settled = false;
                charged ??= attempt is { Fate: AttemptFate.Charged, Reversals: 0 } && refund is null ? attempt : null;
            }
        }

        if (state.IsFinal)
        {
            return refunded is null ? null
                : new OutcomeReached(now.At, state.Outcome!.Revision + 1, PaymentResult.Refunded, DeclineReason.None, refunded.Number);
        }

        if (charged is not null && state.CancelledBy is null)
        {
            return new OutcomeReached(now.At, 1, PaymentResult.Approved, DeclineReason.None, charged.Number);
        }

        if (!settled)
        {
            return null;
        }

        return refunded is not null ? new OutcomeReached(now.At, 1, PaymentResult.Refunded, DeclineReason.None, refunded.Number)
            : route is { Account: { } account } && state.CancelledBy is null && now.At < state.Accepted.ExpiresAt
                ? Attempt(state.Id, state.Attempts.Length + 1, account, route.Why, now, options)
            : NotPaid(state, now);
    }

    private static OutcomeReached NotPaid(PaymentState state, Moment now)
    {
        var (last, answer) = (state.Current, state.Current.Answer);
        var declined = answer?.Verdict is Verdict.Declined or Verdict.Rerouteable && last.Reversals == 0;
        var reason = !declined ? DeclineReason.None
            : answer!.Verdict == Verdict.Rerouteable ? DeclineReason.ChannelUnavailable
            : answer.Reason == DeclineReason.None ? DeclineReason.Other : answer.Reason;
        return new(now.At, 1, declined ? PaymentResult.Declined : PaymentResult.NotCharged, reason, last.Number);
    }

    /// <summary>Why a person must look; null: nobody must, or was told already.</summary>
    private static string? Attention(PaymentState state, Moment now, PaymentOptions options)
    {
        if (state.NeedsAttention)
        {
            return null;
        }

        if (!state.IsFinal && now.At - state.Accepted.At >= options.AttentionAfter)
        {
            return $"not settled {options.AttentionAfter} after it was accepted";
        }

        if (state is { Outcome.Result: PaymentResult.Approved, Deciding.Fate: AttemptFate.NotCharged })
        {
            return "approved, and now the channel says that the payer has the money back";
        }

        foreach (var attempt in state.Attempts)
        {
            if (state.IsFinal && attempt.Fate is AttemptFate.Unknown or AttemptFate.Pending && now.At - (attempt.UnknownSince ?? attempt.StartedAt) >= options.AttentionAfter)
            {
                return $"attempt {attempt.Number} is not settled after {options.AttentionAfter}";
            }
        }

        foreach (var refund in state.Refunds)
        {
            if (refund.IsOpen && now.At - refund.StartedAt >= options.AttentionAfter)
            {
                return $"not refunded {options.AttentionAfter} after the refund was begun";
            }

            if (refund.Standing == RefundStanding.Failed && state.Attempts[refund.Attempt - 1].IsPossiblyCharged)
            {
                return refund.IsOwn ? "the channel refuses the refund of a late charge" : $"the channel refuses refund {refund.Number}";
            }
        }

        return null;
    }

    private static DateTimeOffset? Earlier(DateTimeOffset? a, DateTimeOffset? b) => a is null || b < a ? b ?? a : a;

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;

    private readonly record struct Step(PaymentEvent? Event, PaymentEffect? Effect, DateTimeOffset? Due)
    {
        public bool Acts => Event is not null || Effect is not null;
    }
}
