using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tools.Bench.Link;
using Google.Protobuf;
using static DeviceHub.Tools.Bench.Conformance.LineRig;
using static DeviceHub.Tools.Bench.Conformance.Rig;
using Up = DeviceHub.Protocol.Wire.Uplink.BodyOneofCase;

namespace DeviceHub.Tools.Bench.Conformance;

/// <summary>README.md, "Sealing", and the rows of "A payment" that need no scan: a late outcome is shown whoever scanned.</summary>
internal static class SealCases
{
    private const string Sealing = "README.md#sealing";
    private const string Payment = "README.md#a-payment";

    private static readonly TimeSpan ToShow = Ms(3000);

    public static IEnumerable<ConformanceCase> All =>
    [
        new("M01", "A sealed outcome is shown, and confirmed with its revision, sealed", Sealing, Shown),
        new("M02", "An outcome that is not sealed is ignored", Sealing, rig => IgnoredOutcome(rig, (_, outcome) => outcome)),
        new("M03", "An outcome with a wrong MAC is ignored", Sealing, rig => IgnoredOutcome(rig, WithWrongMac)),
        new("M04", "A sealed message whose sequence did not grow is ignored", Sealing, Replayed),
        new("M05", "A seal of an older session's key does not open", Sealing, OldKey),
        new("M06", "A message that was sealed for the other direction does not open", Sealing, rig => IgnoredOutcome(rig, (r, outcome) => r.Session.Seal(outcome, r.Session.SessionKey!, SealDirection.Up))),
        new("M07", "A sealed message within a sealed one is ignored", Sealing, rig => IgnoredOutcome(rig, (r, outcome) => r.Session.Seal(r.Session.Seal(outcome)))),
        new("M08", "The sequence of what it seals grows", Sealing, SequenceGrows),
        new("M09", "What welcome brings is taken over before synced", Payment, AtWelcome),
        new("M10", "The same revision again is confirmed again", Payment, SameRevision),
        new("M11", "A larger revision is shown and confirmed", Payment, LargerRevision),
    ];

    public static Downlink LateOutcome(string requestId, uint revision = 1) => new()
    {
        Outcome = new Outcome
        {
            RequestId = requestId,
            Result = Outcome.Types.Result.NotCharged,
            Revision = revision,
            AmountFen = 1,
            Late = true,
            AgeMs = 60_000,
            HubTimeMs = (ulong)TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
            Text = new Text { Id = "not_charged", Text_ = ByteString.CopyFromUtf8("Bench: not charged") },
        },
    };

    /// <summary>Of an earlier session that the unit has forgotten.</summary>
    public static string ForgottenId() => $"Bench{Random.Shared.Next(1_000_000, 9_999_999)}-1";

    private static Task LoggedIn(LineRig rig) => rig.LoggedIn(needsKey: true);

    private static Func<Heard, bool> ShownOf(string id) => h => h.Has(Up.OutcomeShown) && h.Said!.Message!.OutcomeShown.RequestId == id;

    private static async Task<Heard> ExpectShown(LineRig rig, string id, uint revision)
    {
        var heard = await rig.Expect(ShownOf(id), ToShow, "outcome_shown");
        IsGood(heard, Up.OutcomeShown);
        Assert(heard.Said!.Message!.OutcomeShown.Revision == revision, $"outcome_shown has revision {heard.Said.Message.OutcomeShown.Revision} instead of {revision}");
        return heard;
    }

    private static async Task Shown(LineRig rig)
    {
        await LoggedIn(rig);
        var (id, from) = (ForgottenId(), Now);
        await rig.Told(LateOutcome(id));
        var shown = await ExpectShown(rig, id, 1);
        rig.Measure("outcome to outcome_shown", (shown.At - from).TotalMilliseconds, "ms", atMost: ToShow.TotalMilliseconds);
    }

    /// <summary>A spoiled outcome is not confirmed; a good one after it is, so that silence is no proof of a dead unit.</summary>
    private static async Task IgnoredOutcome(LineRig rig, Func<LineRig, Downlink, Downlink> spoil)
    {
        await LoggedIn(rig);
        await Ignored(rig, spoil(rig, LateOutcome(ForgottenId())));
    }

    private static async Task Ignored(LineRig rig, Downlink spoiled)
    {
        await rig.Link.Send(rig.Session.Encode(spoiled));
        await rig.Quiet(h => h.Has(Up.OutcomeShown), Ms(900), "it was shown: this unit announces money that nobody vouched for");
        var id = ForgottenId();
        await rig.Told(LateOutcome(id));
        await ExpectShown(rig, id, 1);
    }

    private static Downlink WithWrongMac(LineRig rig, Downlink outcome)
    {
        var sealedOne = rig.Session.Seal(outcome);
        var mac = sealedOne.Sealed.Mac.ToByteArray();
        mac[^1] ^= 1;
        sealedOne.Sealed.Mac = ByteString.CopyFrom(mac);
        return sealedOne;
    }

    private static async Task Replayed(LineRig rig)
    {
        await LoggedIn(rig);
        var id = ForgottenId();
        var sealedOne = rig.Session.Encode(rig.Session.Seal(LateOutcome(id)));
        await rig.Link.Send(sealedOne);
        await ExpectShown(rig, id, 1);
        await rig.Link.Send(sealedOne);
        await rig.Quiet(ShownOf(id), Ms(900), "a replayed message was acted upon");
    }

    private static async Task OldKey(LineRig rig)
    {
        await LoggedIn(rig);
        await LoggedIn(rig);
        var old = rig.Session.OldSessionKey ?? throw new CaseBlockedException("there was no session before");
        await Ignored(rig, rig.Session.Seal(LateOutcome(ForgottenId()), old));
    }

    private static async Task SequenceGrows(LineRig rig)
    {
        await LoggedIn(rig);
        ulong last = 0;
        for (var i = 0; i < 3; i++)
        {
            var id = ForgottenId();
            await rig.Told(LateOutcome(id));
            var shown = await ExpectShown(rig, id, 1);
            Assert(shown.Said!.SealSequence > last, $"sequence {shown.Said.SealSequence} after {last}");
            last = shown.Said.SealSequence;
        }
    }

    private static async Task AtWelcome(LineRig rig)
    {
        var id = ForgottenId();
        await rig.Linked(new SessionScript { Unsettled = [LateOutcome(id)], Syncs = false });
        if (await rig.Next(h => h.Has(Up.Proof), Ms(5000)) is null || rig.Session.SessionKey is null)
        {
            throw new CaseBlockedException("the bench has no key of this unit (--key), or no proof came");
        }

        await ExpectShown(rig, id, 1);
    }

    private static async Task SameRevision(LineRig rig)
    {
        await LoggedIn(rig);
        var id = ForgottenId();
        for (var i = 0; i < 2; i++)
        {
            await rig.Told(LateOutcome(id));
            await ExpectShown(rig, id, 1);
        }
    }

    private static async Task LargerRevision(LineRig rig)
    {
        await LoggedIn(rig);
        var id = ForgottenId();
        await rig.Told(LateOutcome(id));
        await ExpectShown(rig, id, 1);
        await rig.Told(LateOutcome(id, 2));
        await ExpectShown(rig, id, 2);
    }
}
