using System.Security.Claims;
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
        pages.MapPost("/sign-out", SignOut).RequireAuthorization(Permission.AdministratorRole);
        pages.MapPost("/password", ChangePassword).RequireAuthorization(Permission.AdministratorRole).RequireRateLimiting(RateLimit);
        pages.MapPost("/new-api-key", CreateKey).RequireAuthorization(Permission.AdministratorRole);
        pages.MapGet("/", ShowHome).RequireAuthorization(Permission.AdministratorRole);
    }

    private static IResult ShowSignIn(HttpContext http, IAntiforgery antiforgery, string? returnUrl) =>
        Page.SignIn(http, antiforgery.GetAndStoreTokens(http), Local(returnUrl), wrong: false);

    private static async Task<IResult> SignIn(
        HttpContext http,
        IAntiforgery antiforgery,
        SignInManager<HubUser> signIn,
        UserManager<HubUser> users,
        AuditTrail audit,
        [FromForm] string? userName,
        [FromForm] string? password,
        [FromForm] string? returnUrl)
    {
        if (userName is { Length: > 0 and <= 256 } && password is { Length: > 0 and <= 256 })
        {
            if (await users.FindByNameAsync(userName) is not { } user)
            {
                // As much work as for a user that exists, so that time does not tell which names do.
                users.PasswordHasher.HashPassword(new HubUser { UserName = "nobody" }, password);
            }
            else if ((await signIn.CheckPasswordSignInAsync(user, password, lockoutOnFailure: true)).Succeeded)
            {
                await signIn.SignInAsync(user, isPersistent: false);
                await audit.Write("sign-in", "user:" + user.UserName, null, null);
                return Results.LocalRedirect(Local(returnUrl));
            }
        }

        return Page.SignIn(http, antiforgery.GetAndStoreTokens(http), Local(returnUrl), wrong: true);
    }

    private static async Task<IResult> SignOut(SignInManager<HubUser> signIn, [FromForm] string? unused)
    {
        _ = unused;
        await signIn.SignOutAsync();
        return Results.LocalRedirect(Path);
    }

    private static async Task<IResult> ChangePassword(
        HttpContext http,
        IAntiforgery antiforgery,
        SignInManager<HubUser> signIn,
        UserManager<HubUser> users,
        AuditTrail audit,
        [FromForm] string? current,
        [FromForm] string? replacement)
    {
        var user = await users.GetUserAsync(http.User) ?? throw new InvalidOperationException("a signed-in user has no account");

        // Counted like a sign-in: a stolen session must not become a place to guess the password.
        if (!(await signIn.CheckPasswordSignInAsync(user, current ?? "", lockoutOnFailure: true)).Succeeded)
        {
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
        var created = await book.Create(name ?? "", [scope ?? ""], null, http.RequestAborted);
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
