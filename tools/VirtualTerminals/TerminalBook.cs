using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DeviceHub.Tools.VirtualTerminals;

/// <summary>
/// The terminals' own book: what was scanned and what the terminal was told about it. It is kept apart from the hub so that the two can
/// be compared. With a file every change is a line of JSON; the file is for people and is not read back. It holds up to
/// <see cref="MaxEntries"/> payments; a fleet stops scanning when it is full.
/// </summary>
public sealed class TerminalBook(string? file = null) : IDisposable
{
    /// <summary>About 400 bytes each.</summary>
    public const int MaxEntries = 1_000_000;

    private readonly ConcurrentDictionary<string, BookEntry> entries = new();
    private readonly StreamWriter? writer = file is null ? null : new StreamWriter(file, append: true) { AutoFlush = true };
    private readonly Lock gate = new();

    public IReadOnlyCollection<BookEntry> Entries => [.. entries.Values];

    public bool IsFull => entries.Count >= MaxEntries;

    public BookEntry? Find(string serialNumber, string requestId) => entries.GetValueOrDefault($"{serialNumber}/{requestId}");

    public void Dispose() => writer?.Dispose();

    internal BookEntry Change(string serialNumber, string requestId, Func<BookEntry?, BookEntry> change)
    {
        lock (gate)
        {
            var key = $"{serialNumber}/{requestId}";
            var entry = change(entries.GetValueOrDefault(key));
            entries[key] = entry;
            writer?.WriteLine(JsonSerializer.Serialize(entry, BookJson.Default.BookEntry));
            return entry;
        }
    }
}

/// <summary>What a terminal believes about a payment, from weakest to strongest.</summary>
public enum Told
{
    /// <summary>Nothing was answered yet.</summary>
    Nothing,
    Refused,
    Accepted,
    InDoubt,
    Approved,
    Declined,
    NotCharged,
    Refunded,
}

/// <summary>One scan and what the terminal was told about it.</summary>
/// <param name="Refusal">The refusal's code and detail.</param>
/// <param name="WasAccepted">The hub once said that the request is in its ledger.</param>
/// <param name="Contradiction">What two answers said against each other (I2): must stay null.</param>
public sealed record BookEntry(
    string SerialNumber,
    string RequestId,
    long AmountFen,
    DateTimeOffset ScannedAt,
    Told Told = Told.Nothing,
    int Revision = 0,
    long PaidFen = 0,
    double? OutcomeMs = null,
    bool WasAccepted = false,
    string? Refusal = null,
    string? Contradiction = null)
{
    /// <summary>The terminal knows what became of it; nothing more is owed to it.</summary>
    [JsonIgnore]
    public bool IsSettled => Told is not (Told.Nothing or Told.Accepted or Told.InDoubt);

    /// <summary>The hub has acknowledged it: it must be in the ledger for ever.</summary>
    [JsonIgnore]
    public bool IsAcknowledged => WasAccepted || Told is not (Told.Nothing or Told.Refused);
}

[JsonSourceGenerationOptions(UseStringEnumConverter = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BookEntry))]
internal sealed partial class BookJson : JsonSerializerContext;
