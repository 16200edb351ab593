using DeviceHub.Tools.ChannelSandbox;
using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Faults;
using Microsoft.Extensions.Time.Testing;
using SandboxBank = DeviceHub.Tools.ChannelSandbox.Bank.Bank;

namespace DeviceHub.UnitTests.ChannelSandbox;

public sealed class BankTests : IDisposable
{
    private static readonly TimeSpan Never = TimeSpan.FromDays(7);

    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 11, 25, 2, 0, 0, TimeSpan.Zero));
    private readonly Book book = new(null);
    private readonly SandboxBank bank;
    private int codes;

    public BankTests() => bank = New(book);

    public void Dispose() => book.Dispose();

    [Fact]
    public void Code_and_order_number_are_good_for_one_payment()
    {
        var first = Payment("n1", 100);

        Assert.Equal(PayOutcome.Paid, bank.Pay(first, null).Outcome);
        Assert.Equal(PayOutcome.Again, bank.Pay(first, null).Outcome);
        Assert.Equal(PayOutcome.NumberUsed, bank.Pay(first with { Fen = 101 }, null).Outcome);
        Assert.Equal(PayOutcome.NumberUsed, bank.Pay(Payment("n1", 100), null).Outcome);
        Assert.Equal(PayOutcome.CodeUsed, bank.Pay(first with { Key = Key("n2") }, null).Outcome);
        Assert.Equal(PayOutcome.Paid, bank.Pay(Payment("n1", 100) with { Key = Key("n1") with { Merchant = "other" } }, null).Outcome);
        Assert.Equal(2, bank.Orders);
    }

    [Theory]
    [InlineData("password-paid", "Paid", 100)]
    [InlineData("password-refused", "Refused", 0)]
    [InlineData("password-closed", "Closed", 0)]
    [InlineData("password-forever", "Waiting", 0)]
    public void Password_ends_as_the_fault_says(string fault, string end, long net)
    {
        Assert.Equal(PayOutcome.Waiting, bank.Pay(Payment("n1", 100), FaultTable.ByName[fault]).Outcome);
        Assert.Equal(OrderState.Waiting, bank.Query(Key("n1")).Order!.State);

        time.Advance(TimeSpan.FromSeconds(6));

        var order = bank.Query(Key("n1")).Order!;
        Assert.Equal((end, net), (order.State.ToString(), order.NetFen));
    }

    [Fact]
    public void What_was_reversed_while_the_payer_typed_is_never_charged()
    {
        bank.Pay(Payment("n1", 100), FaultTable.ByName["password-paid"]);

        Assert.Equal(ReverseOutcome.Closed, bank.Reverse(Key("n1"), TimeSpan.Zero, Never).Outcome);
        time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal((OrderState.Revoked, 0L), (bank.Find(Key("n1"))!.State, bank.Find(Key("n1"))!.ChargedAt));
        Assert.Equal(PayOutcome.NumberUsed, bank.Pay(Payment("n1", 100), null).Outcome);
    }

    [Fact]
    public void Late_charge_comes_unless_it_is_reversed_before()
    {
        bank.Pay(Payment("late", 100), FaultTable.ByName["charged-late"]);
        bank.Pay(Payment("undone", 100), FaultTable.ByName["charged-late"]);

        Assert.Equal(OrderState.Created, bank.Query(Key("late")).Order!.State);
        bank.Reverse(Key("undone"), TimeSpan.Zero, Never);
        time.Advance(TimeSpan.FromSeconds(15));

        Assert.Equal(100, bank.Find(Key("late"))!.NetFen);
        Assert.Equal(0, bank.Find(Key("undone"))!.NetFen);
    }

    [Fact]
    public void Unseen_charge_is_stopped_by_no_reversal()
    {
        bank.Pay(Payment("n1", 100), FaultTable.ByName["charged-unseen"]);

        Assert.Equal(QueryOutcome.NotFound, bank.Query(Key("n1")).Outcome);
        Assert.Equal(ReverseOutcome.NotFound, bank.Reverse(Key("n1"), TimeSpan.Zero, Never).Outcome);
        time.Advance(TimeSpan.FromSeconds(15));

        Assert.Equal(OrderState.Paid, bank.Query(Key("n1")).Order!.State);
    }

    [Fact]
    public void Late_success_waits_for_the_last_reversal()
    {
        bank.Pay(Payment("n1", 100), FaultTable.ByName["late-success"]);
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(QueryOutcome.NotFound, bank.Query(Key("n1")).Outcome);

        bank.Reverse(Key("n1"), TimeSpan.Zero, Never);
        time.Advance(TimeSpan.FromSeconds(14));
        bank.Reverse(Key("n1"), TimeSpan.Zero, Never);
        time.Advance(TimeSpan.FromSeconds(14));
        Assert.Equal(QueryOutcome.NotFound, bank.Query(Key("n1")).Outcome);

        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(100, bank.Query(Key("n1")).Order!.NetFen);
    }

    [Fact]
    public void First_reversal_is_answered_and_does_nothing_when_the_fault_says_so()
    {
        bank.Pay(Payment("n1", 100), FaultTable.ByName["reversal-ignored"]);
        Assert.Equal(QueryOutcome.SystemError, bank.Query(Key("n1")).Outcome);

        Assert.Equal(ReverseOutcome.PaidBack, bank.Reverse(Key("n1"), TimeSpan.Zero, Never).Outcome);
        Assert.Equal(100, bank.Query(Key("n1")).Order!.NetFen);

        Assert.Equal(ReverseOutcome.PaidBack, bank.Reverse(Key("n1"), TimeSpan.Zero, Never).Outcome);
        Assert.Equal((OrderState.Revoked, 0L), (bank.Query(Key("n1")).Order!.State, bank.Query(Key("n1")).Order!.NetFen));
    }

    [Fact]
    public void Reversal_has_its_window()
    {
        bank.Pay(Payment("n1", 100), null);

        Assert.Equal(ReverseOutcome.TooEarly, bank.Reverse(Key("n1"), TimeSpan.FromSeconds(15), Never).Outcome);
        time.Advance(TimeSpan.FromDays(8));
        Assert.Equal(ReverseOutcome.TooLate, bank.Reverse(Key("n1"), TimeSpan.FromSeconds(15), Never).Outcome);
        Assert.Equal(100, bank.Find(Key("n1"))!.NetFen);
    }

    [Fact]
    public void Refunds_never_exceed_the_charge_and_a_number_is_one_refund()
    {
        bank.Pay(Payment("n1", 100), null);

        Assert.Equal(RefundOutcome.Accepted, bank.Refund(Key("n1"), "r1", 60, null).Outcome);
        Assert.Equal(RefundOutcome.Again, bank.Refund(Key("n1"), "r1", 60, null).Outcome);
        Assert.Equal(RefundOutcome.Differs, bank.Refund(Key("n1"), "r1", 61, null).Outcome);
        Assert.Equal(RefundOutcome.TooMuch, bank.Refund(Key("n1"), "r2", 41, null).Outcome);
        Assert.Equal(RefundOutcome.Accepted, bank.Refund(Key("n1"), "r3", 40, null).Outcome);
        Assert.Equal(RefundOutcome.TooMuch, bank.Refund(Key("n1"), "r4", 1, null).Outcome);
        Assert.Equal(0, bank.Find(Key("n1"))!.NetFen);
    }

    [Fact]
    public async Task Refunds_that_race_never_exceed_the_charge_together()
    {
        bank.Pay(Payment("n1", 100), null);

        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => bank.Refund(Key("n1"), $"r{i}", 30, null))));

        Assert.Equal(10, bank.Find(Key("n1"))!.NetFen);
    }

    [Fact]
    public void Failed_refund_gives_its_money_back_to_be_refunded()
    {
        bank.Pay(Payment("n1", 100), FaultTable.ByName["refund-fails-slowly"]);
        bank.Refund(Key("n1"), "r1", 100, null);
        Assert.Equal((RefundState.Processing, 0L), (bank.FindRefund(Key("r1"))!.State, bank.Find(Key("n1"))!.NetFen));

        time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal((RefundState.Failed, 100L), (bank.FindRefund(Key("r1"))!.State, bank.Find(Key("n1"))!.NetFen));
    }

    [Fact]
    public void Same_seed_and_order_number_have_the_same_fault_by_chance()
    {
        var options = new SandboxOptions { FaultRate = 0.3, Seed = 7, AmountFaults = false };
        var (one, again, other) = (new FaultPlan(options), new FaultPlan(options), new FaultPlan(options with { Seed = 8 }));
        var faults = Enumerable.Range(0, 2000).Select(i => one.For(Api.Pay, Channel.WeChat, $"n{i}", 100, 0)?.Name).ToList();

        Assert.Equal(faults, Enumerable.Range(0, 2000).Select(i => again.For(Api.Pay, Channel.WeChat, $"n{i}", 100, 0)?.Name));
        Assert.NotEqual(faults, Enumerable.Range(0, 2000).Select(i => other.For(Api.Pay, Channel.WeChat, $"n{i}", 100, 0)?.Name));
        Assert.InRange(faults.Count(f => f is not null), 500, 700);
    }

    [Fact]
    public void Book_is_read_again_with_what_is_still_due_and_without_half_a_line()
    {
        var path = Path.GetTempFileName();
        try
        {
            using (var kept = new Book(path))
            {
                var before = New(kept);
                before.Pay(Payment("paid", 100), null);
                before.Refund(Key("paid"), "r1", 30, null);
                before.Pay(Payment("waits", 200), FaultTable.ByName["password-paid"]);
            }

            File.AppendAllText(path, "{\"channel\":0,\"merch");
            using var read = new Book(path);
            var after = New(read);
            time.Advance(TimeSpan.FromSeconds(6));

            Assert.Equal(70, after.Find(Key("paid"))!.NetFen);
            Assert.Equal(RefundOutcome.Again, after.Refund(Key("paid"), "r1", 30, null).Outcome);
            Assert.Equal(200, after.Find(Key("waits"))!.NetFen);
            Assert.Equal(PayOutcome.Paid, after.Pay(Payment("new", 1), null).Outcome);
            Assert.All(File.ReadAllLines(path), line => Assert.EndsWith("}", line));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static OrderKey Key(string number) => new(Channel.WeChat, "m", number);

    private SandboxBank New(Book of) => new(of, new SandboxOptions(), new ChannelClock(time));

    private Payment Payment(string number, long fen) => new(Key(number), fen, (UInt128)(++codes)) { Subject = "Noodles" };
}
