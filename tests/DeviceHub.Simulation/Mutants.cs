using DeviceHub.Core.Payments;

namespace DeviceHub.Simulation;

/// <summary>A deliberate bug: the simulation must find it, or it would not find one that nobody put there.</summary>
internal sealed record Mutant(string Name, string Says, Seams Seams);

/// <summary>All of them. Each is put where the simulated hub has a seam, none in the hub's own code.</summary>
internal static class Mutants
{
    private static readonly Moment LongAgo = new(DateTimeOffset.MaxValue, TimeSpan.MaxValue);

    public static IReadOnlyList<Mutant> All { get; } =
    [
        new("timeout-is-declined", "A payment that was not answered in time is taken for declined.",
            new() { Hear = (kind, said) => kind == EffectKind.Pay && said.Verdict == Verdict.Unknown ? said with { Verdict = Verdict.Declined } : said }),
        new("timeout-goes-elsewhere", "A payment that was not answered in time is tried on the next account.",
            new() { Hear = (kind, said) => kind == EffectKind.Pay && said.Verdict == Verdict.Unknown ? said with { Verdict = Verdict.Rerouteable } : said }),
        new("unknown-query-is-closed", "A query that was not answered is taken for closed.",
            new() { Hear = (kind, said) => kind == EffectKind.Query && said.Verdict == Verdict.Unknown ? said with { Verdict = Verdict.Closed } : said }),
        new("password-is-approved", "A customer who is still typing a password is taken for one who has paid.",
            new() { Hear = (kind, said) => kind == EffectKind.Pay && said.Verdict == Verdict.Pending ? said with { Verdict = Verdict.Approved } : said }),
        new("not-found-believed", "The first 'not found' is believed.",
            Reads((_, reply, _) => reply.Verdict.Verdict == Verdict.NotFound ? reply with { Verdict = new(Verdict.Closed, "not found") } : reply)),
        new("not-found-without-wait", "'Not found' counts before the code has expired.",
            Reads((_, reply, _) => reply with { Asked = LongAgo })),
        new("wait-survives-restart", "The wait before 'not found' counts is measured by the wall clock over restarts.",
            Reads((state, reply, _) => reply with { Asked = reply.Asked with { Watched = reply.Asked.At - state.Attempts[reply.Attempt - 1].StartedAt } })),
        new("no-reversal-after-not-found", "'Not found' after the wait is believed without a reversal and another query.",
            Reads((state, reply, now) => reply.Verdict.Verdict == Verdict.NotFound && state.Attempts[reply.Attempt - 1].QuietNotFound ? reply with { Verdict = new(Verdict.Closed, "not found") } : reply)),
        new("reversal-believed", "A reversal's OK is believed without a query.",
            new() { Decide = Also(input => input is PaymentInput.ReversalReply { Verdict.Verdict: Verdict.Closed or Verdict.Reversed } r ? (r.Attempt, r.Verdict) : null) }),
        new("late-success-ignored", "A success that comes after the payment was settled otherwise is ignored.",
            new() { Decide = (id, state, input, now, options) => PaymentDecisions.Decide(id, state, state is { Outcome.Result: not PaymentResult.Approved } ? Deaf(input) : input, now, options) }),
        new("late-success-approved", "A success that comes after the payment was settled otherwise makes it approved.",
            Writes((_, e) => e is OutcomeReached { Revision: > 1 } x ? x with { Result = PaymentResult.Approved } : e)),
        new("notice-believed", "What a notice says is taken for what a query would say.",
            new() { Decide = Noticed }),
        new("paid-again-after-restart", "Whoever finds an attempt without an answer pays again.",
            new() { Decide = PayAgain }),
        new("bare-cancel", "A cancel makes the payment cancelled, without a query and a reversal.",
            new() { Decide = BareCancel }),
        new("order-number-reused", "The next attempt has the order number of the first.",
            Writes((state, e) => e is AttemptStarted { Attempt: > 1 } x ? x with { ChannelOrderNumber = state!.Attempts[0].OrderNumber } : e)),
        new("refund-number-random", "Each try of a refund has a number of its own.",
            new() { RefundNumber = (world, number) => $"{number}-{world.Pick(1_000_000)}" }),
        new("refund-above-rest", "A refund above what is left is begun.",
            new() { Decide = RefundAnyway }),
        new("refund-key-forgotten", "A repeat of a person's request begins another refund.",
            new() { Decide = (id, state, input, now, options) => PaymentDecisions.Decide(id, state, input is PaymentInput.Refund r ? new PaymentInput.Refund(r.Wanted with { Key = $"{r.Wanted.Key}@{now.At.Ticks}" }) : input, now, options) }),
        new("sent-before-stored", "The channel is called before the attempt is stored.", new() { ActsBeforeItStores = true }),
        new("acts-without-winning", "Who loses the race for a version acts all the same.", new() { ActsAfterConflict = true }),
        new("pays-after-deadline", "A payment is sent although its commit took longer than its deadline.", new() { PaysAfterDeadline = true }),
        new("wall-clock-read-anew", "Times are read from the wall clock, which may be turned.", new() { ReadsWallClockAnew = true }),
        new("accepted-before-stored", "The terminal is told 'accepted' before the request is stored.", new() { AnswersBeforeItStores = true }),
        new("outcome-before-stored", "The terminal is told an outcome before it is stored.", new() { TellsBeforeItStores = true }),
        new("contents-not-compared", "A request id that was used with other contents is answered with the first payment.", new() { TakesOtherContents = true }),
        new("version-not-checked", "The store takes an append of any version.", new() { IgnoresVersions = true }),
        new("due-not-stored", "The time of the next step is not stored, so the sweeper wakes nobody.", new() { ForgetsDue = true }),
        new("order-key-dropped", "An order may have two payments that are open or paid.", new() { IgnoresOrderNumbers = true }),
        new("duplicates-not-asked", "A second scan of the same amount is taken without a question.", new() { IgnoresDuplicates = true }),
        new("charge-cancel-believed", "The till's cancel closes its charge although a payment has consumed it.", new() { IgnoresChargeVersions = true }),
        new("closed-charge-answered", "A scan answers a charge that is closed, or was answered before.", new() { IgnoresClosedCharges = true }),
        new("outcome-told-once", "An outcome that was lost on its way to the terminal is not told again.", new() { TellsOnce = true }),
        new("doubt-told-as-declined", "A terminal is told 'declined' of a payment in doubt.", new() { CallsDoubtDeclined = true }),
    ];

