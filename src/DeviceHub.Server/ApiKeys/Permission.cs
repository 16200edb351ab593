using System.Security.Claims;
using DeviceHub.Core.People;
using Microsoft.AspNetCore.Authorization;

namespace DeviceHub.Server.ApiKeys;

/// <summary>What a request may do: a person by the role, an API key by its scopes. The names of most policies are <see cref="Policies"/>'s.</summary>
internal static class Permission
{
    public const string Read = "read";
    public const string Operate = "operate";
    public const string Admin = "admin";
    public const string Metrics = "metrics";

    /// <summary>A till: asks for charges of its own merchant, watches and cancels them, and nothing else.</summary>
    public const string Charge = "charge";

    /// <summary>To watch charges is enough to read anything, or to ask for them.</summary>
    public const string ReadCharges = "read charges";

    /// <summary>An owner in person: no key opens it.</summary>
    public const string OwnerInPerson = "owner in person";

    /// <summary>Whoever has signed in with a password that somebody else gave.</summary>
    public const string Newcomer = "newcomer";

    /// <summary>That, and every <see cref="Policies.Person"/>.</summary>
    public const string SignedIn = "signed in";

    public const string NewcomerClaim = "newcomer";
    public const string ScopeClaim = "scope";
    public const string MerchantClaim = "merchant";

    public static readonly string[] Scopes = [Read, Operate, Admin, Metrics, Charge];

    /// <summary>Deny by default: what names no policy is for an owner in person. Who has no role, as before the own password, may do nothing.</summary>
    public static void AddHubPermissions(this IServiceCollection services) =>
        services.AddAuthorizationBuilder()
            .AddPolicy(Policies.Read, policy => Allow(policy, Roles.All, Read, Operate))
            .AddPolicy(Policies.Operate, policy => Allow(policy, [Roles.Owner, Roles.Operator], Operate))
            .AddPolicy(Policies.Own, policy => Allow(policy, [Roles.Owner]))
            .AddPolicy(Metrics, policy => Allow(policy, [Roles.Owner], Metrics))
            .AddPolicy(Charge, policy => Allow(policy, [Roles.Owner, Roles.Operator], Charge, Operate))
            .AddPolicy(ReadCharges, policy => Allow(policy, Roles.All, Read, Operate, Charge))
            .AddPolicy(OwnerInPerson, policy => policy.RequireRole(Roles.Owner))
            .AddPolicy(Policies.Person, policy => policy.RequireRole(Roles.All))
            .AddPolicy(Newcomer, policy => policy.RequireClaim(NewcomerClaim))
            .AddPolicy(SignedIn, policy => policy.RequireAssertion(c => c.User.HasClaim(claim => claim.Type == NewcomerClaim) || Roles.All.Any(c.User.IsInRole)))
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAssertion(c => c.User.IsInRole(Roles.Owner) || IsNoRoute(c)).Build());

    /// <summary>What is wrong with a key's scopes and merchant together; null: nothing.</summary>
    public static string? MerchantFault(IReadOnlyList<string> scopes, string? merchantId) =>
        scopes.Contains(Charge) ? scopes.Count > 1 ? "the scope charge stands alone" : merchantId is null ? "is needed: a till's key is for the terminals of one merchant" : null
        : merchantId is null ? null : "goes with the scope charge only: other scopes are for every merchant";

    /// <summary>The merchant whose charges the caller may see and make; null: every merchant's.</summary>
    public static string? MerchantOf(ClaimsPrincipal user) => user.FindFirst(MerchantClaim)?.Value;

    /// <summary>What is no route only says 405 or 415, which who has credentials must read, not 403.</summary>
    private static bool IsNoRoute(AuthorizationHandlerContext context) =>
        context.User.Identity is { IsAuthenticated: true } && context.Resource is HttpContext http && http.GetEndpoint() is not RouteEndpoint;

    /// <summary>People of these roles, and keys with one of these scopes or with admin, which may do all that a key may.</summary>
    private static void Allow(AuthorizationPolicyBuilder policy, IEnumerable<string> roles, params string[] scopes) =>
        policy.RequireAssertion(c => roles.Any(c.User.IsInRole) || scopes.Append(Admin).Any(scope => c.User.HasClaim(ScopeClaim, scope)));
}
