using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;
using static DeviceHub.IntegrationTests.Reconciliation.ReconciliationFixture;

namespace DeviceHub.IntegrationTests.Reconciliation;

/// <summary>What the ledger itself must not have, and a bill may: a customer who paid twice.</summary>
public sealed class DuplicatesTests
{
    [Theory]
    [InlineData(0, true)]
    [InlineData(40, true)]
    [InlineData(100, false)]
    public async Task Of_two_paid_payments_of_one_order_the_one_that_does_not_hold_it_is_proposed_unless_it_was_given_back(long backFen, bool isProposed)
    {
        using var books = new ReconciliationFixture();
        var (first, second) = await OrderPaidTwice(books, Noon, 100, backFen);
        BillRow[] bill = [Charge(first, 100), Charge(second, 100, 2), .. backFen == 0 ? [] : (BillRow[])[Refund(first, first + "r1", backFen, 3)]];
        var report = await books.Run(bill);
        Assert.Equal(isProposed ? [(DifferenceReason.OrderPaidTwice, first)] : [], report.Select(d => (d.Reason, d.OrderNumber)));
        Assert.Equal(isProposed ? [(first, 100L, ProposalState.Proposed)] : [], (await books.Proposals()).Select(p => (p.OrderNumber, p.AmountFen, p.State)));
        Assert.Equal(report, await books.Run(bill));
    }

