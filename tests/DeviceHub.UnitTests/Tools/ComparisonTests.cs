using DeviceHub.Channels.Sandbox;
using DeviceHub.Core.Payments;
using DeviceHub.Tools.Demo.Books;
using DeviceHub.Tools.VirtualTerminals;

namespace DeviceHub.UnitTests.Tools;

/// <summary>The demo's comparison finds each fault in books that are made up, and none where there is none.</summary>
public sealed class ComparisonTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;
    private static readonly HashSet<string> Fleet = ["T1"];

    private readonly List<BookEntry> terminals = [];
    private readonly List<LedgerPayment> ledger = [];
    private readonly List<SandboxCharge> bank = [];

    public ComparisonTests()
    {
        // Around every fault there are payments of each kind that are as they should be.
        Approved("good-1", 1250);
        Approved("good-2", 300);
        Add("declined", 101, Told.Declined, PaymentResult.Declined, new SandboxCharge("o-declined", 101, 0, 0, false));
        Add("not-charged", 121, Told.NotCharged, PaymentResult.NotCharged, new SandboxCharge("o-not-charged", 121, 1, 0, false));
        Add("refunded", 141, Told.Refunded, PaymentResult.Refunded, new SandboxCharge("o-refunded", 141, 1, 0, false), revision: 2);
        Add("unreachable", 130, Told.Declined, PaymentResult.Declined, null);
        terminals.Add(Entry("refused", 999, Told.Refused, 0));
    }

    [Fact]
    public void Books_that_agree_have_no_difference() => Assert.Empty(Compare());

    [Theory]
    [InlineData(Told.Accepted)]
    [InlineData(Told.InDoubt)]
    [InlineData(Told.Approved)]
    [InlineData(Told.Declined)]
    public void Payment_is_lost_when_its_terminal_was_told_of_it_and_the_ledger_has_it_not(Told told)
    {
        terminals.Add(Entry("gone", 500, told, told is Told.Approved or Told.Declined ? 1 : 0));

        Found(Fault.Lost, "T1/gone");
    }

    /// <summary>Also one that took nothing: its number was not in the ledger before the bank had it (I3).</summary>
    [Theory]
    [InlineData(1, 700)]
    [InlineData(1, 0)]
    [InlineData(0, 0)]
    public void Order_of_the_bank_is_lost_when_the_ledger_has_no_such_order(int charges, long netFen)
    {
        bank.Add(new SandboxCharge("o-nobody", 700, charges, netFen, false));

        Found(Fault.Lost, "o-nobody");
    }

    [Fact]
    public void Payment_is_double_charged_when_the_bank_took_its_order_twice_even_if_one_went_back()
    {
        Add("twice", 600, Told.Approved, PaymentResult.Approved, new SandboxCharge("o-twice", 600, 2, 600, false));

        Found(Fault.DoubleCharged, "T1/twice");
    }

    [Fact]
    public void Payment_is_double_charged_when_two_of_its_attempts_hold_money()
    {
        Approved("two", 600);
        ledger[^1] = ledger[^1] with { ChannelOrders = ["o-two", "o-two-b"] };
        bank.Add(new SandboxCharge("o-two-b", 600, 1, 600, false));

        Found(Fault.DoubleCharged, "T1/two");
    }

    [Fact]
    public void Payment_is_double_charged_when_two_of_its_attempts_took_money_even_if_one_gave_it_back()
    {
        Approved("two", 600);
        ledger[^1] = ledger[^1] with { ChannelOrders = ["o-two", "o-two-b"] };
        bank.Add(new SandboxCharge("o-two-b", 600, 1, 0, false));

        Found(Fault.DoubleCharged, "T1/two");
    }

    [Theory]
    [InlineData(600, false)]
    [InlineData(599, true)]
    public void Part_that_was_given_back_is_compared_to_the_fen(long refunded, bool differs)
    {
        Add("part", 900, Told.Approved, PaymentResult.Approved, new SandboxCharge("o-part", 900, 1, 300, false));
        ledger[^1] = ledger[^1] with { RefundedFen = refunded };

        Assert.Equal(differs, Compare().Any(d => d.Fault == Fault.Mismatched));
    }

    [Fact]
    public void Order_of_a_merchant_is_double_charged_when_two_payments_of_it_were_approved()
    {
        Approved("first", 800);
        Approved("second", 800);
        ledger[^1] = ledger[^1] with { OrderNumber = "bill-7" };
        ledger[^2] = ledger[^2] with { OrderNumber = "bill-7" };

        Found(Fault.DoubleCharged, "M1/bill-7");
    }

    [Fact]
    public void Another_merchants_same_order_number_is_another_order()
    {
        Approved("first", 800);
        Approved("second", 800);
        ledger[^1] = ledger[^1] with { OrderNumber = "bill-7" };
        ledger[^2] = ledger[^2] with { OrderNumber = "bill-7", MerchantId = "M2" };

        Assert.Empty(Compare());
    }

    [Theory]
    [InlineData(Told.Declined, PaymentResult.Approved, 400)]
    [InlineData(Told.NotCharged, PaymentResult.Approved, 400)]
    [InlineData(Told.Refused, PaymentResult.Approved, 400)]
    [InlineData(Told.Approved, PaymentResult.Declined, 0)]
    [InlineData(Told.Approved, PaymentResult.Refunded, 0)]
    public void Payment_is_mismatched_when_its_terminal_was_told_something_else(Told told, PaymentResult result, long netFen)
    {
        Add("other", 400, told, result, new SandboxCharge("o-other", 400, 1, netFen, false));

        Found(Fault.Mismatched, "T1/other");
    }

    [Theory]
    [InlineData(PaymentResult.Approved, Told.Approved, 0)]
    [InlineData(PaymentResult.Approved, Told.Approved, 399)]
    [InlineData(PaymentResult.Declined, Told.Declined, 400)]
    [InlineData(PaymentResult.NotCharged, Told.NotCharged, 400)]
    [InlineData(PaymentResult.Refunded, Told.Refunded, 400)]
    public void Payment_is_mismatched_when_the_bank_holds_another_sum_than_the_ledger_says(PaymentResult result, Told told, long netFen)
    {
        Add("sum", 400, told, result, new SandboxCharge("o-sum", 400, 1, netFen, false));

        Found(Fault.Mismatched, "T1/sum");
    }

    [Fact]
    public void Payment_is_mismatched_when_amounts_differ_or_the_terminal_was_told_two_things_or_never_asked()
    {
        Approved("amount", 400);
        terminals[^1] = terminals[^1] with { AmountFen = 401 };
        Approved("two-things", 400);
        terminals[^1] = terminals[^1] with { Contradiction = "told Declined as revision 1, then Approved as 1" };
        Approved("nobody", 400);
        terminals.RemoveAt(terminals.Count - 1);

        Assert.Equal(3, Comparison.Count(Compare(), Fault.Mismatched));
    }

    [Fact]
    public void Payments_of_an_earlier_run_may_be_unknown_to_the_terminals()
    {
        Approved("earlier", 400);
        terminals.RemoveAt(terminals.Count - 1);
        ledger[^1] = ledger[^1] with { AcceptedAt = Start.AddSeconds(-1) };

        Assert.Empty(Compare());
    }

    [Fact]
    public void Payment_of_somebody_elses_terminal_is_compared_with_the_bank_alone()
    {
        ledger.Add(new LedgerPayment(new PaymentId("MY-1", "paid"), Start, "M1", null, 500, PaymentResult.Approved, 1, Shown: false, false, ["o-paid"]));
        bank.Add(new SandboxCharge("o-paid", 500, 1, 500, false));
        Assert.Empty(Compare());

        bank[^1] = bank[^1] with { NetFen = 0 };
        Found(Fault.Mismatched, "MY-1/paid");
    }

    [Fact]
    public void Payment_is_unsettled_and_nothing_worse_while_terminal_ledger_or_bank_is_not_done()
    {
        terminals.Add(Entry("no-answer", 400, Told.Nothing, 0));
        Add("working", 400, Told.Accepted, PaymentResult.None, new SandboxCharge("o-working", 400, 1, 400, false));
        Add("not-shown", 400, Told.NotCharged, PaymentResult.Refunded, new SandboxCharge("o-not-shown", 400, 1, 0, false));
        ledger[^1] = ledger[^1] with { Revision = 2, Shown = false };
        Add("late-check", 400, Told.NotCharged, PaymentResult.NotCharged, new SandboxCharge("o-late-check", 400, 1, 400, false));
        ledger[^1] = ledger[^1] with { IsDue = true };
        Add("bank-open", 400, Told.NotCharged, PaymentResult.NotCharged, new SandboxCharge("o-bank-open", 400, 0, 0, true));

        var found = Compare();

        Assert.Equal(5, Comparison.Count(found, Fault.Unsettled));
        Assert.All(found, d => Assert.Equal(Fault.Unsettled, d.Fault));
    }

    private void Approved(string request, long fen) => Add(request, fen, Told.Approved, PaymentResult.Approved, new SandboxCharge("o-" + request, fen, 1, fen, false));

    private void Add(string request, long fen, Told told, PaymentResult result, SandboxCharge? charge, int revision = 1)
    {
        var has = result == PaymentResult.None ? 0 : revision;
        terminals.Add(Entry(request, fen, told, told is Told.Accepted or Told.Refused ? 0 : revision));
        ledger.Add(new LedgerPayment(new PaymentId("T1", request), Start, "M1", null, fen, result, has, has > 0, false, ["o-" + request]));
        if (charge is not null)
        {
            bank.Add(charge);
        }
    }

    private static BookEntry Entry(string request, long fen, Told told, int revision) => new("T1", request, fen, Start, told, revision);

    private IReadOnlyList<Difference> Compare() => Comparison.Of(terminals, ledger, bank, Fleet, Start);

    private void Found(Fault fault, string subject)
    {
        var found = Compare();
        Assert.Contains(found, d => d.Fault == fault && d.Subject == subject);
        Assert.All(found, d => Assert.Equal(subject, d.Subject));
        Assert.Equal(1, Comparison.Count(found, fault));
    }
}
