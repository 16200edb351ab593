using DeviceHub.Protocol.Serial;
using DeviceHub.Tools.Bench.Link;
using static DeviceHub.Tools.Bench.Conformance.LineRig;
using static DeviceHub.Tools.Bench.Conformance.Rig;
using Up = DeviceHub.Protocol.Wire.Uplink.BodyOneofCase;

namespace DeviceHub.Tools.Bench.Conformance;

/// <summary>serial.md, "Frames": what is on the line, and what a terminal makes of what it should not take.</summary>
internal static class FrameCases
{
    private const string Frames = "serial.md#frames";

    /// <summary>A Downlink of a body that nobody knows: every terminal takes it, and none acts upon it.</summary>
    public static readonly byte[] Probe = [0xA2, 0x06, 0x00];

    private static readonly LinkHabits Mute = new() { Replies = false, Calls = false };

    public static IEnumerable<ConformanceCase> All =>
    [
        new("S01", "Every frame has a right CRC and is whole COBS", Frames, GoodFrames),
        new("S02", "HELLO's fields are within their ranges", Frames, HelloFields),
        new("S03", "Each frame has a zero byte of its own before and after it", Frames, OwnZeros),
        new("S04", "A frame is on the line without a pause longer than the stall that HELLO states", Frames, NoPause),
        new("S05", "A frame with a wrong CRC is dropped and never answered", Frames, rig => Dropped(rig, (frame, _) => WithWrongCrc(frame))),
        new("S06", "A frame that is no COBS is dropped and never answered", Frames, rig => Dropped(rig, (_, _) => [0, 9, 0x83, 0, 0])),
        new("S07", "A frame shorter than 6 bytes is dropped and never answered", Frames, rig => Dropped(rig, (_, _) => [0, 3, 0x83, 1, 0])),
        new("S08", "The longest frame that was agreed is taken", Frames, LongestIsTaken),
        new("S09", "The longest frame plus one byte is dropped and never answered", Frames, rig => Dropped(rig, LongestPlusOne)),
        new("S10", "Garbage before a frame, and after it, does not harm it", Frames, rig => TakenAfter(rig, Garbage(200), Garbage(50))),
        new("S11", "Half a frame does not harm the next one", Frames, rig => TakenAfter(rig, WithoutEnd(rig), [])),
        new("S12", "A storm of zero bytes does no harm", Frames, rig => TakenAfter(rig, new byte[4096], [])),
        new("S13", "Frames of an unknown type are ignored", Frames, rig => Ignored(rig, 0x05, 0x82, 0xFF)),
        new("S14", "Frames that its own end would send (an echo) are ignored", Frames, rig => Ignored(rig, 0x01, 0x03, 0x04)),
        new("S15", "Bad frames at the first rate never bring the link down", "serial.md#states", BadFramesAtFirstRate),
        new("S16", "No payload is above what was agreed", Frames, SmallestPayload),
    ];

    /// <summary>Takes a whole good frame and spoils it, or sends something else; the terminal must not answer, and must take the good one after it.</summary>
    private static async Task Dropped(LineRig rig, Func<byte[], LineRig, byte[]> bad)
    {
        await rig.Linked();
        var sequence = rig.Link.NextSequence;
        var good = rig.Link.Frame(FrameType.HubData, sequence, Probe);
        rig.Link.SendRaw(bad(good, rig));
        await rig.Quiet(h => AckOf(sequence)(h) || h.Is(FrameType.Hello), rig.Link.Timeout, "the bad frame was answered");
        rig.Link.SendRaw(good);
        await rig.Expect(AckOf(sequence), rig.AckLimit, "ACK of the good frame that came after it");
    }

    private static async Task GoodFrames(LineRig rig)
    {
        var from = Now;
        rig.Link.Habits = new();
        await rig.FirstAnew(h => h.Has(Up.Hello), Ms(4000));
        var heard = rig.Link.Heard.Since(from);
        Assert(heard.Count > 0, "nothing was heard at all: is the unit on, the cable right, and the rate too?");
        // What a boot loader prints is no frame, and no fault.
        var bad = heard.Where(h => !h.Frame.IsGood && h.Raw.Any(b => b is < 0x20 and not (0x09 or 0x0A or 0x0D or 0x1B) or > 0x7E)).ToList();
        Assert(bad.Count == 0, $"{bad.Count} of {heard.Count} frames were bad: {string.Join(", ", bad.Select(b => b.Frame.Fault).Distinct())}");
    }

    private static async Task HelloFields(LineRig rig)
    {
        rig.Link.Habits = Mute;
        rig.Link.Heard.Forget();
        rig.Link.Close(0);
        var heard = await rig.Next(h => h.Is(FrameType.Hello), rig.Patience(Ms(33_000))) ?? throw new CaseBlockedException("no HELLO came");
        var result = LinkHello.TryRead(heard.Frame.Payload, out var hello, out _);
        Assert(result != HelloResult.Version, $"HELLO is of version {heard.Frame.Payload[0]}");
        Assert(result == HelloResult.Linked, "a field is out of its range or missing");
        Assert(heard.Frame.Sequence == 0, $"the sequence of HELLO is {heard.Frame.Sequence}");
        Assert(heard.Rate >= 115_200 || hello!.LargestPayload <= BenchLink.LargestWhenSlow, $"a payload of {hello!.LargestPayload} bytes at {heard.Rate} baud");
        Assert(hello!.Rates.All(rate => rate > heard.Rate), $"a rate that is not faster than {heard.Rate}: {string.Join(", ", hello.Rates)}");
    }

