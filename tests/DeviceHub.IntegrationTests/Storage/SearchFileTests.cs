using DeviceHub.Core.Payments;
using DeviceHub.Core.Problems;
using DeviceHub.Storage;
using DeviceHub.Tests;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.Logging;
using static DeviceHub.IntegrationTests.Storage.StorageFixture;

namespace DeviceHub.IntegrationTests.Storage;

/// <summary>What is searched is made from the ledger: whatever becomes of its file, it says the same again, and no payment waits for it.</summary>
public sealed partial class SearchFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hub-storage-").FullName;
    private readonly LogLines told = new(LogLevel.Warning);

    public enum Fate
    {
        Deleted,
        OtherShape,
        NoDatabase,
        HalfMade,
        Empty,
        OfABackup,
    }

    private string File => Path.Combine(folder, "hub-search.db");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(Fate.Deleted, false)]
    [InlineData(Fate.OtherShape, true)]
    [InlineData(Fate.NoDatabase, true)]
    [InlineData(Fate.HalfMade, false)]
    [InlineData(Fate.Empty, false)]
    [InlineData(Fate.OfABackup, false)]
    public async Task File_that_cannot_be_gone_on_with_is_made_anew_at_the_start(Fate fate, bool said)
    {
        var expected = await Fill(40);
        switch (fate)
        {
            case Fate.Deleted:
                System.IO.File.Delete(File);
                break;
            case Fate.OtherShape:
                Execute("PRAGMA user_version = 7; DROP TABLE attempt");
                break;
            case Fate.NoDatabase:
                await System.IO.File.WriteAllTextAsync(File, new string('x', 50_000), TestContext.Current.CancellationToken);
                break;
            case Fate.HalfMade: // Killed before its first commit; a log of the file before it is left, too.
                System.IO.File.Copy(File, File + "-wal");
                await System.IO.File.WriteAllBytesAsync(File, [], TestContext.Current.CancellationToken);
                break;
            case Fate.Empty: // Killed before its first batch.
                Execute("DELETE FROM shown; DELETE FROM payment; DELETE FROM payment_minute; DELETE FROM attempt; DELETE FROM terminal_trouble");
                break;
            default: // An older one that was put back: it goes on from where it was.
                Execute("DELETE FROM payment WHERE seq > 3; DELETE FROM payment_minute; DELETE FROM attempt; UPDATE shown SET seq = 1, version = 1, sn = 'T0', request_id = 'request-0'");
                break;
        }

        using var hub = Open();
        Assert.True(fate == Fate.OfABackup ? await Behind(hub) > 0 : await Behind(hub) == hub.Number("SELECT max(seq) FROM payment_event"));
        Assert.Equal(WriteResult.Written, (await hub.Ledger.Accept(Accept("meanwhile"), default)).Result);
        await Follow(hub);
        Assert.Equal(0, await Behind(hub));
        var shown = await Listed(hub);
        Assert.Equal("meanwhile", shown[^1].Split(' ')[2]);
        if (fate != Fate.OfABackup)
        {
            Assert.Equal(expected, shown[..^1]);
        }

        Assert.Equal(said, told.All.Exists(l => l.StartsWith("SearchFileMadeAnew", StringComparison.Ordinal)));
        Assert.Equal((UnixFileMode)0, OperatingSystem.IsWindows() ? 0 : System.IO.File.GetUnixFileMode(File) & (UnixFileMode)0b000_111_111);
    }

    /// <summary>A backup of the ledger's file is all that there is; the search file of the lost hub is still there.</summary>
    [Theory]
    [InlineData(0)] // Nothing came after it was brought back.
    [InlineData(300)] // A hub that knew no search file went on with it, past where the search file was.
    public async Task File_that_is_ahead_of_a_ledger_that_was_brought_back_is_made_anew(int since)
    {
        await Fill(10);
        System.IO.File.Copy(Path.Combine(folder, "hub.db"), Path.Combine(folder, "backup"));
        await Fill(60, from: 10);
        System.IO.File.Move(Path.Combine(folder, "backup"), Path.Combine(folder, "hub.db"), overwrite: true);

        using var hub = Open();
        await Accepted(hub, "later", since);
        await Follow(hub);
        Assert.Contains("the ledger was brought back", Assert.Single(told.All), StringComparison.Ordinal);
        Assert.Equal(10 + since, (await Listed(hub)).Count);
        Assert.Equal(0, hub.Number("SELECT count(*) FROM payment p WHERE NOT EXISTS (SELECT 1 FROM payment_event e WHERE e.payment = p.seq AND e.sn = p.serial_number AND e.request_id = p.request_id)"));
        Assert.Equal(10 + since, hub.Number("SELECT sum(accepted) FROM payment_minute"));
    }

    [Fact]
    public async Task Damage_that_a_reader_meets_is_mended_while_payments_and_other_readers_go_on()
    {
        var expected = await Fill(400);
        using (var file = new FileStream(File, FileMode.Open))
        {
            file.Position = file.Length / 2 / 4096 * 4096;
            file.Write(new byte[file.Length - file.Position]);
        }

        using (var hub = Open())
        {
            // A reader that is under way has the old file to its end.
            using var old = hub.Search.Reader().Connection;
            var before = hub.Search.Generation;
            Assert.Equal(0, await Behind(hub));
            Assert.Equal(SQLitePCL.raw.SQLITE_CORRUPT, (await Assert.ThrowsAsync<SqliteException>(() => Listed(hub))).SqliteErrorCode);
            Assert.Equal(WriteResult.Written, await hub.Ledger.Append(Approve(new("T0", "request-0"))));
            await Follow(hub);
            Assert.Equal(before + 1, hub.Search.Generation);
            Assert.Equal(expected.Count, (await Listed(hub)).Count);

            // Closing the old one leaves the log of the new one alone.
            old.Dispose();
            await hub.Ledger.Accept(Accept("after"), default);
            await Follow(hub);
        }

        using var next = Open();
        Assert.Equal(0, await Behind(next));
        Assert.Equal(expected.Count + 1, (await Listed(next)).Count);
        Assert.Contains("it is damaged", Assert.Single(told.All), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Damage_that_the_deletion_of_old_minutes_meets_is_mended()
    {
        var expected = await Fill(30);
        using (var hub = Open())
        using (var file = new FileStream(File, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.Position = 4096 * (hub.Number("SELECT rootpage FROM search.sqlite_master WHERE name = 'payment_minute'") - 1);
            file.Write(new byte[4096]);
        }

        using var next = Open();
        Assert.Equal(SQLitePCL.raw.SQLITE_CORRUPT, (await Assert.ThrowsAsync<SqliteException>(next.Projection.DeleteOldMinutes)).SqliteErrorCode);
        await Follow(next);
        await next.Projection.DeleteOldMinutes();
        Assert.Equal(expected, await Listed(next));
        Assert.Contains("it is damaged", Assert.Single(told.All), StringComparison.Ordinal);
    }

    /// <summary>It may be made anew, so somebody deletes it. Windows does not let anybody delete a file that is open.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)] // And the projection had a fault before it was seen.
    public async Task File_that_is_deleted_while_the_hub_runs_is_made_anew(bool fault)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "an open file cannot be deleted");
        var expected = await Fill(30);
        using (var hub = Open())
        {
            Assert.Equal(expected, await Listed(hub));
            Assert.Equal(0, await hub.Projection.Step());
            var before = hub.Search.Generation;
            System.IO.File.Delete(File);
            Assert.Throws<FileNotFoundException>(() => hub.Search.Reader().Connection.Dispose());
            Assert.Equal(expected, await Listed(hub));
            if (fault)
            {
                hub.Search.Close();
            }

            await Follow(hub);
            Assert.Equal(before + 1, hub.Search.Generation);
            Assert.Equal(expected, await Listed(hub));
        }

        using var next = Open();
        Assert.Equal(expected, await Listed(next));
        Assert.Contains("it was deleted", Assert.Single(told.All), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Suspicion_alone_makes_nothing_anew()
    {
        await Fill(10);
        using var hub = Open();
        hub.Search.Failed(new SqliteException("of the ledger's file, perhaps", SQLitePCL.raw.SQLITE_CORRUPT));
        await Follow(hub);
        Assert.Equal(0, hub.Search.Generation);
        Assert.Equal(10, (await Listed(hub)).Count);
    }

    /// <summary>The ledger has committed, the search file has not: at each commit of a run, by a failing one and by a copy of both files as a killed process leaves them.</summary>
    [Fact]
    public async Task Death_between_the_commits_of_the_two_files_loses_nothing_that_is_searched()
    {
        var expected = await Fill(30);
        System.IO.File.Delete(File);
        for (var commit = 0; ; commit++)
        {
            var left = commit;
            using (var hub = Open(o => o.ProjectionBatch = 8))
            {
                hub.Search.Connected = c => SQLitePCL.raw.sqlite3_commit_hook(c.Handle!, _ => left-- <= 0 ? 1 : 0, null);
                var died = await Record.ExceptionAsync(() => Follow(hub));
                if (died is null)
                {
                    Assert.InRange(commit, 4, 30);
                    Assert.Equal(expected, await Listed(hub));
                    break;
                }

                var killed = Directory.CreateTempSubdirectory("hub-killed-").FullName;
                foreach (var file in Directory.GetFiles(folder, "hub*"))
                {
                    System.IO.File.Copy(file, Path.Combine(killed, Path.GetFileName(file)));
                }

                using (var next = new StorageFixture(folder: killed))
                {
                    await Follow(next);
                    Assert.Equal(expected, await Listed(next));
                    Assert.Equal(30, next.Number("SELECT sum(accepted) FROM payment_minute"));
                }

                Directory.Delete(killed, recursive: true);
            }

            System.IO.File.Delete(File);
        }
    }

    [Fact]
    public async Task Full_disk_of_the_file_holds_no_payment_back_and_lists_are_whole_when_there_is_room_again()
    {
        using var hub = Open();
        await hub.Ledger.Accept(Accept("request-0"), default);
        await Follow(hub);
        HubDatabase.Execute(hub.Search.Writes.Connection, "PRAGMA max_page_count = 1");
        hub.Search.Connected = c => HubDatabase.Execute(c, "PRAGMA max_page_count = 1");
        await Accepted(hub, "full", 300);
        for (var tries = 0; tries < 3; tries++)
        {
            Assert.Equal(SQLitePCL.raw.SQLITE_FULL, (await Assert.ThrowsAsync<SqliteException>(() => Follow(hub))).SqliteErrorCode);
            Assert.Equal((300L, 300), (await Behind(hub), hub.Projection.Lag));
        }

        Assert.Single(await Listed(hub));
        hub.Search.Connected = null;
        await Follow(hub);
        Assert.Equal(301, (await Listed(hub)).Count);
    }

    [Fact]
    public async Task Whole_ledger_is_not_made_searchable_out_of_the_disk_that_is_reserved_for_payments_and_a_days_business_is()
    {
        using var hub = Open(o => o.ProjectionBatch = 50);
        hub.FreeBytes = (2 * hub.Options.Value.ReserveBytes) - 1;
        await Accepted(hub, "request", 51);
        Assert.Contains("Storage:ReserveBytes", (await Assert.ThrowsAsync<IOException>(() => hub.Projection.Step())).Message, StringComparison.Ordinal);
        hub.FreeBytes = long.MaxValue;
        await Follow(hub);
        hub.FreeBytes = hub.Options.Value.ReserveBytes;
        await hub.Ledger.Accept(Accept("request-51"), default);
        await Follow(hub);
        Assert.Equal(52, (await Listed(hub)).Count);
    }

    [Fact]
    public async Task File_that_another_program_holds_is_counted_told_once_and_gone_on_with_and_no_payment_waits()
    {
        using var hub = Open(o => (o.ProjectionInterval, o.LockWait) = (TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(20)));
        _ = hub.Search.Writes;
        using var projection = new PaymentProjection(
            hub.Search, hub.Pool, hub.Ledger, hub.Feed, new FreeDisk(hub.Options, () => long.MaxValue), hub.Progress, hub.Options, Microsoft.Extensions.Options.Options.Create(hub.TerminalOptions), TimeProvider.System, told.Of<PaymentProjection>());
        var problems = new ProblemList([new SearchProblem(hub.Progress)]);
        using (var foreign = new SqliteConnection($"Data Source={File};Pooling=False"))
        {
            foreign.Open();
            using var transaction = foreign.BeginTransaction(deferred: false);
            await hub.Ledger.Accept(Accept("request-0"), default);
            await projection.StartAsync(TestContext.Current.CancellationToken);
            await Eventually.Holds(() => told.All.Exists(l => l.StartsWith("ProjectionFailed", StringComparison.Ordinal)), "that it fails is told");
            await Eventually.Holds(
                async () => await problems.Newest(5) is [{ Kind: ProblemKind.SearchFailing, Detail: { } why }] && why.Contains("locked", StringComparison.Ordinal), "the problem says why");
            for (var i = 1; i < 40; i++)
            {
                var id = new PaymentId("T1", $"request-{i}");
                Assert.Equal(WriteResult.Written, (await hub.Ledger.Accept(Accept(id.RequestId), default)).Result);
                Assert.Equal(WriteResult.Written, await hub.Ledger.Append(Approve(id)));
                Assert.Equal(2, (await hub.Ledger.Read(id))!.Version);
                Assert.Equal(i, (await hub.Ledger.Unsettled("T1", Now, 1000)).Count - 1);
            }
        }

        await Eventually.Holds(async () => await Behind(hub) == 0, "lists are whole again");
        await Eventually.Holds(async () => (await problems.Newest(5)).Count == 0, "the problem is over");
        Assert.Equal(40, (await Listed(hub)).Count);
        await projection.StopAsync(TestContext.Current.CancellationToken);
        Assert.Single(told.All);
    }

    [Fact]
    public async Task File_that_cannot_be_opened_stops_nobody_who_does_not_search()
    {
        Directory.CreateDirectory(File);
        using var hub = Open();
        var id = new PaymentId("T1", "request-0");
        Assert.Equal(WriteResult.Written, (await hub.Ledger.Accept(Accept(id.RequestId), default)).Result);
        Assert.Equal(WriteResult.Written, await hub.Ledger.Append(Approve(id)));
        Assert.Single(await hub.Ledger.Unsettled("T1", Now, 10));
        Assert.Equal(0, await hub.Reads.Run((db, stop) => db.Terminals.CountAsync(stop)));
        await Assert.ThrowsAnyAsync<Exception>(() => Listed(hub));
        await Assert.ThrowsAnyAsync<Exception>(() => hub.Projection.Step());

        Directory.Delete(File);
        await Follow(hub);
        Assert.Single(await Listed(hub));
    }

    [Fact]
    public async Task Log_of_the_file_stays_bounded_while_it_is_made()
    {
        const long Bound = 64 * 1024;
        using var hub = Open(o => (o.ProjectionBatch, o.CheckpointBytes) = (20, Bound));
        await Accepted(hub, "request", 1_000);
        await Follow(hub);
        Assert.InRange(new FileInfo(File + "-wal").Length, 1, 16 * Bound);
        Assert.True(new FileInfo(File).Length > 2 * Bound);
    }

    /// <summary>The folder of the hub before there was a search file.</summary>
    [Fact]
    public async Task Folder_of_a_hub_that_had_all_in_one_file_is_brought_up_to_date()
    {
        var expected = await Fill(20);
        System.IO.File.Delete(File);
        await using (var old = new HubDbContext(new DbContextOptionsBuilder<HubDbContext>().UseSqlite($"Data Source={folder}/hub.db;Pooling=False").Options))
        {
            await old.GetService<IMigrator>().MigrateAsync("FleetLists", TestContext.Current.CancellationToken);
            await old.Database.ExecuteSqlRawAsync(
                """
                INSERT INTO payment(seq, serial_number, request_id, version, accepted_at, merchant_id, store_id, amount_fen, wallet, code_last_four, stage, result, reason, revision,
                  shown_revision, paid_fen, discount_fen, attempts) VALUES (1, 'T0', 'request-0', 1, 0, 'M1', 'S1', 100, 1, '1234', 1, 0, 0, 0, 0, 0, 0, 1);
                INSERT INTO projection_cursor(name, seq) VALUES ('payments', 1), ('ledger fence', 3);
                """,
                TestContext.Current.CancellationToken);
        }

        using var hub = Open();
        await Follow(hub);
        Assert.Equal(expected, await Listed(hub));
        using var foreign = hub.Foreign();
        using var left = foreign.CreateCommand();
        left.CommandText = "SELECT group_concat(name) FROM sqlite_master WHERE name IN ('payment', 'payment_minute', 'attempt', 'attempt_refund', 'terminal_trouble', 'projection_cursor', 'ledger_fence')";
        Assert.Equal("ledger_fence", left.ExecuteScalar());
    }
}
