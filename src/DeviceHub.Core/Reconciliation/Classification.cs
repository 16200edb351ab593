using DeviceHub.Core.Payments;

namespace DeviceHub.Core.Reconciliation;

/// <summary>All rows of one order in a bill.</summary>
public sealed record BillOrder(string Number, IReadOnlyList<BillRow> Rows);

/// <summary>A row that belongs to another day than its bill by our books: that day looks for it here.</summary>
/// <param name="RefundNumber">Empty: of the charge, or of what a reversal gave back.</param>
public readonly record struct StrayRow(BillRowKind Kind, string OrderNumber, string RefundNumber);

/// <summary>What the bills of the other days say: the channel's midnight is not ours.</summary>
/// <param name="Margin">How long after its attempt began a charge may be booked by the channel.</param>
/// <param name="PreviousRead">The bill of the day before has been reconciled; likewise the next.</param>
/// <param name="FoundIn">The day whose bill has this row, if one was reconciled that has.</param>
public sealed record BillsAround(DateOnly Day, TimeSpan Margin, bool PreviousRead, bool NextRead, Func<StrayRow, DateOnly?> FoundIn)
{
    /// <summary>How far the channel's clock may be behind ours.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(5);

    /// <summary>The day around whose bill may have a charge that began then and is not in this bill; null: none may.</summary>
    public DateOnly? AwaitedForCharge(DateTimeOffset startedAt) =>
        !NextRead && startedAt >= BillDay.End(Day) - Margin ? Day.AddDays(1)
        : !PreviousRead && startedAt < BillDay.Start(Day) + Skew ? Day.AddDays(-1)
        : null;

    /// <summary>What goes back is booked when the channel has done it: the day it was asked for or the next.</summary>
    public DateOnly? AwaitedForReturn() => NextRead ? null : Day.AddDays(1);
}

/// <summary>What was found so far: matched rows are only counted.</summary>
public sealed class Judgement
{
    public long Matched { get; private set; }

    public long MatchedFen { get; private set; }

    public List<Difference> Differences { get; } = [];

    public List<StrayRow> Strays { get; } = [];

    internal void Match(BillRow row)
    {
        Matched++;
        MatchedFen += row.AmountFen;
    }
}

/// <summary>The pure core of reconciliation: what the channel's rows of an order and our attempt say of each other. No clock, no I/O.</summary>
public static class Classification
{
    /// <summary>Fees are rounded by the channels in ways of their own.</summary>
    private const long FeeRoundingFen = 1;

    /// <summary>An order of the bill.</summary>
    /// <param name="ledger">Null: the account has no such attempt in our books.</param>
    /// <param name="elsewhere">Our books have the number on another account: <see cref="DifferenceReason.SharedBill"/> or <see cref="DifferenceReason.OtherAccount"/>.</param>
    public static void JudgeBilled(BillOrder bill, LedgerAttempt? ledger, DifferenceReason? elsewhere, BillsAround around, Judgement into)
    {
        if (OwnOrder.StartOf(bill.Number) is not { } startedAt)
        {
            into.Differences.AddRange(bill.Rows.Select(row => Of(DifferenceReason.NotOurs, row, null, null)));
            return;
        }

        if (ledger is null)
        {
            into.Differences.AddRange(bill.Rows.Select(row => Of(
                elsewhere ?? (row.Kind == BillRowKind.Refund ? DifferenceReason.RefundUnknown : DifferenceReason.NoSuchOrder), row, null, null)
                with { Settled = elsewhere == DifferenceReason.SharedBill }));
            return;
        }

        BillRow? charge = null;
        foreach (var row in bill.Rows.Where(r => r.Kind == BillRowKind.Payment))
        {
            if (charge is not null)
            {
                into.Differences.Add(Of(DifferenceReason.ChargedTwice, row, ledger, ledger.InBill == AttemptMoney.Charged ? ledger.AmountFen : null));
                continue;
            }

            charge = row;
            JudgeCharge(bill, row, ledger, startedAt, around, into);
            if (BillDay.Of(startedAt) != around.Day)
            {
                into.Strays.Add(new(BillRowKind.Payment, bill.Number, ""));
            }
        }

        foreach (var row in bill.Rows.Where(r => r.Kind == BillRowKind.Refund))
        {
            JudgeRefund(row, ledger, startedAt, around, into);
        }
    }

    /// <summary>An attempt that began on the bill's day, is charged in our books and has no charge in the bill.</summary>
    public static void JudgeUnbilled(LedgerAttempt ledger, DateTimeOffset startedAt, BillsAround around, Judgement into) =>
        into.Differences.Add(Missing(
            ledger, "", ledger.AmountFen, startedAt, DifferenceReason.NotInBill, around.FoundIn(new(BillRowKind.Payment, ledger.OrderNumber, "")), around.AwaitedForCharge(startedAt)));

    /// <summary>A refund that was begun on the bill's day, is done in our books and is not in the bill.</summary>
    public static void JudgeUnbilledRefund(LedgerAttempt ledger, LedgerRefund refund, BillsAround around, Judgement into) =>
        into.Differences.Add(Missing(
            ledger, refund.Number, refund.AmountFen, refund.StartedAt, DifferenceReason.RefundNotInBill,
            around.FoundIn(new(BillRowKind.Refund, ledger.OrderNumber, refund.Number)), around.AwaitedForReturn()));

