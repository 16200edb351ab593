using System.Text.Json;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.People;
using DeviceHub.Core.Reconciliation;
using DeviceHub.Server.ApiKeys;
using DeviceHub.Storage;
using Microsoft.EntityFrameworkCore;

namespace DeviceHub.Server.Api;

/// <summary>Reconciliations of accounts with their channels' bills, day by day: asked for, watched, read and downloaded.</summary>
internal static class ReconciliationsApi
{
    private const int OldestDays = 730;

    /// <param name="Day">China's calendar: 2026-11-25. Most channels have a day's bill on the next morning; what is read of a day that is not over is read again by the daily run.</param>
    internal sealed record NewReconciliation(string? AccountId, DateOnly? Day);

    /// <param name="Step">What it is at while it runs.</param>
    /// <param name="RowsRead">Of the bill, so far.</param>
    /// <param name="NextTryAt">While it waits: when it is due.</param>
    /// <param name="ReportedAt">When the report that is shown was made; null: there is none.</param>
    /// <param name="Fault">Why it failed or is tried again.</param>
    internal sealed record Reconciliation(
        long Id, string AccountId, string MerchantId, string Channel, DateOnly Day, RunState State, RunStep Step, long RowsRead, int Tries, string RequestedBy,
        DateTimeOffset RequestedAt, DateTimeOffset? StartedAt, DateTimeOffset? NextTryAt, DateTimeOffset? ReportedAt, string? Fault);

    /// <param name="Open">Not settled.</param>
    /// <param name="Fen">Sum of their amounts.</param>
    /// <param name="LeftOut">Counted here and not kept as rows: there were too many.</param>
    internal sealed record ClassTotal(DifferenceClass Class, long Count, long Open, long Fen, long LeftOut);

    internal sealed record BillTotal(long Rows, long ChargedFen, long PaidBackFen, long FeeFen);

    internal sealed record MatchedTotal(long Count, long Fen);

    internal sealed record ReconciliationDetail(Reconciliation Run, BillTotal Bill, MatchedTotal Matched, IReadOnlyList<ClassTotal> Differences, long OpenProposals);

    /// <param name="At">The channel's time; of what is not in the bill, ours.</param>
    /// <param name="BillFen">In the bill; of a fee difference the fee.</param>
    internal sealed record DifferenceItem(
        int Number, DifferenceClass Class, DifferenceReason Reason, bool Settled, string OrderNumber, string? RefundNumber, string? Transaction, int? Line, long? BillFen,
        long? LedgerFen, DateTimeOffset At, DateOnly? OtherDay, string? SerialNumber, string? RequestId, int Attempt);

    internal sealed class Search
    {
        public string? AccountId { get; init; }
        public string? MerchantId { get; init; }
        public string? State { get; init; }
        public DateOnly? From { get; init; }
        public DateOnly? To { get; init; }
        public int? Page { get; init; }
        public int? PageSize { get; init; }
    }

    public static void MapReconciliations(this RouteGroupBuilder api)
    {
        api.MapGet("/reconciliations", List).Produces<PageOf<Reconciliation>>().WithSummary("Reconciliations, the latest day first")
            .WithDescription("from and to are days, both included.");
        api.MapPost("/reconciliations", Ask).RequireAuthorization(Policies.Operate).Produces<Reconciliation>(202).ProducesValidationProblem().ProducesProblem(404).ProducesProblem(409)
            .WithSummary("Reconciles an account for a day, again if it was before")
            .WithDescription("Fetches the channel's bill anew. Running it again changes nothing: the same bill and books give the same report, and what was proposed is not proposed again.");
        api.MapGet("/reconciliations/{id}", Get).Produces<ReconciliationDetail>().ProducesProblem(404).WithSummary("One reconciliation with counts and sums of each kind of difference");
        api.MapGet("/reconciliations/{id}/differences", Differences).Produces<PageOf<DifferenceItem>>().ProducesProblem(404)
            .WithSummary("Its differences by order number").WithDescription("Filters: class, reason, settled (true: nothing is left to do).");
        api.MapGet("/reconciliations/{id}/report.csv", (long id, ReconciliationReport report, CancellationToken stop) => report.Csv(id, stop)).Produces(200, contentType: "text/csv")
            .ProducesProblem(404).WithSummary("The report as CSV (UTF-8)").WithDescription("In the language of Accept-Language or ?ui-culture=: English or Chinese.");
        api.MapGet("/reconciliations/{id}/report.xlsx", (long id, ReconciliationReport report, CancellationToken stop) => report.Xlsx(id, stop))
            .Produces(200, contentType: ReconciliationReport.XlsxType).ProducesProblem(404).WithSummary("The report as a workbook: totals and differences");
    }

