using DeviceHub.Core;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Routing;

namespace DeviceHub.Simulation;

/// <summary>What an activation tells its world: that it is gone, that people were refused, how the payment stands now.</summary>
internal sealed record ActivationEvents(Action<SimulatedActivation> Gone, Action<Refusal> Refused, Action<PaymentView> Changed);

/// <summary>
/// What PaymentGrain does, step by step, so that a process can die between any two steps and two activations can race for one
/// payment: decide, append, act; one input at a time; conflicts reload and feed the input again.
/// </summary>
/// <param name="dies">Asked before and after each append and each call to the channel: whether the process ends here.</param>
internal sealed partial class SimulatedActivation(
    World world,
    SimulatedStore store,
    SimulatedLedger ledger,
    ISimulatedChannel bank,
    PaymentOptions options,
    Seams seams,
    Func<IReadOnlyList<string>, Route> choose,
    Func<bool> dies,
    ActivationEvents tells)
{
    private static readonly TimeSpan CollectionAge = TimeSpan.FromMinutes(2);

    private readonly PaymentId id = ledger.Id;
    private readonly Queue<Action> turns = new();
    private readonly TimeSpan born = world.Now;
    private PaymentState? state;
    private int version;
    private bool loaded;
    private bool taken;
    private bool busy;
    private int timer;
    private (PaymentStage, int?) told;
    private DateTimeOffset anchor = world.Wall;
    private TimeSpan anchorTicks = world.Now;

    public bool Alive { get; private set; } = true;

    public bool Idle => !busy && !taken && turns.Count == 0;

    public void Kill()
    {
        if (Alive)
        {
            Alive = false;
            world.Log($"{this} is gone");
            tells.Gone(this);
        }
    }

    public override string ToString() => $"grain of {id} (since {born:hh\\:mm\\:ss\\.fff}{(loaded ? $", v{version}" : "")}{(busy ? ", busy" : "")})";

    public void Wake() => Feed(new PaymentInput.Tick());

    public void Feed(PaymentInput input, bool effectEnded = false) => Take(() =>
    {
        Load();
        busy &= !effectEnded;
        if (state is null)
        {
            Release();
            return;
        }

        Process(input);
    });

    private Moment Now() => seams.ReadsWallClockAnew
        ? new(world.Wall, world.Now - anchorTicks, busy)
        : new(anchor + (world.Now - anchorTicks), world.Now - anchorTicks, busy);

    private void Take(Action turn)
    {
        if (Alive)
        {
            turns.Enqueue(turn);
            Pump();
        }
    }

    private void Pump()
    {
        if (!taken && Alive && turns.TryDequeue(out var next))
        {
            taken = true;
            next();
        }
    }

    private void Release()
    {
        taken = false;
        Pump();
    }

    /// <summary>Nothing is there, or nothing is left to do: the memory is given back.</summary>
    private void Rest()
    {
        if (Idle && state is null)
        {
            Kill();
        }
    }

    private void Load()
    {
        if (!loaded)
        {
            Reload();
        }
    }

    private void Process(PaymentInput input)
    {
        var decision = seams.Decide(id, state, input, Now(), options);
        world.Log($"{this}: {input.GetType().Name} -> {decision.Events.Count} events, {(decision.Effect is { } effect ? effect.Kind.ToString() : "no effect")}, due in {decision.Due - Now().At}");
        if (decision.Refusal is { } refusal)
        {
            tells.Refused(refusal);
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
            if (Idle && decision.Due is null && input is PaymentInput.Tick or PaymentInput.Shown or PaymentInput.Refund or PaymentInput.Notice)
            {
                Kill();
            }

            Pump();
            return;
        }

        if (seams.TellsBeforeItStores)
        {
            Tell(decision.State!);
        }

        if (seams.ActsBeforeItStores && decision.Effect is not null)
        {
            Begin(decision);
        }

        var next = version + 1;
        Step(() => Append(next, decision), wrote =>
        {
            switch (wrote)
            {
                case WriteResult.Written:
                    (state, version) = (decision.State, next);
                    if (!seams.ActsBeforeItStores || decision.Effect is null)
                    {
                        Begin(decision);
                    }

                    Tell(state!);
                    Release();
                    break;
                case WriteResult.Conflict:
                    if (seams.ActsAfterConflict && decision.Effect is { } effect)
                    {
                        Run(effect, decision.State!);
                    }

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
    private void Step(Func<WriteResult> append, Action<WriteResult> then, double stalls = 0.005) => world.After(world.Fault(0.005) ? world.Between(1, 120) : world.Between(0.001, 0.01), () =>
    {
        if (!Alive || Dies())
        {
            return;
        }

        var wrote = append();
        world.After(world.Fault(stalls) ? world.Between(1, 240) : world.Between(0, 0.005), () => IfAlive(() => then(wrote)));
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

    /// <summary>Whoever waits for a change is told of it.</summary>
    private void Tell(PaymentState now)
    {
        if ((now.Stage, now.Outcome?.Revision) != told)
        {
            told = (now.Stage, now.Outcome?.Revision);
            tells.Changed(now.View());
        }
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

    private void Reload()
    {
        (state, version) = (ledger.State, ledger.Version);
        loaded = state is not null;
        if (ledger.Events is [.., var last] && last.At > Now().At)
        {
            (anchor, anchorTicks) = (last.At, world.Now);
        }
    }
}
