using DeviceHub.Core.Payments;
using static DeviceHub.Simulation.InvariantBrokenException;

namespace DeviceHub.Simulation;

/// <summary>The banks, the way to them, and their calls to the hub; each attempt is an order with a journey of its own.</summary>
/// <param name="notice">Takes a notice; it is sent until then, and once more for good measure.</param>
internal sealed class SimulatedBank(World world, PaymentOptions options, SimulatedLedger ledger, Action<PaymentInput.Notice> notice) : ISimulatedChannel
{
    private static readonly int Journeys = Enum.GetValues<Journey>().Length;

    private readonly List<SimulatedOrder> orders = [];

    /// <summary>Now and then nothing gets through for up to 20 minutes, longer than an idle activation lives.</summary>
    private readonly TimeSpan outageFrom = world.Between(1, 120);
    private readonly TimeSpan outageFor = world.Chance(0.1) ? world.Between(60, 1200) : TimeSpan.Zero;
    private readonly bool calls = world.Chance(0.6);

    public IReadOnlyList<SimulatedOrder> Orders => orders;

    public bool Charged => orders.Exists(o => o.Charged && !o.IsSworn);

    /// <summary>The answer comes through <paramref name="answer"/>, or never.</summary>
    public void Call(EffectKind kind, string orderNumber, string? refundNumber, long amountFen, Action<ChannelVerdict> answer)
    {
        if (kind == EffectKind.Pay)
        {
            Pay(orderNumber, amountFen, answer);
            return;
        }

        var order = orders.Find(o => o.Number == orderNumber);
        world.After(world.Fault(0.03) ? world.Between(5, 600) : world.Between(0.01, 0.3), () =>
        {
            if (world.Fault(0.08) || (world.Now >= outageFrom && world.Now < outageFrom + outageFor))
            {
                world.Log($"bank: {kind} never arrived");
                return;
            }

            var verdict = kind switch
            {
                // A process died between its append and its call: the bank has never heard of it.
                _ when order is null => kind == EffectKind.Reverse ? Verdict.Closed : Verdict.NotFound,
                EffectKind.Query => order.Query(),
                EffectKind.Reverse => order.Reverse(),
                EffectKind.Refund => order.Refund(refundNumber!, amountFen),
                _ => order.QueryRefund(refundNumber!),
            };
            var lost = world.Fault(0.08);
            world.Log($"bank: {kind} of {orderNumber} -> {verdict}{(lost ? ", the answer is lost" : "")}; net {order?.NetFen}");
            if (!lost)
            {
                world.After(world.Fault(0.05) ? world.Between(5, 600) : world.Between(0.01, 0.3), () => answer(new(verdict, verdict.ToString())));
            }
        });
    }

    /// <summary>The payment has its outcome.</summary>
    public void Settled()
    {
        foreach (var order in orders)
        {
            order.Settled(options.LateChecks[^1]);
        }
    }

    private void Pay(string orderNumber, long amountFen, Action<ChannelVerdict> answer)
    {
        Require(!orders.Exists(o => o.Number == orderNumber), "Pay was called twice for one attempt");
        Require(orders.TrueForAll(o => o.IsSworn), "I4: Pay was called while another attempt may be charged");
        Require(ledger.HasBegun(orderNumber), "I3: Pay was called before its attempt was in the ledger");
        var journey = world.Chance(0.2) ? Journey.Rerouteable : (Journey)world.Pick(Journeys);
        world.Log($"bank: Pay of {orderNumber}; what will become of it: {journey}");
        var order = new SimulatedOrder(world, ledger, orderNumber, amountFen, journey, (refund, verdict) => Notify(journey, new(orderNumber, refund, new(verdict, verdict.ToString()))));
        orders.Add(order);
        order.Pay(options.For(ledger.State!.AttemptOf(orderNumber)!.Channel), answer);
    }

    /// <summary>Lost, late, again and in any order; only of what nobody could know otherwise it must come at last.</summary>
    private void Notify(Journey journey, PaymentInput.Notice said)
    {
        var must = journey == Journey.SwearsAndCharges && said.Verdict.Verdict == Verdict.Approved;
        for (var copies = calls ? world.Pick(4) : 0; copies > 0; copies--)
        {
            world.After(world.Between(0, world.Chance(0.5) ? 2 : 600), () => notice(said));
        }

        if (must)
        {
            world.After(World.Troubled - world.Now + world.Between(0, 60), () => notice(said));
        }
    }
}
