using DeviceHub.Core.People;
using DeviceHub.Server.ApiKeys;
using DeviceHub.Server.Hosting;
using DeviceHub.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.Api;

/// <summary>Merchants and their stores: two flat tables.</summary>
internal static class MerchantsApi
{
    internal sealed record NewMerchant(string? Name);

    internal sealed record Merchant(string Id, string Name, DateTimeOffset Created);

    internal sealed record NewStore(string? MerchantId, string? Name);

    internal sealed record Store(string Id, string MerchantId, string Name, DateTimeOffset Created);

    public static void MapMerchants(this RouteGroupBuilder api)
    {
        api.MapGet("/merchants", ListMerchants).Produces<PageOf<Merchant>>().WithSummary("Merchants by name");
        api.MapPost("/merchants", CreateMerchant).RequireAuthorization(Policies.Operate).Produces<Merchant>(201).ProducesValidationProblem().ProducesProblem(409)
            .WithSummary("Makes a merchant; names may repeat, the id tells merchants apart");
        api.MapGet("/stores", ListStores).Produces<PageOf<Store>>().WithSummary("Stores by name");
        api.MapPost("/stores", CreateStore).RequireAuthorization(Policies.Operate).Produces<Store>(201).ProducesValidationProblem().ProducesProblem(409)
            .WithSummary("Makes a store of a merchant; its name is the only one of that merchant");
    }

    private static async Task<IResult> ListMerchants(HubReads reads, Paging paging, string? search, int? page, int? pageSize, CancellationToken stop)
    {
        if (paging.Check(page, pageSize) is { } fault)
        {
            return fault;
        }

        return Results.Ok(await reads.Run(
            (db, cancel) =>
            {
                var rows = db.Merchants.AsNoTracking();
                if (!string.IsNullOrWhiteSpace(search))
                {
                    rows = rows.Where(m => EF.Functions.Like(m.Name, Paging.Like(search), "\\"));
                }

                return paging.Read(rows.OrderBy(m => m.Name).ThenBy(m => m.Id), page, pageSize, m => new Merchant(m.Id, m.Name, m.Created), cancel);
            },
            stop));
    }

    private static async Task<IResult> CreateMerchant(
        NewMerchant body, HubWrites writes, AuditTrail audit, TimeProvider clock, IOptions<ServerOptions> options, CancellationToken stop)
    {
        var check = new FieldCheck();
        var row = new MerchantRow { Id = NewId("m"), Name = check.Text(body.Name, "name", 64), Created = clock.GetUtcNow() };
        if (check.Problem is { } fault)
        {
            return fault;
        }

        var entry = audit.Row("merchant.create", "merchant:" + row.Id, null, new { row.Name });
        return await writes.Run(
            async (db, cancel) =>
            {
                if (await db.Merchants.CountAsync(cancel) >= options.Value.MaxRecords)
                {
                    return Problems.Conflict("the hub has as many merchants as Server:MaxRecords allows");
                }

                db.Merchants.Add(row);
                db.Audit.Add(entry);
                await db.SaveChangesAsync(cancel);
                return Results.Created((string?)null, new Merchant(row.Id, row.Name, row.Created));
            },
            stop);
    }

    private static async Task<IResult> ListStores(
        HubReads reads, Paging paging, string? merchantId, string? search, int? page, int? pageSize, CancellationToken stop)
    {
        if (paging.Check(page, pageSize) is { } fault)
        {
            return fault;
        }

        return Results.Ok(await reads.Run(
            (db, cancel) =>
            {
                var rows = db.Stores.AsNoTracking();
                rows = merchantId is null ? rows : rows.Where(s => s.MerchantId == merchantId);
                if (!string.IsNullOrWhiteSpace(search))
                {
                    rows = rows.Where(s => EF.Functions.Like(s.Name, Paging.Like(search), "\\"));
                }

                return paging.Read(rows.OrderBy(s => s.Name).ThenBy(s => s.Id), page, pageSize, Of, cancel);
            },
            stop));
    }

    private static async Task<IResult> CreateStore(
        NewStore body, HubWrites writes, AuditTrail audit, TimeProvider clock, IOptions<ServerOptions> options, CancellationToken stop)
    {
        var check = new FieldCheck();
        var row = new StoreRow
        {
            Id = NewId("s"),
            MerchantId = check.Text(body.MerchantId, "merchantId", 64),
            Name = check.Text(body.Name, "name", 64),
            Created = clock.GetUtcNow(),
        };
        if (check.Problem is { } fault)
        {
            return fault;
        }

        var entry = audit.Row("store.create", "store:" + row.Id, null, new { row.MerchantId, row.Name });
        return await writes.Run(
            async (db, cancel) =>
            {
                if (!await db.Merchants.AnyAsync(m => m.Id == row.MerchantId, cancel))
                {
                    return Problems.Field("merchantId", "there is no such merchant");
                }

                if (await db.Stores.AnyAsync(s => s.MerchantId == row.MerchantId && s.Name == row.Name, cancel))
                {
                    return Problems.Conflict($"the merchant has a store named '{row.Name}'");
                }

                if (await db.Stores.CountAsync(cancel) >= options.Value.MaxRecords)
                {
                    return Problems.Conflict("the hub has as many stores as Server:MaxRecords allows");
                }

                db.Stores.Add(row);
                db.Audit.Add(entry);
                await db.SaveChangesAsync(cancel);
                return Results.Created((string?)null, Of(row));
            },
            stop);
    }

    private static Store Of(StoreRow row) => new(row.Id, row.MerchantId, row.Name, row.Created);

    private static string NewId(string prefix) => prefix + Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(6));
}
