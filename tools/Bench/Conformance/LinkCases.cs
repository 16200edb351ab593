using DeviceHub.Protocol.Serial;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tools.Bench.Link;
using static DeviceHub.Tools.Bench.Conformance.LineRig;
using static DeviceHub.Tools.Bench.Conformance.Rig;
using Up = DeviceHub.Protocol.Wire.Uplink.BodyOneofCase;

namespace DeviceHub.Tools.Bench.Conformance;

/// <summary>serial.md, "Sequences and acknowledgement" and "States".</summary>
internal static class LinkCases
{
    private const string Sequences = "serial.md#sequences-and-acknowledgement";
    private const string States = "serial.md#states";

    private static readonly LinkHabits Mute = new() { Replies = false, Calls = false };

    public static IEnumerable<ConformanceCase> All =>
    [
        new("S20", "HELLO is said each second while nobody replies, always the same", States, HelloEachSecond),
        new("S21", "CLOSE 0 leads to HELLO at once, but not within 250 ms of the last", States, HelloAtClose),
        new("S22", "A REPLY with another boot id does not link", States, ForeignReply),
        new("S23", "The boot id is new each time the link went down", States, NewBootId),
        new("S24", "The first DATA of a link has sequence 0 and is the session's hello", "serial.md#the-session-above", FirstData),
        new("S25", "A good frame is acknowledged", Sequences, rig => Acknowledged(rig, Ms(5000))),
        new("S26", "A frame is acknowledged within the time-out", Sequences, AcknowledgedInTime),
        new("S27", "A repeat is acknowledged again", Sequences, RepeatAcknowledged),
        new("S28", "A repeat is not handed on again", Sequences, RepeatNotHandedOn),
        new("S29", "A sequence that jumps is dropped without ACK", Sequences, Jump),
        new("S30", "Sequences go round from 255 to 0", Sequences, RoundTheCorner),
        new("S31", "Both ends count from 0 again with each link", Sequences, CountsAnew),
        new("S32", "At most one sequenced frame waits for its ACK", Sequences, Window),
        new("S33", "A frame without ACK is sent again after the time-out, the same with the same sequence", Sequences, Repeats),
        new("S34", "After 5 sends without ACK the link is down: HELLO with a new boot id", Sequences, GivesUp),
        new("S35", "An ACK of another sequence is ignored", Sequences, ForeignAck),
        new("S36", "An ACK is sent when nothing was sent for 1 s", Sequences, Idles),
        new("S37", "After 5 s without a good frame the link is down: HELLO with a new boot id", States, Silence),
        new("S38", "LINKED: a REPLY of this link is ignored", States, RepeatedReply),
        new("S39", "LINKED: a REPLY with another boot id brings the link down", States, rig => Falls(rig, r => Reply(r, r.Link.Hello!.BootId ^ 1, HelloResult.Linked))),
        new("S40", "LINKED: CLOSE 0 brings the link down, HELLO follows at once", States, rig => Falls(rig, r => r.Link.Frame(FrameType.Close, 0, [0]))),
        new("S41", "LINKED: after CLOSE with a code HELLO waits for the back-off, and comes", States, BackOff, isSlow: true),
        new("S42", "A REPLY that refuses silences HELLO for 30 s", "serial.md#frames", Refused, isSlow: true),
    ];

    private static async Task HelloEachSecond(LineRig rig)
    {
        await rig.Linked();
        rig.Link.Habits = Mute;
        rig.Link.Close(0);
        var first = await rig.Expect(h => h.Is(FrameType.Hello), Ms(1500), "HELLO after CLOSE 0");
        var second = await rig.Expect(h => h.Is(FrameType.Hello), Ms(2500), "second HELLO");
        var third = await rig.Expect(h => h.Is(FrameType.Hello), Ms(2500), "third HELLO");
        Assert(second.Frame.Payload.AsSpan().SequenceEqual(third.Frame.Payload), "two HELLOs of one boot differ");
        var stall = rig.Link.Hello!.StallMs;
        rig.Measure("between two HELLOs", (third.At - second.At).TotalMilliseconds, "ms", 900 - stall, 1200 + stall);
        Assert(first.Frame.Payload.Length == third.Frame.Payload.Length, "HELLO changed its length");
    }

