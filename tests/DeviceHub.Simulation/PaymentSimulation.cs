using DeviceHub.Core;
using DeviceHub.Core.Payments;
using static DeviceHub.Simulation.InvariantBrokenException;

namespace DeviceHub.Simulation;

/// <summary>What one seed came to.</summary>
/// <param name="Seen">In words that are counted.</param>
/// <param name="Fault">Null, or what was broken.</param>
/// <param name="Story">How it came to it; empty unless it was asked for.</param>
internal sealed record SeedEnd(int Seed, IReadOnlyList<string> Seen, string? Fault, string Story);

/// <summary>
/// One order at a shop under one seed, from its first scan until nothing is left to do: one payment, two terminals at one order, or a
/// cashier who scans again. Then the three books are compared: the ledger, the banks' and what the terminals were told.
/// </summary>
internal sealed class PaymentSimulation
{
    private const long AmountFen = 1000;
    private const int MaxScans = 4;

    private readonly World world;
    private readonly Seams seams;
    private readonly PaymentOptions options;
    private readonly SimulatedStore store;
    private readonly Link[] links;
    private readonly List<ShopPayment> payments = [];

    /// <summary>The order is a charge of the till's; one seed in five.</summary>
    private readonly bool isCharge;

    /// <summary>What people asked for.</summary>
    private readonly HashSet<(PaymentId Payment, string Key)> refundsAsked = [];

    private PaymentSimulation(World world, Seams seams, PaymentOptions options, bool isCharge)
    {
        (this.world, this.seams, this.options, this.isCharge) = (world, seams, options, isCharge);
        store = new SimulatedStore(world, seams);
        links = [new Link(world), new Link(world)];
    }

    public static SeedEnd Run(int seed, PaymentOptions options, Seams? seams = null, bool traced = false)
    {
        var world = new World(seed, traced);
        var simulation = new PaymentSimulation(world, seams ?? Seams.Right, options, isCharge: seed % 5 == 4);
        try
        {
            simulation.Play();
            simulation.Check();
            return new(seed, simulation.Seen(), null, world.Story);
        }
        catch (Exception e) when (e is InvariantBrokenException or InvalidOperationException or NullReferenceException or IndexOutOfRangeException)
        {
            return traced
                ? new(seed, [], e.Message, $"{world.Story}BROKEN: {(e is InvariantBrokenException ? e.Message : e.ToString())}\n")
                : Run(seed, options, seams, traced: true);
        }
    }

    private void Play()
    {
        world.After(TimeSpan.Zero, Begin);
        for (var i = world.Pick(4); i > 0; i--)
        {
            world.After(world.Between(0, World.Troubled.TotalSeconds), Disturb);
        }

        if (world.Chance(0.4))
        {
            AskForRefunds();
        }

        world.Run();
        for (var wakes = 0; store.Charge?.Wake() is true && wakes < MaxScans; wakes++)
        {
            world.Run();
        }
    }

    private void Begin()
    {
        if (isCharge)
        {
            Charge();
            return;
        }

        var kind = world.Pick(10);
        if (kind < 6)
        {
            Scan(0, null);
            return;
        }

        if (kind < 8)
        {
            // Two terminals at one order; who is not paid tries again.
            Scan(0, "order-1");
            world.After(world.Between(0, world.Chance(0.5) ? 0.1 : 90), () => Scan(1, "order-1"));
            return;
        }

        // The cashier scans again; "it is no repeat" needs a key that a person presses.
        var first = Scan(0, null);
        world.After(world.Between(0.1, 100), () => Scan(0, null, first.Id.RequestId, world.Chance(0.3)));
    }

    /// <summary>The till's charge, which is scanned in time or not, and sometimes twice.</summary>
    private void Charge()
    {
        store.Charge = new SimulatedCharge(world, seams, payments, new PaymentId("SN1", "request-1"), "order-1", AmountFen);
        store.Charge.Begin();
        for (var scans = 1 + world.Pick(3); scans > 0; scans--)
        {
            var at = world.Between(0.3, 65);
            world.After(at, () => Scan(0, "order-1", chargeId: SimulatedCharge.Id));
            if (world.Chance(0.3))
            {
                world.After(at + world.Between(-0.3, 0.3), store.Charge.Cancel);
            }
        }
    }

    private ShopPayment Scan(int terminal, string? order, string? repeatOf = null, bool confirmed = false, string? chargeId = null)
    {
        var id = new PaymentId($"SN{terminal + 1}", $"request-{payments.Count + 1}");
        var request = new PaymentRequest(id.RequestId, AmountFen, "CNY", new PaymentCode("134567890123456789"), order, TimeSpan.Zero, TimeSpan.FromSeconds(30), repeatOf, confirmed, chargeId);
        var payment = new ShopPayment(world, store, options, seams, id, links[terminal], request);
        payments.Add(payment);
        payment.Scan.Unpaid = refusal =>
        {
            var again = order is not null ? refusal is null or { Code: RefusalCode.OrderOpen } : refusal is { Code: RefusalCode.PossibleDuplicate };
            if (again && payments.Count < MaxScans && world.Chance(0.5))
            {
                world.After(world.Between(1, 40), () => Scan(terminal, order, refusal?.OtherRequestId, confirmed: true, chargeId));
            }
        };
        payment.Scan.Begin();
        if (world.Chance(0.25))
        {
            world.After(world.Between(0, 120), payment.Scan.Cancel);
        }

        if (world.Chance(0.1))
        {
            world.After(world.Between(0, 60), payment.Scan.SendOtherContents);
        }

        world.After(options.SweepEvery, payment.Sweep);
        return payment;
    }

