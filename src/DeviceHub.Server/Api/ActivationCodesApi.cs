using DeviceHub.Core.Merchants;
using DeviceHub.Core.People;
using DeviceHub.Core.Terminals;
using DeviceHub.Server.ApiKeys;

namespace DeviceHub.Server.Api;

/// <summary>Activation codes: the code itself is in the answer to its creation and nowhere else.</summary>
internal static class ActivationCodesApi
{
    /// <param name="Model">Of the terminals that it activates; decides whether they must seal.</param>
    /// <param name="Uses">How many terminals it may activate; 1 when left out.</param>
    /// <param name="ValidHours">How long it may be used; 168 (a week) when left out.</param>
    internal sealed record NewCode(string? StoreId, string? Model, int? Uses, int? ValidHours);

    internal sealed record CreatedCode(string Id, string Code, string StoreId, string Model, int Uses, DateTimeOffset Expires);

    internal sealed record Code(
        string Id, string EndsWith, string StoreId, string StoreName, string Model, int Uses, int Used, ActivationCodeState State, DateTimeOffset Expires, DateTimeOffset? Revoked, string CreatedBy,
        DateTimeOffset Created, IReadOnlyList<Use> UsedBy);

    internal sealed record Use(string SerialNumber, DateTimeOffset ReservedAt, DateTimeOffset? ConsumedAt);

    /// <param name="ValidHours">From now; an expiry is never moved nearer.</param>
    /// <param name="MoreUses">Beyond those that it has.</param>
    internal sealed record Extension(int? ValidHours, int? MoreUses);

    public static void MapActivationCodes(this RouteGroupBuilder api)
    {
        api.MapGet("/activation-codes", List).Produces<PageOf<Code>>().WithSummary("Activation codes, newest first, with who used them")
            .WithDescription($"used counts all; usedBy names the first {ActivationCodeRules.MaxNamed}.");
        api.MapPost("/activation-codes", Create).RequireAuthorization(Policies.Operate).Produces<CreatedCode>(201).ProducesValidationProblem().ProducesProblem(409)
            .WithSummary("Makes an activation code for a store; the code is in this answer and nowhere else");
        api.MapPost("/activation-codes/{id}/extend", Extend).RequireAuthorization(Policies.Operate).Produces(204).ProducesValidationProblem().ProducesProblem(404).ProducesProblem(409)
            .WithSummary("Makes an activation code valid for longer, or for more terminals");
        api.MapPost("/activation-codes/{id}/revoke", Revoke).RequireAuthorization(Policies.Operate).Produces(204).ProducesProblem(404)
            .WithSummary("Ends an activation code; terminals that it has activated stay active");
    }

    private static async Task<IResult> List(IActivationCodes codes, Paging paging, string? storeId, string? state, int? page, int? pageSize, CancellationToken stop)
    {
        var check = new FieldCheck();
        var filter = new ActivationCodeFilter(storeId, check.OneOf<ActivationCodeState>(state, "state"));
        return paging.Check(page, pageSize, check) ?? Results.Ok(await paging.Read((skip, limit) => codes.Find(filter, skip, limit, stop), page, pageSize, Of));
    }

    private static async Task<IResult> Create(NewCode body, IActivationCodes codes, AuditTrail audit, CancellationToken stop)
    {
        var check = new FieldCheck();
        var storeId = check.Text(body.StoreId, "storeId", 64);
        var model = check.Text(body.Model, "model", ActivationCodeRules.MaxModel);
        Check(check, "uses", body.Uses);
        CheckHours(check, body.ValidHours);
        if (check.Problem is { } fault)
        {
            return fault;
        }

        var validFor = body.ValidHours is { } hours ? TimeSpan.FromHours(hours) : ActivationCodeRules.UsualValid;
        return await codes.Create(storeId, model, body.Uses ?? 1, validFor, audit.Actor(), stop) switch
        {
            { Value: { } made } => Results.Created((string?)null, new CreatedCode(made.Id, made.Code.Reveal(), made.StoreId, made.Model, made.MaxUses, made.Expires)),
            { Why: NotMade.NoSuchStore } => Problems.Field("storeId", "there is no such store"),
            _ => Problems.Conflict("the hub has as many activation codes as Server:MaxRecords allows"),
        };
    }

    private static async Task<IResult> Extend(string id, Extension body, IActivationCodes codes, AuditTrail audit, CancellationToken stop)
    {
        var check = new FieldCheck();
        Check(check, "moreUses", body.MoreUses);
        CheckHours(check, body.ValidHours);
        check.That(body is not { MoreUses: null, ValidHours: null }, "validHours", "validHours or moreUses is needed");
        if (check.Problem is { } fault)
        {
            return fault;
        }

        return await codes.Extend(id, body.ValidHours is { } hours ? TimeSpan.FromHours(hours) : null, body.MoreUses, audit.Actor(), stop) switch
        {
            Extended.Done => Results.NoContent(),
            Extended.NotFound => Problems.NotFound("activation code " + id),
            Extended.Revoked => Problems.Conflict("the code is revoked; make a new one"),
            _ => Problems.Field("moreUses", $"together with those that it has, {ActivationCodeRules.MaxUses} at most"),
        };
    }

    private static async Task<IResult> Revoke(string id, IActivationCodes codes, AuditTrail audit, CancellationToken stop) =>
        await codes.Revoke(id, audit.Actor(), stop) ? Results.NoContent() : Problems.NotFound("activation code " + id);

    private static void Check(FieldCheck check, string field, int? uses) =>
        check.That(uses is null or (>= 1 and <= ActivationCodeRules.MaxUses), field, $"1 to {ActivationCodeRules.MaxUses}");

    private static void CheckHours(FieldCheck check, int? hours) =>
        check.That(hours is null || (hours >= 1 && hours <= ActivationCodeRules.MaxValid.TotalHours), "validHours", $"1 to {ActivationCodeRules.MaxValid.TotalHours}");

    private static Code Of(ActivationCodeSummary code) => new(
        code.Id,
        code.Hint,
        code.StoreId,
        code.StoreName,
        code.Model,
        code.MaxUses,
        code.Used,
        code.State,
        code.Expires,
        code.Revoked,
        code.CreatedBy,
        code.CreatedAt,
        [.. code.UsedBy.Select(u => new Use(u.SerialNumber, u.ReservedAt, u.ConsumedAt))]);
}
