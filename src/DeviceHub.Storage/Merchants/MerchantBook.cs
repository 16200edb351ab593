using System.Security.Cryptography;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.People;
using Microsoft.EntityFrameworkCore;

namespace DeviceHub.Storage;

internal sealed class MerchantBook(HubReads reads, HubWrites writes, AuditLog audit, RecordLimit limit, TimeProvider clock) : IMerchantBook
{
    public Task<IReadOnlyList<Merchant>> Merchants(string? search, int skip, int limit, CancellationToken stop) => reads.Run<IReadOnlyList<Merchant>>(
        async (db, cancel) =>
        {
            var rows = db.Merchants.AsQueryable();
            rows = string.IsNullOrWhiteSpace(search) ? rows : rows.Where(m => EF.Functions.Like(m.Name, SqlText.Like(search), SqlText.Escape));
            return await rows.OrderBy(m => m.Name).ThenBy(m => m.Id).Skip(skip).Take(limit).Select(m => new Merchant(m.Id, m.Name, m.Created)).ToListAsync(cancel);
        },
        stop);

    public Task<IReadOnlyList<Store>> Stores(string? merchantId, string? search, int skip, int limit, CancellationToken stop) => reads.Run<IReadOnlyList<Store>>(
        async (db, cancel) =>
        {
            var rows = db.Stores.AsQueryable();
            rows = merchantId is null ? rows : rows.Where(s => s.MerchantId == merchantId);
            rows = string.IsNullOrWhiteSpace(search) ? rows : rows.Where(s => EF.Functions.Like(s.Name, SqlText.Like(search), SqlText.Escape));
            return await rows.OrderBy(s => s.Name).ThenBy(s => s.Id).Skip(skip).Take(limit)
                .Select(s => new Store(s.Id, s.MerchantId, s.Merchant!.Name, s.Name, s.Created)).ToListAsync(cancel);
        },
        stop);

    public Task<Store?> Store(string id, CancellationToken stop) => reads.Run(
        (db, cancel) => db.Stores.Where(s => s.Id == id).Select(s => new Store(s.Id, s.MerchantId, s.Merchant!.Name, s.Name, s.Created)).FirstOrDefaultAsync(cancel), stop);

    public Task<Merchant?> Merchant(string id, CancellationToken stop) => reads.Run(
        (db, cancel) => db.Merchants.Where(m => m.Id == id).Select(m => new Merchant(m.Id, m.Name, m.Created)).FirstOrDefaultAsync(cancel), stop);

    public Task<Made<Merchant>> AddMerchant(string name, Actor by, CancellationToken stop)
    {
        var row = new MerchantRow { Id = NewId("m"), Name = name, Created = clock.GetUtcNow() };
        return writes.Run(
            async (db, cancel) =>
            {
                if (await db.Merchants.CountAsync(cancel) >= limit.Each)
                {
                    return new Made<Merchant>(null, NotMade.TooMany);
                }

                db.Merchants.Add(row);
                db.Audit.Add(audit.Row(by, "merchant.create", "merchant:" + row.Id, null, new { row.Name }));
                await db.SaveChangesAsync(cancel);
                return new Made<Merchant>(new(row.Id, row.Name, row.Created));
            },
            stop);
    }

    public Task<Made<Store>> AddStore(string merchantId, string name, Actor by, CancellationToken stop)
    {
        var row = new StoreRow { Id = NewId("s"), MerchantId = merchantId, Name = name, Created = clock.GetUtcNow() };
        return writes.Run(
            async (db, cancel) =>
            {
                if (await db.Merchants.FirstOrDefaultAsync(m => m.Id == merchantId, cancel) is not { } merchant)
                {
                    return new Made<Store>(null, NotMade.NoSuchMerchant);
                }

                if (await db.Stores.AnyAsync(s => s.MerchantId == merchantId && s.Name == name, cancel))
                {
                    return new Made<Store>(null, NotMade.NameTaken);
                }

                if (await db.Stores.CountAsync(cancel) >= limit.Each)
                {
                    return new Made<Store>(null, NotMade.TooMany);
                }

                db.Stores.Add(row);
                db.Audit.Add(audit.Row(by, "store.create", "store:" + row.Id, null, new { row.MerchantId, row.Name }));
                await db.SaveChangesAsync(cancel);
                return new Made<Store>(new(row.Id, merchantId, merchant.Name, row.Name, row.Created));
            },
            stop);
    }

    internal static string NewId(string prefix) => prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
}
