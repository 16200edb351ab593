using System.Security.Claims;
using DeviceHub.Core.People;
using DeviceHub.Server.ApiKeys;
using DeviceHub.Storage;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;

namespace DeviceHub.Server.SignIn;

/// <summary>Sign in, sign out, change the password, and a page of links for who is signed in.</summary>
internal static class SignInPages
{
    public const string Path = "/sign-in";
    public const string RateLimit = "sign-in";

    public static void MapSignIn(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup("").ExcludeFromDescription();
        pages.MapGet(Path, ShowSignIn).AllowAnonymous();
        pages.MapPost(Path, SignIn).AllowAnonymous().RequireRateLimiting(RateLimit);
        pages.MapPost("/sign-out", SignOut).RequireAuthorization(Policies.Person);
        pages.MapPost("/password", ChangePassword).RequireAuthorization(Policies.Person).RequireRateLimiting(RateLimit);
        pages.MapPost("/new-api-key", CreateKey).RequireAuthorization(Policies.Own);
        pages.MapGet("/settings", ShowHome).RequireAuthorization(Policies.Person);
    }

    private static IResult ShowSignIn(HttpContext http, IAntiforgery antiforgery, string? returnUrl) =>
        Page.SignIn(http, antiforgery.GetAndStoreTokens(http), Local(returnUrl), wrong: false);

    private static async Task<IResult> SignIn(
        HttpContext http,
        IAntiforgery antiforgery,
        SignInManager<HubUser> signIn,
        UserManager<HubUser> users,
        AuditTrail audit,
        WrongCredentials wrong,
        [FromForm] string? userName,
        [FromForm] string? password,
        [FromForm] string? returnUrl)
    {
        var arrived = wrong.Arrived();
        if (userName is { Length: > 0 and <= 256 } && password is { Length: > 0 and <= 256 })
        {
            var user = await users.FindByNameAsync(userName);
            var result = user is null ? null : await signIn.CheckPasswordSignInAsync(user, password, lockoutOnFailure: true);
            if (user is not null && result!.Succeeded)
            {
                await signIn.SignInAsync(user, isPersistent: false);
                await audit.Write("sign-in", "user:" + user.UserName, null, null, "user:" + user.UserName);
                return Results.LocalRedirect(Local(returnUrl));
            }

            // A name that is nobody's may be a password typed into the wrong field: it is not kept.
            await audit.Write("sign-in.failed", user is null ? "user:unknown" : "user:" + user.UserName, null, new { Locked = result is { IsLockedOut: true } });
        }

        await wrong.Hold("password", arrived, http.RequestAborted);
        return Page.SignIn(http, antiforgery.GetAndStoreTokens(http), Local(returnUrl), wrong: true);
    }

    private static async Task<IResult> SignOut(SignInManager<HubUser> signIn, AuditTrail audit, HttpContext http, [FromForm] string? unused)
    {
        _ = unused;
        await signIn.SignOutAsync();
        await audit.Write("sign-out", AuditTrail.Who(http.User), null, null);
        return Results.LocalRedirect(Path);
    }

    private static async Task<IResult> ChangePassword(
        HttpContext http,
        IAntiforgery antiforgery,
        SignInManager<HubUser> signIn,
        UserManager<HubUser> users,
        AuditTrail audit,
        WrongCredentials wrong,
        [FromForm] string? current,
        [FromForm] string? replacement)
    {
        var user = await users.GetUserAsync(http.User) ?? throw new InvalidOperationException("a signed-in user has no account");

        // Counted like a sign-in: a stolen session must not become a place to guess the password.
        var arrived = wrong.Arrived();
        if (!(await signIn.CheckPasswordSignInAsync(user, current ?? "", lockoutOnFailure: true)).Succeeded)
        {
            await audit.Write("user.password.failed", "user:" + user.UserName, null, null);
            await wrong.Hold("password", arrived, http.RequestAborted);
            return Page.Home(http, antiforgery.GetAndStoreTokens(http), Texts.Get("WrongCredentials"), good: false);
        }

        var result = await users.ChangePasswordAsync(user, current ?? "", replacement is { Length: <= 256 } ? replacement : "");
        if (!result.Succeeded)
        {
            var why = string.Join(" ", result.Errors.Select(e => e.Description));
            return Page.Home(http, antiforgery.GetAndStoreTokens(http), Texts.Get("PasswordNotChanged") + " " + why, good: false);
        }

        await audit.Write("user.password", "user:" + user.UserName, null, null);
        await signIn.RefreshSignInAsync(user);
        return Page.Home(http, antiforgery.GetAndStoreTokens(http), Texts.Get("PasswordChanged"), good: true);
    }

    private static async Task<IResult> CreateKey(HttpContext http, IAntiforgery antiforgery, ApiKeyBook book, [FromForm] string? name, [FromForm] string? scope)
    {
        var created = await book.Create(name ?? "", [scope ?? ""], null, null, http.RequestAborted);
        return created.Key is { } key
            ? Page.Home(http, antiforgery.GetAndStoreTokens(http), Texts.Get("ApiKeyOnce") + " " + key, good: true)
            : Page.Home(http, antiforgery.GetAndStoreTokens(http), Texts.Get("NotCreated") + " " + created.Fault, good: false);
    }

    private static IResult ShowHome(HttpContext http, IAntiforgery antiforgery) =>
        Page.Home(http, antiforgery.GetAndStoreTokens(http), null, good: true);

    /// <summary>Only a path of this hub: never another site.</summary>
    private static string Local(string? url) =>
        url is { Length: > 0 and <= 512 } && url[0] == '/' && (url.Length == 1 || (url[1] != '/' && url[1] != '\\')) && !url.Any(char.IsControl) ? url : "/";
}
