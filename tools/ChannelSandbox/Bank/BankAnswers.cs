namespace DeviceHub.Tools.ChannelSandbox.Bank;

/// <summary>What came of a payment, before a dialect gives it a name.</summary>
internal enum PayOutcome
{
    Paid,
    Waiting,

    /// <summary>Known, not charged.</summary>
    Created,
    Refused,
    Closed,
    Revoked,

    /// <summary>Nothing was done.</summary>
    Nothing,

    /// <summary>The order number was there before, with this amount and code; its state is the order's.</summary>
    Again,

    /// <summary>The order number was there before, with another amount or code.</summary>
    NumberUsed,
    CodeUsed,

    /// <summary>The book holds no more orders.</summary>
    Full,
}

internal readonly record struct PayAnswer(PayOutcome Outcome, Order? Order);

internal enum QueryOutcome { Found, NotFound, SystemError }

internal readonly record struct QueryAnswer(QueryOutcome Outcome, Order? Order);

internal enum ReverseOutcome
{
    /// <summary>Never charged; now it never will be.</summary>
    Closed,

    /// <summary>Was charged, is paid back.</summary>
    PaidBack,

    NotFound,
    TooEarly,
    TooLate,

    /// <summary>Refunds went before.</summary>
    Refunded,
}

internal readonly record struct ReverseAnswer(ReverseOutcome Outcome, Order? Order);

internal enum RefundOutcome
{
    Accepted,

    /// <summary>The same refund again.</summary>
    Again,
    NoOrder,
    NotPaid,

    /// <summary>The same number with another amount or order.</summary>
    Differs,
    TooMuch,
    TooMany,

    /// <summary>It was done or not, and is not answered.</summary>
    Lost,
}

internal readonly record struct RefundAnswer(RefundOutcome Outcome, Order? Order, Refund? Refund);

/// <summary>A payment as a dialect has read and checked it.</summary>
internal readonly record struct Payment(OrderKey Key, long Fen, UInt128 Code)
{
    public string Subject { get; init; } = "";

    public string Application { get; init; } = "";

    public string? Device { get; init; }

    public string? Attach { get; init; }

    public string? NotifyUrl { get; init; }

    public bool IsV3 { get; init; }
}
