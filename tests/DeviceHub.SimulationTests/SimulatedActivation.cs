using DeviceHub.Core;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Routing;

namespace DeviceHub.SimulationTests;

/// <summary>
/// What PaymentGrain does, step by step, so that a process can die between any two steps and two activations can race for one
/// payment: decide, append, act; one input at a time; conflicts reload and feed the input again.
/// </summary>
/// <param name="dies">Asked before and after each append and each call to the channel: whether the process ends here.</param>
internal sealed class SimulatedActivation(
    World world,
    PaymentId id,
    SimulatedLedger ledger,
    ISimulatedChannel bank,
    PaymentOptions options,
    Func<IReadOnlyList<string>, Route> choose,
    Func<bool> dies,
    Action<SimulatedActivation> died,
    Action<Refusal> refused)
{
    private static readonly TimeSpan CollectionAge = TimeSpan.FromMinutes(2);

    private readonly Queue<(PaymentInput Input, bool EffectEnded)> inputs = new();
    private readonly TimeSpan born = world.Now;
    private PaymentState? state;
    private int version;
    private bool loaded;
    private bool taken;
    private bool busy;
    private int timer;
    private DateTimeOffset anchor = world.Wall;
    private TimeSpan anchorTicks = world.Now;

    public bool Alive { get; private set; } = true;

    public bool Idle => !busy && !taken && inputs.Count == 0;

    public void Kill()
    {
        if (Alive)
        {
            Alive = false;
            world.Log($"activation of {born:c} DIES");
            died(this);
        }
    }

    public void Accept(PaymentInput.Request request)
    {
        var decision = PaymentDecisions.Decide(id, null, request, Now(), options);
        taken = true;
        Step(() => ledger.Version > 0 ? WriteResult.Conflict : ledger.Append(1, decision.Events, decision.Due), wrote =>
        {
            taken = false;
            switch (wrote)
            {
                case WriteResult.Written:
                    (state, version, loaded) = (decision.State, 1, true);
                    Begin(decision);
                    Pump();
                    break;
                case WriteResult.NotWritten:
                    break;
                default:
                    Wake();
                    break;
            }
        });
    }

    public void Wake() => Feed(new PaymentInput.Tick());

    public void Feed(PaymentInput input, bool effectEnded = false)
    {
        if (Alive)
        {
            inputs.Enqueue((input, effectEnded));
            Pump();
        }
    }

    private Moment Now() => new(anchor + (world.Now - anchorTicks), world.Now - anchorTicks, busy);

    private void Pump()
    {
        if (taken || !Alive || !inputs.TryDequeue(out var next))
        {
            return;
        }

        taken = true;
        if (!loaded)
        {
            Reload();
        }

        busy &= !next.EffectEnded;
        if (state is null)
        {
            taken = false;
            return;
        }

        Process(next.Input);
    }

    private void Process(PaymentInput input)
    {
        var decision = PaymentDecisions.Decide(id, state, input, Now(), options);
        world.Log($"activation of {born:c} v{version}{(busy ? " busy" : "")}: {input.GetType().Name} -> {decision.Events.Count} events, {decision.Effect?.Kind.ToString() ?? "no effect"}, due in {decision.Due - Now().At}");
        if (decision.Refusal is { } refusal)
        {
            refused(refusal);
        }

        if (decision.Events.Count == 0)
        {
            if (PaymentDecisions.MayBeBehind(input, decision) && version < ledger.Version)
            {
                Reload();
                Process(input);
                return;
            }

            Begin(decision);
            taken = false;
            if (input is PaymentInput.Tick or PaymentInput.Shown or PaymentInput.Refund or PaymentInput.Notice && Idle && decision.Due is null)
            {
                Kill();
            }

            Pump();
            return;
        }

        var next = version + 1;
        Step(() => Append(next, decision), wrote =>
        {
            switch (wrote)
            {
                case WriteResult.Written:
                    (state, version) = (decision.State, next);
                    Begin(decision);
                    taken = false;
                    Pump();
                    break;
                case WriteResult.Conflict:
                    Reload();
                    Process(input);
                    break;
                default:
                    world.After(TimeSpan.FromMilliseconds(100), () => IfAlive(() => Process(input)));
                    break;
            }
        });
    }

    /// <summary>An append takes time, now and then minutes; the process may die before it, or after it and before it knows.</summary>
    private void Step(Func<WriteResult> append, Action<WriteResult> then) => world.After(world.Fault(0.005) ? world.Between(1, 120) : world.Between(0.001, 0.01), () =>
    {
        if (!Alive || Dies())
        {
            return;
        }

        var wrote = append();
        world.After(world.Fault(0.005) ? world.Between(1, 120) : world.Between(0, 0.005), () => IfAlive(() => then(wrote)));
    });

    private void IfAlive(Action action)
    {
        if (Alive && !Dies())
        {
            action();
        }
    }

    private bool Dies()
    {
        if (!dies())
        {
            return false;
        }

        Kill();
        return true;
    }

    /// <summary>What the terminal is told is judged when it is written: a charge that nobody could stop may come before it is told.</summary>
    private WriteResult Append(int version, PaymentDecision decision)
    {
        var wrote = ledger.Append(version, decision.Events, decision.Due);
        if (wrote == WriteResult.Written)
        {
            Told(decision);
        }

        return wrote;
    }

    private void Told(PaymentDecision decision)
    {
        foreach (var outcome in decision.Events.OfType<OutcomeReached>())
        {
            if (outcome.Result == PaymentResult.Declined && bank.Charged)
            {
                throw new InvariantBrokenException("I6: the terminal is told declined and the payer was charged");
            }

            if (outcome is { Revision: 1, Result: PaymentResult.NotCharged } && bank.Charged)
            {
                throw new InvariantBrokenException("I5: the terminal is told not charged and the payer was charged");
            }
        }
    }

    private void Begin(PaymentDecision decision)
    {
        if (decision.Effect is { } effect)
        {
            busy = true;
            timer++;
            Run(effect);
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

    private void Run(PaymentEffect effect)
    {
        var known = state!;
        var attempt = known.Attempts[effect.Attempt - 1];
        var times = options.For(attempt.Channel);
        if (Dies())
        {
            return;
        }

        var asked = Now();
        if (effect.Kind == EffectKind.Pay && (asked.At >= attempt.Deadline || asked.At >= known.Accepted.ExpiresAt))
        {
            Feed(Reply(effect, new(Verdict.Declined, "expired", Reason: DeclineReason.Expired), asked, known), effectEnded: true);
            return;
        }

        var answered = false;
        var gaveUp = false;
        var amount = effect.RefundNumber is { } number ? known.Refund(number)!.AmountFen : known.Accepted.AmountFen;
        bank.Call(effect.Kind, attempt.OrderNumber, effect.RefundNumber, amount, verdict =>
        {
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
                IfAlive(() => Feed(Reply(effect, new(Verdict.Unknown, "timeout"), asked, known), effectEnded: true));
            }
        });
    }

    private void Reload()
    {
        (state, version) = (ledger.State, ledger.Version);
        loaded = state is not null;
        if (ledger.Events is [.., var last] && last.At > Now().At)
        {
            (anchor, anchorTicks) = (last.At, world.Now);
        }
    }

    private PaymentInput Reply(PaymentEffect effect, ChannelVerdict verdict, Moment asked, PaymentState known) => effect.Kind switch
    {
        EffectKind.Pay => new PaymentInput.PayReply(effect.Attempt, verdict, Onward(verdict)),
        EffectKind.Query => new PaymentInput.QueryReply(effect.Attempt, verdict, asked, known),
        EffectKind.Reverse => new PaymentInput.ReversalReply(effect.Attempt, verdict),
        _ => new PaymentInput.RefundReply(effect.RefundNumber!, verdict),
    };

    /// <summary>This activation had the code, since it called Pay.</summary>
    private Route? Onward(ChannelVerdict verdict) => verdict.Verdict == Verdict.Rerouteable ? choose([.. state!.Attempts.Select(a => a.Account)]) : null;
}
