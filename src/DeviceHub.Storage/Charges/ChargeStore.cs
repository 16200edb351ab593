using DeviceHub.Core.Charges;
using Microsoft.EntityFrameworkCore;

namespace DeviceHub.Storage;

/// <summary>Rows of charges. Each write is one transaction under the write gate, so that it and the ledger's Accept see each other whole.</summary>
internal sealed class ChargeStore(HubWrites writes, ReadPool pool, LedgerKeys keys, WebhookBook webhooks) : IChargeStore
{
    public Task<ChargeOpening> Open(Charge charge, DateTimeOffset due) => writes.Run(async (db, stop) =>
    {
        var (merchant, order) = (charge.MerchantId, charge.OrderNumber);
        if (await db.Charges.FirstOrDefaultAsync(c => c.MerchantId == merchant && c.IdempotencyKey == charge.IdempotencyKey, stop) is { } same)
        {
            return new ChargeOpening(ChargeOpeningResult.KeyUsed, Of(same));
        }

        if (await db.Charges.FirstOrDefaultAsync(c => c.Sn == charge.SerialNumber && c.Ended == ChargeEnd.None, stop) is { } open)
        {
            return new(ChargeOpeningResult.TerminalTaken, Other: open.Id);
        }

        if (await db.Charges.FirstOrDefaultAsync(c => c.MerchantId == merchant && c.OrderNumber == order && c.Ended == ChargeEnd.None, stop) is { } elsewhere)
        {
            return new(ChargeOpeningResult.OrderOpen, Other: elsewhere.Id);
        }

        // A courtesy: the payment's own Accept is what keeps I13.
        if (await keys.Holder(db, new MerchantOrder(merchant, order), stop) is { } holder)
        {
            var runs = await db.Set<LivePaymentRow>().AnyAsync(l => l.Sn == holder.SerialNumber && l.RequestId == holder.RequestId && l.FinalAt == null, stop);
            return new(runs ? ChargeOpeningResult.OrderOpen : ChargeOpeningResult.OrderPaid, Other: holder.ToString());
        }

        db.Charges.Add(new ChargeRow
        {
            Id = charge.Id,
            Sn = charge.SerialNumber,
            MerchantId = merchant,
            StoreId = charge.StoreId,
            OrderNumber = order,
            AmountFen = charge.AmountFen,
            IdempotencyKey = charge.IdempotencyKey,
            MadeBy = charge.By,
            CreatedAt = charge.CreatedAt,
            ExpiresAt = charge.ExpiresAt,
            Stage = charge.Stage,
            DueAt = due,
            Version = 1,
        });
        await db.SaveChangesAsync(stop);
        return new(ChargeOpeningResult.Opened);
    });

    public Task<Charge?> Load(string id) => Find(rows => rows.Where(c => c.Id == id));

    public Task<Charge?> FindByKey(string merchantId, string idempotencyKey) =>
        Find(rows => rows.Where(c => c.MerchantId == merchantId && c.IdempotencyKey == idempotencyKey));

    public async Task<bool> Save(Charge charge, DateTimeOffset? due, ChargeNotice? notice)
    {
        var (saved, told) = await writes.Run(async (db, stop) =>
        {
            if (await db.Charges.FirstOrDefaultAsync(c => c.Id == charge.Id && c.Version == charge.Version, stop) is not { } row)
            {
                return (false, false);
            }

            (row.Stage, row.Ended, row.CollectingAt, row.EndedAt) = (charge.Stage, charge.Ended, charge.CollectingAt, charge.EndedAt);
            (row.Payment, row.Revision, row.DueAt, row.Version) = (charge.Payment, charge.Revision, due, charge.Version + 1);
            var tells = notice is not null && await WebhookBook.Add(db, notice, stop);
            await db.SaveChangesAsync(stop);
            return (true, tells);
        });
        if (told)
        {
            webhooks.Look();
        }

        return saved;
    }

    /// <summary>Asked at each login: prepared.</summary>
    public ValueTask<CollectCall?> OpenOf(string serialNumber) => pool.Read(serialNumber, static (db, sn) =>
    {
        var row = db.Prepare("SELECT id, amount_fen, order_number, expires_at FROM charge WHERE sn = ?1 AND ended = 0 AND stage < ?2")
            .Bind(1, sn).Bind(2, (long)ChargeStage.Paying);
        var call = row.Next() ? new CollectCall(row.Text(0), row.Long(1), row.Text(2), row.Time(3)) : null;
        row.Reset();
        return call;
    });

    public ValueTask<IReadOnlyList<string>> Due(DateTimeOffset now, int limit) => pool.Read<(DateTimeOffset, int), IReadOnlyList<string>>((now, limit), static (db, q) =>
    {
        var rows = db.Prepare("SELECT id FROM charge WHERE due_at IS NOT NULL AND due_at <= ?1 ORDER BY due_at LIMIT ?2").Bind(1, q.Item1).Bind(2, q.Item2);
        var ids = new List<string>();
        while (rows.Next())
        {
            ids.Add(rows.Text(0));
        }

        return ids;
    });

    private Task<Charge?> Find(Func<IQueryable<ChargeRow>, IQueryable<ChargeRow>> which) =>
        pool.Query(async (db, stop) => await which(db.Charges).FirstOrDefaultAsync(stop) is { } row ? Of(row) : null, CancellationToken.None);

    private static Charge Of(ChargeRow row) => new()
    {
        Id = row.Id,
        SerialNumber = row.Sn,
        MerchantId = row.MerchantId,
        StoreId = row.StoreId,
        OrderNumber = row.OrderNumber,
        AmountFen = row.AmountFen,
        IdempotencyKey = row.IdempotencyKey,
        By = row.MadeBy,
        CreatedAt = row.CreatedAt,
        ExpiresAt = row.ExpiresAt,
        Stage = row.Stage,
        Ended = row.Ended,
        CollectingAt = row.CollectingAt,
        EndedAt = row.EndedAt,
        Payment = row.Payment,
        Revision = row.Revision,
        Version = row.Version,
    };
}
