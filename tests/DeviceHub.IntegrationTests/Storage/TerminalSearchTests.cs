using DeviceHub.Core.Terminals;
using DeviceHub.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace DeviceHub.IntegrationTests.Storage;

public sealed class TerminalSearchTests : IDisposable
{
    private static readonly DateTimeOffset Now = StorageFixture.Now;
    private static readonly byte[] Hash = new byte[32];

    private readonly StorageFixture hub = new();
    private readonly TerminalSearch search;

    public TerminalSearchTests() => search = new TerminalSearch(hub.Reads, Options.Create(new TerminalOptions()), new FakeTimeProvider(Now));

    public void Dispose() => hub.Dispose();

    [Fact]
    public async Task Text_is_a_part_of_the_serial_number_or_of_the_merchants_or_stores_name()
    {
        await Fleet();
        Assert.Equal(["A-1", "A-2"], await Found(new() { Text = "a-" }));
        Assert.Equal(["A-2", "B-3"], await Found(new() { Text = "南京" }));
        Assert.Equal(["A-1", "A-2", "B-3"], await Found(new() { Text = "Noodle" }));
        Assert.Equal(["C-4"], await Found(new() { Text = "100%" }));
        Assert.Empty(await Found(new() { Text = "_" }));
    }

    [Fact]
    public async Task Filters_go_together_and_their_count_stops_where_it_may()
    {
        await Fleet();
        Assert.Equal(["A-1"], await Found(new() { Presence = PresenceFilter.Payable }));
        Assert.Equal(["A-1", "B-3"], await Found(new() { Presence = PresenceFilter.Responsive }));
        Assert.Equal(["A-1", "A-2", "B-3"], await Found(new() { Presence = PresenceFilter.Connected }));
        Assert.Equal(["A-2"], await Found(new() { Presence = PresenceFilter.Silent }));
        Assert.Equal(["C-4"], await Found(new() { Presence = PresenceFilter.Offline }));
        Assert.Equal(["B-3"], await Found(new() { Presence = PresenceFilter.NotPayable, Status = TerminalStatus.Suspended }));
        Assert.Equal(["A-1", "B-3"], await Found(new() { Drifts = true }));
        Assert.Equal(["A-2", "C-4"], await Found(new() { Drifts = false }));
        Assert.Equal(["A-1", "A-2"], await Found(new() { Firmware = "1.1", StoreId = null, MerchantId = "M1" }));
        Assert.Equal(["B-3"], await Found(new() { Model = "pos" }));
        Assert.Equal(2, await search.Count(new(), 2, CancellationToken.None));
        Assert.Equal(4, await search.Count(new(), 10, CancellationToken.None));
    }

    [Theory]
    [InlineData(TerminalSort.SerialNumber, "A-1 A-2 B-3 C-4")]
    [InlineData(TerminalSort.LastSeen, "C-4 A-2 A-1 B-3")]
    [InlineData(TerminalSort.Status, "C-4 A-1 A-2 B-3")]
    [InlineData(TerminalSort.Registered, "C-4 B-3 A-2 A-1")]
    public async Task Order_goes_both_ways_and_pages_fit_together(TerminalSort by, string expected)
    {
        await Fleet();
        var all = await search.Find(new(), new(by, false), 0, 10, CancellationToken.None);
        Assert.Equal(expected, string.Join(' ', all.Select(t => t.SerialNumber)));
        var back = await search.Find(new(), new(by, true), 0, 10, CancellationToken.None);
        Assert.Equal(all.Reverse(), back);
        var paged = await search.Find(new(), new(by, false), 1, 2, CancellationToken.None);
        Assert.Equal(all.Skip(1).Take(2), paged);
    }

    [Fact]
    public async Task Way_through_all_is_by_serial_number_and_rows_can_be_read_again()
    {
        await Fleet();
        Assert.Equal(["A-1", "A-2"], (await search.After(new(), null, 2, CancellationToken.None)).Select(t => t.SerialNumber));
        Assert.Equal(["B-3", "C-4"], (await search.After(new(), "A-2", 9, CancellationToken.None)).Select(t => t.SerialNumber));
        var again = Assert.Single(await search.Read(["B-3", "gone"], CancellationToken.None));
        Assert.Equal((TerminalStatus.Suspended, TerminalState.Responsive, true, "1.2"), (again.Status, again.State, again.Drifts, again.Firmware));
        var kinds = await search.Kinds(10, CancellationToken.None);
        Assert.Equal(["box", "pos"], kinds.Models);
        Assert.Equal(["1.2", "1.1"], kinds.Firmwares);
    }

