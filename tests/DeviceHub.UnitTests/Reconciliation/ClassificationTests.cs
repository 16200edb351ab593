using CsCheck;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;

namespace DeviceHub.UnitTests.Reconciliation;

/// <summary>What a bill's rows and our attempt say of each other.</summary>
public sealed class ClassificationTests
{
    private static readonly DateOnly Day = new(2026, 11, 25);
    private static readonly DateTimeOffset Noon = BillDay.Start(Day).AddHours(12);
    private static readonly DateTimeOffset Late = BillDay.End(Day).AddSeconds(-1);
    private static readonly PaymentId Payment = new("SN1", "r1");

    /// <summary>What the tables of both sides can be, in all their combinations.</summary>
    private static readonly Gen<(BillOrder Bill, LedgerAttempt? Ledger, BillsAround Around)> Any =
        from startedAt in OneOf(Noon, Late, BillDay.Start(Day), BillDay.Start(Day).AddSeconds(-1))
        from ours in Gen.Bool
        from charges in Gen.Long[1, 3].Array[0, 2]
        from refunds in Gen.Select(OneOf<string?>("r1", "r2", null), Gen.Long[1, 3]).Array[0, 3]
        from known in Gen.Bool
        from money in Gen.Enum<AttemptMoney>()
        from fee in OneOf<long?>(null, 0, 5)
        from twice in OneOf<DifferenceReason?>(null, DifferenceReason.PaymentPaidTwice)
        from refund in Gen.Enum<RefundMoney>()
        from hasRefund in Gen.Bool
        from previous in Gen.Bool
        from next in Gen.Bool
        from foundIn in OneOf<DateOnly?>(null, Day.AddDays(1))
        let order = ours ? Number(startedAt) : "A-1"
        let rows = charges.Select((fen, i) => Charge(order, fen, i)).Concat(refunds.Select((r, i) => Refund(order, r.Item1, r.Item2, 10 + i))).ToList()
        select (
            new BillOrder(order, rows),
            known ? new LedgerAttempt(order, Payment, 1, 2, money, fee, twice, hasRefund ? [new("r1", 2, refund, startedAt)] : []) : null,
            Around(previous, next, foundIn));

    [Fact]
    public void Every_row_of_a_bill_is_matched_or_shown() => Any.Sample(x =>
    {
        var judged = Judge(x.Bill, x.Ledger, x.Around);
        var shown = judged.Differences.Select(d => d.Line).Distinct().Count();
        Assert.Equal(x.Bill.Rows.Count, judged.Matched + shown);
    });

    [Fact]
    public void Every_row_is_shown_with_its_own_amount_and_numbers() => Any.Sample(x =>
    {
        foreach (var d in Judge(x.Bill, x.Ledger, x.Around).Differences)
        {
            var row = x.Bill.Rows.Single(r => r.Line == d.Line);
            Assert.Equal((row.OrderNumber, row.RefundNumber ?? "", row.Transaction), (d.OrderNumber, d.RefundNumber, d.Transaction));
            Assert.Equal(d.Reason == DifferenceReason.FeeDiffers ? row.FeeFen : row.AmountFen, d.BillFen);
        }
    });

    [Fact]
    public void Matched_money_is_the_ledgers_money() => Any.Sample(x =>
    {
        var judged = Judge(x.Bill, x.Ledger, x.Around);
        var shown = judged.Differences.Select(d => d.Line).ToHashSet();
        var matched = x.Bill.Rows.Where(r => !shown.Contains(r.Line)).ToList();
        Assert.Equal(matched.Sum(r => r.AmountFen), judged.MatchedFen);
        Assert.All(matched.Where(r => r.Kind == BillRowKind.Payment), r => Assert.Equal(x.Ledger!.AmountFen, r.AmountFen));
    });

    [Fact]
    public void Refund_is_proposed_only_for_a_charge_that_our_books_do_not_have_or_have_twice() => Any.Sample(x =>
    {
        foreach (var d in Judge(x.Bill, x.Ledger, x.Around).Differences.Where(d => d.ProposesRefund))
        {
            Assert.NotNull(x.Ledger);
            Assert.True(x.Ledger.Money == AttemptMoney.NotCharged || x.Ledger.Twice is not null || x.Bill.Rows.Any(r => r.Kind == BillRowKind.Payment && r.Line < d.Line));
            Assert.True(x.Bill.Rows.Where(r => r.Kind == BillRowKind.Refund).Sum(r => r.AmountFen) < d.BillFen || x.Ledger.InBill == AttemptMoney.Charged);
        }
    });

