using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Storage;

/// <summary>One run: the bill into a file of its own, sorted; matched page by page with the ledger; the report written and shown.</summary>
internal sealed partial class ReconciliationBook
{
    /// <summary>Orders that are looked up in one read: some milliseconds.</summary>
    private const int OrdersARead = 512;
    private const int AttemptsARead = 4096;

    /// <summary>WeChat allows 50 refunds of an order.</summary>
    private const int MaxRowsAnOrder = 1_000;

    private static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ProjectionPatience = TimeSpan.FromMinutes(2);

    public async Task Reconcile(ReconciliationRun run, IAsyncEnumerable<BillRow> bill, IReadOnlyList<string> sharing, DateTimeOffset now, CancellationToken cancellationToken)
    {
        using var workspace = new BillWorkspace(WorkspaceFile(run), run.Requests);
        if (!workspace.IsLoaded)
        {
            await Load(run, workspace, bill, cancellationToken);
        }

        await Progress(run, RunStep.Match, workspace.Totals.Rows);
        var shown = await LedgerIsShown(cancellationToken);
        var (previous, next) = await reads.Read(run, static (db, run) => (IsReported(db, run.AccountId, run.Day.AddDays(-1)), IsReported(db, run.AccountId, run.Day.AddDays(1))));
        var side = new LedgerSide(
            search, keys, run.AccountId, sharing, run.Day, options.Value.MidnightMargin, previous, next, accounts.Find(run.AccountId)?.Terms.FeeBasisPoints ?? 0);
        var report = new ReportDraft(workspace, options.Value);
        workspace.BeginMatching();
        await MatchBill(workspace, side, report, cancellationToken);
        await MatchLedger(run, workspace, side, report, cancellationToken);
        await SettleGone(run, workspace, cancellationToken);
        IsStillShown(shown);
        workspace.EndMatching();
        await Progress(run, RunStep.Write, workspace.Totals.Rows);
        await Publish(run, workspace, report, now, cancellationToken);
        workspace.Delete();
    }

    private async Task Load(ReconciliationRun run, BillWorkspace workspace, IAsyncEnumerable<BillRow> bill, CancellationToken cancellationToken)
    {
        var told = clock.GetTimestamp();
        try
        {
            await workspace.Load(
                bill,
                run.Requests,
                rows =>
                {
                    if (!disk.HasRoom())
                    {
                        throw new IOException("the disk is nearly full: what is left is reserved for payments (Storage:ReserveBytes)");
                    }

                    if (clock.GetElapsedTime(told) >= ProgressEvery)
                    {
                        told = clock.GetTimestamp();
                        _ = Progress(run, RunStep.Download, rows);
                    }
                },
                cancellationToken);
        }
        catch
        {
            // Half a bill is of no use to anybody.
            workspace.Delete();
            throw;
        }
    }

    private static async Task MatchBill(BillWorkspace workspace, LedgerSide side, ReportDraft report, CancellationToken cancellationToken)
    {
        foreach (var page in workspace.Orders(OrdersARead, MaxRowsAnOrder))
        {
            cancellationToken.ThrowIfCancellationRequested();
            report.Add(await side.Judge(page));
        }
    }

    private static async Task MatchLedger(ReconciliationRun run, BillWorkspace workspace, LedgerSide side, ReportDraft report, CancellationToken cancellationToken)
    {
        var after = OwnOrder.FirstOf(BillDay.Start(run.Day));
        while (await side.Charged(after, AttemptsARead) is { Count: > 0 } charged)
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (var missing in charged.Where(number => !workspace.HasCharge(number)).Chunk(OrdersARead))
            {
                report.Add(await side.JudgeUnbilled(missing));
            }

            after = charged[^1];
        }

        var last = (At: BillDay.Start(run.Day), Order: "", Refund: "");
        while (await side.Refunded(last, AttemptsARead) is { Count: > 0 } refunded)
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (var missing in refunded.Where(r => !workspace.HasRefund(r.Order, r.Refund)).Select(r => (r.Order, r.Refund)).Chunk(OrdersARead))
            {
                report.Add(await side.JudgeUnbilled(missing));
            }

