using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using DeviceHub.Storage;
using Microsoft.AspNetCore.Authentication;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.ApiKeys;

/// <summary>Keys of programs: <c>Authorization: Bearer dhk_...</c> or <c>X-Api-Key: dhk_...</c>.</summary>
internal static class ApiKey
{
    public const string Scheme = "ApiKey";
    public const string Prefix = "dhk_";
    private const int Length = 4 + 43;

    /// <summary>256 random bits; they need no slow hash.</summary>
    public static string Create() =>
        Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    public static string Hash(string key) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    /// <summary>The key that a request carries; null: none, an empty one or a malformed one is returned as it is.</summary>
    public static string? From(HttpRequest request)
    {
        if (request.Headers.TryGetValue("X-Api-Key", out var header))
        {
            return header.ToString();
        }

        var authorization = request.Headers.Authorization.ToString();
        return authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? authorization["Bearer ".Length..].Trim() : null;
    }

    public static bool LooksRight(string key) => key.Length == Length && key.StartsWith(Prefix, StringComparison.Ordinal);
}

/// <summary>
/// Finds the key by its hash. A guess meets the index with a hash that its sender cannot steer, and the hashes are compared once more
/// in constant time.
/// </summary>
internal sealed class ApiKeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    HubReads reads,
    WrongCredentials wrong,
    TimeProvider clock) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (ApiKey.From(Request) is not { } key)
        {
            return AuthenticateResult.NoResult();
        }

        var arrived = wrong.Arrived();
        if (!ApiKey.LooksRight(key))
        {
            await wrong.Hold("api-key", arrived, Context.RequestAborted);
            return AuthenticateResult.Fail("not a key of this hub");
        }

        var hash = ApiKey.Hash(key);
        var row = await reads.Run((db, stop) => db.ApiKeys.AsNoTracking().FirstOrDefaultAsync(k => k.Hash == hash, stop), Context.RequestAborted);
        var now = clock.GetUtcNow();
        if (row is null || !CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(row.Hash), Encoding.ASCII.GetBytes(hash))
            || row.Revoked is not null || row.Expires <= now)
        {
            await wrong.Hold("api-key", arrived, Context.RequestAborted);
            return AuthenticateResult.Fail("no such key, or it was revoked or has expired");
        }

        var identity = new ClaimsIdentity(ApiKey.Scheme);
        identity.AddClaim(new Claim(ClaimTypes.NameIdentifier, row.Id));
        identity.AddClaim(new Claim(ClaimTypes.Name, "key:" + row.Id));
        foreach (var scope in row.Scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            identity.AddClaim(new Claim(Permission.ScopeClaim, scope));
        }

        if (row.MerchantId is { } merchant)
        {
            identity.AddClaim(new Claim(Permission.MerchantClaim, merchant));
        }

        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), ApiKey.Scheme));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.WWWAuthenticate = "Bearer";
        return Task.CompletedTask;
    }
}
