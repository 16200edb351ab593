using DeviceHub.Core.Live;
using DeviceHub.Core.Payments;
using DeviceHub.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using static DeviceHub.IntegrationTests.Storage.StorageFixture;

namespace DeviceHub.IntegrationTests.Storage;

/// <summary>The payments by the minute are what a recount of their rows says, whatever happens to the projection on its way.</summary>
public sealed class PaymentMinutesTests
{
    private readonly Random random = new(20261126);

    [Fact]
    public async Task Counts_are_those_of_a_recount_although_commits_fail_between_them()
    {
        using var hub = new StorageFixture(o => o.ProjectionBatch = 5);
        var payments = new List<Life>();
        var (failed, fails) = (0, false);

        // A connection whose commit failed is closed, and the next one has to fail, too.
        hub.Search.Connected = c => SQLitePCL.raw.sqlite3_commit_hook(c.Handle!, _ => fails && random.Next(12) == 0 ? 1 : 0, null);
        for (var round = 0; round < 25; round++)
        {
            await Live(hub, payments);
            fails = random.Next(2) == 0;
            while (true)
            {
                try
                {
                    if (await hub.Projection.Step() == 0)
                    {
                        break;
                    }
                }
                catch (SqliteException)
                {
                    failed++;
                }
            }

            Assert.Equal(await Recount(hub), await Counted(hub));
        }

        Assert.True(failed > 10, "commits were to fail");
        Assert.All(Enum.GetValues<PaymentResult>(), r => Assert.True(hub.Number($"SELECT count(*) FROM payment WHERE result = {(int)r}") > 0, r.ToString()));
    }

    [Fact]
    public async Task What_is_taken_from_the_writer_is_what_the_ledger_says_when_it_is_read()
    {
        using var hub = new StorageFixture(o => o.ProjectionBatch = 40);
        var payments = new List<Life>();
        for (var round = 0; round < 12; round++)
        {
            await Live(hub, payments);
            while (random.Next(4) > 0 && await hub.Projection.Step() > 0)
            {
            }
        }

        while (await hub.Projection.Step() > 0)
        {
        }

        var shown = Rows(hub);
        Assert.Equal(payments.Count, hub.Number("SELECT count(*) FROM payment"));
        Assert.False(hub.Ledger.Tail.TryTake(payments[^1].Id, 1, out _), "it was taken");

        // A new file is made of what is read.
        hub.Search.Close();
        File.Delete(hub.Search.File);
        while (await hub.Projection.Step() > 0)
        {
        }

        Assert.Equal(shown, Rows(hub));
    }

    [Fact]
    public async Task A_projection_that_begins_again_counts_nobody_twice()
    {
        using var hub = new StorageFixture();
        await Live(hub, []);
        await hub.Projection.Step();
        var before = await Counted(hub);

        hub.Search.Writes.Prepare("DELETE FROM shown").Run();
        await hub.Projection.Step();

        Assert.NotEmpty(before);
        Assert.Equal(before, await Counted(hub));
    }

    [Fact]
    public async Task A_test_is_in_the_list_and_in_no_sum_and_says_nothing_of_its_terminal()
    {
        using var hub = new StorageFixture();
        await hub.Ledger.Accept(Accept("test-1"), default);
        await hub.Ledger.Append(new LedgerAppend(
            new("T1", "test-1"), 2, [new PayAnswered(Now, 1, new ChannelVerdict(Verdict.Unknown, "timeout"))], [], Now, new PaymentStanding(null, false, false)));
        await hub.Projection.Step();

        Assert.Equal(1, hub.Number("SELECT count(*) FROM payment"));
        Assert.Empty(await Counted(hub));
        Assert.Equal(0, hub.Number("SELECT count(*) FROM terminal_trouble"));
        Assert.Equal(0, await new PaymentStatistics(hub.SearchPool).InDoubt());
    }