    /// <summary>People and programs: parts and all of it, the same request again, two at once at two activations that together are too much.</summary>
    private void AskForRefunds()
    {
        for (var i = 1 + world.Pick(4); i > 0; i--)
        {
            var at = world.Between(1, World.Troubled.TotalSeconds);
            for (var together = 1 + world.Pick(2); together > 0; together--)
            {
                var wanted = new RefundRequest($"key-{world.Pick(5)}", world.Pick(3) switch { 0 => AmountFen, 1 => 600, _ => 1 + world.Pick(400) }, "asked for", "user:cashier");
                var second = world.Chance(0.3);
                world.After(at, () =>
                {
                    if (payments.Count > 0)
                    {
                        Refund(payments[world.Pick(payments.Count)], wanted, second);
                    }
                });
            }
        }
    }

    private void Refund(ShopPayment payment, RefundRequest wanted, bool second)
    {
        world.Log($"a person asks for {wanted.AmountFen} fen of {payment.Id} back, key {wanted.Key}");
        refundsAsked.Add((payment.Id, wanted.Key));
        if (second && payment.Ledger.Version > 0 && payment.Alive.Count < 3)
        {
            payment.Activate().Feed(new PaymentInput.Refund(wanted));
        }
        else
        {
            payment.Feed(new PaymentInput.Refund(wanted));
        }
    }

    private void Disturb()
    {
        switch (payments.Count == 0 ? 3 : world.Pick(4))
        {
            case 0:
                world.Log($"the process is killed");
                foreach (var one in payments.SelectMany(p => p.Alive).ToArray())
                {
                    one.Kill();
                }

                // A start wakes all that is not settled, whatever its due time says.
                world.After(world.Between(0.5, 30), () => payments.ForEach(p => p.Activate().Wake()));
                break;
            case 1:
                payments[world.Pick(payments.Count)].Activate().Wake();
                break;
            case 2 when payments.TrueForAll(p => p.Bank.Orders.All(o => o.Journey != Journey.ChargesAfterSettled)):
                // Not with a late charge: its late checks would be made before it.
                world.TurnWallClock(world.Between(0, 30 * 86_400));
                break;
            default:
                world.TurnWallClock(-world.Between(0, 3600));
                break;
        }
    }

    /// <summary>The three books, when nothing happens any more.</summary>
    private void Check()
    {
        foreach (var payment in payments)
        {
            payment.CheckAtRest(payment.HeldFen);
            var ledger = payment.Ledger;
            var paid = ledger.State?.Outcome is { Result: PaymentResult.Approved } ? ledger.State.Deciding.OrderNumber : null;
            Require(payment.Bank.Orders.All(o => o.NetFen == 0 || o.Number == paid), "another order than that of the outcome holds money");
            Require(ledger.Events.OfType<NoticeReceived>().CountBy(n => (n.Attempt, n.RefundNumber)).All(n => n.Value <= options.MaxNotices), "notices without end");
            payment.Scan.Check(payments);
            var asked = refundsAsked.Count(r => r.Payment == payment.Id);
            var begun = ledger.State?.Refunds.Count(r => !r.IsOwn) ?? 0;
            Require(begun <= asked, $"{payment.Id}: people asked for {asked} refunds, and {begun} were begun");
        }

        store.Charge?.Check();
        Require(
            payments.Count(p => p.Request.OrderNumber is not null && p.Ledger.State?.Outcome?.Result == PaymentResult.Approved) <= 1,
            "I13: one order was paid twice");
    }

    private List<string> Seen()
    {
        var seen = new List<string>();
        foreach (var payment in payments)
        {
            var journey = payment.Bank.Orders.Count == 0 ? Journey.NeverArrives : payment.Bank.Orders[^1].Journey;
            if (payment.Ledger.State is not { } state)
            {
                seen.Add("refused");
                continue;
            }

            seen.Add($"{journey} -> {state.Outcome!.Result}");
            Add(state.Attempts.Length > 1 && state.Outcome.Attempt > 1 && state.Outcome.Result == PaymentResult.Approved, "approved on another account");
            Add(state.Outcome.Result == PaymentResult.Approved && state.Refunds.Any(r => r.IsOwn), "approved, and another attempt's charge refunded");
            Add(state.Outcome.Result == PaymentResult.Approved && state.Outcome.Attempt < state.Attempts.Length, "approved by an older attempt");
            Add(state.Refunds.Count(r => !r.IsOwn && r.Standing == RefundStanding.Done) > 1, "refunded in parts by people");
            Add(state.RefundedFen == AmountFen, "refunded whole by people");
            Add(payment.Ledger.Events.Any(e => e is NoticeReceived), "noticed");
            Add(payment.RefundsRefused > 0, "refund refused");
            Add(state.Accepted.RepeatOf is not null, "scanned again, and a person said that it is no repeat");
        }

        if (store.Charge is { } charge)
        {
            seen.Add(charge.Seen);
        }

        Add(payments.Count(p => p is { Request.OrderNumber: not null, Ledger.State: not null }) > 1, "an order tried again after a payment of it had failed");
        return seen;

        void Add(bool holds, string what)
        {
            if (holds)
            {
                seen.Add(what);
            }
        }
    }
}
