using DeviceHub.Core.People;

namespace DeviceHub.Core.Terminals;

/// <summary>A terminal's life. Stored by value: never renumber.</summary>
[GenerateSerializer, Alias("dh.TerminalStatus")]
public enum TerminalStatus
{
    None = 0,

    /// <summary>Known by its serial number, without a key that was ever used.</summary>
    Registered = 1,
    Active = 2,
    Suspended = 3,
    Retired = 4,
}

/// <summary>What the store keeps of a terminal. Keys are plain here and encrypted in the store.</summary>
[GenerateSerializer, Immutable, Alias("dh.TerminalRecord")]
public sealed record TerminalRecord
{
    [Id(0)] public required string SerialNumber { get; init; }
    [Id(1)] public required TerminalStatus Status { get; init; }

    /// <summary>From the activation code; decides whether it must seal.</summary>
    [Id(2)] public string Model { get; init; } = "";
    [Id(3)] public string? MerchantId { get; init; }
    [Id(4)] public string? MerchantName { get; init; }
    [Id(5)] public string? StoreId { get; init; }
    [Id(6)] public string? StoreName { get; init; }

    /// <summary>The key that logs in.</summary>
    [Id(7)] public SecretBytes? Key { get; init; }

    /// <summary>A key that was offered by an activation and has not been used yet; its first use makes it the key.</summary>
    [Id(8)] public SecretBytes? OfferedKey { get; init; }

    /// <summary>Bound at the first login.</summary>
    [Id(9)] public string? HardwareId { get; init; }

    /// <summary>Its own limit of one payment; null: the option's.</summary>
    [Id(10)] public long? MaxAmountFen { get; init; }

    /// <summary>Desired configuration: JSON document, version (0: none) and hash of its entries.</summary>
    [Id(11)] public string? DesiredConfiguration { get; init; }
    [Id(12)] public long DesiredVersion { get; init; }
    [Id(13)] public byte[]? DesiredHash { get; init; }

    /// <summary>What the terminal last said it applied.</summary>
    [Id(14)] public ConfigurationReport? Reported { get; init; }
    [Id(15)] public DateTimeOffset RegisteredAt { get; init; }
    [Id(16)] public DateTimeOffset? ActivatedAt { get; init; }

    /// <summary>Of the row; a save with an older one is refused.</summary>
    [Id(17)] public long Version { get; init; }

    /// <summary>Characters of a serial number, at most.</summary>
    public const int MaxSerialNumber = 64;

    /// <summary>False: no terminal can have it, and no grain is woken for it.</summary>
    public static bool IsSerialNumber(string text) =>
        text.Length is >= 1 and <= MaxSerialNumber && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    /// <summary>The newest login token that went over a plain wire: anybody may have seen it, so it and older ones let nobody in again.</summary>
    [Id(18)] public DateTimeOffset? TokenUsed { get; init; }

    /// <summary>The first that was turned away since a person last resumed the terminal; null: none.</summary>
    [Id(19)] public OtherHardware? OtherHardware { get; init; }
}

[GenerateSerializer, Alias("dh.ConfigurationResult")]
public enum ConfigurationResult { None = 0, Applied = 1, HashMismatch = 2, Refused = 3 }

[GenerateSerializer, Immutable, Alias("dh.ConfigurationReport")]
public sealed record ConfigurationReport(
    [property: Id(0)] long Version,
    [property: Id(1)] byte[] Hash,
    [property: Id(2)] ConfigurationResult Result,
    [property: Id(3)] string? Detail,
    [property: Id(4)] DateTimeOffset At);

/// <summary>The last heartbeat, as JSON of the wire's own field names: kept for people, not decided upon.</summary>
/// <param name="Figures">What charts are made of; null: nothing of it was said.</param>
[GenerateSerializer, Immutable, Alias("dh.HeartbeatReport")]
public sealed record HeartbeatReport(
    [property: Id(0)] string Firmware,
    [property: Id(1)] long ConfigurationVersion,
    [property: Id(2)] string Json,
    [property: Id(3)] HeartbeatFigures? Figures = null);

/// <summary>Rows of terminals and activation codes. Saves pass the write gate; an admin's change and a grain's meet by version.</summary>
public interface ITerminalStore
{
    ValueTask<TerminalRecord?> Load(string serialNumber);

    /// <summary>
    /// Inserts (Version 0) or updates; the row's version becomes the record's plus 1. False: another writer was faster; load again.
    /// </summary>
    /// <param name="deed">Written in the same transaction; null: no person did this.</param>
    ValueTask<bool> Save(TerminalRecord record, Deed? deed = null);

    /// <summary>
    /// Reserves one use of the code for this serial number; the same pair again keeps its one reservation. Null: no such code, or
    /// used up, expired, revoked.
    /// </summary>
    /// <param name="fingerprint"><see cref="HubKeys.ActivationFingerprint"/> of the normalised code.</param>
    ValueTask<ActivationGrant?> ReserveActivation(string fingerprint, string serialNumber, DateTimeOffset now);

    /// <summary>
    /// In one transaction: the record's save and its reservation's consumption. False: as <see cref="Save"/>.
    /// </summary>
    ValueTask<bool> SaveActivated(TerminalRecord record, DateTimeOffset now);
}

/// <summary>What an activation code gives.</summary>
public sealed record ActivationGrant(string MerchantId, string MerchantName, string StoreId, string StoreName, string Model);

/// <summary>Last-seen times and heartbeats: taken in memory, written in batches, may lose the last seconds in a crash.</summary>
public interface ILastSeen
{
    /// <summary>Never waits. A newer sighting of the same terminal replaces one that was not written yet.</summary>
    void Saw(Sighting sighting);
}

/// <param name="Heartbeat">Null: seen for another reason; the stored heartbeat stays.</param>
/// <param name="Connected">False: its session has ended.</param>
/// <param name="Sample">For charts, when one is due.</param>
public sealed record Sighting(
    string SerialNumber, DateTimeOffset At, string? Address, HeartbeatReport? Heartbeat, bool Connected = true, HeartbeatFigures? Sample = null);
