using DeviceHub.Core.Payments;

namespace DeviceHub.SimulationTests;

/// <summary>One payment's whole life under one seed, from its request until nothing is left to do, and what must then hold.</summary>
internal sealed class PaymentSimulation
{
    private const long AmountFen = 1000;

    private readonly PaymentOptions options = new();
    private readonly PaymentId id;
    private readonly World world;
    private readonly SimulatedLedger ledger;
    private readonly SimulatedBank bank;
    private readonly List<SimulatedActivation> alive = [];
    private readonly PaymentInput.Request request;
    private bool settled;

    private PaymentSimulation(int seed, bool traced)
    {
        world = new World(seed, traced);
        id = new PaymentId("SN1", $"request-{seed}");
        ledger = new SimulatedLedger(world, id);
        bank = new SimulatedBank(world, options, ledger.HasBegun);
        var wanted = new PaymentRequest(id.RequestId, AmountFen, "CNY", new PaymentCode("134567890123456789"), null, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        var order = new PaymentOrder(id, wanted, Wallet.WeChat, "M1", "Noodle shop", "S1", world.Wall, world.Wall.AddSeconds(30));
        request = new(order, "fingerprint", "sandbox", "M1", "the only channel");
    }

    /// <summary>Null, or what was broken and how it came to it.</summary>
    public static (Journey Journey, PaymentResult Result, string? Fault) Run(int seed, bool traced = false)
    {
        var simulation = new PaymentSimulation(seed, traced);
        try
        {
            simulation.Play();
            simulation.CheckAtRest();
            return (simulation.bank.Journey, simulation.ledger.State?.Outcome?.Result ?? PaymentResult.None, null);
        }
        catch (Exception e) when (e is InvariantBrokenException or InvalidOperationException or NullReferenceException or IndexOutOfRangeException)
        {
            return (simulation.bank.Journey, PaymentResult.None, traced ? $"seed {seed}: {e.Message}\n{simulation.world.Trace}" : Run(seed, traced: true).Fault);
        }
    }

    private void Play()
    {
        world.After(TimeSpan.Zero, () => Activate().Accept(request));
        if (world.Chance(0.3))
        {
            // A repeat, at another activation, at about the same time: the ledger's insert decides who pays.
            world.After(world.Between(0, 0.02), () => Activate().Accept(request));
        }

        if (world.Chance(0.25))
        {
            world.After(world.Between(0, 120), () => Someone()?.Feed(new PaymentInput.Cancel("terminal")));
        }

        for (var i = world.Pick(4); i > 0; i--)
        {
            world.After(world.Between(0, World.Troubled.TotalSeconds), () => Disturb());
        }

        world.After(options.SweepEvery, Sweep);
        world.Run();
    }

    /// <summary>The sweeper: wakes what is due; at its own pace, by the wall clock.</summary>
    private void Sweep()
    {
        if (ledger.State is { IsFinal: true } state)
        {
            if (!settled)
            {
                settled = true;
                bank.Settled(AmountFen);
            }

            if (!state.IsShown)
            {
                Someone()?.Feed(new PaymentInput.Shown(state.Outcome!.Revision));
            }
        }

        if (ledger.Due is { } due && due + options.SweepGrace <= world.Wall)
        {
            (alive.FirstOrDefault() ?? Activate()).Wake();
            if (alive.Count < 3 && world.Fault(0.1))
            {
                // The directory is only eventually consistent: for a while there are two.
                Activate().Wake();
            }
        }

        // It looks every second; with virtual time it is enough to look when something can be due.
        if (ledger.Due is { } next)
        {
            var wait = next + options.SweepGrace - world.Wall;
            world.After(wait < options.SweepEvery ? options.SweepEvery : wait < TimeSpan.FromSeconds(20) ? wait : TimeSpan.FromSeconds(20), Sweep);
        }
        else if (!world.Calm || world.Now - ledger.Touched < TimeSpan.FromMinutes(15))
        {
            // A terminal is told again and again until it says that it has shown the outcome.
            world.After(TimeSpan.FromSeconds(30), Sweep);
        }
    }

    private void Disturb()
    {
        switch (world.Pick(3))
        {
            case 0:
                foreach (var one in alive.ToArray())
                {
                    one.Kill();
                }

                // A start wakes all that is not settled, whatever its due time says.
                world.After(world.Between(0.5, 30), () => Activate().Wake());
                break;
            case 1 when ledger.Events.Count > 0:
                Activate().Wake();
                break;
            default:
                // Back only: forward, a late check would be made before the late charge that it is for.
                world.TurnWallClock(-world.Between(0, 3600));
                break;
        }
    }

    private SimulatedActivation Activate()
    {
        var one = new SimulatedActivation(world, id, ledger, bank, options, gone => alive.Remove(gone));
        alive.Add(one);
        return one;
    }

    private SimulatedActivation? Someone() => alive.Count == 0
        ? ledger.Events.Count > 0 ? Activate() : null
        : alive[world.Pick(alive.Count)];

    private void CheckAtRest()
    {
        var state = ledger.State;
        if (state is null)
        {
            Require(bank.NetFen == 0, "charged, and the ledger knows nothing of it");
            return;
        }

        Require(state.IsFinal || state.NeedsAttention, $"at rest and neither final nor listed for people: {state.Stage}");
        var expected = state.Outcome?.Result == PaymentResult.Approved ? AmountFen : 0;
        Require(bank.NetFen == expected, $"the ledger says {state.Outcome?.Result}, the bank holds {bank.NetFen} fen");
        Require(state.IsShown || !state.IsFinal, "the outcome never reached the terminal");
    }

    private static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvariantBrokenException(what);
        }
    }
}
