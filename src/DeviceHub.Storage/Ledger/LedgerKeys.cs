using System.Collections.Concurrent;
using DeviceHub.Core.Payments;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Storage;

/// <summary>A merchant's order number.</summary>
internal readonly record struct MerchantOrder(string MerchantId, string Number);

/// <summary>
/// By which keys a payment is found: its id (I2) and the order number that it holds (I13). The tables have them in the order of terminals and of merchants, where each new
/// payment's is a page of its own, and pages are what a commit costs. So the newest wait here until many are written together (<see cref="LedgerKeyWriter"/>). What waits is
/// read from the ledger's entries again at a start: nothing is lost with it. Another process that reads the file knows what waited when it began. Any thread may ask; what has waited is in the tables before it leaves.
/// </summary>
internal sealed partial class LedgerKeys(HubDatabase database, ILogger<LedgerKeys> logger)
{
    private readonly ConcurrentDictionary<PaymentId, long> payments = new();
    private readonly ConcurrentDictionary<MerchantOrder, PaymentId> orders = new();
    private readonly Lock loading = new();
    private bool toldUnreadable;
    private volatile bool loaded;

    /// <summary>A payment's number; null: the ledger has no such payment.</summary>
    /// <param name="db">Without a statement that is being read: what it sees would be older than what waits here.</param>
    public long? Find(PreparedConnection db, PaymentId id)
    {
        if (Waiting.Payments.TryGetValue(id, out var waiting))
        {
            return waiting;
        }

        var payment = db.Prepare("SELECT payment FROM payment_number WHERE sn = ?1 AND request_id = ?2").Bind(1, id.SerialNumber).Bind(2, id.RequestId).Number();
        return payment == 0 ? null : payment;
    }

    /// <summary>The numbers of those payments of one request id that the ledger has.</summary>
    /// <param name="db">As in <see cref="Find(PreparedConnection, PaymentId)"/>.</param>
    public async Task<IReadOnlyCollection<long>> Find(HubDbContext db, string requestId, IReadOnlyCollection<string> serialNumbers, CancellationToken stop)
    {
        if (serialNumbers.Count == 0)
        {
            return [];
        }

        var waiting = Waiting.Payments;
        var numbers = serialNumbers.Select(sn => waiting.TryGetValue(new(sn, requestId), out var number) ? number : 0).Where(n => n > 0).ToHashSet();
        numbers.UnionWith(await db.Set<PaymentKeyRow>().Where(k => serialNumbers.Contains(k.Sn) && k.RequestId == requestId).Select(k => k.Payment).ToListAsync(stop));
        return numbers;
    }

    /// <summary>The payment that holds a merchant's order number: while it is open, and for ever once it is paid. Null: none does.</summary>
    /// <param name="db">As in <see cref="Find(PreparedConnection, PaymentId)"/>.</param>
    public PaymentId? Holder(PreparedConnection db, MerchantOrder order)
    {
        if (Waiting.Orders.TryGetValue(order, out var waiting))
        {
            return waiting;
        }

        var row = db.Prepare("SELECT sn, request_id FROM order_key WHERE merchant_id = ?1 AND order_no = ?2").Bind(1, order.MerchantId).Bind(2, order.Number);
        PaymentId? holder = row.Next() ? new PaymentId(row.Text(0), row.Text(1)) : null;
        row.Reset();
        return holder;
    }

    /// <inheritdoc cref="Holder(PreparedConnection, MerchantOrder)"/>
    public async Task<PaymentId?> Holder(HubDbContext db, MerchantOrder order, CancellationToken stop) => Waiting.Orders.TryGetValue(order, out var waiting)
        ? waiting
        : await db.Set<OrderKeyRow>().Where(k => k.MerchantId == order.MerchantId && k.OrderNo == order.Number).Select(k => (PaymentId?)new PaymentId(k.Sn, k.RequestId)).FirstOrDefaultAsync(stop);

    public void Add(PaymentId id, long payment) => payments[id] = payment;

    public void Hold(MerchantOrder order, PaymentId id) => orders[order] = id;

    public void Free(MerchantOrder order) => orders.TryRemove(order, out _);

    /// <summary>They are in the tables.</summary>
    public void Leave(PaymentId id) => payments.TryRemove(id, out _);

    /// <inheritdoc cref="Leave(PaymentId)"/>
    public void Leave(MerchantOrder order, PaymentId id) => orders.TryRemove(new(order, id));

