using DeviceHub.Core;
using DeviceHub.Core.Live;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;
using DeviceHub.Core.Terminals;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DeviceHub.Storage;

/// <summary>
/// Keeps the searchable payments, their counts by the minute and what they say of their terminals in the search file: follows the ledger's tail in
/// batches and catches up at start, from the ledger's beginning when the file is new. Nobody waits for it: when it cannot write, it is counted, logged once and tried
/// again. A payment that cannot be folded is logged, counted and passed by; it stays whole in the ledger.
/// </summary>
internal sealed partial class PaymentProjection(
    SearchFile search,
    ReadPool reads,
    LedgerWriter ledger,
    LiveFeed feed,
    FreeDisk disk,
    SearchProgress progress,
    IOptions<StorageOptions> options,
    IOptions<TerminalOptions> terminals,
    TimeProvider clock,
    ILogger<PaymentProjection> logger) : BackgroundService
{
    /// <summary>
    /// As many batches in one, where what is searched is far behind: its indexes by terminal, merchant and store are written all over the file, and a page that
    /// several payments of a transaction touch is written once.
    /// </summary>
    private const int BatchesAtOnce = 10;

    private const string Row =
        """
        INSERT INTO payment(seq, serial_number, request_id, version, accepted_at, merchant_id, store_id, amount_fen, wallet,
          code_last_four, order_number, stage, result, reason, revision, shown_revision, paid_fen, discount_fen, final_at, attempts,
          channel_order_number, channel, channel_transaction, payer, needs_attention, refunded_fen, channel_account, scan_age_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28)
        ON CONFLICT(seq) DO
        """;

    private const string Insert = Row + " NOTHING";

    private const string Update = Row +
        """
         UPDATE SET version = ?4, stage = ?12, result = ?13, reason = ?14, revision = ?15, shown_revision = ?16,
          paid_fen = ?17, discount_fen = ?18, final_at = ?19, attempts = ?20, channel_order_number = ?21,
          payer = ?24, needs_attention = ?25, refunded_fen = ?26, channel_account = ?27
        """;

    /// <summary>How often minutes that are over their time are looked for.</summary>
    private static readonly TimeSpan DeleteEvery = TimeSpan.FromHours(1);

    private readonly PaymentMinutes minutes = new();
    private readonly TimeSpan shownWithin = TimeSpan.FromSeconds(terminals.Value.ShownWithinSeconds);
    private DateTimeOffset deleteAt;
    private long? shown;

    /// <summary>Ledger rows that lists do not show yet, as of the last batch.</summary>
    public long Lag { get; private set; }

    /// <summary>Takes one batch. The number of ledger rows in it; 0: nothing was left.</summary>
    public Task<int> Step() => Do(() =>
    {
        var last = reads.Read(0, static (db, _) => Last(db)).AsTask().GetAwaiter().GetResult();
        Tell(last - (shown ?? last));
        search.Mend();
        shown = Shown(search.Writes);
        Tell(last - shown.Value);

        // What people look at may use the disk that is reserved for payments as far as a day's business does, and not as far as a whole ledger.
        if (last - shown > options.Value.ProjectionBatch && !disk.HasRoom())
        {
            throw new IOException("the disk is nearly full: what is left is reserved for payments (Storage:ReserveBytes)");
        }

        var batch = reads.Read((First: shown.Value, Rows: progress.Behind is null ? options.Value.ProjectionBatch : options.Value.ProjectionBatch * BatchesAtOnce), (db, q) => ReadBatch(db, q.First, q.Rows))
            .AsTask().GetAwaiter().GetResult();
        Tell(batch.Last - batch.First);
        if (batch.Rows > 0)
        {
            Write(batch);
            shown = batch.Cursor;
            Tell(batch.Last - batch.Cursor, batch.Rows);
            search.BoundLog();
        }

        return batch.Rows;
    });

    /// <summary>Deletes minutes that are older than they are kept, some in each transaction.</summary>
    public Task DeleteOldMinutes() => Do(() =>
    {
        var before = PaymentMinutes.MinuteOf(clock.GetUtcNow().AddDays(-options.Value.MinuteDays));
        while (PaymentMinutes.Delete(search.Writes, before))
        {
        }

        return true;
    });

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var timer = new PeriodicTimer(options.Value.ProjectionInterval, clock);
        do
        {
            try
            {
                await Step();
                while (Lag >= options.Value.ProjectionBatch && !stoppingToken.IsCancellationRequested)
                {
                    progress.Succeeds();
                    await Step();
                }

                if (clock.GetUtcNow() >= deleteAt)
                {
                    await DeleteOldMinutes();
                    deleteAt = clock.GetUtcNow() + DeleteEvery;
                }

                progress.Succeeds();
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                StorageMetrics.ProjectionFaults.Add(1);
                if (progress.Fails(e))
                {
                    LogFailed(e);
                }
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>After a fault the connection is closed, and the file is looked at if it may be damaged.</summary>
    private Task<T> Do<T>(Func<T> work) => Blocking.Run(() =>
    {
        try
        {
            return work();
        }
        catch (SqliteException e)
        {
            search.Failed(e);
            search.Close();
            throw;
        }
    });

    /// <summary>The last ledger row that is shown, and the last that there is, of a connection that reads both files.</summary>
    public static (long Shown, long Last) Position(PreparedConnection db) => (Shown(db), Last(db));

    private static long Shown(PreparedConnection db) => db.Prepare("SELECT seq FROM shown").Number();

    private static long Last(PreparedConnection db) => db.Prepare("SELECT max(seq) FROM payment_event").Number();

    /// <summary>How far lists are behind.</summary>
    private void Tell(long lag, int written = 0)
    {
        Lag = lag;
        StorageMetrics.ProjectionLag.Record(lag);
        progress.At(lag, written);
    }

    private Batch ReadBatch(PreparedConnection db, long first, long most)
    {
        var (cursor, last) = (first, Last(db));
        var (payment, version) = (0L, 0L);
        var payments = new Dictionary<long, (PaymentId Id, Folded? Folded)>();
        var rows = 0;

        // A read that takes longer than reads may is broken off, and would be the next time, too.
        var (from, enough) = (clock.GetTimestamp(), options.Value.ReadTimeLimit / 2);
        var tail = db.Prepare("SELECT seq, payment, version, sn, request_id FROM payment_event WHERE seq > ?1 ORDER BY seq LIMIT ?2").Bind(1, cursor).Bind(2, most);
        while (clock.GetElapsedTime(from) < enough && tail.Next())
        {
            rows++;
            (cursor, payment, version) = (tail.Long(0), tail.Long(1), tail.Long(2));
            if (!payments.TryGetValue(payment, out var seen))
            {
                var id = new PaymentId(tail.Text(3), tail.Text(4));
                payments.Add(payment, (id, Recent(payment, id, version) ?? Fold(db, payment, id)));
            }
            else if (seen.Folded?.Version < version)
            {
                payments[payment] = (seen.Id, Fold(db, payment, seen.Id));
            }
        }

        tail.Reset();
        return new Batch(rows, first, cursor, payments.GetValueOrDefault(payment).Id, version, last, [.. payments.Values.Select(p => p.Folded).OfType<Folded>()]);
    }

    /// <summary>As the ledger's writer left it a moment ago; null: it is to be read.</summary>
    private Folded? Recent(long payment, PaymentId id, long version) =>
        ledger.Tail.TryTake(id, version, out var found) ? new Folded(payment, found.Version, found.State) : null;

    private Folded? Fold(PreparedConnection db, long payment, PaymentId id)
    {
        try
        {
            return LedgerReads.Read(db, payment) is { } history && PaymentState.Fold(id, history.Events) is { } state ? new Folded(payment, history.Version, state) : null;
        }
        catch (Exception e) when (LedgerReads.IsUnreadable(e))
        {
            StorageMetrics.ProjectionFaults.Add(1);
            LogPassedBy(e, id);
            return null;
        }
    }

    private void Write(Batch batch)
    {
        var db = search.Writes;
        minutes.Forget();
        using (var transaction = db.Connection.BeginTransaction(deferred: false))
        {
            foreach (var payment in batch.Payments)
            {
                Put(db, payment);
                TerminalTroubles.Write(db, payment.Seq, payment.State, shownWithin);
            }

            minutes.Write(db);
            db.Prepare("INSERT INTO shown(id, seq, sn, request_id, version) VALUES (1, ?1, ?2, ?3, ?4) ON CONFLICT(id) DO UPDATE SET seq = ?1, sn = ?2, request_id = ?3, version = ?4")
                .Bind(1, batch.Cursor).Bind(2, batch.LastId.SerialNumber).Bind(3, batch.LastId.RequestId).Bind(4, batch.LastVersion).Run();
            transaction.Commit();
        }

        if (feed.IsWatched)
        {
            Publish(batch.Payments);
        }
    }

    private void Publish(List<Folded> payments)
    {
        foreach (var payment in payments)
        {
            var id = payment.State.Id;
            feed.Changed(LiveFeed.Payment(id.SerialNumber, id.RequestId));
            feed.Changed(LiveFeed.Terminal(id.SerialNumber));
        }

        feed.Changed(LiveFeed.Payments);
    }

    /// <summary>Most payments are over when they are first met: they are inserted, and what would be there of them is not looked for.</summary>
    private void Put(PreparedConnection db, Folded payment)
    {
        var (state, view) = (payment.State, payment.State.View());
        var attempt = state.Attempts.IsEmpty ? null : state.Deciding;
        Statement Bound(string sql) => db.Prepare(sql)
            .Bind(1, payment.Seq).Bind(2, state.Id.SerialNumber).Bind(3, state.Id.RequestId).Bind(4, payment.Version)
            .Bind(5, state.Accepted.At).Bind(6, state.Accepted.MerchantId).Bind(7, state.Accepted.StoreId).Bind(8, view.AmountFen)
            .Bind(9, (long)view.Wallet).Bind(10, state.Accepted.CodeLastFour).Bind(11, view.OrderNumber).Bind(12, (long)view.Stage)
            .Bind(13, (long)view.Result).Bind(14, (long)view.Reason).Bind(15, view.Revision).Bind(16, view.ShownRevision)
            .Bind(17, view.PaidFen).Bind(18, view.DiscountFen).Bind(19, view.FinalAt).Bind(20, state.Attempts.Length)
            .Bind(21, attempt?.OrderNumber).Bind(22, attempt?.Channel).Bind(23, view.ChannelTransaction).Bind(24, view.Payer)
            .Bind(25, state.NeedsAttention ? 1L : 0L).Bind(26, state.RefundedFen).Bind(27, attempt?.Account)
            .Bind(28, state.Accepted.ScanAgeMs);

        var isNew = Bound(Insert).Run() > 0;
        if (!state.Id.IsTest)
        {
            minutes.Change(db, payment.Seq, state, isNew);
        }

        if (isNew)
        {
            db.Prepare("INSERT OR IGNORE INTO request_epoch(epoch, serial_number) VALUES (?1, ?2)").Bind(1, HubKeys.EpochOf(state.Id.RequestId)).Bind(2, state.Id.SerialNumber).Run();
        }
        else
        {
            Bound(Update).Run();

            // Not above: what is named in an update is written anew in its indexes, changed or not.
            db.Prepare("UPDATE payment SET channel = ?2, channel_transaction = ?3 WHERE seq = ?1 AND (channel IS NOT ?2 OR channel_transaction IS NOT ?3)")
                .Bind(1, payment.Seq).Bind(2, attempt?.Channel).Bind(3, view.ChannelTransaction).Run();
        }

        foreach (var one in state.Attempts)
        {
            Put(db, payment.Seq, one, state.Refunds.Count(r => r.Attempt == one.Number));
        }

        foreach (var refund in state.Refunds)
        {
            Put(db, state.Attempts[refund.Attempt - 1], refund);
        }
    }

    /// <summary>For reconciliation, which meets attempts by their numbers at the channel.</summary>
    private static void Put(PreparedConnection db, long payment, AttemptState attempt, int refunds) => db.Prepare(
        """
        INSERT INTO attempt(account, order_number, payment_seq, number, money, refunds) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT(account, order_number) DO UPDATE SET money = ?5, refunds = ?6
        """)
        .Bind(1, attempt.Account).Bind(2, attempt.OrderNumber).Bind(3, payment).Bind(4, attempt.Number)
        .Bind(5, (long)LedgerAttempt.MoneyOf(attempt)).Bind(6, refunds).Run();

    private static void Put(PreparedConnection db, AttemptState attempt, RefundState refund) => db.Prepare(
        """
        INSERT INTO attempt_refund(account, order_number, refund_number, amount_fen, money, started_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT(account, order_number, refund_number) DO UPDATE SET money = ?5
        """)
        .Bind(1, attempt.Account).Bind(2, attempt.OrderNumber).Bind(3, refund.Number).Bind(4, refund.AmountFen)
        .Bind(5, (long)LedgerAttempt.MoneyOf(refund.Standing)).Bind(6, refund.StartedAt).Run();

    private sealed record Folded(long Seq, int Version, PaymentState State);

    /// <param name="First">The row before it.</param>
    /// <param name="Cursor">Its last row, which is version <paramref name="LastVersion"/> of <paramref name="LastId"/>.</param>
    /// <param name="Last">The last row that the ledger has.</param>
    private sealed record Batch(int Rows, long First, long Cursor, PaymentId LastId, long LastVersion, long Last, List<Folded> Payments);

    [LoggerMessage(EventId = 1, EventName = "ProjectionFailed", Level = LogLevel.Warning, Message = "Searchable payments fell behind the ledger; it is tried again")]
    private partial void LogFailed(Exception e);

    [LoggerMessage(EventId = 2, EventName = "PaymentNotFolded", Level = LogLevel.Error, Message = "Payment {Id} cannot be folded and is not searchable")]
    private partial void LogPassedBy(Exception e, PaymentId id);
}