    [Fact]
    public async Task A_ledger_of_an_older_hub_is_counted_when_it_is_brought_up_to_date()
    {
        var folder = Directory.CreateTempSubdirectory("hub-storage-").FullName;
        try
        {
            using (var before = new StorageFixture(folder: folder))
            {
                await Live(before, [], age: false);
                await before.Projection.Step();
            }

            using (var old = new HubDbContext(new DbContextOptionsBuilder<HubDbContext>().UseSqlite($"Data Source={folder}/hub.db;Pooling=False").Options))
            {
                await old.GetService<IMigrator>().MigrateAsync("PaymentSearch", TestContext.Current.CancellationToken);
            }

            using var after = new StorageFixture(folder: folder);
            await after.Projection.Step();
            var counted = await Counted(after);
            Assert.NotEmpty(counted);
            Assert.Equal(await Recount(after), counted);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Series_add_up_to_the_payments_of_their_time_and_have_no_gaps()
    {
        using var hub = new StorageFixture();
        await Live(hub, []);
        await hub.Projection.Step();
        var statistics = new PaymentStatistics(hub.SearchPool);

        foreach (var span in Enum.GetValues<StatisticsSpan>())
        {
            var series = await statistics.Series(span, Now.AddMinutes(9));
            var (length, step) = PaymentSeries.Of(span);
            Assert.Equal(length / step, series.Points.Count);
            Assert.InRange(series.Points.Count, 60, 340);
            Assert.Equal(0, series.From.Ticks % step.Ticks);
            Assert.InRange(Now.AddMinutes(9), series.TimeOf(series.Points.Count - 1), series.TimeOf(series.Points.Count));
            Assert.Equal(hub.Number("SELECT count(*) FROM payment"), series.Points.Sum(p => p.Accepted));
        }

        var all = await statistics.Since(Now);
        Assert.Equal(hub.Number("SELECT sum(amount_fen) FROM payment WHERE result = 1"), all.ApprovedFen);
        Assert.Equal(hub.Number("SELECT count(*) FROM payment WHERE final_at IS NOT NULL"), all.Times.Count);
        Assert.Equal(hub.Number("SELECT count(*) FROM payment WHERE stage = 4"), await statistics.InDoubt());
        Assert.Equal(all.InDoubt, await statistics.InDoubt());
        Assert.Equal(0, (await statistics.Since(Now.AddHours(1))).Accepted);
    }

    [Fact]
    public async Task Minutes_over_their_time_are_deleted_and_no_others()
    {
        using var hub = new StorageFixture(o => o.MinuteDays = 8);
        var last = PaymentMinutes.MinuteOf(TimeProvider.System.GetUtcNow());
        var columns = string.Join(", ", PaymentMinutes.TimeColumns);
        var zeros = string.Join(", ", PaymentMinutes.TimeColumns.Select(_ => "0"));
        var insert =
            $"""
            WITH RECURSIVE n(v) AS (SELECT 0 UNION ALL SELECT v + 1 FROM n WHERE v < 2999)
            INSERT INTO payment_minute(minute, accepted, approved, declined, not_charged, refunded, in_doubt, approved_fen, {columns})
            SELECT {last} - v * 10, 1, 0, 0, 0, 0, 0, 0, {zeros} FROM n
            """;
        HubDatabase.Execute(hub.Search.Writes.Connection, insert);

        await hub.Projection.DeleteOldMinutes();

        Assert.InRange(hub.Number("SELECT count(*) FROM payment_minute"), 8 * 144, (8 * 144) + 1);
        Assert.InRange(hub.Number("SELECT min(minute) FROM payment_minute"), last - (8 * 1440) - 1, last);
    }

    [Fact]
    public async Task Who_watches_is_told_of_each_payment_and_of_its_terminal_after_the_commit()
    {
        using var hub = new StorageFixture();
        var told = new List<string>();
        await hub.Ledger.Accept(Accept("request-1", sn: "T7"), default);
        using (hub.Feed.Watch(LiveFeed.Payments, () => told.Add($"payments {hub.Number("SELECT count(*) FROM payment")}")))
        using (hub.Feed.Watch(LiveFeed.Payment("T7", "request-1"), () => told.Add("payment")))
        using (hub.Feed.Watch(LiveFeed.Terminal("T7"), () => told.Add("terminal")))
        {
            await hub.Projection.Step();
            await hub.Projection.Step();
        }

        Assert.Equal(["payment", "payments 1", "terminal"], told.Order());
    }

    /// <summary>Begins some payments and lets those that there are go on.</summary>
    private async Task Live(StorageFixture hub, List<Life> payments, bool age = true)
    {
        var begun = Enumerable.Range(0, 30).Select(i => new Life(
            new PaymentId($"T{random.Next(4)}", $"request-{payments.Count}-{i}"), Now.AddSeconds(random.Next(480)), 100 + random.Next(1000), age ? random.Next(900) : 0)).ToList();
        Assert.All(await Task.WhenAll(begun.Select(life => hub.Ledger.Accept(life.Accept(random.Next(2) == 0), default).AsTask())), a => Assert.Equal(WriteResult.Written, a.Result));
        payments.AddRange(begun);
        var appends = payments.Where(_ => random.Next(3) > 0).SelectMany(life => life.Next(random)).ToList();
        Assert.All(await Task.WhenAll(appends.Select(append => hub.Ledger.Append(append).AsTask())), result => Assert.Equal(WriteResult.Written, result));
    }

    /// <summary>Every row of every table of the search file.</summary>
    private static List<string> Rows(StorageFixture hub)
    {
        using var file = new SqliteConnection($"Data Source={hub.Search.File};Pooling=False");
        file.Open();
        var rows = new List<string>();
        foreach (var table in (string[])["payment", "attempt", "attempt_refund", "payment_minute", "terminal_trouble", "request_epoch", "shown"])
        {
            using var command = file.CreateCommand();
            command.CommandText = $"SELECT * FROM {table} ORDER BY 1, 2";
            using var reader = command.ExecuteReader();
            while (reader.Read())
            {
                rows.Add(table + ": " + string.Join(' ', Enumerable.Range(0, reader.FieldCount).Select(reader.GetValue)));
            }
        }

        return rows;
    }

    private static Task<List<string>> Counted(StorageFixture hub) => hub.SearchPool.Read(0, static (db, _) =>
    {
        var minutes = new List<string>();
        PaymentMinutes.Read(db, 0, int.MaxValue, (minute, c) => minutes.Add(Line(minute, c)));
        return minutes;
    }).AsTask();

    /// <summary>From the rows alone, and by another program than the one that counts.</summary>
    private static async Task<List<string>> Recount(StorageFixture hub)
    {
        var rows = await hub.Reads.Search((db, stop) => db.Payments.ToListAsync(stop));
        return [.. rows.GroupBy(r => r.AcceptedAt.ToUnixTimeSeconds() / 60).OrderBy(g => g.Key).Select(g =>
        {
            var counts = new PaymentCounts
            {
                Accepted = g.Count(),
                Approved = g.Count(r => r.Result == PaymentResult.Approved),
                Declined = g.Count(r => r.Result == PaymentResult.Declined),
                NotCharged = g.Count(r => r.Result == PaymentResult.NotCharged),
                Refunded = g.Count(r => r.Result == PaymentResult.Refunded),
                InDoubt = g.Count(r => r.Stage == PaymentStage.InDoubt),
                ApprovedFen = g.Where(r => r.Result == PaymentResult.Approved).Sum(r => r.AmountFen),
            };
            foreach (var row in g.Where(r => r.FinalAt is not null))
            {
                counts.Times.Add(ResultTimes.StepOf((long)(row.FinalAt!.Value - row.AcceptedAt).TotalMilliseconds + row.ScanAgeMs), 1);
            }

            return Line(g.Key, counts);
        })];
    }

    private static string Line(long minute, PaymentCounts c) =>
        $"{minute}: {c.Accepted} {c.Approved} {c.Declined} {c.NotCharged} {c.Refunded} {c.InDoubt} {c.ApprovedFen} "
        + string.Join(',', Enumerable.Range(0, ResultTimes.Steps).Select(i => c.Times[i]));

    /// <summary>A payment that walks from accepted through doubt to one of its ends, and perhaps beyond.</summary>
    private sealed class Life(PaymentId id, DateTimeOffset at, long fen, long ageMs)
    {
        private int version = 1;
        private PaymentState? state;
        private PaymentResult result;
        private bool refunded;
        private bool shown;

        public PaymentId Id => id;

        public LedgerAccept Accept(bool after)
        {
            var first = StorageFixture.Accept(id.RequestId, id.SerialNumber, fen);
            IReadOnlyList<PaymentEvent> events =
                [new PaymentAccepted(at, fen, "CNY", Wallet.WeChat, "1234", "fingerprint", null, "M1", "Tea", "S1", at.AddMinutes(1), null, ScanAgeMs: ageMs), first.Events[1]];
            Apply(events);
            return first with { Events = events, After = after ? state : null };
        }

        public IEnumerable<LedgerAppend> Next(Random random)
        {
            if (result == PaymentResult.None && random.Next(2) == 0)
            {
                yield return Append(random.Next(2) == 0, new PayAnswered(at.AddSeconds(1), 1, new ChannelVerdict(Verdict.Unknown, "timeout")));
            }
            else if (result == PaymentResult.None)
            {
                result = (PaymentResult)random.Next(1, 5);
                yield return Append(
                    random.Next(2) == 0,
                    new Queried(at.AddSeconds(1), 1, new ChannelVerdict(result == PaymentResult.Approved ? Verdict.Approved : Verdict.Closed, "X"), Quiet: true),
                    new OutcomeReached(at.AddMilliseconds(random.Next(70_000)), 1, result, DeclineReason.None, 1));
            }
            else if (result is PaymentResult.NotCharged or PaymentResult.Declined && !refunded && random.Next(3) == 0)
            {
                refunded = true;
                yield return Append(random.Next(2) == 0, new OutcomeReached(at.AddMinutes(5), 2, PaymentResult.Refunded, DeclineReason.None, 1));
            }
            else if (!shown)
            {
                shown = true;
                yield return Append(random.Next(2) == 0, new OutcomeShown(at.AddSeconds(90), 1));
            }
        }

        private LedgerAppend Append(bool after, params PaymentEvent[] events)
        {
            Apply(events);
            return new(id, ++version, events, [], null, new PaymentStanding(null, false, false)) { After = after ? state : null };
        }

        private void Apply(IReadOnlyList<PaymentEvent> events) => state = events.Aggregate(state, (before, e) => PaymentState.Apply(id, before, e));
    }
}
