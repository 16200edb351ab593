using DeviceHub.Protocol.Serial;
using DeviceHub.Tools.Bench.Link;
using static DeviceHub.Tools.Bench.Conformance.Rig;
using Up = DeviceHub.Protocol.Wire.Uplink.BodyOneofCase;

namespace DeviceHub.Tools.Bench.Conformance;

/// <summary>serial.md, "A faster rate". On a pseudo-terminal both rates are one, so that only the order can be seen.</summary>
internal static class RateCases
{
    private const string Section = "serial.md#a-faster-rate";

    private static readonly LinkHabits Granting = new() { GrantUpTo = int.MaxValue };

    public static IEnumerable<ConformanceCase> All =>
    [
        new("S50", "A granted rate is agreed by BAUD as the first sequenced frame, at the first rate", Section, Agrees),
        new("S51", "After the change it sends nothing for 100 ms, and then speaks at the new rate", Section, Changes),
        new("S52", "Without an ACK of BAUD it comes back with HELLO at the first rate", Section, LostAck),
        new("S53", "3 bad frames in a row above the first rate bring the link down", "serial.md#states", BadFrames),
    ];

    private static async Task<Heard> Granted(LineRig rig, LinkHabits habits)
    {
        await rig.Linked();
        if (rig.Link.Hello!.Rates.Count == 0)
        {
            throw new CaseBlockedException("HELLO names no faster rate");
        }

        rig.Link.Habits = habits;
        return await rig.FirstAnew(h => h.IsSequenced)
            ?? throw (rig.Link.IsUp ? new CaseFailedException("linked, but no sequenced frame came") : new CaseBlockedException("no link came up"));
    }

    private static async Task Agrees(LineRig rig)
    {
        var first = await Granted(rig, Granting);
        Assert(first.Is(FrameType.Baud), "the first sequenced frame is no BAUD");
        Assert(first.Frame.Sequence == 0, $"BAUD has sequence {first.Frame.Sequence}");
        Assert(first.Frame.Payload.Length >= 4 && BitConverter.ToInt32(first.Frame.Payload) == rig.Link.Hello!.Rates[0], "BAUD names another rate than the granted one");
    }

    private static async Task Changes(LineRig rig)
    {
        var baud = await Granted(rig, Granting);
        // What it says until it has the ACK is an idle ACK at the most, and the bench's ACK leaves at once.
        var next = await rig.Expect(h => h.Frame.IsGood && h.At > baud.At + Ms(5), Ms(2000), "frame at the new rate");
        rig.Measure("first frame after BAUD", (next.At - baud.At).TotalMilliseconds, "ms", 95, 250 + rig.Link.Hello!.StallMs);
        await rig.Expect(h => h.Has(Up.Hello), Ms(2000), "hello at the new rate");
        Assert(await rig.Link.Send(FrameCases.Probe) is not null, "a frame at the new rate was not acknowledged");
    }

    private static async Task LostAck(LineRig rig)
    {
        await Granted(rig, Granting with { TakesBaud = false });
        var old = rig.Link.Hello!.BootId;
        rig.Link.Habits = new LinkHabits { TakesBaud = false, Calls = false };
        await rig.Expect(h => h.Has(Up.Hello), (rig.Link.Timeout * 7) + Ms(2000), "new link without a rate");
        Assert(rig.Link.Hello.BootId != old, "the boot id is the same");
    }

    private static async Task BadFrames(LineRig rig)
    {
        await Granted(rig, Granting);
        if (await rig.Next(h => h.Has(Up.Hello), Ms(3000)) is null)
        {
            throw new CaseBlockedException("no hello at the new rate");
        }

        rig.Link.Habits = new LinkHabits { Calls = false };
        var old = rig.Link.Hello!.BootId;
        var bad = FrameCases.WithWrongCrc(rig.Link.Frame(FrameType.HubData, rig.Link.NextSequence, FrameCases.Probe));
        rig.Link.SendRaw([.. bad, .. bad, .. bad]);
        rig.Link.Drop();
        await rig.Expect(h => h.Has(Up.Hello), Ms(2500) + (rig.Link.Timeout * 2), "new link at the first rate");
        Assert(rig.Link.Hello.BootId != old, "the boot id is the same");
    }
}
