using DeviceHub.Core.Payments;

namespace DeviceHub.Channels.Alipay;

/// <summary>Lines of a bill, bounded: a file without line ends, or a zip that unpacks for ever, ends here.</summary>
internal sealed class BillLines(StreamReader reader)
{
    private const int MaxLine = 16 * 1024;
    private const int MaxLines = 20_000_000;

    private readonly char[] buffer = new char[32 * 1024];
    private int start;
    private int end;

    /// <summary>Of the line that was read last, from 1.</summary>
    public int Number { get; private set; }

    /// <summary>Null: there is none any more.</summary>
    /// <exception cref="BillException">A line is too long, or the file is damaged.</exception>
    public async ValueTask<string?> Next(CancellationToken cancellationToken)
    {
        while (true)
        {
            var length = buffer.AsSpan(start, end - start).IndexOf('\n');
            if (length >= 0)
            {
                return Take(length, 1);
            }

            if (end - start > MaxLine)
            {
                throw new BillException($"line {Number + 1} of the bill is longer than {MaxLine} characters");
            }

            if (await Fill(cancellationToken) == 0)
            {
                return end > start ? Take(end - start, 0) : null;
            }
        }
    }

    private string Take(int length, int separator)
    {
        if (++Number > MaxLines)
        {
            throw new BillException($"the bill has more than {MaxLines} lines");
        }

        var line = buffer.AsSpan(start, length).TrimEnd('\r').ToString();
        start += length + separator;
        return line;
    }

    private async ValueTask<int> Fill(CancellationToken cancellationToken)
    {
        buffer.AsSpan(start, end - start).CopyTo(buffer);
        (start, end) = (0, end - start);
        try
        {
            var read = await reader.ReadAsync(buffer.AsMemory(end), cancellationToken);
            end += read;
            return read;
        }
        catch (InvalidDataException e)
        {
            throw new BillException($"the bill is damaged after line {Number}", e);
        }
    }
}
