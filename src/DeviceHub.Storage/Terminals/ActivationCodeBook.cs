using System.Text.Json;
using DeviceHub.Core;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.People;
using DeviceHub.Core.Terminals;
using Microsoft.EntityFrameworkCore;

namespace DeviceHub.Storage;

internal sealed class ActivationCodeBook(HubReads reads, HubWrites writes, AuditLog audit, HubKeys keys, RecordLimit limit, TimeProvider clock) : IActivationCodes
{
    public Task<IReadOnlyList<ActivationCodeSummary>> Find(ActivationCodeFilter filter, int skip, int limit, CancellationToken stop) => reads.Run<IReadOnlyList<ActivationCodeSummary>>(
        async (db, cancel) =>
        {
            var now = clock.GetUtcNow();
            var rows = await Matching(db, filter, now).Include(c => c.Store!).ThenInclude(s => s.Merchant)
                .OrderByDescending(c => c.CreatedAt).ThenBy(c => c.Id).Skip(skip).Take(limit).Select(c => new { Code = c, Used = c.Uses.Count }).ToListAsync(cancel);
            var ids = JsonSerializer.Serialize(rows.Where(r => r.Used > 0).Select(r => r.Code.Id));
            var named = await db.ActivationUses.FromSql(
                $"""
                SELECT code_id, serial_number, reserved_at, consumed_at
                FROM (SELECT *, row_number() OVER (PARTITION BY code_id ORDER BY reserved_at, serial_number) AS place FROM activation_use WHERE code_id IN (SELECT value FROM json_each({ids})))
                WHERE place <= {ActivationCodeRules.MaxNamed}
                """).AsNoTracking().ToListAsync(cancel);
            var uses = named.ToLookup(u => u.CodeId);
            return [.. rows.Select(r => Of(r.Code, r.Used, uses[r.Code.Id], now))];
        },
        stop);

    public Task<Made<NewActivationCode>> Create(string storeId, string model, int uses, TimeSpan validFor, Actor by, CancellationToken stop)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(uses, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(uses, ActivationCodeRules.MaxUses);
        CheckValid(validFor);
        var code = ActivationCodes.Create();
        var now = clock.GetUtcNow();
        var row = new ActivationCodeRow
        {
            Id = MerchantBook.NewId("ac"),
            Fingerprint = keys.ActivationFingerprint(ActivationCodes.Normalise(code)!),
            Hint = code.Reveal()[^4..],
            StoreId = storeId,
            Model = model,
            MaxUses = uses,
            Expires = now + validFor,
            CreatedBy = by.Name,
            CreatedAt = now,
        };
        return writes.Run(
            async (db, cancel) =>
            {
                if (!await db.Stores.AnyAsync(s => s.Id == storeId, cancel))
                {
                    return new Made<NewActivationCode>(null, NotMade.NoSuchStore);
                }

                if (await db.ActivationCodes.CountAsync(cancel) >= limit.Each)
                {
                    return new Made<NewActivationCode>(null, NotMade.TooMany);
                }

                db.ActivationCodes.Add(row);
                db.Audit.Add(audit.Row(by, "activation-code.create", "activation-code:" + row.Id, null, new { row.StoreId, row.Model, row.MaxUses, row.Expires }));
                await db.SaveChangesAsync(cancel);
                return new Made<NewActivationCode>(new(row.Id, code, row.StoreId, row.Model, row.MaxUses, row.Expires));
            },
            stop);
    }

    public Task<Extended> Extend(string id, TimeSpan? validFor, int? moreUses, Actor by, CancellationToken stop)
    {
        if (validFor is { } time)
        {
            CheckValid(time);
        }

        ArgumentOutOfRangeException.ThrowIfNegative(moreUses ?? 0);
        var now = clock.GetUtcNow();
        return writes.Run(
            async (db, cancel) =>
            {
                if (await db.ActivationCodes.FirstOrDefaultAsync(c => c.Id == id, cancel) is not { } row)
                {
                    return Extended.NotFound;
                }

                var (uses, expires) = (row.MaxUses + (moreUses ?? 0), validFor is { } valid && now + valid > row.Expires ? now + valid : row.Expires);
                if (row.Revoked is not null || uses > ActivationCodeRules.MaxUses)
                {
                    return row.Revoked is not null ? Extended.Revoked : Extended.TooManyUses;
                }

                db.Audit.Add(audit.Row(by, "activation-code.extend", "activation-code:" + id, new { row.MaxUses, row.Expires }, new { MaxUses = uses, Expires = expires }));
                (row.MaxUses, row.Expires) = (uses, expires);
                await db.SaveChangesAsync(cancel);
                return Extended.Done;
            },
            stop);
    }

    public Task<bool> Revoke(string id, Actor by, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        return writes.Run(
            async (db, cancel) =>
            {
                if (await db.ActivationCodes.FirstOrDefaultAsync(c => c.Id == id, cancel) is not { } row)
                {
                    return false;
                }

                if (row.Revoked is null)
                {
                    row.Revoked = now;
                    db.Audit.Add(audit.Row(by, "activation-code.revoke", "activation-code:" + id, new { Revoked = (DateTimeOffset?)null }, new { Revoked = now }));
                    await db.SaveChangesAsync(cancel);
                }

                return true;
            },
            stop);
    }

    private static IQueryable<ActivationCodeRow> Matching(HubDbContext db, ActivationCodeFilter filter, DateTimeOffset now)
    {
        var rows = db.ActivationCodes.AsNoTracking();
        rows = filter.StoreId is { } store ? rows.Where(c => c.StoreId == store) : rows;
        if (!string.IsNullOrWhiteSpace(filter.Text))
        {
            var (like, hint) = (SqlText.Like(filter.Text.Trim()), filter.Text.Trim().ToUpperInvariant());
            rows = rows.Where(c => c.Hint == hint || EF.Functions.Like(c.Store!.Name, like, SqlText.Escape) || EF.Functions.Like(c.Store!.Merchant!.Name, like, SqlText.Escape));
        }

        return filter.State switch
        {
            null => rows,
            ActivationCodeState.Revoked => rows.Where(c => c.Revoked != null),
            ActivationCodeState.Expired => rows.Where(c => c.Revoked == null && c.Expires <= now),
            ActivationCodeState.UsedUp => rows.Where(c => c.Revoked == null && c.Expires > now && c.Uses.Count >= c.MaxUses),
            _ => rows.Where(c => c.Revoked == null && c.Expires > now && c.Uses.Count < c.MaxUses),
        };
    }

    private static ActivationCodeSummary Of(ActivationCodeRow row, int used, IEnumerable<ActivationUseRow> uses, DateTimeOffset now) => new(
        row.Id,
        row.Hint,
        row.StoreId,
        row.Store!.Name,
        row.Store.MerchantId,
        row.Store.Merchant!.Name,
        row.Model,
        row.MaxUses,
        row.Expires,
        row.Revoked,
        row.CreatedBy,
        row.CreatedAt,
        row.Revoked is not null ? ActivationCodeState.Revoked
            : row.Expires <= now ? ActivationCodeState.Expired
            : used >= row.MaxUses ? ActivationCodeState.UsedUp : ActivationCodeState.Open,
        used,
        [.. uses.OrderBy(u => u.ReservedAt).Select(u => new ActivationUse(u.SerialNumber, u.ReservedAt, u.ConsumedAt))]);

    private static void CheckValid(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(time, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(time, ActivationCodeRules.MaxValid);
    }
}
