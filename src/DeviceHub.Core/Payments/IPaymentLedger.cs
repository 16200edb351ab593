namespace DeviceHub.Core.Payments;

/// <summary>
/// The durable truth about payments: append-only events, fenced by version. An answer "written" means it survives a power cut
/// (group-committed, synchronous=FULL). Nothing here throws for a conflict or a full disk; those are answers.
/// </summary>
public interface IPaymentLedger
{
    /// <summary>
    /// Version 1 of a payment, with its first attempt's order number and what I13 asks, in one transaction. While the entry
    /// waits in the queue <paramref name="withdraw"/> takes it out again (answer NotWritten).
    /// </summary>
    ValueTask<AcceptAnswer> Accept(LedgerAccept accept, CancellationToken withdraw);

    /// <summary>The next version of a payment. Goes before every Accept that waits.</summary>
    ValueTask<WriteResult> Append(LedgerAppend append);

    /// <summary>All events of a payment in order with the version of the last append; null when the ledger has none.</summary>
    ValueTask<LedgerHistory?> Read(PaymentId id);

    /// <summary>The payment one of whose attempts has this number at its channel; null: none.</summary>
    ValueTask<PaymentId?> FindByChannelOrder(string channelOrderNumber);

    /// <summary>
    /// A terminal's payments that are not final, or final and not confirmed as shown and no older than <paramref name="since"/>,
    /// newest first. Tests are not among them: they would take the places of those that the terminal must be told of.
    /// </summary>
    ValueTask<IReadOnlyList<PaymentId>> Unsettled(string serialNumber, DateTimeOffset since, int limit);

    /// <summary>Payments whose next step is due, earliest first.</summary>
    ValueTask<IReadOnlyList<PaymentId>> Due(DateTimeOffset now, int limit);
}

public enum WriteResult
{
    /// <summary>Durable.</summary>
    Written,

    /// <summary>This version exists already: read again and decide again.</summary>
    Conflict,

    /// <summary>Not durable and never will be: full disk, closed, withdrawn, or the queue is full.</summary>
    NotWritten,

    /// <summary>The commit failed and the ledger could not be read again in time. Nothing may be concluded.</summary>
    Unknown,
}

/// <summary>Of I13: what a payment's order number or its looks collided with.</summary>
public enum AcceptCollision
{
    None,
    OrderOpen,
    OrderPaid,
    PossibleDuplicate,

    /// <summary>The charge that it answers is not open, or is another terminal's, amount or order.</summary>
    ChargeClosed,
}

/// <param name="Other">With a collision: the payment in the way; of a closed charge the one that it was consumed by, if it was.</param>
public sealed record AcceptAnswer(WriteResult Result, AcceptCollision Collision = AcceptCollision.None, PaymentId Other = default);

/// <summary>A new payment.</summary>
/// <param name="DuplicatesSince">Payments of the same terminal and amount, without order number, accepted after this and not final or not shown are possible duplicates; null: not checked.</param>
/// <param name="DuplicateAllowed">The request id that a person confirmed this one does not repeat.</param>
/// <param name="ChargeId">The till's charge that it answers and consumes in the same transaction; null: none.</param>
public sealed record LedgerAccept(
    PaymentId Id,
    IReadOnlyList<PaymentEvent> Events,
    string MerchantId,
    string? OrderNumber,
    long AmountFen,
    string ChannelOrderNumber,
    DateTimeOffset AcceptedAt,
    DateTimeOffset Due,
    DateTimeOffset? DuplicatesSince,
    string? DuplicateAllowed,
    string? ChargeId = null)
{
    /// <summary>The payment as this makes it, from who has it: who follows the ledger need not read it back. Null: it is read.</summary>
    public PaymentState? After { get; init; }

    /// <summary>What the decision to begin a payment makes of its order.</summary>
    public static LedgerAccept Of(PaymentOrder order, PaymentDecision decision, PaymentOptions options)
    {
        var (request, state) = (order.Request, decision.State!);
        return new(
            order.Id,
            decision.Events,
            order.MerchantId,
            request.OrderNumber,
            request.AmountFen,
            state.Current.OrderNumber,
            state.Accepted.At,
            decision.Due!.Value,
            request.OrderNumber is null ? state.Accepted.At - options.DuplicateWindow : null,
            request.RepeatConfirmed ? request.RepeatOf : null,
            request.ChargeId)
        {
            After = state,
        };
    }
}

/// <summary>What follows.</summary>
/// <param name="Version">The version that this append makes: the last one plus 1.</param>
/// <param name="ChannelOrderNumbers">Of attempts that begin with this append (I3).</param>
/// <param name="Due">When the next step is due; null: nothing more is to be done by itself.</param>
/// <param name="Standing">What the ledger's small keys become.</param>
/// <param name="ChargeId">The charge that this payment answers, when its outcome is new: in the same transaction the charge becomes due.</param>
public sealed record LedgerAppend(
    PaymentId Id,
    int Version,
    IReadOnlyList<PaymentEvent> Events,
    IReadOnlyList<string> ChannelOrderNumbers,
    DateTimeOffset? Due,
    PaymentStanding Standing,
    string? ChargeId = null)
{
    /// <inheritdoc cref="LedgerAccept.After"/>
    public PaymentState? After { get; init; }

    /// <param name="version">Of the last append.</param>
    /// <param name="before">As it was then.</param>
    public static LedgerAppend Of(PaymentId id, int version, PaymentState? before, PaymentDecision decision)
    {
        var after = decision.State!;
        return new(
            id,
            version + 1,
            decision.Events,
            [.. decision.Events.OfType<AttemptStarted>().Select(a => a.ChannelOrderNumber)],
            decision.Due,
            PaymentStanding.Of(after),
            after.Outcome?.Revision != before?.Outcome?.Revision ? after.Accepted.ChargeId : null)
        {
            After = after,
        };
    }
}

/// <param name="Final">When it became final; null while it is not.</param>
/// <param name="Paid">The order number stays taken for ever; else a final payment frees it.</param>
/// <param name="Shown">The terminal has shown the last revision: no longer among its unsettled ones.</param>
public sealed record PaymentStanding(DateTimeOffset? Final, bool Paid, bool Shown)
{
    /// <summary>Its order number may be another payment's.</summary>
    public bool FreesOrder => Final is not null && !Paid;

    public static PaymentStanding Of(PaymentState state) => new(state.FinalAt, state.Outcome?.Result == PaymentResult.Approved, state.IsShown);
}

public sealed record LedgerHistory(int Version, IReadOnlyList<PaymentEvent> Events);