    /// <summary>Query answers are read wrongly.</summary>
    private static Seams Reads(Func<PaymentState, PaymentInput.QueryReply, Moment, PaymentInput.QueryReply> change) => new()
    {
        Decide = (id, state, input, now, options) =>
            PaymentDecisions.Decide(id, state, state is not null && input is PaymentInput.QueryReply reply ? change(state, reply, now) : input, now, options),
    };

    /// <summary>Events are written wrongly.</summary>
    private static Seams Writes(Func<PaymentState?, PaymentEvent, PaymentEvent> change) => new()
    {
        Decide = (id, state, input, now, options) =>
        {
            var decision = PaymentDecisions.Decide(id, state, input, now, options);
            return Ended(id, state, [.. decision.Events.Select(e => change(state, e))], decision);
        },
    };

    /// <summary>Something else than a query's answer is taken for one as well.</summary>
    private static Decide Also(Func<PaymentInput, (int Attempt, ChannelVerdict Verdict)?> taken) => (id, state, input, now, options) =>
    {
        var decision = PaymentDecisions.Decide(id, state, input, now, options);
        return taken(input) is { } query ? Then(id, decision, query.Attempt, query.Verdict, now, options) : decision;
    };

    private static PaymentDecision Noticed(PaymentId id, PaymentState? state, PaymentInput input, Moment now, PaymentOptions options)
    {
        var decision = PaymentDecisions.Decide(id, state, input, now, options);
        return input is PaymentInput.Notice { RefundNumber: null } notice && decision is { Events.Count: > 0, State: { } after }
            ? Then(id, decision, after.AttemptOf(notice.OrderNumber)!.Number, notice.Verdict, now, options)
            : decision;
    }

    private static PaymentDecision Then(PaymentId id, PaymentDecision first, int attempt, ChannelVerdict said, Moment now, PaymentOptions options)
    {
        var second = PaymentDecisions.Decide(id, first.State, new PaymentInput.QueryReply(attempt, said, now, first.State!), now, options);
        return second with { Events = [.. first.Events, .. second.Events] };
    }

    private static PaymentInput Deaf(PaymentInput input) => input switch
    {
        PaymentInput.QueryReply { Verdict.Verdict: Verdict.Approved } r when r.Known.IsFinal => r with { Verdict = new(Verdict.NotFound, "deaf") },
        PaymentInput.Notice { Verdict.Verdict: Verdict.Approved } r => r with { Verdict = new(Verdict.Unknown, "deaf") },
        _ => input,
    };

    private static PaymentDecision PayAgain(PaymentId id, PaymentState? state, PaymentInput input, Moment now, PaymentOptions options) =>
        input is PaymentInput.Tick && !now.Busy && state is { Current.Fate: AttemptFate.InFlight }
            ? new(state, [], new PaymentEffect(EffectKind.Pay, state.Current.Number), state.Current.Deadline)
            : PaymentDecisions.Decide(id, state, input, now, options);

    private static PaymentDecision BareCancel(PaymentId id, PaymentState? state, PaymentInput input, Moment now, PaymentOptions options)
    {
        var decision = PaymentDecisions.Decide(id, state, input, now, options);
        return input is PaymentInput.Cancel && state is { IsFinal: false }
            ? Ended(id, state, [new OutcomeReached(now.At, 1, PaymentResult.NotCharged, DeclineReason.None, state.Current.Number)], decision with { Effect = null, Due = null })
            : decision;
    }

    private static PaymentDecision RefundAnyway(PaymentId id, PaymentState? state, PaymentInput input, Moment now, PaymentOptions options)
    {
        var decision = PaymentDecisions.Decide(id, state, input, now, options);
        return input is PaymentInput.Refund { Wanted: var wanted } && decision.Refusal is not null && state is { Outcome.Result: PaymentResult.Approved, Deciding: var paid } && PaymentDecisions.Repeated(state, wanted) is null
            ? Ended(id, state, [new RefundStarted(now.At, paid.Number, $"{paid.OrderNumber}r{state.Refunds.Length + 1}", wanted.AmountFen, wanted.Reason, wanted.By, wanted.Key)], decision with { Refusal = null })
            : decision;
    }

    private static PaymentDecision Ended(PaymentId id, PaymentState? before, PaymentEvent[] events, PaymentDecision decision) =>
        decision with { Events = events, State = events.Aggregate(before, (state, e) => PaymentState.Apply(id, state, e)) };
}
