using System.Collections.Immutable;

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

/// <summary>Where a refund of an attempt stands.</summary>
public enum RefundStanding { None, Asked, Unknown, Pending, Done, Failed }

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

    /// <summary>NotCharged on "not found" alone: asked about again later.</summary>
    public bool SettledOnNotFound { get; init; }

    /// <summary>The last proof since the payment became final: late checks up to this time are done.</summary>
    public DateTimeOffset? LateCheckedAt { get; init; }

    public int Reversals { get; init; }
    public int ReversalsAnswered { get; init; }

    /// <summary>Begins and ends of reversals: a query that was asked at another count says nothing of the last reversal.</summary>
    public int ReversalSteps { get; init; }

    /// <summary>A reply of <c>Pay</c>, or one that is older than a reversal, hints at what only a query can say: ask at once.</summary>
    public bool AskNow { get; init; }
    public ChannelVerdict? Answer { get; init; }
    public string? RefundNumber { get; init; }
    public RefundStanding Refund { get; init; }
    public DateTimeOffset? RefundStartedAt { get; init; }
    public int RefundAnswers { get; init; }
}

/// <summary>A payment, folded from its ledger events. <see cref="Apply"/> is the only way that it changes.</summary>
public sealed record PaymentState
{
    public required PaymentId Id { get; init; }
    public required PaymentAccepted Accepted { get; init; }
    public ImmutableArray<AttemptState> Attempts { get; init; } = [];
    public string? CancelledBy { get; init; }
    public OutcomeReached? Outcome { get; init; }
    public DateTimeOffset? FinalAt { get; init; }
    public int ShownRevision { get; init; }
    public bool NeedsAttention { get; init; }

    public AttemptState Current => Attempts[^1];

    public bool IsFinal => Outcome is not null;

    public bool IsShown => Outcome is { } outcome && ShownRevision >= outcome.Revision;

    public PaymentStage Stage => this switch
    {
        { Outcome: not null } => PaymentStage.Final,
        { Current.Fate: AttemptFate.Unknown } or { Current: { Fate: AttemptFate.Charged, Reversals: > 0 } } => PaymentStage.InDoubt,
        { CancelledBy: not null } => PaymentStage.Cancelling,
        { Current.Fate: AttemptFate.Pending } => PaymentStage.AwaitingCustomer,
        _ => PaymentStage.Working,
    };

    public static PaymentState? Fold(PaymentId id, IEnumerable<PaymentEvent> events)
    {
        PaymentState? state = null;
        foreach (var e in events)
        {
            state = Apply(id, state, e);
        }

        return state;
    }

    public static PaymentState Apply(PaymentId id, PaymentState? state, PaymentEvent e)
    {
        if (e is PaymentAccepted accepted)
        {
            return new PaymentState { Id = id, Accepted = accepted };
        }

        if (state is null)
        {
            throw new InvalidOperationException($"payment {id}: its first event is {e.GetType().Name}, not accepted");
        }

        return e switch
        {
            AttemptStarted x => state with
            {
                Attempts = state.Attempts.Add(new AttemptState
                {
                    Number = x.Attempt,
                    Channel = x.Channel,
                    Account = x.Account,
                    OrderNumber = x.ChannelOrderNumber,
                    StartedAt = x.At,
                    Deadline = x.Deadline,
                    LastStepAt = x.At,
                }),
            },
            PayAnswered x => state.With(x.Attempt, x.At, a => AfterPay(a, x)),
            Interrupted x => state.With(x.Attempt, x.At, a => a with { Fate = AttemptFate.Unknown, UnknownSince = x.At }),
            Queried x => state.With(x.Attempt, x.At, a => AfterQuery(a, x, state.IsFinal)),
            CancelRequested x => state with { CancelledBy = state.CancelledBy ?? x.By },
            ReversalStarted x => state.With(x.Attempt, x.At, a => AfterReversalStep(a) with { Reversals = a.Reversals + 1 }),
            ReversalAnswered x => state.With(x.Attempt, x.At, a => AfterReversal(a, x.Verdict.Verdict)),
            RefundStarted x => state.With(x.Attempt, x.At, a => a with { RefundNumber = x.RefundNumber, Refund = RefundStanding.Asked, RefundStartedAt = x.At }),
            RefundAnswered x => state.With(x.Attempt, x.At, a => AfterRefund(a, x.Verdict)),
            OutcomeReached x => state with { Outcome = x, FinalAt = state.FinalAt ?? x.At },
            OutcomeShown x => state with { ShownRevision = Math.Max(state.ShownRevision, x.Revision) },
            AttentionNeeded => state with { NeedsAttention = true },
            _ => throw new InvalidOperationException($"payment {id}: unknown event {e.GetType().Name}"),
        };
    }

