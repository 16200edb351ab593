using DeviceHub.Core;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Routing;
using static DeviceHub.Simulation.InvariantBrokenException;

namespace DeviceHub.Simulation;

/// <summary>A payment of a simulated shop, with the hub's session that stands between it and its terminal.</summary>
internal sealed class ShopPayment : PaymentLife
{
    private const double Death = 0.01;
    private static readonly TimeSpan TimeToLive = TimeSpan.FromSeconds(30);
    private static readonly string[] Channels = ["sandbox", "wechat-v3", "alipay", "shouqianba"];

    private readonly Link link;
    private readonly TimeSpan scannedAt;
    private readonly int accounts;
    private bool settled;

    public ShopPayment(World world, SimulatedStore store, PaymentOptions options, Seams seams, PaymentId id, Link link, PaymentRequest request)
        : base(world, store, options, seams, id)
    {
        (this.link, Request, scannedAt, accounts) = (link, request, world.Now, 1 + world.Pick(4));
        Bank = new SimulatedBank(world, options, Ledger, Feed);
        Scan = new SimulatedScan(world, link, this);
    }

    public PaymentRequest Request { get; }

    public SimulatedBank Bank { get; }

    public SimulatedScan Scan { get; }

    public int RefundsRefused { get; private set; }

    public long HeldFen => Bank.Orders.Sum(o => o.NetFen);

    public void Requested(PaymentRequest request, string fingerprint, Action<PaymentAnswer> answer)
    {
        // The directory is only eventually consistent: for a while there may be two.
        var grain = Alive.Count < 3 && World.Fault(0.1) ? Activate() : Someone();
        if (World.Now - scannedAt < TimeToLive)
        {
            var order = new PaymentOrder(Id, request, Wallet.WeChat, "M1", "Noodle shop", "S1", World.Wall + TimeToLive - (World.Now - scannedAt));
            grain.Accept(order, fingerprint, answer);
        }
        else
        {
            // A refusal is only for what the ledger does not know.
            grain.Find(request, fingerprint, found => answer(found.Refusal is { Code: RefusalCode.UnknownPayment } ? new(null, new Refusal(RefusalCode.Expired, "the scan is too old")) : found));
        }
    }

    public void Answer(PaymentAnswer answer)
    {
        if (answer.View is { } view)
        {
            Tell(view);
        }
        else if (answer.Refusal is { Code: not RefusalCode.UnknownPayment } refusal)
        {
            Require(refusal.Code != RefusalCode.RequestConflict, $"I2: {Id} was refused as another request than it is");
            link.Carry(() => Scan.Told(refusal));
        }
    }

    /// <summary>The welcome: from the ledger's list of what is not final, or not known to be shown.</summary>
    public void Welcome()
    {
        if (Ledger.State is { IsFinal: var final, IsShown: false } && !(final && Seams.TellsOnce))
        {
            Someone().Find(null, "", Answer);
        }
    }

    public override void Sweep()
    {
        if (!settled && Ledger.State is { IsFinal: true })
        {
            settled = true;
            Bank.Settled();
        }

        if (Alive.Count is > 0 and < 3 && Ledger.Due is { } due && due + Options.SweepGrace <= World.Wall && World.Fault(0.1))
        {
            Activate().Wake();
        }

        base.Sweep();
    }

    /// <summary>One to four accounts, at channels with times of their own.</summary>
    protected override Route Choose(IReadOnlyList<string> tried) => tried.Count < accounts
        ? new(new ChannelAccount { Id = $"A{tried.Count + 1}", MerchantId = "M1", Channel = Channels[World.Pick(Channels.Length)] }, "the next one")
        : new(null, "all accounts were tried");

    protected override SimulatedActivation Begin() =>
        new(World, Store, Ledger, Bank, Options, Seams, Choose, () => World.Fault(Death), new(gone => Alive.Remove(gone), _ => RefundsRefused++, Tell));

    /// <summary>I1: what goes to a terminal is in the ledger when it is sent.</summary>
    private void Tell(PaymentView view)
    {
        if (Seams.CallsDoubtDeclined && view.Stage == PaymentStage.InDoubt)
        {
            view = view with { Stage = PaymentStage.Final, Result = PaymentResult.Declined, Revision = 1 };
        }

        var ledger = view.Id == Id ? Ledger : Store.Payments.First(p => p.Id == view.Id);
        Require(ledger.Version > 0, $"I1: {view.Id} is told {view.Stage} and is not in the ledger");
        Require(
            view.Revision == 0 || ledger.Events.Any(e => e is OutcomeReached o && o.Revision == view.Revision && o.Result == view.Result),
            $"I1, I6: {view.Id} is told {view.Result}, revision {view.Revision}, and that is not in the ledger");
        link.Carry(() => Scan.Told(view));
    }
}
