using System.Text;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Routing;
using static DeviceHub.Simulation.InvariantBrokenException;

namespace DeviceHub.Simulation;

/// <summary>Where a walk's process dies and where the cashier cancels, counted in points; 0: nowhere.</summary>
internal sealed record WalkPlan(long AmountFen, int DiesAt = 0, int DiesAgainAt = 0, int CancelsAt = 0, double DownSeconds = 0.5);

/// <param name="Points">Before and after each append and each call to the channel: places where the process can die.</param>
internal sealed record WalkEnd(int Points, PaymentResult Result, string Story, string? Fault);

/// <summary>
/// One payment against the real Sandbox, in which nothing is left to chance: the process dies at the point that the plan names, and is
/// started again. A terminal whose request the ledger does not know sends it again until it has expired.
/// </summary>
internal sealed class CrashWalk : PaymentLife, IDisposable
{
    private const string Code = "134567890123456789";
    private static readonly TimeSpan TimeToLive = TimeSpan.FromSeconds(30);

    private readonly WalkPlan plan;
    private readonly SandboxInWorld bank;
    private readonly PaymentOrder order;
    private int points;

    private CrashWalk(World world, WalkPlan plan)
        : base(world, new SimulatedStore(world, Seams.Right), new PaymentOptions(), Seams.Right, new PaymentId("SN1", "request-1"))
    {
        this.plan = plan;
        bank = new SandboxInWorld(World, Ledger);
        var request = new PaymentRequest(Id.RequestId, plan.AmountFen, "CNY", new PaymentCode(Code), null, TimeSpan.Zero, TimeToLive);
        order = new PaymentOrder(Id, request, Wallet.WeChat, "M1", "Noodle shop", "S1", World.Wall + TimeToLive);
    }

    public static WalkEnd Run(WalkPlan plan, bool traced = false)
    {
        using var walk = new CrashWalk(new World(1, traced, calm: true), plan);
        try
        {
            walk.World.After(TimeSpan.Zero, () => walk.Accept(walk.Activate()));
            walk.World.After(walk.Options.SweepEvery, walk.Sweep);
            walk.World.Run();
            walk.Check();
            return new(walk.points, walk.Ledger.State?.Outcome?.Result ?? PaymentResult.None, walk.World.Story, null);
        }
        catch (Exception e) when (e is InvariantBrokenException or InvalidOperationException or NullReferenceException or IndexOutOfRangeException)
        {
            return traced ? new(walk.points, PaymentResult.None, walk.World.Story, $"{plan}: {e.Message}\n{walk.World.Story}") : Run(plan, traced: true);
        }
    }

    public void Dispose() => bank.Dispose();

    /// <summary>The terminal says that it has shown the outcome.</summary>
    public override void Sweep()
    {
        if (Ledger.State is { IsFinal: true, IsShown: false } state)
        {
            Feed(new PaymentInput.Shown(state.Outcome!.Revision));
        }

        base.Sweep();
    }

    protected override Route Choose(IReadOnlyList<string> tried) => tried.Count == 0
        ? new(new ChannelAccount { Id = "M1", MerchantId = "M1", Channel = "sandbox" }, "the only channel")
        : new(null, "there is no other channel");

    protected override SimulatedActivation Begin() =>
        new(World, Store, Ledger, bank, Options, Seams, Choose, Dies, new(gone => Alive.Remove(gone), _ => { }, _ => { }));

    private void Accept(SimulatedActivation grain) => grain.Accept(order, "fingerprint", _ => { });

    private bool Dies()
    {
        points++;
        if (points == plan.CancelsAt)
        {
            World.After(TimeSpan.Zero, () => Feed(new PaymentInput.Cancel("terminal")));
        }

        if (points != plan.DiesAt && points != plan.DiesAgainAt)
        {
            return false;
        }

        World.After(TimeSpan.FromSeconds(plan.DownSeconds), () =>
        {
            if (Ledger.Version > 0)
            {
                Activate().Wake();
            }
            else if (World.Wall < order.ExpiresAt)
            {
                Accept(Activate());
            }

            Sweep();
        });
        return true;
    }

    private void Check()
    {
        Require(Ledger.Version > 0 || World.Wall >= order.ExpiresAt, "the terminal's repeat was not accepted");
        CheckAtRest(bank.Charge?.NetFen ?? 0);
        Require(bank.Charge is not { Charges: > 1 } and not { Open: true }, $"the bank: {bank.Charge}");
        Require(!Encoding.UTF8.GetString(PaymentEventJson.Write(Ledger.Events)).Contains(Code, StringComparison.Ordinal), "I9: the code is in the ledger");
    }
}
