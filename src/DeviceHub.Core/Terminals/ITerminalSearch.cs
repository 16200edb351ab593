namespace DeviceHub.Core.Terminals;

/// <summary>Finds terminals for people and programs. Sightings in it are up to <c>Storage:LastSeenInterval</c> behind.</summary>
/// <remarks>Each throws <see cref="TimeoutException"/> when it took longer than reads may.</remarks>
public interface ITerminalSearch
{
    /// <param name="skip">Rows to leave out first.</param>
    Task<IReadOnlyList<TerminalSummary>> Find(TerminalFilter filter, TerminalOrder order, int skip, int limit, CancellationToken stop);

    /// <summary>How many the filter finds, counted no further than <paramref name="atMost"/>.</summary>
    Task<int> Count(TerminalFilter filter, int atMost, CancellationToken stop);

    /// <summary>By serial number, those after this one: a way through all of them, whatever changes meanwhile.</summary>
    /// <param name="after">Null: from the first.</param>
    Task<IReadOnlyList<TerminalSummary>> After(TerminalFilter filter, string? after, int limit, CancellationToken stop);

    /// <summary>Terminals that were found before, as they are now, in no order; one that is gone is left out.</summary>
    Task<IReadOnlyList<TerminalSummary>> Read(IReadOnlyCollection<string> serialNumbers, CancellationToken stop);

    /// <summary>What there is to filter by, each at most <paramref name="limit"/>.</summary>
    Task<TerminalKinds> Kinds(int limit, CancellationToken stop);
}

/// <summary>What terminals are looked for; null: whatever it is.</summary>
public sealed record TerminalFilter
{
    /// <summary>A part of the serial number, or of the merchant's or store's name.</summary>
    public string? Text { get; init; }

    public TerminalStatus? Status { get; init; }

    public PresenceFilter? Presence { get; init; }

    public string? Model { get; init; }

    public string? MerchantId { get; init; }

    public string? StoreId { get; init; }

    /// <summary>Of its last heartbeat.</summary>
    public string? Firmware { get; init; }

    /// <summary>What it reports is not the configuration that is desired.</summary>
    public bool? Drifts { get; init; }
}

/// <summary>What a list asks of <see cref="TerminalState"/>.</summary>
public enum PresenceFilter
{
    /// <summary>Not connected.</summary>
    Offline,

    /// <summary>Connected, and not heard lately.</summary>
    Silent,

    /// <summary>At least connected.</summary>
    Connected,

    /// <summary>At least responsive.</summary>
    Responsive,
    Payable,

    /// <summary>Responsive and not payable.</summary>
    NotPayable,
}

public enum TerminalSort
{
    SerialNumber,
    LastSeen,
    Store,
    Status,
    Registered,
}

/// <summary>Equal ones are by serial number.</summary>
public readonly record struct TerminalOrder(TerminalSort By, bool Descending);

/// <summary>A terminal in a list.</summary>
/// <param name="Firmware">Of its last heartbeat; null: there was none.</param>
public sealed record TerminalSummary(
    string SerialNumber, TerminalStatus Status, string Model, string? MerchantId, string? MerchantName, string? StoreId, string? StoreName, DateTimeOffset RegisteredAt,
    DateTimeOffset? ActivatedAt, DateTimeOffset? LastSeen, string? Firmware, bool Drifts, PaymentTrouble Trouble, TerminalState State);

public sealed record TerminalKinds(IReadOnlyList<string> Models, IReadOnlyList<string> Firmwares);
