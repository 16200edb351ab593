using System.Buffers.Binary;
using System.IO.Hashing;

namespace DeviceHub.Protocol.Serial;

/// <summary>What a frame is; firmware-protocol/serial.md, "Frames". The high bit says that the hub sent it.</summary>
public enum FrameType : byte
{
    Hello = 0x01,
    Baud = 0x02,
    Data = 0x03,
    Ack = 0x04,
    Reply = 0x81,
    HubData = 0x83,
    HubAck = 0x84,
    Close = 0x85,
}

/// <summary>Why what stood between two zero bytes is no frame.</summary>
public enum FrameFault { None, Cobs, TooShort, TooLong, Crc }

/// <summary>A frame as it was read; the payload is the reader's memory until its next call.</summary>
public readonly ref struct Frame(FrameType type, byte sequence, ReadOnlySpan<byte> payload)
{
    public FrameType Type { get; } = type;
    public byte Sequence { get; } = sequence;
    public ReadOnlySpan<byte> Payload { get; } = payload;
}

/// <summary>Sizes of frames.</summary>
public static class FrameSize
{
    /// <summary>Type, sequence and CRC-32.</summary>
    public const int Overhead = 6;

    /// <summary>Bytes of payload that every end takes.</summary>
    public const int SmallestLargestPayload = 512;

    /// <summary>Bytes of payload that no end takes more of.</summary>
    public const int LargestPayload = 16_384;

    /// <summary>The most bytes on the line of a frame with this payload, both zero bytes included.</summary>
    public static int OnLine(int payloadBytes) => Cobs.MaxEncodedBytes(payloadBytes + Overhead) + 2;
}

/// <summary>Finds the frames in a stream of bytes, however it is cut. Allocates nothing after it was made. Not thread-safe.</summary>
public sealed class FrameReader
{
    private readonly byte[] content;
    private int length;
    private int largest;

    /// <summary>Bytes of the present piece that are still to come.</summary>
    private int missing;
    private bool zeroImplied;
    private bool started;
    private bool tooLong;

    /// <param name="largestPayload">In bytes; the memory that the reader has, and its limit until <see cref="Largest"/> is set lower.</param>
    public FrameReader(int largestPayload)
    {
        content = new byte[largestPayload + FrameSize.Overhead];
        largest = largestPayload;
    }

    /// <summary>The largest payload that is taken, at most what the reader was made for.</summary>
    public int Largest
    {
        get => largest;
        set
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, content.Length - FrameSize.Overhead);
            largest = value;
        }
    }

    /// <summary>
    /// Takes bytes up to the end of the next frame. True: <paramref name="frame"/> is one. False with a fault: a bad frame ended. False without:
    /// all bytes are taken and no frame has ended.
    /// </summary>
    public bool TryRead(ref ReadOnlySpan<byte> bytes, out Frame frame, out FrameFault fault)
    {
        frame = default;
        fault = FrameFault.None;
        while (!bytes.IsEmpty)
        {
            if (bytes[0] == 0)
            {
                bytes = bytes[1..];
                if (started)
                {
                    fault = End(ref frame);
                    Reset();
                    return fault == FrameFault.None;
                }
            }
            else if (tooLong)
            {
                bytes = bytes[Run(bytes)..];
            }
            else if (missing == 0)
            {
                BeginPiece(bytes[0]);
                bytes = bytes[1..];
            }
            else
            {
                var run = Math.Min(Run(bytes[..Math.Min(bytes.Length, missing)]), missing);
                Take(bytes[..run]);
                bytes = bytes[run..];
            }
        }

        return false;
    }

    /// <summary>Forgets the part of a frame that has come.</summary>
    public void Reset()
    {
        length = 0;
        missing = 0;
        zeroImplied = false;
        started = false;
        tooLong = false;
    }

    private static int Run(ReadOnlySpan<byte> bytes) => bytes.IndexOf((byte)0) is >= 0 and var zero ? zero : bytes.Length;

    private void BeginPiece(byte code)
    {
        started = true;
        if (zeroImplied)
        {
            ReadOnlySpan<byte> zero = [0];
            Take(zero);
        }

        missing = code - 1;
        zeroImplied = code != Cobs.FullPiece;
    }

    private void Take(ReadOnlySpan<byte> run)
    {
        missing -= run.Length;
        if (length + run.Length > largest + FrameSize.Overhead)
        {
            tooLong = true;
            return;
        }

        run.CopyTo(content.AsSpan(length));
        length += run.Length;
    }

    private FrameFault End(ref Frame frame)
    {
        if (tooLong)
        {
            return FrameFault.TooLong;
        }

        if (missing > 0)
        {
            return FrameFault.Cobs;
        }

        if (length < FrameSize.Overhead)
        {
            return FrameFault.TooShort;
        }

        var covered = content.AsSpan(0, length - sizeof(uint));
        if (Crc32.HashToUInt32(covered) != BinaryPrimitives.ReadUInt32LittleEndian(content.AsSpan(covered.Length)))
        {
            return FrameFault.Crc;
        }

        frame = new Frame((FrameType)covered[0], covered[1], covered[2..]);
        return FrameFault.None;
    }
}

/// <summary>Writes frames. Allocates nothing after it was made. Not thread-safe.</summary>
/// <param name="largestPayload">In bytes.</param>
public sealed class FrameWriter(int largestPayload)
{
    private readonly byte[] content = new byte[largestPayload + FrameSize.Overhead];

    /// <summary>Writes a frame with both its zero bytes and returns how many bytes it took, at most <see cref="FrameSize.OnLine"/>.</summary>
    public int Write(Span<byte> destination, FrameType type, byte sequence, ReadOnlySpan<byte> payload)
    {
        content[0] = (byte)type;
        content[1] = sequence;
        payload.CopyTo(content.AsSpan(2));
        var covered = content.AsSpan(0, payload.Length + 2);
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(covered.Length), Crc32.HashToUInt32(covered));
        destination[0] = 0;
        var end = 1 + Cobs.Encode(content.AsSpan(0, covered.Length + sizeof(uint)), destination[1..]);
        destination[end] = 0;
        return end + 1;
    }
}
