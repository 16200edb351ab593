namespace DeviceHub.Core.Payments;

/// <summary>What happened to a payment, as steps in lanes, for people: when, how long, and why. Folded from the ledger's events and nothing else.</summary>
/// <param name="ScannedAt">By the terminal's own measure of the scan's age; times are told from it.</param>
/// <param name="Lanes">The terminal, the hub, and each account that an attempt went to.</param>
/// <param name="Steps">By their beginning.</param>
public sealed record PaymentTimeline(DateTimeOffset ScannedAt, IReadOnlyList<TimelineLane> Lanes, IReadOnlyList<TimelineStep> Steps)
{
    public const int Terminal = 0;
    public const int Hub = 1;

    public static PaymentTimeline Of(PaymentId id, IReadOnlyList<PaymentEvent> events)
    {
        var lines = new TimelineLines();
        PaymentState? state = null;
        foreach (var e in events)
        {
            lines.Add(state, e);
            state = PaymentState.Apply(id, state, e);
        }

        return lines.Done();
    }
}

/// <param name="Channel">Null: the terminal, or the hub.</param>
public sealed record TimelineLane(string? Channel = null, string? Account = null);

public enum TimelineStepKind
{
    /// <summary>Until the scan had arrived and was in the ledger.</summary>
    Scanned,
    Accepted,

    /// <summary>The hub chose an account.</summary>
    Routed,

    /// <summary>The payment was with the channel.</summary>
    Paid,

    /// <summary>An answer to a payment that had been given up waiting for.</summary>
    LateAnswer,

    /// <summary>The hub had stopped, and found the attempt without an answer.</summary>
    Interrupted,
    Queried,
    Cancelled,
    Reversed,
    Refunded,

    /// <summary>The channel called by itself.</summary>
    Noticed,
    Outcome,

    /// <summary>Until the terminal had shown the outcome.</summary>
    Shown,
    Attention,
}

/// <summary>Why a step was done.</summary>
public enum TimelineReason
{
    None,

    /// <summary>The customer types a password.</summary>
    CustomerTypes,

    /// <summary>Nobody knows whether the customer was charged.</summary>
    InDoubt,

    /// <summary>The channel, or a late answer, hinted at something.</summary>
    Hinted,

    /// <summary>What a reversal did is to be seen.</summary>
    AfterReversal,

    /// <summary>A settled payment is asked about once more.</summary>
    ToBeSure,

    /// <summary>A cancel was asked for.</summary>
    CancelWanted,

    /// <summary>The payment was settled otherwise.</summary>
    NotNeeded,

    /// <summary>The customer took too long.</summary>
    TypedTooLong,

    /// <summary>It stayed in doubt too long.</summary>
    DoubtTooLong,

    /// <summary>The channel found no such order: nothing may be charged after this.</summary>
    NotFound,

    /// <summary>The reversal before did nothing, or was not answered.</summary>
    Again,

    /// <summary>The first account for this payment.</summary>
    First,

    /// <summary>The attempt before was proven not to have reached the payer.</summary>
    NotReached,

    /// <summary>The channel proved the charge.</summary>
    Charged,

    /// <summary>The channel declined, and the payer must act.</summary>
    DeclinedByChannel,

    /// <summary>No account took it.</summary>
    NoAccountTookIt,

    /// <summary>The channel proved that nothing is charged any more.</summary>
    ProvenNotCharged,

    /// <summary>The channel knows no such order, long after the code could be charged.</summary>
    ProvenUnknown,

    /// <summary>The money of a charge that nobody was told of is back.</summary>
    GivenBack,

    /// <summary>Charged, and nobody was told so.</summary>
    ChargedLate,

    /// <summary>Reversals were answered and did nothing.</summary>
    ReversalsUseless,

    /// <summary>The channel reverses nothing that is so old.</summary>
    TooOldToReverse,

    /// <summary>A person or a program asked for it.</summary>
    AskedFor,
}

/// <param name="Lane">Index into <see cref="PaymentTimeline.Lanes"/>.</param>
/// <param name="To">The same as <paramref name="From"/>: a moment. Null: it has not ended yet.</param>
public sealed record TimelineStep(TimelineStepKind Kind, int Lane, DateTimeOffset From, DateTimeOffset? To, TimelineReason Reason = TimelineReason.None)
{
    /// <summary>0: of the whole payment.</summary>
    public int Attempt { get; init; }

    /// <summary>What the channel said, last; null: nothing yet, or nobody was asked.</summary>
    public ChannelVerdict? Said { get; init; }

    /// <summary>How often the same was done and said, one after the other.</summary>
    public int Times { get; init; } = 1;

    /// <summary>Who asked: <c>terminal</c>, <c>user:NAME</c>, <c>key:ID</c>; null: the hub itself.</summary>
    public string? By { get; init; }

    /// <summary>In the ledger's own words, English, or as a person wrote it: why this account, why this refund, what people must look at.</summary>
    public string? Note { get; init; }

    /// <summary>Of an attempt or a refund, at its channel.</summary>
    public string? Number { get; init; }

    public long AmountFen { get; init; }

    /// <summary>Of an outcome, and of one that is shown.</summary>
    public OutcomeReached? Outcome { get; init; }
}