    private static async Task HelloAtClose(LineRig rig)
    {
        await rig.Linked();
        rig.Link.Habits = Mute;
        rig.Link.Close(0);
        await rig.Expect(h => h.Is(FrameType.Hello), Ms(1500), "HELLO after CLOSE 0");
        var last = await rig.Expect(h => h.Is(FrameType.Hello), Ms(2500), "second HELLO");
        rig.Link.SendRaw(rig.Link.Frame(FrameType.Close, 0, [0]));
        // The next one of those that it says each second may come before this bench looks.
        await rig.Quiet(h => h.Is(FrameType.Hello) && h.At - last.At < Ms(250), Ms(150), "HELLO within 250 ms of the last one");
        await Task.Delay(150, rig.Cancellation);
        rig.Link.Heard.Forget();
        rig.Link.SendRaw(rig.Link.Frame(FrameType.Close, 0, [0]));
        var next = await rig.Expect(h => h.Is(FrameType.Hello), Ms(3000), "HELLO after CLOSE 0");
        rig.Measure("HELLO after the last one, asked for at 300 ms", (next.At - last.At).TotalMilliseconds, "ms", 230, 700 + rig.Link.Hello!.StallMs);
    }

    private static async Task ForeignReply(LineRig rig)
    {
        await rig.Linked();
        rig.Link.Habits = Mute;
        rig.Link.Close(0);
        await rig.Expect(h => h.Is(FrameType.Hello), Ms(2500), "HELLO after CLOSE 0");
        var hello = await rig.Expect(h => h.Is(FrameType.Hello), Ms(2500), "HELLO");
        LinkHello.TryRead(hello.Frame.Payload, out _, out var bootId);
        rig.Link.SendRaw(Reply(rig, bootId + 1, HelloResult.Linked));
        await rig.Quiet(h => h.IsSequenced, Ms(700), "it linked by a REPLY that was not for it");
    }

    private static async Task NewBootId(LineRig rig)
    {
        var seen = new HashSet<uint>();
        for (var i = 0; i < 3; i++)
        {
            await rig.Linked();
            Assert(seen.Add(rig.Link.Hello!.BootId), $"boot id {rig.Link.Hello.BootId:x8} came again");
        }
    }

    private static async Task FirstData(LineRig rig)
    {
        var first = await rig.Linked();
        Assert(first.Frame.Sequence == 0, $"the hello has sequence {first.Frame.Sequence}");
    }

    private static async Task<Heard> Acknowledged(LineRig rig, TimeSpan within)
    {
        await rig.Linked();
        var sequence = rig.Link.NextSequence;
        rig.Link.SendRaw(rig.Link.Frame(FrameType.HubData, sequence, FrameCases.Probe));
        return await rig.Expect(AckOf(sequence), within, "ACK");
    }

    private static async Task AcknowledgedInTime(LineRig rig)
    {
        await rig.Linked();
        double worst = 0;
        for (var i = 0; i < 5; i++)
        {
            var sequence = (byte)(rig.Link.NextSequence + i);
            var from = Now;
            rig.Link.SendRaw(rig.Link.Frame(FrameType.HubData, sequence, FrameCases.Probe));
            var ack = await rig.Next(AckOf(sequence), Ms(5000)) ?? throw new CaseBlockedException("no ACK at all");
            worst = Math.Max(worst, (ack.At - from).TotalMilliseconds);
        }

        rig.Measure("slowest ACK of 5", worst, "ms", atMost: rig.Link.Timeout.TotalMilliseconds);
    }

    private static async Task RepeatAcknowledged(LineRig rig)
    {
        await rig.Linked();
        var sequence = rig.Link.NextSequence;
        for (var i = 0; i < 3; i++)
        {
            rig.Link.SendRaw(rig.Link.Frame(FrameType.HubData, sequence, FrameCases.Probe));
            await rig.Expect(AckOf(sequence), rig.AckLimit, $"ACK of send {i + 1}");
        }
    }

    private static async Task RepeatNotHandedOn(LineRig rig)
    {
        await rig.Linked();
        var (frame, sequence) = rig.NextFrame(new Downlink { Challenge = rig.Session.Challenge });
        rig.Link.SendRaw(frame);
        await rig.Expect(h => h.Has(Up.Proof) || h.Has(Up.Activate), Ms(5000), "proof");
        rig.Link.SendRaw(frame);
        await rig.Expect(AckOf(sequence), rig.AckLimit, "ACK of the repeat");
        await rig.Quiet(h => h.Has(Up.Proof) || h.Has(Up.Activate), Ms(700), "the repeated challenge was answered a second time");
    }

