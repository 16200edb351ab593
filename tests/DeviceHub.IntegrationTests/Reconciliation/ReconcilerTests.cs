using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;
using DeviceHub.Core.Routing;
using DeviceHub.Storage;
using DeviceHub.Tests;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using static DeviceHub.IntegrationTests.Reconciliation.ReconciliationFixture;

namespace DeviceHub.IntegrationTests.Reconciliation;

/// <summary>The process: what a channel's answers make of a run.</summary>
public sealed class ReconcilerTests
{
    [Theory]
    [InlineData("line 1: the column 'mch_id' is missing")]
    [InlineData("line 9: the total says 3 rows, there are 2")]
    [InlineData("the gzip ends in its middle")]
    public async Task Bill_that_cannot_be_read_fails_in_words_and_can_be_asked_for_again(string words)
    {
        using var books = new ReconciliationFixture();
        var order = await books.Approved(Noon, 100);
        await books.FollowLedger();
        var bills = new FakeBills(_ => throw new BillException(words), _ => [Charge(order, 100)]);
        await using var running = await Running.Start(books, bills);
        await books.AskOnly();
        running.Reconciler.Look();
        var failed = await Eventually.Becomes(() => books.Row(), r => r.State == RunState.Failed, "the run has failed");
        Assert.Equal((words, (DateTimeOffset?)null), (failed.Fault, failed.ReportedAt));
        await books.AskOnly();
        running.Reconciler.Look();
        var finished = await Eventually.Becomes(() => books.Row(), r => r.State == RunState.Finished, "the run is finished");
        Assert.Equal((1L, (string?)null), (finished.Matched, finished.Fault));
    }

    [Fact]
    public async Task Bill_that_is_not_there_yet_is_asked_for_again_and_at_last_taken_for_a_day_without_payments()
    {
        using var books = new ReconciliationFixture(new ReconciliationOptions { Daily = false, MaxTries = 3, RetryEvery = TimeSpan.FromMilliseconds(20), LookEvery = TimeSpan.FromMilliseconds(20) });
        await books.Approved(Noon, 100);
        await books.FollowLedger();
        var none = new BillException("no bill exists") { None = true };
        var bills = new FakeBills(_ => throw none, _ => throw none, _ => throw none, _ => throw new BillException("asked a fourth time"));
        await using var running = await Running.Start(books, bills);
        await books.AskOnly();
        running.Reconciler.Look();
        var finished = await Eventually.Becomes(() => books.Row(), r => r.State == RunState.Finished, "the run is finished");
        Assert.Equal((3, 0L), (finished.Tries, finished.BillRows));
        Assert.Equal(DifferenceReason.NotInBill, Assert.Single(await books.Report()).Reason);
    }

    [Fact]
    public async Task Yesterdays_bills_are_read_by_themselves()
    {
        using var books = new ReconciliationFixture(new ReconciliationOptions { DailyAt = TimeSpan.Zero, LookEvery = TimeSpan.FromMilliseconds(20) });
        var yesterday = BillDay.Of(TimeProvider.System.GetUtcNow()).AddDays(-1);
        var order = await books.Approved(BillDay.Start(yesterday).AddHours(12), 100);
        await books.FollowLedger();
        await using var running = await Running.Start(books, new FakeBills(_ => [Charge(order, 100)]));
        var finished = await Eventually.Becomes(() => books.RowOrNone(yesterday), r => r?.State == RunState.Finished, "yesterday is reconciled");
        Assert.Equal((1L, "system"), (finished!.Matched, finished.RequestedBy));
    }

    [Theory]
    [InlineData("M1", "7", DifferenceReason.SharedBill)]
    [InlineData("M1", "8", DifferenceReason.OtherAccount)]
    [InlineData("M2", "7", DifferenceReason.OtherAccount)]
    public async Task Order_of_another_account_is_no_difference_when_the_merchant_has_both_and_the_channel_one_bill_for_them(string merchant, string number, DifferenceReason reason)
    {
        using var books = new ReconciliationFixture();
        var accounts = new ChannelAccountBook(Microsoft.Extensions.Options.Options.Create(new RoutingOptions()));
        accounts.Put(Account(ReconciliationFixture.Account, "M1", "7"));
        accounts.Put(Account("A2", merchant, number));
        var order = await books.Pay(Noon, 100, null, "A2", Charged(100));
        await books.FollowLedger();
        await using var running = await Running.Start(books, new FakeBills(_ => [Charge(order, 100)]), accounts);
        await books.AskOnly();
        running.Reconciler.Look();
        await Eventually.Becomes(() => books.Row(), r => r.State == RunState.Finished, "the run is finished");
        Assert.Equal((reason, reason == DifferenceReason.SharedBill), Assert.Single((await books.Report()).Select(d => (d.Reason, d.Settled))));

        static ChannelAccount Account(string id, string merchant, string number) =>
            new() { Id = id, MerchantId = merchant, Channel = "fake", Settings = new Dictionary<string, string> { ["number"] = number }, Version = 1 };
    }

