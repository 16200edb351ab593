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
}