    [Fact]
    public async Task Payment_whose_order_number_was_freed_and_is_held_by_an_unpaid_one_is_no_duplicate()
    {
        using var books = new ReconciliationFixture();
        var paid = await books.Pay(Noon, 100, "O-1", Account, Charged(100), Outcome(PaymentResult.Approved, 1));
        await books.FreeOrder();
        await books.Pay(Noon.AddSeconds(1), 100, "O-1", Account, (t, _) => new PayAnswered(t, 1, new ChannelVerdict(Verdict.Declined, "NO")), Outcome(PaymentResult.Declined, 1));
        Assert.Empty(await books.Run([Charge(paid, 100)]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Attempt_that_is_charged_beside_the_one_that_paid_is_proposed_whatever_our_books_say_of_it(bool chargedInBooks)
    {
        using var books = new ReconciliationFixture();
        var (first, second) = await PaymentPaidTwice(books, Noon, chargedInBooks);
        var difference = Assert.Single(await books.Run([Charge(first, 100), Charge(second, 100, 2)]));
        Assert.Equal((DifferenceReason.PaymentPaidTwice, first, 1), (difference.Reason, difference.OrderNumber, difference.Attempt));
        Assert.Equal((first, 1), Assert.Single((await books.Proposals()).Select(p => (p.OrderNumber, p.Attempt))));
    }

    [Fact]
    public async Task Second_charge_of_one_number_is_proposed_and_never_approved_by_the_rule()
    {
        using var books = new ReconciliationFixture(new ReconciliationOptions { ApproveBelowFen = 1_000 });
        var order = await books.Approved(Noon, 100);
        Assert.Equal(DifferenceReason.ChargedTwice, Assert.Single(await books.Run([Charge(order, 100), Charge(order, 100, 2)])).Reason);
        Assert.Equal((DifferenceReason.ChargedTwice, ProposalState.Proposed, 100L), Assert.Single((await books.Proposals()).Select(p => (p.Reason, p.State, p.AmountFen))));
    }

    [Fact]
    public async Task Second_charge_that_is_gone_from_the_bill_ends_its_proposal_and_one_that_comes_back_is_open_again()
    {
        using var books = new ReconciliationFixture();
        var order = await books.Approved(Noon, 100);
        BillRow[] twice = [Charge(order, 100), Charge(order, 100, 2)];
        await books.Run(twice);
        Assert.True(Assert.Single(await books.Run([Charge(order, 100)])).Settled);
        Assert.Equal(
            (ProposalState.Done, "the money was back before anybody decided", null), Assert.Single((await books.Proposals()).Select(p => (p.State, p.Note, p.DecidedBy))));
        Assert.False(Assert.Single(await books.Run(twice)).Settled);
    }

    [Fact]
    public async Task Order_of_another_account_of_ours_is_told_apart_and_not_proposed()
    {
        using var books = new ReconciliationFixture();
        var order = await books.Pay(Noon, 100, null, "A2", Charged(100), Outcome(PaymentResult.Approved, 1));
        var difference = Assert.Single(await books.Run([Charge(order, 100)]));
        Assert.Equal((DifferenceReason.OtherAccount, order, (PaymentId?)null), (difference.Reason, difference.OrderNumber, difference.Payment));
        Assert.Empty(await books.Proposals());
    }

    [Fact]
    public async Task Order_of_another_account_that_shares_the_bill_is_settled_and_the_same_when_it_is_found_again()
    {
        using var books = new ReconciliationFixture();
        var other = await books.Pay(Noon, 100, null, "A2", Charged(100), Outcome(PaymentResult.Approved, 1));
        var own = await books.Approved(Noon.AddSeconds(1), 200);
        for (var run = 1; run <= 2; run++)
        {
            var report = await books.Run([Charge(other, 100), Refund(other, "r1", 40), Charge(own, 200, 3)], null, "A3", "A2");
            Assert.Equal(
                [(DifferenceClass.SharedBill, DifferenceReason.SharedBill, other, true, 100L), (DifferenceClass.SharedBill, DifferenceReason.SharedBill, other, true, 40L)],
                report.Select(d => (d.Class, d.Reason, d.OrderNumber, d.Settled, d.Fen)));
            Assert.Equal(1L, (await books.Row()).Matched);
        }

        Assert.Empty(await books.Proposals());
    }

    [Fact]
    public async Task Difference_of_another_kind_that_is_gone_leaves_the_proposal_of_its_order_open()
    {
        using var books = new ReconciliationFixture();
        var order = await books.NotCharged(Noon, 100);
        Assert.Equal([DifferenceReason.AmountDiffers, DifferenceReason.LateSuccess], (await books.Run([Charge(order, 90)])).Select(d => d.Reason).Order());
        Assert.Equal(
            [(DifferenceReason.AmountDiffers, true), (DifferenceReason.LateSuccess, false)], (await books.Run([Charge(order, 100)])).Select(d => (d.Reason, d.Settled)).Order());
        Assert.Equal(ProposalState.Proposed, Assert.Single(await books.Proposals()).State);
    }

    internal static Func<DateTimeOffset, string, PaymentEvent> Outcome(PaymentResult result, int attempt) =>
        (t, _) => new OutcomeReached(t, 1, result, result == PaymentResult.Declined ? DeclineReason.Other : DeclineReason.None, attempt);

    /// <param name="backFen">What a person gave back of the first; 0: nothing.</param>
    internal static async Task<(string First, string Second)> OrderPaidTwice(ReconciliationFixture books, DateTimeOffset at, long fen, long backFen = 0)
    {
        Func<DateTimeOffset, string, PaymentEvent>[] back = backFen == 0 ? [] :
        [
            (t, order) => new RefundStarted(t, 1, order + "r1", backFen, "returned", "user:ann", "k1"),
            (t, order) => new RefundAnswered(t, 1, order + "r1", new ChannelVerdict(Verdict.Refunded, "OK")),
        ];
        var first = await books.Pay(at, fen, "O-1", Account, [Charged(fen), Outcome(PaymentResult.Approved, 1), .. back]);
        await books.FreeOrder();
        return (first, await books.Pay(at.AddSeconds(1), fen, "O-1", Account, Charged(fen), Outcome(PaymentResult.Approved, 1)));
    }

    /// <summary>Breaks I4.</summary>
    internal static async Task<(string First, string Second)> PaymentPaidTwice(ReconciliationFixture books, DateTimeOffset at, bool chargedInBooks)
    {
        var second = PaymentDecisions.ChannelOrderNumber(new PaymentId("SN1", "second"), 2, at);
        var first = await books.Pay(
            at, 100,
            (t, _) => new PayAnswered(t, 1, new ChannelVerdict(chargedInBooks ? Verdict.Approved : Verdict.Rerouteable, "OK", PaidFen: 100)),
            (t, _) => new AttemptStarted(t, 2, "fake", Account, second, t.AddSeconds(10), "second"),
            (t, _) => new PayAnswered(t, 2, new ChannelVerdict(Verdict.Approved, "OK", PaidFen: 100)),
            Outcome(PaymentResult.Approved, 2));
        return (first, second);
    }
}
