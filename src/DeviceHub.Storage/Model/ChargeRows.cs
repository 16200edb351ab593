using System.ComponentModel.DataAnnotations;
using DeviceHub.Core.Charges;

namespace DeviceHub.Storage;

/// <summary>A charge from the till. The ledger's Accept consumes it; everything else is a compare-and-set on the version.</summary>
public sealed class ChargeRow
{
    [Key, MaxLength(36)]
    public required string Id { get; init; }

    public required string Sn { get; init; }

    [MaxLength(64)]
    public required string MerchantId { get; init; }

    public required string StoreId { get; init; }

    [MaxLength(32)]
    public required string OrderNumber { get; init; }

    public long AmountFen { get; init; }

    [MaxLength(64)]
    public required string IdempotencyKey { get; init; }

    public required string MadeBy { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset ExpiresAt { get; init; }

    public ChargeStage Stage { get; set; }

    public ChargeEnd Ended { get; set; }

    public DateTimeOffset? CollectingAt { get; set; }

    public DateTimeOffset? EndedAt { get; set; }

    /// <summary><c>{sn}/{requestId}</c>.</summary>
    public string? Payment { get; set; }

    public int Revision { get; set; }

    /// <summary>When somebody must look at it; of one whose payment has news, 0.</summary>
    public DateTimeOffset? DueAt { get; set; }

    public long Version { get; set; }
}

/// <summary>Where a merchant is told of its charges. Only <c>WebhookBook</c> reads and writes the secret.</summary>
public sealed class WebhookRow
{
    [Key, MaxLength(64)]
    public required string MerchantId { get; init; }

    [MaxLength(256)]
    public required string Url { get; set; }

    /// <summary>Encrypted.</summary>
    public required byte[] Secret { get; set; }

    public DateTimeOffset SecretSetAt { get; set; }

    /// <summary>Nothing is sent before it: the last try failed.</summary>
    public DateTimeOffset NotBefore { get; set; }
}

/// <summary>What a webhook is still to be told. A row leaves when it was delivered; one that was given up stays for people for a while.</summary>
public sealed class WebhookEventRow
{
    [Key, MaxLength(64)]
    public required string Id { get; init; }

    [MaxLength(64)]
    public required string MerchantId { get; init; }

    /// <summary>JSON, as it is sent.</summary>
    public required byte[] Body { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Null: given up.</summary>
    public DateTimeOffset? DueAt { get; set; }

    public int Tries { get; set; }

    /// <summary>Of the last try.</summary>
    [MaxLength(200)]
    public string? Fault { get; set; }
}
