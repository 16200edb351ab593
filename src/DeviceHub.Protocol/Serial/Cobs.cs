namespace DeviceHub.Protocol.Serial;

/// <summary>Consistent overhead byte stuffing: bytes without a zero byte, at most one byte in 254 longer.</summary>
public static class Cobs
{
    /// <summary>The code of a piece of 254 bytes, after which no zero byte is implied.</summary>
    internal const int FullPiece = 0xFF;
    private const int PieceBytes = FullPiece - 1;

    /// <summary>The most bytes that content of this length is written as; content is never empty here.</summary>
    public static int MaxEncodedBytes(int contentBytes) => contentBytes + ((contentBytes + PieceBytes - 1) / PieceBytes);

    /// <summary>Writes content, which is not empty, and returns how many bytes it took.</summary>
    public static int Encode(ReadOnlySpan<byte> content, Span<byte> destination)
    {
        var written = 0;
        while (true)
        {
            var room = Math.Min(content.Length, PieceBytes);
            var zero = content[..room].IndexOf((byte)0);
            var length = zero >= 0 ? zero : room;
            destination[written++] = (byte)(length + 1);
            content[..length].CopyTo(destination[written..]);
            written += length;
            content = content[length..];
            if (zero >= 0)
            {
                content = content[1..];
            }
            else if (content.IsEmpty)
            {
                return written;
            }
        }
    }
}