    [Fact]
    public void Same_question_is_answered_once_a_row() => Any.Sample(x =>
    {
        var differences = Judge(x.Bill, x.Ledger, x.Around).Differences;
        Assert.Equal(differences.Count, differences.Select(d => (d.OrderNumber, d.RefundNumber, d.Topic, d.Line)).Distinct().Count());
    });

    [Fact]
    public void Only_what_belongs_to_another_day_is_kept_for_other_days() => Any.Sample(x =>
    {
        var strays = Judge(x.Bill, x.Ledger, x.Around).Strays;
        Assert.All(strays, s => Assert.NotNull(x.Ledger));
        if (OwnOrder.StartOf(x.Bill.Number) is { } at && BillDay.Of(at) == Day)
        {
            Assert.Empty(strays);
        }
    });

    [Theory]
    [InlineData(AttemptMoney.Charged, null)]
    [InlineData(AttemptMoney.NotCharged, DifferenceReason.LateSuccess)]
    [InlineData(AttemptMoney.Open, DifferenceReason.NotSettled)]
    public void Charge_at_the_channel_is_judged_by_what_our_books_say(AttemptMoney money, DifferenceReason? expected)
    {
        var order = Number(Noon);
        var judged = Judge(Bill(order, Charge(order, 100, 1)), Attempt(order, 100, money), Around());
        Assert.Equal(expected is { } reason ? [reason] : [], judged.Differences.Select(d => d.Reason));
        Assert.Equal(expected is null ? 1 : 0, judged.Matched);
    }

    [Fact]
    public void Reversed_order_with_what_went_back_in_the_same_bill_is_matched()
    {
        var order = Number(Noon);
        var judged = Judge(Bill(order, Charge(order, 100, 1), Refund(order, null, 100, 2)), Attempt(order, 100, AttemptMoney.Returned), Around());
        Assert.Equal((2, 0), (judged.Matched, judged.Differences.Count));
    }

    [Theory]
    [InlineData(false, null, DifferenceReason.AwaitsReturn)]
    [InlineData(true, null, DifferenceReason.LateSuccess)]
    [InlineData(true, "2026-11-26", DifferenceReason.InOtherBill)]
    public void Order_undone_after_midnight_waits_for_the_next_bill(bool nextRead, string? foundIn, DifferenceReason expected)
    {
        var order = Number(Late);
        var around = Around(nextRead: nextRead, foundIn: foundIn is null ? null : DateOnly.Parse(foundIn, System.Globalization.CultureInfo.InvariantCulture));
        var difference = Assert.Single(Judge(Bill(order, Charge(order, 100, 1)), Attempt(order, 100, AttemptMoney.NotCharged), around).Differences);
        Assert.Equal(expected, difference.Reason);
        Assert.Equal(expected == DifferenceReason.InOtherBill, difference.Settled);
    }

    [Theory]
    [InlineData("noon", true, false, DifferenceReason.NotInBill)]
    [InlineData("late", true, false, DifferenceReason.AwaitsBill)]
    [InlineData("late", true, true, DifferenceReason.NotInBill)]
    [InlineData("early", false, true, DifferenceReason.AwaitsBill)]
    [InlineData("early", true, false, DifferenceReason.NotInBill)]
    public void Charge_that_is_not_in_the_bill_waits_for_a_bill_around_only_near_midnight(string when, bool previousRead, bool nextRead, DifferenceReason expected)
    {
        var at = when switch { "noon" => Noon, "late" => Late, _ => BillDay.Start(Day).AddSeconds(1) };
        var judged = new Judgement();
        Classification.JudgeUnbilled(Attempt(Number(at), 100, AttemptMoney.Charged), at, Around(previousRead, nextRead), judged);
        var difference = Assert.Single(judged.Differences);
        Assert.Equal(expected, difference.Reason);
        Assert.Equal(expected == DifferenceReason.AwaitsBill, difference.Awaits is not null);
        Assert.Equal(expected == DifferenceReason.AwaitsBill ? DifferenceReason.NotInBill : expected, Classification.Unfound(difference));
    }

