using System.ComponentModel.DataAnnotations;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Terminals;

namespace DeviceHub.Storage;

public sealed class MerchantRow
{
    [Key, MaxLength(64)]
    public required string Id { get; init; }

    [MaxLength(200)]
    public required string Name { get; set; }

    public DateTimeOffset Created { get; init; }
}

public sealed class StoreRow
{
    [Key, MaxLength(64)]
    public required string Id { get; init; }

    public required string MerchantId { get; init; }

    [MaxLength(200)]
    public required string Name { get; set; }

    public DateTimeOffset Created { get; init; }

    public MerchantRow? Merchant { get; init; }
}

/// <summary>A terminal's row. Keys are encrypted; only <c>TerminalStore</c> reads and writes them.</summary>
public sealed class TerminalRow
{
    public required string SerialNumber { get; init; }

    public TerminalStatus Status { get; set; }

    public string Model { get; set; } = "";

    public string? MerchantId { get; set; }

    public string? MerchantName { get; set; }

    public string? StoreId { get; set; }

    public string? StoreName { get; set; }

    public byte[]? Key { get; set; }

    public byte[]? OfferedKey { get; set; }

    public string? HardwareId { get; set; }

    public long? MaxAmountFen { get; set; }

    public string? DesiredConfiguration { get; set; }

    public long DesiredVersion { get; set; }

    public byte[]? DesiredHash { get; set; }

    /// <summary>0 when nothing was ever reported; then the other Reported columns mean nothing.</summary>
    public ConfigurationResult ReportedResult { get; set; }

    public long ReportedVersion { get; set; }

    public byte[]? ReportedHash { get; set; }

    public string? ReportedDetail { get; set; }

    public DateTimeOffset? ReportedAt { get; set; }

    public DateTimeOffset RegisteredAt { get; init; }

    public DateTimeOffset? ActivatedAt { get; set; }

    public DateTimeOffset? TokenUsed { get; set; }

    /// <summary>When another board with its key was turned away; null: none was, and the other two mean nothing.</summary>
    public DateTimeOffset? OtherHardwareAt { get; set; }

    public string? OtherHardwareId { get; set; }

    public string? OtherHardwareAddress { get; set; }

    /// <summary>From 1; each save adds 1.</summary>
    public long Version { get; set; }
}

/// <summary>When a terminal was last heard; written in batches, so up to an interval behind.</summary>
public sealed class LastSeenRow
{
    public required string SerialNumber { get; init; }

    public DateTimeOffset At { get; set; }

    public string? Address { get; set; }

    public string? Firmware { get; set; }

    public long? ConfigurationVersion { get; set; }

    /// <summary>It has a session in this process; after a crash nobody has, until it logs in again.</summary>
    public bool Connected { get; set; }

    /// <summary>The last heartbeat as JSON of the wire's field names.</summary>
    public string? Heartbeat { get; set; }

    public DateTimeOffset? HeartbeatAt { get; set; }
}

/// <summary>
/// A terminal whose last payment speaks against it: a projection, and small, since it leaves with the next payment that goes end to end.
/// </summary>
public sealed class TerminalTroubleRow
{
    [Key]
    public required string SerialNumber { get; init; }

    /// <summary><see cref="PaymentRow.Seq"/>.</summary>
    public long PaymentSeq { get; set; }

    public required string RequestId { get; set; }

    public PaymentTrouble Trouble { get; set; }

    /// <summary>Until then it does not count: an outcome may still be shown.</summary>
    public DateTimeOffset CountsFrom { get; set; }
}

public sealed class ActivationCodeRow
{
    [Key, MaxLength(64)]
    public required string Id { get; init; }

    /// <summary>HMAC of the normalised code; the code itself is never stored.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>The code's last four characters, for people.</summary>
    public required string Hint { get; init; }

    public required string StoreId { get; init; }

    public required string Model { get; init; }

    public int MaxUses { get; set; }

    public DateTimeOffset Expires { get; set; }

    public DateTimeOffset? Revoked { get; set; }

    public required string CreatedBy { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public StoreRow? Store { get; init; }

    public List<ActivationUseRow> Uses { get; init; } = [];
}

/// <summary>One use of a code: reserved at the offer, consumed at the terminal's first login with the key.</summary>
public sealed class ActivationUseRow
{
    public required string CodeId { get; init; }

    public required string SerialNumber { get; init; }

    public DateTimeOffset ReservedAt { get; init; }

    public DateTimeOffset? ConsumedAt { get; set; }
}
