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
/// <param name="Account">The hub's account that it was asked through; null: nobody said.</param>
public readonly record struct SandboxEntry(
    DateTimeOffset At,
    SandboxEntryKind Kind,
    string Order,
    SandboxRule Rule,
    long AmountFen,
    DateTimeOffset? Due = null,
    string? Number = null,
    string? Account = null);

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

        foreach (var (entry, bytes) in Lines(long.MaxValue))
        {
            yield return entry;
            length += bytes;
        }

        RandomAccess.SetLength(file, length);
    }

    /// <summary>What is in it now; may be read beside appends. Null: nothing is kept.</summary>
    public IEnumerable<SandboxEntry>? Read() => file is null ? null : Lines(Volatile.Read(ref length)).Select(l => l.Entry);

    private IEnumerable<(SandboxEntry Entry, int Bytes)> Lines(long end)
    {
        var buffer = new byte[1 << 16];
        var filled = 0;
        long read = 0;
        while (true)
        {
            var got = RandomAccess.Read(file!, buffer.AsSpan(filled, (int)Math.Min(buffer.Length - filled, end - read)), read);
            read += got;
            filled += got;
            var start = 0;
            for (int line; (line = buffer.AsSpan(start, filled - start).IndexOf((byte)'\n')) >= 0; start += line + 1)
            {
                yield return (JsonSerializer.Deserialize(buffer.AsSpan(start, line), SandboxBookJson.Default.SandboxEntry), line + 1);
            }

            buffer.AsSpan(start, filled - start).CopyTo(buffer);
            filled -= start;
            if (got == 0)
            {
                yield break;
            }

            if (filled == buffer.Length)
            {
                throw new InvalidDataException($"the Sandbox's book has a line of more than {buffer.Length} bytes before byte {read}: it is not a book");
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
        Volatile.Write(ref length, length + line.Length);
    }

    public void Dispose() => file?.Dispose();
}