    private static async Task OwnZeros(LineRig rig)
    {
        await rig.Linked();
        var from = Now;
        for (var i = 0; i < 3; i++)
        {
            await rig.Link.Send(Probe);
        }

        await Task.Delay(1200, rig.Cancellation);
        var heard = rig.Link.Heard.Since(from).Where(h => h.Frame.IsGood).ToList();
        var without = heard.Skip(1).Count(h => h.Frame.ZerosBefore < 2);
        Assert(without == 0, $"{without} of {heard.Count - 1} frames shared a zero byte with the one before");
    }

    private static async Task NoPause(LineRig rig)
    {
        var from = Now;
        await rig.Linked(new SessionScript());
        await rig.Next(h => h.Has(Up.Heartbeat), Ms(5000));
        var stall = rig.Link.Hello!.StallMs;
        rig.Measure(
            "longest pause within a frame", rig.Link.Heard.Since(from).Where(h => h.Frame.IsGood).Max(h => h.Frame.LongestPause.TotalMilliseconds), "ms", atMost: stall + 66);
    }

    private static async Task LongestIsTaken(LineRig rig)
    {
        await rig.Linked();
        var sequence = rig.Link.NextSequence;
        rig.Link.SendRaw(rig.Link.Frame(FrameType.HubData, sequence, ProbeOf(rig.Link.LargestPayload)));
        await rig.Expect(AckOf(sequence), rig.AckLimit, $"ACK of a payload of {rig.Link.LargestPayload} bytes");
    }

    private static async Task TakenAfter(LineRig rig, byte[] before, byte[] after)
    {
        await rig.Linked();
        var sequence = rig.Link.NextSequence;
        rig.Link.SendRaw([.. before, .. rig.Link.Frame(FrameType.HubData, sequence, Probe), .. after]);
        await rig.Expect(AckOf(sequence), rig.AckLimit + Ms(before.Length / 10.0), "ACK of the frame");
        rig.Link.SendRaw(rig.Link.Frame(FrameType.HubData, (byte)(sequence + 1), Probe));
        await rig.Expect(AckOf((byte)(sequence + 1)), rig.AckLimit, "ACK of the next frame");
    }

    private static async Task Ignored(LineRig rig, params byte[] types)
    {
        await rig.Linked();
        var sequence = rig.Link.NextSequence;
        foreach (var type in types)
        {
            rig.Link.SendRaw(rig.Link.Frame((FrameType)type, sequence, Probe));
        }

        await rig.Quiet(h => AckOf(sequence)(h) || h.Is(FrameType.Hello), Ms(500), "a frame that is not for it was answered");
        rig.Link.SendRaw(rig.Link.Frame(FrameType.HubData, sequence, Probe));
        await rig.Expect(AckOf(sequence), rig.AckLimit, "ACK of the good frame that came after them");
    }

    private static async Task BadFramesAtFirstRate(LineRig rig)
    {
        await rig.Linked();
        var sequence = rig.Link.NextSequence;
        var good = rig.Link.Frame(FrameType.HubData, sequence, Probe);
        for (var i = 0; i < 5; i++)
        {
            rig.Link.SendRaw(WithWrongCrc(good));
        }

        await rig.Quiet(h => h.Is(FrameType.Hello), Ms(600), "the link went down");
        rig.Link.SendRaw(good);
        await rig.Expect(AckOf(sequence), rig.AckLimit, "ACK of the good frame that came after them");
    }

    private static async Task SmallestPayload(LineRig rig)
    {
        var from = Now;
        await rig.LoggedIn(habits: new LinkHabits { LargestPayload = FrameSize.SmallestLargestPayload });
        rig.Measure("longest payload", rig.Link.Heard.Since(from).Where(h => h.IsSequenced).Max(h => h.Frame.Payload.Length), "bytes", atMost: FrameSize.SmallestLargestPayload);
    }

    /// <summary>A <see cref="Probe"/> with so many bytes.</summary>
    public static byte[] ProbeOf(int bytes)
    {
        var content = bytes - 4;
        return [0xA2, 0x06, (byte)((content & 0x7F) | 0x80), (byte)(content >> 7), .. Enumerable.Repeat((byte)0x55, content)];
    }

    public static byte[] WithWrongCrc(byte[] frame)
    {
        var bad = (byte[])frame.Clone();
        bad[^2] = bad[^2] is 0x01 or 0xFF ? (byte)(bad[^2] ^ 2) : (byte)(bad[^2] == 0xFE ? 0xFD : bad[^2] + 1);
        return bad;
    }

    private static byte[] LongestPlusOne(byte[] good, LineRig rig) => rig.Link.Frame(FrameType.HubData, rig.Link.NextSequence, ProbeOf(rig.Link.LargestPayload + 1));

    private static byte[] WithoutEnd(LineRig rig) => rig.Link.Frame(FrameType.HubData, 0, ProbeOf(100))[..60];

    /// <summary>From a seed, so that a failure can be had again; the zero bytes of a line that floats are among it.</summary>
    private static byte[] Garbage(int length)
    {
        var bytes = new byte[length];
        new Random(4711).NextBytes(bytes);
        return bytes;
    }
}
