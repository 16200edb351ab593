using System.Text.Json;
using DeviceHub.Core.Live;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;
using DeviceHub.Core.Terminals;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DeviceHub.Storage;

/// <summary>
/// Keeps the searchable payments, their counts by the minute and what they say of their terminals: follows the ledger's tail in batches and catches up
/// at start. A payment that cannot be folded is logged, counted and passed by; it stays whole in the ledger.
/// </summary>
internal sealed partial class PaymentProjection(
    HubDatabase database,
    ReadPool reads,
    LiveFeed feed,
    IOptions<StorageOptions> options,
    IOptions<TerminalOptions> terminals,
    TimeProvider clock,
    ILogger<PaymentProjection> logger) : BackgroundService
{
    public const string Cursor = "payments";

    /// <summary>How often minutes that are over their time are looked for.</summary>
    private static readonly TimeSpan DeleteEvery = TimeSpan.FromHours(1);

    private readonly PaymentMinutes minutes = new();
    private readonly TimeSpan shownWithin = TimeSpan.FromSeconds(terminals.Value.ShownWithinSeconds);
    private DateTimeOffset deleteAt;
    private bool failing;

    /// <summary>Ledger rows that lists do not show yet, as of the last batch.</summary>
    public long Lag { get; private set; }

    /// <summary>Takes one batch. The number of ledger rows in it; 0: nothing was left.</summary>
    public Task<int> Step() => Blocking.Run(() =>
    {
        var batch = reads.Read(options.Value.ProjectionBatch, ReadBatch).AsTask().GetAwaiter().GetResult();
        if (batch.Rows > 0)
        {
            Write(batch);
        }

        Lag = batch.Last - batch.Cursor;
        StorageMetrics.ProjectionLag.Record(Lag);
        return batch.Rows;
    });

    /// <summary>Deletes minutes that are older than they are kept, some in each transaction.</summary>
    public Task DeleteOldMinutes() => Blocking.Run(() =>
    {
        var before = PaymentMinutes.MinuteOf(clock.GetUtcNow().AddDays(-options.Value.MinuteDays));
        bool more;
        do
        {
            using (database.Gate.EnterBlocking())
            {
                more = PaymentMinutes.Delete(database.Derived, before);
            }
        }
        while (more);
    });

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var timer = new PeriodicTimer(options.Value.ProjectionInterval, clock);
        do
        {
            try
            {
                while (await Step() == options.Value.ProjectionBatch && !stoppingToken.IsCancellationRequested)
                {
                }

                if (clock.GetUtcNow() >= deleteAt)
                {
                    await DeleteOldMinutes();
                    deleteAt = clock.GetUtcNow() + DeleteEvery;
                }

                failing = false;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                StorageMetrics.ProjectionFaults.Add(1);
                if (!failing)
                {
                    LogFailed(e);
                }

                failing = true;
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>The last ledger row that it shows, and the last that there is.</summary>
    public static (long Shown, long Last) Position(PreparedConnection db) => (
        db.Prepare("SELECT seq FROM projection_cursor WHERE name = ?1").Bind(1, Cursor).Number(),
        db.Prepare("SELECT max(seq) FROM payment_event").Number());

    private Batch ReadBatch(PreparedConnection db, int limit)
    {
        var (cursor, last) = Position(db);
        var changed = new Dictionary<long, PaymentId>();
        var rows = 0;
        var tail = db.Prepare("SELECT seq, payment, sn, request_id FROM payment_event WHERE seq > ?1 ORDER BY seq LIMIT ?2").Bind(1, cursor).Bind(2, limit);
        while (tail.Next())
        {
            rows++;
            cursor = tail.Long(0);
            changed[tail.Long(1)] = new PaymentId(tail.Text(2), tail.Text(3));
        }

        var payments = new List<Folded>(changed.Count);
        foreach (var (payment, id) in changed)
        {
            if (Fold(db, payment, id) is { } folded)
            {
                payments.Add(folded);
            }
        }

        return new Batch(rows, cursor, last, payments);
    }

    private Folded? Fold(PreparedConnection db, long payment, PaymentId id)
    {
        var version = 0;
        PaymentState? state = null;
        var rows = db.Prepare("SELECT version, body FROM payment_event WHERE payment = ?1 ORDER BY version").Bind(1, payment);
        try
        {
            while (rows.Next())
            {
                version = (int)rows.Long(0);
                foreach (var e in PaymentEventJson.Read(rows.Blob(1)))
                {
                    state = PaymentState.Apply(id, state, e);
                }
            }

            return state is null ? null : new Folded(payment, version, state);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentOutOfRangeException)
        {
            StorageMetrics.ProjectionFaults.Add(1);
            LogPassedBy(e, id);
            return null;
        }
        finally
        {
            rows.Reset();
        }
    }

    /// <summary>In small transactions, so that no commit of the ledger waits long for one. The cursor moves with the last: what is written again is the same.</summary>
    private void Write(Batch batch)
    {
        var slice = options.Value.ProjectionSlice;
        for (var from = 0; from == 0 || from < batch.Payments.Count; from += slice)
        {
            using (database.Gate.EnterBlocking())
            {
                var db = database.Derived;
                minutes.Forget();
                using var transaction = db.Connection.BeginTransaction(deferred: false);
                foreach (var payment in batch.Payments.Skip(from).Take(slice))
                {
                    if (!payment.State.Id.IsTest)
                    {
                        minutes.Change(db, payment.Seq, payment.State);
                    }

                    Upsert(db, payment);
                    TerminalTroubles.Write(db, payment.Seq, payment.State, shownWithin);
                }

                minutes.Write(db);
                if (from + slice >= batch.Payments.Count)
                {
                    db.Prepare("INSERT INTO projection_cursor(name, seq) VALUES (?1, ?2) ON CONFLICT(name) DO UPDATE SET seq = excluded.seq")
                        .Bind(1, Cursor).Bind(2, batch.Cursor).Run();
                }

                transaction.Commit();
            }
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

    private static void Upsert(PreparedConnection db, Folded payment)
    {
        var (state, view) = (payment.State, payment.State.View());
        var attempt = state.Attempts.IsEmpty ? null : state.Deciding;
        db.Prepare(
            """
            INSERT INTO payment(seq, serial_number, request_id, version, accepted_at, merchant_id, store_id, amount_fen, wallet,
              code_last_four, order_number, stage, result, reason, revision, shown_revision, paid_fen, discount_fen, final_at, attempts,
              channel_order_number, channel, channel_transaction, payer, needs_attention, refunded_fen, channel_account, scan_age_ms)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28)
            ON CONFLICT(seq) DO UPDATE SET version = ?4, stage = ?12, result = ?13, reason = ?14, revision = ?15, shown_revision = ?16,
              paid_fen = ?17, discount_fen = ?18, final_at = ?19, attempts = ?20, channel_order_number = ?21,
              payer = ?24, needs_attention = ?25, refunded_fen = ?26, channel_account = ?27
            """)
            .Bind(1, payment.Seq).Bind(2, state.Id.SerialNumber).Bind(3, state.Id.RequestId).Bind(4, payment.Version)
            .Bind(5, state.Accepted.At).Bind(6, state.Accepted.MerchantId).Bind(7, state.Accepted.StoreId).Bind(8, view.AmountFen)
            .Bind(9, (long)view.Wallet).Bind(10, state.Accepted.CodeLastFour).Bind(11, view.OrderNumber).Bind(12, (long)view.Stage)
            .Bind(13, (long)view.Result).Bind(14, (long)view.Reason).Bind(15, view.Revision).Bind(16, view.ShownRevision)
            .Bind(17, view.PaidFen).Bind(18, view.DiscountFen).Bind(19, view.FinalAt).Bind(20, state.Attempts.Length)
            .Bind(21, attempt?.OrderNumber).Bind(22, attempt?.Channel).Bind(23, view.ChannelTransaction).Bind(24, view.Payer)
            .Bind(25, state.NeedsAttention ? 1L : 0L).Bind(26, state.RefundedFen).Bind(27, attempt?.Account)
            .Bind(28, state.Accepted.ScanAgeMs).Run();

        // Not above: what is named in an update is written anew in its indexes, changed or not.
        db.Prepare("UPDATE payment SET channel = ?2, channel_transaction = ?3 WHERE seq = ?1 AND (channel IS NOT ?2 OR channel_transaction IS NOT ?3)")
            .Bind(1, payment.Seq).Bind(2, attempt?.Channel).Bind(3, view.ChannelTransaction).Run();
        foreach (var one in state.Attempts)
        {
            Upsert(db, payment.Seq, one, state.Refunds.Count(r => r.Attempt == one.Number));
        }

        foreach (var refund in state.Refunds)
        {
            Upsert(db, state.Attempts[refund.Attempt - 1], refund);
        }
    }

    /// <summary>For reconciliation, which meets attempts by their numbers at the channel.</summary>
    private static void Upsert(PreparedConnection db, long payment, AttemptState attempt, int refunds) => db.Prepare(
        """
        INSERT INTO attempt(account, order_number, payment_seq, number, money, refunds) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT(account, order_number) DO UPDATE SET money = ?5, refunds = ?6
        """)
        .Bind(1, attempt.Account).Bind(2, attempt.OrderNumber).Bind(3, payment).Bind(4, attempt.Number)
        .Bind(5, (long)LedgerAttempt.MoneyOf(attempt)).Bind(6, refunds).Run();

    private static void Upsert(PreparedConnection db, AttemptState attempt, RefundState refund) => db.Prepare(
        """
        INSERT INTO attempt_refund(account, order_number, refund_number, amount_fen, money, started_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT(account, order_number, refund_number) DO UPDATE SET money = ?5
        """)
        .Bind(1, attempt.Account).Bind(2, attempt.OrderNumber).Bind(3, refund.Number).Bind(4, refund.AmountFen)
        .Bind(5, (long)LedgerAttempt.MoneyOf(refund.Standing)).Bind(6, refund.StartedAt).Run();

    private sealed record Folded(long Seq, int Version, PaymentState State);

    private sealed record Batch(int Rows, long Cursor, long Last, List<Folded> Payments);

    [LoggerMessage(EventId = 1, EventName = "ProjectionFailed", Level = LogLevel.Warning, Message = "Searchable payments fell behind the ledger; it is tried again")]
    private partial void LogFailed(Exception e);

    [LoggerMessage(EventId = 2, EventName = "PaymentNotFolded", Level = LogLevel.Error, Message = "Payment {Id} cannot be folded and is not searchable")]
    private partial void LogPassedBy(Exception e, PaymentId id);
}
