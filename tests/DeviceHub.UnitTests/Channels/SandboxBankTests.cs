using DeviceHub.Channels.Sandbox;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace DeviceHub.UnitTests.Channels;

public sealed class SandboxBankTests
{
    private static readonly PaymentCode Code = new("134567890123456789");

    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero));
    private readonly SandboxOptions options = new();

    [Theory]
    [InlineData(1000, Verdict.Approved, Verdict.Approved, 1000)]
    [InlineData(1001, Verdict.Declined, Verdict.Declined, 0)]
    [InlineData(1002, Verdict.Declined, Verdict.Declined, 0)]
    [InlineData(1010, Verdict.Pending, Verdict.Approved, 1010)]
    [InlineData(1011, Verdict.Pending, Verdict.Declined, 0)]
    [InlineData(1020, Verdict.Unknown, Verdict.Approved, 1020)]
    [InlineData(1021, Verdict.Unknown, Verdict.Closed, 0)]
    [InlineData(1022, Verdict.Unknown, Verdict.Approved, 1022)]
    [InlineData(1030, Verdict.Rerouteable, Verdict.NotFound, 0)]
    [InlineData(1050, Verdict.Unknown, Verdict.Closed, 0)]
    public void Bank_does_what_the_amount_says(long amount, Verdict pay, Verdict later, long net)
    {
        using var bank = Bank();

        Assert.Equal(pay, bank.Pay("d1", amount, Code).Verdict.Verdict);
        clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(later, bank.Query("d1").Verdict.Verdict);
        Assert.Equal(net, bank.Charges().Sum(c => c.NetFen));
    }

    [Fact]
    public void Readme_lists_every_test_amount_with_its_rule()
    {
        var rows = File.ReadLines(Path.Combine(Tidy.Sources.Root, "src/DeviceHub.Channels/Sandbox/README.md"))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .Where(cells => cells.Length == 5 && int.TryParse(cells[1], out _))
            .Select(cells => (int.Parse(cells[1], null), cells[2]));

        Assert.Equal(SandboxRules.Table.Select(r => (r.Key, r.Value.ToString())).Order(), rows.Order());
    }

    [Fact]
    public void Order_number_is_charged_once_when_it_is_paid_again()
    {
        using var bank = Bank();
        bank.Pay("d1", 1000, Code);

        Assert.Equal(Verdict.Unknown, bank.Pay("d1", 1000, Code).Verdict.Verdict);
        Assert.Equal(new SandboxCharge("d1", 1000, 1, 1000, false), Assert.Single(bank.Charges()));
    }

    [Fact]
    public void Delayed_request_is_not_found_and_not_stopped_by_a_reversal()
    {
        using var bank = Bank();
        bank.Pay("d1", 1022, Code);

        Assert.Equal(Verdict.NotFound, bank.Query("d1").Verdict.Verdict);
        Assert.Equal(Verdict.Closed, bank.Reverse("d1").Verdict.Verdict);
        clock.Advance(options.DelayedAfter);
        Assert.Equal(1022, Assert.Single(bank.Charges()).NetFen);
        Assert.Equal(Verdict.Reversed, bank.Reverse("d1").Verdict.Verdict);
        Assert.Equal(0, Assert.Single(bank.Charges()).NetFen);
    }

    [Fact]
    public void First_reversal_is_answered_and_does_nothing_when_the_amount_says_so()
    {
        using var bank = Bank();
        bank.Pay("d1", 1040, Code);
        Assert.Equal(Verdict.Unknown, bank.Query("d1").Verdict.Verdict);

        Assert.Equal(Verdict.Reversed, bank.Reverse("d1").Verdict.Verdict);
        Assert.Equal(Verdict.Approved, bank.Query("d1").Verdict.Verdict);
        Assert.Equal(Verdict.Reversed, bank.Reverse("d1").Verdict.Verdict);
        Assert.Equal(Verdict.Reversed, bank.Query("d1").Verdict.Verdict);
        Assert.Equal(0, Assert.Single(bank.Charges()).NetFen);
    }

    [Theory]
    [InlineData(1041, Verdict.Refunded, Verdict.Refunded)]
    [InlineData(1042, Verdict.Unknown, Verdict.NotFound)]
    [InlineData(1043, Verdict.Unknown, Verdict.Refunded)]
    public void Late_success_comes_after_the_last_reversal_and_is_refunded(long amount, Verdict first, Verdict query)
    {
        using var bank = Bank();
        bank.Pay("d1", amount, Code);
        clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(Verdict.NotFound, bank.Query("d1").Verdict.Verdict);
        bank.Reverse("d1");
        clock.Advance(options.LateAfter);

        Assert.Equal(amount, Assert.Single(bank.Charges()).NetFen);
        Assert.Equal(first, bank.Refund("d1", "r1", amount).Verdict.Verdict);
        Assert.Equal(query, bank.QueryRefund("d1", "r1").Verdict.Verdict);
        Assert.Equal(Verdict.Refunded, bank.Refund("d1", "r1", amount).Verdict.Verdict);
        Assert.Equal(Verdict.RefundFailed, bank.Refund("d1", "r2", 1).Verdict.Verdict);
        Assert.Equal(0, Assert.Single(bank.Charges()).NetFen);
    }

    [Fact]
    public void Book_brings_back_every_order_and_what_is_due_after_a_death_in_the_middle_of_a_line()
    {
        var folder = Directory.CreateTempSubdirectory("sandbox");
        options.Book = Path.Combine(folder.FullName, "book.jsonl");
        using (var bank = Bank())
        {
            bank.Pay("d1", 1000, Code);
            bank.Pay("d2", 1010, Code);
            bank.Pay("d3", 1020, Code);
            bank.Reverse("d3");
        }

        File.AppendAllText(options.Book, "{\"at\":\"2026-");
        clock.Advance(options.PasswordAfter);
        using (var bank = Bank())
        {
            Assert.Equal([("d1", 1000L), ("d2", 1010L), ("d3", 0L)], bank.Charges().Select(c => (c.Order, c.NetFen)).Order());
            bank.Pay("d4", 1000, Code);
        }

        using var again = Bank();
        Assert.Equal(4, again.Charges().Count);
        Assert.All(again.Charges(), c => Assert.Equal(1, c.Charges));
        folder.Delete(recursive: true);
    }

    [Fact]
    public void Shares_hit_their_part_of_ordinary_orders_and_the_same_ones_for_a_seed()
    {
        (options.ReplyLostShare, options.NotFoundFirstShare, options.SlowShare) = (0.1, 0.2, 0.3);
        var first = Faults();
        Assert.Equal(first, Faults());
        Assert.InRange(first.Count(r => r == Verdict.Unknown), 250, 350);

        options.FaultSeed = 2;
        Assert.NotEqual(first, Faults());

        List<Verdict> Faults()
        {
            using var bank = Bank();
            return [.. Enumerable.Range(0, 1000).Select(i => bank.Pay($"d{i}", 1000, Code).Verdict.Verdict)];
        }
    }

    [Fact]
    public void Payment_is_turned_away_without_a_charge_when_the_book_is_full()
    {
        options.MaxOrders = 1;
        using var bank = Bank();
        bank.Pay("d1", 1000, Code);

        var verdict = bank.Pay("d2", 1000, Code).Verdict;
        Assert.Equal((Verdict.Rerouteable, "SANDBOX_FULL"), (verdict.Verdict, verdict.Code));
        Assert.Single(bank.Charges());
    }

    [Fact]
    public void Used_code_is_declined_when_codes_are_single_use()
    {
        options.SingleUseCodes = true;
        using var bank = Bank();
        bank.Pay("d1", 1000, Code);

        var verdict = bank.Pay("d2", 1000, Code).Verdict;
        Assert.Equal((Verdict.Declined, DeclineReason.CodeInvalid), (verdict.Verdict, verdict.Reason));
    }

    private SandboxBank Bank() => new(Options.Create(options), clock);
}
