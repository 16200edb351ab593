using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using SQLitePCL;

namespace DeviceHub.Storage;

/// <summary>
/// The file of what is made from the ledger: searchable payments, counts, terminals' troubles. It is beside the ledger's, so that its pages neither ride on
/// the ledger's fsync nor pass the write gate, and needs no backup: one that is missing, damaged, of another shape or ahead of the ledger is deleted
/// and made anew while payments go on. It is opened when it is first asked for; a payment never asks.
/// </summary>
internal sealed partial class SearchFile(HubDatabase database, IOptions<StorageOptions> options, ILogger<SearchFile> logger) : IDisposable
{
    private readonly Lock sync = new();
    private PreparedConnection? writes;
    private int generation;
    private volatile bool suspected;

    /// <summary>It was there, and is not made anew: when it is not there any more, somebody else has deleted it.</summary>
    private bool opened;

    /// <summary>The file's full path.</summary>
    public string File { get; } = Path.Combine(
        Path.GetDirectoryName(database.File)!, Path.GetFileNameWithoutExtension(database.File) + "-search" + Path.GetExtension(database.File));

    /// <summary>Another number is another file, which may lack what the one before had shown.</summary>
    public int Generation => Volatile.Read(ref generation);

    /// <summary>Runs on each writing connection that is opened; a full or failing disk is made with it.</summary>
    internal Action<SqliteConnection>? Connected { get; set; }

    /// <summary>The projection's own connection: one writer, no gate. Opens the file, or throws why it cannot.</summary>
    public PreparedConnection Writes
    {
        get
        {
            lock (sync)
            {
                Open();
                return writes!;
            }
        }
    }

