namespace DeviceHub.Core.Payments;

/// <summary>What is known of one attempt's money.</summary>
public enum AttemptFate
{
    /// <summary><c>Pay</c> was, or is about to be, called.</summary>
    InFlight,

    /// <summary>The payer types a password: possibly charged at any moment.</summary>
    Pending,

    /// <summary>Possibly charged (I5).</summary>
    Unknown,
    Charged,

    /// <summary>Proven: not charged, or paid back.</summary>
    NotCharged,
}

/// <summary>One attempt, folded from its events.</summary>
public sealed record AttemptState
{
    public required int Number { get; init; }
    public required string Channel { get; init; }
    public required string Account { get; init; }
    public required string OrderNumber { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public required DateTimeOffset Deadline { get; init; }
    public AttemptFate Fate { get; init; }

    /// <summary>The time of the last event of this attempt: waits count from it.</summary>
    public DateTimeOffset LastStepAt { get; init; }
    public DateTimeOffset? UnknownSince { get; init; }
    public DateTimeOffset? PendingSince { get; init; }

    /// <summary>Queries answered since the attempt began, or since its last reversal.</summary>
    public int Queries { get; init; }

    /// <summary>Queries answered since the attempt began.</summary>
    public int QueriesInAll { get; init; }

    /// <summary>A query has said paid since the last reversal began: that reversal did nothing.</summary>
    public bool PaidSinceReversal { get; init; }
    public int NotFounds { get; init; }

    /// <summary>The last query said "not found".</summary>
    public bool HeardNotFound { get; init; }

    /// <summary>A "not found" that was not the first, and was asked after I5's wait.</summary>
    public bool QuietNotFound { get; init; }

    /// <summary>A reversal that was answered after it.</summary>
    public bool ReversedWhenQuiet { get; init; }

    /// <summary>When it became NotCharged on "not found" alone: it is asked about again later.</summary>
    public DateTimeOffset? NotFoundAt { get; init; }

    /// <summary>The last proof since the payment became final: late checks up to this time are done.</summary>
    public DateTimeOffset? LateCheckedAt { get; init; }

    public int Reversals { get; init; }
    public int ReversalsAnswered { get; init; }

    /// <summary>Begins and ends of reversals: a query that was asked at another count says nothing of the last reversal.</summary>
    public int ReversalSteps { get; init; }

    /// <summary>A late reply of <c>Pay</c>, a notice, or an answer that is older than a reversal, hints at what only a query can say: ask at once.</summary>
    public bool AskNow { get; init; }
    public ChannelVerdict? LastNotice { get; init; }
    public int Notices { get; init; }
    public ChannelVerdict? Answer { get; init; }

    /// <summary>Its money may be at the channel, or on its way there.</summary>
    public bool IsPossiblyCharged => Fate != AttemptFate.NotCharged;

    public bool SettledOnNotFound => NotFoundAt is not null;

    internal static AttemptState Begin(AttemptStarted x) => new()
    {
        Number = x.Attempt,
        Channel = x.Channel,
        Account = x.Account,
        OrderNumber = x.ChannelOrderNumber,
        StartedAt = x.At,
        Deadline = x.Deadline,
        LastStepAt = x.At,
    };

    internal AttemptState After(PayAnswered x)
    {
        if (Fate != AttemptFate.InFlight)
        {
            // It came after the attempt was given up waiting for. Only a query may move an attempt out of Unknown (I5).
            return Doubt(x.Verdict.Verdict, x.At);
        }

        // A notice that came first and says otherwise: only a query can tell who is right.
        var contradicted = LastNotice?.Verdict is Verdict.Approved or Verdict.Pending;
        return x.Verdict.Verdict switch
        {
            Verdict.Approved => this with { Fate = AttemptFate.Charged, Answer = x.Verdict, AskNow = AskNow && LastNotice!.Verdict != Verdict.Approved },
            Verdict.Declined or Verdict.Rerouteable when !contradicted => this with { Fate = AttemptFate.NotCharged, Answer = x.Verdict, AskNow = false },
            Verdict.Pending => this with { Fate = AttemptFate.Pending, PendingSince = x.At, Answer = x.Verdict },
            _ => this with { Fate = AttemptFate.Unknown, UnknownSince = x.At, Answer = x.Verdict },
        };
    }

    internal AttemptState Interrupt(DateTimeOffset at) => this with { Fate = AttemptFate.Unknown, UnknownSince = at };

    internal AttemptState After(NoticeReceived x) =>
        Doubt(x.Verdict.Verdict, x.At) with { Notices = Notices + 1, LastNotice = x.Verdict };

    /// <summary>What a notice may tell that is not known, and is no repeat.</summary>
    internal bool IsNews(ChannelVerdict notice, int maxNotices) =>
        Notices < maxNotices && notice != LastNotice && Fate switch
        {
            AttemptFate.Charged => notice.Verdict is Verdict.Declined or Verdict.Closed or Verdict.Reversed or Verdict.Refunded,
            AttemptFate.NotCharged => notice.Verdict is Verdict.Approved or Verdict.Pending,
            AttemptFate.Pending => notice.Verdict is not (Verdict.Pending or Verdict.Unknown),
            _ => notice.Verdict != Verdict.Unknown,
        };

    /// <param name="final">The payment has its outcome.</param>
    /// <param name="refundKnown">Its refund is the hub's own doing: "refunded" is then no news of the charge.</param>
    internal AttemptState After(Queried x, bool final, bool refundKnown)
    {
        // By its time, not by counting: a query that was under way when the payment became final is no late check.
        var overtaken = x.Stale && x.Verdict.Verdict is Verdict.Approved or Verdict.NotFound or Verdict.Pending;
        var proves = final && !overtaken && x.Verdict.Verdict is not (Verdict.Pending or Verdict.Unknown);
        var a = this with
        {
            AskNow = overtaken,
            Queries = Queries + 1,
            QueriesInAll = QueriesInAll + 1,
            HeardNotFound = x.Verdict.Verdict == Verdict.NotFound,
            LateCheckedAt = proves ? x.At : LateCheckedAt,
        };
        return overtaken ? a : a.Learn(x, refundKnown);
    }

    internal AttemptState StartReversal() => ReversalStep() with { Reversals = Reversals + 1 };

    internal AttemptState After(ReversalAnswered x)
    {
        var answered = x.Verdict.Verdict != Verdict.Unknown;
        return ReversalStep() with
        {
            ReversalsAnswered = ReversalsAnswered + (answered ? 1 : 0),
            ReversedWhenQuiet = ReversedWhenQuiet || (answered && QuietNotFound),
        };
    }

    private AttemptState Learn(Queried x, bool refundKnown)
    {
        switch (x.Verdict.Verdict)
        {
            case Verdict.Approved:
                return this with { Fate = AttemptFate.Charged, Answer = x.Verdict, PaidSinceReversal = true };
            case Verdict.Reversed or Verdict.Refunded when Fate == AttemptFate.Charged && refundKnown:
                return this;
            case Verdict.Declined or Verdict.Closed or Verdict.Reversed or Verdict.Refunded:
                return this with { Fate = AttemptFate.NotCharged, Answer = Fate == AttemptFate.Charged ? Answer : x.Verdict };
            case Verdict.Pending when Fate is AttemptFate.Unknown:
                return this with { Fate = AttemptFate.Pending, PendingSince = PendingSince ?? x.At };
            case Verdict.Pending when Fate is AttemptFate.NotCharged:
                return Reopen(x.At) with { Fate = AttemptFate.Pending, PendingSince = x.At };
            case Verdict.NotFound when Fate is AttemptFate.Unknown or AttemptFate.Pending:
                return this with
                {
                    Fate = ReversedWhenQuiet ? AttemptFate.NotCharged : AttemptFate.Unknown,
                    NotFoundAt = ReversedWhenQuiet ? x.At : null,
                    UnknownSince = UnknownSince ?? x.At,
                    NotFounds = NotFounds + 1,
                    QuietNotFound = QuietNotFound || (x.Quiet && NotFounds > 0),
                };
            case Verdict.Unknown when Fate is AttemptFate.Pending:
                return this with { Fate = AttemptFate.Unknown, UnknownSince = UnknownSince ?? x.At };
            default:
                return this;
        }
    }

    /// <summary>A hint: it proves nothing, but what it contradicts is proven no longer.</summary>
    private AttemptState Doubt(Verdict hint, DateTimeOffset at) => (Fate, hint) switch
    {
        (AttemptFate.NotCharged, Verdict.Approved or Verdict.Pending) => Reopen(at) with { AskNow = true },
        (AttemptFate.NotCharged, _) or (_, Verdict.Unknown) => this,
        _ => this with { AskNow = true },
    };

    /// <summary>I5's evidence is collected anew.</summary>
    private AttemptState Reopen(DateTimeOffset at) => this with
    {
        Fate = AttemptFate.Unknown,
        UnknownSince = at,
        Queries = 0,
        NotFounds = 0,
        HeardNotFound = false,
        QuietNotFound = false,
        ReversedWhenQuiet = false,
        NotFoundAt = null,
    };

    /// <summary>What was asked before it, or beside it, says nothing of what it did.</summary>
    private AttemptState ReversalStep() => this with { ReversalSteps = ReversalSteps + 1, Queries = 0, PaidSinceReversal = false };
}
