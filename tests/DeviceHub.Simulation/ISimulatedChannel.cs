using DeviceHub.Channels.Sandbox;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.Options;

namespace DeviceHub.Simulation;

/// <summary>The bank behind a simulated activation.</summary>
internal interface ISimulatedChannel
{
    /// <summary>The payer has been charged and has not got it back, by a channel that had not sworn that it would never do so.</summary>
    bool Charged { get; }

    /// <summary>The answer comes through <paramref name="answer"/>, or never.</summary>
    void Call(EffectKind kind, string orderNumber, string? refundNumber, long amountFen, Action<ChannelVerdict> answer);
}

/// <summary>The real Sandbox on virtual time: it does what its README says of the amount, and its book says what that was.</summary>
internal sealed class SandboxInWorld : ISimulatedChannel, IDisposable
{
    private static readonly TimeSpan Way = TimeSpan.FromMilliseconds(10);
    private static readonly PaymentCode Code = new("134567890123456789");

    private readonly World world;
    private readonly SimulatedLedger ledger;
    private readonly SandboxBank bank;

    public SandboxInWorld(World world, SimulatedLedger ledger)
    {
        (this.world, this.ledger) = (world, ledger);
        bank = new SandboxBank(Options.Create(new SandboxOptions()), new WorldClock(world));
    }

    public bool Charged => bank.Charges().Any(c => c.NetFen > 0);

    public SandboxCharge? Charge => bank.Charges().SingleOrDefault();

    public int Pays { get; private set; }

    public void Call(EffectKind kind, string orderNumber, string? refundNumber, long amountFen, Action<ChannelVerdict> answer)
    {
        if (kind == EffectKind.Pay && (++Pays > 1 || !ledger.HasBegun(orderNumber)))
        {
            throw new InvariantBrokenException($"Pay number {Pays}; in the ledger: {ledger.HasBegun(orderNumber)} (I3)");
        }

        var said = kind switch
        {
            EffectKind.Pay => bank.Pay(orderNumber, amountFen, Code),
            EffectKind.Query => bank.Query(orderNumber),
            EffectKind.Reverse => bank.Reverse(orderNumber),
            EffectKind.Refund => bank.Refund(orderNumber, refundNumber!, amountFen),
            _ => bank.QueryRefund(orderNumber, refundNumber!),
        };
        world.Log($"bank: {kind} -> {said.Verdict.Verdict} after {said.After}");
        world.After(said.After + Way, () => answer(said.Verdict));
    }

    public void Dispose() => bank.Dispose();

    private sealed class WorldClock(World world) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => world.Wall;
    }
}