    private static async Task Jump(LineRig rig)
    {
        await rig.Linked();
        var next = rig.Link.NextSequence;
        rig.Link.SendRaw(rig.Link.Frame(FrameType.HubData, (byte)(next + 2), FrameCases.Probe));
        await rig.Quiet(AckOf((byte)(next + 2)), rig.Link.Timeout, "the frame with a jump was acknowledged");
        rig.Link.SendRaw(rig.Link.Frame(FrameType.HubData, next, FrameCases.Probe));
        await rig.Expect(AckOf(next), rig.AckLimit, "ACK of the right sequence");
    }

    private static async Task RoundTheCorner(LineRig rig)
    {
        await rig.Linked();
        for (var i = 0; i < 258; i++)
        {
            Assert(await rig.Link.Send(FrameCases.Probe) is not null, $"frame {i} of 258 was not acknowledged");
        }
    }

    private static async Task CountsAnew(LineRig rig)
    {
        await rig.Linked();
        for (var i = 0; i < 3; i++)
        {
            await rig.Link.Send(FrameCases.Probe);
        }

        var hello = await rig.Linked();
        Assert(hello.Frame.Sequence == 0, $"the next link's first frame has sequence {hello.Frame.Sequence}");
        rig.Link.SendRaw(rig.Link.Frame(FrameType.HubData, 0, FrameCases.Probe));
        await rig.Expect(AckOf(0), rig.AckLimit, "ACK of sequence 0 of the next link");
    }

    private static async Task Window(LineRig rig)
    {
        await rig.LoggedIn();
        rig.Link.Habits = new LinkHabits { Acknowledges = false };
        var from = Now;
        // Each is answered with a report: the second has to wait.
        await rig.Session.Tell(ConfigurationCases.BadCommit());
        await rig.Session.Tell(ConfigurationCases.BadCommit());
        await rig.Expect(h => h.IsSequenced, Ms(3000), "frame of the terminal");
        await Task.Delay(rig.Link.Timeout, rig.Cancellation);
        var waiting = rig.Link.Heard.Since(from).Where(h => h.IsSequenced).Select(h => h.Frame.Sequence).Distinct().Count();
        rig.Measure("frames that waited at once", waiting, "", atMost: 1);
    }

    private static async Task Repeats(LineRig rig)
    {
        var sends = await Unacknowledged(rig, 4);
        Assert(sends.Count >= 2, "the frame was sent once and never again");
        Assert(sends.Skip(1).All(h => h.Frame.Sequence == sends[0].Frame.Sequence && h.Frame.Payload.AsSpan().SequenceEqual(sends[0].Frame.Payload)), "another frame came instead");
        var timeout = rig.Link.Timeout.TotalMilliseconds;
        // The mean of some: what one read of the bench's own machine takes counts less.
        rig.Measure("from send to send", (sends[^1].At - sends[0].At).TotalMilliseconds / (sends.Count - 1), "ms", timeout * 0.9, timeout + rig.Link.Hello!.StallMs + 200);
    }

    private static async Task GivesUp(LineRig rig)
    {
        var sends = await Unacknowledged(rig, SerialLink.MaxSends);
        var hello = await rig.Expect(h => h.Is(FrameType.Hello), rig.Link.Timeout * 2 + Ms(1000), "HELLO after the last send");
        LinkHello.TryRead(hello.Frame.Payload, out _, out var bootId);
        Assert(bootId != sends[0].BootId, "the boot id is the same");
        rig.Measure("sends", sends.Count, "", SerialLink.MaxSends, SerialLink.MaxSends);
    }

    /// <summary>The sends of the first frame of a link that is not acknowledged, up to a number, or to the next HELLO.</summary>
    private static async Task<List<Heard>> Unacknowledged(LineRig rig, int most)
    {
        var sends = new List<Heard> { await FirstUnacknowledged(rig) };
        rig.Link.Habits = rig.Link.Habits with { Replies = false, Calls = false };
        while (sends.Count < most && await rig.Next(h => h.IsSequenced || h.Is(FrameType.Hello), rig.Link.Timeout * 2 + Ms(1000)) is { } next && next.IsSequenced)
        {
            sends.Add(next);
        }

        return sends;
    }

    private static async Task<Heard> FirstUnacknowledged(LineRig rig)
    {
        rig.Session.Script = new SessionScript { Challenges = false };
        rig.Link.Habits = new LinkHabits { Acknowledges = false };
        return await rig.FirstAnew(h => h.IsSequenced) ?? throw new CaseBlockedException("no link came up");
    }

