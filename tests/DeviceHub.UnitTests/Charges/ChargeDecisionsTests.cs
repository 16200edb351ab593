using DeviceHub.Core.Charges;
using DeviceHub.Core.Payments;

namespace DeviceHub.UnitTests.Charges;

/// <summary>What becomes of a charge, step by step, without a clock or a store.</summary>
public sealed class ChargeDecisionsTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 26, 8, 0, 0, TimeSpan.Zero);
    private static readonly ChargeOptions Options = new();
    private static readonly PaymentId Payer = new("T1", "epoch0000001-1");

    private static readonly Charge Sent = new()
    {
        Id = "c00000000001", SerialNumber = "T1", MerchantId = "M1", StoreId = "S1", OrderNumber = "A-1", AmountFen = 1000, IdempotencyKey = "k", By = "key:till",
        CreatedAt = Start, ExpiresAt = Start.AddSeconds(120), Stage = ChargeStage.Sent, Version = 1,
    };

    private static readonly Charge Collecting = Sent with { Stage = ChargeStage.Collecting, CollectingAt = Start.AddSeconds(1) };

    private static readonly Charge Paying = Collecting with { Stage = ChargeStage.Paying, Payment = Payer.ToString() };

    [Fact]
    public void Collect_is_repeated_once_after_half_of_the_wait_and_the_terminal_is_unreachable_after_all_of_it()
    {
        Assert.Equal(Start.AddSeconds(1.5), ChargeDecisions.Next(Sent, Start, Options));
        Assert.Equal(new(Sent, ChargeEffects.None), Decide(Sent, new ChargeInput.Tick(), 1.4));
        Assert.Equal(new(Sent, ChargeEffects.Collect), Decide(Sent, new ChargeInput.Tick(), 1.5));
        Assert.Equal(Start.AddSeconds(3), ChargeDecisions.Next(Sent, Start.AddSeconds(1.5), Options));
        var (closed, effects) = Decide(Sent, new ChargeInput.Tick(), 3);
        Assert.Equal((ChargeStage.Closed, ChargeEnd.Unreachable, Start.AddSeconds(3)), (closed.Stage, closed.Ended, closed.EndedAt));
        Assert.Equal(ChargeEffects.CancelCollect, effects);
        Assert.Null(ChargeDecisions.Next(closed, Start.AddSeconds(3), Options));
    }

    [Fact]
    public void Late_collecting_changes_nothing_and_finds_the_charge_closed()
    {
        var (late, effects) = Decide(Sent, new ChargeInput.Collecting(), 3);
        Assert.Equal((ChargeEnd.Unreachable, ChargeEffects.CancelCollect), (late.Ended, effects));
        Assert.Equal(new(late, ChargeEffects.None), Decide(late, new ChargeInput.Collecting(), 4));
    }

    [Fact]
    public void Collecting_counts_once_and_ends_with_its_time()
    {
        var (collecting, effects) = Decide(Sent, new ChargeInput.Collecting(), 1);
        Assert.Equal((Collecting, ChargeEffects.None), (collecting, effects));
        Assert.Equal(new(Collecting, ChargeEffects.None), Decide(Collecting, new ChargeInput.Collecting(), 60));
        Assert.Equal(Start.AddSeconds(120), ChargeDecisions.Next(Collecting, Start.AddSeconds(60), Options));
        Assert.Equal(ChargeEnd.Expired, Decide(Collecting, new ChargeInput.Tick(), 120).Charge.Ended);
        Assert.Equal(ChargeEnd.Expired, Decide(Sent with { ExpiresAt = Start.AddSeconds(2) }, new ChargeInput.Tick(), 2).Charge.Ended);
    }

    [Theory]
    [InlineData(ChargeEnd.CancelledAtTerminal), InlineData(ChargeEnd.TerminalBusy), InlineData(ChargeEnd.Expired)]
    public void What_ends_at_the_terminal_closes_only_what_is_open(ChargeEnd end)
    {
        Assert.Equal(end, Decide(Sent, new ChargeInput.EndedAtTerminal(end), 1).Charge.Ended);
        Assert.Equal(end, Decide(Collecting, new ChargeInput.EndedAtTerminal(end), 2).Charge.Ended);
        Assert.Equal(new(Paying, ChargeEffects.None), Decide(Paying, new ChargeInput.EndedAtTerminal(end), 3));
    }

    [Fact]
    public void Cancel_closes_what_is_open_and_is_the_payments_of_what_is_consumed_and_nothing_of_what_is_closed()
    {
        var (cancelled, effects) = Decide(Collecting, new ChargeInput.Cancel(), 5);
        Assert.Equal((ChargeEnd.Cancelled, ChargeEffects.CancelCollect), (cancelled.Ended, effects));
        Assert.Equal(new(Paying, ChargeEffects.CancelPayment), Decide(Paying, new ChargeInput.Cancel(), 5));
        Assert.Equal(new(cancelled, ChargeEffects.None), Decide(cancelled, new ChargeInput.Cancel(), 6));
    }

    [Fact]
    public void Time_does_nothing_to_what_a_payment_has_consumed()
    {
        Assert.Equal(new(Paying, ChargeEffects.None), Decide(Paying, new ChargeInput.Tick(), 3600));
        Assert.Null(ChargeDecisions.Next(Paying, Start.AddHours(1), Options));
    }

    [Theory]
    [InlineData(PaymentResult.Approved, ChargeEnd.Paid), InlineData(PaymentResult.Declined, ChargeEnd.Declined)]
    [InlineData(PaymentResult.NotCharged, ChargeEnd.NotCharged), InlineData(PaymentResult.Refunded, ChargeEnd.Refunded)]
    public void Outcome_of_its_payment_ends_it(PaymentResult result, ChargeEnd end)
    {
        var view = View(PaymentStage.Final, result, 1);
        var (closed, _) = Decide(Paying, new ChargeInput.PaymentIs(view), 9);
        Assert.Equal((ChargeStage.Closed, end, 1, view.FinalAt), (closed.Stage, closed.Ended, closed.Revision, closed.EndedAt));
        Assert.Equal(new(closed, ChargeEffects.None), Decide(closed, new ChargeInput.PaymentIs(view), 10));
        Assert.Equal(new(Paying, ChargeEffects.None), Decide(Paying, new ChargeInput.PaymentIs(View(PaymentStage.InDoubt, PaymentResult.None, 0)), 9));
    }

    [Fact]
    public void Larger_revision_is_news_and_another_payments_outcome_is_not()
    {
        var closed = Decide(Paying, new ChargeInput.PaymentIs(View(PaymentStage.Final, PaymentResult.NotCharged, 1)), 9).Charge;
        var refunded = Decide(closed, new ChargeInput.PaymentIs(View(PaymentStage.Final, PaymentResult.Refunded, 2)), 60).Charge;
        Assert.Equal((ChargeEnd.Refunded, 2, closed.EndedAt), (refunded.Ended, refunded.Revision, refunded.EndedAt));
        var other = View(PaymentStage.Final, PaymentResult.Approved, 3) with { Id = new PaymentId("T2", "epoch0000001-1") };
        Assert.Equal(new(Paying, ChargeEffects.None), Decide(Paying, new ChargeInput.PaymentIs(other), 9));
        var paidBefore = Decide(Collecting, new ChargeInput.OrderPaid(other), 9).Charge;
        Assert.Equal(new(Collecting, ChargeEffects.None), Decide(Collecting, new ChargeInput.OrderPaid(other with { OrderNumber = "A-2" }), 9));
        Assert.Equal((ChargeEnd.OrderPaid, other.Id.ToString()), (paidBefore.Ended, paidBefore.Payment));
        Assert.Equal(new(paidBefore, ChargeEffects.None), Decide(paidBefore, new ChargeInput.PaymentIs(other), 10));
    }

    private static ChargeDecision Decide(Charge charge, ChargeInput input, double seconds) => ChargeDecisions.Decide(charge, input, Start.AddSeconds(seconds), Options);

    private static PaymentView View(PaymentStage stage, PaymentResult result, int revision) => new(
        Payer, stage, result, revision, 1000, 1000, 0, Wallet.WeChat, null, null, "Noodle shop", "A-1", DeclineReason.None, Start, Start.AddSeconds(8), 0);
}