    /// <summary>A connection that reads both files. Only readers may have both: BEGIN IMMEDIATE locks every file that is attached.</summary>
    public (SqliteConnection Connection, int Generation) Reader()
    {
        var connection = database.Connect(readOnly: true);
        try
        {
            lock (sync)
            {
                Open();
                if (!System.IO.File.Exists(File))
                {
                    // Not made by the attachment, empty. The projection makes it anew.
                    throw new FileNotFoundException($"{File} was deleted while the hub ran, and is made anew", File);
                }

                using var attach = connection.CreateCommand();
                attach.CommandText = "ATTACH $file AS search";
                attach.Parameters.AddWithValue("$file", File);
                attach.ExecuteNonQuery();
                return (connection, generation);
            }
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>A statement failed. If it may be the file that is damaged, it is looked at by <see cref="Mend"/>.</summary>
    public void Failed(SqliteException e) => suspected |= IsDamage(e);

    /// <summary>Closes the writing connection: after a fault, what it knows of the file is not trusted.</summary>
    public void Close()
    {
        lock (sync)
        {
            writes?.Dispose();
            writes = null;
        }
    }

    /// <summary>
    /// Makes a file anew that was deleted under the hub, or in which somebody met damage, if it is damaged; the ledger's may be. Called by who writes.
    /// </summary>
    public void Mend()
    {
        if (!System.IO.File.Exists(File))
        {
            Close();
            return;
        }

        if (!suspected)
        {
            return;
        }

        if (!IsWhole())
        {
            lock (sync)
            {
                Close();
                MakeAnew("it is damaged");
                Open();
            }
        }

        suspected = false;
    }

    /// <summary>Copies the file's log back when it is long, between two transactions of who writes. A reader in the way is no error: it is tried after the next.</summary>
    public void BoundLog()
    {
        var connection = Writes.Connection;
        var (frames, copied) = Checkpointer.Checkpoint(connection, Checkpointer.Look);
        if (copied < frames && frames * Checkpointer.FrameBytes >= options.Value.CheckpointBytes)
        {
            raw.sqlite3_busy_timeout(connection.Handle!, 0);
            Checkpointer.Checkpoint(connection, raw.SQLITE_CHECKPOINT_RESTART);
            raw.sqlite3_busy_timeout(connection.Handle!, (int)options.Value.LockWait.TotalMilliseconds);
        }
    }

    public void Dispose() => Close();

    private static bool IsDamage(SqliteException e) => e.SqliteErrorCode is raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB;

    private void Open()
    {
        if (writes is not null)
        {
            return;
        }

        database.Open();
        if (Unfit() is { } why)
        {
            MakeAnew(why);
        }

        HubDatabase.MakeForOwnerOnly(File);
        var connection = Connect();
        try
        {
            if (Number(connection, "PRAGMA user_version") == 0)
            {
                using var transaction = connection.BeginTransaction(deferred: false);
                HubDatabase.Execute(connection, SearchSchema.Tables);
                HubDatabase.Execute(connection, $"PRAGMA user_version = {SearchSchema.Shape}");
                transaction.Commit();
            }

            Connected?.Invoke(connection);
            writes = new PreparedConnection(database.KeepPages(connection));
            opened = true;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Why the file cannot be gone on with; null: it can, or there is none.</summary>
    private string? Unfit()
    {
        if (!System.IO.File.Exists(File))
        {
            return opened ? "it was deleted while the hub ran" : null;
        }

        try
        {
            using var connection = Connect();
            return Number(connection, "PRAGMA user_version") switch
            {
                0 when Number(connection, "SELECT count(*) FROM sqlite_master") == 0 => null,
                var shape when shape != SearchSchema.Shape => "its tables are of another version",
                _ => IsAhead(connection) ? "it shows what the ledger does not have: the ledger was brought back from a backup, or is another one" : null,
            };
        }
        catch (SqliteException e) when (IsDamage(e))
        {
            return "it is damaged";
        }
    }

    /// <summary>Whether the last ledger row that it shows is not in this ledger.</summary>
    private bool IsAhead(SqliteConnection connection)
    {
        using var shown = connection.CreateCommand();
        shown.CommandText = "SELECT seq, sn, request_id, version FROM shown";
        using var row = shown.ExecuteReader();
        if (!row.Read())
        {
            return false;
        }

        using var ledger = new PreparedConnection(database.Connect(readOnly: true));
        return !ledger.Prepare("SELECT 1 FROM payment_event WHERE seq = ?1 AND sn = ?2 AND request_id = ?3 AND version = ?4")
            .Bind(1, row.GetInt64(0)).Bind(2, row.GetString(1)).Bind(3, row.GetString(2)).Bind(4, row.GetInt64(3)).Any();
    }

    /// <summary>By a connection that has no page of it in memory yet.</summary>
    private bool IsWhole()
    {
        try
        {
            using var connection = Connect();
            using var check = connection.CreateCommand();
            check.CommandText = "PRAGMA quick_check(1)";
            return (string?)check.ExecuteScalar() == "ok";
        }
        catch (SqliteException e) when (IsDamage(e))
        {
            return false;
        }
    }

    /// <summary>
    /// Deletes the file; <see cref="Open"/> makes the next. Readers that have the old one read it to their end, and SQLite leaves the log of a file alone that is not at its
    /// place any more. The file goes first: a log without its file is ignored, a file without its log may look whole.
    /// </summary>
    private void MakeAnew(string why)
    {
        LogMadeAnew(File, why);
        Volatile.Write(ref generation, generation + 1);
        opened = false;
        foreach (var file in (string[])[File, File + "-wal", File + "-shm"])
        {
            System.IO.File.Delete(file);
        }
    }

    /// <summary>NORMAL: a power cut may take the last commits, which are made again, and breaks nothing.</summary>
    private SqliteConnection Connect()
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder(database.ConnectionString) { DataSource = File, Pooling = false }.ToString());
        try
        {
            connection.Open();
            raw.sqlite3_busy_timeout(connection.Handle!, (int)options.Value.LockWait.TotalMilliseconds);
            HubDatabase.Settle(connection);
            HubDatabase.Execute(connection, "PRAGMA synchronous = NORMAL");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static long Number(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }

    [LoggerMessage(EventName = "SearchFileMadeAnew", Level = LogLevel.Warning, Message = "What is searched ({File}) is made anew from the ledger, since {Why}; until then lists show what they have and say how far they are behind")]
    private partial void LogMadeAnew(string file, string why);
}

/// <summary>The reads of what is searched: both files at once, and places of their own, so that no payment waits for a page's.</summary>
internal sealed class SearchPool(HubDatabase database, SearchFile search, IOptions<StorageOptions> options, TimeProvider clock) : ReadPool(database, options, clock)
{
    protected override (SqliteConnection Connection, int Generation) Connect() => search.Reader();

    protected override bool IsStale(int generation) => generation != search.Generation;

    protected override void Failed(SqliteException e) => search.Failed(e);
}
