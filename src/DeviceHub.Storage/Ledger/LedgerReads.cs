using DeviceHub.Core.Payments;
using Microsoft.Data.Sqlite;

namespace DeviceHub.Storage;

/// <summary>What correctness asks at run time, from the ledger's own keys.</summary>
internal sealed class LedgerReads(ReadPool pool, LedgerKeys keys)
{
    public ValueTask<LedgerHistory?> Read(PaymentId id) => pool.Read((keys, id), static (db, x) => x.keys.Find(db, x.id) is { } payment ? Read(db, payment) : null);

    /// <summary>Null: the ledger has none.</summary>
    public static PaymentState? Fold(PreparedConnection db, LedgerKeys keys, PaymentId id) => keys.Find(db, id) is { } payment ? Fold(db, payment, id) : null;

    /// <param name="payment">The number that the ledger gave it.</param>
    public static PaymentState? Fold(PreparedConnection db, long payment, PaymentId id) => Read(db, payment) is { } history ? PaymentState.Fold(id, history.Events) : null;

    /// <summary>
    /// Whether it says that a payment cannot be folded: its rows are damaged, or another hub's. Such a row throws whatever the code throws that meets it: a byte in the name of a
    /// kind has the reader say that it does not support it, one in a field's name leaves a null.
    /// </summary>
    public static bool IsUnreadable(Exception e) => e is not (SqliteException or OperationCanceledException or OutOfMemoryException);

    public ValueTask<PaymentId?> FindByChannelOrder(string number) => pool.Read<string, PaymentId?>(number, static (db, number) =>
    {
        var row = db.Prepare("SELECT sn, request_id FROM channel_order WHERE number = ?1").Bind(1, number);
        PaymentId? id = row.Next() ? new PaymentId(row.Text(0), row.Text(1)) : null;
        row.Reset();
        return id;
    });

    public ValueTask<IReadOnlyList<PaymentId>> Unsettled(string serialNumber, DateTimeOffset since, int limit) =>
        pool.Read<(string serialNumber, DateTimeOffset since, int limit), IReadOnlyList<PaymentId>>((serialNumber, since, limit), static (db, q) => Ids(db.Prepare(
            $"""
            SELECT sn, request_id FROM live_payment
            WHERE sn = ?1 AND (final_at IS NULL OR (NOT shown AND final_at >= ?2)) AND {SqlText.NoTest} ORDER BY accepted_at DESC LIMIT ?3
            """).Bind(1, q.serialNumber).Bind(2, q.since).Bind(3, q.limit)));

    public ValueTask<IReadOnlyList<PaymentId>> Due(DateTimeOffset now, int limit) =>
        pool.Read<(DateTimeOffset now, int limit), IReadOnlyList<PaymentId>>((now, limit), static (db, q) => Ids(db.Prepare(
            "SELECT sn, request_id FROM live_payment WHERE due_at IS NOT NULL AND due_at <= ?1 ORDER BY due_at LIMIT ?2")
            .Bind(1, q.now).Bind(2, q.limit)));

    public static LedgerHistory? Read(PreparedConnection db, long payment)
    {
        var events = new List<PaymentEvent>();
        var version = 0;
        var rows = db.Prepare("SELECT version, body FROM payment_event WHERE payment = ?1 ORDER BY version").Bind(1, payment);
        try
        {
            while (rows.Next())
            {
                version = (int)rows.Long(0);
                events.AddRange(PaymentEventJson.Read(rows.Blob(1)));
            }
        }
        finally
        {
            rows.Reset();
        }

        return version == 0 ? null : new LedgerHistory(version, events);
    }

    private static List<PaymentId> Ids(Statement rows)
    {
        var ids = new List<PaymentId>();
        while (rows.Next())
        {
            ids.Add(new PaymentId(rows.Text(0), rows.Text(1)));
        }

        return ids;
    }
}
