using DeviceHub.Core.Payments;
using DeviceHub.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using static DeviceHub.IntegrationTests.Storage.StorageFixture;

namespace DeviceHub.IntegrationTests.Storage;

public sealed class MigrationTests
{
    /// <summary>A ledger of the hub before payments had numbers: its file goes back to that schema, with its payments, and is opened again.</summary>
    [Fact]
    public async Task Old_ledger_keeps_its_payments_and_its_fence_when_the_hub_is_brought_up_to_date()
    {
        var folder = Directory.CreateTempSubdirectory("hub-storage-").FullName;
        try
        {
            PaymentId second = new("T2", "request-1");
            using (var before = new StorageFixture(folder: folder))
            {
                await before.Ledger.Accept(Accept("request-1"), default);
                await before.Ledger.Accept(Accept("request-1", sn: "T2"), default);
                await before.Ledger.Append(Approve(second));
            }

            using (var old = new HubDbContext(new DbContextOptionsBuilder<HubDbContext>().UseSqlite($"Data Source={folder}/hub.db;Pooling=False").Options))
            {
                await old.GetService<IMigrator>().MigrateAsync("PaymentNeedsAttention", TestContext.Current.CancellationToken);
            }

            using var after = new StorageFixture(folder: folder);
            Assert.Equal(2, (await after.Ledger.Read(second))!.Version);
            Assert.Equal(1, (await after.Ledger.Read(new("T1", "request-1")))!.Version);
            Assert.Equal(WriteResult.Conflict, (await after.Ledger.Accept(Accept("request-1"), default)).Result);
            Assert.Equal(WriteResult.Conflict, await after.Ledger.Append(Decline(second)));
            Assert.Equal(WriteResult.Written, await after.Ledger.Append(Shown(second)));
            Assert.Equal(WriteResult.Written, (await after.Ledger.Accept(Accept("request-2"), default)).Result);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>It may not find payments where it looks for them, and would take them a second time.</summary>
    [Fact]
    public void File_of_a_newer_hub_is_not_opened()
    {
        var folder = Directory.CreateTempSubdirectory("hub-storage-").FullName;
        try
        {
            using (var newer = new StorageFixture(folder: folder))
            {
                HubDatabase.Execute(newer.Database.Writes.Connection, """INSERT INTO "__EFMigrationsHistory" VALUES ('29991231000000_Later', '99.0.0')""");
            }

            Assert.Contains("29991231000000_Later", Assert.Throws<HubDatabaseException>(() => new StorageFixture(folder: folder)).Message);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Administrator_of_an_older_hub_becomes_an_owner()
    {
        var folder = Directory.CreateTempSubdirectory("hub-storage-").FullName;
        try
        {
            new StorageFixture(folder: folder).Dispose();
            using (var old = new HubDbContext(new DbContextOptionsBuilder<HubDbContext>().UseSqlite($"Data Source={folder}/hub.db;Pooling=False").Options))
            {
                await old.GetService<IMigrator>().MigrateAsync("ApiKeyMerchant", TestContext.Current.CancellationToken);
                await old.Database.ExecuteSqlRawAsync(
                    """
                    INSERT INTO "AspNetRoles" ("Id", "Name", "NormalizedName") VALUES ('r', 'administrator', 'ADMINISTRATOR');
                    INSERT INTO "AspNetUsers" ("Id", "UserName", "Created", "EmailConfirmed", "PhoneNumberConfirmed", "TwoFactorEnabled", "LockoutEnabled", "AccessFailedCount")
                        VALUES ('a', 'admin', 0, 0, 0, 0, 1, 0), ('b', 'nobody', 0, 0, 0, 0, 1, 0);
                    INSERT INTO "AspNetUserRoles" VALUES ('a', 'r');
                    """,
                    TestContext.Current.CancellationToken);
            }

            new StorageFixture(folder: folder).Dispose();
            using var after = new HubDbContext(new DbContextOptionsBuilder<HubDbContext>().UseSqlite($"Data Source={folder}/hub.db;Pooling=False").Options);
            Assert.Equal(["owner", "read-only"], await after.Users.OrderBy(u => u.Id).Select(u => u.Role).ToListAsync(TestContext.Current.CancellationToken));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>EF Core's lock is a row that nobody takes away from a process that was killed.</summary>
    [Fact]
    public async Task Hub_that_was_killed_while_it_brought_its_file_up_to_date_starts_again()
    {
        var folder = Directory.CreateTempSubdirectory("hub-storage-").FullName;
        try
        {
            using (var before = new StorageFixture(folder: folder))
            {
                await before.Ledger.Accept(Accept("request-1"), default);
            }

            using (var old = new HubDbContext(new DbContextOptionsBuilder<HubDbContext>().UseSqlite($"Data Source={folder}/hub.db;Pooling=False").Options))
            {
                await old.GetService<IMigrator>().MigrateAsync("PaymentNeedsAttention", TestContext.Current.CancellationToken);
                await old.Database.ExecuteSqlAsync(
                    $"""INSERT INTO "__EFMigrationsLock"("Id", "Timestamp") VALUES (1, '2026-05-01 12:00:00+00:00')""", TestContext.Current.CancellationToken);
            }

            // A start that waits for the lock never comes back.
            var start = Task.Run(() => new StorageFixture(folder: folder), TestContext.Current.CancellationToken);
            using var after = await start.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
            Assert.Equal(1, (await after.Ledger.Read(new("T1", "request-1")))!.Version);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A ledger of 16,384 payments: bringing it up to date takes SQLite long enough to be stopped in the middle.</summary>
    [Fact]
    public async Task Hub_that_is_stopped_while_it_brings_its_file_up_to_date_undoes_what_it_had_begun_and_does_it_at_the_next_start()
    {
        var folder = Directory.CreateTempSubdirectory("hub-storage-").FullName;
        try
        {
            using (var before = new StorageFixture(folder: folder))
            {
                await before.Ledger.Accept(Accept("request-1"), default);
            }

            using (var old = new HubDbContext(new DbContextOptionsBuilder<HubDbContext>().UseSqlite($"Data Source={folder}/hub.db;Pooling=False").Options))
            {
                await old.GetService<IMigrator>().MigrateAsync("PaymentNeedsAttention", TestContext.Current.CancellationToken);
                await old.Database.OpenConnectionAsync(TestContext.Current.CancellationToken);
                for (var rows = 1; rows < 16_384; rows *= 2)
                {
                    await old.Database.ExecuteSqlAsync(
                        $"""
                        CREATE TEMP TABLE twice AS SELECT * FROM payment_event;
                        UPDATE twice SET seq = seq + {rows}, request_id = request_id || '-' || {rows};
                        INSERT INTO payment_event SELECT * FROM twice;
                        DROP TABLE twice;
                        """,
                        TestContext.Current.CancellationToken);
                }
            }

            using (var stop = new CancellationTokenSource())
            using (var stopped = new HubDatabase(folder, Microsoft.Extensions.Options.Options.Create(new StorageOptions())))
            {
                // The first that it commits is EF Core's lock; the migrations follow.
                stopped.Connected = connection => SQLitePCL.raw.sqlite3_commit_hook(
                    connection.Handle!,
                    _ =>
                    {
                        stop.Cancel();
                        return 0;
                    },
                    null);
                Assert.Throws<OperationCanceledException>(() => stopped.Open(stop.Token));
            }

            using var after = new StorageFixture(folder: folder);
            Assert.Equal(16_384, after.Number("SELECT count(*) FROM payment_event WHERE payment > 0"));
            Assert.Equal(1, (await after.Ledger.Read(new("T1", "request-1")))!.Version);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
