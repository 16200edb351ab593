using DeviceHub.Core.Payments;
using DeviceHub.Storage;
using DeviceHub.Tests;
using SQLitePCL;
using static DeviceHub.IntegrationTests.Storage.StorageFixture;

namespace DeviceHub.IntegrationTests.Storage;

public sealed class LedgerFaultTests
{
    private static readonly PaymentId First = new("T1", "request-1");

    [Fact]
    public async Task Locked_database_refuses_and_then_recovers_by_itself()
    {
        using var hub = new StorageFixture();
        await hub.Ledger.Accept(Accept("request-1"), default);
        using (var foreign = hub.Foreign())
        using (var transaction = foreign.BeginTransaction(deferred: false))
        {
            Assert.Equal(WriteResult.NotWritten, (await hub.Ledger.Accept(Accept("request-2"), default)).Result);
            Assert.Equal(WriteResult.NotWritten, await hub.Ledger.Append(Approve(First)));
        }

        Assert.Equal(WriteResult.Written, (await hub.Ledger.Accept(Accept("request-2"), default)).Result);
        Assert.Equal(WriteResult.Written, await hub.Ledger.Append(Approve(First)));
    }

    [Fact]
    public async Task Writer_that_failed_reads_itself_again_while_it_still_holds_the_gate()
    {
        using var hub = new StorageFixture();
        var connections = 0;
        Task<WriteGate.Lease>? other = null;
        var passed = false;
        hub.Database.Connected = _ =>
        {
            if (connections++ == 0)
            {
                throw new InvalidOperationException("the connection breaks");
            }

            other = hub.Database.Gate.Enter().AsTask();
            passed = other.IsCompleted;
        };

        Assert.Equal(WriteResult.NotWritten, (await hub.Ledger.Accept(Accept("request-1"), default)).Result);

        (await other!).Dispose();
        Assert.False(passed, "another writer came in while the ledger's writer put its fence");
        Assert.Equal(WriteResult.Written, (await hub.Ledger.Accept(Accept("request-1"), default)).Result);
    }

    [Fact]
    public async Task Accepts_stop_below_the_reserve_while_results_go_on()
    {
        using var hub = new StorageFixture(o => o.DiskCheckInterval = TimeSpan.FromMilliseconds(10));
        await hub.Ledger.Accept(Accept("request-1"), default);
        hub.FreeBytes = hub.Options.Value.ReserveBytes - 1;
        var tries = 0;
        await Eventually.Holds(
            async () => (await hub.Ledger.Accept(Accept($"try-{tries++}"), default)).Result == WriteResult.NotWritten, "new payments are refused");
        Assert.Equal(WriteResult.Written, await hub.Ledger.Append(Approve(First)));
        hub.FreeBytes = long.MaxValue;
        await Eventually.Holds(
            async () => (await hub.Ledger.Accept(Accept("request-3"), default)).Result == WriteResult.Written, "new payments are taken again");
    }

    [Fact]
    public async Task Full_disk_loses_nothing_that_was_answered_and_recovers_by_itself()
    {
        using var hub = new StorageFixture();
        Microsoft.Data.Sqlite.SqliteConnection? writer = null;
        hub.Database.Connected = c => writer = c;
        await hub.Ledger.Accept(Accept("request-0"), default);
        HubDatabase.Execute(writer!, "PRAGMA max_page_count = 1");
        var written = new List<int>();
        WriteResult result;
        var i = 1;
        do
        {
            result = (await hub.Ledger.Accept(Accept($"request-{i}"), default)).Result;
            if (result == WriteResult.Written)
            {
                written.Add(i);
            }

            i++;
        }
        while (result == WriteResult.Written && i < 10_000);
        Assert.Equal(WriteResult.NotWritten, result);
        Assert.Equal(written.Count + 1, hub.Number("SELECT count(*) FROM payment_event"));
        HubDatabase.Execute(writer!, "PRAGMA max_page_count = 1000000");
        Assert.Equal(WriteResult.Written, (await hub.Ledger.Accept(Accept($"request-{i}"), default)).Result);
        Assert.Equal(WriteResult.Written, await hub.Ledger.Append(Approve(new PaymentId("T1", "request-0"))));
    }

    /// <summary>
    /// After a failed sync the system holds what was written since the last good one for written, though it is on no disk: here what the projection
    /// wrote, which has no sync of its own.
    /// </summary>
    [Fact]
    public async Task What_is_answered_after_a_failed_sync_outlives_a_power_cut()
    {
        using var hub = new StorageFixture();
        var failures = 0;
        delegate_commit failing = _ => Interlocked.Exchange(ref failures, 0);
        hub.Database.Connected = connection => raw.sqlite3_commit_hook(connection.Handle!, failing, null);
        Assert.Equal(WriteResult.Written, (await hub.Ledger.Accept(Accept("request-1"), default)).Result);
        var synced = ReadLog(hub);
        Assert.True(await hub.Projection.Step() > 0, "the projection has written");
        var written = ReadLog(hub);
        failures = 1;
        Assert.Equal(WriteResult.NotWritten, (await hub.Ledger.Accept(Accept("request-2"), default)).Result);
        Assert.Equal(WriteResult.Written, (await hub.Ledger.Accept(Accept("request-3"), default)).Result);

        using var folder = new Folder();
        File.Copy(hub.Database.File, Path.Combine(folder.Path, Path.GetFileName(hub.Database.File)));
        await File.WriteAllBytesAsync(
            Path.Combine(folder.Path, Path.GetFileName(hub.Database.File) + "-wal"), OnDisk(synced, written, ReadLog(hub)), TestContext.Current.CancellationToken);
        GC.KeepAlive(failing);
        using var after = new StorageFixture(folder: folder.Path);
        Assert.NotNull(await after.Ledger.Read(First));
        Assert.NotNull(await after.Ledger.Read(new PaymentId("T1", "request-3")));
    }

    private static byte[] ReadLog(StorageFixture hub)
    {
        using var file = new FileStream(hub.Database.File + "-wal", FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>What a power cut leaves: of pages that were lost with the failed sync, and not written again later, what was there before.</summary>
    private static byte[] OnDisk(byte[] synced, byte[] lost, byte[] now)
    {
        const int PageBytes = 4096;
        var disk = now.ToArray();
        for (var at = 0; at < disk.Length; at += PageBytes)
        {
            if (!Page(lost, at).SequenceEqual(Page(synced, at)) && Page(now, at).SequenceEqual(Page(lost, at)))
            {
                var page = disk.AsSpan(at, Math.Min(PageBytes, disk.Length - at));
                page.Clear();
                Page(synced, at).CopyTo(page);
            }
        }

        return disk;

        static ReadOnlySpan<byte> Page(byte[] file, int at) => at >= file.Length ? [] : file.AsSpan(at, Math.Min(PageBytes, file.Length - at));
    }

    private sealed class Folder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("hub-storage-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
