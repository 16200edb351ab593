using System.Buffers.Binary;
using System.Text;

namespace DeviceHub.Protocol.Serial;

/// <summary>What the hub says to a HELLO.</summary>
public enum HelloResult : byte { Linked = 0, Version = 1, Field = 2 }

/// <summary>The payload of HELLO.</summary>
/// <param name="BootId">Random, not 0, new whenever the terminal begins anew.</param>
/// <param name="LargestPayload">512 to 16,384 bytes.</param>
/// <param name="StallMs">The longest time for which the terminal may not answer, 0 to 2,000 ms.</param>
/// <param name="Rates">Faster rates that it can do, the best first, in baud; at most 4.</param>
public sealed record LinkHello(uint BootId, int LargestPayload, int StallMs, string SerialNumber, IReadOnlyList<int> Rates)
{
    public const byte Version = 1;
    public const int DefaultStallMs = 300;
    public const int MaxStallMs = 2_000;
    public const int MaxRates = 4;
    public const int MaxBytes = 10 + 32 + 1 + (4 * MaxRates);

    /// <summary>Reads a HELLO. What is not <see cref="HelloResult.Linked"/> is to be replied; <paramref name="bootId"/> is 0 if it is cut before it.</summary>
    public static HelloResult TryRead(ReadOnlySpan<byte> payload, out LinkHello? hello, out uint bootId)
    {
        hello = null;
        bootId = payload.Length >= 5 ? BinaryPrimitives.ReadUInt32LittleEndian(payload[1..]) : 0;
        if (payload.Length >= 1 && payload[0] != Version)
        {
            return HelloResult.Version;
        }

        if (payload.Length < 10 || bootId == 0)
        {
            return HelloResult.Field;
        }

        var largest = OrDefault(BinaryPrimitives.ReadUInt16LittleEndian(payload[5..]), FrameSize.SmallestLargestPayload);
        var stall = OrDefault(BinaryPrimitives.ReadUInt16LittleEndian(payload[7..]), DefaultStallMs);
        var nameBytes = payload[9];
        var rest = payload[10..];
        if (largest is < FrameSize.SmallestLargestPayload or > FrameSize.LargestPayload || stall > MaxStallMs || rest.Length <= nameBytes)
        {
            return HelloResult.Field;
        }

        var name = Encoding.Latin1.GetString(rest[..nameBytes]);
        var count = rest[nameBytes];
        rest = rest[(nameBytes + 1)..];
        if (!Names.IsSerialNumber(name) || count > MaxRates || rest.Length < count * 4)
        {
            return HelloResult.Field;
        }

        var rates = new int[count];
        for (var i = 0; i < count; i++)
        {
            rates[i] = (int)Math.Min(int.MaxValue, BinaryPrimitives.ReadUInt32LittleEndian(rest[(i * 4)..]));
        }

        hello = new LinkHello(bootId, largest, stall, name, rates);
        return HelloResult.Linked;
    }

    /// <summary>Writes at most <see cref="MaxBytes"/> and returns how many.</summary>
    public int Write(Span<byte> destination)
    {
        destination[0] = Version;
        BinaryPrimitives.WriteUInt32LittleEndian(destination[1..], BootId);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[5..], (ushort)LargestPayload);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[7..], (ushort)StallMs);
        destination[9] = (byte)SerialNumber.Length;
        var at = 10 + Encoding.Latin1.GetBytes(SerialNumber, destination[10..]);
        destination[at++] = (byte)Rates.Count;
        foreach (var rate in Rates)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(destination[at..], (uint)rate);
            at += 4;
        }

        return at;
    }

    private static int OrDefault(ushort value, int standard) => value == 0 ? standard : value;
}

/// <summary>The payload of REPLY.</summary>
/// <param name="BootId">Of the HELLO that it answers.</param>
/// <param name="LargestPayload">The hub's, in bytes; the smaller of both counts.</param>
/// <param name="Rate">What the hub grants of the HELLO's rates, in baud; 0: stay.</param>
public readonly record struct LinkReply(uint BootId, HelloResult Result, int LargestPayload, int Rate)
{
    public const int Bytes = 12;

    public static bool TryRead(ReadOnlySpan<byte> payload, out LinkReply reply)
    {
        reply = default;
        if (payload.Length < Bytes || payload[0] != LinkHello.Version)
        {
            return false;
        }

        reply = new LinkReply(
            BinaryPrimitives.ReadUInt32LittleEndian(payload[1..]),
            (HelloResult)payload[5],
            BinaryPrimitives.ReadUInt16LittleEndian(payload[6..]),
            (int)Math.Min(int.MaxValue, BinaryPrimitives.ReadUInt32LittleEndian(payload[8..])));
        return true;
    }

    public void Write(Span<byte> destination)
    {
        destination[0] = LinkHello.Version;
        BinaryPrimitives.WriteUInt32LittleEndian(destination[1..], BootId);
        destination[5] = (byte)Result;
        BinaryPrimitives.WriteUInt16LittleEndian(destination[6..], (ushort)LargestPayload);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], (uint)Rate);
    }
}