    /// <summary>What a page shows first, and what a link of the overview leads to: an index is walked until the page is full.</summary>
    [Theory]
    [InlineData(TerminalSort.SerialNumber, false, null)]
    [InlineData(TerminalSort.SerialNumber, true, null)]
    [InlineData(TerminalSort.Store, false, null)]
    [InlineData(TerminalSort.Status, true, null)]
    [InlineData(TerminalSort.Registered, true, null)]
    [InlineData(TerminalSort.SerialNumber, false, TerminalStatus.Suspended)]
    public async Task Usual_views_read_no_terminal_that_they_do_not_show(TerminalSort by, bool descending, TerminalStatus? status)
    {
        var plan = await Plan(db => TerminalSearch.Ordered(db, search.Matching(db, new TerminalFilter { Status = status }), new(by, descending)).Take(50).Select(t => t.SerialNumber));
        Assert.All(plan, step => Assert.DoesNotMatch("^SCAN \\S+$", step));
        Assert.DoesNotContain(plan, step => step.Contains("TEMP B-TREE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Drift_is_found_in_an_index_of_its_own()
    {
        var plan = await Plan(db => search.Matching(db, new TerminalFilter { Drifts = true }).OrderBy(t => t.SerialNumber).Take(50).Select(t => t.SerialNumber));
        Assert.Contains(plan, step => step.Contains("IX_terminal_drifts", StringComparison.Ordinal));
    }

    private async Task<string[]> Found(TerminalFilter filter)
    {
        var found = (await search.Find(filter, default, 0, 100, CancellationToken.None)).Select(t => t.SerialNumber).ToArray();
        Assert.Equal(found.Length, await search.Count(filter, 100, CancellationToken.None));
        return found;
    }

    private Task<List<string>> Plan(Func<HubDbContext, IQueryable<string>> query) => hub.Reads.Run(async (db, stop) =>
    {
        using var command = query(db).CreateDbCommand();
        command.CommandText = "EXPLAIN QUERY PLAN " + command.CommandText;
        using var reader = await command.ExecuteReaderAsync(stop);
        var steps = new List<string>();
        while (await reader.ReadAsync(stop))
        {
            steps.Add(reader.GetString(3));
        }

        return steps;
    });

    /// <summary>A-1 is payable, A-2 silent, B-3 suspended and responsive, C-4 was never seen.</summary>
    private async Task Fleet()
    {
        await hub.Writes.Run(async (db, stop) =>
        {
            db.Merchants.AddRange(new MerchantRow { Id = "M1", Name = "Noodle house" }, new MerchantRow { Id = "M2", Name = "100% Tea" });
            db.Stores.AddRange(
                new StoreRow { Id = "S1", MerchantId = "M1", Name = "Main street" },
                new StoreRow { Id = "S2", MerchantId = "M1", Name = "南京东路店" },
                new StoreRow { Id = "S3", MerchantId = "M2", Name = "Corner" });
            db.Terminals.AddRange(
                Row("A-1", TerminalStatus.Active, "box", "M1", "S1", 4, desired: 2, reported: 1),
                Row("A-2", TerminalStatus.Active, "box", "M1", "S2", 3, desired: 2, reported: 2),
                Row("B-3", TerminalStatus.Suspended, "pos", "M1", "S2", 2, desired: 1, reported: 0),
                Row("C-4", TerminalStatus.Registered, "box", "M2", "S3", 1, desired: 0, reported: 0));
            db.LastSeen.AddRange(
                new LastSeenRow { SerialNumber = "A-1", At = Now.AddSeconds(-30), Connected = true, Firmware = "1.1" },
                new LastSeenRow { SerialNumber = "A-2", At = Now.AddHours(-2), Connected = true, Firmware = "1.1" },
                new LastSeenRow { SerialNumber = "B-3", At = Now.AddSeconds(-5), Connected = true, Firmware = "1.2" });
            await db.SaveChangesAsync(stop);
        });
    }

    private static TerminalRow Row(string serial, TerminalStatus status, string model, string merchant, string store, int days, long desired, long reported) => new()
    {
        SerialNumber = serial,
        Status = status,
        Model = model,
        MerchantId = merchant,
        StoreId = store,
        RegisteredAt = Now.AddDays(days),
        DesiredVersion = desired,
        DesiredHash = desired > 0 ? Hash : null,
        ReportedResult = reported > 0 ? ConfigurationResult.Applied : 0,
        ReportedVersion = reported,
        ReportedHash = reported > 0 ? Hash : null,
        Version = 1,
    };
}
