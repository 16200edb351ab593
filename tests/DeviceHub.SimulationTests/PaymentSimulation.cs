using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Routing;

namespace DeviceHub.SimulationTests;

/// <summary>One payment's whole life under one seed, from its request until nothing is left to do, and what must then hold.</summary>
internal sealed class PaymentSimulation : PaymentLife
{
    private const double Death = 0.01;
    private const long AmountFen = 1000;
    private static readonly string[] Channels = ["sandbox", "wechat-v3", "alipay", "shouqianba"];

    private readonly SimulatedBank bank;
    private bool settled;
    private int? accounts;
    private int refusals;

    private PaymentSimulation(int seed, bool traced)
        : base(new World(seed, traced), AmountFen) => bank = new SimulatedBank(World, Options, Ledger, said => Someone()?.Feed(said));

    /// <summary>Of the last attempt.</summary>
    private Journey Journey => bank.Orders.Count == 0 ? Journey.NeverArrives : bank.Orders[^1].Journey;

    /// <summary>Null, or what was broken and how it came to it.</summary>
    /// <returns>What the seed came to, in words that are counted, and the fault.</returns>
    public static (IReadOnlyList<string> Seen, string? Fault) Run(int seed, bool traced = false)
    {
        var simulation = new PaymentSimulation(seed, traced);
        try
        {
            simulation.Play();
            simulation.Check();
            return (simulation.Seen(), null);
        }
        catch (Exception e) when (e is InvariantBrokenException or InvalidOperationException or NullReferenceException or IndexOutOfRangeException)
        {
            return ([], traced ? $"seed {seed}: {e.Message}\n{simulation.World.Trace}" : Run(seed, traced: true).Fault);
        }
    }

    /// <summary>One to four accounts, at channels with times of their own.</summary>
    protected override Route Choose(IReadOnlyList<string> tried)
    {
        accounts ??= 1 + World.Pick(4);
        return tried.Count < accounts
            ? new(new ChannelAccount { Id = $"A{tried.Count + 1}", MerchantId = "M1", Channel = Channels[World.Pick(Channels.Length)] }, "the next one")
            : new(null, "all accounts were tried");
    }

    protected override SimulatedActivation Activate()
    {
        var one = new SimulatedActivation(World, Id, Ledger, bank, Options, Choose, () => World.Fault(Death), gone => Alive.Remove(gone), _ => refusals++);
        Alive.Add(one);
        return one;
    }

    private List<string> Seen()
    {
        var seen = new List<string> { $"{Journey} -> {Ledger.State?.Outcome?.Result ?? PaymentResult.None}" };
        if (Ledger.State is { } state)
        {
            Add(state.Attempts.Length > 1 && state.Outcome?.Attempt > 1 && state.Outcome.Result == PaymentResult.Approved, "approved on another account");
            Add(state.Outcome is { Result: PaymentResult.Approved } && state.Refunds.Any(r => r.IsOwn), "approved, and another attempt's charge refunded");
            Add(state.Outcome is { Result: PaymentResult.Approved } o && o.Attempt < state.Attempts.Length, "approved by an older attempt");
            Add(state.Refunds.Count(r => !r.IsOwn && r.Standing == RefundStanding.Done) > 1, "refunded in parts by people");
            Add(state.RefundedFen == AmountFen, "refunded whole by people");
            Add(Ledger.Events.Any(e => e is NoticeReceived), "noticed");
            Add(refusals > 0, "refund refused");
        }

        return seen;

        void Add(bool holds, string what)
        {
            if (holds)
            {
                seen.Add(what);
            }
        }
    }

    protected override void Sweep()
    {
        if (!settled && Ledger.State is { IsFinal: true })
        {
            settled = true;
            bank.Settled();
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

        if (World.Chance(0.4))
        {
            AskForRefunds();
        }

        for (var i = World.Pick(4); i > 0; i--)
        {
            World.After(World.Between(0, World.Troubled.TotalSeconds), Disturb);
        }

        World.After(Options.SweepEvery, Sweep);
        World.Run();
    }

    /// <summary>People and programs: parts and all of it, the same request again, two at once at two activations that together are too much.</summary>
    private void AskForRefunds()
    {
        for (var i = 1 + World.Pick(4); i > 0; i--)
        {
            var at = World.Between(1, World.Troubled.TotalSeconds);
            for (var together = 1 + World.Pick(2); together > 0; together--)
            {
                var wanted = new RefundRequest($"key-{World.Pick(5)}", World.Pick(3) switch { 0 => AmountFen, 1 => 600, _ => 1 + World.Pick(400) }, "asked for", "user:cashier");
                var second = World.Chance(0.3);
                World.After(at, () => (second && Ledger.Version > 0 && Alive.Count < 3 ? Activate() : Someone())?.Feed(new PaymentInput.Refund(wanted)));
            }
        }
    }

    private void Check()
    {
        CheckAtRest(bank.Orders.Sum(o => o.NetFen));
        var paid = Ledger.State?.Outcome is { Result: PaymentResult.Approved } ? Ledger.State.Deciding.OrderNumber : null;
        Require(bank.Orders.All(o => o.NetFen == 0 || o.Number == paid), "another order than that of the outcome holds money");
        Require(Ledger.Events.OfType<NoticeReceived>().CountBy(n => (n.Attempt, n.RefundNumber)).All(n => n.Value <= Options.MaxNotices), "notices without end");
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
            case 2 when bank.Orders.All(o => o.Journey != Journey.ChargesAfterSettled):
                // Not with a late charge: its late checks would be made before it.
                World.TurnWallClock(World.Between(0, 30 * 86_400));
                break;
            default:
                World.TurnWallClock(-World.Between(0, 3600));
                break;
        }
    }
}
