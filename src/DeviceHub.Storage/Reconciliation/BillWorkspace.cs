using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;
using Microsoft.Data.Sqlite;

namespace DeviceHub.Storage;

/// <summary>What a bill adds up to.</summary>
internal readonly record struct BillTotals(long Rows, long ChargedFen, long PaidBackFen, long FeeFen)
{
    public BillTotals With(BillRow row) => row.Kind == BillRowKind.Payment
        ? new(Rows + 1, ChargedFen + row.AmountFen, PaidBackFen, FeeFen + row.FeeFen)
        : new(Rows + 1, ChargedFen, PaidBackFen + row.AmountFen, FeeFen - row.FeeFen);
}

/// <summary>
/// A bill while it is reconciled, in an SQLite file of its own: sorted on disk and not in memory, beside the hub's database and its write gate.
/// Nothing in it is precious. A bill that was read whole is used again after a death of the process or the machine; anything less is
/// read anew. One thread at a time.
/// </summary>
internal sealed class BillWorkspace : IDisposable
{
    private const int RowsATransaction = 50_000;

    private readonly string file;
    private readonly PreparedConnection db;
    private bool writing;

    /// <param name="request">A bill that was read for an earlier request is not used.</param>
    public BillWorkspace(string file, int request)
    {
        this.file = file;
        StorageRegistration.OwnersFolder(Path.GetDirectoryName(file)!);
        var kept = TryOpen(file);
        if (kept is null || !IsUsable(kept, request))
        {
            kept?.Dispose();
            File.Delete(file);
            kept = Open(file);
            HubDatabase.Execute(kept, Tables);
        }

        db = new PreparedConnection(kept);
        Totals = ReadTotals();
        IsLoaded = Totals.Rows >= 0;
    }

    /// <summary>All rows are in it.</summary>
    public bool IsLoaded { get; private set; }

    public BillTotals Totals { get; private set; }

    private const string Tables =
        """
        CREATE TABLE bill(order_number TEXT NOT NULL, kind INTEGER NOT NULL, refund_number TEXT, line INTEGER NOT NULL, tx TEXT NOT NULL,
          amount_fen INTEGER NOT NULL, fee_fen INTEGER NOT NULL, at INTEGER NOT NULL);
        CREATE TABLE difference(order_number TEXT NOT NULL, refund_number TEXT NOT NULL, topic INTEGER NOT NULL, line_key INTEGER NOT NULL,
          reason INTEGER NOT NULL, sn TEXT, request_id TEXT, attempt INTEGER NOT NULL, tx TEXT NOT NULL, line INTEGER,
          bill_fen INTEGER, ledger_fen INTEGER, at INTEGER NOT NULL, awaits INTEGER, settled INTEGER NOT NULL,
          PRIMARY KEY (order_number, refund_number, topic, line_key)) WITHOUT ROWID;
        CREATE TABLE stray(kind INTEGER NOT NULL, order_number TEXT NOT NULL, refund_number TEXT NOT NULL,
          PRIMARY KEY (order_number, refund_number, kind)) WITHOUT ROWID;
        CREATE TABLE loaded(request INTEGER NOT NULL, rows INTEGER NOT NULL, charged_fen INTEGER NOT NULL, paid_back_fen INTEGER NOT NULL, fee_fen INTEGER NOT NULL);
        """;

