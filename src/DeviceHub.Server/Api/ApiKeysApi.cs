using DeviceHub.Core.People;
using DeviceHub.Server.ApiKeys;
using DeviceHub.Storage;
using Microsoft.EntityFrameworkCore;

namespace DeviceHub.Server.Api;

/// <summary>Keys of programs, and the audit log.</summary>
internal static class ApiKeysApi
{
    /// <param name="MerchantId">With the scope charge, which stands alone: the merchant whose terminals the till may have collect.</param>
    internal sealed record NewKey(string? Name, IReadOnlyList<string>? Scopes, DateTimeOffset? Expires, string? MerchantId);

    /// <param name="Key">Shown this once.</param>
    internal sealed record CreatedKey(string Id, string Key, string Name, IReadOnlyList<string> Scopes, string? MerchantId, DateTimeOffset? Expires);

    internal sealed record AuditEntry(long Id, DateTimeOffset At, string Who, string What, string Subject, string? Before, string? After, string? Address);

    public static void MapApiKeys(this RouteGroupBuilder api)
    {
        api.MapGet("/api-keys", List).RequireAuthorization(Policies.Own).Produces<PageOf<ApiKeyEntry>>().WithSummary("API keys, newest first, by their first characters");
        api.MapPost("/api-keys", Create).RequireAuthorization(Policies.Own).Produces<CreatedKey>(201).ProducesValidationProblem().ProducesProblem(409)
            .WithSummary("Makes an API key; the key is in this answer and nowhere else");
        api.MapPost("/api-keys/{id}/revoke", Revoke).RequireAuthorization(Policies.Own).Produces(204).ProducesProblem(404)
            .WithSummary("Ends an API key at once");
        api.MapGet("/audit", Audit).RequireAuthorization(Policies.Own).Produces<PageOf<AuditEntry>>().WithSummary("Who did what, newest first");
    }

    private static async Task<IResult> List(IApiKeys keys, Paging paging, int? page, int? pageSize, CancellationToken stop) =>
        paging.Check(page, pageSize) ?? Results.Ok(await paging.Read((skip, take) => keys.List(skip, take, stop), page, pageSize, k => k));

    private static async Task<IResult> Create(NewKey body, IApiKeys keys, AuditTrail audit, TimeProvider clock, CancellationToken stop)
    {
        var check = new FieldCheck();
        check.Text(body.Name, "name", 100);
        check.That(body.Scopes is { Count: >= 1 } && body.Scopes.Count <= Permission.Scopes.Length && body.Scopes.All(Permission.Scopes.Contains), "scopes", "one or more of: " + string.Join(", ", Permission.Scopes));
        var wrong = Permission.MerchantFault(body.Scopes ?? [], body.MerchantId);
        check.That(wrong is null, "merchantId", wrong ?? "");
        check.That(body.Expires is null || body.Expires > clock.GetUtcNow(), "expires", "must be in the future");
        if (check.Problem is { } fault)
        {
            return fault;
        }

        var created = await keys.Create(audit.Actor(), body.Name!, body.Scopes!, body.Expires, body.MerchantId, stop);
        return created is { Key: { } key, Entry: { } entry }
            ? Results.Created((string?)null, new CreatedKey(entry.Id, key, entry.Name, entry.Scopes, entry.MerchantId, entry.Expires))
            : Problems.Conflict(created.Fault is ApiKeyFault.Merchant ? "there is no merchant " + body.MerchantId : "the hub has as many API keys as Server:MaxRecords allows");
    }

    private static async Task<IResult> Revoke(string id, IApiKeys keys, AuditTrail audit, CancellationToken stop) =>
        await keys.Revoke(audit.Actor(), id, stop) ? Results.NoContent() : Problems.NotFound("API key " + id);

    private static async Task<IResult> Audit(
        HubReads reads, Paging paging, string? subject, string? who, string? what, DateTimeOffset? from, DateTimeOffset? to, int? page, int? pageSize, CancellationToken stop)
    {
        if (paging.Check(page, pageSize) is { } fault)
        {
            return fault;
        }

        return Results.Ok(await reads.Run(
            (db, cancel) =>
            {
                var rows = db.Audit.AsNoTracking();
                rows = subject is null ? rows : rows.Where(a => a.Subject == subject);
                rows = who is null ? rows : rows.Where(a => a.Who == who);
                rows = what is null ? rows : rows.Where(a => a.What == what);
                rows = from is null ? rows : rows.Where(a => a.At >= from);
                rows = to is null ? rows : rows.Where(a => a.At < to);
                return paging.Read(
                    rows.OrderByDescending(a => a.Id),
                    page,
                    pageSize,
                    a => new AuditEntry(a.Id, a.At, a.Who, a.What, a.Subject, a.Before, a.After, a.Address),
                    cancel);
            },
            stop));
    }
}
