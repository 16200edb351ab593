using DeviceHub.Protocol.Serial;

namespace DeviceHub.Tools.Bench.Link;

/// <summary>A frame as it was on the line, good or bad.</summary>
/// <param name="Began">When its first byte was there.</param>
/// <param name="At">When its last zero byte was there.</param>
/// <param name="ZerosBefore">Zero bytes between it and what stood before; 2 or more when both frames have their own.</param>
/// <param name="LongestPause">Between two reads within it.</param>
internal sealed record ScannedFrame(
    TimeSpan Began, TimeSpan At, int ZerosBefore, TimeSpan LongestPause, FrameFault Fault, FrameType Type, byte Sequence, byte[] Payload)
{
    public bool IsGood => Fault == FrameFault.None;
}

/// <summary>Finds frames in a stream and keeps when each began and ended, which the protocol's own reader has no need of.</summary>
internal sealed class FrameScanner(int largestPayload)
{
    private static readonly int MostRaw = FrameSize.OnLine(FrameSize.LargestPayload) + 1;

    private readonly FrameReader reader = new(largestPayload);
    private readonly List<byte> raw = [];
    private TimeSpan began;
    private TimeSpan last;
    private TimeSpan longestPause;
    private int zeros;

    /// <summary>What the last frame was made of; for text that a boot loader prints.</summary>
    public byte[] LastRaw { get; private set; } = [];

    public IEnumerable<ScannedFrame> Take(ReadOnlyMemory<byte> bytes, TimeSpan at)
    {
        var found = new List<ScannedFrame>();
        foreach (var one in bytes.Span)
        {
            if (raw.Count > 0)
            {
                longestPause = at - last > longestPause ? at - last : longestPause;
            }

            last = at;
            if (one == 0 && raw.Count == 0)
            {
                zeros++;
            }
            else if (one == 0)
            {
                found.Add(End(at));
            }
            else if (raw.Count < MostRaw)
            {
                began = raw.Count == 0 ? at : began;
                raw.Add(one);
            }
        }

        return found;
    }

    private ScannedFrame End(TimeSpan at)
    {
        LastRaw = [.. raw];
        ReadOnlySpan<byte> whole = [.. LastRaw, 0];
        var frame = reader.TryRead(ref whole, out var good, out var fault)
            ? new ScannedFrame(began, at, zeros, longestPause, FrameFault.None, good.Type, good.Sequence, good.Payload.ToArray())
            : new ScannedFrame(began, at, zeros, longestPause, fault, default, 0, []);
        raw.Clear();
        zeros = 1;
        longestPause = TimeSpan.Zero;
        return frame;
    }
}
