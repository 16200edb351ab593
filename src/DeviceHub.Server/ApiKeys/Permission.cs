using System.Security.Claims;
using Microsoft.AspNetCore.Authorization;

namespace DeviceHub.Server.ApiKeys;

/// <summary>What a request may do. A signed-in administrator may do all; an API key what its scopes say.</summary>
internal static class Permission
{
    public const string Read = "read";
    public const string Admin = "admin";
    public const string Metrics = "metrics";

    /// <summary>A till: asks for charges of its own merchant, watches and cancels them, and nothing else.</summary>
    public const string Charge = "charge";

    /// <summary>To watch charges is enough to read anything, or to ask for them.</summary>
    public const string ReadCharges = "read charges";

    public const string ScopeClaim = "scope";
    public const string MerchantClaim = "merchant";
    public const string AdministratorRole = "administrator";

    public static readonly string[] Scopes = [Read, Admin, Metrics, Charge];

    /// <summary>Deny by default: what names no policy wants a signed-in person or a key that may read.</summary>
    public static void AddHubPermissions(this IServiceCollection services) =>
        services.AddAuthorizationBuilder()
            .AddPolicy(Read, policy => policy.RequireAssertion(c => Has(c, Read) || Has(c, Admin)))
            .AddPolicy(Admin, policy => policy.RequireAssertion(c => Has(c, Admin)))
            .AddPolicy(Metrics, policy => policy.RequireAssertion(c => Has(c, Metrics) || Has(c, Admin)))
            .AddPolicy(Charge, policy => policy.RequireAssertion(c => Has(c, Charge) || Has(c, Admin)))
            .AddPolicy(ReadCharges, policy => policy.RequireAssertion(c => Has(c, Read) || Has(c, Charge) || Has(c, Admin)))
            .AddPolicy(AdministratorRole, policy => policy.RequireRole(AdministratorRole))
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAssertion(c => c.User.IsInRole(AdministratorRole) || IsNoRoute(c)).Build());

    /// <summary>What is wrong with a key's scopes and merchant together; null: nothing.</summary>
    public static string? MerchantFault(IReadOnlyList<string> scopes, string? merchantId) =>
        scopes.Contains(Charge) ? scopes.Count > 1 ? "the scope charge stands alone" : merchantId is null ? "is needed: a till's key is for the terminals of one merchant" : null
        : merchantId is null ? null : "goes with the scope charge only: other scopes are for every merchant";

    /// <summary>The merchant whose charges the caller may see and make; null: every merchant's.</summary>
    public static string? MerchantOf(ClaimsPrincipal user) => user.FindFirst(MerchantClaim)?.Value;

    /// <summary>What is no route only says 405 or 415, which who has credentials must read, not 403.</summary>
    private static bool IsNoRoute(AuthorizationHandlerContext context) =>
        context.User.Identity is { IsAuthenticated: true } && context.Resource is HttpContext http && http.GetEndpoint() is not RouteEndpoint;

    private static bool Has(AuthorizationHandlerContext context, string scope) =>
        context.User.IsInRole(AdministratorRole) || context.User.HasClaim(ScopeClaim, scope);
}