    /// <summary>Takes the rows as they come. <paramref name="looked"/> is told how many there are and may stop it by throwing.</summary>
    public async Task Load(IAsyncEnumerable<BillRow> rows, int request, Action<long> looked, CancellationToken cancellationToken)
    {
        var totals = default(BillTotals);
        Begin();
        await foreach (var row in rows.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            db.Prepare("INSERT INTO bill(order_number, kind, refund_number, line, tx, amount_fen, fee_fen, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
                .Bind(1, row.OrderNumber).Bind(2, (long)row.Kind).Bind(3, row.RefundNumber).Bind(4, row.Line).Bind(5, row.Transaction)
                .Bind(6, row.AmountFen).Bind(7, row.FeeFen).Bind(8, row.At).Run();
            totals = totals.With(row);
            if (totals.Rows % RowsATransaction == 0)
            {
                Commit();
                cancellationToken.ThrowIfCancellationRequested();
                looked(totals.Rows);
                Begin();
            }
        }

        Commit();
        looked(totals.Rows);
        await Blocking.Run(() => Finish(request, totals)).ConfigureAwait(false);
        (Totals, IsLoaded) = (totals, true);
    }

    /// <summary>Forgets what an earlier try found.</summary>
    public void BeginMatching()
    {
        HubDatabase.Execute(db.Connection, "DELETE FROM difference; DELETE FROM stray");
        Begin();
    }

    public void EndMatching() => Commit();

    /// <summary>The bill's orders by their numbers, page by page.</summary>
    /// <exception cref="BillException">An order has more rows than any order can.</exception>
    public IEnumerable<List<BillOrder>> Orders(int pageSize, int maxRowsAnOrder)
    {
        var page = new List<BillOrder>(pageSize);
        var rows = new List<BillRow>();
        var statement = db.Prepare("SELECT order_number, kind, refund_number, line, tx, amount_fen, fee_fen, at FROM bill ORDER BY order_number, line");
        while (statement.Next())
        {
            var row = new BillRow(
                (int)statement.Long(3), (BillRowKind)statement.Long(1), statement.Text(0), statement.TextOrNull(2), statement.Text(4),
                statement.Long(5), statement.Long(6), statement.Time(7));
            if (rows.Count > 0 && rows[0].OrderNumber != row.OrderNumber)
            {
                page.Add(new BillOrder(rows[0].OrderNumber, rows));
                rows = [];
                if (page.Count == pageSize)
                {
                    yield return page;
                    page = new List<BillOrder>(pageSize);
                }
            }

            // Of other systems' orders each row stands for itself, and some have no number of their own.
            if (rows.Count == maxRowsAnOrder)
            {
                if (OwnOrder.StartOf(row.OrderNumber) is not null)
                {
                    statement.Reset();
                    throw new BillException($"line {row.Line}: order {row.OrderNumber} has more than {maxRowsAnOrder} rows");
                }

                page.Add(new BillOrder(rows[0].OrderNumber, rows));
                rows = [];
            }

            rows.Add(row);
        }

        if (rows.Count > 0)
        {
            page.Add(new BillOrder(rows[0].OrderNumber, rows));
        }

        if (page.Count > 0)
        {
            yield return page;
        }
    }

    public bool HasCharge(string orderNumber) =>
        db.Prepare("SELECT 1 FROM bill WHERE order_number = ?1 AND kind = 0 LIMIT 1").Bind(1, orderNumber).Any();

    public bool HasRefund(string orderNumber, string refundNumber) =>
        db.Prepare("SELECT 1 FROM bill WHERE order_number = ?1 AND kind = 1 AND refund_number = ?2 LIMIT 1").Bind(1, orderNumber).Bind(2, refundNumber).Any();

    /// <summary>Keeps it, unless it is there already.</summary>
    public void Add(Difference d) => db.Prepare(
        """
        INSERT OR IGNORE INTO difference(order_number, refund_number, topic, line_key, reason, sn, request_id, attempt, tx, line,
          bill_fen, ledger_fen, at, awaits, settled) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
        """)
        .Bind(1, d.OrderNumber).Bind(2, d.RefundNumber).Bind(3, d.Topic).Bind(4, d.Line ?? 0).Bind(5, (long)d.Reason)
        .Bind(6, d.Payment?.SerialNumber).Bind(7, d.Payment?.RequestId).Bind(8, d.Attempt).Bind(9, d.Transaction).Bind(10, (long?)d.Line)
        .Bind(11, d.BillFen).Bind(12, d.LedgerFen).Bind(13, d.At).Bind(14, (long?)d.Awaits?.DayNumber).Bind(15, d.Settled ? 1L : 0L).Run();

    public void Add(StrayRow stray) => db.Prepare("INSERT OR IGNORE INTO stray(kind, order_number, refund_number) VALUES (?1, ?2, ?3)")
        .Bind(1, (long)stray.Kind).Bind(2, stray.OrderNumber).Bind(3, stray.RefundNumber).Run();

    /// <summary>In the report's order.</summary>
    public IEnumerable<Difference> Differences()
    {
        var rows = db.Prepare(
            """
            SELECT reason, order_number, refund_number, sn, request_id, attempt, tx, line, bill_fen, ledger_fen, at, awaits, settled
            FROM difference ORDER BY order_number, refund_number, topic, line_key
            """);
        while (rows.Next())
        {
            yield return new Difference(
                (DifferenceReason)rows.Long(0), rows.Text(1), rows.Text(2), rows.IsNull(3) ? null : new PaymentId(rows.Text(3), rows.Text(4)), (int)rows.Long(5), rows.Text(6),
                (int?)rows.LongOrNull(7), rows.LongOrNull(8), rows.LongOrNull(9), rows.Time(10), rows.IsNull(11) ? null : DateOnly.FromDayNumber((int)rows.Long(11)), rows.Long(12) != 0);
        }
    }

    public IEnumerable<StrayRow> Strays()
    {
        var rows = db.Prepare("SELECT kind, order_number, refund_number FROM stray ORDER BY order_number, refund_number, kind");
        while (rows.Next())
        {
            yield return new StrayRow((BillRowKind)rows.Long(0), rows.Text(1), rows.Text(2));
        }
    }

    /// <summary>Its work is done.</summary>
    public void Delete()
    {
        Dispose();
        File.Delete(file);
    }

    public void Dispose() => db.Dispose();

    /// <summary>No journal and no syncs: what is lost is read again. Sorting spills to files, the cache is bounded.</summary>
    private static SqliteConnection Open(string file)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ToString());
        try
        {
            connection.Open();
            HubDatabase.Execute(connection, "PRAGMA page_size = 8192; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE; PRAGMA cache_size = -16384; PRAGMA locking_mode = EXCLUSIVE");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Null: a power cut has left something that is no database.</summary>
    private static SqliteConnection? TryOpen(string file)
    {
        try
        {
            return Open(file);
        }
        catch (SqliteException)
        {
            return null;
        }
    }

    private static bool IsUsable(SqliteConnection connection, int request)
    {
        try
        {
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT request FROM loaded";
            return command.ExecuteScalar() is long kept && kept == request;
        }
        catch (SqliteException)
        {
            return false;
        }
    }

    /// <summary>Sorts the rows, and marks that they are all there. It waits for the disk, which may have a gigabyte to take.</summary>
    private void Finish(int request, BillTotals totals)
    {
        HubDatabase.Execute(db.Connection, "CREATE INDEX bill_order ON bill(order_number, line)");

        // Two syncs: the mark must not reach the disk before what it stands for.
        HubDatabase.Execute(db.Connection, "PRAGMA synchronous = FULL; DELETE FROM loaded; CREATE TABLE synced(x)");
        db.Prepare("INSERT INTO loaded(request, rows, charged_fen, paid_back_fen, fee_fen) VALUES (?1, ?2, ?3, ?4, ?5)")
            .Bind(1, request).Bind(2, totals.Rows).Bind(3, totals.ChargedFen).Bind(4, totals.PaidBackFen).Bind(5, totals.FeeFen).Run();
        HubDatabase.Execute(db.Connection, "PRAGMA synchronous = OFF");
    }

    private BillTotals ReadTotals()
    {
        var row = db.Prepare("SELECT rows, charged_fen, paid_back_fen, fee_fen FROM loaded");
        var totals = row.Next() ? new BillTotals(row.Long(0), row.Long(1), row.Long(2), row.Long(3)) : new BillTotals(-1, 0, 0, 0);
        row.Reset();
        return totals;
    }

    private void Begin()
    {
        HubDatabase.Execute(db.Connection, "BEGIN");
        writing = true;
    }

    private void Commit()
    {
        if (writing)
        {
            HubDatabase.Execute(db.Connection, "COMMIT");
            writing = false;
        }
    }
}
