using System.ComponentModel.DataAnnotations;

namespace DeviceHub.Storage;

/// <summary>A merchant's account at a channel. Rows are never removed: the ledger names them. Only <c>ChannelAccountStore</c> reads and writes the three documents.</summary>
public sealed class ChannelAccountRow
{
    [Key, MaxLength(64)]
    public required string Id { get; init; }

    [MaxLength(64)]
    public required string MerchantId { get; init; }

    [MaxLength(64)]
    public required string Channel { get; init; }

    /// <summary>A copy of the terms' name, for lists.</summary>
    [MaxLength(64)]
    public required string Name { get; set; }

    /// <summary>JSON of <c>AccountTerms</c>.</summary>
    public required string Terms { get; set; }

    /// <summary>JSON of what may be read again.</summary>
    public required string Settings { get; set; }

    /// <summary>JSON of what may not: each encrypted, with the time at which it was set.</summary>
    public required string Secrets { get; set; }

    public DateTimeOffset Created { get; init; }

    public DateTimeOffset Changed { get; set; }

    /// <summary>From 1; each change adds 1.</summary>
    public long Version { get; set; }
}
