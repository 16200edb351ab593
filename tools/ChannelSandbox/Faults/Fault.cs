using DeviceHub.Tools.ChannelSandbox.Bank;

namespace DeviceHub.Tools.ChannelSandbox.Faults;

/// <summary>The kinds of calls, whatever a dialect calls them.</summary>
internal enum Api { Pay, Query, Reverse, Refund, RefundQuery, Bill, Other }

/// <summary>What a payment does to the payer.</summary>
internal enum Effect
{
    /// <summary>As without a fault.</summary>
    Usual,

    /// <summary>Nothing, and the channel knows nothing of it.</summary>
    Nothing,

    Charge,

    /// <summary>The order is known and not charged.</summary>
    Create,
    Refuse,
    Close,

    /// <summary>As if it had been reversed.</summary>
    Revoke,
    PasswordThenCharge,
    PasswordThenRefuse,
    PasswordThenClose,

    /// <summary>A password that nobody types.</summary>
    PasswordForEver,

    /// <summary>Known and not charged, charged later unless it is reversed before.</summary>
    ChargeLate,

    /// <summary>Not known at all, then charged: a reversal before that stops nothing.</summary>
    ChargeUnseen,
}

/// <summary>How an answer travels.</summary>
internal enum Answer
{
    Usual,
    Slow,
    Hang,
    Reset,

    /// <summary>An HTTP status with a page of HTML.</summary>
    Status,
    Garbage,

    /// <summary>The first half of the right answer, and the connection ends.</summary>
    Half,

    /// <summary>XML with a document type and an entity; JSON nested 500 deep.</summary>
    Hostile,

    /// <summary>100 MB.</summary>
    Huge,
    Empty,
    BadSignature,
    NoSignature,
}

/// <summary>One thing that goes wrong: what is done, what is answered, how it travels, and what stays with the order.</summary>
internal sealed record Fault(string Name)
{
    public Effect Effect { get; init; }

    public Answer Answer { get; init; }

    /// <summary>Of the dialect's table; answered instead of the truth.</summary>
    public string? Code { get; init; }

    /// <summary>The row of the dialect's table whose code is answered; 0: <see cref="Code"/> says it.</summary>
    public int Row { get; init; }

    public Traits Traits { get; init; }

    /// <summary>Of <see cref="Answer.Status"/>.</summary>
    public int Status { get; init; } = 500;

    /// <summary>How long it takes; null: the option's time.</summary>
    public TimeSpan? After { get; init; }

    /// <summary>Whether a call is carried out at all.</summary>
    public bool IsDone => Effect != Effect.Nothing;
}
