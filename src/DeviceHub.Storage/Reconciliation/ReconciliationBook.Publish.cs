using System.Globalization;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;

namespace DeviceHub.Storage;

/// <summary>
/// Writes a report in pieces under a generation of its own and shows it in one step; then what other days waited for is settled, and refunds
/// are proposed. Each piece can be repeated: whoever dies between begins this again.
/// </summary>
internal sealed partial class ReconciliationBook
{
    /// <summary>Rows of one transaction: the gate is held for some milliseconds.</summary>
    private const int RowsAWrite = 500;

    private async Task Publish(ReconciliationRun run, BillWorkspace workspace, ReportDraft report, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var shown = await reads.Read(run.Id, static (db, id) => db.Prepare("SELECT generation FROM reconciliation WHERE id = ?1").Bind(1, id).Number());
        var generation = shown + 1;
        await DeleteDifferences(run, shown, cancellationToken);
        var (number, settled) = (0, "");
        foreach (var rows in workspace.Differences().Chunk(RowsAWrite))
        {
            await Write(db =>
            {
                foreach (var row in rows)
                {
                    // A proposal gives one charge back: the third of a number stays.
                    var isBack = row.Reason == DifferenceReason.ChargedTwice && row.OrderNumber != settled && IsSecondChargeBack(db, row.OrderNumber);
                    settled = isBack ? row.OrderNumber : settled;
                    Insert(db, run, generation, ++number, isBack ? row with { Settled = true } : row);
                }
            }, cancellationToken);
        }

        await WriteStrays(run, workspace, cancellationToken);
        await Write(db => db.Prepare(
            """
            UPDATE reconciliation SET generation = ?2, reported_at = ?3, bill_rows = ?4, charged_fen = ?5, paid_back_fen = ?6, fee_fen = ?7, matched = ?8,
              matched_fen = ?9, left_out = ?10 WHERE id = ?1
            """)
            .Bind(1, run.Id).Bind(2, generation).Bind(3, now).Bind(4, workspace.Totals.Rows).Bind(5, workspace.Totals.ChargedFen)
            .Bind(6, workspace.Totals.PaidBackFen).Bind(7, workspace.Totals.FeeFen).Bind(8, report.Matched).Bind(9, report.MatchedFen).Bind(10, report.LeftOutJson).Run(), cancellationToken);
        await SettleOthers(run, workspace, cancellationToken);
        await Propose(run, workspace.Differences(), now, cancellationToken);
        await DeleteDifferences(run, generation, cancellationToken);
        await Write(db => db.Prepare("UPDATE reconciliation SET state = 2, step = 0, fault = NULL WHERE id = ?1").Bind(1, run.Id).Run(), cancellationToken);
    }

    /// <summary>Those of other generations than the one that is shown.</summary>
    private async Task DeleteDifferences(ReconciliationRun run, long shown, CancellationToken cancellationToken)
    {
        int deleted;
        do
        {
            deleted = 0;
            await Write(db => deleted = db.Prepare(
                """
                DELETE FROM reconciliation_difference WHERE (reconciliation_id, generation, number) IN
                  (SELECT reconciliation_id, generation, number FROM reconciliation_difference WHERE reconciliation_id = ?1 AND generation <> ?2 LIMIT 500)
                """).Bind(1, run.Id).Bind(2, shown).Run(), cancellationToken);
        }
        while (deleted > 0);
    }

    private async Task WriteStrays(ReconciliationRun run, BillWorkspace workspace, CancellationToken cancellationToken)
    {
        int deleted;
        do
        {
            deleted = 0;
            await Write(db => deleted = db.Prepare(
                """
                DELETE FROM bill_stray WHERE (account, order_number, refund_number, kind, day) IN
                  (SELECT account, order_number, refund_number, kind, day FROM bill_stray WHERE account = ?1 AND day = ?2 LIMIT 500)
                """).Bind(1, run.AccountId).Bind(2, Text(run.Day)).Run(), cancellationToken);
        }
        while (deleted > 0);

        foreach (var strays in workspace.Strays().Chunk(RowsAWrite))
        {
            await Write(db =>
            {
                foreach (var stray in strays)
                {
                    db.Prepare("INSERT OR IGNORE INTO bill_stray(account, order_number, refund_number, kind, day) VALUES (?1, ?2, ?3, ?4, ?5)")
                        .Bind(1, run.AccountId).Bind(2, stray.OrderNumber).Bind(3, stray.RefundNumber).Bind(4, (long)stray.Kind).Bind(5, Text(run.Day)).Run();
                }
            }, cancellationToken);
        }
    }

