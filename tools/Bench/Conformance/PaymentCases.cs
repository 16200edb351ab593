using DeviceHub.Protocol.Wire;
using DeviceHub.Tools.Bench.Link;
using Google.Protobuf;
using static DeviceHub.Tools.Bench.Conformance.Rig;
using Up = DeviceHub.Protocol.Wire.Uplink.BodyOneofCase;

namespace DeviceHub.Tools.Bench.Conformance;

/// <summary>README.md, "A payment": each needs a scan, of a jig or by hand.</summary>
internal static class PaymentCases
{
    private const string Payment = "README.md#a-payment";
    private const string Refusals = "README.md#refusals";

    public const string Code = "134567890123456789";
    public const long AmountFen = 1280;

    public static IEnumerable<ConformanceCase> All =>
    [
        new("P01", "A scan becomes a sealed request with the session's epoch, its age and a time to live", Payment, GoodRequest),
        new("P02", "A request without an answer is repeated after 3 s and 6 s: same id and contents, newer age, new seal", Payment, Repeated),
        new("P03", "accepted ends the repetition", Payment, rig => EndsRepetition(rig, id => Accepted(id))),
        new("P04", "An outcome is shown, and confirmed with its revision", Payment, Outcome),
        new("P05", "An outcome that is not sealed does not end a payment", "README.md#sealing", BareOutcome),
        new("P06", "A refusal that is final (EXPIRED) ends the request", Refusals, rig => EndsRepetition(rig, id => Refused(id, Refusal.Types.Code.Expired, 0))),
        new("P07", "A refusal with retry_after_ms is followed by the same request after that time", Refusals, RetryAfter),
        new("P08", "Each scan has an id of its own", Payment, OwnIds),
        new("P09", "After a lost connection a request that was sent is repeated with its old id", Payment, RepeatedInNextSession),
        new("P10", "After a lost connection an accepted payment is asked about with payment_query", Payment, QueriedInNextSession),
        new("P11", "UNKNOWN_PAYMENT is answered with the request once more", Payment, UnknownPayment),
        new("P12", "After a power cut no id comes again", Payment, rig => NewIds(rig, JigAction.PowerCut)),
        new("P13", "After a factory reset no id comes again", Payment, rig => NewIds(rig, JigAction.FactoryReset), NeedsLine: true),
        new("P14", "The cancel key leads to payment_cancel of an accepted payment", Payment, Cancelled),
        new("P15", "After 30 s without news an accepted payment is asked about", Payment, Queried, isSlow: true),
    ];

    public static Downlink Accepted(string id) => new() { Accepted = new Accepted { RequestId = id, State = Protocol.Wire.Accepted.Types.State.Working } };

    public static Downlink Refused(string id, Refusal.Types.Code code, uint retryAfterMs) => new()
    {
        Refusal = new Refusal { Code = code, RequestId = id, RetryAfterMs = retryAfterMs, Text = new Text { Id = "refusal_" + Snake(code), Text_ = ByteString.CopyFromUtf8("Bench") } },
    };

    public static Downlink Approved(PaymentRequest request) => new()
    {
        Outcome = new Outcome
        {
            RequestId = request.RequestId,
            Result = Protocol.Wire.Outcome.Types.Result.Approved,
            Revision = 1,
            AmountFen = request.AmountFen,
            PaidFen = request.AmountFen,
            Wallet = Wallet.Wechat,
            HubTimeMs = (ulong)TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
            Text = new Text { Id = "approved", Text_ = ByteString.CopyFromUtf8("Paid (bench)") },
        },
    };

    private static string Snake(Refusal.Types.Code code) =>
        string.Concat(code.ToString().Select((c, i) => char.IsUpper(c) && i > 0 ? "_" + char.ToLowerInvariant(c) : char.ToLowerInvariant(c).ToString()));

