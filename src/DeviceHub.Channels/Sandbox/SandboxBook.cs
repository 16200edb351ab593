using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Win32.SafeHandles;

namespace DeviceHub.Channels.Sandbox;

public enum SandboxEntryKind
{
    /// <summary>The order exists; with a due time it will be charged or refused then.</summary>
    Taken,
    Charged,
    Refused,
    Closed,

    /// <summary>A reversal was answered and did nothing.</summary>
    ReversalIgnored,

    /// <summary>The charge of a late success was put off to the due time.</summary>
    PutOff,
    RefundIgnored,

    /// <summary>Money went back: a reversal (no number) or a refund.</summary>
    PaidBack,
}

/// <summary>One line of the bank's book.</summary>
/// <param name="Number">A refund's number.</param>
public readonly record struct SandboxEntry(
    DateTimeOffset At,
    SandboxEntryKind Kind,
    string Order,
    SandboxRule Rule,
    long AmountFen,
    DateTimeOffset? Due = null,
    string? Number = null);

/// <summary>What the bank did to a payer, for one order.</summary>
/// <param name="Charges">How often it took money: more than once must never be.</param>
/// <param name="NetFen">Taken less paid back.</param>
public sealed record SandboxCharge(string Order, long AmountFen, int Charges, long NetFen, bool Open);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(SandboxEntry))]
internal sealed partial class SandboxBookJson : JsonSerializerContext;

/// <summary>
/// The bank's book: append-only lines of JSON in its own file, each handed to the operating system before the bank answers, so it
/// survives the death of the process (not of the machine). A line that a death cut short was never answered for and is dropped.
/// </summary>
internal sealed class SandboxBook : IDisposable
{
    private readonly SafeFileHandle? file;
    private long length;

    /// <param name="path">Null or empty: nothing is kept.</param>
    public SandboxBook(string? path)
    {
        if (string.IsNullOrEmpty(path))
        {
            return;
        }

        var full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        file = File.OpenHandle(full, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
    }

    /// <summary>All whole lines from the start; afterwards the book stands at its end. Call once, before the first append.</summary>
    public IEnumerable<SandboxEntry> Replay()
    {
        if (file is null)
        {
            yield break;
        }

        var buffer = new byte[1 << 16];
        var filled = 0;
        long read = 0;
        while (true)
        {
            var got = RandomAccess.Read(file, buffer.AsSpan(filled), read);
            read += got;
            filled += got;
            var start = 0;
            for (int end; (end = buffer.AsSpan(start, filled - start).IndexOf((byte)'\n')) >= 0; start += end + 1)
            {
                yield return JsonSerializer.Deserialize(buffer.AsSpan(start, end), SandboxBookJson.Default.SandboxEntry);
                length += end + 1;
            }

            buffer.AsSpan(start, filled - start).CopyTo(buffer);
            filled -= start;
            if (got == 0)
            {
                RandomAccess.SetLength(file, length);
                yield break;
            }

            if (filled == buffer.Length)
            {
                throw new InvalidDataException($"the Sandbox's book has a line of more than {buffer.Length} bytes at byte {length}: it is not a book");
            }
        }
    }

    public void Append(in SandboxEntry entry)
    {
        if (file is null)
        {
            return;
        }

        using var line = new MemoryStream(256);
        JsonSerializer.Serialize(line, entry, SandboxBookJson.Default.SandboxEntry);
        line.WriteByte((byte)'\n');
        RandomAccess.Write(file, line.GetBuffer().AsSpan(0, (int)line.Length), length);
        length += line.Length;
    }

    public void Dispose() => file?.Dispose();
}
