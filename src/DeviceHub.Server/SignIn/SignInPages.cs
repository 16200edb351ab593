using System.Security.Claims;
using DeviceHub.Core.People;
using DeviceHub.Dashboard;
using DeviceHub.Dashboard.SignIn;
using DeviceHub.Server.ApiKeys;
using DeviceHub.Server.People;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace DeviceHub.Server.SignIn;

/// <summary>Sign in with a password and a second factor, choose the first own password, sign out. Forms without a script.</summary>
internal static class SignInPages
{
    public const string Path = "/sign-in";
    public const string CodePath = "/sign-in/code";
    public const string WelcomePath = "/welcome";
    public const string RateLimit = "sign-in";

    public static void MapSignIn(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup("").ExcludeFromDescription();
        pages.MapGet(Path, (string? returnUrl) => Show<SignInPage>(new { ReturnUrl = LocalAddress.Of(returnUrl) })).AllowAnonymous();
        pages.MapPost(Path, SignIn).AllowAnonymous().RequireRateLimiting(RateLimit);
        pages.MapGet(CodePath, ShowCode).AllowAnonymous();
        pages.MapPost(CodePath, TakeCode).AllowAnonymous().RequireRateLimiting(RateLimit);
        pages.MapGet(WelcomePath, (HttpContext http) => Show<WelcomePage>(new { UserName = http.User.Identity?.Name })).RequireAuthorization(Permission.Newcomer);
        pages.MapPost(WelcomePath, SetUp).RequireAuthorization(Permission.Newcomer).RequireRateLimiting(RateLimit);

        // Requests count as use of their session; this one is nothing else.
        pages.MapGet("/session", () => Results.NoContent()).RequireAuthorization(Policies.Person);
        pages.MapPost("/sign-out", SignOut).RequireAuthorization(Permission.SignedIn);
    }

    private static async Task<IResult> SignIn(
        HttpContext http,
        Credentials credentials,
        SessionBook sessions,
        SecondStep step,
        AuditTrail audit,
        WrongCredentials wrong,
        [FromForm] string? userName,
        [FromForm] string? password,
        [FromForm] string? returnUrl)
    {
        var arrived = wrong.Arrived();
        if (userName is { Length: > 0 and <= 256 } && password is { Length: > 0 and <= Passwords.MaxLength })
        {
            var verdict = await credentials.CheckPassword(userName.Trim(), password, http.RequestAborted);
            if (verdict is { Right: true, User: { } user })
            {
                if (user.SecondFactorKey is not null)
                {
                    step.Begin(http, user);
                    return Results.LocalRedirect($"{CodePath}?returnUrl={Uri.EscapeDataString(LocalAddress.Of(returnUrl))}");
                }

                return Lead(await Accounts.Begin(http, sessions, user, CancellationToken.None), returnUrl);
            }

            // A name that is nobody's may be a password typed into the wrong field: it is not kept.
            await audit.Write("sign-in.failed", verdict.User is null ? "user:unknown" : "user:" + verdict.User.UserName, null, new { verdict.Locked });
        }

        await wrong.Hold("password", arrived, http.RequestAborted);
        return Show<SignInPage>(new { ReturnUrl = LocalAddress.Of(returnUrl), UserName = userName, Wrong = true }, StatusCodes.Status401Unauthorized);
    }

    private static async Task<IResult> ShowCode(HttpContext http, SecondStep step, string? returnUrl) =>
        await step.Find(http, http.RequestAborted) is null ? Results.LocalRedirect(Path) : Show<CodePage>(new { ReturnUrl = LocalAddress.Of(returnUrl) });

    private static async Task<IResult> TakeCode(
        HttpContext http, Credentials credentials, SessionBook sessions, SecondStep step, AuditTrail audit, WrongCredentials wrong, [FromForm] string? code, [FromForm] string? returnUrl)
    {
        var arrived = wrong.Arrived();
        if (await step.Find(http, http.RequestAborted) is not { } user)
        {
            return Results.LocalRedirect(Path);
        }

        var verdict = await credentials.CheckCode(user, code is { Length: <= 64 } ? code : "", http.RequestAborted);
        if (!verdict.Right)
        {
            await audit.Write("sign-in.failed", "user:" + user.UserName, null, new { verdict.Locked, SecondFactor = true });
            await wrong.Hold("code", arrived, http.RequestAborted);
            return Show<CodePage>(new { ReturnUrl = LocalAddress.Of(returnUrl), Wrong = true }, StatusCodes.Status401Unauthorized);
        }

        step.End(http);
        return Lead(await Accounts.Begin(http, sessions, user, CancellationToken.None), returnUrl);
    }

    /// <param name="who">Null: the account changed under the sign-in, which begins anew.</param>
    private static IResult Lead(SignedIn? who, string? returnUrl) =>
        Results.LocalRedirect(who switch { null => Path, { MustSetUp: true } => WelcomePath, _ => LocalAddress.Of(returnUrl) });

    private static async Task<IResult> SetUp(HttpContext http, IAccount account, AuditTrail audit, [FromForm] string? userName, [FromForm] string? password, [FromForm] string? again)
    {
        var name = string.IsNullOrWhiteSpace(userName) ? null : userName.Trim();
        if (password is null || password != again)
        {
            return Show<WelcomePage>(new { UserName = userName, Differ = true }, StatusCodes.Status400BadRequest);
        }

        var (id, session) = (http.User.FindFirstValue(ClaimTypes.NameIdentifier)!, http.User.FindFirstValue(PersonClaims.Session)!);
        var fault = await account.SetUp(audit.Actor(), id, session, name, password, http.RequestAborted);
        return fault is null or PersonFault.Stale ? Results.LocalRedirect("/account?welcome=true") : Show<WelcomePage>(new { UserName = userName, Fault = fault }, StatusCodes.Status400BadRequest);
    }

    private static async Task<IResult> SignOut(HttpContext http, ISessions sessions, AuditTrail audit, [FromForm] string? unused)
    {
        _ = unused;
        await http.SignOutAsync(Accounts.Cookie);
        var (actor, session) = (audit.Actor(), http.User.FindFirstValue(PersonClaims.Session));
        if (session is not null && await sessions.End(actor, http.User.FindFirstValue(ClaimTypes.NameIdentifier)!, session, CancellationToken.None))
        {
            await audit.Write("sign-out", actor.Name, null, null);
        }

        return Results.LocalRedirect(Path);
    }

    private static RazorComponentResult<TPage> Show<TPage>(object parameters, int status = StatusCodes.Status200OK)
        where TPage : Microsoft.AspNetCore.Components.IComponent => new(parameters) { StatusCode = status };
}
