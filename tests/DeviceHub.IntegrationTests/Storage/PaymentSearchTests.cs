using System.Diagnostics;
using System.Text.RegularExpressions;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Terminals;
using DeviceHub.Storage;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace DeviceHub.IntegrationTests.Storage;

/// <summary>Finding payments among many: what is found, in which order, and that no search reads all of them.</summary>
public sealed partial class PaymentSearchTests(PaymentSearchFixture hub) : IClassFixture<PaymentSearchFixture>
{
    private static readonly int Last = PaymentSearchFixture.Payments - 1;

    [Fact]
    public async Task Pages_follow_each_other_from_the_newest_without_a_gap_however_deep()
    {
        var seen = new List<long>();
        PaymentPosition? after = null;
        for (var page = 0; page < 5; page++)
        {
            var found = await Find(new PaymentFilter(), 7, after);
            Assert.True(found.More);
            seen.AddRange(found.Items.Select(p => p.Position.Seq));
            Assert.True(PaymentPosition.TryParse(found.Items[^1].Position.ToString(), out var position));
            after = position;
        }

        Assert.Equal(Enumerable.Range(0, 35).Select(i => (3L * (Last - i)) + 1), seen);
        var oldest = await Find(new PaymentFilter(), 50, new PaymentPosition(PaymentSearchFixture.Start.AddSeconds(1), 16));
        Assert.Equal([13L, 10L, 7L, 4L, 1L], oldest.Items.Select(p => p.Position.Seq));
        Assert.False(oldest.More);
        Assert.Equal(35, await hub.Search.Count(new PaymentFilter(), after!.Value with { Seq = after.Value.Seq - 1 }, 1000, TestContext.Current.CancellationToken));
        Assert.Equal(seen.Take(3), (await hub.Search.Read([.. seen.Take(3)], TestContext.Current.CancellationToken)).Select(p => p.Position.Seq).OrderDescending());
        Assert.Equal(20, await hub.Search.Count(new PaymentFilter(), null, 20, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("OD-4000", PaymentWordKind.OrderNumber)]
    [InlineData(" 4200000000000000000000004000\n", PaymentWordKind.ChannelNumber)]
    [InlineData("d00000000fa0000000000000000fa0", PaymentWordKind.ChannelNumber)]
    [InlineData("d00000000fa0000000000000000fa0r2", PaymentWordKind.RefundNumber)]
    [InlineData("AAAAAAAAAAAA-4000", PaymentWordKind.RequestId)]
    [InlineData("SN-0000/AAAAAAAAAAAA-4000", PaymentWordKind.Payment)]
    public async Task Payment_is_found_by_any_number_of_it(string text, PaymentWordKind readAs)
    {
        var found = await Find(new PaymentFilter { Text = text });
        Assert.Equal((readAs, 12001L), (found.ReadAs, Assert.Single(found.Items).Position.Seq));
        Assert.Equal(("Noodles", null), (found.Items[0].MerchantName, found.Items[0].StoreName));
        Assert.Empty((await Find(new PaymentFilter { Text = text, Status = PaymentStatus.NotCharged })).Items);
        Assert.Empty((await Find(new PaymentFilter { Text = text, SerialNumber = "SN-0001" })).Items);
    }

    [Fact]
    public async Task Terminal_amount_and_last_four_digits_are_found_from_the_one_box()
    {
        var terminal = await Find(new PaymentFilter { Text = "SN-0019" });
        Assert.Equal(PaymentWordKind.Terminal, terminal.ReadAs);
        Assert.All(terminal.Items, p => Assert.Equal("SN-0019", p.Id.SerialNumber));
        Assert.Empty((await Find(new PaymentFilter { Text = "SN-0019", SerialNumber = "SN-0001" })).Items);

        var amount = await Find(new PaymentFilter { Text = "¥1.31" });
        Assert.Equal(PaymentWordKind.Amount, amount.ReadAs);
        Assert.All(amount.Items, p => Assert.Equal(131, p.AmountFen));

        var digits = await Find(new PaymentFilter { Text = "0031" });
        Assert.Equal(PaymentWordKind.LastFour, digits.ReadAs);
        Assert.NotEmpty(digits.Items);
        Assert.All(digits.Items, p => Assert.Equal("0031", p.CodeLastFour));

        var nothing = await Find(new PaymentFilter { Text = "no such thing" });
        Assert.Equal((PaymentWordKind.None, 0), (nothing.ReadAs, nothing.Items.Count));
    }

    [Theory]
    [InlineData(PaymentStatus.Working)]
    [InlineData(PaymentStatus.AwaitingCustomer)]
    [InlineData(PaymentStatus.Cancelling)]
    [InlineData(PaymentStatus.InDoubt)]
    [InlineData(PaymentStatus.Approved)]
    [InlineData(PaymentStatus.PartlyRefunded)]
    [InlineData(PaymentStatus.Refunded)]
    [InlineData(PaymentStatus.Declined)]
    [InlineData(PaymentStatus.NotCharged)]
    public async Task Status_that_is_asked_for_is_the_status_that_is_shown(PaymentStatus status)
    {
        var found = await Find(new PaymentFilter { Status = status });
        Assert.NotEmpty(found.Items);
        Assert.All(found.Items, p => Assert.Equal(status, p.Status));
    }

    [Fact]
    public async Task Outcome_that_its_terminal_did_not_confirm_in_time_is_listed()
    {
        var filter = new PaymentFilter { OutcomeNotShown = true };
        var found = await Find(filter, 3);
        Assert.Equal([29_406, 28_706, 28_006], found.Items.Select(p => (p.Position.Seq - 1) / 3));
        Assert.All(found.Items, p => Assert.Equal((1, 0), (p.Revision, p.ShownRevision)));
        Assert.Equal(43, await hub.Search.Count(filter, null, 1000, TestContext.Current.CancellationToken));
        Assert.Empty((await Find(filter with { Text = "AAAAAAAAAAAA-4000" })).Items);
        Assert.Single((await Find(new PaymentFilter { Text = "AAAAAAAAAAAA-4000", OutcomeNotShown = false })).Items);

        var told = found.Items[0].FinalAt!.Value;
        var justTold = new PaymentSearch(hub.Reads, hub.Keys, Options.Create(new TerminalOptions()), new FakeTimeProvider(told.AddSeconds(89)));
        Assert.Equal(28_706, ((await justTold.Find(filter, new PaymentSlice(1), TestContext.Current.CancellationToken)).Items[0].Position.Seq - 1) / 3);
    }

    /// <summary>Few and many, alone and together, also such that no payment is both: the walk is along an index, and nothing but the page is sorted.</summary>
    [Fact]
    public async Task No_search_reads_or_sorts_all_payments()
    {
        PaymentFilter[] filters =
        [
            new(), new() { MinFen = 1, MaxFen = 1 }, new() { MinFen = 100_000 }, new() { Text = "0.01" }, new() { Text = "9999" }, new() { Text = "AAAAAAAAAAAA-1" }, new() { Text = "BBBBBBBBBBBB-1" }, new() { Text = "nowhere" },
            new() { SerialNumber = "SN-0001" }, new() { SerialNumber = "SN-9999" }, new() { StoreId = "s3" }, new() { MerchantId = "m0" }, new() { MerchantId = "m1", StoreId = "s3", SerialNumber = "SN-0001" },
            new() { MerchantId = "m0", Status = PaymentStatus.NotCharged }, new() { MerchantId = "m0", MinFen = 1, MaxFen = 1 }, new() { MerchantId = "m9", Wallet = Wallet.Alipay },
            new() { Wallet = Wallet.UnionPay }, new() { Channel = "remote" }, new() { Channel = "nowhere" }, new() { NeedsAttention = true }, new() { NeedsAttention = false }, new() { OutcomeNotShown = true }, new() { OutcomeNotShown = false }, new() { IsTest = false, Result = PaymentResult.Approved }, new() { IsTest = false, Status = PaymentStatus.InDoubt },
            new() { Status = PaymentStatus.InDoubt }, new() { Status = PaymentStatus.Refunded, MerchantId = "m1" }, new() { Status = PaymentStatus.Approved, Wallet = Wallet.UnionPay },
            new() { Stage = PaymentStage.Working }, new() { Stage = PaymentStage.Final }, new() { Result = PaymentResult.Declined, MaxFen = 99 },
            new() { From = PaymentSearchFixture.Start, To = PaymentSearchFixture.Start.AddSeconds(3) }, new() { From = PaymentSearchFixture.Start.AddYears(1) },
            new() { OrderNumber = "OD-4" }, new() { ChannelOrderNumber = "d00000000fa0000000000000000fa0" }, new() { Text = "OD-4", OrderNumber = "OD-4", MerchantId = "m0" },
        ];
        var after = new PaymentPosition(PaymentSearchFixture.Start.AddYears(1), long.MaxValue);
        foreach (var filter in filters)
        {
            var from = Stopwatch.GetTimestamp();
            var (found, statements) = await hub.Watch(search => search.Find(filter, new PaymentSlice(50, after), TestContext.Current.CancellationToken));
            var took = Stopwatch.GetElapsedTime(from);
            var (_, counting) = await hub.Watch(search => search.Count(filter, null, 1000, TestContext.Current.CancellationToken));
            Assert.NotEmpty(statements);
            foreach (var (sql, plan) in statements.Concat(counting))
            {
                var tables = TableName().Matches(sql).Select(m => "SCAN " + m.Groups[1].Value + m.Groups[2].Value).ToList();
                var few = sql.Contains("\"seq\" IN (", StringComparison.Ordinal);
                Assert.False(plan.Split('\n').Any(tables.Contains), $"{filter}\n{sql}\n{plan}");
                Assert.False(plan.Contains("TEMP B-TREE", StringComparison.Ordinal) && !few, $"{filter}\n{sql}\n{plan}");
            }

            TestContext.Current.TestOutputHelper?.WriteLine($"{found.Items.Count} in {took.TotalMilliseconds:0} ms: {filter}");
        }
    }

    [GeneratedRegex("(?:FROM|JOIN) \"[a-z_]*payment[a-z_]*\" AS \"([a-z0-9]+)\"|INDEXED BY [A-Za-z_]+\\s*\\) AS \"([a-z0-9]+)\"")]
    private static partial Regex TableName();

    private Task<PaymentsFound> Find(PaymentFilter filter, int limit = 50, PaymentPosition? after = null) =>
        hub.Search.Find(filter, new PaymentSlice(limit, after), TestContext.Current.CancellationToken);
}