    private static async Task ForeignAck(LineRig rig)
    {
        var sent = await FirstUnacknowledged(rig);
        rig.Link.SendRaw(rig.Link.Frame(FrameType.HubAck, (byte)(sent.Frame.Sequence + 7), []));
        await rig.Expect(h => h.IsSequenced && h.Frame.Sequence == sent.Frame.Sequence, rig.Link.Timeout * 2 + Ms(300), "second send of the frame");
    }

    private static async Task Idles(LineRig rig)
    {
        await rig.Linked();
        var from = Now;
        await Task.Delay(3300, rig.Cancellation);
        var times = rig.Link.Heard.Since(from).Where(h => h.Frame.IsGood).Select(h => h.At).Prepend(from).ToList();
        var longest = times.Zip(times.Skip(1), (a, b) => b - a).Append(Now - times[^1]).Max();
        rig.Measure("longest silence of an idle terminal", longest.TotalMilliseconds, "ms", atMost: SerialLink.IdleMs + rig.Link.Hello!.StallMs + 250);
    }

    private static async Task Silence(LineRig rig)
    {
        await rig.Linked();
        var old = rig.Link.Hello!.BootId;
        var from = Now;
        rig.Link.Habits = new LinkHabits { Replies = false, Acknowledges = false, Idles = false, Calls = false };
        var hello = await rig.Expect(h => h.Is(FrameType.Hello), Ms(SerialLink.SilenceMs + 3000), "HELLO");
        LinkHello.TryRead(hello.Frame.Payload, out _, out var bootId);
        Assert(bootId != old, "the boot id is the same");
        rig.Measure("HELLO after the last frame", (hello.At - from).TotalMilliseconds, "ms", SerialLink.SilenceMs - 700, SerialLink.SilenceMs + rig.Link.Hello.StallMs + 500);
    }

    private static async Task RepeatedReply(LineRig rig)
    {
        await rig.Linked();
        var sequence = rig.Link.NextSequence;
        rig.Link.SendRaw(Reply(rig, rig.Link.Hello!.BootId, HelloResult.Linked));
        await rig.Quiet(h => h.Is(FrameType.Hello) || h.Has(Up.Hello), Ms(600), "the link began anew");
        rig.Link.SendRaw(rig.Link.Frame(FrameType.HubData, sequence, FrameCases.Probe));
        await rig.Expect(AckOf(sequence), rig.AckLimit, "ACK in the link that goes on");
    }

    private static async Task Falls(LineRig rig, Func<LineRig, byte[]> frame)
    {
        await rig.Linked();
        var old = rig.Link.Hello!.BootId;
        rig.Link.Habits = Mute;
        var from = Now;
        rig.Link.SendRaw(frame(rig));
        var hello = await rig.Expect(h => h.Is(FrameType.Hello), Ms(3000), "HELLO");
        LinkHello.TryRead(hello.Frame.Payload, out _, out var bootId);
        Assert(bootId != old, "the boot id is the same");
        rig.Measure("HELLO after", (hello.At - from).TotalMilliseconds, "ms", atMost: rig.Link.Hello!.StallMs + 400);
    }

    private static async Task BackOff(LineRig rig)
    {
        await rig.Linked();
        rig.Link.Close(0x97);
        await rig.Quiet(h => h.Is(FrameType.Hello), Ms(900), "HELLO before the back-off of 1 s was over");
        await rig.Expect(h => h.Is(FrameType.Hello), Ms(32_500), "HELLO after back-off and jitter");
    }

    private static async Task Refused(LineRig rig)
    {
        await rig.Linked();
        rig.Link.Habits = new LinkHabits { Replies = false };
        rig.Link.Close(0);
        await rig.Expect(h => h.Is(FrameType.Hello), Ms(2500), "HELLO after CLOSE 0");
        var hello = await rig.Expect(h => h.Is(FrameType.Hello), Ms(2500), "HELLO");
        LinkHello.TryRead(hello.Frame.Payload, out _, out var bootId);
        rig.Link.SendRaw(Reply(rig, bootId, HelloResult.Version));
        await Task.Delay(200, rig.Cancellation);
        rig.Link.Heard.Forget();
        var again = await rig.Expect(h => h.Is(FrameType.Hello), Ms(35_000), "HELLO after 30 s");
        rig.Measure("HELLO after the refusal", (again.At - hello.At).TotalSeconds, "s", 29, 33);
    }

    private static byte[] Reply(LineRig rig, uint bootId, HelloResult result)
    {
        Span<byte> payload = stackalloc byte[LinkReply.Bytes];
        new LinkReply(bootId, result, 512, 0).Write(payload);
        return rig.Link.Frame(FrameType.Reply, 0, payload);
    }
}