    [Fact]
    public async Task Second_charge_of_one_number_is_settled_when_its_refund_is_done_and_stays_so_in_the_next_report()
    {
        using var books = new ReconciliationFixture();
        var order = await books.Approved(Noon, 100);
        BillRow[] twice = [Charge(order, 100), Charge(order, 100, 2)];
        Assert.False(Assert.Single(await books.Run(twice)).Settled);
        var proposal = Assert.Single(await books.Proposals()).Id;
        await books.Approve(proposal);
        var refund = new RefundStarted(ReconciliationFixture.Now, 1, order + "r1", 100, "twice", "user:ann", $"reconciliation-{proposal}");
        await books.Storage.Ledger.Append(new LedgerAppend(
            books.LastId, 2, [refund, new RefundAnswered(refund.At, 1, refund.RefundNumber, new ChannelVerdict(Verdict.Refunded, "OK"))], [], null, new PaymentStanding(refund.At, false, false)));
        await books.FollowLedger();
        await using (var running = await Running.Start(books, new FakeBills()))
        {
            running.Reconciler.Look();
            await Eventually.Becomes(() => books.Proposals(), p => p.Single().State == ProposalState.Done, "the refund is seen");
        }

        Assert.Equal((DifferenceReason.ChargedTwice, true), Assert.Single((await books.Report()).Select(d => (d.Reason, d.Settled))));
        Assert.True(Assert.Single(await books.Run(twice)).Settled);
        Assert.Equal([true, false], (await books.Run([.. twice, Charge(order, 100, 3)])).Select(d => d.Settled));
    }

    [Fact]
    public async Task Bill_with_a_negative_amount_or_an_endless_number_is_refused()
    {
        using var books = new ReconciliationFixture(new ReconciliationOptions { LookEvery = TimeSpan.FromMilliseconds(20), MaxBillRows = 2 });
        var bills = new FakeBills(
            _ => [Charge("A", -1, 7)], _ => [Charge(new string('x', 200), 1, 8)], _ => [Charge("A", 1, 1), Charge("B", 1, 2), Charge("C", 1, 3)]);
        await using var running = await Running.Start(books, bills);
        foreach (var said in (string[])["line 7: the amount -1", "line 8:", "more than 2 rows"])
        {
            await books.AskOnly();
            running.Reconciler.Look();
            await Eventually.Becomes(() => books.Row(), r => r.State == RunState.Failed && r.Fault!.Contains(said, StringComparison.Ordinal), said);
        }
    }

    private sealed class Running(Reconciler reconciler, ApplicationLifetime lifetime) : IAsyncDisposable
    {
        public Reconciler Reconciler => reconciler;

        public static async Task<Running> Start(ReconciliationFixture books, FakeBills bills, ChannelAccountBook? accounts = null)
        {
            var lifetime = new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance);
            var refunds = new ProposedRefunds(books.Book, books.Storage.Ledger, null!, NullLogger<ProposedRefunds>.Instance);
            var reconciler = new Reconciler(
                books.Book, accounts ?? new(Microsoft.Extensions.Options.Options.Create(new RoutingOptions { DefaultChannel = "fake" })), [bills], refunds, TimeProvider.System, Microsoft.Extensions.Options.Options.Create(books.Options), lifetime, NullLogger<Reconciler>.Instance);
            await reconciler.StartAsync(CancellationToken.None);
            lifetime.NotifyStarted();
            return new Running(reconciler, lifetime);
        }

        public async ValueTask DisposeAsync()
        {
            lifetime.StopApplication();
            await reconciler.StopAsync(CancellationToken.None);
            reconciler.Dispose();
        }
    }

    /// <summary>Answers each call in turn.</summary>
    private sealed class FakeBills(params Func<DateOnly, IReadOnlyList<BillRow>>[] answers) : IChannelBills
    {
        private int calls;

        public string Name => "fake";

        public bool SharesBill(ChannelAccount account, ChannelAccount other) => other.Setting("number") == account.Setting("number");

        public async IAsyncEnumerable<BillRow> Read(
            ChannelAccount account, DateOnly day, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.Yield();
            foreach (var row in answers[calls++](day))
            {
                yield return row;
            }
        }
    }
}
