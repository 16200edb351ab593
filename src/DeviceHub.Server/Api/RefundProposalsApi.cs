using DeviceHub.Core.People;
using DeviceHub.Core.Reconciliation;
using DeviceHub.Server.ApiKeys;
using DeviceHub.Storage;
using Microsoft.EntityFrameworkCore;

namespace DeviceHub.Server.Api;

/// <summary>Refunds that reconciliation proposes: a person, or a rule of the options, says yes or no once.</summary>
internal static class RefundProposalsApi
{
    /// <param name="Note">Why, for the audit log; may be left out.</param>
    internal sealed record Decision(string? Note);

    /// <param name="OrderNumber">At the channel.</param>
    internal sealed record RefundProposal(
        long Id, long ReconciliationId, string AccountId, DateOnly Day, string OrderNumber, string SerialNumber, string RequestId, int Attempt, DifferenceReason Reason,
        long AmountFen, ProposalState State, DateTimeOffset ProposedAt, string? DecidedBy, DateTimeOffset? DecidedAt, string? Note);

    public static void MapRefundProposals(this RouteGroupBuilder api)
    {
        api.MapGet("/refund-proposals", List).Produces<PageOf<RefundProposal>>().WithSummary("Refunds that reconciliation proposes, newest first");
        api.MapPost("/refund-proposals/{id}/approve", (long id, Decision? body, Deciding how, CancellationToken stop) => how.Decide(id, ProposalState.Approved, body, stop))
            .RequireAuthorization(Policies.Own).Produces<RefundProposal>(202).ProducesProblem(404).ProducesProblem(409)
            .WithSummary("Has it refunded on the original route; done when the payment's books say so");
        api.MapPost("/refund-proposals/{id}/refuse", (long id, Decision? body, Deciding how, CancellationToken stop) => how.Decide(id, ProposalState.Refused, body, stop))
            .RequireAuthorization(Policies.Own).Produces<RefundProposal>(202).ProducesProblem(404).ProducesProblem(409)
            .WithSummary("Refuses it for good: no run proposes it again");
    }

    private static async Task<IResult> List(HubReads reads, Paging paging, string? state, string? accountId, long? reconciliationId, int? page, int? pageSize, CancellationToken stop)
    {
        var check = new FieldCheck();
        var wanted = check.OneOf<ProposalState>(state, "state");
        if (paging.Check(page, pageSize, check) is { } fault)
        {
            return fault;
        }

        return Results.Ok(await reads.Run(
            (db, cancel) =>
            {
                var rows = db.RefundProposals.AsNoTracking();
                rows = wanted is { } one ? rows.Where(p => p.State == one) : rows;
                rows = accountId is null ? rows : rows.Where(p => p.AccountId == accountId);
                rows = reconciliationId is { } run ? rows.Where(p => p.ReconciliationId == run) : rows;
                return paging.Read(rows.OrderByDescending(p => p.ProposedAt).ThenByDescending(p => p.Id), page, pageSize, Of, cancel);
            },
            stop));
    }

    private static RefundProposal Of(RefundProposalRow p) => new(
        p.Id, p.ReconciliationId, p.AccountId, p.Day, p.OrderNumber, p.SerialNumber, p.RequestId, p.Attempt, p.Reason, p.AmountFen, p.State, p.ProposedAt, p.DecidedBy, p.DecidedAt, p.Note);

    /// <summary>The same decision again is harmless; another one is refused.</summary>
    internal sealed class Deciding(HubWrites writes, AuditTrail audit, TimeProvider clock, IHttpContextAccessor http, Reconciler reconciler)
    {
        public async Task<IResult> Decide(long id, ProposalState to, Decision? body, CancellationToken stop)
        {
            var check = new FieldCheck();
            var note = body?.Note is null ? null : check.Text(body.Note, "note", 200);
            if (check.Problem is { } fault)
            {
                return fault;
            }

            var (now, who) = (clock.GetUtcNow(), AuditTrail.Who(http.HttpContext?.User));
            var answer = await writes.Run(
                async (db, cancel) =>
                {
                    if (await db.RefundProposals.AsTracking().FirstOrDefaultAsync(p => p.Id == id, cancel) is not { } proposal)
                    {
                        return Problems.NotFound($"refund proposal {id}");
                    }

                    if (proposal.State == ProposalState.Proposed)
                    {
                        (proposal.State, proposal.DecidedBy, proposal.DecidedAt, proposal.Note) = (to, who, now, note);
                        var what = to == ProposalState.Approved ? "refund-proposal.approve" : "refund-proposal.refuse";
                        db.Audit.Add(audit.Row(
                            what, $"payment:{proposal.SerialNumber}/{proposal.RequestId}", new { State = ProposalState.Proposed }, new { State = to, proposal.OrderNumber, proposal.AmountFen, note }));
                        await db.SaveChangesAsync(cancel);
                    }
                    else if (proposal.State != to)
                    {
                        return Problems.Conflict($"it is decided already: {proposal.State}".ToLowerInvariant());
                    }

                    return Results.Accepted((string?)null, Of(proposal));
                },
                stop);
            reconciler.Look();
            return answer;
        }
    }
}
