using DeviceHub.Core;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Routing;
using DeviceHub.Storage;

namespace DeviceHub.Tools.Seed;

/// <summary>Plays a payment through the hub's own decisions, as its grain would have, and keeps what it would have written.</summary>
internal sealed class PaymentStory(PaymentOrder order, ChannelAccount[] accounts, Script script, PaymentOptions options)
{
    private const int MostSteps = 2_000;
    private static readonly TimeSpan QueryTakes = TimeSpan.FromMilliseconds(120);

    private readonly List<LedgerItem> items = new(3);
    private PaymentState state = null!;
    private PaymentDecision decision = null!;
    private int version = 1;
    private Running? running;
    private bool refundAsked;

    /// <summary>As the payment stands at the end of what was told.</summary>
    public PaymentState State => state;

    public List<LedgerItem> Tell(HubKeys keys, string why, DateTimeOffset from, DateTimeOffset until)
    {
        decision = PaymentDecisions.Decide(
            order.Id, null, new PaymentInput.Request(order, keys.Fingerprint(order.Request.Code), new Route(accounts[0], why)), new Moment(from, TimeSpan.Zero), options);
        // A charge is written when all is told: nobody waits for it here.
        items.Add(new AcceptItem(LedgerAccept.Of(order, decision, options) with { ChargeId = null }));
        state = decision.State!;
        Begin(new Moment(from, TimeSpan.Zero));
        var at = from;
        for (var steps = 0; steps < MostSteps && Next() is { } next && next.At <= until; steps++)
        {
            running = next.Answers ? null : running;
            refundAsked |= next.Input is PaymentInput.Refund;
            at = next.At > at ? next.At : at;
            var now = new Moment(at, at - from, Busy: running is not null);
            decision = PaymentDecisions.Decide(order.Id, state, next.Input, now, options);
            if (decision.Events.Count > 0)
            {
                items.Add(new AppendItem(LedgerAppend.Of(order.Id, version++, state, decision)));
                state = decision.State!;
            }

            Begin(now);
        }

        return items;
    }

    private void Begin(Moment now)
    {
        if (decision.Effect is { } effect)
        {
            running = new Running(effect, now.At + (effect.Kind == EffectKind.Pay ? script.PayTakes : QueryTakes), now, state);
        }
    }

    /// <summary>Whatever comes first: an answer of the channel, people, or the time that was asked for.</summary>
    private (DateTimeOffset At, PaymentInput Input, bool Answers)? Next()
    {
        (DateTimeOffset At, PaymentInput Input, bool Answers)? next = running is { } call ? (call.Until, Reply(call), true)
            : decision.Due is { } due ? (due, new PaymentInput.Tick(), false)
            : null;
        if (People() is { } people && (next is null || people.At < next.Value.At))
        {
            next = (people.At, people.Input, false);
        }

        return next;
    }

    private (DateTimeOffset At, PaymentInput Input)? People()
    {
        if (state.Outcome is { } outcome)
        {
            if (script.ShownAfter is { } shown && state.ShownRevision < outcome.Revision)
            {
                return (outcome.At + shown, new PaymentInput.Shown(outcome.Revision));
            }

            if (script.Refund is { } wish && !refundAsked && outcome.Result == PaymentResult.Approved)
            {
                return (outcome.At + wish.After, new PaymentInput.Refund(new RefundRequest("r1", wish.Fen, wish.Why, wish.By)));
            }
        }

        return script.CancelAfter is { } cancel && state is { IsFinal: false, CancelledBy: null }
            ? (state.Accepted.At + cancel, new PaymentInput.Cancel("terminal"))
            : null;
    }

    private PaymentInput Reply(Running call)
    {
        var verdict = script.Answer(call.Effect.Kind, state);
        return call.Effect.Kind switch
        {
            EffectKind.Pay => new PaymentInput.PayReply(call.Effect.Attempt, verdict, Onward(verdict)),
            EffectKind.Query => new PaymentInput.QueryReply(call.Effect.Attempt, verdict, call.Asked, call.Known),
            EffectKind.Reverse => new PaymentInput.ReversalReply(call.Effect.Attempt, verdict),
            _ => new PaymentInput.RefundReply(call.Effect.RefundNumber!, verdict),
        };
    }

    private Route? Onward(ChannelVerdict verdict) => verdict.Verdict != Verdict.Rerouteable ? null
        : accounts.Length > state.Attempts.Length ? new Route(accounts[state.Attempts.Length], "the next by priority")
        : new Route(null, "there is no other account");

    private sealed record Running(PaymentEffect Effect, DateTimeOffset Until, Moment Asked, PaymentState Known);
}
