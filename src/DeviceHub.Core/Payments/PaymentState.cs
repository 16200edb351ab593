using System.Collections.Immutable;

namespace DeviceHub.Core.Payments;

/// <summary>A payment, folded from its ledger events. <see cref="Apply"/> is the only way that it changes.</summary>
public sealed record PaymentState
{
    public required PaymentId Id { get; init; }
    public required PaymentAccepted Accepted { get; init; }
    public ImmutableArray<AttemptState> Attempts { get; init; } = [];

    /// <summary>By their numbers, oldest first: the hub's own and those that people asked for.</summary>
    public ImmutableArray<RefundState> Refunds { get; init; } = [];
    public string? CancelledBy { get; init; }
    public OutcomeReached? Outcome { get; init; }
    public DateTimeOffset? FinalAt { get; init; }
    public int ShownRevision { get; init; }
    public bool NeedsAttention { get; init; }

    public AttemptState Current => Attempts[^1];

    /// <summary>The attempt that the outcome is about; while there is none, the last one.</summary>
    public AttemptState Deciding => Outcome is { } outcome ? Attempts[outcome.Attempt - 1] : Current;

    public bool IsFinal => Outcome is not null;

    /// <summary>Nobody has to be shown the outcome any more; that of a test nobody ever has.</summary>
    public bool IsShown => Outcome is { } outcome && (Id.IsTest || ShownRevision >= outcome.Revision);

    public PaymentStage Stage => this switch
    {
        { Outcome: not null } => PaymentStage.Final,
        { IsInDoubt: true } => PaymentStage.InDoubt,
        { CancelledBy: not null } => PaymentStage.Cancelling,
        { Current.Fate: AttemptFate.Pending } => PaymentStage.AwaitingCustomer,
        _ => PaymentStage.Working,
    };

    /// <summary>What of the paid amount went back, and is known to be back.</summary>
    public long RefundedFen
    {
        get
        {
            var sum = 0L;
            foreach (var refund in Refunds)
            {
                sum += refund.Standing == RefundStanding.Done && refund.Attempt == Outcome?.Attempt ? refund.AmountFen : 0;
            }

            return sum;
        }
    }

    /// <summary>What a person can still give back (I8): every refund counts that did not fail for good.</summary>
    public long RestFen => Outcome is { Result: PaymentResult.Approved, Attempt: var paid } && Attempts[paid - 1].Fate == AttemptFate.Charged
        ? Accepted.AmountFen - Promised(paid)
        : 0;

    private bool IsInDoubt
    {
        get
        {
            foreach (var attempt in Attempts)
            {
                if (attempt.Fate == AttemptFate.Unknown || attempt is { Fate: AttemptFate.Charged, Reversals: > 0 })
                {
                    return true;
                }
            }

            return false;
        }
    }

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
            AttemptStarted x => state with { Attempts = state.Attempts.Add(AttemptState.Begin(x)) },
            PayAnswered x => state.With(state.Attempts[x.Attempt - 1].After(x), x.At),
            Interrupted x => state.With(state.Attempts[x.Attempt - 1].Interrupt(x.At), x.At),
            Queried x => state.With(state.Attempts[x.Attempt - 1].After(x, state.IsFinal, state.KnowsRefund(x)), x.At),
            CancelRequested x => state with { CancelledBy = state.CancelledBy ?? x.By },
            ReversalStarted x => state.With(state.Attempts[x.Attempt - 1].StartReversal(), x.At),
            ReversalAnswered x => state.With(state.Attempts[x.Attempt - 1].After(x), x.At),
            RefundStarted x => state with { Refunds = state.Refunds.Add(RefundState.Begin(x)) },
            RefundAnswered x => state.After(x),
            NoticeReceived { RefundNumber: { } number } x => state.With(state.Refund(number)!.After(x)),
            NoticeReceived x => state.With(state.Attempts[x.Attempt - 1].After(x), x.At),
            OutcomeReached x => state with { Outcome = x, FinalAt = state.FinalAt ?? x.At },
            OutcomeShown x => state with { ShownRevision = Math.Max(state.ShownRevision, x.Revision) },
            AttentionNeeded => state with { NeedsAttention = true },
            _ => throw new InvalidOperationException($"payment {id}: unknown event {e.GetType().Name}"),
        };
    }

    /// <summary>Null: no attempt has this number.</summary>
    public AttemptState? AttemptOf(string channelOrderNumber)
    {
        foreach (var attempt in Attempts)
        {
            if (attempt.OrderNumber == channelOrderNumber)
            {
                return attempt;
            }
        }

        return null;
    }

    /// <summary>Null: there is no such refund.</summary>
    public RefundState? Refund(string number)
    {
        foreach (var refund in Refunds)
        {
            if (refund.Number == number)
            {
                return refund;
            }
        }

        return null;
    }

    /// <summary>The hub's own refund of an attempt; null: there is none.</summary>
    public RefundState? OwnRefund(int attempt)
    {
        foreach (var refund in Refunds)
        {
            if (refund.Attempt == attempt && refund.IsOwn)
            {
                return refund;
            }
        }

        return null;
    }

    public PaymentView View()
    {
        var answer = Deciding.Answer;
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

    /// <summary>What was given back of an attempt, or is being given back.</summary>
    internal long Promised(int attempt)
    {
        var sum = 0L;
        foreach (var refund in Refunds)
        {
            sum += refund.Attempt == attempt && refund.Standing != RefundStanding.Failed ? refund.AmountFen : 0;
        }

        return sum;
    }

    /// <summary>Derived from the attempt, so that a repeat is the same refund (I7).</summary>
    internal string NextRefundNumber(AttemptState attempt)
    {
        var next = 1;
        foreach (var refund in Refunds)
        {
            next += refund.Attempt == attempt.Number ? 1 : 0;
        }

        return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{attempt.OrderNumber}r{next}");
    }

    /// <summary>
    /// The answer tells of what the hub began itself: people gave some of it back, or it shows a refund whatever became of it. That is no news
    /// of the charge.
    /// </summary>
    private bool KnowsRefund(Queried x)
    {
        foreach (var refund in Refunds)
        {
            if (refund.Attempt == x.Attempt && (x.Verdict.Verdict == Verdict.Refunded || (!refund.IsOwn && refund.Standing != RefundStanding.Failed)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A refund of the hub's own that is refused may be refused because the money is back already: the order is asked about anew.</summary>
    private PaymentState After(RefundAnswered x)
    {
        var after = Refund(x.RefundNumber)!.After(x);
        var state = With(after);
        return after is { IsOwn: true, Standing: RefundStanding.Failed }
            ? state.With(state.Attempts[after.Attempt - 1] with { Queries = 0 }, x.At)
            : state;
    }

    private PaymentState With(AttemptState changed, DateTimeOffset at) =>
        this with { Attempts = Attempts.SetItem(changed.Number - 1, changed with { LastStepAt = at }) };

    private PaymentState With(RefundState changed)
    {
        for (var i = 0; i < Refunds.Length; i++)
        {
            if (Refunds[i].Number == changed.Number)
            {
                return this with { Refunds = Refunds.SetItem(i, changed) };
            }
        }

        return this;
    }
}