    /// <summary>Reports of other days: what this bill has of theirs is found, and what waited for it and is not there is a difference now.</summary>
    private async Task SettleOthers(ReconciliationRun run, BillWorkspace workspace, CancellationToken cancellationToken)
    {
        foreach (var strays in workspace.Strays().Chunk(RowsAWrite))
        {
            await Write(db =>
            {
                foreach (var stray in strays)
                {
                    Found(db, run, stray);
                }
            }, cancellationToken);
        }

        while (await reads.Read(run, Waiting) is { Count: > 0 } waiting)
        {
            foreach (var report in waiting.GroupBy(w => (w.Report, w.Day)))
            {
                var of = run with { Id = report.Key.Report, Day = report.Key.Day };
                await Propose(of, report.Select(w => w.Difference with { Reason = Classification.Unfound(w.Difference) }), clock.GetUtcNow(), cancellationToken);
            }

            await Write(db =>
            {
                foreach (var (report, _, generation, number, difference) in waiting)
                {
                    var reason = Classification.Unfound(difference);
                    db.Prepare("UPDATE reconciliation_difference SET reason = ?4, class = ?5, awaits = NULL WHERE reconciliation_id = ?1 AND generation = ?2 AND number = ?3")
                        .Bind(1, report).Bind(2, generation).Bind(3, number).Bind(4, (long)reason).Bind(5, (long)Difference.ClassOf(reason)).Run();
                }
            }, cancellationToken);
        }
    }

    /// <summary>The bill shows both charges for ever, and what went back on another day: only the proposal says that it is settled.</summary>
    private static bool IsSecondChargeBack(PreparedConnection db, string order) =>
        db.Prepare("SELECT 1 FROM refund_proposal WHERE order_number = ?1 AND reason = ?2 AND state = 3 AND decided_by IS NOT NULL")
            .Bind(1, order).Bind(2, (long)DifferenceReason.ChargedTwice).Any();

    private static void SettleSecondCharge(PreparedConnection db, long proposal) => db.Prepare(
        """
        UPDATE reconciliation_difference SET settled = 1 WHERE (reconciliation_id, generation, number) =
          (SELECT d.reconciliation_id, d.generation, d.number FROM refund_proposal p
           JOIN reconciliation r ON r.id = p.reconciliation_id
           JOIN reconciliation_difference d ON d.account_id = p.account_id AND d.order_number = p.order_number AND d.reason = p.reason AND NOT d.settled
             AND d.reconciliation_id = r.id AND d.generation = r.generation
           WHERE p.id = ?1 AND p.reason = ?2 ORDER BY d.number LIMIT 1)
        """).Bind(1, proposal).Bind(2, (long)DifferenceReason.ChargedTwice).Run();

    private static void Found(PreparedConnection db, ReconciliationRun run, StrayRow stray)
    {
        // What a charge, a refund, or what a reversal gave back can have been missed as.
        var missed = (stray.Kind, stray.RefundNumber.Length) switch
        {
            (BillRowKind.Payment, _) => (DifferenceReason.NotInBill, DifferenceReason.AwaitsBill, DifferenceReason.AwaitsBill),
            (_, > 0) => (DifferenceReason.RefundNotInBill, DifferenceReason.AwaitsBill, DifferenceReason.AwaitsBill),
            _ => (DifferenceReason.LateSuccess, DifferenceReason.AwaitsReturn, DifferenceReason.NotReturned),
        };
        db.Prepare(
            """
            UPDATE reconciliation_difference SET reason = ?4, class = ?5, awaits = ?6, settled = 1
            WHERE account_id = ?1 AND order_number = ?2 AND NOT settled AND reconciliation_id <> ?3 AND reason IN (?7, ?8, ?9)
              AND refund_number = ?10
            """)
            .Bind(1, run.AccountId).Bind(2, stray.OrderNumber).Bind(3, run.Id).Bind(4, (long)DifferenceReason.InOtherBill)
            .Bind(5, (long)DifferenceClass.OtherDay).Bind(6, Text(run.Day)).Bind(7, (long)missed.Item1).Bind(8, (long)missed.Item2)
            .Bind(9, (long)missed.Item3).Bind(10, stray.RefundNumber).Run();
    }

