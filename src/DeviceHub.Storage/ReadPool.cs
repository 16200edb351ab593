using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace DeviceHub.Storage;

/// <summary>
/// A bounded number of read-only connections, each read broken off at its time limit: a reader that stays open keeps the write-ahead
/// log from being reused.
/// </summary>
internal class ReadPool(HubDatabase database, IOptions<StorageOptions> options, TimeProvider clock) : IDisposable
{
    private readonly ConcurrentBag<Slot> idle = [];
    private readonly SemaphoreSlim places = new(options.Value.ReadPoolSize);
    private readonly TimeSpan limit = options.Value.ReadTimeLimit;
    private volatile bool disposed;

    /// <summary>Runs a read. Throws <see cref="TimeoutException"/> when no place became free, or the read took too long.</summary>
    public async ValueTask<T> Read<TArgument, T>(TArgument argument, Func<PreparedConnection, TArgument, T> read)
    {
        using var rent = await Rent(CancellationToken.None).ConfigureAwait(false);
        try
        {
            return read(rent.Slot.Connection, argument);
        }
        catch (Exception e)
        {
            // A statement that is left open keeps its connection where the read was broken off, with all that is read on it later.
            rent.Slot.Connection.Reset();
            switch (e)
            {
                case SqliteException { SqliteErrorCode: SQLitePCL.raw.SQLITE_INTERRUPT }:
                    throw BrokenOff(e);
                case SqliteException fault:
                    Failed(fault);
                    break;
            }

            throw;
        }
    }

    public async Task<T> Query<T>(Func<HubDbContext, CancellationToken, Task<T>> query, CancellationToken cancellationToken)
    {
        using var rent = await Rent(cancellationToken).ConfigureAwait(false);
        try
        {
            using var context = new HubDbContext(rent.Slot.Options);
            return await query(context, cancellationToken).ConfigureAwait(false);
        }
        catch (SqliteException e) when (e.SqliteErrorCode == SQLitePCL.raw.SQLITE_INTERRUPT)
        {
            throw BrokenOff(e);
        }
        catch (SqliteException e)
        {
            Failed(e);
            throw;
        }
    }

    /// <summary>Opens a connection that only reads.</summary>
    /// <returns>It, and the file that it was opened for: see <see cref="IsStale"/>.</returns>
    protected virtual (SqliteConnection Connection, int Generation) Connect() => (database.Connect(readOnly: true), 0);

    /// <summary>Whether a connection is to be closed, since there is another file in the place of its own.</summary>
    protected virtual bool IsStale(int generation) => false;

    protected virtual void Failed(SqliteException e)
    {
    }

    public void Dispose()
    {
        disposed = true;
        while (idle.TryTake(out var slot))
        {
            slot.Dispose();
        }
    }

    private TimeoutException BrokenOff(Exception e)
    {
        StorageMetrics.ReadsBrokenOff.Add(1);
        return new TimeoutException($"the read took longer than {limit.TotalMilliseconds:0} ms and was broken off; ask for less", e);
    }

    private async ValueTask<Rented> Rent(CancellationToken cancellationToken)
    {
        if (!places.Wait(0, CancellationToken.None) && !await places.WaitAsync(limit, cancellationToken).ConfigureAwait(false))
        {
            StorageMetrics.ReadsBrokenOff.Add(1);
            throw new TimeoutException($"all {options.Value.ReadPoolSize} readers were busy for {limit.TotalMilliseconds:0} ms");
        }

        try
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            Slot? slot;
            while (idle.TryTake(out slot) && IsStale(slot.Generation))
            {
                slot.Dispose();
            }

            if (slot is null)
            {
                database.Open(CancellationToken.None);
                slot = new Slot(Connect(), clock);
            }

            slot.Begin(limit);
            return new Rented(this, slot);
        }
        catch
        {
            places.Release();
            throw;
        }
    }

    private void Return(Slot slot)
    {
        slot.End();
        if (disposed)
        {
            slot.Dispose();
        }
        else
        {
            idle.Add(slot);
        }

        places.Release();
    }

    private readonly struct Rented(ReadPool pool, Slot slot) : IDisposable
    {
        public Slot Slot => slot;

        public void Dispose() => pool.Return(slot);
    }

    private sealed class Slot : IDisposable
    {
        private readonly TimeProvider clock;
        private long start;
        private TimeSpan limit = Timeout.InfiniteTimeSpan;

        public Slot((SqliteConnection Connection, int Generation) opened, TimeProvider clock)
        {
            this.clock = clock;
            var connection = opened.Connection;
            Generation = opened.Generation;
            Connection = new PreparedConnection(connection);
            Options = new DbContextOptionsBuilder<HubDbContext>().UseSqlite(connection)
                .UseQueryTrackingBehavior(QueryTrackingBehavior.NoTracking).Options;
            // Every few thousand instructions of SQLite's machine: some 50 microseconds.
            SQLitePCL.raw.sqlite3_progress_handler(connection.Handle!, 4_000, _ => IsOver() ? 1 : 0, null);
        }

        public PreparedConnection Connection { get; }

        public int Generation { get; }

        public DbContextOptions<HubDbContext> Options { get; }

        public void Begin(TimeSpan within)
        {
            start = clock.GetTimestamp();
            limit = within;
        }

        public void End() => limit = Timeout.InfiniteTimeSpan;

        public void Dispose() => Connection.Dispose();

        private bool IsOver() => limit >= TimeSpan.Zero && clock.GetElapsedTime(start) > limit;
    }
}