    [Fact]
    public void Fee_may_be_rounded_and_no_more()
    {
        var order = Number(Noon);
        var attempt = Attempt(order, 100, AttemptMoney.Charged) with { FeeFen = 4 };
        Assert.Equal(1, Judge(Bill(order, Charge(order, 100, 1)), attempt with { FeeFen = 1 }, Around()).Matched);
        var difference = Assert.Single(Judge(Bill(order, Charge(order, 100, 1)), attempt, Around()).Differences);
        Assert.Equal((DifferenceReason.FeeDiffers, 0L, 4L), (difference.Reason, difference.BillFen, difference.LedgerFen));
    }

    [Theory]
    [InlineData("r1", 40, RefundMoney.Done, null)]
    [InlineData("r1", 40, RefundMoney.Open, null)]
    [InlineData("r1", 41, RefundMoney.Done, DifferenceReason.RefundAmountDiffers)]
    [InlineData("r1", 40, RefundMoney.Failed, DifferenceReason.RefundFailedInBooks)]
    [InlineData("r9", 40, RefundMoney.Done, DifferenceReason.RefundUnknown)]
    [InlineData(null, 40, RefundMoney.Done, DifferenceReason.RefundUnknown)]
    public void Refund_in_the_bill_is_judged_by_its_number(string? number, long fen, RefundMoney money, DifferenceReason? expected)
    {
        var order = Number(Noon);
        var attempt = Attempt(order, 100, AttemptMoney.Charged) with { Refunds = [new("r1", 40, money, Noon)] };
        var judged = Judge(Bill(order, Charge(order, 100, 1), Refund(order, number, fen, 2)), attempt, Around());
        Assert.Equal(expected is { } reason ? [reason] : [], judged.Differences.Select(d => d.Reason));
    }

    [Fact]
    public void Number_of_ours_tells_when_its_attempt_began()
    {
        Gen.Long[1_500_000_000_000, 4_000_000_000_000].Sample(ms =>
        {
            var at = DateTimeOffset.FromUnixTimeMilliseconds(ms);
            var number = PaymentDecisions.ChannelOrderNumber(Payment, 3, at);
            Assert.Equal(at.ToUnixTimeMilliseconds(), OwnOrder.StartOf(number)!.Value.ToUnixTimeMilliseconds());
            Assert.True(string.CompareOrdinal(OwnOrder.FirstOf(at), number) < 0);
            Assert.True(string.CompareOrdinal(OwnOrder.FirstOf(at.AddMilliseconds(1)), number) > 0);
        });
        Assert.All(["", "d", "d12345", "x0192", new string('d', 31), "D" + new string('0', 29), "d" + new string('g', 29)], n => Assert.Null(OwnOrder.StartOf(n)));
    }

    [Fact]
    public void Chinas_day_begins_at_16_hours_of_the_day_before()
    {
        Assert.Equal(Day, BillDay.Of(new DateTimeOffset(2026, 11, 24, 16, 0, 0, TimeSpan.Zero)));
        Assert.Equal(Day.AddDays(-1), BillDay.Of(new DateTimeOffset(2026, 11, 24, 15, 59, 59, TimeSpan.Zero)));
    }

    [Fact]
    public void Every_reason_has_a_kind() => Assert.All(Enum.GetValues<DifferenceReason>(), r => Assert.True(Enum.IsDefined(Difference.ClassOf(r))));

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static Judgement Judge(BillOrder bill, LedgerAttempt? ledger, BillsAround around)
    {
        var judged = new Judgement();
        Classification.JudgeBilled(bill, ledger, null, around, judged);
        return judged;
    }

    private static BillsAround Around(bool previousRead = true, bool nextRead = true, DateOnly? foundIn = null) =>
        new(Day, TimeSpan.FromHours(2), previousRead, nextRead, _ => foundIn);

    private static string Number(DateTimeOffset at) => PaymentDecisions.ChannelOrderNumber(Payment, 1, at);

    private static LedgerAttempt Attempt(string order, long fen, AttemptMoney money) => new(order, Payment, 1, fen, money, null, null, []);

    private static BillOrder Bill(string order, params BillRow[] rows) => new(order, rows);

    private static BillRow Charge(string order, long fen, int line) => new(line, BillRowKind.Payment, order, null, "T" + line, fen, 0, Noon);

    private static BillRow Refund(string order, string? number, long fen, int line) => new(line, BillRowKind.Refund, order, number, "T" + line, fen, 0, Noon);
}
