using DeviceHub.Core.People;
using DeviceHub.Server.Hosting;
using DeviceHub.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.ApiKeys;

/// <summary>Makes and ends API keys, for the API and for the page.</summary>
internal sealed class ApiKeyBook(HubReads reads, HubWrites writes, AuditLog audit, TimeProvider clock, IOptions<ServerOptions> options) : IApiKeys
{
    public IReadOnlyList<string> Scopes => Permission.Scopes;

    public async Task<IReadOnlyList<ApiKeyEntry>> List(int skip, int take, CancellationToken stop) =>
        [.. (await reads.Run((db, cancel) => db.ApiKeys.AsNoTracking().OrderByDescending(k => k.Created).Skip(skip).Take(take).ToListAsync(cancel), stop)).Select(Of)];

    public async Task<CreatedApiKey> Create(Actor by, string name, IReadOnlyList<string> scopes, DateTimeOffset? expires, string? merchantId, CancellationToken stop)
    {
        if (name.Trim() is not { Length: >= 1 and <= 100 } trimmed)
        {
            return new(null, null, ApiKeyFault.Name);
        }

        if (scopes.Count is 0 || scopes.Count > Permission.Scopes.Length || scopes.Any(s => !Permission.Scopes.Contains(s)))
        {
            return new(null, null, ApiKeyFault.Scopes);
        }

        if (Permission.MerchantFault(scopes, merchantId) is not null)
        {
            return new(null, null, ApiKeyFault.Till);
        }

        var key = ApiKey.Create();
        var row = new ApiKeyRow
        {
            Id = Guid.CreateVersion7(clock.GetUtcNow()).ToString("N"),
            Name = trimmed,
            Hash = ApiKey.Hash(key),
            Prefix = key[..8],
            Scopes = string.Join(' ', scopes.Distinct()),
            MerchantId = merchantId,
            CreatedBy = by.Name,
            Created = clock.GetUtcNow(),
            Expires = expires,
        };
        var after = new { row.Id, row.Name, row.Scopes, row.MerchantId, row.Expires };
        var entry = audit.Row(by, "api-key.create", "api-key:" + row.Id, null, after);
        var fault = await writes.Run<ApiKeyFault?>(
            async (db, cancel) =>
            {
                if (await db.ApiKeys.CountAsync(cancel) >= options.Value.MaxRecords)
                {
                    return ApiKeyFault.TooMany;
                }

                if (merchantId is not null && !await db.Merchants.AnyAsync(m => m.Id == merchantId, cancel))
                {
                    return ApiKeyFault.Merchant;
                }

                db.ApiKeys.Add(row);
                db.Audit.Add(entry);
                await db.SaveChangesAsync(cancel);
                return null;
            },
            stop);
        return fault is null ? new(key, Of(row), null) : new(null, null, fault);
    }

    public Task<bool> Revoke(Actor by, string id, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        return writes.Run(
            async (db, cancel) =>
            {
                if (await db.ApiKeys.FirstOrDefaultAsync(k => k.Id == id, cancel) is not { } row)
                {
                    return false;
                }

                if (row.Revoked is null)
                {
                    row.Revoked = now;
                    db.Audit.Add(audit.Row(by, "api-key.revoke", "api-key:" + id, new { Revoked = (DateTimeOffset?)null }, new { Revoked = now }));
                    await db.SaveChangesAsync(cancel);
                }

                return true;
            },
            stop);
    }

    private static ApiKeyEntry Of(ApiKeyRow row) => new(row.Id, row.Prefix, row.Name, row.Scopes.Split(' '), row.MerchantId, row.CreatedBy, row.Created, row.Expires, row.Revoked);
}