    internal static Reconciliation Of(ReconciliationRow r) => new(
        r.Id, r.AccountId, r.MerchantId, r.Channel, r.Day, r.State, r.Step, r.RowsRead, r.Tries, r.RequestedBy, r.RequestedAt, r.StartedAt, r.NextAt, r.ReportedAt, r.Fault);

    /// <summary>Of the report that is shown, in the order of the kinds. What was left out counts as open, but for what another account's report judges.</summary>
    internal static async Task<IReadOnlyList<ClassTotal>> Totals(HubDbContext db, ReconciliationRow run, CancellationToken cancel)
    {
        var counted = await db.Differences.Where(d => d.ReconciliationId == run.Id && d.Generation == run.Generation)
            .GroupBy(d => d.Class)
            .Select(g => new { Class = g.Key, Count = g.LongCount(), Open = g.LongCount(d => !d.Settled), Fen = g.Sum(d => d.BillFen ?? d.LedgerFen ?? 0) })
            .ToListAsync(cancel);
        var leftOut = run.LeftOut is null ? [] : JsonSerializer.Deserialize<Dictionary<DifferenceClass, LeftOut>>(run.LeftOut, JsonSerializerOptions.Web)!;
        return
        [
            .. from one in Enum.GetValues<DifferenceClass>()
               let kept = counted.Find(c => c.Class == one)
               let more = leftOut.GetValueOrDefault(one) ?? new LeftOut(0, 0)
               select new ClassTotal(one, (kept?.Count ?? 0) + more.Count, (kept?.Open ?? 0) + (one == DifferenceClass.SharedBill ? 0 : more.Count), (kept?.Fen ?? 0) + more.Fen, more.Count),
        ];
    }

    private static async Task<IResult> List(HubReads reads, Paging paging, [AsParameters] Search search, CancellationToken stop)
    {
        var check = new FieldCheck();
        var wanted = check.OneOf<RunState>(search.State, "state");
        if (paging.Check(search.Page, search.PageSize, check) is { } fault)
        {
            return fault;
        }

        return Results.Ok(await reads.Run(
            (db, cancel) =>
            {
                var rows = db.Reconciliations.AsNoTracking();
                rows = search.AccountId is { } account ? rows.Where(r => r.AccountId == account) : rows;
                rows = search.MerchantId is { } merchant ? rows.Where(r => r.MerchantId == merchant) : rows;
                rows = wanted is { } state ? rows.Where(r => r.State == state) : rows;
                rows = search.From is { } from ? rows.Where(r => r.Day >= from) : rows;
                rows = search.To is { } to ? rows.Where(r => r.Day <= to) : rows;
                return paging.Read(rows.OrderByDescending(r => r.Day).ThenBy(r => r.AccountId), search.Page, search.PageSize, Of, cancel);
            },
            stop));
    }

