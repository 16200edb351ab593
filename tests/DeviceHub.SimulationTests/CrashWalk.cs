using System.Text;
using DeviceHub.Core.Payments;

namespace DeviceHub.SimulationTests;

/// <summary>Where a walk's process dies and where the cashier cancels, counted in points; 0: nowhere.</summary>
internal sealed record WalkPlan(long AmountFen, int DiesAt = 0, int DiesAgainAt = 0, int CancelsAt = 0, double DownSeconds = 0.5);

/// <param name="Points">Before and after each append and each call to the channel: places where the process can die.</param>
internal sealed record WalkEnd(int Points, PaymentResult Result, string Trace, string? Fault);

/// <summary>
/// One payment against the real Sandbox, in which nothing is left to chance: the process dies at the point that the plan names, and is
/// started again. A terminal whose request the ledger does not know sends it again until it has expired.
/// </summary>
internal sealed class CrashWalk : PaymentLife, IDisposable
{
    private readonly WalkPlan plan;
    private readonly SandboxInWorld bank;
    private int points;

    private CrashWalk(WalkPlan plan, bool traced)
        : base(new World(1, traced, calm: true), plan.AmountFen)
    {
        this.plan = plan;
        bank = new SandboxInWorld(World, Ledger);
    }

    public static WalkEnd Run(WalkPlan plan, bool traced = false)
    {
        using var walk = new CrashWalk(plan, traced);
        try
        {
            walk.World.After(TimeSpan.Zero, () => walk.Activate().Accept(walk.Request));
            walk.World.After(walk.Options.SweepEvery, walk.Sweep);
            walk.World.Run();
            walk.Check();
            return new(walk.points, walk.Ledger.State?.Outcome?.Result ?? PaymentResult.None, walk.World.Trace, null);
        }
        catch (Exception e) when (e is InvariantBrokenException or InvalidOperationException or NullReferenceException or IndexOutOfRangeException)
        {
            return traced ? new(walk.points, PaymentResult.None, walk.World.Trace, $"{plan}: {e.Message}\n{walk.World.Trace}") : Run(plan, traced: true);
        }
    }

    public void Dispose() => bank.Dispose();

    protected override SimulatedActivation Activate()
    {
        var one = new SimulatedActivation(World, Id, Ledger, bank, Options, Choose, Dies, gone => Alive.Remove(gone), _ => { });
        Alive.Add(one);
        return one;
    }

    private bool Dies()
    {
        points++;
        if (points == plan.CancelsAt)
        {
            World.After(TimeSpan.Zero, () => Someone()?.Feed(new PaymentInput.Cancel("terminal")));
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
            else if (World.Wall < Request.Order.ExpiresAt)
            {
                Activate().Accept(Request);
            }

            Sweep();
        });
        return true;
    }

    private void Check()
    {
        Require(Ledger.Version > 0 || World.Wall >= Request.Order.ExpiresAt, "the terminal's repeat was not accepted");
        CheckAtRest(bank.Charge?.NetFen ?? 0);
        Require(bank.Charge is not { Charges: > 1 } and not { Open: true }, $"the bank: {bank.Charge}");
        Require(!Encoding.UTF8.GetString(PaymentEventJson.Write(Ledger.Events)).Contains(Code, StringComparison.Ordinal), "I9: the code is in the ledger");
    }
}
