using DeviceHub.Core.Charges;
using DeviceHub.Core.Payments;
using SQLitePCL;

namespace DeviceHub.Storage;

/// <summary>
/// The ledger's statements on the writer's own connection. Each answers with SQLite's result code; an entry's answer is left in the
/// entry and counts once <see cref="Commit"/> is OK.
/// </summary>
internal sealed class LedgerBook(HubDatabase database) : IDisposable
{
    private readonly PreparedConnection db = new(database.Connect(readOnly: false));

    public int Begin() => db.Prepare("BEGIN IMMEDIATE").TryRun();

    public int Commit() => db.Prepare("COMMIT").TryRun();

    /// <summary>The detailed code of the last error.</summary>
    public int ExtendedError => raw.sqlite3_extended_errcode(db.Connection.Handle!);

    public void Rollback()
    {
        if (raw.sqlite3_get_autocommit(db.Connection.Handle!) == 0)
        {
            db.Prepare("ROLLBACK").TryRun();
        }
    }

    public int Write(LedgerItem item) => item is AcceptItem accept ? Write(accept) : Write((AppendItem)item);

    /// <summary>After a failed commit: whether this entry's version is there, and is its own.</summary>
    public WriteResult Find(LedgerItem item)
    {
        var body = db.Prepare(
            "SELECT body FROM payment_event WHERE payment = (SELECT payment FROM payment_key WHERE sn = ?1 AND request_id = ?2) AND version = ?3")
            .Bind(1, item.Id.SerialNumber).Bind(2, item.Id.RequestId).Bind(3, item.Version);
        try
        {
            return !body.Next() ? WriteResult.NotWritten
                : body.Blob(0).SequenceEqual(item.Body) ? WriteResult.Written : WriteResult.Conflict;
        }
        finally
        {
            body.Reset();
        }
    }

    /// <summary>A commit of its own: frames that a failed one left behind can no longer come back after a power cut.</summary>
    public void Fence() => db.Prepare(
        "INSERT INTO projection_cursor(name, seq) VALUES ('ledger fence', 1) ON CONFLICT(name) DO UPDATE SET seq = seq + 1").Run();

    public void Dispose() => db.Dispose();

    private bool Changed => raw.sqlite3_changes(db.Connection.Handle!) > 0;

    private int Write(AcceptItem item)
    {
        var accept = item.Accept;
        item.Result = WriteResult.Conflict;
        var code = Collide(item, out var collides);
        if (code != raw.SQLITE_OK)
        {
            return code;
        }

        if (collides)
        {
            // The payment itself may be what is in the way: then this is a repeat, not a collision.
            if (Find(item) != WriteResult.NotWritten)
            {
                (item.Collision, item.Other) = (AcceptCollision.None, default);
            }

            return raw.SQLITE_OK;
        }

        code = db.Prepare(
            """
            INSERT INTO payment_key(sn, request_id, payment) SELECT ?1, ?2, coalesce(max(seq), 0) + 1 FROM payment_event WHERE true
            ON CONFLICT DO NOTHING
            """)
            .Bind(1, item.Id.SerialNumber).Bind(2, item.Id.RequestId).TryRun();
        if (code != raw.SQLITE_OK || !Changed)
        {
            return code;
        }

        code = db.Prepare(
            """
            INSERT INTO payment_event(seq, payment, sn, request_id, version, body) SELECT payment, payment, ?1, ?2, 1, ?3
            FROM payment_key WHERE sn = ?1 AND request_id = ?2
            """)
            .Bind(1, item.Id.SerialNumber).Bind(2, item.Id.RequestId).Bind(3, item.Body).TryRun();
        if (code != raw.SQLITE_OK)
        {
            return code;
        }

        code = TakeChannelOrder(item, accept.ChannelOrderNumber, out var taken);
        if (code != raw.SQLITE_OK || !taken)
        {
            return code;
        }

        code = InsertLive(item.Id, accept.MerchantId, accept.OrderNumber, accept.AmountFen, accept.AcceptedAt, null, false, accept.Due);
        if (code == raw.SQLITE_OK && accept.OrderNumber is not null)
        {
            code = db.Prepare("INSERT INTO order_key(merchant_id, order_no, sn, request_id) VALUES (?1, ?2, ?3, ?4)")
                .Bind(1, accept.MerchantId).Bind(2, accept.OrderNumber).Bind(3, item.Id.SerialNumber).Bind(4, item.Id.RequestId).TryRun();
        }

        if (code == raw.SQLITE_OK && accept.ChargeId is { } chargeId)
        {
            code = db.Prepare("UPDATE charge SET stage = ?2, payment = ?3, due_at = NULL, version = version + 1 WHERE id = ?1")
                .Bind(1, chargeId).Bind(2, (long)ChargeStage.Paying).Bind(3, item.Id.ToString()).TryRun();
        }

        item.Result = WriteResult.Written;
        return code;
    }

