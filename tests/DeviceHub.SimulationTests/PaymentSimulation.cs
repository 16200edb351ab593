using DeviceHub.Core.Payments;

namespace DeviceHub.SimulationTests;

/// <summary>One payment's whole life under one seed, from its request until nothing is left to do, and what must then hold.</summary>
internal sealed class PaymentSimulation : PaymentLife
{
    private const double Death = 0.01;
    private const long AmountFen = 1000;

    private readonly SimulatedBank bank;
    private bool settled;

    private PaymentSimulation(int seed, bool traced)
        : base(new World(seed, traced), AmountFen) => bank = new SimulatedBank(World, Options, Ledger);

    /// <summary>Null, or what was broken and how it came to it.</summary>
    public static (Journey Journey, PaymentResult Result, string? Fault) Run(int seed, bool traced = false)
    {
        var simulation = new PaymentSimulation(seed, traced);
        try
        {
            simulation.Play();
            simulation.CheckAtRest(simulation.bank.NetFen);
            return (simulation.bank.Journey, simulation.Ledger.State?.Outcome?.Result ?? PaymentResult.None, null);
        }
        catch (Exception e) when (e is InvariantBrokenException or InvalidOperationException or NullReferenceException or IndexOutOfRangeException)
        {
            return (simulation.bank.Journey, PaymentResult.None, traced ? $"seed {seed}: {e.Message}\n{simulation.World.Trace}" : Run(seed, traced: true).Fault);
        }
    }

    protected override SimulatedActivation Activate()
    {
        var one = new SimulatedActivation(World, Id, Ledger, bank, Options, () => World.Fault(Death), gone => Alive.Remove(gone));
        Alive.Add(one);
        return one;
    }

    protected override void Sweep()
    {
        if (!settled && Ledger.State is { IsFinal: true })
        {
            settled = true;
            bank.Settled(AmountFen);
        }

        if (Alive.Count is > 0 and < 3 && Ledger.Due is { } due && due + Options.SweepGrace <= World.Wall && World.Fault(0.1))
        {
            // The directory is only eventually consistent: for a while there are two.
            Activate().Wake();
        }

        base.Sweep();
    }

    private void Play()
    {
        World.After(TimeSpan.Zero, () => Activate().Accept(Request));
        if (World.Chance(0.3))
        {
            // A repeat, at another activation, at about the same time: the ledger's insert decides who pays.
            World.After(World.Between(0, 0.02), () => Activate().Accept(Request));
        }

        if (World.Chance(0.25))
        {
            World.After(World.Between(0, 120), () => Someone()?.Feed(new PaymentInput.Cancel("terminal")));
        }

        for (var i = World.Pick(4); i > 0; i--)
        {
            World.After(World.Between(0, World.Troubled.TotalSeconds), Disturb);
        }

        World.After(Options.SweepEvery, Sweep);
        World.Run();
    }

    private void Disturb()
    {
        switch (World.Pick(4))
        {
            case 0:
                foreach (var one in Alive.ToArray())
                {
                    one.Kill();
                }

                // A start wakes all that is not settled, whatever its due time says.
                World.After(World.Between(0.5, 30), () => Activate().Wake());
                break;
            case 1 when Ledger.Events.Count > 0:
                Activate().Wake();
                break;
            case 2 when bank.Journey != Journey.ChargesAfterSettled:
                // Not with a late charge: its late checks would be made before it.
                World.TurnWallClock(World.Between(0, 30 * 86_400));
                break;
            default:
                World.TurnWallClock(-World.Between(0, 3600));
                break;
        }
    }
}
