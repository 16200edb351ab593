using System.Text.Json;
using DeviceHub.Core.People;
using DeviceHub.Core.Terminals;
using DeviceHub.Server.ApiKeys;
using DeviceHub.Server.Hosting;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.Api;

/// <summary>Terminals: search, one with all that is known, suspend, resume, configuration, limit.</summary>
internal static class TerminalsApi
{
    internal sealed record Terminal(
        string SerialNumber, TerminalStatus Status, string Model, string? MerchantId, string? MerchantName, string? StoreId, string? StoreName, DateTimeOffset RegisteredAt,
        DateTimeOffset? ActivatedAt, DateTimeOffset? LastSeen, string? Firmware, TerminalState State, bool Drift);

    /// <param name="Drift">What the terminal reports is not what is desired.</param>
    /// <param name="OtherHardware">Another board with its key that was turned away; null: none since it was last resumed.</param>
    /// <param name="HeartbeatIntervalSeconds">How often a heartbeat is wanted of it.</param>
    internal sealed record TerminalDetail(
        string SerialNumber, TerminalStatus Status, string Model, string? MerchantId, string? MerchantName, string? StoreId, string? StoreName, string? HardwareId,
        DateTimeOffset RegisteredAt, DateTimeOffset? ActivatedAt, bool Connected, DateTimeOffset? LastSeen, string? Address, JsonElement? Heartbeat, long? MaxAmountFen,
        Configuration? Desired, Reported? Reported, bool Drift, OtherHardware? OtherHardware, int HeartbeatIntervalSeconds);

    internal sealed record Configuration(long Version, JsonElement Document, string Hash);

    internal sealed record Reported(long Version, string Hash, ConfigurationResult Result, string? Detail, DateTimeOffset At);

    /// <param name="Presence">Offline, silent, connected (at least), responsive (at least), payable or notPayable.</param>
    /// <param name="Drift">What it reports is not the configuration that is desired.</param>
    internal sealed record Search(
        [property: FromQuery(Name = "search")] string? Text, string? MerchantId, string? StoreId, string? Model, string? Firmware, string? Status, string? Presence, bool? Drift)
    {
        public TerminalFilter Filter(FieldCheck check) => new()
        {
            Text = Text,
            MerchantId = MerchantId,
            StoreId = StoreId,
            Model = Model,
            Firmware = Firmware,
            Status = check.OneOf<TerminalStatus>(Status, "status"),
            Presence = check.OneOf<PresenceFilter>(Presence, "presence"),
            Drifts = Drift,
        };
    }

    internal sealed record Limit(long? MaxAmountFen);

    internal sealed record Many(IReadOnlyList<string>? SerialNumbers);

    public static void MapTerminals(this RouteGroupBuilder api)
    {
        api.MapGet("/terminals", List).Produces<PageOf<Terminal>>().WithSummary("Terminals by serial number; search fits serial number, merchant and store");
        api.MapGet("/terminals.csv", Export).Produces(200, contentType: "text/csv").WithSummary("The same list as CSV (UTF-8), by serial number")
            .WithDescription("Up to Server:MaxExportRows. In the language of Accept-Language or ?ui-culture=: English or Chinese.");
        api.MapGet("/terminals/{serialNumber}", Get).Produces<TerminalDetail>().ProducesProblem(404)
            .WithSummary("One terminal with its heartbeat, desired and reported configuration");
        var many = api.MapGroup("/terminals").RequireAuthorization(Policies.Operate).WithMetadata(new RequestSizeLimitAttribute(ManyBytes(((IEndpointRouteBuilder)api).ServiceProvider)));
        many.MapPost("/suspend", (Many body, TerminalDesk desk, AuditTrail audit, IOptions<TerminalOptions> options, CancellationToken stop) => Change(TerminalDeed.Suspend, body, desk, audit, options, stop))
            .Produces<BulkAnswer>().ProducesValidationProblem().WithSummary("Suspends many terminals and says which it could not");
        many.MapPost("/resume", (Many body, TerminalDesk desk, AuditTrail audit, IOptions<TerminalOptions> options, CancellationToken stop) => Change(TerminalDeed.Resume, body, desk, audit, options, stop))
            .Produces<BulkAnswer>().ProducesValidationProblem().WithSummary("Resumes many terminals and says which it could not");
        var admin = api.MapGroup("/terminals/{serialNumber}").RequireAuthorization(Policies.Operate);
        admin.MapPost("/suspend", async (string serialNumber, TerminalDesk desk, AuditTrail audit) => Of(serialNumber, "serialNumber", await desk.Suspend(serialNumber, audit.Actor()))).Produces(204).ProducesProblem(404)
            .WithSummary("Refuses new payments of a terminal; those that run go on");
        admin.MapPost("/resume", async (string serialNumber, TerminalDesk desk, AuditTrail audit) => Of(serialNumber, "serialNumber", await desk.Resume(serialNumber, audit.Actor()))).Produces(204).ProducesProblem(404)
            .WithSummary("Takes payments of a suspended terminal again");
        admin.MapPut("/configuration", SetConfiguration).Produces<Configuration>().ProducesValidationProblem().ProducesProblem(404)
            .WithSummary("Sets the desired configuration, pushed at once while the terminal is connected; with after=VERSION only if that is still the desired one (409)");
        admin.MapPut("/limit", SetLimit).Produces(204).ProducesValidationProblem().ProducesProblem(404)
            .WithSummary("Sets the largest amount of one payment in fen; null takes the hub's own");
    }

