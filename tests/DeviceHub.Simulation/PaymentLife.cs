using DeviceHub.Core;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Routing;
using static DeviceHub.Simulation.InvariantBrokenException;

namespace DeviceHub.Simulation;

/// <summary>One payment in its world: its rows, the activations of its grain, and the sweeper that wakes them.</summary>
internal abstract class PaymentLife(World world, SimulatedStore store, PaymentOptions options, Seams seams, PaymentId id)
{
    /// <summary>Nothing happens to a payment any more that was not touched for so long: later than the last late check and its retries.</summary>
    private static readonly TimeSpan Rested = TimeSpan.FromMinutes(15);

    public PaymentId Id => id;

    public SimulatedLedger Ledger { get; } = store.Open(id);

    public List<SimulatedActivation> Alive { get; } = [];

    /// <summary>Nothing more can become of the payment by itself; that its terminal does not know of it is then a fault.</summary>
    public bool IsAtRest => world.Calm && world.Now - Ledger.Touched >= Rested && Ledger.State is null or { IsFinal: true };

    protected World World => world;

    protected SimulatedStore Store => store;

    protected PaymentOptions Options => options;

    protected Seams Seams => seams;

    /// <summary>Who answers when the payment is spoken to: one of those that are alive, or a new one.</summary>
    public SimulatedActivation Someone() => Alive.Count == 0 ? Activate() : Alive[world.Pick(Alive.Count)];

    /// <summary>To <see cref="Someone"/>, unless nobody knows the payment.</summary>
    public void Feed(PaymentInput input)
    {
        if (Alive.Count > 0 || Ledger.Version > 0)
        {
            Someone().Feed(input);
        }
    }

    public SimulatedActivation Activate()
    {
        var one = Begin();
        Alive.Add(one);
        return one;
    }

    /// <summary>The sweeper: wakes what is due; at its own pace, by the wall clock.</summary>
    public virtual void Sweep()
    {
        if (Ledger.Due is { } due && due + options.SweepGrace <= world.Wall)
        {
            (Alive.FirstOrDefault() ?? Activate()).Wake();
        }

        // It looks every second; with virtual time it is enough to look when something can be due.
        if (Ledger.Due is { } next)
        {
            var wait = next + options.SweepGrace - world.Wall;
            world.After(wait < options.SweepEvery ? options.SweepEvery : wait < TimeSpan.FromSeconds(20) ? wait : TimeSpan.FromSeconds(20), Sweep);
        }
        else if (!world.Calm || world.Now - Ledger.Touched < Rested)
        {
            world.After(TimeSpan.FromSeconds(30), Sweep);
        }
    }

    /// <summary>When nothing happens any more: both books say the same, and the terminal knows it.</summary>
    public void CheckAtRest(long bankHoldsFen)
    {
        var state = Ledger.State;
        if (state is null)
        {
            Require(bankHoldsFen == 0, $"{id}: charged, and the ledger knows nothing of it");
            return;
        }

        Require(state.IsFinal, $"{id}: at rest and not final: {state.Stage}");
        Require(state.Refunds.All(r => !r.IsOpen), $"{id}: at rest and a refund is open");
        var expected = state.Outcome!.Result == PaymentResult.Approved ? state.Accepted.AmountFen - state.RefundedFen : 0;
        Require(bankHoldsFen == expected, $"{id}: the ledger says {state.Outcome.Result} and {expected} fen, the bank holds {bankHoldsFen} fen");
        Require(state.IsShown, $"{id}: I6: the outcome never reached the terminal");
    }

    /// <summary>Where the payment goes when these accounts were tried.</summary>
    protected abstract Route Choose(IReadOnlyList<string> tried);

    protected abstract SimulatedActivation Begin();
}