            last = refunded[^1];
        }
    }

    /// <summary>What the last report showed and this run did not find again stays in the report, as settled.</summary>
    private async Task SettleGone(ReconciliationRun run, BillWorkspace workspace, CancellationToken cancellationToken)
    {
        var number = 0;
        while (await reads.Read((run.Id, number), LastReport) is { Count: > 0 } page)
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (var (at, difference) in page)
            {
                number = at;
                workspace.Add(difference with { Settled = true });
            }
        }
    }

    private static List<(int Number, Difference Difference)> LastReport(PreparedConnection db, (long Run, int After) x)
    {
        var rows = db.Prepare(
            """
            SELECT d.number, d.reason, d.order_number, d.refund_number, d.serial_number, d.request_id, d.attempt, d."transaction", d.line, d.bill_fen,
              d.ledger_fen, d.at, d.awaits, d.settled
            FROM reconciliation r JOIN reconciliation_difference d ON d.reconciliation_id = r.id AND d.generation = r.generation
            WHERE r.id = ?1 AND d.number > ?2 ORDER BY d.number LIMIT 1000
            """).Bind(1, x.Run).Bind(2, x.After);
        var page = new List<(int, Difference)>();
        while (rows.Next())
        {
            page.Add(((int)rows.Long(0), new Difference(
                (DifferenceReason)rows.Long(1), rows.Text(2), rows.Text(3), rows.IsNull(4) ? null : new PaymentId(rows.Text(4), rows.Text(5)), (int)rows.Long(6), rows.Text(7),
                (int?)rows.LongOrNull(8), rows.LongOrNull(9), rows.LongOrNull(10), rows.Time(11), rows.TextOrNull(12) is { } day ? Day(day) : null, rows.Long(13) != 0)));
        }

        return page;
    }

    /// <summary>Until the search file shows what the ledger had when this run began to match.</summary>
    /// <returns>The file that does.</returns>
    private async Task<int> LedgerIsShown(CancellationToken cancellationToken)
    {
        var file = searchFile.Generation;
        var (_, wanted) = await search.Read(0, static (db, _) => PaymentProjection.Position(db));
        var from = clock.GetTimestamp();
        while ((await search.Read(0, static (db, _) => PaymentProjection.Position(db))).Shown < wanted)
        {
            if (clock.GetElapsedTime(from) > ProjectionPatience)
            {
                throw new TimeoutException("the searchable payments do not follow the ledger");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), clock, cancellationToken);
        }

        return file;
    }

    /// <summary>A file that was made anew meanwhile lacks payments: what was concluded from what it does not have is nothing.</summary>
    private void IsStillShown(int file)
    {
        if (searchFile.Generation != file)
        {
            throw new TimeoutException("the searchable payments were made anew while the run looked at them");
        }
    }

    private static bool IsReported(PreparedConnection db, string account, DateOnly day) =>
        db.Prepare("SELECT 1 FROM reconciliation WHERE account_id = ?1 AND day = ?2 AND reported_at IS NOT NULL").Bind(1, account).Bind(2, Text(day)).Any();

    /// <summary>For who watches; that it cannot be written is no reason to stop.</summary>
    private async Task Progress(ReconciliationRun run, RunStep step, long rows)
    {
        try
        {
            await Write(db => db.Prepare("UPDATE reconciliation SET step = ?2, rows_read = ?3 WHERE id = ?1 AND state = 1")
                .Bind(1, run.Id).Bind(2, (long)step).Bind(3, rows).Run(), CancellationToken.None);
        }
        catch (Exception e)
        {
            LogNoProgress(e, run.AccountId, run.Day);
        }
    }

    [LoggerMessage(EventId = 1, EventName = "ReconciliationProgressNotWritten", Level = LogLevel.Warning, Message = "How far account {Account} is reconciled for {Day:yyyy-MM-dd} could not be written; it goes on")]
    private partial void LogNoProgress(Exception e, string account, DateOnly day);
}