    /// <summary>I13: what holds the order number, or looks like the same payment.</summary>
    private int Collide(AcceptItem item, out bool collides)
    {
        collides = false;
        var accept = item.Accept;
        if (accept.OrderNumber is not null)
        {
            var key = db.Prepare(
                """
                SELECT sn, request_id, EXISTS (SELECT 1 FROM live_payment l WHERE l.sn = k.sn AND l.request_id = k.request_id AND l.final_at IS NULL)
                FROM order_key k WHERE merchant_id = ?1 AND order_no = ?2
                """)
                .Bind(1, accept.MerchantId).Bind(2, accept.OrderNumber);
            var code = key.Step();
            if (code == raw.SQLITE_ROW)
            {
                collides = true;
                item.Other = new PaymentId(key.Text(0), key.Text(1));
                item.Collision = key.Long(2) != 0 ? AcceptCollision.OrderOpen : AcceptCollision.OrderPaid;
            }

            key.Reset();
            if (code is not raw.SQLITE_ROW and not raw.SQLITE_DONE)
            {
                return code;
            }
        }

        if (!collides && accept.DuplicatesSince is { } since)
        {
            var live = db.Prepare(
                """
                SELECT request_id FROM live_payment
                WHERE sn = ?1 AND amount_fen = ?2 AND order_no IS NULL AND accepted_at >= ?3 AND request_id IS NOT ?4
                  AND (final_at IS NULL OR NOT shown)
                ORDER BY accepted_at DESC LIMIT 1
                """)
                .Bind(1, item.Id.SerialNumber).Bind(2, accept.AmountFen).Bind(3, since).Bind(4, accept.DuplicateAllowed);
            var code = live.Step();
            if (code == raw.SQLITE_ROW)
            {
                collides = true;
                item.Other = new PaymentId(item.Id.SerialNumber, live.Text(0));
                item.Collision = AcceptCollision.PossibleDuplicate;
            }

            live.Reset();
            if (code is not raw.SQLITE_ROW and not raw.SQLITE_DONE)
            {
                return code;
            }
        }

        // Who answers a charge again meets the order of its own payment: that the charge is closed says more, but that it is paid says all.
        return accept.ChargeId is { } chargeId && item.Collision != AcceptCollision.OrderPaid ? ChargeCloses(item, chargeId, ref collides) : raw.SQLITE_OK;
    }

    /// <summary>A charge that is not open, or not for this, is answered by nobody: consumed once, and no more after its cancel or its time.</summary>
    private int ChargeCloses(AcceptItem item, string chargeId, ref bool collides)
    {
        var accept = item.Accept;
        var charge = db.Prepare(
            """
            SELECT sn = ?2 AND merchant_id = ?3 AND order_number IS ?4 AND amount_fen = ?5 AND expires_at > ?6 AND ended = 0 AND stage < ?7, payment
            FROM charge WHERE id = ?1
            """)
            .Bind(1, chargeId).Bind(2, item.Id.SerialNumber).Bind(3, accept.MerchantId).Bind(4, accept.OrderNumber).Bind(5, accept.AmountFen)
            .Bind(6, accept.AcceptedAt).Bind(7, (long)ChargeStage.Paying);
        var code = charge.Step();
        if (code != raw.SQLITE_ROW || charge.Long(0) == 0)
        {
            collides = true;
            item.Collision = AcceptCollision.ChargeClosed;
            item.Other = code == raw.SQLITE_ROW && charge.TextOrNull(1) is { } payment ? PaymentId.Parse(payment) : default;
        }

        charge.Reset();
        return code is raw.SQLITE_ROW or raw.SQLITE_DONE ? raw.SQLITE_OK : code;
    }

    private int Write(AppendItem item)
    {
        var append = item.Append;
        item.Result = WriteResult.Conflict;
        var code = db.Prepare(
            """
            INSERT INTO payment_event(payment, sn, request_id, version, body) SELECT k.payment, ?1, ?2, ?3, ?4 FROM payment_key k
            WHERE k.sn = ?1 AND k.request_id = ?2
              AND EXISTS (SELECT 1 FROM payment_event e WHERE e.payment = k.payment AND e.version = ?3 - 1)
            ON CONFLICT DO NOTHING
            """)
            .Bind(1, item.Id.SerialNumber).Bind(2, item.Id.RequestId).Bind(3, append.Version).Bind(4, item.Body).TryRun();
        if (code != raw.SQLITE_OK || !Changed)
        {
            return code;
        }

        foreach (var number in append.ChannelOrderNumbers)
        {
            code = TakeChannelOrder(item, number, out var taken);
            if (code != raw.SQLITE_OK || !taken)
            {
                return code;
            }
        }

        item.Result = WriteResult.Written;
        return Stand(item, append);
    }

