using DeviceHub.Core.Payments;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using SQLitePCL;

namespace DeviceHub.Storage;

/// <summary>
/// The payment ledger: one thread that writes everything waiting in one transaction, so that one fsync serves them all, and gives
/// each entry its own answer. Reads go through the read pool.
/// </summary>
internal sealed partial class LedgerWriter : IPaymentLedger, IDisposable
{
    private readonly HubDatabase database;
    private readonly LedgerKeys keys;
    private readonly StorageOptions options;
    private readonly TimeProvider clock;
    private readonly ILogger<LedgerWriter> logger;
    private readonly LedgerReads reads;
    private readonly FreeSpace space;
    private readonly LedgerQueue queue;
    private readonly Lock starting = new();
    private Thread? thread;
    private LedgerBook? book;
    private string? refusing;

    /// <summary>What was committed last, for the projection.</summary>
    public LedgerTail Tail { get; }

    /// <summary>A commit failed, and the log was not begun anew since.</summary>
    private bool failed;

    public LedgerWriter(HubDatabase database, LedgerKeys keys, ReadPool pool, FreeSpace space, IOptions<StorageOptions> options, TimeProvider clock, ILogger<LedgerWriter> logger)
    {
        (this.database, this.options, this.clock, this.logger, this.space) = (database, options.Value, clock, logger, space);
        this.keys = keys;
        reads = new LedgerReads(pool, keys);
        queue = new LedgerQueue(this.options.AcceptQueue, this.options.ResultQueue);
        Tail = new LedgerTail(this.options.ProjectionBatch);
    }

    /// <summary>Entries waiting now.</summary>
    public (int Accepts, int Results) Waiting => queue.Waiting;

    public ValueTask<AcceptAnswer> Accept(LedgerAccept accept, CancellationToken withdraw)
    {
        Start();
        var item = new AcceptItem(accept);
        if (withdraw.IsCancellationRequested || !queue.TryAdd(item))
        {
            item.Answer(WriteResult.NotWritten);
        }
        else
        {
            item.WithdrawBy(withdraw);
        }

        return new(item.Task);
    }

    public ValueTask<WriteResult> Append(LedgerAppend append)
    {
        Start();
        var item = new AppendItem(append);
        if (!queue.TryAdd(item))
        {
            item.Answer(WriteResult.NotWritten);
        }

        return new(item.Task);
    }

    public ValueTask<LedgerHistory?> Read(PaymentId id) => reads.Read(id);

    public ValueTask<PaymentId?> FindByChannelOrder(string channelOrderNumber) => reads.FindByChannelOrder(channelOrderNumber);

    public ValueTask<IReadOnlyList<PaymentId>> Unsettled(string serialNumber, DateTimeOffset since, int limit) =>
        reads.Unsettled(serialNumber, since, limit);

    public ValueTask<IReadOnlyList<PaymentId>> Due(DateTimeOffset now, int limit) => reads.Due(now, limit);

    /// <summary>Writes what waits, then stops. What comes later is answered "not written".</summary>
    public void Dispose()
    {
        queue.Close();
        lock (starting)
        {
            thread?.Join();
        }
    }

    private void Start()
    {
        if (thread is not null)
        {
            return;
        }

        lock (starting)
        {
            if (thread is null)
            {
                database.Open();
                var started = new Thread(Loop) { IsBackground = true, Name = "payment ledger" };
                started.Start();
                thread = started;
            }
        }
    }

    private void Loop()
    {
        var batch = new List<LedgerItem>();
        while (queue.Take(batch, options.BatchSize))
        {
            using (database.Gate.EnterBlocking())
            {
                try
                {
                    WriteBatch(batch);
                }
                catch (Exception e)
                {
                    // Nothing was committed that was not answered; the connection is not trusted any more. Nobody else writes
                    // before the fence.
                    LogFault(e);
                    Reopen(batch);
                }
            }

            batch.Clear();
        }

        book?.Dispose();
        book = null;
    }