    private static async Task<PaymentRequest> Scanned(Rig rig)
    {
        rig.Need(JigAction.Scan);
        await rig.Ready(toPay: true);
        return await rig.Scan(Code, AmountFen);
    }

    private static Func<Heard, bool> Requests(string id) => h => h.Has(Up.PaymentRequest) && h.Said!.Message!.PaymentRequest.RequestId == id;

    private static async Task GoodRequest(LineRig rig)
    {
        var request = await Scanned(rig);
        await rig.Settle(request);
        Assert(request.RequestId.StartsWith(rig.Session.Welcome.RequestEpoch + "-", StringComparison.Ordinal), $"the id {request.RequestId} has not the epoch of welcome");
        Assert(request.PaymentCode == Code, "the code is not the one that was scanned");
        Assert((long)request.AmountFen == AmountFen, $"the amount is {request.AmountFen} instead of {AmountFen}");
        rig.Measure("age at the first send", request.AgeMs, "ms", atMost: 2000);
    }

    private static async Task Repeated(LineRig rig)
    {
        var first = await Scanned(rig);
        var (at, age, sequence) = (Now, first.AgeMs, 0UL);
        foreach (var (least, most) in ((double, double)[])[(2500, 4000), (5400, 7500)])
        {
            var heard = await rig.Expect(Requests(first.RequestId), Ms(most + 1000), "repeat of the request");
            var again = heard.Said!.Message!.PaymentRequest;
            rig.Measure("repeated after", (heard.At - at).TotalMilliseconds, "ms", least, most);
            Assert(heard.Said.IsGood && heard.Said.SealSequence > sequence, "the repeat is not under a seal of its own");
            Assert(again.AgeMs > age, $"age_ms did not grow: {again.AgeMs} after {age}");
            Assert(again.PaymentCode == first.PaymentCode && again.AmountFen == first.AmountFen && again.OrderNumber == first.OrderNumber && again.TimeToLiveMs == first.TimeToLiveMs, "the contents changed under one id");
            (at, age, sequence) = (heard.At, again.AgeMs, heard.Said.SealSequence);
        }

        await rig.Settle(first);
    }

    private static async Task EndsRepetition(LineRig rig, Func<string, Downlink> answer)
    {
        var request = await Scanned(rig);
        await rig.Told(answer(request.RequestId));
        await rig.Quiet(h => h.Has(Up.PaymentRequest), Ms(4500), "the request was sent again");
        await rig.Settle(request);
    }

    private static async Task Outcome(LineRig rig)
    {
        var request = await Scanned(rig);
        var from = Now;
        await rig.Told(Approved(request));
        var shown = await rig.ExpectSaid(Up.OutcomeShown, Ms(3000));
        Assert(shown.OutcomeShown.RequestId == request.RequestId && shown.OutcomeShown.Revision == 1, "outcome_shown is of another payment or revision");
        rig.Measure("outcome to outcome_shown", (Now - from).TotalMilliseconds, "ms", atMost: 3000);
        await rig.Quiet(h => h.Has(Up.PaymentRequest), Ms(4000), "the request was sent again after its outcome");
    }

    private static async Task BareOutcome(LineRig rig)
    {
        var request = await Scanned(rig);
        await rig.Link.Send(rig.Session.Encode(Approved(request)));
        await rig.Quiet(h => h.Has(Up.OutcomeShown), Ms(900), "it was shown: this unit announces money that nobody vouched for");
        await rig.Expect(Requests(request.RequestId), Ms(5000), "repeat of the request that is still open");
        await rig.Settle(request);
    }

    private static async Task RetryAfter(LineRig rig)
    {
        var request = await Scanned(rig);
        var from = Now;
        await rig.Told(Refused(request.RequestId, Refusal.Types.Code.Busy, 1500));
        var again = await rig.Expect(h => h.Has(Up.PaymentRequest), Ms(6000), "request again");
        Assert(again.Said!.Message!.PaymentRequest.RequestId == request.RequestId, "it came with another id");
        rig.Measure("asked for after 1500 ms, came after", (again.At - from).TotalMilliseconds, "ms", 1450, 4000);
        await rig.Settle(request);
    }