    /// <summary>Reads what the tables do not have yet: all of it, in the order of acceptance. Only while nobody writes.</summary>
    public IReadOnlyList<WaitingKey> Load(PreparedConnection db)
    {
        lock (loading)
        {
            var (ids, held) = Replay(db);
            foreach (var id in payments.Keys.Where(id => !ids.ContainsKey(id)))
            {
                payments.TryRemove(id, out _);
            }

            foreach (var order in orders.Keys.Where(order => !held.ContainsKey(order)))
            {
                orders.TryRemove(order, out _);
            }

            foreach (var (id, payment) in ids)
            {
                payments[id] = payment;
            }

            foreach (var (order, id) in held)
            {
                orders[order] = id;
            }

            loaded = true;
            var orderOf = held.ToDictionary(h => h.Value, h => h.Key);
            return [.. ids.OrderBy(i => i.Value).Select(i => new WaitingKey(i.Key, i.Value, orderOf.TryGetValue(i.Key, out var order) ? order : null))];
        }
    }

    /// <summary>Both, read from the ledger first by whoever is the first to ask.</summary>
    private (ConcurrentDictionary<PaymentId, long> Payments, ConcurrentDictionary<MerchantOrder, PaymentId> Orders) Waiting
    {
        get
        {
            if (!loaded)
            {
                lock (loading)
                {
                    if (!loaded)
                    {
                        database.Open();
                        using var db = new PreparedConnection(database.Connect(readOnly: true));
                        Load(db);
                    }
                }
            }

            return (payments, orders);
        }
    }

    /// <summary>What the entries after the last ones whose keys are written did to the keys.</summary>
    private (Dictionary<PaymentId, long> Payments, Dictionary<MerchantOrder, PaymentId> Orders) Replay(PreparedConnection db)
    {
        Exception? unreadable = null;
        var (ids, held, states) = (new Dictionary<PaymentId, long>(), new Dictionary<MerchantOrder, PaymentId>(), new Dictionary<long, PaymentState?>());
        var damaged = new HashSet<PaymentId>();
        var written = db.Prepare("SELECT written_to FROM ledger_keys").Number();
        var rows = db.Prepare("SELECT payment, sn, request_id, version, body FROM payment_event WHERE seq > ?1 ORDER BY seq").Bind(1, written);
        try
        {
            while (rows.Next())
            {
                var payment = rows.Long(0);
                if (payment <= written)
                {
                    continue;
                }

                var (id, isFirst) = (new PaymentId(rows.Text(1), rows.Text(2)), rows.Long(3) == 1);
                var state = states.GetValueOrDefault(payment);
                try
                {
                    states[payment] = state = PaymentEventJson.Read(rows.Blob(4)).Aggregate(state, (before, e) => PaymentState.Apply(id, before, e));
                }
                catch (Exception e) when (LedgerReads.IsUnreadable(e))
                {
                    // Damaged: it keeps what it holds.
                    unreadable ??= e;
                    damaged.Add(id);
                }

                if (isFirst)
                {
                    // The first with an id is the payment, whatever a file that an older hub wrote after this one has.
                    if (ids.TryAdd(id, payment) && OrderOf(db, id, state) is { } order)
                    {
                        held[order] = id;
                    }
                }
                else if (state is not null && PaymentStanding.Of(state).FreesOrder && OrderOf(db, id, state) is { } freed && held.GetValueOrDefault(freed) == id)
                {
                    held.Remove(freed);
                }
            }
        }
        finally
        {
            rows.Reset();
        }

        if (unreadable is not null && !toldUnreadable)
        {
            toldUnreadable = true;
            LogUnreadable(damaged.Count, damaged.First().ToString(), unreadable);
        }

        return (ids, held);
    }

    /// <summary>What a payment was accepted with; if it cannot say that any more, its row does, which is there until it is over and shown.</summary>
    private static MerchantOrder? OrderOf(PreparedConnection db, PaymentId id, PaymentState? state)
    {
        if (state?.Accepted is { MerchantId: { } merchant } accepted)
        {
            return accepted.OrderNumber is { } number ? new MerchantOrder(merchant, number) : null;
        }

        var live = db.Prepare("SELECT merchant_id, order_no FROM live_payment WHERE sn = ?1 AND request_id = ?2 AND order_no IS NOT NULL").Bind(1, id.SerialNumber).Bind(2, id.RequestId);
        MerchantOrder? order = live.Next() ? new MerchantOrder(live.Text(0), live.Text(1)) : null;
        live.Reset();
        return order;
    }

    [LoggerMessage(
        EventId = 1, EventName = "KeysUnreadable", Level = LogLevel.Error,
        Message = "Ledger entries of {Count} payments whose keys are not written yet cannot be read; they keep their ids and what they hold; the first is {Payment}")]
    private partial void LogUnreadable(int count, string payment, Exception e);
}

/// <summary>A payment whose keys are not in the tables.</summary>
/// <param name="Order">What it held when it was accepted; null: nothing.</param>
internal readonly record struct WaitingKey(PaymentId Id, long Payment, MerchantOrder? Order);