    private void WriteBatch(List<LedgerItem> batch)
    {
        if (!space.Suffices())
        {
            Refuse("disk space below the reserve");
            AnswerAccepts(batch);
        }

        if (batch.Count == 0)
        {
            return;
        }

        if (failed && !TryReopen([], TimeSpan.Zero))
        {
            AnswerAll(batch, WriteResult.NotWritten);
            return;
        }

        var code = TryWrite(batch);
        if (code == raw.SQLITE_FULL && batch.Exists(i => i is AcceptItem) && batch.Exists(i => i is AppendItem))
        {
            AnswerAccepts(batch);
            var second = TryWrite(batch);
            Refuse("the disk is full");
            if (second == raw.SQLITE_OK)
            {
                AnswerAll(batch);
                return;
            }

            code = second;
        }

        if (code == raw.SQLITE_OK)
        {
            Resume();
            AnswerAll(batch);
        }
        else if (code is raw.SQLITE_FULL or raw.SQLITE_BUSY)
        {
            // Neither leaves a whole commit in the log.
            Refuse(code == raw.SQLITE_FULL ? "the disk is full" : "another program has locked the database");
            AnswerAll(batch, WriteResult.NotWritten);
        }
        else
        {
            Refuse($"SQLite error {code}");
            Reopen(batch);
        }
    }

    private int TryWrite(List<LedgerItem> batch)
    {
        var start = clock.GetTimestamp();
        book ??= new LedgerBook(database, keys, options.KeyBatch);
        var code = book.Begin();
        for (var i = 0; i < batch.Count && code == raw.SQLITE_OK; i++)
        {
            code = book.Write(batch[i]);
        }

        if (code == raw.SQLITE_OK)
        {
            code = book.Commit();
        }

        if (code != raw.SQLITE_OK)
        {
            book.Rollback();
            return code & 0xFF;
        }

        StorageMetrics.Commits.Add(1);
        StorageMetrics.CommitMs.Record(clock.GetElapsedTime(start).TotalMilliseconds);
        return code;
    }

    /// <summary>After a failed commit: a new connection says what is there, and only then is anybody answered.</summary>
    private void Reopen(List<LedgerItem> batch)
    {
        failed = true;
        if (!TryReopen(batch, options.RecoveryTime))
        {
            AnswerAll(batch, WriteResult.Unknown);
        }
    }

    private bool TryReopen(List<LedgerItem> batch, TimeSpan within)
    {
        var start = clock.GetTimestamp();
        while (true)
        {
            try
            {
                book?.Dispose();
                book = null;
                book = new LedgerBook(database, keys, options.KeyBatch);
                book.BeginLogAnew();
                book.Fence();
                // Two that wrote the same bytes cannot both have written them: only one may go on and pay.
                var written = new HashSet<(PaymentId, int)>();
                foreach (var item in batch)
                {
                    var found = book.Find(item);
                    item.Answer(found == WriteResult.Written && !written.Add((item.Id, item.Version)) ? WriteResult.Conflict : found);
                }

                failed = false;
                return true;
            }
            catch (SqliteException) when (clock.GetElapsedTime(start) < within)
            {
                // Looked at again until the time is over.
                Thread.Sleep(20);
            }
            catch (SqliteException)
            {
                return false;
            }
        }
    }

    /// <summary>After a commit that is durable. Waking those who wait, one by one and each on its way to the pool, is the pool's work: the next commit does not wait for it.</summary>
    private void AnswerAll(List<LedgerItem> batch)
    {
        if (batch.Count > 1)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static items => Array.ForEach(items, item => item.Answer()), batch.ToArray(), preferLocal: false);
        }
        else
        {
            batch[0].Answer();
        }

        Tail.Add(batch);
    }

    private static void AnswerAll(List<LedgerItem> batch, WriteResult result)
    {
        foreach (var item in batch)
        {
            item.Answer(result);
        }
    }

    private static void AnswerAccepts(List<LedgerItem> batch) => batch.RemoveAll(item =>
    {
        if (item is AcceptItem)
        {
            item.Answer(WriteResult.NotWritten);
            return true;
        }

        return false;
    });

    private void Refuse(string reason)
    {
        if (refusing is null)
        {
            StorageMetrics.Refusing.Add(1);
        }

        if (refusing != reason)
        {
            LogRefusing(reason, database.File);
        }

        refusing = reason;
    }

    private void Resume()
    {
        if (refusing is not null && space.Suffices())
        {
            StorageMetrics.Refusing.Add(-1);
            LogResumed(refusing);
            refusing = null;
        }
    }

    [LoggerMessage(EventId = 1, EventName = "LedgerRefusing", Level = LogLevel.Error, Message = "New payments are refused: {Reason} ({File})")]
    private partial void LogRefusing(string reason, string file);

    [LoggerMessage(EventId = 2, EventName = "LedgerResumed", Level = LogLevel.Information, Message = "Payments are taken again; before: {Reason}")]
    private partial void LogResumed(string reason);

    [LoggerMessage(EventId = 3, EventName = "LedgerFault", Level = LogLevel.Error, Message = "The ledger's writer failed and reads itself again")]
    private partial void LogFault(Exception e);
}