    /// <summary>I3: a number that another attempt has is a fault of its maker; the entry is taken back whole.</summary>
    private int TakeChannelOrder(LedgerItem item, string number, out bool taken)
    {
        taken = true;
        var code = db.Prepare("INSERT INTO channel_order(number, sn, request_id) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")
            .Bind(1, number).Bind(2, item.Id.SerialNumber).Bind(3, item.Id.RequestId).TryRun();
        if (code != raw.SQLITE_OK || Changed)
        {
            return code;
        }

        taken = false;
        item.Result = WriteResult.NotWritten;
        code = db.Prepare(
            "DELETE FROM payment_event WHERE payment = (SELECT payment FROM payment_key WHERE sn = ?1 AND request_id = ?2) AND version = ?3")
            .Bind(1, item.Id.SerialNumber).Bind(2, item.Id.RequestId).Bind(3, item.Version).TryRun();
        return code != raw.SQLITE_OK || item is not AcceptItem
            ? code
            : db.Prepare("DELETE FROM payment_key WHERE sn = ?1 AND request_id = ?2")
                .Bind(1, item.Id.SerialNumber).Bind(2, item.Id.RequestId).TryRun();
    }

    private int Stand(AppendItem item, LedgerAppend append)
    {
        var standing = append.Standing;
        var code = append.ChargeId is { } chargeId
            ? db.Prepare("UPDATE charge SET due_at = 0, version = version + 1 WHERE id = ?1").Bind(1, chargeId).TryRun()
            : raw.SQLITE_OK;
        code = code != raw.SQLITE_OK || standing.Final is null || standing.Paid ? code : FreeOrder(item.Id);
        if (code != raw.SQLITE_OK)
        {
            return code;
        }

        if (standing is { Final: not null, Shown: true } && append.Due is null)
        {
            return db.Prepare("DELETE FROM live_payment WHERE sn = ?1 AND request_id = ?2")
                .Bind(1, item.Id.SerialNumber).Bind(2, item.Id.RequestId).TryRun();
        }

        code = db.Prepare("UPDATE live_payment SET final_at = ?3, shown = ?4, due_at = ?5 WHERE sn = ?1 AND request_id = ?2")
            .Bind(1, item.Id.SerialNumber).Bind(2, item.Id.RequestId)
            .Bind(3, standing.Final).Bind(4, standing.Shown ? 1L : 0L).Bind(5, append.Due).TryRun();
        return code != raw.SQLITE_OK || Changed ? code : Revive(item, append);
    }

    /// <summary>A payment that ended without being paid holds its order number no longer; a paid one holds it for ever.</summary>
    private int FreeOrder(PaymentId id)
    {
        var live = db.Prepare("SELECT merchant_id, order_no FROM live_payment WHERE sn = ?1 AND request_id = ?2 AND order_no IS NOT NULL")
            .Bind(1, id.SerialNumber).Bind(2, id.RequestId);
        var code = live.Step();
        var (merchant, order) = code == raw.SQLITE_ROW ? (live.Text(0), live.Text(1)) : (null, null);
        live.Reset();
        if (code != raw.SQLITE_ROW)
        {
            return code == raw.SQLITE_DONE ? raw.SQLITE_OK : code;
        }

        return db.Prepare("DELETE FROM order_key WHERE merchant_id = ?1 AND order_no = ?2 AND sn = ?3 AND request_id = ?4")
            .Bind(1, merchant).Bind(2, order).Bind(3, id.SerialNumber).Bind(4, id.RequestId).TryRun();
    }

    /// <summary>A payment whose row had left, final and shown, has something to do again: a charge that was found late.</summary>
    private int Revive(AppendItem item, LedgerAppend append)
    {
        var first = db.Prepare(
            "SELECT body FROM payment_event WHERE payment = (SELECT payment FROM payment_key WHERE sn = ?1 AND request_id = ?2) AND version = 1")
            .Bind(1, item.Id.SerialNumber).Bind(2, item.Id.RequestId);
        var code = first.Step();
        var accepted = code == raw.SQLITE_ROW ? PaymentEventJson.Read(first.Blob(0)).OfType<PaymentAccepted>().First() : null;
        first.Reset();
        return accepted is null
            ? code
            : InsertLive(
                item.Id, accepted.MerchantId, accepted.OrderNumber, accepted.AmountFen, accepted.At,
                append.Standing.Final, append.Standing.Shown, append.Due);
    }

    private int InsertLive(
        PaymentId id, string merchant, string? order, long amount, DateTimeOffset accepted, DateTimeOffset? final, bool shown, DateTimeOffset? due) =>
        db.Prepare(
            """
            INSERT INTO live_payment(sn, request_id, merchant_id, order_no, amount_fen, accepted_at, final_at, shown, due_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
            """)
            .Bind(1, id.SerialNumber).Bind(2, id.RequestId).Bind(3, merchant).Bind(4, order).Bind(5, amount)
            .Bind(6, accepted).Bind(7, final).Bind(8, shown ? 1L : 0L).Bind(9, due).TryRun();
}
