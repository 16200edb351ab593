using System.Buffers.Binary;

namespace DeviceHub.Server.Api;

/// <summary>
/// Sets the times of a zip's entries to the format's first day, so that the same contents are the same bytes whenever they were written. For
/// archives below 4 GB and without a comment, which is what <see cref="System.IO.Compression.ZipArchive"/> writes of a report.
/// </summary>
internal static class ZipTimes
{
    private const int EndLength = 22;
    private const int CentralLength = 46;
    private const uint EndMark = 0x06054b50;
    private const uint CentralMark = 0x02014b50;
    private const uint LocalMark = 0x04034b50;

    /// <summary>1980-01-01 00:00:00: the time, then the date, as DOS has them.</summary>
    private static ReadOnlySpan<byte> FirstDay => [0, 0, 0x21, 0];

    /// <exception cref="InvalidDataException">It is no such archive.</exception>
    public static void Clear(FileStream zip)
    {
        Span<byte> end = stackalloc byte[EndLength];
        Read(zip, zip.Length - EndLength, end, EndMark);
        long at = BinaryPrimitives.ReadUInt32LittleEndian(end[16..]);
        var entries = BinaryPrimitives.ReadUInt16LittleEndian(end[10..]);
        Span<byte> central = stackalloc byte[CentralLength];
        Span<byte> local = stackalloc byte[4];
        for (var i = 0; i < entries; i++)
        {
            Read(zip, at, central, CentralMark);
            long start = BinaryPrimitives.ReadUInt32LittleEndian(central[42..]);
            Read(zip, start, local, LocalMark);
            Write(zip, at + 12);
            Write(zip, start + 10);
            at += CentralLength + BinaryPrimitives.ReadUInt16LittleEndian(central[28..]) + BinaryPrimitives.ReadUInt16LittleEndian(central[30..])
                + BinaryPrimitives.ReadUInt16LittleEndian(central[32..]);
        }
    }

    private static void Read(FileStream zip, long at, Span<byte> into, uint mark)
    {
        zip.Position = at;
        zip.ReadExactly(into);
        if (BinaryPrimitives.ReadUInt32LittleEndian(into) != mark)
        {
            throw new InvalidDataException($"at byte {at} of the archive something else stands");
        }
    }

    private static void Write(FileStream zip, long at)
    {
        zip.Position = at;
        zip.Write(FirstDay);
    }
}
