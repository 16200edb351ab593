namespace DeviceHub.Core.Payments;

/// <summary>One payment for ever (I2): a terminal's serial number and the request id that it chose.</summary>
[GenerateSerializer, Immutable, Alias("dh.PaymentId")]
public readonly record struct PaymentId([property: Id(0)] string SerialNumber, [property: Id(1)] string RequestId)
{
    /// <summary>What the ids of tests begin with. A terminal's begin with an epoch, and none has these letters before the year 2050.</summary>
    public const string TestPrefix = "test-";

    /// <summary>
    /// The hub made it, to try the way to the test channel (<see cref="TestPayments"/>): no customer's money is in it, no sum has it, and its terminal
    /// is told nothing of it.
    /// </summary>
    public bool IsTest => RequestId.StartsWith(TestPrefix, StringComparison.Ordinal);

    /// <summary>The grain's key and the API's id: <c>{sn}/{requestId}</c>. Neither part can hold a slash.</summary>
    public override string ToString() => $"{SerialNumber}/{RequestId}";

    public static PaymentId Parse(string key)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && slash < key.Length - 1
            ? new(key[..slash], key[(slash + 1)..])
            : throw new FormatException($"'{key}' is not a payment id of the form sn/requestId");
    }
}

/// <summary>What a terminal asks for, before anyone has judged it. Amounts are fen; times are spans, never a terminal's wall clock.</summary>
/// <param name="Age">Since the scan, as the terminal measured it, at the moment this message was received.</param>
/// <param name="RepeatOf">With <paramref name="RepeatConfirmed"/>: the payment that a person says this one is not a duplicate of.</param>
/// <param name="ChargeId">Of the till's charge that this scan answers; null: none.</param>
[GenerateSerializer, Immutable, Alias("dh.PaymentRequest")]
public sealed record PaymentRequest(
    [property: Id(0)] string RequestId,
    [property: Id(1)] long AmountFen,
    [property: Id(2)] string Currency,
    [property: Id(3)] PaymentCode Code,
    [property: Id(4)] string? OrderNumber,
    [property: Id(5)] TimeSpan Age,
    [property: Id(6)] TimeSpan TimeToLive,
    [property: Id(7)] string? RepeatOf = null,
    [property: Id(8)] bool RepeatConfirmed = false,
    [property: Id(9)] string? ChargeId = null);

/// <summary>An admitted request, stamped by the terminal's grain with whose money it is.</summary>
/// <param name="ExpiresAt">By the hub's clock; the code is not sent to a channel after it.</param>
/// <param name="OnlyChannel">No account at another channel may take it; null: any may. A test's is the test channel.</param>
[GenerateSerializer, Immutable, Alias("dh.PaymentOrder")]
public sealed record PaymentOrder(
    [property: Id(0)] PaymentId Id,
    [property: Id(1)] PaymentRequest Request,
    [property: Id(2)] Wallet Wallet,
    [property: Id(3)] string MerchantId,
    [property: Id(4)] string MerchantName,
    [property: Id(5)] string StoreId,
    [property: Id(7)] DateTimeOffset ExpiresAt,
    [property: Id(8)] string? OnlyChannel = null);

/// <summary>The terminal's grain's answer to a request: an order or a refusal, never both.</summary>
[GenerateSerializer, Immutable, Alias("dh.Admission")]
public sealed record Admission([property: Id(0)] PaymentOrder? Order, [property: Id(1)] Refusal? Refusal);

/// <summary>How far a payment is. It only grows, but that a payment in doubt may be found waiting for its customer again.</summary>
[GenerateSerializer, Alias("dh.PaymentStage")]
public enum PaymentStage
{
    None = 0,
    Working = 1,
    AwaitingCustomer = 2,
    Cancelling = 3,
    InDoubt = 4,
    Final = 5,
}

/// <summary>What became of a payment. Stored and sent by value: never renumber.</summary>
[GenerateSerializer, Alias("dh.PaymentResult")]
public enum PaymentResult
{
    None = 0,
    Approved = 1,
    Declined = 2,
    NotCharged = 3,
    Refunded = 4,
}

/// <summary>Why a payment was declined, in terms of what the cashier does next. Stored and sent by value: never renumber.</summary>
[GenerateSerializer, Alias("dh.DeclineReason")]
public enum DeclineReason
{
    None = 0,
    InsufficientFunds = 1,
    CodeExpired = 2,
    CodeInvalid = 3,
    CustomerRefused = 4,
    Limit = 5,
    ChannelUnavailable = 6,
    Expired = 7,
    Other = 8,
}

/// <summary>A payment as its terminal may be told of it: only what is durable (I1).</summary>
/// <param name="Revision">Of the outcome, from 1; 0 while it is not final.</param>
/// <param name="FinalAt">When it became final; the receipt's time.</param>
/// <param name="ShownRevision">The largest revision that the terminal said it has shown.</param>
[GenerateSerializer, Immutable, Alias("dh.PaymentView")]
public sealed record PaymentView(
    [property: Id(0)] PaymentId Id,
    [property: Id(1)] PaymentStage Stage,
    [property: Id(2)] PaymentResult Result,
    [property: Id(3)] int Revision,
    [property: Id(4)] long AmountFen,
    [property: Id(5)] long PaidFen,
    [property: Id(6)] long DiscountFen,
    [property: Id(7)] Wallet Wallet,
    [property: Id(8)] string? ChannelTransaction,
    [property: Id(9)] string? Payer,
    [property: Id(10)] string MerchantName,
    [property: Id(11)] string? OrderNumber,
    [property: Id(12)] DeclineReason Reason,
    [property: Id(13)] DateTimeOffset AcceptedAt,
    [property: Id(14)] DateTimeOffset? FinalAt,
    [property: Id(15)] int ShownRevision);

/// <summary>
/// The answer to a payment request: how the payment stands, or why there is none. With I13's "already paid" the view is that of
/// another payment and its <see cref="PaymentView.Id"/> says which.
/// </summary>
[GenerateSerializer, Immutable, Alias("dh.PaymentAnswer")]
public sealed record PaymentAnswer([property: Id(0)] PaymentView? View, [property: Id(1)] Refusal? Refusal);
