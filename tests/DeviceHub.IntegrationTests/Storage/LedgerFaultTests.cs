using DeviceHub.Core.Payments;
using DeviceHub.Storage;
using DeviceHub.Tests;
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
}
