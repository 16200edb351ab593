using DeviceHub.Protocol.Serial;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tools.Bench.Link;
using Google.Protobuf;
using static DeviceHub.Tools.Bench.Conformance.Rig;
using Up = DeviceHub.Protocol.Wire.Uplink.BodyOneofCase;

namespace DeviceHub.Tools.Bench.Conformance;

/// <summary>README.md, "Login", "Heartbeat", "Limits" and "Versions".</summary>
internal static class LoginCases
{
    private const string Login = "README.md#login";

    public static IEnumerable<ConformanceCase> All =>
    [
        new("L01", "hello is the first message, of version 1, with every field in its range", Login, rig => rig.Identify()),
        new("L02", "terminal_nonce is new in each session", Login, NewNonce),
        new("L03", "Nothing but hello is said before the challenge", Login, OnlyHello),
        new("L04", "The proof is right, for the wire that it came over", Login, rig => rig.ProveKey(Ms(5000))),
        new("L05", "hello and proof are not repeated in a session", Login, NotRepeated),
        new("L06", "No heartbeat and no request before synced", Login, NothingBeforeSynced),
        new("L07", "Without an answer to hello for 10 s it begins anew", Login, rig => GivesUp(rig, new SessionScript { Challenges = false }, 9.5, 12.5)),
        new("L08", "Without an answer to proof for 35 s it begins anew", Login, rig => GivesUp(rig, new SessionScript { Welcomes = false }, 34, 38), isSlow: true),
        new("L09", "A body that it does not know is ignored", "README.md#versions", UnknownBody),
        new("L10", "A field that it does not know is ignored", "README.md#versions", UnknownField),
        new("L11", "A heartbeat follows synced, with every field in its range", "README.md#heartbeat", FirstHeartbeat),
        new("L12", "Heartbeats come in the interval of welcome", "README.md#heartbeat", Interval, isSlow: true),
        new("L13", "At most 10 messages a second, with a burst of 50", "README.md#limits", NoFlood),
    ];

    private static async Task NewNonce(LineRig rig)
    {
        var seen = new HashSet<ByteString>();
        for (var i = 0; i < 3; i++)
        {
            var heard = await rig.Linked();
            Assert(seen.Add(heard.Said!.Message!.Hello.TerminalNonce), "a terminal_nonce came again: a recorded session could be played to this unit");
        }
    }

    private static async Task OnlyHello(LineRig rig)
    {
        await rig.Linked();
        await rig.Quiet(h => h.Said is not null, Ms(1500), "it said something before the challenge");
    }

    private static async Task NotRepeated(LineRig rig)
    {
        await rig.Linked(new SessionScript { Welcomes = false });
        await rig.Expect(h => h.Has(Up.Proof) || h.Has(Up.Activate), Ms(5000), "proof");
        var again = await rig.Next(h => h.Has(Up.Hello) || h.Has(Up.Proof) || h.Has(Up.Activate) || h.Is(FrameType.Hello), Ms(4000));
        if (again?.Is(FrameType.Hello) is true)
        {
            throw new CaseBlockedException("the link went down meanwhile");
        }

        Assert(again is null, $"{again?.Said?.Body} was said again");
    }

    private static async Task NothingBeforeSynced(LineRig rig)
    {
        await rig.LoggedIn(new SessionScript { Syncs = false });
        await rig.Quiet(h => h.Has(Up.Heartbeat) || h.Said is { Seal: not null }, Ms(1500), "it said something between welcome and synced");
    }

    private static async Task GivesUp(LineRig rig, SessionScript script, double leastSeconds, double mostSeconds)
    {
        var from = await rig.Linked(script);
        if (script.Challenges)
        {
            from = await rig.Expect(h => h.Has(Up.Proof) || h.Has(Up.Activate), Ms(5000), "proof");
        }

        var hello = await rig.Expect(h => h.Is(FrameType.Hello), TimeSpan.FromSeconds(mostSeconds + 1), "HELLO");
        rig.Measure("begins anew after", (hello.At - from.At).TotalSeconds, "s", leastSeconds, mostSeconds + (rig.Link.Hello!.StallMs / 1000.0));
    }

    private static async Task UnknownBody(LineRig rig)
    {
        await rig.LoggedIn();
        await rig.Link.Send([0xA2, 0x06, 0x03, 1, 2, 3]);
        await rig.Quiet(h => h.Is(FrameType.Hello) || h.Said is not null, Ms(500), "it acted upon a body that nobody knows");
    }

    private static async Task UnknownField(LineRig rig)
    {
        await rig.Linked();
        var challenge = rig.Session.Challenge.ToByteArray();
        byte[] body = [.. challenge, 0xA2, 0x06, 0x02, 7, 7];
        await rig.Link.Send([0x0A, (byte)body.Length, .. body]);
        await rig.Expect(h => h.Has(Up.Proof) || h.Has(Up.Activate), Ms(5000), "answer to a challenge with a field more");
    }

    private static async Task FirstHeartbeat(LineRig rig)
    {
        await rig.Linked(new SessionScript());
        if (await rig.Next(h => h.Has(Up.Proof), Ms(5000)) is not { } proof)
        {
            throw new CaseBlockedException("no proof came");
        }

        var heard = await rig.Expect(h => h.Has(Up.Heartbeat), Ms(5000), "heartbeat");
        Assert(heard.Said!.Error.Ok, heard.Said.Error.Detail);
        rig.Measure("heartbeat after the proof", (heard.At - proof.At).TotalMilliseconds, "ms", atMost: 3000);
    }

    private static async Task Interval(LineRig rig)
    {
        await rig.LoggedIn(new SessionScript { HeartbeatSeconds = 30 });
        var from = Now;
        await rig.Expect(h => h.Has(Up.Heartbeat), Ms(35_000), "second heartbeat");
        rig.Measure("heartbeat after", (Now - from).TotalSeconds, "s", 28, 32);
    }

    private static async Task NoFlood(LineRig rig)
    {
        // A slow login would allow as many more as it took seconds.
        await rig.LoggedIn();
        var from = Now;
        // Long enough to tell 15 a second from 10 with the burst.
        await Task.Delay(10_000, rig.Cancellation);
        var seconds = (Now - from).TotalSeconds;
        var said = rig.Link.Heard.Since(from).Count(h => h.Said is not null);
        rig.Measure("messages", said, "", atMost: 50 + Math.Floor(10 * seconds));
    }
}
