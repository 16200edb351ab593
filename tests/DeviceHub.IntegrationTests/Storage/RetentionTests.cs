using DeviceHub.Core.Charges;
using DeviceHub.Storage;
using DeviceHub.Tests;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using static DeviceHub.IntegrationTests.Storage.StorageFixture;

namespace DeviceHub.IntegrationTests.Storage;

/// <summary>What is deleted after years, and what never is.</summary>
public sealed class RetentionTests
{
    [Fact]
    public async Task Outdated_audit_rows_and_ended_charges_go_in_small_steps_and_everything_else_stays()
    {
        using var hub = new StorageFixture();
        await Fill(hub);
        var clock = new FakeTimeProvider(Now);
        using var retention = new Retention(hub.Database, hub.Options, clock, NullLogger<Retention>.Instance);
        await retention.StartAsync(TestContext.Current.CancellationToken);

        // Between two steps it pauses, on a clock that a test has to move.
        await Eventually.Becomes(
            () =>
            {
                clock.Advance(TimeSpan.FromMilliseconds(100));
                return Task.FromResult((hub.Number("SELECT count(*) FROM audit"), hub.Number("SELECT count(*) FROM charge")));
            },
            left => left is (2, 3), "what is outdated is gone, also behind charges that stay");
        await retention.StopAsync(TestContext.Current.CancellationToken);

        Assert.Equal(2, hub.Number("SELECT count(*) FROM audit WHERE what = 'young'"));
        Assert.Equal(3, hub.Number("SELECT count(*) FROM charge WHERE id IN ('open', 'due', 'young')"));
    }

    [Fact]
    public async Task Nothing_is_deleted_when_it_is_to_be_kept_for_ever()
    {
        using var hub = new StorageFixture(o => (o.AuditDays, o.ChargeDays) = (0, 0));
        await Fill(hub);
        using var retention = new Retention(hub.Database, hub.Options, new FakeTimeProvider(Now), NullLogger<Retention>.Instance);
        await retention.StartAsync(TestContext.Current.CancellationToken);
        await retention.StopAsync(TestContext.Current.CancellationToken);

        Assert.Equal((452, 403), (hub.Number("SELECT count(*) FROM audit"), hub.Number("SELECT count(*) FROM charge")));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(180, true)]
    [InlineData(179, false)]
    [InlineData(-1, false)]
    [InlineData(36_501, false)]
    public void Days_that_are_too_few_to_be_meant_are_refused(int days, bool good) =>
        Assert.Equal(good, new StorageOptionsValidator().Validate(null, new StorageOptions { AuditDays = days }).Succeeded);

    /// <summary>450 old audit rows and 400 old charges that ended, more than a step takes; 2 young rows, and charges that stay, the first of all among them.</summary>
    private static Task Fill(StorageFixture hub) => hub.Writes.Run(async (db, stop) =>
    {
        var (old, young) = (Now.AddDays(-3651), Now.AddDays(-3649));
        db.Audit.AddRange(Enumerable.Range(0, 452).Select(i => new AuditRow { At = i < 450 ? old : young, Who = "system", What = i < 450 ? "old" : "young", Subject = "x" }));
        var ends = new[] { ChargeEnd.Paid, ChargeEnd.Expired, ChargeEnd.Cancelled };
        (string, DateTimeOffset, ChargeEnd, DateTimeOffset?)[] charges =
        [
            ("open", old, ChargeEnd.None, Now), ("due", old, ChargeEnd.Paid, Now),
            .. Enumerable.Range(0, 400).Select(i => ($"old-{i}", old, ends[i % ends.Length], (DateTimeOffset?)null)),
            ("young", Now.AddDays(-1826), ChargeEnd.Paid, null),
        ];
        foreach (var (id, at, end, due) in charges)
        {
            db.Charges.Add(new ChargeRow
            {
                Id = id, Sn = id, MerchantId = "M1", StoreId = "S1", OrderNumber = id, AmountFen = 100, IdempotencyKey = id, MadeBy = "test", CreatedAt = at, ExpiresAt = at,
                Ended = end, EndedAt = end == ChargeEnd.None ? null : at, DueAt = due, Version = 1,
            });
        }

        await db.SaveChangesAsync(stop);
    });
}
