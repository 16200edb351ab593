using DeviceHub.Core.Payments;

namespace DeviceHub.Core.Reconciliation;

/// <summary>Where a run stands. Stored by value: never renumber.</summary>
public enum RunState
{
    /// <summary>To be begun when it is due.</summary>
    Waiting = 0,

    /// <summary>Being worked on; found so after the hub died, it is taken up again.</summary>
    Running = 1,
    Finished = 2,

    /// <summary>Ended without a report; it can be asked for again.</summary>
    Failed = 3,
}

/// <summary>What a running run is at. Stored by value: never renumber.</summary>
public enum RunStep { None = 0, Download = 1, Match = 2, Write = 3 }

/// <summary>The reconciliation of one account and day: there is one, which is run again when it is asked for again.</summary>
/// <param name="Requests">How often it was asked for: each asks the channel for the bill anew, a crash between does not.</param>
/// <param name="Tries">Since it was last asked for.</param>
public sealed record ReconciliationRun(long Id, string AccountId, DateOnly Day, int Requests, int Tries);

/// <summary>Where a proposed refund stands. Stored by value: never renumber.</summary>
public enum ProposalState { Proposed = 0, Approved = 1, Refused = 2, Done = 3 }

/// <summary>A refund that reconciliation proposes and somebody approved.</summary>
public sealed record ApprovedRefund(long Id, PaymentId Payment, string OrderNumber, int Attempt, long AmountFen, DifferenceReason Reason, string DecidedBy);

/// <summary>Runs, their differences and what they propose. One process works on a run.</summary>
public interface IReconciliationBook
{
    /// <summary>
    /// Makes the runs of a day that are missing, or were made before the day was over: of every account that our books used on it or in the
    /// 30 days before it (what they have lost is found), or whose other days wait for its bill.
    /// </summary>
    /// <param name="channels">Those that have bills.</param>
    Task Plan(DateOnly day, IReadOnlyCollection<string> channels, DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>The next run to work on: due, or left running by a process that died. Null: there is none.</summary>
    /// <param name="busyAccounts">Accounts that are worked on now.</param>
    Task<ReconciliationRun?> Take(IReadOnlyCollection<string> busyAccounts, DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>
    /// Reads the bill to its end, matches it with the ledger and writes the report. Harmless to repeat, whole or in part: it ends with the same
    /// report, and what was proposed before is not proposed again.
    /// </summary>
    /// <param name="sharing">Accounts whose payments are in this bill, too.</param>
    /// <exception cref="BillException">The bill is not what it should be. The last report stays as it was.</exception>
    Task Reconcile(ReconciliationRun run, IAsyncEnumerable<BillRow> bill, IReadOnlyList<string> sharing, DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>Tries it again at the time.</summary>
    Task Postpone(ReconciliationRun run, DateTimeOffset at, string why, CancellationToken cancellationToken);

    Task Fail(ReconciliationRun run, DateTimeOffset now, string why, CancellationToken cancellationToken);

    /// <summary>Approved and not done, by their ids, after one of them.</summary>
    Task<IReadOnlyList<ApprovedRefund>> Approved(long after, int limit, CancellationToken cancellationToken);

    /// <summary>Its payment's grain was asked; or, with <paramref name="done"/>, the money is back by our books.</summary>
    /// <param name="note">Why it cannot be done, for people; null: all is well.</param>
    Task Follow(long proposal, bool done, string? note, CancellationToken cancellationToken);
}