    /// <summary>As many serial numbers as may be named at once, the longest, on a line each.</summary>
    private static long ManyBytes(IServiceProvider services) => Math.Max(
        services.GetRequiredService<IOptions<ServerOptions>>().Value.MaxBodyBytes,
        1024 + (services.GetRequiredService<IOptions<TerminalOptions>>().Value.MaxBulk * (long)(TerminalRecord.MaxSerialNumber + 16)));

    private static async Task<IResult> List(
        ITerminalSearch terminals, Paging paging, [AsParameters] Search search, string? sort, bool? descending, int? page, int? pageSize, CancellationToken stop)
    {
        var check = new FieldCheck();
        var filter = search.Filter(check);
        var order = new TerminalOrder(check.OneOf<TerminalSort>(sort, "sort") ?? TerminalSort.SerialNumber, descending == true);
        return paging.Check(page, pageSize, check) ?? Results.Ok(await paging.Read(
            (skip, limit) => terminals.Find(filter, order, skip, limit, stop),
            page,
            pageSize,
            t => new Terminal(
                t.SerialNumber, t.Status, t.Model, t.MerchantId, t.MerchantName, t.StoreId, t.StoreName, t.RegisteredAt, t.ActivatedAt, t.LastSeen, t.Firmware, t.State, t.Drifts)));
    }

    private static async Task<IResult> Export(TerminalsExport export, [AsParameters] Search search, CancellationToken stop)
    {
        var check = new FieldCheck();
        var filter = search.Filter(check);
        return check.Problem ?? await export.Send(filter, stop);
    }

    private static async Task<IResult> Get(string serialNumber, TerminalDesk desk, IOptions<TerminalOptions> options) =>
        await desk.Find(serialNumber) is { } snapshot ? Results.Ok(Detail(snapshot, options.Value.HeartbeatIntervalSeconds)) : NoTerminal(serialNumber);

    private static async Task<IResult> Change(TerminalDeed deed, Many body, TerminalDesk desk, AuditTrail audit, IOptions<TerminalOptions> options, CancellationToken stop)
    {
        var check = new FieldCheck();
        check.That(body.SerialNumbers is { Count: >= 1 } && body.SerialNumbers.Count <= options.Value.MaxBulk && !body.SerialNumbers.Contains(null!), "serialNumbers", $"1 to {options.Value.MaxBulk} serial numbers are needed");
        return check.Problem ?? Results.Ok(await desk.All(deed, body.SerialNumbers!, audit.Actor(), cancellation: stop));
    }

    private static async Task<IResult> SetConfiguration(string serialNumber, JsonElement body, long? after, TerminalDesk desk, AuditTrail audit)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            return Problems.Field("body", "a JSON object of keys and values is needed");
        }

        return await desk.SetConfiguration(serialNumber, body.GetRawText(), audit.Actor(), after) switch
        {
            null => NoTerminal(serialNumber),
            { Refusal: { } refusal } => Problems.Of(refusal, "body"),
            { Desired: { } desired } => Results.Ok(Of(desired.Version, desired.Json, desired.Hash)),
            _ => throw new InvalidOperationException("a configuration was neither set nor refused"),
        };
    }

    private static async Task<IResult> SetLimit(string serialNumber, Limit body, TerminalDesk desk, AuditTrail audit) =>
        Of(serialNumber, "maxAmountFen", await desk.SetLimit(serialNumber, body.MaxAmountFen, audit.Actor()));

    private static IResult Of(string serialNumber, string field, DeskAnswer answer) =>
        !answer.Found ? NoTerminal(serialNumber) : answer.Refusal is { } refusal ? Problems.Of(refusal, field) : Results.NoContent();

    private static IResult NoTerminal(string serialNumber) => Problems.NotFound("terminal " + serialNumber);

    private static TerminalDetail Detail(TerminalSnapshot snapshot, int heartbeatIntervalSeconds)
    {
        var record = snapshot.Record;
        var desired = record.DesiredVersion > 0 ? Of(record.DesiredVersion, record.DesiredConfiguration!, record.DesiredHash ?? []) : null;
        var reported = record.Reported is { } r ? new Reported(r.Version, Convert.ToHexStringLower(r.Hash), r.Result, r.Detail, r.At) : null;
        var drift = desired is not null && (reported is not { Result: ConfigurationResult.Applied } || reported.Version != desired.Version || reported.Hash != desired.Hash);
        return new(
            record.SerialNumber, record.Status, record.Model, record.MerchantId, record.MerchantName, record.StoreId, record.StoreName, record.HardwareId, record.RegisteredAt,
            record.ActivatedAt, snapshot.Connected, snapshot.LastSeen, snapshot.Address, Parse(snapshot.Heartbeat?.Json), record.MaxAmountFen, desired, reported, drift, record.OtherHardware,
            heartbeatIntervalSeconds);
    }

    private static Configuration Of(long version, string json, byte[] hash) => new(version, Parse(json)!.Value, Convert.ToHexStringLower(hash));

    private static JsonElement? Parse(string? json)
    {
        if (string.IsNullOrEmpty(json))
        {
            return null;
        }

        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
