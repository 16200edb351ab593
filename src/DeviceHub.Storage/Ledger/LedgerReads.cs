using DeviceHub.Core.Payments;

namespace DeviceHub.Storage;

/// <summary>What correctness asks at run time, from the ledger's own keys.</summary>
internal sealed class LedgerReads(ReadPool pool)
{
    public ValueTask<LedgerHistory?> Read(PaymentId id) => pool.Read(id, static (db, id) => Read(db, id));

    /// <summary>Null: the ledger has none.</summary>
    public static PaymentState? Fold(PreparedConnection db, PaymentId id) => Read(db, id) is { } history ? PaymentState.Fold(id, history.Events) : null;

    public ValueTask<PaymentId?> FindByChannelOrder(string number) => pool.Read<string, PaymentId?>(number, static (db, number) =>
    {
        var row = db.Prepare("SELECT sn, request_id FROM channel_order WHERE number = ?1").Bind(1, number);
        PaymentId? id = row.Next() ? new PaymentId(row.Text(0), row.Text(1)) : null;
        row.Reset();
        return id;
    });

    public ValueTask<IReadOnlyList<PaymentId>> Unsettled(string serialNumber, DateTimeOffset since, int limit) =>
        pool.Read<(string serialNumber, DateTimeOffset since, int limit), IReadOnlyList<PaymentId>>((serialNumber, since, limit), static (db, q) => Ids(db.Prepare(
            """
            SELECT sn, request_id FROM live_payment
            WHERE sn = ?1 AND (final_at IS NULL OR (NOT shown AND final_at >= ?2)) ORDER BY accepted_at DESC LIMIT ?3
            """).Bind(1, q.serialNumber).Bind(2, q.since).Bind(3, q.limit)));

    public ValueTask<IReadOnlyList<PaymentId>> Due(DateTimeOffset now, int limit) =>
        pool.Read<(DateTimeOffset now, int limit), IReadOnlyList<PaymentId>>((now, limit), static (db, q) => Ids(db.Prepare(
            "SELECT sn, request_id FROM live_payment WHERE due_at IS NOT NULL AND due_at <= ?1 ORDER BY due_at LIMIT ?2")
            .Bind(1, q.now).Bind(2, q.limit)));

    private static LedgerHistory? Read(PreparedConnection db, PaymentId id)
    {
        var events = new List<PaymentEvent>();
        var version = 0;
        var rows = db.Prepare(
            """
            SELECT version, body FROM payment_event
            WHERE payment = (SELECT payment FROM payment_key WHERE sn = ?1 AND request_id = ?2) ORDER BY version
            """)
            .Bind(1, id.SerialNumber).Bind(2, id.RequestId);
        while (rows.Next())
        {
            version = (int)rows.Long(0);
            events.AddRange(PaymentEventJson.Read(rows.Blob(1)));
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
