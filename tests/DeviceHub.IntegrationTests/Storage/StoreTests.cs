using System.Security.Cryptography;
using DeviceHub.Core;
using DeviceHub.Core.Payments;
using DeviceHub.Core.People;
using DeviceHub.Core.Terminals;
using DeviceHub.Storage;
using Microsoft.EntityFrameworkCore;
using static DeviceHub.IntegrationTests.Storage.StorageFixture;

namespace DeviceHub.IntegrationTests.Storage;

public sealed class StoreTests
{
    [Fact]
    public async Task Terminal_comes_back_as_saved_and_its_key_is_not_in_the_file()
    {
        using var hub = new StorageFixture();
        var key = RandomNumberGenerator.GetBytes(32);
        var record = new TerminalRecord { SerialNumber = "T1", Status = TerminalStatus.Active, Model = "box", Key = new SecretBytes(key), RegisteredAt = Now };
        Assert.True(await hub.Terminals.Save(record));
        Assert.False(await hub.Terminals.Save(record));
        var loaded = await hub.Terminals.Load("T1");
        Assert.Equal(key, loaded!.Key!.Reveal().ToArray());
        Assert.Equal((1, null, null), (loaded.Version, loaded.TokenUsed, loaded.OtherHardware));
        var other = new OtherHardware("HW2", "10.0.0.9:1", Now.AddMinutes(1));
        Assert.True(await hub.Terminals.Save(loaded with { Status = TerminalStatus.Suspended, TokenUsed = Now, OtherHardware = other }));
        Assert.False(await hub.Terminals.Save(loaded with { Status = TerminalStatus.Retired }));
        var again = (await hub.Terminals.Load("T1"))!;
        Assert.Equal((TerminalStatus.Suspended, Now, other, 2), (again.Status, again.TokenUsed, again.OtherHardware, again.Version));
        foreach (var file in Directory.GetFiles(hub.Folder, "hub*.db*"))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var bytes = new MemoryStream();
            await stream.CopyToAsync(bytes);
            Assert.True(bytes.ToArray().AsSpan().IndexOf(key) < 0, $"{file} holds the key");
        }
    }

    [Fact]
    public async Task Terminal_and_the_deed_that_changed_it_are_written_both_or_neither()
    {
        using var hub = new StorageFixture();
        var deed = new Deed(new Actor("user:ann", "10.0.0.9"), "terminal.suspend", "terminal:T1", new { Status = TerminalStatus.Active }, new { Status = TerminalStatus.Suspended });
        await hub.Terminals.Save(new TerminalRecord { SerialNumber = "T1", Status = TerminalStatus.Active, RegisteredAt = Now });
        var active = (await hub.Terminals.Load("T1"))!;
        Assert.False(await hub.Terminals.Save(active with { Version = 7 }, deed));
        Assert.Empty(await Audit());

        await hub.Writes.Run((db, token) => db.Database.ExecuteSqlAsync($"CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END", token));
        await Assert.ThrowsAnyAsync<Exception>(async () => await hub.Terminals.Save(active with { Status = TerminalStatus.Suspended }, deed));
        Assert.Equal(TerminalStatus.Active, (await hub.Terminals.Load("T1"))!.Status);

        await hub.Writes.Run((db, token) => db.Database.ExecuteSqlAsync($"DROP TRIGGER full", token));
        Assert.True(await hub.Terminals.Save(active with { Status = TerminalStatus.Suspended }, deed));
        Assert.Equal(TerminalStatus.Suspended, (await hub.Terminals.Load("T1"))!.Status);
        var row = Assert.Single(await Audit());
        Assert.Equal(("user:ann", "10.0.0.9", "terminal.suspend", "terminal:T1"), (row.Who, row.Address, row.What, row.Subject));
        Assert.Equal(("""{"status":"active"}""", """{"status":"suspended"}"""), (row.Before, row.After));

        Task<List<AuditRow>> Audit() => hub.Writes.Run((db, token) => db.Audit.ToListAsync(token));
    }

    [Fact]
    public async Task Read_that_fails_does_not_keep_later_reads_of_its_connection_in_the_past()
    {
        using var hub = new StorageFixture(o => o.ReadPoolSize = 1);
        await hub.Terminals.Save(new TerminalRecord { SerialNumber = "T1", Status = TerminalStatus.Active, Key = new SecretBytes(RandomNumberGenerator.GetBytes(32)), RegisteredAt = Now });
        await hub.Writes.Run((db, token) => db.Database.ExecuteSqlAsync($"UPDATE terminal SET key = zeroblob(16)", token));
        await Assert.ThrowsAnyAsync<CryptographicException>(async () => await hub.Terminals.Load("T1"));

        var accept = Accept("request-1", channelOrder: "P1");
        await hub.Ledger.Accept(accept, default);
        Assert.Equal(accept.Id, await hub.Ledger.FindByChannelOrder("P1"));
    }

    [Fact]
    public async Task Activation_code_gives_each_serial_number_one_use_until_it_is_consumed()
    {
        using var hub = new StorageFixture();
        await hub.Writes.Run(async (db, token) =>
        {
            db.Merchants.Add(new MerchantRow { Id = "M1", Name = "Tea" });
            db.Stores.Add(new StoreRow { Id = "S1", MerchantId = "M1", Name = "Corner" });
            db.ActivationCodes.Add(new ActivationCodeRow
            {
                Id = "C1", Fingerprint = "F", Hint = "1234", StoreId = "S1", Model = "box", MaxUses = 1, Expires = Now.AddDays(1), CreatedBy = "user:a",
            });
            await db.SaveChangesAsync(token);
        });
        Assert.Equal(new ActivationGrant("M1", "Tea", "S1", "Corner", "box"), await hub.Terminals.ReserveActivation("F", "T1", Now));
        Assert.NotNull(await hub.Terminals.ReserveActivation("F", "T1", Now));
        Assert.Null(await hub.Terminals.ReserveActivation("F", "T2", Now));
        Assert.Null(await hub.Terminals.ReserveActivation("F", "T1", Now.AddDays(1)));
        Assert.Null(await hub.Terminals.ReserveActivation("other", "T1", Now));
        Assert.True(await hub.Terminals.SaveActivated(new TerminalRecord { SerialNumber = "T1", Status = TerminalStatus.Active }, Now));
        Assert.Null(await hub.Terminals.ReserveActivation("F", "T1", Now));
    }

    [Fact]
    public async Task Projection_catches_up_from_where_it_was_and_says_how_far_it_is_behind()
    {
        using var hub = new StorageFixture(o => o.ProjectionBatch = 3);
        for (var i = 0; i < 5; i++)
        {
            await hub.Ledger.Accept(Accept($"request-{i}", order: $"A{i}", channelOrder: $"P{i}"), default);
        }

        await hub.Ledger.Append(Approve(new PaymentId("T1", "request-0")));
        Assert.Equal(6, await hub.Reads.Search((db, token) => db.PaymentsBehind(token)));
        for (var behind = 3; behind >= 0; behind -= 3)
        {
            await hub.Projection.Step();
            Assert.Equal(behind, await hub.Reads.Search((db, token) => db.PaymentsBehind(token)));
        }

        Assert.Equal(["request-0", "request-1", "request-2", "request-3", "request-4"], await Requests(hub, db => db.Payments.OrderBy(p => p.Seq)));
        Assert.Equal(["request-0"], await Requests(hub, db => db.Payments.Where(p => p.Result == PaymentResult.Approved)));
    }

    [Fact]
    public async Task Payment_that_needs_a_person_is_marked_and_stays_so()
    {
        using var hub = new StorageFixture();
        var id = new PaymentId("T1", "request-1");
        await hub.Ledger.Accept(Accept("request-0"), default);
        await hub.Ledger.Accept(Accept("request-1"), default);
        await hub.Projection.Step();
        Assert.Empty(await Requests(hub, db => db.Payments.Where(p => p.NeedsAttention)));
        await hub.Ledger.Append(new LedgerAppend(id, 2, [new AttentionNeeded(Now, "late")], [], Now, new PaymentStanding(null, false, false)));
        await hub.Projection.Step();
        Assert.Equal(["request-1"], await Requests(hub, db => db.Payments.Where(p => p.NeedsAttention)));
        await hub.Ledger.Append(Approve(id, version: 3));
        await hub.Projection.Step();
        Assert.Equal(["request-1"], await Requests(hub, db => db.Payments.Where(p => p.NeedsAttention && p.Result == PaymentResult.Approved)));
    }

    [Fact]
    public async Task Sighting_without_a_heartbeat_keeps_the_stored_one()
    {
        using var hub = new StorageFixture();
        hub.LastSeen.Saw(new Sighting("T1", Now, "10.0.0.1", new HeartbeatReport("1.0", 3, "{}")));
        await hub.LastSeen.Flush();
        hub.LastSeen.Saw(new Sighting("T1", Now.AddSeconds(5), null, null));
        await hub.LastSeen.Flush();
        var row = await hub.Reads.Run((db, token) => db.LastSeen.SingleAsync(token));
        Assert.Equal((Now.AddSeconds(5), "10.0.0.1", "1.0", "{}", Now), (row.At, row.Address, row.Firmware, row.Heartbeat, row.HeartbeatAt!.Value));
    }

    [Fact]
    public async Task Read_over_its_time_limit_is_broken_off_and_the_pool_goes_on()
    {
        using var hub = new StorageFixture(o => (o.ReadTimeLimit, o.ReadPoolSize) = (TimeSpan.FromMilliseconds(50), 1));
        await Assert.ThrowsAsync<TimeoutException>(() => hub.Reads.Run((db, token) => db.Database
            .SqlQueryRaw<long>("WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 1000000000) SELECT count(*) AS Value FROM n")
            .SingleAsync(token)));
        Assert.Equal(0, await hub.Reads.Run((db, token) => db.Merchants.CountAsync(token)));
    }

    private static Task<List<string>> Requests(StorageFixture hub, Func<HubDbContext, IQueryable<PaymentRow>> payments) =>
        hub.Reads.Search((db, token) => payments(db).Select(p => p.RequestId).ToListAsync(token));

    [Fact]
    public async Task Gate_serves_in_the_order_of_asking_and_passes_over_who_gave_up()
    {
        var gate = new WriteGate();
        var order = new List<int>();
        using var cancel = new CancellationTokenSource();
        var lease = await gate.Enter();
        var first = Enter(1, default);
        var second = Enter(2, cancel.Token);
        var third = Enter(3, default);
        await cancel.CancelAsync();
        lease.Dispose();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await Task.WhenAll(first, third);
        Assert.Equal([1, 3], order);

        async Task Enter(int number, CancellationToken token)
        {
            using (await gate.Enter(token))
            {
                order.Add(number);
            }
        }
    }
}
