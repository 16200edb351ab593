using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Routing;

namespace DeviceHub.SimulationTests;

/// <summary>One payment in its world: the ledger, the activations of its grain, and the sweeper that wakes them.</summary>
internal abstract class PaymentLife
{
    private readonly PaymentOrder order;
    private PaymentInput.Request? request;

    protected PaymentLife(World world, long amountFen)
    {
        World = world;
        Id = new PaymentId("SN1", "request-1");
        Ledger = new SimulatedLedger(world, Id);
        var wanted = new PaymentRequest(Id.RequestId, amountFen, "CNY", new PaymentCode(Code), null, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        order = new PaymentOrder(Id, wanted, Wallet.WeChat, "M1", "Noodle shop", "S1", world.Wall.AddSeconds(30));
    }

    protected const string Code = "134567890123456789";

    protected World World { get; }

    protected PaymentOptions Options { get; } = new();

    protected PaymentId Id { get; }

    protected SimulatedLedger Ledger { get; }

    protected PaymentInput.Request Request => request ??= new(order, "fingerprint", Choose([]));

    protected List<SimulatedActivation> Alive { get; } = [];

    /// <summary>Where the payment goes when these accounts were tried.</summary>
    protected virtual Route Choose(IReadOnlyList<string> tried) => tried.Count == 0
        ? new(new ChannelAccount { Id = "M1", MerchantId = "M1", Channel = "sandbox" }, "the only channel")
        : new(null, "there is no other channel");

    protected abstract SimulatedActivation Activate();

    /// <summary>Who answers when the payment is spoken to; null: the ledger has nothing to wake.</summary>
    protected SimulatedActivation? Someone() => Alive.Count == 0
        ? Ledger.Events.Count > 0 ? Activate() : null
        : Alive[World.Pick(Alive.Count)];

    /// <summary>The sweeper: wakes what is due; at its own pace, by the wall clock. The terminal says that it has shown the outcome.</summary>
    protected virtual void Sweep()
    {
        if (Ledger.State is { IsFinal: true, IsShown: false } state)
        {
            Someone()?.Feed(new PaymentInput.Shown(state.Outcome!.Revision));
        }

        if (Ledger.Due is { } due && due + Options.SweepGrace <= World.Wall)
        {
            (Alive.FirstOrDefault() ?? Activate()).Wake();
        }

        // It looks every second; with virtual time it is enough to look when something can be due.
        if (Ledger.Due is { } next)
        {
            var wait = next + Options.SweepGrace - World.Wall;
            World.After(wait < Options.SweepEvery ? Options.SweepEvery : wait < TimeSpan.FromSeconds(20) ? wait : TimeSpan.FromSeconds(20), Sweep);
        }
        else if (!World.Calm || World.Now - Ledger.Touched < TimeSpan.FromMinutes(15))
        {
            // A terminal is told again and again until it says that it has shown the outcome.
            World.After(TimeSpan.FromSeconds(30), Sweep);
        }
    }

    /// <summary>When nothing happens any more: both books say the same, and the terminal knows it.</summary>
    protected void CheckAtRest(long bankHoldsFen)
    {
        var state = Ledger.State;
        if (state is null)
        {
            Require(bankHoldsFen == 0, "charged, and the ledger knows nothing of it");
            return;
        }

        Require(state.IsFinal, $"at rest and not final: {state.Stage}");
        Require(state.Refunds.All(r => !r.IsOpen), "at rest and a refund is open");
        var expected = state.Outcome!.Result == PaymentResult.Approved ? state.Accepted.AmountFen - state.RefundedFen : 0;
        Require(bankHoldsFen == expected, $"the ledger says {state.Outcome.Result}, the bank holds {bankHoldsFen} fen");
        Require(state.IsShown, "the outcome never reached the terminal");
    }

    protected static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvariantBrokenException(what);
        }
    }
}
