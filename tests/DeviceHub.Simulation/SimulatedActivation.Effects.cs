using DeviceHub.Core.Payments;
using DeviceHub.Core.Routing;

namespace DeviceHub.Simulation;

/// <summary>Calls to the channel, and when to look again.</summary>
internal sealed partial class SimulatedActivation
{
    private void Begin(PaymentDecision decision)
    {
        if (decision.Effect is { } effect)
        {
            busy = true;
            timer++;
            Run(effect, decision.State!);
        }
        else if (!busy)
        {
            Arm(decision.Due);
        }
    }

    private void Arm(DateTimeOffset? due)
    {
        var mine = ++timer;

        // What is due within I5's wait keeps the grain; otherwise an idle one is collected, and the next one has watched nothing.
        if (!(due - Now().At <= options.For(state!.Current.Channel).NotFoundWait))
        {
            world.After(CollectionAge, () =>
            {
                if (mine == timer && Idle)
                {
                    Kill();
                }
            });
        }

        if (due is { } at)
        {
            world.After(at - Now().At, () =>
            {
                if (mine == timer)
                {
                    IfAlive(Wake);
                }
            });
        }
    }

    private void Run(PaymentEffect effect, PaymentState known)
    {
        var attempt = known.Attempts[effect.Attempt - 1];
        var times = options.For(attempt.Channel);
        if (Dies())
        {
            return;
        }

        var asked = Now();
        if (effect.Kind == EffectKind.Pay && !seams.PaysAfterDeadline && (asked.At >= attempt.Deadline || asked.At >= known.Accepted.ExpiresAt))
        {
            Feed(Reply(effect, new(Verdict.Declined, "expired", Reason: DeclineReason.Expired), asked, known), effectEnded: true);
            return;
        }

        var answered = false;
        var gaveUp = false;
        var amount = effect.RefundNumber is { } number ? known.Refund(number)!.AmountFen : known.Accepted.AmountFen;
        var refund = effect.RefundNumber is { } derived ? seams.RefundNumber(world, derived) : null;
        bank.Call(effect.Kind, attempt.OrderNumber, refund, amount, said =>
        {
            var verdict = seams.Hear(effect.Kind, said);
            if (gaveUp && effect.Kind == EffectKind.Pay && verdict.Verdict != Verdict.Unknown && Now().Watched - asked.Watched < times.NotFoundWait)
            {
                IfAlive(() => Feed(new PaymentInput.PayReply(effect.Attempt, verdict)));
            }
            else if (!gaveUp)
            {
                answered = true;
                IfAlive(() => Feed(Reply(effect, verdict, asked, known), effectEnded: true));
            }
        });
        world.After(effect.Kind == EffectKind.Pay ? times.PayDeadline : times.QueryDeadline, () =>
        {
            if (!answered)
            {
                gaveUp = true;
                IfAlive(() => Feed(Reply(effect, seams.Hear(effect.Kind, new(Verdict.Unknown, "timeout")), asked, known), effectEnded: true));
            }
        });
    }

    private PaymentInput Reply(PaymentEffect effect, ChannelVerdict verdict, Moment asked, PaymentState known) => effect.Kind switch
    {
        EffectKind.Pay => new PaymentInput.PayReply(effect.Attempt, verdict, Onward(verdict)),
        EffectKind.Query => new PaymentInput.QueryReply(effect.Attempt, verdict, asked, known),
        EffectKind.Reverse => new PaymentInput.ReversalReply(effect.Attempt, verdict),
        _ => new PaymentInput.RefundReply(effect.RefundNumber!, verdict),
    };

    /// <summary>This activation had the code, since it called Pay.</summary>
    private Route? Onward(ChannelVerdict verdict) => verdict.Verdict == Verdict.Rerouteable ? choose([.. (state ?? ledger.State!).Attempts.Select(a => a.Account)]) : null;
}
