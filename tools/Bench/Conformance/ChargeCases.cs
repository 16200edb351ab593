using DeviceHub.Protocol.Wire;
using DeviceHub.Tools.Bench.Link;
using static DeviceHub.Tools.Bench.Conformance.Rig;
using Up = DeviceHub.Protocol.Wire.Uplink.BodyOneofCase;

namespace DeviceHub.Tools.Bench.Conformance;

/// <summary>README.md, "A charge from the till": for terminals with the capability <c>collect</c>.</summary>
internal static class ChargeCases
{
    private const string Section = "README.md#a-charge-from-the-till";
    public const string Capability = "collect";

    public static IEnumerable<ConformanceCase> All =>
    [
        new("K01", "collect is answered with collecting at once", Section, Answered),
        new("K02", "The same collect again is answered again", Section, AnsweredAgain),
        new("K03", "A collect whose time to live was over when it came is ignored, or ends when it counts from its arrival", Section, TooOld),
        new("K04", "When its time to live is over, collect_ended EXPIRED follows", Section, Expires),
        new("K05", "A collect that is not sealed is ignored", "README.md#sealing", Bare),
        new("K06", "The scan that answers it is a payment_request with its charge_id, amount and order number", Section, ScanAnswers),
        new("K07", "After collect_cancel no scan answers it", Section, Cancelled),
    ];

    public static Downlink Collect(string id, uint timeToLiveMs = 60_000, long ageMs = 0, long amountFen = 990, string orderNumber = "BENCH-1") => new()
    {
        Collect = new Collect
        {
            ChargeId = id,
            AmountFen = (ulong)amountFen,
            OrderNumber = orderNumber,
            SentTimeMs = (ulong)(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() - ageMs),
            TimeToLiveMs = timeToLiveMs,
        },
    };

    public static Downlink Cancel(string id) => new() { CollectCancel = new CollectCancel { ChargeId = id } };

    /// <summary>A hub takes each once.</summary>
    public static string NewOrder() => $"BENCH-{Random.Shared.NextInt64(1_000_000_000, 9_999_999_999)}";

    public static string NewId() => $"charge-{Random.Shared.Next(1_000_000, 9_999_999)}";

    private static async Task LoggedIn(LineRig rig)
    {
        await rig.LoggedIn(needsKey: true);
        NeedsCollect(rig);
    }

    public static void NeedsCollect(LineRig rig)
    {
        if (!rig.Session.Hello!.Capabilities.Contains(Capability))
        {
            throw new CaseBlockedException("hello does not announce the capability collect");
        }
    }

    public static async Task<TimeSpan> Collecting(LineRig rig, string id)
    {
        var heard = await rig.Expect(h => h.Has(Up.Collecting) && h.Said!.Message!.Collecting.ChargeId == id, Ms(3000), "collecting");
        Assert(heard.Said!.IsGood, "collecting is not sealed well");
        return heard.At;
    }

    /// <summary>A unit that is busy, as with a question that nobody has answered yet, is asked again each second.</summary>
    public static async Task CollectUntilReady(LineRig rig, string id)
    {
        for (var until = Now + Hands; Now < until; await Task.Delay(Ms(1000), rig.Cancellation))
        {
            await rig.Told(Collect(id));
            if (await rig.Next(h => h.Has(Up.Collecting) || h.Has(Up.CollectEnded), Ms(3000)) is { } heard && heard.Has(Up.Collecting))
            {
                return;
            }
        }

        throw new CaseFailedException("no collecting came of the collect");
    }

    private static async Task Answered(Rig rig)
    {
        await rig.Ready(toPay: true);
        var (id, took) = await rig.Collect(990, NewOrder());
        await rig.CloseCharge(id);
        rig.Measure("collect to collecting", took.TotalMilliseconds, "ms", atMost: 1500);
    }

    private static async Task AnsweredAgain(LineRig rig)
    {
        await LoggedIn(rig);
        var id = NewId();
        for (var i = 0; i < 2; i++)
        {
            await rig.Told(Collect(id));
            await Collecting(rig, id);
        }

        await rig.Told(Cancel(id));
    }

    private static async Task TooOld(LineRig rig)
    {
        await LoggedIn(rig);
        await rig.Told(Collect(NewId(), timeToLiveMs: 1000, ageMs: 60_000));
        if (await rig.Next(h => h.Has(Up.Collecting), Ms(1200)) is not null)
        {
            // A terminal may count from the arrival: the hub refuses what is late.
            var ended = await rig.Expect(h => h.Has(Up.CollectEnded), Ms(3000), "collect_ended of a collect that was too old and was answered");
            Assert(ended.Said!.Message!.CollectEnded.Reason == CollectEnded.Types.Reason.Expired, $"it ended as {ended.Said.Message.CollectEnded.Reason}");
        }
    }

    private static async Task Expires(LineRig rig)
    {
        await LoggedIn(rig);
        var (id, from) = (NewId(), Now);
        await rig.Told(Collect(id, timeToLiveMs: 1500));
        await Collecting(rig, id);
        var ended = await rig.Expect(h => h.Has(Up.CollectEnded), Ms(4000), "collect_ended");
        Assert(ended.Said!.Message!.CollectEnded.Reason == CollectEnded.Types.Reason.Expired, $"it ended as {ended.Said.Message.CollectEnded.Reason}");
        rig.Measure("ended after", (ended.At - from).TotalMilliseconds, "ms", 1300, 2500);
    }

    private static async Task Bare(LineRig rig)
    {
        await LoggedIn(rig);
        await rig.Link.Send(rig.Session.Encode(Collect(NewId())));
        await rig.Quiet(h => h.Has(Up.Collecting), Ms(900), "it collects an amount that nobody vouched for");
    }

    private static async Task ScanAnswers(Rig rig)
    {
        rig.Need(JigAction.Scan);
        await rig.Ready(toPay: true);
        var order = NewOrder();
        var (id, _) = await rig.Collect(990, order);
        var request = await rig.Scan(PaymentCases.Code, 0);
        await rig.Settle(request);
        Assert((request.ChargeId, request.AmountFen, request.OrderNumber) == (id, 990, order), "charge_id, amount or order number is not the collect's");
    }

    private static async Task Cancelled(Rig rig)
    {
        rig.Need(JigAction.Scan);
        await rig.Ready(toPay: true);
        var (id, _) = await rig.Collect(990, NewOrder());
        await rig.CloseCharge(id);
        var request = await rig.Scan(PaymentCases.Code, PaymentCases.AmountFen);
        await rig.Settle(request);
        Assert(request.ChargeId.Length == 0, "a scan answered a charge that the till had closed");
    }
}
