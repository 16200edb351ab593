using DeviceHub.Core.Payments;

namespace DeviceHub.Storage;

/// <summary>
/// A payment's current row, for lists and searches, in the search file. A projection of the ledger: it may lag (see <c>HubDbContext.PaymentsBehind</c>), and
/// nothing that decides about money reads it.
/// </summary>
public sealed class PaymentRow
{
    /// <summary>Of the payment's first event: the order of acceptance.</summary>
    public long Seq { get; init; }

    public required string SerialNumber { get; init; }

    public required string RequestId { get; init; }

    /// <summary>Of the last append that this row shows.</summary>
    public int Version { get; set; }

    public DateTimeOffset AcceptedAt { get; init; }

    /// <summary>How long before it was accepted the code was scanned, in milliseconds.</summary>
    public long ScanAgeMs { get; init; }

    public required string MerchantId { get; init; }

    public required string StoreId { get; init; }

    public long AmountFen { get; init; }

    public Wallet Wallet { get; init; }

    public required string CodeLastFour { get; init; }

    public string? OrderNumber { get; init; }

    public PaymentStage Stage { get; set; }

    /// <summary>None while it is not final.</summary>
    public PaymentResult Result { get; set; }

    public DeclineReason Reason { get; set; }

    public int Revision { get; set; }

    public int ShownRevision { get; set; }

    public long PaidFen { get; set; }

    public long DiscountFen { get; set; }

    /// <summary>Of the paid amount, what is known to be back at the payer.</summary>
    public long RefundedFen { get; set; }

    public DateTimeOffset? FinalAt { get; set; }

    public int Attempts { get; set; }

    /// <summary>The ledger says that a person must look, or had to: it is never taken back.</summary>
    public bool NeedsAttention { get; set; }

    /// <summary>Of the attempt that the outcome is about, before that of the last one; every attempt's number finds the payment through the ledger's own key.</summary>
    public string? ChannelOrderNumber { get; set; }

    public string? Channel { get; set; }

    /// <summary>Of the same attempt as <see cref="ChannelOrderNumber"/>; a merchant's id when it had no account.</summary>
    public string? ChannelAccount { get; set; }

    public string? ChannelTransaction { get; set; }

    public string? Payer { get; set; }
}
