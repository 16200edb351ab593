using DeviceHub.Core.Charges;
using DeviceHub.Core.Payments;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace DeviceHub.Storage;

/// <summary>
/// The ledger's statements on the writer's own connection. Each answers with SQLite's result code; an entry's answer is left in the
/// entry and counts once <see cref="Commit"/> is OK.
/// </summary>
internal sealed class LedgerBook : IDisposable
{
    private readonly PreparedConnection db;
    private readonly LedgerKeyWriter keys;

    /// <param name="keyBatch">Payments whose keys are written together.</param>
    public LedgerBook(HubDatabase database, LedgerKeys keys, int keyBatch)
    {
        db = new(database.KeepPages(database.Connect(readOnly: false)));
        try
        {
            this.keys = new(db, keys, keyBatch);
        }
        catch
        {
            db.Dispose();
            throw;
        }
    }

    public int Begin() => db.Prepare("BEGIN IMMEDIATE").TryRun();

    public int Commit()
    {
        var code = keys.WriteSome();
        code = code == raw.SQLITE_OK ? db.Prepare("COMMIT").TryRun() : code;
        if (code == raw.SQLITE_OK)
        {
            keys.Committed();
        }

        return code;
    }

    /// <summary>The detailed code of the last error.</summary>
    public int ExtendedError => raw.sqlite3_extended_errcode(db.Connection.Handle!);

    public void Rollback()
    {
        keys.Forget();
        if (raw.sqlite3_get_autocommit(db.Connection.Handle!) == 0)
        {
            db.Prepare("ROLLBACK").TryRun();
        }
    }

    public int Write(LedgerItem item) => item is AcceptItem accept ? Write(accept) : Write((AppendItem)item);

    /// <summary>After a failed commit: whether this entry's version is there, and is its own.</summary>
    public WriteResult Find(LedgerItem item)
    {
        if (keys.Find(item.Id) is not { } payment)
        {
            return WriteResult.NotWritten;
        }

        var body = db.Prepare("SELECT body FROM payment_event WHERE payment = ?1 AND version = ?2").Bind(1, payment).Bind(2, item.Version);
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

    /// <summary>
    /// Copies the whole log into the database, synced; the next commit begins the log anew. After a failed sync the system may hold what was
    /// written since the last good one for written, though it never reached the disk: also what was committed without a sync of its own. Behind
    /// such a hole a power cut would lose every later commit.
    /// </summary>
    /// <exception cref="SqliteException">It failed, or a reader is in the way.</exception>
    public void BeginLogAnew() => SqliteException.ThrowExceptionForRC(
        raw.sqlite3_wal_checkpoint_v2(db.Connection.Handle!, "main", raw.SQLITE_CHECKPOINT_RESTART, out _, out _), db.Connection.Handle);

    /// <summary>A commit of its own: frames that a failed one left behind can no longer come back after a power cut.</summary>
    public void Fence() => db.Prepare(
        "INSERT INTO ledger_fence(id, commits) VALUES (1, 1) ON CONFLICT(id) DO UPDATE SET commits = commits + 1").Run();

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

        if (keys.Find(item.Id) is not null)
        {
            return code;
        }

        var payment = db.Prepare("SELECT max(seq) FROM payment_event").Number() + 1;
        code = db.Prepare("INSERT INTO payment_event(seq, payment, sn, request_id, version, body) VALUES (?1, ?1, ?2, ?3, 1, ?4)")
            .Bind(1, payment).Bind(2, item.Id.SerialNumber).Bind(3, item.Id.RequestId).Bind(4, item.Body).TryRun();
        if (code != raw.SQLITE_OK)
        {
            return code;
        }

        code = TakeChannelOrder(item, payment, accept.ChannelOrderNumber, out var taken);
        if (code != raw.SQLITE_OK || !taken)
        {
            return code;
        }

        keys.Add(new WaitingKey(item.Id, payment, accept.OrderNumber is { } order ? new MerchantOrder(accept.MerchantId, order) : null));
        code = InsertLive(item.Id, accept.MerchantId, accept.OrderNumber, accept.AmountFen, accept.AcceptedAt, null, false, accept.Due);
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
        if (accept.OrderNumber is { } order && keys.Holder(new MerchantOrder(accept.MerchantId, order)) is { } holder)
        {
            collides = true;
            item.Other = holder;
            item.Collision = db.Prepare("SELECT 1 FROM live_payment WHERE sn = ?1 AND request_id = ?2 AND final_at IS NULL")
                .Bind(1, holder.SerialNumber).Bind(2, holder.RequestId).Any() ? AcceptCollision.OrderOpen : AcceptCollision.OrderPaid;
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
        if (keys.Find(item.Id) is not { } payment)
        {
            return raw.SQLITE_OK;
        }

        var code = db.Prepare(
            """
            INSERT INTO payment_event(payment, sn, request_id, version, body) SELECT ?1, ?2, ?3, ?4, ?5
            WHERE EXISTS (SELECT 1 FROM payment_event e WHERE e.payment = ?1 AND e.version = ?4 - 1)
            ON CONFLICT DO NOTHING
            """)
            .Bind(1, payment).Bind(2, item.Id.SerialNumber).Bind(3, item.Id.RequestId).Bind(4, append.Version).Bind(5, item.Body).TryRun();
        if (code != raw.SQLITE_OK || !Changed)
        {
            return code;
        }

        foreach (var number in append.ChannelOrderNumbers)
        {
            code = TakeChannelOrder(item, payment, number, out var taken);
            if (code != raw.SQLITE_OK || !taken)
            {
                return code;
            }
        }

        item.Result = WriteResult.Written;
        return Stand(item, payment, append);
    }

    /// <summary>I3: a number that another attempt has is a fault of its maker; the entry is taken back whole.</summary>
    private int TakeChannelOrder(LedgerItem item, long payment, string number, out bool taken)
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
        return db.Prepare("DELETE FROM payment_event WHERE payment = ?1 AND version = ?2").Bind(1, payment).Bind(2, item.Version).TryRun();
    }

    private int Stand(AppendItem item, long payment, LedgerAppend append)
    {
        var standing = append.Standing;
        var code = append.ChargeId is { } chargeId
            ? db.Prepare("UPDATE charge SET due_at = 0, version = version + 1 WHERE id = ?1").Bind(1, chargeId).TryRun()
            : raw.SQLITE_OK;
        code = code == raw.SQLITE_OK && standing.FreesOrder ? FreeOrder(item.Id) : code;
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
        return code != raw.SQLITE_OK || Changed ? code : Revive(item, payment, append);
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

        return keys.Free(new MerchantOrder(merchant!, order!), id);
    }

    /// <summary>A payment whose row had left, final and shown, has something to do again: a charge that was found late.</summary>
    private int Revive(AppendItem item, long payment, LedgerAppend append)
    {
        var first = db.Prepare("SELECT body FROM payment_event WHERE payment = ?1 AND version = 1").Bind(1, payment);
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
