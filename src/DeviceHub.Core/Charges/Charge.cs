using DeviceHub.Core.Payments;

namespace DeviceHub.Core.Charges;

/// <summary>How far a charge is. Stored and sent by value: never renumber. What stands between Paying and Closed is the payment's and is not stored.</summary>
[GenerateSerializer, Alias("dh.ChargeStage")]
public enum ChargeStage
{
    None = 0,

    /// <summary>The terminal has been asked to collect and has not said that it does.</summary>
    Sent = 1,

    /// <summary>The terminal shows the amount and waits for a scan.</summary>
    Collecting = 2,

    /// <summary>A payment has consumed it.</summary>
    Paying = 3,

    /// <summary>The customer types a password.</summary>
    AwaitingCustomer = 4,

    /// <summary>A cancel of the payment is being worked on.</summary>
    Cancelling = 5,

    /// <summary>Nobody knows yet whether the customer was charged.</summary>
    InDoubt = 6,

    Closed = 7,
}

/// <summary>How a charge ended. Stored and sent by value: never renumber.</summary>
[GenerateSerializer, Alias("dh.ChargeEnd")]
public enum ChargeEnd
{
    None = 0,
    Paid = 1,
    Declined = 2,

    /// <summary>A payment was made and undone, or proven not to have been.</summary>
    NotCharged = 3,

    /// <summary>Charged late and given back.</summary>
    Refunded = 4,

    /// <summary>By the till, before anybody scanned.</summary>
    Cancelled = 5,

    /// <summary>By the cashier at the terminal, before anybody scanned.</summary>
    CancelledAtTerminal = 6,

    /// <summary>Nobody scanned in time.</summary>
    Expired = 7,

    /// <summary>The terminal did not say in time that it collects.</summary>
    Unreachable = 8,

    /// <summary>The terminal cannot collect now.</summary>
    TerminalBusy = 9,

    /// <summary>The order number had been paid by another payment.</summary>
    OrderPaid = 10,
}

/// <summary>A charge as it is stored. A payment's Accept consumes it in its own transaction; everything else is a compare-and-set on the version.</summary>
public sealed record Charge
{
    /// <summary>The hub's own, in the shape of a request id.</summary>
    public required string Id { get; init; }

    public required string SerialNumber { get; init; }

    public required string MerchantId { get; init; }

    public required string StoreId { get; init; }

    public required string OrderNumber { get; init; }

    public required long AmountFen { get; init; }

    /// <summary>The till's: unique at its merchant.</summary>
    public required string IdempotencyKey { get; init; }

    /// <summary>Who asked: <c>key:ID</c> or <c>user:NAME</c>.</summary>
    public required string By { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>No scan answers it after this.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>One of the stored ones.</summary>
    public ChargeStage Stage { get; init; }

    public ChargeEnd Ended { get; init; }

    public DateTimeOffset? CollectingAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>The payment that answers it, <c>{sn}/{requestId}</c>; of one that ended OrderPaid, the payment that was before it.</summary>
    public string? Payment { get; init; }

    /// <summary>Of the payment's outcome that is told; 0: there is none.</summary>
    public int Revision { get; init; }

    /// <summary>From 1; each write adds 1, the ledger's too.</summary>
    public long Version { get; init; }

    /// <summary>A scan would answer it.</summary>
    public bool IsOpen => Stage is ChargeStage.Sent or ChargeStage.Collecting;
}

/// <summary>What a till asks for.</summary>
/// <param name="Lifetime">How long a scan is waited for.</param>
/// <param name="IdempotencyKey">1 to 64 characters of the till's: the same key and contents are the same charge, however often it is asked for.</param>
/// <param name="By">Who asks.</param>
/// <param name="OnlyOf">Who asks may do so for terminals of this merchant alone; null: of every merchant.</param>
[GenerateSerializer, Immutable, Alias("dh.NewCharge")]
public sealed record NewCharge(
    [property: Id(0)] string SerialNumber,
    [property: Id(1)] long AmountFen,
    [property: Id(2)] string OrderNumber,
    [property: Id(3)] TimeSpan Lifetime,
    [property: Id(4)] string IdempotencyKey,
    [property: Id(5)] string By,
    [property: Id(6)] string? OnlyOf = null);

/// <summary>A charge as its till may be told of it: only what is durable.</summary>
/// <param name="Revision">Of the payment's outcome; it grows when "not charged" becomes "refunded". 0: no outcome of a payment.</param>
/// <param name="Payment">The payment that answers it; of one that ended OrderPaid, the payment that was before it. Null: none.</param>
[GenerateSerializer, Immutable, Alias("dh.ChargeView")]
public sealed record ChargeView(
    [property: Id(0)] string Id,
    [property: Id(1)] string SerialNumber,
    [property: Id(2)] string MerchantId,
    [property: Id(3)] string StoreId,
    [property: Id(4)] string OrderNumber,
    [property: Id(5)] long AmountFen,
    [property: Id(6)] ChargeStage Stage,
    [property: Id(7)] ChargeEnd Ended,
    [property: Id(8)] int Revision,
    [property: Id(9)] DateTimeOffset CreatedAt,
    [property: Id(10)] DateTimeOffset ExpiresAt,
    [property: Id(11)] DateTimeOffset? CollectingAt,
    [property: Id(12)] DateTimeOffset? EndedAt,
    [property: Id(13)] PaymentView? Payment);

/// <param name="IsNew">This call began it.</param>
/// <param name="Other">With a refusal: the charge or payment in the way.</param>
[GenerateSerializer, Immutable, Alias("dh.ChargeAnswer")]
public sealed record ChargeAnswer(
    [property: Id(0)] ChargeView? View,
    [property: Id(1)] Refusal? Refusal,
    [property: Id(2)] bool IsNew = false,
    [property: Id(3)] string? Other = null);