    private static async Task OwnIds(Rig rig)
    {
        var first = await Scanned(rig);
        await rig.Settle(first);
        var second = await rig.Scan(Code, AmountFen + 1);
        await rig.Settle(second);
        Assert(first.RequestId != second.RequestId, "two scans had one id: the second would never be charged");
    }

    private static async Task RepeatedInNextSession(LineRig rig)
    {
        var request = await Scanned(rig);
        await rig.Linked(new SessionScript());
        var heard = await rig.Expect(h => h.Has(Up.PaymentRequest) || h.Has(Up.PaymentQuery), Ms(12_000), "request in the next session");
        await rig.Settle(request);
        Assert(Requests(request.RequestId)(heard), "the request did not come with its old id");
    }

    private static async Task QueriedInNextSession(LineRig rig)
    {
        var request = await Scanned(rig);
        await rig.Told(Accepted(request.RequestId));
        await rig.Linked(new SessionScript());
        var heard = await rig.Expect(h => h.Has(Up.PaymentRequest) || h.Has(Up.PaymentQuery), Ms(12_000), "payment_query in the next session");
        await rig.Settle(request);
        Assert(heard.Has(Up.PaymentQuery) && heard.Said!.Message!.PaymentQuery.RequestId == request.RequestId, "an accepted payment was sent again instead of asked about");
    }

    private static async Task UnknownPayment(LineRig rig)
    {
        var request = await Scanned(rig);
        await rig.Told(Accepted(request.RequestId));
        await rig.Linked(new SessionScript());
        await rig.Expect(h => h.Has(Up.PaymentQuery), Ms(12_000), "payment_query in the next session");
        await rig.Told(Refused(request.RequestId, Refusal.Types.Code.UnknownPayment, 0));
        await rig.Expect(Requests(request.RequestId), Ms(5000), "request once more");
        await rig.Settle(request);
    }

    private static async Task NewIds(Rig rig, JigAction action)
    {
        rig.Need(action);
        var before = await Scanned(rig);
        await rig.Settle(before);
        _ = await rig.Restart(action, Hands) ?? throw new CaseBlockedException("it did not log in again");
        var after = await rig.Scan(Code, AmountFen);
        await rig.Settle(after);
        Assert(after.RequestId != before.RequestId, $"the id {after.RequestId} came again: that payment would never be charged");
        // A hub refuses an epoch that it never gave; where the bench is the hub, it knows which one is right.
        var isRight = rig is LineRig line ? Epoch(after) == line.Session.Welcome.RequestEpoch : Epoch(after) != Epoch(before);
        Assert(isRight, "the id is of an epoch that an earlier session gave");
    }

    private static string Epoch(PaymentRequest request) => request.RequestId[..Math.Max(0, request.RequestId.LastIndexOf('-'))];

    private static async Task Cancelled(LineRig rig)
    {
        rig.Need(JigAction.Cancel);
        var request = await Scanned(rig);
        await rig.Told(Accepted(request.RequestId));
        await rig.Jig.Do(new JigOrder(JigAction.Cancel), rig.Cancellation);
        var cancel = await rig.ExpectSaid(Up.PaymentCancel, Hands);
        await rig.Settle(request);
        Assert(cancel.PaymentCancel.RequestId == request.RequestId, "payment_cancel is of another payment");
    }

    private static async Task Queried(LineRig rig)
    {
        var request = await Scanned(rig);
        await rig.Told(Accepted(request.RequestId));
        var from = Now;
        await rig.Expect(h => h.Has(Up.PaymentQuery), Ms(34_000), "payment_query");
        var after = (Now - from).TotalSeconds;
        await rig.Settle(request);
        rig.Measure("asked after", after, "s", 28, 33);
    }
}
