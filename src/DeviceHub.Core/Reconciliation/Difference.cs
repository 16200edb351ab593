using DeviceHub.Core.Payments;

namespace DeviceHub.Core.Reconciliation;

/// <summary>What kind of difference a report shows. Stored by value: never renumber.</summary>
public enum DifferenceClass
{
    AmountDiffers = 1,

    /// <summary>An order number of ours that the channel charged and our books did not.</summary>
    OnlyAtChannel = 2,

    /// <summary>An order of another system on the same account.</summary>
    NotOurs = 3,
    OnlyInLedger = 4,

    /// <summary>Not an alarm: it belongs to the bill of a day around, or may.</summary>
    OtherDay = 5,
    Duplicate = 6,
    RefundMismatch = 7,
    FeeDiffers = 8,

    /// <summary>Not an alarm: an order of another account of the same merchant, whose own reconciliation judges it.</summary>
    SharedBill = 9,
}

/// <summary>What exactly differs. Stored by value: never renumber.</summary>
public enum DifferenceReason
{
    /// <summary>Charged at the channel with another amount than in our books.</summary>
    AmountDiffers = 1,

    /// <summary>Charged at the channel; our books say that it was not: a late success.</summary>
    LateSuccess = 10,

    /// <summary>Charged at the channel; our books have not settled it yet.</summary>
    NotSettled = 11,

    /// <summary>Charged at the channel; our books say it went back, and no bill shows that.</summary>
    NotReturned = 12,

    /// <summary>The number has our shape and our books have no such order.</summary>
    NoSuchOrder = 13,

    /// <summary>Our books have the order on another account, which is of another merchant.</summary>
    OtherAccount = 14,

    /// <summary>Another system's order on the same account.</summary>
    NotOurs = 20,

    /// <summary>Our books have the order on another account of the merchant that shares the bill.</summary>
    SharedBill = 21,

    /// <summary>Charged in our books; the channel's bill has no such row.</summary>
    NotInBill = 30,

    /// <summary>Charged in our books near midnight: it may be in the bill of the day around.</summary>
    AwaitsBill = 40,

    /// <summary>Charged at the channel and undone by us: the bill of the next day should show what went back.</summary>
    AwaitsReturn = 41,

    /// <summary>It is in the bill of another day.</summary>
    InOtherBill = 42,

    /// <summary>The bill has two charges with one order number.</summary>
    ChargedTwice = 50,

    /// <summary>Another attempt of the same payment is charged too.</summary>
    PaymentPaidTwice = 51,

    /// <summary>Another payment of the same merchant's order is paid too.</summary>
    OrderPaidTwice = 52,

    /// <summary>The channel paid back what our books never asked for.</summary>
    RefundUnknown = 60,

    /// <summary>Refunded in our books; the channel's bill has no such row.</summary>
    RefundNotInBill = 61,
    RefundAmountDiffers = 62,

    /// <summary>The channel paid it back; our books say that it refused to.</summary>
    RefundFailedInBooks = 63,

    FeeDiffers = 70,
}

/// <summary>One row of a report.</summary>
/// <param name="Payment">Of ours; null: our books know of none.</param>
/// <param name="Attempt">From 1; 0 without a payment.</param>
/// <param name="Line">In the bill; null: not in it.</param>
/// <param name="BillFen">Null: not in the bill. Of a fee: the fee.</param>
/// <param name="LedgerFen">Null: not in our books.</param>
/// <param name="At">The channel's time; of what is not in the bill, ours.</param>
/// <param name="Awaits">Of what may be in the bill of a day around: that day.</param>
/// <param name="Settled">Found in another bill, another account's, or gone when the run was repeated: nothing is left to do.</param>
public sealed record Difference(
    DifferenceReason Reason,
    string OrderNumber,
    string RefundNumber,
    PaymentId? Payment,
    int Attempt,
    string Transaction,
    int? Line,
    long? BillFen,
    long? LedgerFen,
    DateTimeOffset At,
    DateOnly? Awaits = null,
    bool Settled = false)
{
    public DifferenceClass Class => ClassOf(Reason);

    /// <summary>Which question about its row it answers: with order, refund and line it says whether a repeated run found it again.</summary>
    public int Topic => Reason switch
    {
        DifferenceReason.AmountDiffers => 2,
        DifferenceReason.FeeDiffers => 3,
        _ => 1,
    };

    /// <summary>The money that it is about.</summary>
    public long Fen => BillFen ?? LedgerFen ?? 0;

    /// <summary>A refund is proposed for it: the customer was charged for nothing, and our books know the payment.</summary>
    public bool ProposesRefund => !Settled && IsChargeForNothing;

    /// <summary>What a refund was proposed for is gone by the bills.</summary>
    public bool EndsProposal => Settled && Line is not null && (IsChargeForNothing || Reason == DifferenceReason.InOtherBill);

    /// <summary>Of two charges that our books have neither of, the first is the late success, and what its payment finds out settles both.</summary>
    private bool IsChargeForNothing => Payment is not null && Reason switch
    {
        DifferenceReason.LateSuccess or DifferenceReason.PaymentPaidTwice or DifferenceReason.OrderPaidTwice => true,
        DifferenceReason.ChargedTwice => LedgerFen is not null,
        _ => false,
    };

    public static DifferenceClass ClassOf(DifferenceReason reason) => reason switch
    {
        DifferenceReason.AmountDiffers => DifferenceClass.AmountDiffers,
        DifferenceReason.LateSuccess or DifferenceReason.NotSettled or DifferenceReason.NotReturned or DifferenceReason.NoSuchOrder or DifferenceReason.OtherAccount
            => DifferenceClass.OnlyAtChannel,
        DifferenceReason.NotOurs => DifferenceClass.NotOurs,
        DifferenceReason.SharedBill => DifferenceClass.SharedBill,
        DifferenceReason.NotInBill => DifferenceClass.OnlyInLedger,
        DifferenceReason.AwaitsBill or DifferenceReason.AwaitsReturn or DifferenceReason.InOtherBill => DifferenceClass.OtherDay,
        DifferenceReason.ChargedTwice or DifferenceReason.PaymentPaidTwice or DifferenceReason.OrderPaidTwice => DifferenceClass.Duplicate,
        DifferenceReason.RefundUnknown or DifferenceReason.RefundNotInBill or DifferenceReason.RefundAmountDiffers or DifferenceReason.RefundFailedInBooks
            => DifferenceClass.RefundMismatch,
        DifferenceReason.FeeDiffers => DifferenceClass.FeeDiffers,
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "a reason without a class"),
    };
}
