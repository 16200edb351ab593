using DeviceHub.Core.Payments;

namespace DeviceHub.Core.Reconciliation;

/// <summary>What our books say of an attempt's money. Stored by value: never renumber.</summary>
public enum AttemptMoney
{
    /// <summary>Not settled yet: its payment still works on it.</summary>
    Open = 0,

    /// <summary>Proven not charged, as far as our books know.</summary>
    NotCharged = 1,

    /// <summary>Charged; what went back is in its refunds.</summary>
    Charged = 2,

    /// <summary>Was charged and paid back whole by a reversal.</summary>
    Returned = 3,
}

/// <summary>What our books say of a refund. Stored by value: never renumber.</summary>
public enum RefundMoney { Open = 0, Done = 1, Failed = 2 }

/// <summary>One attempt as reconciliation needs it, from the ledger's projection.</summary>
/// <param name="Number">Of the attempt in its payment, from 1.</param>
/// <param name="FeeFen">What its channel should take; null: nobody said.</param>
/// <param name="Twice">Why its customer paid twice if the channel has it, as our books stand; null: they do not know of another charge.</param>
public sealed record LedgerAttempt(
    string OrderNumber, PaymentId Payment, int Number, long AmountFen, AttemptMoney Money, long? FeeFen, DifferenceReason? Twice, IReadOnlyList<LedgerRefund> Refunds)
{
    /// <summary>What a bill should show of it: of a charge that a refund gave back whole, the charge.</summary>
    public AttemptMoney InBill => Money == AttemptMoney.Returned && Refunds.Where(r => r.Money == RefundMoney.Done).Sum(r => r.AmountFen) >= AmountFen ? AttemptMoney.Charged : Money;

    /// <summary>Of one attempt of a payment.</summary>
    public static AttemptMoney MoneyOf(AttemptState attempt) => attempt.Fate switch
    {
        AttemptFate.Charged => AttemptMoney.Charged,
        AttemptFate.NotCharged when attempt.Answer?.Verdict is Verdict.Approved or Verdict.Reversed or Verdict.Refunded => AttemptMoney.Returned,
        AttemptFate.NotCharged => AttemptMoney.NotCharged,
        _ => AttemptMoney.Open,
    };

    public static RefundMoney MoneyOf(RefundStanding refund) => refund switch
    {
        RefundStanding.Done => RefundMoney.Done,
        RefundStanding.Failed => RefundMoney.Failed,
        _ => RefundMoney.Open,
    };
}

public sealed record LedgerRefund(string Number, long AmountFen, RefundMoney Money, DateTimeOffset StartedAt);
