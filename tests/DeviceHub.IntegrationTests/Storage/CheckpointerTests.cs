using System.Diagnostics;
using DeviceHub.Core.Payments;
using DeviceHub.Storage;
using DeviceHub.Tests;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using SQLitePCL;
using static DeviceHub.IntegrationTests.Storage.StorageFixture;

namespace DeviceHub.IntegrationTests.Storage;

public sealed class CheckpointerTests
{
    private const long Bound = 256 * 1024;

    [Fact]
    public async Task Log_stays_bounded_while_payments_are_written()
    {
        using var hub = Small();
        using var checkpointer = await Start(hub);
        using var watch = hub.Foreign();

        // A connection that has not read yet knows of no log, and would call it copied.
        Read(watch);
        for (var i = 0; i < 400; i++)
        {
            Assert.Equal(WriteResult.Written, (await hub.Ledger.Accept(Accept($"request-{i}"), default)).Result);
            if (i % 8 == 0)
            {
                await Eventually.Holds(() => IsSmallOrCopied(watch), "the log is copied back");
            }
        }

        // Each payment writes four pages and more: 24 times the bound and more went through it.
        Assert.InRange(new FileInfo(hub.Database.File + "-wal").Length, Bound, 8 * Bound);
        await checkpointer.StopAsync(default);
    }

    [Fact]
    public async Task Reader_in_the_way_of_a_checkpoint_holds_no_commit_back()
    {
        using var hub = Small(TimeSpan.FromSeconds(10));
        await hub.Ledger.Accept(Accept("first"), default);
        using var reader = hub.Foreign();
        using var snapshot = reader.BeginTransaction(deferred: true);
        Read(reader);

        using var checkpointer = await Start(hub);
        var slowest = TimeSpan.Zero;
        for (var i = 0; i < 400; i++)
        {
            var from = Stopwatch.GetTimestamp();
            await hub.Ledger.Accept(Accept($"request-{i}"), default);
            slowest = Stopwatch.GetElapsedTime(from) is var took && took > slowest ? took : slowest;
        }

        Assert.True(slowest < TimeSpan.FromSeconds(5), $"a commit waited {slowest} for a reader");
        await checkpointer.StopAsync(default);
    }

    [Fact]
    public void Old_SQLite_is_refused_in_words()
    {
        HubDatabase.CheckVersion(3_051_000);
        var e = Assert.Throws<HubDatabaseException>(() => HubDatabase.CheckVersion(3_050_004));
        Assert.Contains("SQLite 3.51.0 is needed and 3.50.4 is loaded", e.Message, StringComparison.Ordinal);
    }

    /// <summary>What the checkpointer itself looks at.</summary>
    private static bool IsSmallOrCopied(SqliteConnection connection)
    {
        const int CountsOnly = -1;
        Assert.Equal(raw.SQLITE_OK, raw.sqlite3_wal_checkpoint_v2(connection.Handle!, "main", CountsOnly, out var frames, out var copied));
        Assert.True(frames >= 0, "this connection does not see the log");
        return frames == copied || frames * 4120L < Bound;
    }

    private static void Read(SqliteConnection connection)
    {
        using var look = connection.CreateCommand();
        look.CommandText = "SELECT count(*) FROM payment_event";
        look.ExecuteScalar();
    }

    private static async Task<Checkpointer> Start(StorageFixture hub)
    {
        var checkpointer = new Checkpointer(hub.Database, hub.Options, TimeProvider.System, NullLogger<Checkpointer>.Instance);
        await checkpointer.StartAsync(TestContext.Current.CancellationToken);
        return checkpointer;
    }

    private static StorageFixture Small(TimeSpan? lockWait = null) => new(o =>
    {
        (o.CheckpointBytes, o.CheckpointInterval) = (Bound, TimeSpan.FromMilliseconds(10));
        o.LockWait = lockWait ?? o.LockWait;
    });
}
