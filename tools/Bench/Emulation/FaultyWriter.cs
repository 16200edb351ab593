using DeviceHub.Protocol.Serial;
using DeviceHub.Tools.Bench.Line;

namespace DeviceHub.Tools.Bench.Emulation;

/// <summary>What a faulty terminal does to the bytes that its link would send; a good one's go through.</summary>
internal sealed class FaultyWriter(SerialLine line, Fault fault, int stallMs)
{
    private const int TooLateMs = 900;
    private const int TooLongPauseMs = 1000;

    private readonly FrameReader reader = new(FrameSize.LargestPayload);
    private readonly Queue<(long Due, byte[] Bytes)> later = [];
    private byte[] lastSequenced = [];

    public void Write(ReadOnlySpan<byte> bytes, long nowMs)
    {
        var whole = bytes;
        reader.TryRead(ref whole, out var frame, out _);
        var isSequenced = frame.Type is FrameType.Data or FrameType.Baud;
        switch (fault)
        {
            case Fault.WrongCrc:
                var bad = bytes.ToArray();
                bad[^2] = bad[^2] is 0x01 or 0xFF ? (byte)(bad[^2] ^ 2) : (byte)(bad[^2] == 0xFE ? 0xFD : bad[^2] + 1);
                line.Write(bad);
                break;
            case Fault.NoAcknowledgement when frame.Type == FrameType.Ack:
            case Fault.NeverRetransmits when isSequenced && bytes.SequenceEqual(lastSequenced):
                break;
            case Fault.AnswersLate when frame.Type == FrameType.Ack:
                later.Enqueue((nowMs + stallMs + TooLateMs, bytes.ToArray()));
                break;
            case Fault.StallsMidFrame when frame.Type == FrameType.Hello:
                // It begins anew: what stalled would else let its frames wait whole, and none would stall within.
                Flush(long.MaxValue);
                line.Write(bytes);
                break;
            case Fault.StallsMidFrame when frame.Type == FrameType.Data || later.Count > 0:
                var half = frame.Type == FrameType.Data && later.Count == 0 ? bytes.Length / 2 : 0;
                line.Write(bytes[..half]);
                later.Enqueue((nowMs + stallMs + TooLongPauseMs, bytes[half..].ToArray()));
                break;
            default:
                line.Write(bytes);
                break;
        }

        lastSequenced = isSequenced ? bytes.ToArray() : lastSequenced;
    }

    public void Tick(long nowMs) => Flush(nowMs);

    private void Flush(long nowMs)
    {
        while (later.TryPeek(out var next) && nowMs >= next.Due)
        {
            line.Write(next.Bytes);
            later.Dequeue();
        }
    }
}