    /// <summary>
    /// What becomes of a difference that waited for a bill which has been read and does not have it. Of a charge that was undone, a ledger's
    /// amount says that our books know it went back.
    /// </summary>
    public static DifferenceReason Unfound(Difference waited) => waited switch
    {
        { Reason: DifferenceReason.AwaitsReturn, LedgerFen: null } => DifferenceReason.LateSuccess,
        { Reason: DifferenceReason.AwaitsReturn } => DifferenceReason.NotReturned,
        { Reason: DifferenceReason.AwaitsBill, RefundNumber.Length: > 0 } => DifferenceReason.RefundNotInBill,
        { Reason: DifferenceReason.AwaitsBill } => DifferenceReason.NotInBill,
        _ => waited.Reason,
    };

    private static void JudgeCharge(BillOrder bill, BillRow row, LedgerAttempt ledger, DateTimeOffset startedAt, BillsAround around, Judgement into)
    {
        if (row.AmountFen != ledger.AmountFen)
        {
            into.Differences.Add(Of(DifferenceReason.AmountDiffers, row, ledger, ledger.AmountFen));
            if (ledger.InBill == AttemptMoney.Charged)
            {
                return;
            }
        }

        switch (ledger.InBill)
        {
            case AttemptMoney.Open:
                into.Differences.Add(Of(DifferenceReason.NotSettled, row, ledger, null));
                break;
            case AttemptMoney.Charged when ledger.Twice is { } twice:
                into.Differences.Add(Of(twice, row, ledger, ledger.AmountFen));
                break;
            case AttemptMoney.Charged when ledger.FeeFen is { } fee && Math.Abs(row.FeeFen - fee) > FeeRoundingFen:
                into.Differences.Add(Of(DifferenceReason.FeeDiffers, row, ledger, fee) with { BillFen = row.FeeFen });
                break;
            case AttemptMoney.Charged:
                into.Match(row);
                break;
            default:
                JudgeUndone(bill, row, ledger, startedAt, around, into);
                break;
        }
    }

    /// <summary>Not charged in our books: the channel must show that it gave the money back, in this bill or, near midnight, in the next.</summary>
    private static void JudgeUndone(BillOrder bill, BillRow row, LedgerAttempt ledger, DateTimeOffset startedAt, BillsAround around, Judgement into)
    {
        var back = bill.Rows.Where(r => r.Kind == BillRowKind.Refund).Sum(r => r.AmountFen);
        if (back >= row.AmountFen)
        {
            if (row.AmountFen == ledger.AmountFen)
            {
                into.Match(row);
            }

            return;
        }

        long? inBooks = ledger.InBill == AttemptMoney.Returned ? ledger.AmountFen : null;
        if (around.FoundIn(new(BillRowKind.Refund, bill.Number, "")) is { } day)
        {
            into.Differences.Add(Of(DifferenceReason.InOtherBill, row, ledger, inBooks) with { Awaits = day, Settled = true });
            return;
        }

        var mayFollow = ledger.InBill == AttemptMoney.Returned || startedAt >= BillDay.End(around.Day) - around.Margin;
        if (mayFollow && around.AwaitedForReturn() is { } next)
        {
            into.Differences.Add(Of(DifferenceReason.AwaitsReturn, row, ledger, inBooks) with { Awaits = next });
            return;
        }

        var reason = inBooks is not null ? DifferenceReason.NotReturned : ledger.Twice ?? DifferenceReason.LateSuccess;
        into.Differences.Add(Of(reason, row, ledger, inBooks));
    }

    private static void JudgeRefund(BillRow row, LedgerAttempt ledger, DateTimeOffset startedAt, BillsAround around, Judgement into)
    {
        var refund = ledger.Refunds.FirstOrDefault(r => r.Number == row.RefundNumber);
        if (refund is null)
        {
            // Of a reversal the channels show what went back as a refund without a number, or with one of their own.
            if (ledger.InBill == AttemptMoney.Charged)
            {
                into.Differences.Add(Of(DifferenceReason.RefundUnknown, row, ledger, null));
                return;
            }

            into.Match(row);
            if (BillDay.Of(startedAt) != around.Day)
            {
                into.Strays.Add(new(BillRowKind.Refund, row.OrderNumber, ""));
            }

            return;
        }

        if (BillDay.Of(refund.StartedAt) != around.Day)
        {
            into.Strays.Add(new(BillRowKind.Refund, row.OrderNumber, refund.Number));
        }

        if (row.AmountFen != refund.AmountFen)
        {
            into.Differences.Add(Of(DifferenceReason.RefundAmountDiffers, row, ledger, refund.AmountFen));
        }
        else if (refund.Money == RefundMoney.Failed)
        {
            into.Differences.Add(Of(DifferenceReason.RefundFailedInBooks, row, ledger, refund.AmountFen));
        }
        else
        {
            into.Match(row);
        }
    }

    private static Difference Of(DifferenceReason reason, BillRow row, LedgerAttempt? ledger, long? ledgerFen) => new(
        reason, row.OrderNumber, row.RefundNumber ?? "", ledger?.Payment, ledger?.Number ?? 0, row.Transaction, row.Line, row.AmountFen, ledgerFen, row.At);

    private static Difference Missing(
        LedgerAttempt ledger, string refundNumber, long fen, DateTimeOffset at, DifferenceReason unfound, DateOnly? foundIn, DateOnly? awaits) => new(
        foundIn is not null ? DifferenceReason.InOtherBill : awaits is not null ? DifferenceReason.AwaitsBill : unfound,
        ledger.OrderNumber, refundNumber, ledger.Payment, ledger.Number, "", null, null, fen, at, foundIn ?? awaits, foundIn is not null);
}
