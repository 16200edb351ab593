using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;
using DeviceHub.Server.Api;
using DeviceHub.Storage;
using DeviceHub.Tests;
using SQLitePCL;
using static DeviceHub.IntegrationTests.Reconciliation.ReconciliationFixture;

namespace DeviceHub.IntegrationTests.Reconciliation;

/// <summary>A bill against a real ledger: what is reported, that a repetition changes nothing, and that a death at any step costs nothing.</summary>
public sealed class ReconciliationBookTests
{
    private static readonly DateOnly NextDay = Day.AddDays(1);

    [Fact]
    public async Task Differences_of_every_kind_are_told_apart()
    {
        using var books = new ReconciliationFixture();
        var bill = await Mixed(books);
        var report = await books.Run(bill);
        Assert.Equal(
            [
                DifferenceReason.NotOurs, DifferenceReason.AmountDiffers, DifferenceReason.LateSuccess, DifferenceReason.NotSettled, DifferenceReason.NotInBill, DifferenceReason.RefundNotInBill,
                DifferenceReason.RefundUnknown, DifferenceReason.ChargedTwice, DifferenceReason.NoSuchOrder,
            ],
            report.Select(d => d.Reason));
        var row = await books.Row();
        Assert.Equal((RunState.Finished, 6L, bill.Count), (row.State, row.Matched, (int)row.BillRows));
        Assert.Equal(bill.Where(r => r.Kind == BillRowKind.Payment).Sum(r => r.AmountFen), row.ChargedFen);
        Assert.Equal(
            [(DifferenceReason.LateSuccess, 103L, ProposalState.Proposed), (DifferenceReason.ChargedTwice, 109L, ProposalState.Proposed)],
            (await books.Proposals()).Select(p => (p.Reason, p.AmountFen, p.State)));
        Assert.Empty(Directory.GetFiles(Path.Combine(books.Storage.Folder, "reconciliation")));
    }

    [Fact]
    public async Task Fee_is_compared_with_the_accounts_terms()
    {
        using var books = new ReconciliationFixture(feeBasisPoints: 60);
        var (agreed, dear) = (await books.Approved(Noon, 10_000), await books.Approved(Noon.AddSeconds(1), 10_000));
        var difference = Assert.Single(await books.Run([Charge(agreed, 10_000, 1, fee: 60), Charge(dear, 10_000, 2, fee: 100)]));
        Assert.Equal((DifferenceReason.FeeDiffers, dear, 100L, 60L), (difference.Reason, difference.OrderNumber, difference.BillFen!.Value, difference.LedgerFen!.Value));
    }

    [Fact]
    public async Task Running_it_again_changes_nothing()
    {
        using var books = new ReconciliationFixture();
        var bill = await Mixed(books);
        var first = await books.Run(bill);
        var second = await books.Run(bill);
        Assert.Equal(first, second);
        Assert.Equal(2, (await books.Proposals()).Count);
        Assert.Equal(first.Count, books.Storage.Number("SELECT count(*) FROM reconciliation_difference"));
    }

    [Fact]
    public async Task Decision_is_not_asked_for_again_and_what_is_gone_stays_in_the_report_as_settled()
    {
        using var books = new ReconciliationFixture();
        var order = await books.NotCharged(Noon, 100);
        var open = Assert.Single(await books.Run([Charge(order, 100)]));
        Assert.Equal((DifferenceReason.LateSuccess, false), (open.Reason, open.Settled));
        var gone = Assert.Single(await books.Run([]));
        Assert.Equal(open with { Settled = true }, gone);
        Assert.Equal(ProposalState.Done, Assert.Single(await books.Proposals()).State);
        Assert.False(Assert.Single(await books.Run([Charge(order, 100)])).Settled);
        Assert.Equal(ProposalState.Done, Assert.Single(await books.Proposals()).State);
    }

