using DeviceHub.Core.Merchants;
using DeviceHub.Core.People;
using DeviceHub.Server.ApiKeys;

namespace DeviceHub.Server.Api;

/// <summary>Merchants and their stores: two flat tables.</summary>
internal static class MerchantsApi
{
    internal sealed record NewMerchant(string? Name);

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

    private static async Task<IResult> ListMerchants(IMerchantBook book, Paging paging, string? search, int? page, int? pageSize, CancellationToken stop) =>
        paging.Check(page, pageSize) ?? Results.Ok(await paging.Read((skip, limit) => book.Merchants(search, skip, limit, stop), page, pageSize, m => m));

    private static async Task<IResult> CreateMerchant(NewMerchant body, IMerchantBook book, AuditTrail audit, CancellationToken stop)
    {
        var check = new FieldCheck();
        var name = check.Text(body.Name, "name", 64);
        return check.Problem ?? Of(await book.AddMerchant(name, audit.Actor(), stop), name, m => m);
    }

    private static async Task<IResult> ListStores(IMerchantBook book, Paging paging, string? merchantId, string? search, int? page, int? pageSize, CancellationToken stop) =>
        paging.Check(page, pageSize) ?? Results.Ok(await paging.Read((skip, limit) => book.Stores(merchantId, search, skip, limit, stop), page, pageSize, Of));

    private static async Task<IResult> CreateStore(NewStore body, IMerchantBook book, AuditTrail audit, CancellationToken stop)
    {
        var check = new FieldCheck();
        var (merchant, name) = (check.Text(body.MerchantId, "merchantId", 64), check.Text(body.Name, "name", 64));
        return check.Problem ?? Of(await book.AddStore(merchant, name, audit.Actor(), stop), name, Of);
    }

    private static IResult Of<TMade, TAnswer>(Made<TMade> made, string name, Func<TMade, TAnswer> answer)
        where TMade : class => made switch
        {
            { Value: { } value } => Results.Created((string?)null, answer(value)),
            { Why: NotMade.NoSuchMerchant } => Problems.Field("merchantId", "there is no such merchant"),
            { Why: NotMade.NameTaken } => Problems.Conflict($"the merchant has a store named '{name}'"),
            _ => Problems.Conflict("the hub has as many of them as Server:MaxRecords allows"),
        };

    private static Store Of(Core.Merchants.Store store) => new(store.Id, store.MerchantId, store.Name, store.Created);
}
