using DeviceHub.Core.Charges;
using DeviceHub.Core.Payments;

namespace DeviceHub.ClusterTests.Charges;

/// <summary>The charge store's contract in memory; the ledger in memory consumes its rows.</summary>
internal sealed class MemoryCharges : IChargeStore
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, (Charge Charge, DateTimeOffset? Due)> rows = [];

    /// <summary>In the order of their writing.</summary>
    public List<ChargeNotice> Notices { get; } = [];

    /// <summary>Done once before the next save, outside of the grain's turn: what comes between a decision and its write.</summary>
    public Func<Task>? BeforeSave { get; set; }

    /// <summary>Awaited once after the next charge is written, before its grain knows.</summary>
    public Func<Task>? AfterOpen { get; set; }

    public async Task<ChargeOpening> Open(Charge charge, DateTimeOffset due)
    {
        var opening = Write(charge, due);
        if (AfterOpen is { } after)
        {
            AfterOpen = null;
            await after();
        }

        return opening;
    }

    private ChargeOpening Write(Charge charge, DateTimeOffset due)
    {
        lock (gate)
        {
            var all = rows.Values.Select(r => r.Charge).ToList();
            var opening =
                all.Find(c => c.MerchantId == charge.MerchantId && c.IdempotencyKey == charge.IdempotencyKey) is { } same ? new ChargeOpening(ChargeOpeningResult.KeyUsed, same)
                : all.Find(c => c.SerialNumber == charge.SerialNumber && c.Ended == ChargeEnd.None) is { } open ? new(ChargeOpeningResult.TerminalTaken, Other: open.Id)
                : all.Find(c => c.MerchantId == charge.MerchantId && c.OrderNumber == charge.OrderNumber && c.Ended == ChargeEnd.None) is { } order ? new(ChargeOpeningResult.OrderOpen, Other: order.Id)
                : new ChargeOpening(ChargeOpeningResult.Opened);
            if (opening.Result == ChargeOpeningResult.Opened)
            {
                rows[charge.Id] = (charge with { Version = 1 }, due);
            }

            return opening;
        }
    }

    public Task<Charge?> Load(string id)
    {
        lock (gate)
        {
            return Task.FromResult(rows.TryGetValue(id, out var row) ? row.Charge : null);
        }
    }

    public Task<Charge?> FindByKey(string merchantId, string idempotencyKey)
    {
        lock (gate)
        {
            return Task.FromResult(rows.Values.Select(r => r.Charge).FirstOrDefault(c => c.MerchantId == merchantId && c.IdempotencyKey == idempotencyKey));
        }
    }

    public async Task<bool> Save(Charge charge, DateTimeOffset? due, ChargeNotice? notice)
    {
        if (BeforeSave is { } before)
        {
            BeforeSave = null;
            await Task.Run(before);
        }

        lock (gate)
        {
            if (rows[charge.Id].Charge.Version != charge.Version)
            {
                return false;
            }

            rows[charge.Id] = (charge with { Version = charge.Version + 1 }, due);
            if (notice is not null)
            {
                Notices.Add(notice);
            }

            return true;
        }
    }

    public ValueTask<CollectCall?> OpenOf(string serialNumber)
    {
        lock (gate)
        {
            return new(rows.Values.Select(r => r.Charge).Where(c => c.SerialNumber == serialNumber && c.IsOpen)
                .Select(c => new CollectCall(c.Id, c.AmountFen, c.OrderNumber, c.ExpiresAt)).FirstOrDefault());
        }
    }

    public ValueTask<IReadOnlyList<string>> Due(DateTimeOffset now, int limit)
    {
        lock (gate)
        {
            return new([.. rows.Values.Where(r => r.Due <= now).OrderBy(r => r.Due).Take(limit).Select(r => r.Charge.Id)]);
        }
    }

    /// <summary>The ledger's side: whether the charge may be answered by this payment, and by which it was.</summary>
    public (bool Open, PaymentId Other) Judge(LedgerAccept accept)
    {
        lock (gate)
        {
            var charge = rows.TryGetValue(accept.ChargeId!, out var row) ? row.Charge : null;
            return charge is { IsOpen: true } && charge.SerialNumber == accept.Id.SerialNumber && charge.AmountFen == accept.AmountFen && charge.OrderNumber == accept.OrderNumber
                && charge.MerchantId == accept.MerchantId && charge.ExpiresAt > accept.AcceptedAt
                ? (true, default)
                : (false, charge?.Payment is { } by ? PaymentId.Parse(by) : default);
        }
    }

    public void Consume(string id, PaymentId by)
    {
        lock (gate)
        {
            var charge = rows[id].Charge;
            rows[id] = (charge with { Stage = ChargeStage.Paying, Payment = by.ToString(), Version = charge.Version + 1 }, null);
        }
    }

    public void MakeDue(string id)
    {
        lock (gate)
        {
            var charge = rows[id].Charge;
            rows[id] = (charge with { Version = charge.Version + 1 }, DateTimeOffset.UnixEpoch);
        }
    }
}
