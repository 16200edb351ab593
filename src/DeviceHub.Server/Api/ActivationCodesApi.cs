using DeviceHub.Core;
using DeviceHub.Core.People;
using DeviceHub.Core.Terminals;
using DeviceHub.Server.ApiKeys;
using DeviceHub.Server.Hosting;
using DeviceHub.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.Api;

/// <summary>Activation codes: the code itself is in the answer to its creation and nowhere else.</summary>
internal static class ActivationCodesApi
{
    private const int MaxUses = 1000;
    private const int MaxDays = 365;

    /// <param name="Model">Of the terminals that it activates; decides whether they must seal.</param>
    /// <param name="Uses">How many terminals it may activate; 1 when left out.</param>
    /// <param name="ValidHours">How long it may be used; 168 (a week) when left out.</param>
    internal sealed record NewCode(string? StoreId, string? Model, int? Uses, int? ValidHours);

    internal sealed record CreatedCode(string Id, string Code, string StoreId, string Model, int Uses, DateTimeOffset Expires);

    internal sealed record Code(
        string Id, string EndsWith, string StoreId, string StoreName, string Model, int Uses, int Used, DateTimeOffset Expires, DateTimeOffset? Revoked, string CreatedBy,
        DateTimeOffset Created, IReadOnlyList<Use> UsedBy);

    internal sealed record Use(string SerialNumber, DateTimeOffset ReservedAt, DateTimeOffset? ConsumedAt);

    public static void MapActivationCodes(this RouteGroupBuilder api)
    {
        api.MapGet("/activation-codes", List).Produces<PageOf<Code>>().WithSummary("Activation codes, newest first, with who used them");
        api.MapPost("/activation-codes", Create).RequireAuthorization(Policies.Operate).Produces<CreatedCode>(201).ProducesValidationProblem().ProducesProblem(409)
            .WithSummary("Makes an activation code for a store; the code is in this answer and nowhere else");
        api.MapPost("/activation-codes/{id}/revoke", Revoke).RequireAuthorization(Policies.Operate).Produces(204).ProducesProblem(404)
            .WithSummary("Ends an activation code; terminals that it has activated stay active");
    }

    private static async Task<IResult> List(HubReads reads, Paging paging, string? storeId, int? page, int? pageSize, CancellationToken stop)
    {
        if (paging.Check(page, pageSize) is { } fault)
        {
            return fault;
        }

        return Results.Ok(await reads.Run(
            (db, cancel) =>
            {
                var rows = db.ActivationCodes.AsNoTracking().Include(c => c.Store).Include(c => c.Uses).AsQueryable();
                rows = storeId is null ? rows : rows.Where(c => c.StoreId == storeId);
                return paging.Read(rows.OrderByDescending(c => c.CreatedAt).ThenBy(c => c.Id), page, pageSize, Of, cancel);
            },
            stop));
    }

    private static async Task<IResult> Create(
        NewCode body, HubWrites writes, HubKeys keys, AuditTrail audit, TimeProvider clock, HttpContext http, IOptions<ServerOptions> options, CancellationToken stop)
    {
        var check = new FieldCheck();
        var storeId = check.Text(body.StoreId, "storeId", 64);
        var model = check.Text(body.Model, "model", 32);
        check.That(body.Uses is null or (>= 1 and <= MaxUses), "uses", $"1 to {MaxUses}");
        check.That(body.ValidHours is null or (>= 1 and <= MaxDays * 24), "validHours", $"1 to {MaxDays * 24}");
        if (check.Problem is { } fault)
        {
            return fault;
        }

        var code = ActivationCodes.Create();
        var now = clock.GetUtcNow();
        var row = new ActivationCodeRow
        {
            Id = "ac" + Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(6)),
            Fingerprint = keys.ActivationFingerprint(ActivationCodes.Normalise(code)!),
            Hint = code.Reveal()[^4..],
            StoreId = storeId,
            Model = model,
            MaxUses = body.Uses ?? 1,
            Expires = now.AddHours(body.ValidHours ?? 168),
            CreatedBy = AuditTrail.Who(http.User),
            CreatedAt = now,
        };
        var entry = audit.Row("activation-code.create", "activation-code:" + row.Id, null, new { row.StoreId, row.Model, row.MaxUses, row.Expires });
        return await writes.Run(
            async (db, cancel) =>
            {
                if (!await db.Stores.AnyAsync(s => s.Id == storeId, cancel))
                {
                    return Problems.Field("storeId", "there is no such store");
                }

                if (await db.ActivationCodes.CountAsync(cancel) >= options.Value.MaxRecords)
                {
                    return Problems.Conflict("the hub has as many activation codes as Server:MaxRecords allows");
                }

                db.ActivationCodes.Add(row);
                db.Audit.Add(entry);
                await db.SaveChangesAsync(cancel);
                return Results.Created((string?)null, new CreatedCode(row.Id, code.Reveal(), row.StoreId, row.Model, row.MaxUses, row.Expires));
            },
            stop);
    }

    private static async Task<IResult> Revoke(string id, HubWrites writes, AuditTrail audit, TimeProvider clock, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        return await writes.Run(
            async (db, cancel) =>
            {
                if (await db.ActivationCodes.FirstOrDefaultAsync(c => c.Id == id, cancel) is not { } row)
                {
                    return Problems.NotFound("activation code " + id);
                }

                if (row.Revoked is null)
                {
                    row.Revoked = now;
                    db.Audit.Add(audit.Row("activation-code.revoke", "activation-code:" + id, new { Revoked = (DateTimeOffset?)null }, new { Revoked = now }));
                    await db.SaveChangesAsync(cancel);
                }

                return Results.NoContent();
            },
            stop);
    }

    private static Code Of(ActivationCodeRow row) => new(
        row.Id,
        row.Hint,
        row.StoreId,
        row.Store?.Name ?? "",
        row.Model,
        row.MaxUses,
        row.Uses.Count,
        row.Expires,
        row.Revoked,
        row.CreatedBy,
        row.CreatedAt,
        [.. row.Uses.OrderBy(u => u.ReservedAt).Select(u => new Use(u.SerialNumber, u.ReservedAt, u.ConsumedAt))]);
}
