namespace DeviceHub.Core.Payments;

/// <summary>Where a refund stands.</summary>
[GenerateSerializer, Alias("dh.RefundStanding")]
public enum RefundStanding { None, Asked, Unknown, Pending, Done, Failed }

/// <summary>One refund of an attempt, folded from its events: the hub's own of a late charge, or one that a person asked for.</summary>
public sealed record RefundState
{
    public required int Attempt { get; init; }
    public required string Number { get; init; }
    public required long AmountFen { get; init; }
    public required string Why { get; init; }

    /// <summary>Null: the hub itself.</summary>
    public string? By { get; init; }
    public string? Key { get; init; }
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>The time of its last event: waits count from it.</summary>
    public DateTimeOffset LastStepAt { get; init; }
    public RefundStanding Standing { get; init; } = RefundStanding.Asked;
    public int Answers { get; init; }

    /// <summary>A notice hints at what only a query can say.</summary>
    public bool AskNow { get; init; }
    public ChannelVerdict? LastNotice { get; init; }
    public int Notices { get; init; }

    /// <summary>The hub began it by itself, for the whole of a charge that nobody wanted (I7).</summary>
    public bool IsOwn => By is null;

    public bool IsOpen => Standing is RefundStanding.Asked or RefundStanding.Unknown or RefundStanding.Pending;

    internal static RefundState Begin(RefundStarted x) => new()
    {
        Attempt = x.Attempt,
        Number = x.RefundNumber,
        AmountFen = x.AmountFen,
        Why = x.Why,
        By = x.By,
        Key = x.Key,
        StartedAt = x.At,
        LastStepAt = x.At,
    };

    internal RefundState After(RefundAnswered x) => this with
    {
        LastStepAt = x.At,
        Answers = Answers + 1,
        AskNow = false,
        Standing = (Standing, x.Verdict.Verdict) switch
        {
            (RefundStanding.Done, _) or (_, Verdict.Refunded) => RefundStanding.Done,
            (RefundStanding.Failed, _) or (_, Verdict.RefundFailed) => RefundStanding.Failed,
            (_, Verdict.Pending) => RefundStanding.Pending,
            (_, Verdict.NotFound) => RefundStanding.Asked,
            _ => RefundStanding.Unknown,
        },
    };

    /// <summary>Refused for good, and now the channel says otherwise: it counts again until a query has told.</summary>
    internal RefundState After(NoticeReceived x) => this with
    {
        LastStepAt = x.At,
        Notices = Notices + 1,
        LastNotice = x.Verdict,
        AskNow = true,
        Standing = Standing == RefundStanding.Failed ? RefundStanding.Unknown : Standing,
    };

    /// <summary>What it may tell that is not known, and is no repeat.</summary>
    internal bool IsNews(ChannelVerdict notice, int maxNotices) =>
        Notices < maxNotices && notice != LastNotice && Standing switch
        {
            RefundStanding.Done => false,
            RefundStanding.Failed => notice.Verdict is Verdict.Refunded or Verdict.Pending,
            RefundStanding.Pending => notice.Verdict is not (Verdict.Pending or Verdict.Unknown),
            _ => notice.Verdict != Verdict.Unknown,
        };

    internal RefundView View() => new(Number, Attempt, AmountFen, Standing, Why, By, StartedAt, LastStepAt);
}

/// <summary>What a person or a program asks for.</summary>
/// <param name="Key">1 to 64 characters, theirs: the same key is the same refund.</param>
/// <param name="Reason">For the timeline and the audit log.</param>
[GenerateSerializer, Immutable, Alias("dh.RefundRequest")]
public sealed record RefundRequest([property: Id(0)] string Key, [property: Id(1)] long AmountFen, [property: Id(2)] string Reason, [property: Id(3)] string By);

/// <param name="By">Null: the hub itself.</param>
/// <param name="ChangedAt">When it last went on.</param>
[GenerateSerializer, Immutable, Alias("dh.RefundView")]
public sealed record RefundView(
    [property: Id(0)] string Number,
    [property: Id(1)] int Attempt,
    [property: Id(2)] long AmountFen,
    [property: Id(3)] RefundStanding Standing,
    [property: Id(4)] string Why,
    [property: Id(5)] string? By,
    [property: Id(6)] DateTimeOffset StartedAt,
    [property: Id(7)] DateTimeOffset ChangedAt);

/// <summary>The refund, or why there is none.</summary>
/// <param name="RestFen">What can still be refunded.</param>
[GenerateSerializer, Immutable, Alias("dh.RefundAnswer")]
public sealed record RefundAnswer([property: Id(0)] RefundView? Refund, [property: Id(1)] Refusal? Refusal, [property: Id(2)] long RestFen);

/// <param name="RestFen">What can still be refunded.</param>
[GenerateSerializer, Immutable, Alias("dh.RefundList")]
public sealed record RefundList([property: Id(0)] IReadOnlyList<RefundView> Items, [property: Id(1)] long RestFen);