    private static List<(long Report, DateOnly Day, long Generation, long Number, Difference Difference)> Waiting(PreparedConnection db, ReconciliationRun run)
    {
        var rows = db.Prepare(
            """
            SELECT d.reconciliation_id, r.day, d.generation, d.number, d.reason, d.order_number, d.refund_number, d.serial_number, d.request_id, d.attempt,
              d."transaction", d.line, d.bill_fen, d.ledger_fen, d.at
            FROM reconciliation_difference d JOIN reconciliation r ON r.id = d.reconciliation_id AND r.generation = d.generation
            WHERE d.account_id = ?1 AND d.awaits = ?2 AND NOT d.settled AND d.awaits IS NOT NULL LIMIT 500
            """).Bind(1, run.AccountId).Bind(2, Text(run.Day));
        var waiting = new List<(long, DateOnly, long, long, Difference)>();
        while (rows.Next())
        {
            waiting.Add((rows.Long(0), Day(rows.Text(1)), rows.Long(2), rows.Long(3), new Difference(
                (DifferenceReason)rows.Long(4), rows.Text(5), rows.Text(6), rows.IsNull(7) ? null : new PaymentId(rows.Text(7), rows.Text(8)), (int)rows.Long(9), rows.Text(10),
                (int?)rows.LongOrNull(11), rows.LongOrNull(12), rows.LongOrNull(13), rows.Time(14))));
        }

        return waiting;
    }

    /// <summary>One proposal an order, for ever: what was decided is not asked again.</summary>
    private async Task Propose(ReconciliationRun run, IEnumerable<Difference> differences, DateTimeOffset now, CancellationToken cancellationToken)
    {
        foreach (var some in differences.Where(d => d.ProposesRefund || d.EndsProposal).Chunk(RowsAWrite))
        {
            await Write(db =>
            {
                foreach (var difference in some)
                {
                    if (difference.Settled)
                    {
                        db.Prepare("UPDATE refund_proposal SET state = 3, note = 'the money was back before anybody decided' WHERE order_number = ?1 AND state = 0")
                            .Bind(1, difference.OrderNumber).Run();
                    }
                    else
                    {
                        Propose(db, run, difference, now);
                    }
                }
            }, cancellationToken);
        }
    }

    private void Propose(PreparedConnection db, ReconciliationRun run, Difference difference, DateTimeOffset now)
    {
        // Our books have one charge of that number: a person looks whether the channel's two are two.
        var byRule = difference.Fen < options.Value.ApproveBelowFen && difference.Reason != DifferenceReason.ChargedTwice;
        var added = db.Prepare(
            """
            INSERT OR IGNORE INTO refund_proposal(reconciliation_id, account_id, day, order_number, serial_number, request_id, attempt, reason, amount_fen,
              state, proposed_at, decided_by, decided_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
            """)
            .Bind(1, run.Id).Bind(2, run.AccountId).Bind(3, Text(run.Day)).Bind(4, difference.OrderNumber).Bind(5, difference.Payment!.Value.SerialNumber)
            .Bind(6, difference.Payment.Value.RequestId).Bind(7, difference.Attempt).Bind(8, (long)difference.Reason).Bind(9, difference.Fen)
            .Bind(10, (long)(byRule ? ProposalState.Approved : ProposalState.Proposed)).Bind(11, now).Bind(12, byRule ? Hub : null)
            .Bind(13, byRule ? (DateTimeOffset?)now : null).Run();
        if (added > 0 && byRule)
        {
            var after = string.Create(CultureInfo.InvariantCulture, $$"""{"rule":"Reconciliation:ApproveBelowFen","orderNumber":"{{difference.OrderNumber}}","amountFen":{{difference.Fen}}}""");
            db.Prepare("INSERT INTO audit(at, who, what, subject, after) VALUES (?1, ?2, 'refund-proposal.approve', ?3, ?4)")
                .Bind(1, now).Bind(2, Hub).Bind(3, $"payment:{difference.Payment}").Bind(4, after).Run();
        }
    }

    private static void Insert(PreparedConnection db, ReconciliationRun run, long generation, int number, Difference d) => db.Prepare(
        """
        INSERT INTO reconciliation_difference(reconciliation_id, generation, number, account_id, class, reason, order_number, refund_number, serial_number,
          request_id, attempt, "transaction", line, bill_fen, ledger_fen, at, awaits, settled)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
        """)
        .Bind(1, run.Id).Bind(2, generation).Bind(3, number).Bind(4, run.AccountId).Bind(5, (long)d.Class).Bind(6, (long)d.Reason).Bind(7, d.OrderNumber)
        .Bind(8, d.RefundNumber).Bind(9, d.Payment?.SerialNumber).Bind(10, d.Payment?.RequestId).Bind(11, d.Attempt).Bind(12, d.Transaction)
        .Bind(13, (long?)d.Line).Bind(14, d.BillFen).Bind(15, d.LedgerFen).Bind(16, d.At).Bind(17, d.Awaits is { } awaits ? Text(awaits) : null)
        .Bind(18, d.Settled ? 1L : 0L).Run();
}