    private static async Task<IResult> Ask(
        NewReconciliation body, HubWrites writes, IChannelAccounts accounts, Reconciler reconciler, AuditTrail audit, TimeProvider clock, HttpContext http, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        var check = new FieldCheck();
        var accountId = check.Text(body.AccountId, "accountId", 64);
        var today = BillDay.Of(now);
        check.That(body.Day is { } wanted && wanted <= today && wanted >= today.AddDays(-OldestDays), "day", $"a day such as {today:yyyy-MM-dd}, no later than China's today and at most {OldestDays} days ago");
        if (check.Problem is { } fault)
        {
            return fault;
        }

        if (accounts.Find(accountId) is not { } account)
        {
            return Problems.NotFound("channel account " + accountId);
        }

        if (!reconciler.HasBills(account))
        {
            return Problems.Conflict($"channel {account.Channel} has no bills");
        }

        var who = AuditTrail.Who(http.User);
        var row = await writes.Run(
            async (db, cancel) =>
            {
                var day = body.Day!.Value;
                var run = await db.Reconciliations.AsTracking().FirstOrDefaultAsync(r => r.AccountId == accountId && r.Day == day, cancel);
                var before = run is null ? null : new { run.State, run.Requests };
                if (run is null)
                {
                    run = new ReconciliationRow { AccountId = accountId, Channel = account.Channel, MerchantId = account.MerchantId, Day = day, RequestedBy = who };
                    db.Reconciliations.Add(run);
                }

                // One that runs is left alone; one that waits is due at once.
                if (run.State != RunState.Running)
                {
                    (run.State, run.Step, run.NextAt, run.Tries, run.Fault) = (RunState.Waiting, RunStep.None, now, 0, null);
                    (run.RequestedBy, run.RequestedAt, run.Requests) = (who, now, run.Requests + 1);
                }

                db.Audit.Add(audit.Row("reconciliation.run", $"account:{accountId}", before, new { day, run.State, run.Requests }));
                await db.SaveChangesAsync(cancel);
                return run;
            },
            stop);
        reconciler.Look();
        return Results.Accepted($"/api/v1/reconciliations/{row.Id}", Of(row));
    }

    private static async Task<IResult> Get(long id, HubReads reads, CancellationToken stop)
    {
        var detail = await reads.Run(
            async (db, cancel) =>
            {
                if (await db.Reconciliations.AsNoTracking().FirstOrDefaultAsync(r => r.Id == id, cancel) is not { } run)
                {
                    return null;
                }

                var proposals = await db.RefundProposals.LongCountAsync(p => p.ReconciliationId == id && p.State == ProposalState.Proposed, cancel);
                return new ReconciliationDetail(
                    Of(run), new(run.BillRows, run.ChargedFen, run.PaidBackFen, run.FeeFen), new(run.Matched, run.MatchedFen), await Totals(db, run, cancel), proposals);
            },
            stop);
        return detail is null ? Problems.NotFound($"reconciliation {id}") : Results.Ok(detail);
    }

    private static async Task<IResult> Differences(
        long id, HubReads reads, Paging paging, string? @class, string? reason, bool? settled, int? page, int? pageSize, CancellationToken stop)
    {
        var check = new FieldCheck();
        var wantedClass = check.OneOf<DifferenceClass>(@class, "class");
        var wantedReason = check.OneOf<DifferenceReason>(reason, "reason");
        if (paging.Check(page, pageSize, check) is { } fault)
        {
            return fault;
        }

        var items = await reads.Run(
            async (db, cancel) =>
            {
                if (await db.Reconciliations.AsNoTracking().FirstOrDefaultAsync(r => r.Id == id, cancel) is not { } run)
                {
                    return null;
                }

                var rows = db.Differences.AsNoTracking().Where(d => d.ReconciliationId == id && d.Generation == run.Generation);
                rows = wantedClass is { } one ? rows.Where(d => d.Class == one) : rows;
                rows = wantedReason is { } why ? rows.Where(d => d.Reason == why) : rows;
                rows = settled is { } done ? rows.Where(d => d.Settled == done) : rows;
                return await paging.Read(rows.OrderBy(d => d.Number), page, pageSize, Of, cancel);
            },
            stop);
        return items is null ? Problems.NotFound($"reconciliation {id}") : Results.Ok(items);
    }

    private static DifferenceItem Of(DifferenceRow d) => new(
        d.Number, d.Class, d.Reason, d.Settled, d.OrderNumber, d.RefundNumber.Length == 0 ? null : d.RefundNumber, d.Transaction.Length == 0 ? null : d.Transaction, d.Line,
        d.BillFen, d.LedgerFen, d.At, d.Awaits, d.SerialNumber, d.RequestId, d.Attempt);
}
