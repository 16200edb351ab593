using DeviceHub.Core.Payments;
using SQLitePCL;

namespace DeviceHub.Storage;

/// <summary>
/// Writes keys of payments, on the ledger's thread and in its transactions: what one adds counts for itself at once and for everybody after its commit. When as many wait as the
/// option says, they are put in the order of their tables and written some at a time with the commits that follow, so that neighbours share a page and no commit waits for them all.
/// </summary>
/// <param name="limit">Payments whose keys are written together.</param>
internal sealed class LedgerKeyWriter(PreparedConnection db, LedgerKeys keys, int limit)
{
    /// <summary>Of one commit, and two more for each payment that it adds: what waits always gets less.</summary>
    private const int Slice = 64;

    private readonly Dictionary<PaymentId, WaitingKey> added = [];

    /// <summary>Null: freed.</summary>
    private readonly Dictionary<MerchantOrder, PaymentId?> changed = [];

    /// <summary>In the order of acceptance.</summary>
    private List<WaitingKey> waiting = [.. keys.Load(db)];

    private WaitingKey[] byId = [];
    private WaitingKey[] byOrder = [];

    /// <summary>The last payment of those that are being written.</summary>
    private long last;

    /// <summary>How many of them are durable, and how many will be after this commit.</summary>
    private int written;
    private int writing;

    /// <summary>A payment's number; null: there is no such payment.</summary>
    public long? Find(PaymentId id) => added.TryGetValue(id, out var own) ? own.Payment : keys.Find(db, id);

    public PaymentId? Holder(MerchantOrder order) => changed.TryGetValue(order, out var own) ? own : keys.Holder(db, order);

    public void Add(WaitingKey key)
    {
        added.Add(key.Id, key);
        if (key.Order is { } order)
        {
            changed[order] = key.Id;
        }
    }

    /// <summary>The payment holds the number no longer.</summary>
    public int Free(MerchantOrder order, PaymentId id)
    {
        if (Holder(order) != id)
        {
            return raw.SQLITE_OK;
        }

        changed[order] = null;
        return db.Prepare("DELETE FROM order_key WHERE merchant_id = ?1 AND order_no = ?2").Bind(1, order.MerchantId).Bind(2, order.Number).TryRun();
    }

    /// <summary>Writes some of what waits, if payments are added: results alone need no room for it on a full disk.</summary>
    public int WriteSome()
    {
        var code = raw.SQLITE_OK;
        if (added.Count == 0 || written == byId.Length)
        {
            return code;
        }

        var end = Math.Min(written + Slice + (2 * added.Count), byId.Length);
        for (writing = written; writing < end && code == raw.SQLITE_OK; writing++)
        {
            var key = byId[writing];
            code = db.Prepare("INSERT INTO payment_number(sn, request_id, payment) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")
                .Bind(1, key.Id.SerialNumber).Bind(2, key.Id.RequestId).Bind(3, key.Payment).TryRun();
            if (code == raw.SQLITE_OK && writing < byOrder.Length && byOrder[writing] is { Order: { } order, Id: var id } && Holder(order) == id)
            {
                code = db.Prepare("INSERT INTO order_key(merchant_id, order_no, sn, request_id) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING")
                    .Bind(1, order.MerchantId).Bind(2, order.Number).Bind(3, id.SerialNumber).Bind(4, id.RequestId).TryRun();
            }
        }

        return code == raw.SQLITE_OK && writing == byId.Length ? db.Prepare("UPDATE ledger_keys SET written_to = ?1").Bind(1, last).TryRun() : code;
    }

    /// <summary>The transaction is durable.</summary>
    public void Committed()
    {
        foreach (var key in added.Values)
        {
            keys.Add(key.Id, key.Payment);
            waiting.Add(key);
        }

        foreach (var (order, holder) in changed)
        {
            if (holder is { } id)
            {
                keys.Hold(order, id);
            }
            else
            {
                keys.Free(order);
            }
        }

        for (; written < writing; written++)
        {
            keys.Leave(byId[written].Id);
            if (written < byOrder.Length)
            {
                keys.Leave(byOrder[written].Order!.Value, byOrder[written].Id);
            }
        }

        Forget();
        if (written == byId.Length && waiting.Count >= limit)
        {
            Sort();
        }
    }

    /// <summary>The transaction was rolled back.</summary>
    public void Forget()
    {
        added.Clear();
        changed.Clear();
        writing = written;
    }

    private void Sort()
    {
        last = waiting[^1].Payment;
        byId = [.. waiting.OrderBy(k => k.Id.SerialNumber, StringComparer.Ordinal).ThenBy(k => k.Id.RequestId, StringComparer.Ordinal)];
        byOrder = [.. waiting.Where(k => k.Order is not null).OrderBy(k => k.Order!.Value.MerchantId, StringComparer.Ordinal).ThenBy(k => k.Order!.Value.Number, StringComparer.Ordinal)];
        (waiting, written, writing) = ([], 0, 0);
    }
}
