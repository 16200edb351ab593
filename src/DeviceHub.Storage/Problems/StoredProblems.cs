using DeviceHub.Core.Payments;
using DeviceHub.Core.Problems;
using DeviceHub.Core.Reconciliation;

namespace DeviceHub.Storage;

/// <summary>Problems that the database knows, each from an index of its own, and a full disk.</summary>
internal sealed class StoredProblems(ReadPool pool, FreeSpace space, TimeProvider clock) : IProblemSource
{
    /// <summary>A payment's mark stays for ever; what is older than this was seen.</summary>
    private static readonly TimeSpan News = TimeSpan.FromDays(7);

    private readonly Lock looking = new();

    public async ValueTask<IReadOnlyList<Problem>> Newest(int limit)
    {
        var problems = await pool.Read((limit, Now: clock.GetUtcNow()), static (db, q) => Read(db, q.limit, q.Now)).ConfigureAwait(false);
        lock (looking)
        {
            if (!space.Suffices())
            {
                problems.Add(new Problem(ProblemKind.DiskFull, null, Serious: true, ""));
            }
        }

        return problems;
    }

    private static List<Problem> Read(PreparedConnection db, int limit, DateTimeOffset now)
    {
        var problems = new List<Problem>();
        Payments(db.Prepare("SELECT serial_number, request_id, accepted_at, amount_fen FROM payment WHERE stage = 4 ORDER BY accepted_at DESC LIMIT ?1").Bind(1, (long)limit),
            ProblemKind.PaymentInDoubt);
        Payments(db.Prepare(
            """
            SELECT serial_number, request_id, accepted_at, amount_fen FROM payment WHERE needs_attention AND accepted_at > ?2 AND stage <> 4 ORDER BY accepted_at DESC LIMIT ?1
            """).Bind(1, (long)limit).Bind(2, now - News), ProblemKind.PaymentNeedsAttention);
        Each(
            db.Prepare(
                """
                SELECT serial_number, reported_at, reported_detail FROM terminal WHERE reported_result > 1 AND reported_version = desired_version
                ORDER BY reported_at DESC LIMIT ?1
                """).Bind(1, (long)limit),
            r => new Problem(ProblemKind.ConfigurationNotApplied, r.TimeOrNull(1), Serious: false, r.Text(0), r.TextOrNull(2)));
        Each(
            db.Prepare("SELECT account_id, requested_at, fault FROM reconciliation WHERE state = ?2 ORDER BY requested_at DESC LIMIT ?1").Bind(1, (long)limit).Bind(2, (long)RunState.Failed),
            r => new Problem(ProblemKind.ReconciliationFailed, r.TimeOrNull(1), Serious: false, r.Text(0), r.TextOrNull(2)));
        Each(
            db.Prepare("SELECT order_number, proposed_at, serial_number, request_id, amount_fen FROM refund_proposal WHERE state = ?2 ORDER BY id DESC LIMIT ?1")
                .Bind(1, (long)limit).Bind(2, (long)ProposalState.Proposed),
            r => new Problem(ProblemKind.RefundProposed, r.TimeOrNull(1), Serious: true, r.Text(0), null, new PaymentId(r.Text(2), r.Text(3)), r.Long(4)));
        Each(
            db.Prepare(
                """
                SELECT w.merchant_id, (SELECT e.fault FROM webhook_event e WHERE e.merchant_id = w.merchant_id AND e.due_at IS NOT NULL ORDER BY e.due_at LIMIT 1)
                FROM webhook w WHERE w.not_before > ?2 LIMIT ?1
                """).Bind(1, (long)limit).Bind(2, now),
            r => new Problem(ProblemKind.WebhookFailing, null, Serious: false, r.Text(0), r.TextOrNull(1)));
        return problems;

        void Payments(Statement rows, ProblemKind kind) =>
            Each(rows, r => new Problem(kind, r.Time(2), Serious: true, r.Text(0), null, new PaymentId(r.Text(0), r.Text(1)), r.Long(3)));

        void Each(Statement rows, Func<Statement, Problem> problem)
        {
            while (rows.Next())
            {
                problems.Add(problem(rows));
            }
        }
    }
}
