namespace DeviceHub.Core.Payments;

/// <summary>Finds payments for people and programs, newest first. It follows the ledger with a small lag, and nothing that decides about money reads it.</summary>
public interface IPaymentSearch
{
    /// <summary>Throws <see cref="TimeoutException"/> when it took longer than reads may.</summary>
    Task<PaymentsFound> Find(PaymentFilter filter, PaymentSlice slice, CancellationToken stop);

    /// <summary>How many the filter finds, counted no further than <paramref name="atMost"/>.</summary>
    /// <param name="newerThan">Only those above it in the list; null: all.</param>
    Task<int> Count(PaymentFilter filter, PaymentPosition? newerThan, int atMost, CancellationToken stop);

    /// <summary>Payments that were found before, as they are now, in no order.</summary>
    /// <param name="seqs">Of their positions.</param>
    Task<IReadOnlyList<PaymentSummary>> Read(IReadOnlyCollection<long> seqs, CancellationToken stop);
}

/// <summary>What payments are looked for; null: whatever it is.</summary>
public sealed record PaymentFilter
{
    /// <summary>What somebody typed: <see cref="PaymentWord"/>.</summary>
    public string? Text { get; init; }

    public string? SerialNumber { get; init; }

    public string? MerchantId { get; init; }

    public string? StoreId { get; init; }

    public string? OrderNumber { get; init; }

    /// <summary>Of any of its attempts.</summary>
    public string? ChannelOrderNumber { get; init; }

    /// <summary>Accepted at it or later.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Accepted before it.</summary>
    public DateTimeOffset? To { get; init; }

    public long? MinFen { get; init; }

    public long? MaxFen { get; init; }

    public Wallet? Wallet { get; init; }

    /// <summary>Of the attempt that the outcome is about.</summary>
    public string? Channel { get; init; }

    public PaymentStatus? Status { get; init; }

    public PaymentStage? Stage { get; init; }

    public PaymentResult? Result { get; init; }

    /// <summary>The ledger says that a person must look, or had to.</summary>
    public bool? NeedsAttention { get; init; }

    /// <summary>Its terminal did not say within <see cref="Terminals.TerminalOptions.ShownWithinSeconds"/> that it has shown the outcome.</summary>
    public bool? OutcomeNotShown { get; init; }

    /// <summary>Test payments, which no sum counts, or all others.</summary>
    public bool? IsTest { get; init; }
}

/// <summary>Which part of what is found.</summary>
/// <param name="OlderThan">Only what comes after it in the list, however deep it is; null: from the newest.</param>
/// <param name="Skip">Rows to leave out first: each costs time.</param>
public sealed record PaymentSlice(int Limit, PaymentPosition? OlderThan = null, int Skip = 0);

/// <summary>A place in the list: its order is the time of acceptance, then the order of the ledger.</summary>
public readonly record struct PaymentPosition(DateTimeOffset AcceptedAt, long Seq)
{
    /// <summary>Just above this payment: what is older than that begins with it.</summary>
    public PaymentPosition Above => this with { Seq = Seq + 1 };

    /// <summary>For an address; <see cref="TryParse"/> reads it.</summary>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{AcceptedAt.ToUnixTimeMilliseconds()}.{Seq}");

    public static bool TryParse(string? text, out PaymentPosition position)
    {
        position = default;
        var parts = (text ?? "").Split('.');
        if (parts.Length != 2 || parts.Any(p => p.Length is 0 or > 18 || !p.All(char.IsAsciiDigit)) || long.Parse(parts[0], null) is var ms && ms > 253_402_300_799_999)
        {
            return false;
        }

        position = new(DateTimeOffset.FromUnixTimeMilliseconds(ms), long.Parse(parts[1], null));
        return true;
    }
}

/// <param name="More">There are older ones.</param>
/// <param name="Behind">Ledger entries that the list may not show yet; 0: it shows all that there were when it was asked for.</param>
/// <param name="ReadAs">What <see cref="PaymentFilter.Text"/> was taken for; None: there was no text, or it is nothing that is known.</param>
public sealed record PaymentsFound(IReadOnlyList<PaymentSummary> Items, bool More, long Behind, PaymentWordKind ReadAs);

/// <summary>A payment in a list.</summary>
/// <param name="MerchantName">As it is today; null: the merchant is no longer known.</param>
/// <param name="PaidFen">What the payer paid; the rest of the amount is discount.</param>
/// <param name="RefundedFen">Known to be back at the payer.</param>
/// <param name="ChannelOrderNumber">Of the attempt that the outcome is about, before that of the last one; channel, account and transaction are of the same.</param>
/// <param name="Payer">As the channel masks it.</param>
public sealed record PaymentSummary(
    PaymentId Id, PaymentPosition Position, string MerchantId, string? MerchantName, string StoreId, string? StoreName, long AmountFen, long PaidFen, long DiscountFen, long RefundedFen,
    Wallet Wallet, string CodeLastFour, string? OrderNumber, PaymentStage Stage, PaymentResult Result, DeclineReason Reason, int Revision, int ShownRevision, DateTimeOffset? FinalAt, int Attempts,
    string? Channel, string? ChannelAccount, string? ChannelOrderNumber, string? ChannelTransaction, string? Payer, bool NeedsAttention)
{
    public DateTimeOffset AcceptedAt => Position.AcceptedAt;

    public PaymentStatus Status => PaymentStatuses.Of(Stage, Result, AmountFen, RefundedFen);
}

/// <summary>How a payment stands, in one word for people: stage, result and refunds together.</summary>
public enum PaymentStatus
{
    Working,
    AwaitingCustomer,
    Cancelling,
    InDoubt,
    Approved,

    /// <summary>Paid, and a part is back.</summary>
    PartlyRefunded,

    /// <summary>All is back: given back by people, or by the hub of a late charge.</summary>
    Refunded,
    Declined,
    NotCharged,
}

public static class PaymentStatuses
{
    public static PaymentStatus Of(PaymentStage stage, PaymentResult result, long amountFen, long refundedFen) => result switch
    {
        PaymentResult.Approved when refundedFen == 0 => PaymentStatus.Approved,
        PaymentResult.Approved when refundedFen < amountFen => PaymentStatus.PartlyRefunded,
        PaymentResult.Approved or PaymentResult.Refunded => PaymentStatus.Refunded,
        PaymentResult.Declined => PaymentStatus.Declined,
        PaymentResult.NotCharged => PaymentStatus.NotCharged,
        _ => stage switch
        {
            PaymentStage.AwaitingCustomer => PaymentStatus.AwaitingCustomer,
            PaymentStage.Cancelling => PaymentStatus.Cancelling,
            PaymentStage.InDoubt => PaymentStatus.InDoubt,
            _ => PaymentStatus.Working,
        },
    };
}
