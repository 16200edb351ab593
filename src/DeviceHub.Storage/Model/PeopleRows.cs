using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Identity;

namespace DeviceHub.Storage;

/// <summary>A person who signs in.</summary>
public sealed class HubUser : IdentityUser
{
    public DateTimeOffset Created { get; init; }

    /// <summary>One of <see cref="Core.People.Roles"/>.</summary>
    [MaxLength(20)]
    public required string Role { get; set; }

    /// <summary>The password was given by somebody else: it opens nothing but the page where the person chooses an own one.</summary>
    public bool MustSetUp { get; set; }

    /// <summary>Since when the person may not sign in; null: may.</summary>
    public DateTimeOffset? Disabled { get; set; }

    /// <summary>The second factor's key, sealed; null: there is no second factor.</summary>
    [MaxLength(512)]
    public string? SecondFactorKey { get; set; }

    /// <summary>The step of time of the last code that was taken: no code is taken twice.</summary>
    public long SecondFactorStep { get; set; }

    /// <summary>SHA-256 of each recovery code that is left, hexadecimal, separated by spaces.</summary>
    [MaxLength(2048)]
    public string? RecoveryCodes { get; set; }
}

/// <summary>A person's sign-in in one browser.</summary>
public sealed class SessionRow
{
    /// <summary>SHA-256 of what the browser's cookie carries, hexadecimal.</summary>
    [Key, MaxLength(64)]
    public required string Id { get; init; }

    [MaxLength(64)]
    public required string UserId { get; init; }

    public DateTimeOffset Created { get; init; }

    /// <summary>To the minute or so.</summary>
    public DateTimeOffset LastSeen { get; set; }

    [MaxLength(64)]
    public string? Address { get; init; }

    /// <summary>As the browser calls itself, cut.</summary>
    [MaxLength(200)]
    public string? UserAgent { get; init; }

    /// <summary>Null: it goes on.</summary>
    public DateTimeOffset? Ended { get; set; }
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
