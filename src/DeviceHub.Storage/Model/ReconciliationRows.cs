using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;

namespace DeviceHub.Storage;

/// <summary>The reconciliation of an account and day.</summary>
public sealed class ReconciliationRow
{
    public long Id { get; init; }

    public required string AccountId { get; init; }

    public required string Channel { get; init; }

    public required string MerchantId { get; init; }

    public DateOnly Day { get; init; }

    public RunState State { get; set; }

    public RunStep Step { get; set; }

    /// <summary>Who asked for it last: as the audit log has it.</summary>
    public required string RequestedBy { get; set; }

    public DateTimeOffset RequestedAt { get; set; }

    /// <summary>How often it was asked for.</summary>
    public int Requests { get; set; }

    /// <summary>Since it was last asked for.</summary>
    public int Tries { get; set; }

    /// <summary>When it is due, while it waits.</summary>
    public DateTimeOffset? NextAt { get; set; }

    public DateTimeOffset? StartedAt { get; set; }

    /// <summary>When the report was made that is shown; a later run that failed leaves it.</summary>
    public DateTimeOffset? ReportedAt { get; set; }

    /// <summary>Why it failed or waits; null: no reason.</summary>
    public string? Fault { get; set; }

    /// <summary>Rows read so far; of a report, in the bill.</summary>
    public long RowsRead { get; set; }

    public long BillRows { get; set; }

    public long ChargedFen { get; set; }

    public long PaidBackFen { get; set; }

    public long FeeFen { get; set; }

    public long Matched { get; set; }

    public long MatchedFen { get; set; }

    /// <summary>Differences that were only counted, JSON: kind to count and fen; null: all are kept.</summary>
    public string? LeftOut { get; set; }

    /// <summary>Of the differences that are shown.</summary>
    public int Generation { get; set; }
}

/// <summary>A row of a report.</summary>
public sealed class DifferenceRow
{
    public long ReconciliationId { get; init; }

    public int Generation { get; init; }

    /// <summary>From 1, by order number.</summary>
    public int Number { get; init; }

    public required string AccountId { get; init; }

    public DifferenceClass Class { get; set; }

    public DifferenceReason Reason { get; set; }

    public required string OrderNumber { get; init; }

    public required string RefundNumber { get; init; }

    public string? SerialNumber { get; init; }

    public string? RequestId { get; init; }

    public int Attempt { get; init; }

    public required string Transaction { get; init; }

    public int? Line { get; init; }

    public long? BillFen { get; init; }

    public long? LedgerFen { get; init; }

    public DateTimeOffset At { get; init; }

    public DateOnly? Awaits { get; set; }

    public bool Settled { get; set; }

    internal Difference ToDifference() => new(
        Reason, OrderNumber, RefundNumber, SerialNumber is null ? null : new PaymentId(SerialNumber, RequestId!), Attempt, Transaction, Line, BillFen, LedgerFen, At, Awaits, Settled);
}

/// <summary>A row of a bill that belongs to another day by our books.</summary>
internal sealed class BillStrayRow
{
    public required string Account { get; init; }

    public required string OrderNumber { get; init; }

    public required string RefundNumber { get; init; }

    public BillRowKind Kind { get; init; }

    /// <summary>The bill's.</summary>
    public DateOnly Day { get; init; }
}

/// <summary>A refund that a run proposes; one an order, whatever runs find it again.</summary>
public sealed class RefundProposalRow
{
    public long Id { get; init; }

    public long ReconciliationId { get; init; }

    public required string AccountId { get; init; }

    public DateOnly Day { get; init; }

    /// <summary>At the channel; unique.</summary>
    public required string OrderNumber { get; init; }

    public required string SerialNumber { get; init; }

    public required string RequestId { get; init; }

    public int Attempt { get; init; }

    public DifferenceReason Reason { get; init; }

    public long AmountFen { get; init; }

    public ProposalState State { get; set; }

    public DateTimeOffset ProposedAt { get; init; }

    public string? DecidedBy { get; set; }

    public DateTimeOffset? DecidedAt { get; set; }

    /// <summary>What the person said, or why it cannot be done.</summary>
    public string? Note { get; set; }
}
