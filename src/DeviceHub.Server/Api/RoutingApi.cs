using DeviceHub.Core.Payments;
using DeviceHub.Core.People;
using DeviceHub.Core.Routing;
using DeviceHub.Server.ApiKeys;

namespace DeviceHub.Server.Api;

/// <summary>Asks the routing core without paying.</summary>
internal static class RoutingApi
{
    /// <param name="CodeShape">The first digits of a code, and an x for each of the others: <c>13xxxxxxxxxxxxxxxx</c>. Instead of the wallet.</param>
    internal sealed record Question(string? MerchantId, string? StoreId, Wallet? Wallet, string? CodeShape, long? AmountFen, DateTimeOffset? At);

    internal sealed record Choice(Wallet Wallet, string? AccountId, string? AccountName, string? Channel, string Why, IReadOnlyList<Passed> PassedOver);

    internal sealed record Passed(string AccountId, string AccountName, string Why);

    public static void MapRouting(this RouteGroupBuilder api) =>
        api.MapPost("/routing/explain", Explain).RequireAuthorization(Policies.Operate).Produces<Choice>().ProducesValidationProblem()
            .WithSummary("Which account would take such a payment now, and why; nothing is paid");

    private static IResult Explain(Question body, RoutingCore routing, WalletTable wallets, TimeProvider clock)
    {
        var check = new FieldCheck();
        var merchant = check.Text(body.MerchantId, "merchantId", 64);
        check.That(body.AmountFen is >= 1 and <= 100_000_000, "amountFen", "1 to 100000000");
        check.That(body.Wallet is null or not Wallet.None, "wallet", "one of: weChat, alipay, unionPay");
        check.That(body.Wallet is null != body.CodeShape is null, "wallet", "either wallet or codeShape is needed");
        var wallet = body.Wallet ?? Of(body.CodeShape ?? "", wallets);
        check.That(body.CodeShape is null || wallet != Wallet.None, "codeShape", "it fits no row of Routing:Wallets; write such as 13xxxxxxxxxxxxxxxx");
        if (check.Problem is { } fault)
        {
            return fault;
        }

        var decision = routing.Explain(new RouteRequest(merchant, body.StoreId ?? "", wallet, body.AmountFen!.Value, body.At ?? clock.GetUtcNow(), []));
        return Results.Ok(new Choice(
            wallet, decision.Account?.Id, decision.Account?.Terms.Name, decision.Account?.Channel, decision.Why,
            [.. decision.PassedOver.Select(p => new Passed(p.Account.Id, p.Account.Terms.Name, p.Why))]));
    }

    private static Wallet Of(string shape, WalletTable wallets)
    {
        var prefix = shape.TakeWhile(char.IsAsciiDigit).Count();
        return prefix is >= 2 and <= 6 && shape.Length <= 32 && shape[prefix..].All(c => c is 'x') ? wallets.Of(shape.Replace('x', '0')) : Wallet.None;
    }
}