    [Fact]
    public async Task Small_refund_is_approved_by_the_rule_and_the_audit_log_says_so()
    {
        using var books = new ReconciliationFixture(new ReconciliationOptions { ApproveBelowFen = 150 });
        var (small, large) = (await books.NotCharged(Noon, 149), await books.NotCharged(Noon.AddSeconds(1), 150));
        await books.Run([Charge(small, 149), Charge(large, 150, 2)]);
        Assert.Equal([(small, ProposalState.Approved), (large, ProposalState.Proposed)], (await books.Proposals()).Select(p => (p.OrderNumber, p.State)));
        Assert.Equal(1, books.Storage.Number("SELECT count(*) FROM audit WHERE what = 'refund-proposal.approve' AND who = 'system'"));
        Assert.Equal(small, Assert.Single(await books.Book.Approved(0, 10, CancellationToken.None)).OrderNumber);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Payment_at_midnight_is_found_in_the_bill_of_the_next_day(bool inOrder)
    {
        using var books = new ReconciliationFixture();
        var order = await books.Approved(BillDay.End(Day).AddSeconds(-1), 100);
        var row = Charge(order, 100) with { At = BillDay.Start(NextDay).AddSeconds(1) };
        if (inOrder)
        {
            Assert.Equal((DifferenceReason.AwaitsBill, NextDay), Assert.Single((await books.Run([])).Select(d => (d.Reason, d.Awaits!.Value))));
            Assert.Empty(await books.Run([row], NextDay));
        }
        else
        {
            Assert.Empty(await books.Run([row], NextDay));
            await books.Run([]);
        }

        var found = Assert.Single(await books.Report());
        Assert.Equal((DifferenceReason.InOtherBill, true, NextDay), (found.Reason, found.Settled, found.Awaits!.Value));
        Assert.Equal(found, Assert.Single(await books.Run([])));
        Assert.Empty(await books.Run([row], NextDay));
    }

    [Fact]
    public async Task Payment_after_midnight_by_our_clock_and_before_it_by_the_channels_is_no_difference()
    {
        using var books = new ReconciliationFixture();
        var order = await books.Approved(BillDay.End(Day).AddMilliseconds(400), 100);
        Assert.Empty(await books.Run([Charge(order, 100)]));
        var other = Assert.Single(await books.Run([], NextDay));
        Assert.Equal((DifferenceReason.InOtherBill, true, Day), (other.Reason, other.Settled, other.Awaits!.Value));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Payment_that_waited_for_the_next_bill_and_is_not_in_it_is_a_difference(bool charged)
    {
        using var books = new ReconciliationFixture();
        var late = BillDay.End(Day).AddSeconds(-1);
        var order = charged ? await books.Approved(late, 100) : await books.NotCharged(late, 100);
        var first = Assert.Single(await books.Run(charged ? [] : [Charge(order, 100)]));
        Assert.Equal(charged ? DifferenceReason.AwaitsBill : DifferenceReason.AwaitsReturn, first.Reason);
        Assert.Empty(await books.Proposals());
        await books.Run([], NextDay);
        var after = Assert.Single(await books.Report());
        Assert.Equal(charged ? DifferenceReason.NotInBill : DifferenceReason.LateSuccess, after.Reason);
        Assert.Equal(charged ? 0 : 1, (await books.Proposals()).Count);
        Assert.Equal(after, Assert.Single(await books.Run(charged ? [] : [Charge(order, 100)])));
    }

    [Fact]
    public async Task Refund_is_looked_for_in_the_bill_of_the_next_day_too()
    {
        using var books = new ReconciliationFixture();
        var order = await Refunded(books, Noon, 100);
        Assert.Equal(DifferenceReason.AwaitsBill, Assert.Single(await books.Run([Charge(order, 100)])).Reason);
        Assert.Empty(await books.Run([Refund(order, order + "r1", 100)], NextDay));
        Assert.Equal(DifferenceReason.InOtherBill, Assert.Single(await books.Report()).Reason);
    }

    [Fact]
    public async Task Death_at_any_commit_leaves_a_run_that_is_taken_up_and_ends_with_the_same_report()
    {
        using var clean = new ReconciliationFixture();
        var expected = await clean.Run(await Mixed(clean));
        for (var commit = 0; ; commit++)
        {
            using var books = new ReconciliationFixture();
            var bill = await Mixed(books);
            var run = await books.Ask();
            await books.FollowLedger();
            var left = commit;
            var connection = books.Storage.Database.Derived.Connection.Handle;
            raw.sqlite3_commit_hook(connection, _ => left-- == 0 ? 1 : 0, null);
            var died = await Record.ExceptionAsync(() => books.Book.Reconcile(run, Rows(bill), [], Now, CancellationToken.None));
            raw.sqlite3_commit_hook(connection, (delegate_commit?)null, null);
            if (left >= 0)
            {
                // It needed no more commits than that.
                Assert.Null(died);
                Assert.InRange(commit, 6, 50);
                break;
            }

            if (died is not null)
            {
                books.NewBook();
                Assert.Equal(run with { Tries = 2 }, await books.Take());
                await books.Book.Reconcile(run with { Tries = 2 }, Rows(bill), [], Now, CancellationToken.None);
            }

            Assert.Equal(expected.Select(Shape), (await books.Report()).Select(Shape));
            Assert.Equal(RunState.Finished, (await books.Row()).State);
            Assert.Equal(2, (await books.Proposals()).Count);
        }

        static (DifferenceReason, long, int?) Shape(Difference d) => (d.Reason, d.Fen, d.Line);
    }

    [Fact]
    public async Task Bill_that_was_read_whole_is_not_asked_for_again_after_a_death()
    {
        using var books = new ReconciliationFixture();
        var order = await books.Approved(Noon, 100);
        var run = await books.Ask();
        using var stopping = new CancellationTokenSource();

        // The ledger is not shown yet: it waits there, and is stopped.
        var reconciling = books.Book.Reconcile(run, Rows([Charge(order, 100)]), [], Now, stopping.Token);
        await Eventually.Holds(async () => (await books.Row()).Step == RunStep.Match, "the bill is read");
        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reconciling);
        await books.FollowLedger();
        books.NewBook();
        await books.Book.Reconcile(await books.Take(), Refusing(), [], Now, CancellationToken.None);
        Assert.Equal(1, (await books.Row()).Matched);

        static async IAsyncEnumerable<BillRow> Refusing()
        {
            foreach (var row in Array.Empty<BillRow>())
            {
                yield return row;
            }

            await Task.Yield();
            throw new BillException("it was asked for again");
        }
    }

    [Fact]
    public async Task Search_file_that_is_made_anew_while_a_run_looks_at_it_makes_no_difference_and_no_refund()
    {
        using var books = new ReconciliationFixture();
        var order = await books.NotCharged(Noon, 100);
        var before = await books.Run([Charge(order, 100)]);
        var charged = await books.Approved(Noon.AddSeconds(1), 200);
        var bill = new[] { Charge(order, 100), Charge(charged, 200, 2) };
        var run = await books.Ask();
        await books.FollowLedger();
        books.Meanwhile = () => Damage(books.Storage.Search);
        await Assert.ThrowsAsync<TimeoutException>(() => books.Book.Reconcile(run, Rows(bill), [], Now, CancellationToken.None));
        Assert.Equal(before, await books.Report());
        Assert.Single(await books.Proposals());

        books.Meanwhile = null;
        await books.FollowLedger();
        books.NewBook();
        await books.Book.Reconcile(await books.Take(), Rows(bill), [], Now, CancellationToken.None);
        Assert.Equal(before, await books.Report());
        Assert.Equal(1, (await books.Row()).Matched);

        static void Damage(SearchFile search)
        {
            search.Close();
            foreach (var name in (string[])[search.File, search.File + "-wal"])
            {
                using var file = new FileStream(name, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                file.Write(new byte[file.Length]);
            }

            search.Failed(new Microsoft.Data.Sqlite.SqliteException("damaged", raw.SQLITE_NOTADB));
            search.Mend();
        }
    }

    [Fact]
    public async Task Runs_are_planned_only_when_the_ledger_is_shown_or_accounts_would_be_passed_by()
    {
        using var books = new ReconciliationFixture();
        await books.Approved(Noon, 100);
        var planning = books.Book.Plan(Day, ["fake"], Now, CancellationToken.None);
        Assert.Null(await books.Book.Take([], Now, CancellationToken.None));
        Assert.False(planning.IsCompleted);
        await books.FollowLedger();
        await planning;
        Assert.Equal(Day, (await books.Take()).Day);
    }

    [Fact]
    public async Task Bill_that_breaks_off_leaves_the_last_report_and_is_read_from_its_beginning_the_next_time()
    {
        using var books = new ReconciliationFixture();
        var order = await books.NotCharged(Noon, 100);
        var before = await books.Run([Charge(order, 100)]);
        var run = await books.Ask();
        await Assert.ThrowsAsync<BillException>(() => books.Book.Reconcile(run, Broken(order), [], Now, CancellationToken.None));
        await books.Book.Fail(run, Now, "line 2: truncated", CancellationToken.None);
        Assert.Equal((RunState.Failed, "line 2: truncated"), ((await books.Row()).State, (await books.Row()).Fault));
        Assert.Equal(before, await books.Report());
        Assert.Equal(before, await books.Run([Charge(order, 100)]));
        Assert.Null((await books.Row()).Fault);

        static async IAsyncEnumerable<BillRow> Broken(string order)
        {
            await Task.Yield();
            yield return Charge(order, 100);
            throw new BillException("line 2: truncated");
        }
    }

    [Fact]
    public async Task Reports_keep_a_bounded_number_of_differences_and_count_the_rest()
    {
        using var books = new ReconciliationFixture(new ReconciliationOptions { MaxNotOurs = 2, MaxDifferences = 1 });
        var orders = new[] { await books.NotCharged(Noon, 100), await books.NotCharged(Noon.AddSeconds(1), 101) };
        var report = await books.Run([.. Enumerable.Range(1, 5).Select(n => Charge("OTHER" + n, n, n)), .. orders.Select((o, i) => Charge(o, 100 + i, 6 + i))]);
        Assert.Equal([DifferenceReason.NotOurs, DifferenceReason.NotOurs, DifferenceReason.LateSuccess], report.Select(d => d.Reason));
        Assert.Equal("""{"OnlyAtChannel":{"count":1,"fen":101},"NotOurs":{"count":3,"fen":12}}""", (await books.Row()).LeftOut);
    }

    [Fact]
    public async Task Report_of_a_bill_that_accounts_share_keeps_as_few_of_the_others_orders_as_of_other_systems()
    {
        using var books = new ReconciliationFixture(new ReconciliationOptions { MaxNotOurs = 1 });
        var bill = new List<BillRow>();
        for (var n = 0; n < 3; n++)
        {
            bill.Add(Charge(await books.Pay(Noon.AddSeconds(n), 100, null, "A2", Charged(100)), 100, n));
        }

        Assert.Single(await books.Run(bill, null, "A2"));
        var row = await books.Row();
        Assert.Equal("""{"SharedBill":{"count":2,"fen":200}}""", row.LeftOut);
        var totals = await books.Storage.Reads.Run((db, stop) => ReconciliationsApi.Totals(db, row, stop));
        Assert.Equal((3L, 0L, 300L, 2L), Assert.Single(totals.Where(t => t.Count > 0).Select(t => (t.Count, t.Open, t.Fen, t.LeftOut))));
    }

    [Fact]
    public async Task Runs_are_planned_for_accounts_that_were_used_or_are_waited_for_and_made_again_when_the_day_was_not_over()
    {
        using var books = new ReconciliationFixture();
        await books.Approved(BillDay.End(Day).AddSeconds(-1), 100);
        await books.FollowLedger();
        await books.Book.Plan(Day.AddDays(-1), ["fake"], Now, CancellationToken.None);
        Assert.Null(await books.Book.Take([], Now, CancellationToken.None));
        await books.Book.Plan(Day, ["another"], Now, CancellationToken.None);
        Assert.Null(await books.Book.Take([], Now, CancellationToken.None));
        await books.Book.Plan(Day, ["fake"], Now, CancellationToken.None);
        await books.Book.Plan(Day, ["fake"], Now, CancellationToken.None);
        Assert.Null(await books.Book.Take([Account], Now, CancellationToken.None));
        var run = await books.Take();
        Assert.Equal((Account, Day, 1), (run.AccountId, run.Day, run.Requests));
        await books.Book.Reconcile(run, Rows([]), [], BillDay.End(Day).AddHours(-1), CancellationToken.None);
        await books.Book.Plan(Day, ["fake"], Now, CancellationToken.None);
        Assert.Equal(2, (await books.Take()).Requests);
        await books.Book.Plan(NextDay, ["fake"], Now, CancellationToken.None);
        Assert.Equal(NextDay, (await books.Row(NextDay)).Day);
        await books.Book.Plan(Day.AddDays(31), ["fake"], Now, CancellationToken.None);
        Assert.Null(await books.RowOrNone(Day.AddDays(31)));
    }

    [Fact]
    public async Task Day_that_our_books_know_nothing_of_is_read_all_the_same_and_what_they_lost_is_found()
    {
        using var books = new ReconciliationFixture();
        await books.Approved(Noon, 100);
        await books.FollowLedger();
        var later = Day.AddDays(30);
        await books.Book.Plan(later, ["fake"], Now, CancellationToken.None);
        var run = await books.Take();
        Assert.Equal((Account, later), (run.AccountId, run.Day));
        var lost = PaymentDecisions.ChannelOrderNumber(new PaymentId("X", "1"), 1, BillDay.Start(later).AddHours(12));
        await books.Book.Reconcile(run, Rows([Charge(lost, 100)]), [], Now, CancellationToken.None);
        Assert.Equal((DifferenceReason.NoSuchOrder, DifferenceClass.OnlyAtChannel), Assert.Single((await books.Report(later)).Select(d => (d.Reason, d.Class))));
    }

    /// <summary>One of each kind, in the order of their numbers; six rows are matched.</summary>
    internal static async Task<List<BillRow>> Mixed(ReconciliationFixture books)
    {
        var at = Noon;
        string[] orders =
        [
            await books.Approved(at, 101),
            await books.Approved(at.AddSeconds(1), 102),
            await books.NotCharged(at.AddSeconds(2), 103),
            await books.Pay(at.AddSeconds(3), 104, (t, _) => new Interrupted(t, 1)),
            await books.Approved(at.AddSeconds(4), 105),
            await Refunded(books, at.AddSeconds(5), 106),
            await Refunded(books, at.AddSeconds(6), 107),
            await books.Approved(at.AddSeconds(7), 108),
            await books.Approved(at.AddSeconds(8), 109),
        ];
        var unknown = PaymentDecisions.ChannelOrderNumber(new PaymentId("X", "1"), 1, at.AddSeconds(9));

        // The day after has been read, so that nothing waits.
        await books.Run([], NextDay);
        return
        [
            Charge(orders[0], 101, 13), Charge(unknown, 110, 1), Charge(orders[8], 109, 2), Charge(orders[8], 109, 3), Charge(orders[7], 108, 4), Refund(orders[7], "portal", 8, 5),
            Charge(orders[6], 107, 6), Refund(orders[6], orders[6] + "r1", 107, 7), Charge(orders[5], 106, 8), Charge(orders[3], 104, 9),
            Charge(orders[2], 103, 10), Charge(orders[1], 2, 11), Charge("=2+5", 7, 12),
        ];
    }

    private static Task<string> Refunded(ReconciliationFixture books, DateTimeOffset at, long fen) => books.Pay(
        at, fen, Charged(fen), (t, order) => new RefundStarted(t, 1, order + "r1", fen, "late"), (t, order) => new RefundAnswered(t, 1, order + "r1", new ChannelVerdict(Verdict.Refunded, "OK")));
}