    public PaymentView View()
    {
        var answer = (Outcome is { } o ? Attempts[o.Attempt - 1] : Current).Answer;
        var charged = Outcome?.Result is PaymentResult.Approved or PaymentResult.Refunded;
        return new PaymentView(
            Id,
            Stage,
            Outcome?.Result ?? PaymentResult.None,
            Outcome?.Revision ?? 0,
            Accepted.AmountFen,
            charged ? answer?.PaidFen ?? 0 : 0,
            charged ? answer?.DiscountFen ?? 0 : 0,
            Accepted.Wallet,
            charged ? answer?.Transaction : null,
            charged ? answer?.Payer : null,
            Accepted.MerchantName,
            Accepted.OrderNumber,
            Outcome?.Reason ?? DeclineReason.None,
            Accepted.At,
            FinalAt,
            ShownRevision);
    }

    private PaymentState With(int attempt, DateTimeOffset at, Func<AttemptState, AttemptState> change) =>
        this with { Attempts = Attempts.SetItem(attempt - 1, change(Attempts[attempt - 1]) with { LastStepAt = at }) };

    private static AttemptState AfterPay(AttemptState a, PayAnswered x)
    {
        if (a.Fate != AttemptFate.InFlight)
        {
            // It came after the attempt was given up waiting for. Only a query may move an attempt out of Unknown (I5).
            return x.Verdict.Verdict == Verdict.Unknown ? a : a with { AskNow = true };
        }

        return x.Verdict.Verdict switch
        {
            Verdict.Approved => a with { Fate = AttemptFate.Charged, Answer = x.Verdict },
            Verdict.Declined or Verdict.Rerouteable => a with { Fate = AttemptFate.NotCharged, Answer = x.Verdict },
            Verdict.Pending => a with { Fate = AttemptFate.Pending, PendingSince = x.At, Answer = x.Verdict },
            _ => a with { Fate = AttemptFate.Unknown, UnknownSince = x.At, Answer = x.Verdict },
        };
    }

    private static AttemptState AfterQuery(AttemptState a, Queried x, bool final)
    {
        // By its time, not by counting: a query that was under way when the payment became final is no late check.
        var overtaken = x.Stale && x.Verdict.Verdict is (Verdict.Approved or Verdict.NotFound);
        var proves = final && !overtaken && x.Verdict.Verdict is not (Verdict.Pending or Verdict.Unknown);
        a = a with
        {
            AskNow = overtaken,
            Queries = a.Queries + 1,
            QueriesInAll = a.QueriesInAll + 1,
            HeardNotFound = x.Verdict.Verdict == Verdict.NotFound,
            LateCheckedAt = proves ? x.At : a.LateCheckedAt,
        };
        if (overtaken)
        {
            return a;
        }

        switch (x.Verdict.Verdict)
        {
            case Verdict.Approved:
                return a with { Fate = AttemptFate.Charged, Answer = x.Verdict, PaidSinceReversal = true };
            case Verdict.Declined or Verdict.Closed or Verdict.Reversed or Verdict.Refunded:
                return a with { Fate = AttemptFate.NotCharged, Answer = a.Fate == AttemptFate.Charged ? a.Answer : x.Verdict };
            case Verdict.Pending when a.Fate is AttemptFate.Unknown:
                return a with { Fate = AttemptFate.Pending, PendingSince = a.PendingSince ?? x.At };
            case Verdict.NotFound when a.Fate is AttemptFate.Unknown or AttemptFate.Pending:
                return a with
                {
                    Fate = a.ReversedWhenQuiet ? AttemptFate.NotCharged : AttemptFate.Unknown,
                    SettledOnNotFound = a.ReversedWhenQuiet,
                    UnknownSince = a.UnknownSince ?? x.At,
                    NotFounds = a.NotFounds + 1,
                    QuietNotFound = a.QuietNotFound || (x.Quiet && a.NotFounds > 0),
                };
            case Verdict.Unknown when a.Fate is AttemptFate.Pending:
                return a with { Fate = AttemptFate.Unknown, UnknownSince = a.UnknownSince ?? x.At };
            default:
                return a;
        }
    }

    private static AttemptState AfterReversal(AttemptState a, Verdict verdict)
    {
        var answered = verdict != Verdict.Unknown;
        return AfterReversalStep(a) with
        {
            ReversalsAnswered = a.ReversalsAnswered + (answered ? 1 : 0),
            ReversedWhenQuiet = a.ReversedWhenQuiet || (answered && a.QuietNotFound),
        };
    }

    /// <summary>What was asked before it, or beside it, says nothing of what it did.</summary>
    private static AttemptState AfterReversalStep(AttemptState a) =>
        a with { ReversalSteps = a.ReversalSteps + 1, Queries = 0, PaidSinceReversal = false };

    private static AttemptState AfterRefund(AttemptState a, ChannelVerdict verdict) => a with
    {
        RefundAnswers = a.RefundAnswers + 1,
        Queries = verdict.Verdict == Verdict.RefundFailed ? 0 : a.Queries,
        Refund = verdict.Verdict switch
        {
            Verdict.Refunded => RefundStanding.Done,
            Verdict.Pending => RefundStanding.Pending,
            Verdict.RefundFailed => RefundStanding.Failed,
            Verdict.NotFound => RefundStanding.Asked,
            _ => RefundStanding.Unknown,
        },
    };
}
