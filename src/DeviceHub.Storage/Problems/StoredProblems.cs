using System.Globalization;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Problems;
using DeviceHub.Core.Reconciliation;
using DeviceHub.Core.Terminals;
using Microsoft.Extensions.Options;

namespace DeviceHub.Storage;

/// <summary>Problems that the database and the search file know, each from an index of its own, and a full disk.</summary>
internal sealed class StoredProblems(SearchPool pool, FreeSpace space, IOptions<TerminalOptions> terminals, TimeProvider clock) : IProblemSource
{
    /// <summary>Messages that wait for one merchant, of which the oldest is looked for: those that were tried are due last, and the others have no fault to tell.</summary>
    private const long MessagesRead = 500;

    private readonly Lock looking = new();

    public async ValueTask<IReadOnlyList<Problem>> Newest(int limit)
    {
        var problems = await pool.Read(
            (limit, Now: clock.GetUtcNow(), ShownWithin: TimeSpan.FromSeconds(terminals.Value.ShownWithinSeconds)), static (db, q) => Read(db, q.limit, q.Now, q.ShownWithin)).ConfigureAwait(false);
        lock (looking)
        {
            if (!space.Suffices())
            {
                problems.Add(new Problem(ProblemKind.DiskFull, null, Serious: true, ""));
            }
        }

        return problems;
    }

    private static List<Problem> Read(PreparedConnection db, int limit, DateTimeOffset now, TimeSpan shownWithin)
    {
        var problems = new List<Problem>();
        Payments(db.Prepare(
            $"SELECT serial_number, request_id, accepted_at, amount_fen FROM payment WHERE stage = 4 AND {SqlText.NoTest} ORDER BY accepted_at DESC LIMIT ?1").Bind(1, (long)limit),
            ProblemKind.PaymentInDoubt);
        Payments(db.Prepare(
            $"""
            SELECT serial_number, request_id, accepted_at, amount_fen FROM payment WHERE needs_attention AND accepted_at > ?2 AND stage <> 4 AND {SqlText.NoTest}
            ORDER BY accepted_at DESC LIMIT ?1
            """).Bind(1, (long)limit).Bind(2, now - Problem.News), ProblemKind.PaymentNeedsAttention);
        Each(
            db.Prepare(
                $"""
                SELECT count(*), max(accepted_at) FROM (SELECT accepted_at FROM payment INDEXED BY IX_payment_not_shown
                  WHERE {SqlText.NotShown} AND accepted_at > ?1 AND final_at <= ?2 ORDER BY accepted_at DESC LIMIT ?3) HAVING count(*) > 0
                """).Bind(1, now - Problem.News).Bind(2, now - shownWithin).Bind(3, (long)Problem.CountTo),
            r => new Problem(ProblemKind.OutcomesNotShown, r.TimeOrNull(1), Serious: false, "", Count: (int)r.Long(0)));
        Each(
            db.Prepare(
                """
                SELECT serial_number, reported_at, reported_detail FROM terminal WHERE reported_result > 1 AND reported_version = desired_version
                ORDER BY reported_at DESC LIMIT ?1
                """).Bind(1, (long)limit),
            r => new Problem(ProblemKind.ConfigurationNotApplied, r.TimeOrNull(1), Serious: false, r.Text(0), r.TextOrNull(2)));
        Each(
            db.Prepare(
                """
                SELECT serial_number, other_hardware_at, other_hardware_id, other_hardware_address FROM terminal WHERE other_hardware_at IS NOT NULL
                ORDER BY other_hardware_at DESC LIMIT ?1
                """).Bind(1, (long)limit),
            r => new Problem(ProblemKind.OtherHardware, r.Time(1), Serious: true, r.Text(0), new OtherHardware(r.Text(2), r.Text(3), r.Time(1)).ToString()));
        Each(
            db.Prepare("SELECT account_id, requested_at, fault, id, day FROM reconciliation WHERE state = ?2 ORDER BY requested_at DESC LIMIT ?1").Bind(1, (long)limit).Bind(2, (long)RunState.Failed),
            r => new Problem(ProblemKind.ReconciliationFailed, r.TimeOrNull(1), Serious: false, r.Text(0), r.TextOrNull(2), Id: r.Text(3), Day: DateOnly.Parse(r.Text(4), CultureInfo.InvariantCulture)));
        Each(
            db.Prepare("SELECT order_number, proposed_at, serial_number, request_id, amount_fen FROM refund_proposal WHERE state = ?2 ORDER BY id DESC LIMIT ?1")
                .Bind(1, (long)limit).Bind(2, (long)ProposalState.Proposed),
            r => new Problem(ProblemKind.RefundProposed, r.TimeOrNull(1), Serious: true, r.Text(0), null, new PaymentId(r.Text(2), r.Text(3)), r.Long(4)));
        Each(
            db.Prepare(
                """
                SELECT w.merchant_id, e.fault, e.created_at FROM webhook w
                LEFT JOIN webhook_event e ON e.id = (
                  SELECT id FROM (SELECT id, created_at FROM webhook_event WHERE merchant_id = w.merchant_id AND due_at IS NOT NULL ORDER BY due_at DESC LIMIT ?3) ORDER BY created_at LIMIT 1)
                WHERE w.not_before > ?2 LIMIT ?1
                """).Bind(1, (long)limit).Bind(2, now).Bind(3, MessagesRead),
            r => new Problem(ProblemKind.WebhookFailing, r.TimeOrNull(2), Serious: false, r.Text(0), r.TextOrNull(1)));
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
