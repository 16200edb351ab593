namespace DeviceHub.Core;

/// <summary>Why a message or an action was not acted upon. The wire has the same list; TerminalSession maps it by name.</summary>
[GenerateSerializer, Alias("dh.RefusalCode")]
public enum RefusalCode
{
    None = 0,
    Malformed = 1,
    Version = 2,
    NotLoggedIn = 3,
    Credentials = 4,
    Activation = 5,
    Hardware = 6,
    Seal = 7,
    Suspended = 8,
    NotBound = 9,
    Amount = 10,
    PaymentCode = 11,
    Expired = 12,
    RequestEpoch = 13,
    RequestConflict = 14,
    OrderOpen = 15,
    PossibleDuplicate = 16,
    UnknownPayment = 17,
    Busy = 18,
    Storage = 19,
    TooFast = 20,
    NotSubscribed = 21,
    Stopping = 22,
    NotActive = 23,
    UnsealedModel = 24,

    /// <summary>None of the merchant's channel accounts can take this payment now.</summary>
    NoChannel = 25,

    /// <summary>The till's charge that a request names is not open, or is another amount or order number.</summary>
    ChargeClosed = 26,

    /// <summary>The message came from a session that a newer one has replaced. Never sent: that session is cut.</summary>
    StaleSession = 100,

    /// <summary>A refund of a payment of which nothing is paid. Never sent to a terminal.</summary>
    NotApproved = 101,

    /// <summary>A refund of more than is left, or one too many. Never sent to a terminal.</summary>
    RefundTooLarge = 102,

    /// <summary>An idempotency key that was used for another charge. Never sent to a terminal, as all that follow.</summary>
    KeyReused = 103,

    /// <summary>The terminal has an open charge.</summary>
    ChargeOpen = 104,

    /// <summary>The order number is paid.</summary>
    OrderPaid = 105,

    /// <summary>The terminal's firmware collects no charges.</summary>
    CannotCollect = 106,

    /// <summary>Somebody else has changed what this change was made from.</summary>
    ChangedMeanwhile = 107,
}

/// <summary>A "no" that is an answer, not an error. A business refusal never throws.</summary>
/// <param name="Code">What kind of no.</param>
/// <param name="Detail">For an engineer, English, no secrets.</param>
/// <param name="OtherRequestId">The payment in the way, with OrderOpen and PossibleDuplicate.</param>
/// <param name="RetryAfter">Zero: the same message will be refused again.</param>
[GenerateSerializer, Immutable, Alias("dh.Refusal")]
public sealed record Refusal(
    [property: Id(0)] RefusalCode Code,
    [property: Id(1)] string Detail,
    [property: Id(2)] string? OtherRequestId = null,
    [property: Id(3)] TimeSpan RetryAfter = default);
