using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace DeviceHub.Storage;

/// <summary>
/// The database file of this process: opened once and brought up to date. Whoever makes it sees to it that the folder is no other hub's.
/// </summary>
public sealed class HubDatabase : IDisposable
{
    private readonly StorageOptions options;
    private readonly Lock sync = new();
    private readonly string folder;
    private PreparedConnection? writes;
    private PreparedConnection? derived;

    public HubDatabase(string folder, IOptions<StorageOptions> options)
    {
        this.options = options.Value;
        this.folder = Path.GetFullPath(folder);
        File = Path.Combine(this.folder, this.options.FileName);
    }

    /// <summary>The database file's full path.</summary>
    public string File { get; }

    internal WriteGate Gate { get; } = new();

    /// <summary>Runs on each connection that is opened; a full or failing disk is made with it.</summary>
    internal Action<SqliteConnection>? Connected { get; set; }

    /// <summary>The side writer's connection: only under <see cref="Gate"/>.</summary>
    internal PreparedConnection Writes
    {
        get
        {
            Open();
            return writes!;
        }
    }

    /// <summary>
    /// As <see cref="Writes"/>, for what is made again after a power cut: terminals are seen again, reconciliations run again. Its commits
    /// reach the disk with the next one of the ledger and hold the gate no longer than they must.
    /// </summary>
    internal PreparedConnection Derived
    {
        get
        {
            Open();
            return derived!;
        }
    }

    internal string ConnectionString => new SqliteConnectionStringBuilder
    {
        DataSource = File,
        DefaultTimeout = (int)Math.Ceiling(options.LockWait.TotalSeconds),
    }.ToString();

    /// <summary>
    /// Applies migrations and opens the writer. Harmless when it is open already.
    /// </summary>
    /// <param name="stop">Ends a migration that runs: what it has done is undone, and the next start does it again.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public void Open(CancellationToken stop = default)
    {
        lock (sync)
        {
            if (writes is not null)
            {
                return;
            }

            Directory.CreateDirectory(folder);
            MakeForOwnerOnly(File);
            var connection = Connect(readOnly: false);
            try
            {
                CheckVersion(SQLitePCL.raw.sqlite3_libversion_number());
                Migrate(connection, stop);
                derived = new PreparedConnection(Connect(readOnly: false));
                Execute(derived.Connection, "PRAGMA synchronous = NORMAL");
            }
            catch
            {
                connection.Dispose();
                throw;
            }

            writes = new PreparedConnection(connection);
        }
    }

    /// <summary>An open connection with the settings that durability and the log's bound ask for.</summary>
    internal SqliteConnection Connect(bool readOnly)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder(ConnectionString) { Pooling = false }.ToString());
        try
        {
            connection.Open();
            SQLitePCL.raw.sqlite3_busy_timeout(connection.Handle!, (int)options.LockWait.TotalMilliseconds);
            Settle(connection);
            if (readOnly)
            {
                Execute(connection, "PRAGMA query_only = ON");
            }

            Connected?.Invoke(connection);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Every connection's settings: a default one would run checkpoints inside its commits.</summary>
    internal static void Settle(SqliteConnection connection)
    {
        Execute(connection, "PRAGMA journal_mode = WAL");
        Execute(connection, "PRAGMA synchronous = FULL");
        Execute(connection, "PRAGMA wal_autocheckpoint = 0");
    }

    /// <summary>
    /// For a connection that writes payments: SQLite's own 2 MB do not hold the pages that are written again and again, so they went to the log within a transaction and
    /// were read back.
    /// </summary>
    internal SqliteConnection KeepPages(SqliteConnection connection)
    {
        Execute(connection, $"PRAGMA cache_size = -{options.PageCacheBytes / 1024}");
        return connection;
    }

    internal static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    public void Dispose()
    {
        lock (sync)
        {
            writes?.Dispose();
            derived?.Dispose();
            (writes, derived) = (null, null);
            using (var pooled = new SqliteConnection(ConnectionString))
            {
                SqliteConnection.ClearPool(pooled);
            }
        }
    }

    private static void Migrate(SqliteConnection connection, CancellationToken stop)
    {
        const int Interrupted = 9;

        // EF Core's lock is a row, which a process that was killed leaves behind: it would be waited for at every start to come, for ever. The
        // data folder is this process's own, so whoever has left one is gone.
        using (var left = connection.CreateCommand())
        {
            left.CommandText = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '__EFMigrationsLock'";
            if (left.ExecuteScalar() is not null)
            {
                Execute(connection, "DELETE FROM __EFMigrationsLock");
            }
        }

        SQLitePCL.raw.sqlite3_progress_handler(connection.Handle!, 4_000, _ => stop.IsCancellationRequested ? 1 : 0, null);
        try
        {
            stop.ThrowIfCancellationRequested();
            using var context = new HubDbContext(new DbContextOptionsBuilder<HubDbContext>().UseSqlite(connection).Options);

            // EF Core passes by what it does not know. A hub that writes the ledger by other rules than the file's may find no payment that is in it, and take it again.
            if (context.Database.GetAppliedMigrations().Except(context.Database.GetMigrations()).FirstOrDefault() is { } unknown)
            {
                throw new HubDatabaseException($"the database is a newer hub's ({unknown}): start that one, or bring back the backup that was made before it");
            }

            context.Database.Migrate();
        }
        catch (SqliteException e) when (e.SqliteErrorCode == Interrupted && stop.IsCancellationRequested)
        {
            throw new OperationCanceledException("stopped while the database was brought up to date", e, stop);
        }
        finally
        {
            SQLitePCL.raw.sqlite3_progress_handler(connection.Handle!, 0, null, null);
        }
    }

    /// <summary>An older SQLite would take the checkpointer's look at the log for a misuse, and the log would grow without end.</summary>
    internal static void CheckVersion(int version)
    {
        const int Needed = 3_051_000;
        if (version < Needed)
        {
            throw new HubDatabaseException($"SQLite {Text(Needed)} is needed and {Text(version)} is loaded: take the e_sqlite3 library that comes with the hub");
        }

        static string Text(int number) => $"{number / 1_000_000}.{number / 1000 % 1000}.{number % 1000}";
    }

    /// <summary>SQLite gives its log the rights of the database. A database that is there is not opened: closing it would drop SQLite's locks.</summary>
    internal static void MakeForOwnerOnly(string file)
    {
        if (!OperatingSystem.IsWindows() && !System.IO.File.Exists(file))
        {
            const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            new FileStream(file, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }).Dispose();
        }
    }
}

/// <summary>The database cannot be opened by this hub; the message says why, and what to do.</summary>
public sealed class HubDatabaseException(string message) : Exception(message);
