using System.Buffers.Binary;
using System.Text;

namespace DeviceHub.Tools.Bench.Line;

/// <summary>
/// Recordings of a line as pcapng, which Wireshark opens: one interface of link type USER0, one packet a read or write with its bytes as they were,
/// its direction in epb_flags (inbound: from the terminal), times in nanoseconds. README.md, "Recordings".
/// </summary>
internal sealed class PcapngWriter : IDisposable
{
    public const int LinkType = 147;

    private const uint SectionHeader = 0x0A0D0D0A;
    private const uint ByteOrder = 0x1A2B3C4D;
    private const uint InterfaceDescription = 1;
    private const uint EnhancedPacket = 6;
    private const int Inbound = 1;
    private const int Outbound = 2;

    private readonly FileStream file;
    private readonly Lock gate = new();

    /// <summary>Unix time of the moment that the tool's own clock calls 0, in nanoseconds.</summary>
    private readonly ulong zeroNs = (ulong)((TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() * 1_000_000) - (long)SerialLine.Now.TotalNanoseconds);

    public PcapngWriter(string path, string port, int baud)
    {
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.Read };
            if (!OperatingSystem.IsWindows())
            {
                // A key that is offered at an activation goes over the line, and so into the recording.
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            file = new FileStream(path, options);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{path}: {e.Message}");
        }

        WriteBlock(SectionHeader, [.. Bytes(ByteOrder), 1, 0, 0, 0, .. Enumerable.Repeat((byte)0xFF, 8), .. Option(4, Encoding.UTF8.GetBytes("devicehub-bench")), .. End]);
        WriteBlock(InterfaceDescription,
        [
            LinkType, 0, 0, 0, 0, 0, 0, 0, .. Option(2, Encoding.UTF8.GetBytes(port)),
            .. Option(3, Encoding.UTF8.GetBytes($"DeviceHub serial line, {baud} baud at first")), .. Option(9, [9]), .. End,
        ]);
    }

    private static byte[] End => [0, 0, 0, 0];

    /// <summary>Thread-safe. What is written is in the file at once, so that a kill leaves a good recording.</summary>
    public void Write(LineBytes bytes)
    {
        var time = zeroNs + (ulong)bytes.At.TotalNanoseconds;
        var data = bytes.Bytes.Span;
        lock (gate)
        {
            WriteBlock(EnhancedPacket,
            [
                .. Bytes(0), .. Bytes((uint)(time >> 32)), .. Bytes((uint)time), .. Bytes((uint)data.Length), .. Bytes((uint)data.Length), .. Padded(data),
                .. Option(2, Bytes((uint)(bytes.FromTerminal ? Inbound : Outbound))), .. End,
            ]);
        }
    }

    public void Dispose() => file.Dispose();

    private void WriteBlock(uint type, ReadOnlySpan<byte> body)
    {
        var length = Bytes((uint)(body.Length + 12));
        file.Write([.. Bytes(type), .. length, .. body, .. length]);
        file.Flush();
    }

    private static byte[] Option(ushort code, ReadOnlySpan<byte> value) => [(byte)code, (byte)(code >> 8), (byte)value.Length, (byte)(value.Length >> 8), .. Padded(value)];

    private static byte[] Padded(ReadOnlySpan<byte> bytes)
    {
        var padded = new byte[(bytes.Length + 3) / 4 * 4];
        bytes.CopyTo(padded);
        return padded;
    }

    private static byte[] Bytes(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }
}

/// <summary>Reads recordings, of this tool and others of the same link type.</summary>
internal static class PcapngReader
{
    private const int LargestBlock = 1 << 20;

    /// <summary>The packets, with times from the first one on. What is cut at its end is read up to there.</summary>
    public static IReadOnlyList<LineBytes> Read(string path)
    {
        byte[] file;
        try
        {
            file = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{path}: {e.Message}");
        }

        if (file.Length < 28 || Number(file, 0) != 0x0A0D0D0A || Number(file, 8) != 0x1A2B3C4D)
        {
            throw new BadInputException($"{path}: not a pcapng recording (little endian)");
        }

        var packets = new List<(bool FromTerminal, byte[] Bytes, ulong Ns)>();
        for (var at = 0; at + 12 <= file.Length;)
        {
            var length = (int)Number(file, at + 4);
            if (length is < 12 or > LargestBlock || length % 4 != 0)
            {
                throw new BadInputException($"{path}: byte {at}: a block of {length} bytes");
            }

            if (at + length > file.Length)
            {
                break;
            }

            Take(file.AsSpan(at, length), path, at, packets);
            at += length;
        }

        var first = packets.Count > 0 ? packets[0].Ns : 0;
        return [.. packets.Select(p => new LineBytes(p.FromTerminal, p.Bytes, TimeSpan.FromMicroseconds((p.Ns - first) / 1000.0)))];
    }

    private static void Take(ReadOnlySpan<byte> block, string path, int at, List<(bool FromTerminal, byte[] Bytes, ulong Ns)> packets)
    {
        var type = Number(block, 0);
        if (type == 1 && BinaryPrimitives.ReadUInt16LittleEndian(block[8..]) != PcapngWriter.LinkType)
        {
            throw new BadInputException($"{path}: link type {BinaryPrimitives.ReadUInt16LittleEndian(block[8..])}; a serial line is {PcapngWriter.LinkType} (USER0)");
        }

        if (type != 6)
        {
            return;
        }

        if (block.Length < 32 || Number(block, 20) is var length && length > block.Length - 32)
        {
            throw new BadInputException($"{path}: byte {at}: a packet that does not fit its block");
        }

        var time = ((ulong)Number(block, 12) << 32) | Number(block, 16);
        var size = (int)Number(block, 20);
        var options = block[(28 + ((size + 3) / 4 * 4))..^4];
        packets.Add((IsInbound(options), block.Slice(28, size).ToArray(), time));
    }

    private static bool IsInbound(ReadOnlySpan<byte> options)
    {
        while (options.Length >= 4)
        {
            var (code, length) = (BinaryPrimitives.ReadUInt16LittleEndian(options), BinaryPrimitives.ReadUInt16LittleEndian(options[2..]));
            if (code == 2 && length == 4 && options.Length >= 8)
            {
                return (Number(options, 4) & 3) == 1;
            }

            var whole = 4 + ((length + 3) / 4 * 4);
            if (code == 0 || whole > options.Length)
            {
                break;
            }

            options = options[whole..];
        }

        return false;
    }

    private static uint Number(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);
}
