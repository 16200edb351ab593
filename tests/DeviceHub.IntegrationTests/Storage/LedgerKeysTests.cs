using DeviceHub.Core.Payments;
using DeviceHub.Storage;
using DeviceHub.Tests;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using static DeviceHub.IntegrationTests.Storage.StorageFixture;

namespace DeviceHub.IntegrationTests.Storage;

/// <summary>Keys that wait to be written are keys all the same: before, while and after they are, and for a hub that starts anew.</summary>
public sealed class LedgerKeysTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hub-storage-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1_000)]
    public async Task Payment_and_order_are_taken_whether_their_keys_wait_or_are_written(int keyBatch)
    {
        var random = new Random(keyBatch);
        for (var start = 0; start < 4; start++)
        {
            using var hub = Open(keyBatch);
            foreach (var earlier in Enumerable.Range(0, start * 60))
            {
                await IsTaken(hub, earlier);
            }

            foreach (var i in Enumerable.Range(start * 60, 60))
            {
                var id = Id(i);
                Assert.Equal(WriteResult.Written, (await hub.Ledger.Accept(Accept(id.RequestId, id.SerialNumber, order: $"A{i}"), default)).Result);
                await IsTaken(hub, random.Next(i + 1));
                if (i % 3 == 0)
                {
                    Assert.Equal(WriteResult.Written, await hub.Ledger.Append(Approve(id)));
                    Assert.Equal(WriteResult.Written, await hub.Ledger.Append(Shown(id)));
                }

                await IsTaken(hub, random.Next(i + 1));
            }

            await hub.Projection.Step();
            Assert.Equal(0, hub.Number("SELECT count(*) FROM payment_number k JOIN payment_event e ON e.payment = k.payment WHERE e.sn <> k.sn OR e.request_id <> k.request_id"));
            var (keys, orders) = (hub.Number("SELECT count(*) FROM payment_number"), hub.Number("SELECT count(*) FROM order_key"));
            Assert.Equal(keys, orders);
            Assert.InRange(keys, keyBatch == 1_000 ? 0 : ((start + 1) * 60) - (2 * keyBatch) - 1, (start + 1) * 60);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1_000)]
    public async Task Order_number_that_a_payment_has_freed_is_the_next_ones_also_after_a_start(int keyBatch)
    {
        for (var i = 0; i < 12; i++)
        {
            // Each hub knows what the one before left: an order that was freed, or that its own try holds.
            using var hub = Open(keyBatch);
            Assert.Equal(WriteResult.Written, (await hub.Ledger.Accept(Accept($"try-{i}", order: "A1"), default)).Result);
            Assert.Equal(new AcceptAnswer(WriteResult.Conflict, AcceptCollision.OrderOpen, new PaymentId("T1", $"try-{i}")), await hub.Ledger.Accept(Accept("else", order: "A1"), default));
            await hub.Ledger.Accept(Accept($"other-{i}", order: $"B{i}"), default);
            Assert.Equal(WriteResult.Written, await hub.Ledger.Append(Decline(new PaymentId("T1", $"try-{i}"))));
        }

        using var last = Open(keyBatch);
        Assert.Equal(WriteResult.Written, (await last.Ledger.Accept(Accept("paid", order: "A1"), default)).Result);
        Assert.Equal(WriteResult.Written, await last.Ledger.Append(Approve(new PaymentId("T1", "paid"))));
        Assert.Equal(AcceptCollision.OrderPaid, (await last.Ledger.Accept(Accept("else", order: "A1"), default)).Collision);
        last.Ledger.Dispose();
        using var after = Open(keyBatch);
        Assert.Equal(AcceptCollision.OrderPaid, (await after.Ledger.Accept(Accept("else", order: "A1"), default)).Collision);
    }

    [Fact]
    public async Task Payment_whose_first_entry_is_damaged_is_still_one_payment()
    {
        using (var hub = Open(1_000))
        {
            await hub.Ledger.Accept(Accept("request-1", order: "A1"), default);
            await hub.Ledger.Accept(Accept("request-2", order: "A2"), default);
            HubDatabase.Execute(hub.Database.Writes.Connection, "UPDATE payment_event SET body = x'7b' WHERE request_id = 'request-1'");
        }

        var log = new LogLines();
        using var after = new StorageFixture(folder: folder, keysLog: log.Of<LedgerKeys>());
        Assert.Equal(WriteResult.Conflict, (await after.Ledger.Accept(Accept("request-1"), default)).Result);
        Assert.Equal(["KeysUnreadable: Ledger entries of 1 payments whose keys are not written yet cannot be read; they keep their ids and what they hold; the first is T1/request-1"], log.All);
        Assert.Equal(AcceptCollision.OrderOpen, (await after.Ledger.Accept(Accept("request-3", order: "A2"), default)).Collision);
        Assert.Equal(AcceptCollision.OrderOpen, (await after.Ledger.Accept(Accept("request-3", order: "A1"), default)).Collision);
    }

    /// <summary>One row that is damaged, in whatever way, is one payment's misfortune: the others are found, and new ones are taken.</summary>
    [Theory]
    [InlineData("""[{"kine":"accepted"}]""")]
    [InlineData("""[{"kind":"accepted","orderNumber":"A1"}]""")]
    [InlineData("""[{"kind":"accepted","orderNumber":"A1","merchantId":"M1"},{"kind":"pay","attempt":9,"verdict":{"verdict":1}}]""")]
    [InlineData("[null]")]
    [InlineData("[]")]
    public async Task Damaged_entry_keeps_no_other_payment_from_being_found_or_taken(string body)
    {
        using (var hub = Open(1_000))
        {
            await hub.Ledger.Accept(Accept("request-1", order: "A1"), default);
            await hub.Ledger.Accept(Accept("request-2", order: "A2"), default);
            using var damage = hub.Database.Writes.Connection.CreateCommand();
            damage.CommandText = "UPDATE payment_event SET body = CAST($body AS BLOB) WHERE request_id = 'request-1'";
            damage.Parameters.AddWithValue("$body", body);
            damage.ExecuteNonQuery();
        }

        using var after = Open(1);
        Assert.NotNull(await after.Ledger.Read(new PaymentId("T1", "request-2")));
        for (var i = 0; i < 4; i++)
        {
            // Each writes keys of what waited.
            Assert.Equal(WriteResult.Written, (await after.Ledger.Accept(Accept($"more-{i}"), default)).Result);
            Assert.Equal(WriteResult.Conflict, (await after.Ledger.Accept(Accept("request-1"), default)).Result);
            Assert.Equal(AcceptCollision.OrderOpen, (await after.Ledger.Accept(Accept("else", order: "A1"), default)).Collision);
        }
    }

    /// <summary>As an older hub leaves it that was started with this one's file: it did not find what waited.</summary>
    [Fact]
    public async Task Payment_that_is_there_twice_is_the_first_one_and_keeps_no_hub_from_starting()
    {
        using (var hub = Open(1_000))
        {
            await hub.Ledger.Accept(Accept("request-1", order: "A1"), default);
            HubDatabase.Execute(hub.Database.Writes.Connection, "INSERT INTO payment_event(seq, payment, sn, request_id, version, body) SELECT 2, 2, sn, request_id, version, body FROM payment_event");
        }

        using var after = Open(1_000);
        Assert.Equal(1, (await after.Ledger.Read(new PaymentId("T1", "request-1")))!.Version);
        Assert.Equal(WriteResult.Written, await after.Ledger.Append(Approve(new PaymentId("T1", "request-1"))));
        Assert.Equal(1, after.Number("SELECT payment FROM payment_event WHERE version = 2"));
        Assert.Equal(WriteResult.Written, (await after.Ledger.Accept(Accept("request-2", order: "A2"), default)).Result);
    }

    [Fact]
    public async Task Hub_that_knows_no_waiting_keys_finds_them_in_their_tables_after_a_downgrade()
    {
        using (var hub = Open(1_000))
        {
            await hub.Ledger.Accept(Accept("open", order: "A1"), default);
            await hub.Ledger.Accept(Accept("paid", order: "A2"), default);
            await hub.Ledger.Append(Approve(new PaymentId("T1", "paid")));
            await hub.Ledger.Accept(Accept("declined", order: "A3"), default);
            await hub.Ledger.Append(Decline(new PaymentId("T1", "declined")));
            await hub.Ledger.Accept(Accept("without"), default);
            Assert.Equal(0, hub.Number("SELECT count(*) FROM payment_number"));
            using var context = new HubDbContext(new DbContextOptionsBuilder<HubDbContext>().UseSqlite($"Data Source={hub.Database.File};Pooling=False").Options);
            await context.GetService<IMigrator>().MigrateAsync("OtherHardware", TestContext.Current.CancellationToken);
            Assert.Equal(4, hub.Number("SELECT count(*) FROM payment_key k JOIN payment_event e ON e.payment = k.payment AND e.version = 1 AND e.request_id = k.request_id"));
            Assert.Equal(2, hub.Number("SELECT count(*) FROM order_key"));
            Assert.Equal(2, hub.Number("SELECT count(*) FROM order_key WHERE merchant_id = 'M1' AND (order_no, request_id) IN (('A1', 'open'), ('A2', 'paid'))"));
        }

        using var after = Open(1_000);
        Assert.Equal(WriteResult.Conflict, (await after.Ledger.Accept(Accept("without"), default)).Result);
        Assert.Equal(AcceptCollision.OrderPaid, (await after.Ledger.Accept(Accept("else", order: "A2"), default)).Collision);
    }

    private static PaymentId Id(int i) => new($"T{i % 5}", $"request-{i}");

    private static async Task IsTaken(StorageFixture hub, int i)
    {
        var id = Id(i);
        Assert.NotNull(await hub.Ledger.Read(id));
        var again = await hub.Ledger.Accept(Accept(id.RequestId, id.SerialNumber, order: $"C{i}"), default);
        Assert.Equal(new AcceptAnswer(WriteResult.Conflict), again);
        var order = await hub.Ledger.Accept(Accept("else", order: $"A{i}"), default);
        Assert.Equal((WriteResult.Conflict, id), (order.Result, order.Other));
    }

    private StorageFixture Open(int keyBatch) => new(o => o.KeyBatch = keyBatch, folder);
}
