using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Identity;

namespace DeviceHub.Storage;

/// <summary>A person who signs in.</summary>
public sealed class HubUser : IdentityUser
{
    public DateTimeOffset Created { get; init; }
}

/// <summary>A key of a program. The key itself is shown once and never stored.</summary>
public sealed class ApiKeyRow
{
    [Key, MaxLength(64)]
    public required string Id { get; init; }

    [MaxLength(200)]
    public required string Name { get; init; }

    /// <summary>SHA-256 of the whole key, hexadecimal; unique.</summary>
    public required string Hash { get; init; }

    /// <summary>The key's first characters, by which people tell keys apart.</summary>
    public required string Prefix { get; init; }

    /// <summary>What it may do: words separated by spaces.</summary>
    public required string Scopes { get; init; }

    /// <summary>Whose charges it is for; null: it is the hub's own.</summary>
    [MaxLength(64)]
    public string? MerchantId { get; init; }

    public required string CreatedBy { get; init; }

    public DateTimeOffset Created { get; init; }

    public DateTimeOffset? Expires { get; init; }

    public DateTimeOffset? Revoked { get; set; }

    public DateTimeOffset? LastUsed { get; set; }
}

/// <summary>What a person or a program did (I12). Rows are only added.</summary>
public sealed class AuditRow
{
    public long Id { get; init; }

    public DateTimeOffset At { get; init; }

    /// <summary><c>user:NAME</c>, <c>key:ID</c>, <c>nobody</c>, who has not signed in, or <c>system</c>.</summary>
    public required string Who { get; init; }

    /// <summary>The action: <c>terminal.suspend</c>, <c>activation-code.create</c>, ...</summary>
    public required string What { get; init; }

    /// <summary>What it was done to: <c>terminal:SN</c>, ...</summary>
    public required string Subject { get; init; }

    /// <summary>JSON, no secrets; null: there was nothing.</summary>
    public string? Before { get; init; }

    public string? After { get; init; }

    public string? Address { get; init; }
}
