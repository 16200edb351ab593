using System.Security.Claims;
using DeviceHub.Core;
using DeviceHub.Core.People;
using DeviceHub.Server.ApiKeys;
using DeviceHub.Server.Hosting;
using DeviceHub.Server.People;
using DeviceHub.Storage;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.SignIn;

/// <summary>People's accounts, their cookie, and which of cookie and API key judges a request.</summary>
internal static class Accounts
{
    /// <summary>The scheme of people's cookies.</summary>
    public const string Cookie = "Person";

    private const string Scheme = "Hub";

    public static void AddHubAccounts(this IServiceCollection services)
    {
        services.AddOptionsSection<PeopleOptions>(PeopleOptions.Section);
        services.AddSingleton<IPasswordHasher<HubUser>, PasswordHasher<HubUser>>();
        services.AddSingleton<Passwords>();
        services.AddSingleton<SecondFactor>();
        services.AddSingleton<SecondStep>();
        services.AddSingleton<Credentials>();
        services.AddSingleton<SessionBook>();
        services.AddSingleton<ISessions>(s => s.GetRequiredService<SessionBook>());
        services.AddHostedService(s => s.GetRequiredService<SessionBook>());
        services.AddSingleton<PeopleBook>();
        services.AddSingleton<IPeople>(s => s.GetRequiredService<PeopleBook>());
        services.AddSingleton<IAccount, AccountBook>();
        services.AddAuthentication(Scheme)
            .AddPolicyScheme(Scheme, null, policy => policy.ForwardDefaultSelector = context => ApiKey.From(context.Request) is null ? Cookie : ApiKey.Scheme)
            .AddScheme<AuthenticationSchemeOptions, ApiKeyAuthentication>(ApiKey.Scheme, null)
            .AddCookie(Cookie);
        services.AddOptions<CookieAuthenticationOptions>(Cookie)
            .Configure<IOptions<ServerOptions>, IOptions<PeopleOptions>, SessionBook>((cookie, server, people, sessions) => Configure(cookie, server.Value, people.Value, sessions));
        services.AddAntiforgery();
        services.AddOptions<Microsoft.AspNetCore.Antiforgery.AntiforgeryOptions>().Configure<IOptions<ServerOptions>>((antiforgery, server) => Protect(antiforgery.Cookie, "devicehub.form", server.Value));
        services.AddSingleton<FirstOwner>();
        services.AddHostedService(s => s.GetRequiredService<FirstOwner>());
    }

    /// <summary>A person as policies and pages see one. Who has no own password yet has no role, and so may do nothing else.</summary>
    /// <param name="address">Where the request comes from.</param>
    public static ClaimsPrincipal Principal(SignedIn who, string? address)
    {
        var identity = new ClaimsIdentity(Cookie);
        identity.AddClaim(new Claim(ClaimTypes.NameIdentifier, who.PersonId));
        identity.AddClaim(new Claim(ClaimTypes.Name, who.UserName));
        identity.AddClaim(new Claim(PersonClaims.Session, who.Session));
        identity.AddClaim(new Claim(PersonClaims.Address, address ?? ""));
        identity.AddClaim(who.MustSetUp ? new Claim(Permission.NewcomerClaim, "") : new Claim(ClaimTypes.Role, who.Role));
        return new ClaimsPrincipal(identity);
    }

    /// <summary>Begins a session in this browser; one that it had ends, and nothing of it goes on. Null: the account has changed since it was looked at, and nothing began.</summary>
    public static async Task<SignedIn?> Begin(HttpContext http, SessionBook sessions, HubUser user, CancellationToken stop)
    {
        var by = new Actor("user:" + user.UserName, http.Connection.RemoteIpAddress?.ToString());
        if (await sessions.Begin(user, by, http.Request.Headers.UserAgent.ToString(), http.User.FindFirstValue(PersonClaims.Session), stop) is not var (token, who))
        {
            return null;
        }

        await http.SignInAsync(Cookie, new ClaimsPrincipal(new ClaimsIdentity([new Claim(PersonClaims.Session, token)], Cookie)));
        return who;
    }

    /// <summary>
    /// For this site's own requests alone, and out of reach of scripts. Plain http is loopback or the operator's own decision; where there is
    /// none, a cookie goes over https only and cannot be planted by a neighbour of the host's name.
    /// </summary>
    public static void Protect(CookieBuilder cookie, string name, ServerOptions server)
    {
        var secure = server.ParsedUrls().All(url => url is { Scheme: "https" });
        cookie.Name = secure ? "__Host-" + name : name;
        cookie.Path = "/";
        cookie.HttpOnly = true;
        cookie.SameSite = SameSiteMode.Strict;
        cookie.SecurePolicy = secure ? CookieSecurePolicy.Always : CookieSecurePolicy.SameAsRequest;
    }

    private static void Configure(CookieAuthenticationOptions cookie, ServerOptions server, PeopleOptions people, SessionBook sessions)
    {
        Protect(cookie.Cookie, "devicehub", server);

        // The session's row says when it ends.
        cookie.ExpireTimeSpan = people.SessionMaxAge;
        cookie.SlidingExpiration = false;
        cookie.LoginPath = SignInPages.Path;
        cookie.ReturnUrlParameter = "returnUrl";
        cookie.Events.OnValidatePrincipal = context => Validate(context, sessions);
        cookie.Events.OnRedirectToLogin = context => Answer(context, StatusCodes.Status401Unauthorized);
        cookie.Events.OnRedirectToAccessDenied = context => Answer(context, StatusCodes.Status403Forbidden);
    }

    /// <summary>The cookie only names a session; who it is, and what that person may do, is read with each request.</summary>
    private static async Task Validate(CookieValidatePrincipalContext context, SessionBook sessions)
    {
        var token = context.Principal?.FindFirstValue(PersonClaims.Session);
        var id = token is null ? null : SessionBook.IdOf(token);
        if (id is not null && await sessions.Find(id, context.HttpContext.RequestAborted) is { } who)
        {
            // A page that lost its connection takes it up again by itself.
            if (!context.Request.Path.StartsWithSegments("/_blazor", StringComparison.Ordinal))
            {
                sessions.Touch(id);
            }

            context.ReplacePrincipal(Principal(who, context.HttpContext.Connection.RemoteIpAddress?.ToString()));
        }
        else
        {
            context.RejectPrincipal();
            await context.HttpContext.SignOutAsync(Cookie);
        }
    }

    /// <summary>A person's browser is led to the page; a program gets a status that it understands.</summary>
    private static Task Answer(RedirectContext<CookieAuthenticationOptions> context, int status)
    {
        var wantsPage = HttpMethods.IsGet(context.Request.Method) && ProblemPage.IsFor(context.Request);
        if (wantsPage && status == StatusCodes.Status401Unauthorized)
        {
            context.Response.Redirect(context.RedirectUri);
        }
        else if (wantsPage && context.HttpContext.User.HasClaim(c => c.Type == Permission.NewcomerClaim))
        {
            context.Response.Redirect(SignInPages.WelcomePath);
        }
        else
        {
            context.Response.StatusCode = status;
        }

        return Task.CompletedTask;
    }
}

/// <summary>Makes the owner of a first start. The generated password is kept in memory until the start has shown it.</summary>
internal sealed class FirstOwner(PeopleBook people) : IHostedService
{
    public const string UserName = "admin";

    private string? password;

    /// <summary>The generated password, once; null: it was shown already, or this is not the first start.</summary>
    public string? TakePassword() => Interlocked.Exchange(ref password, null);

    public async Task StartAsync(CancellationToken cancellationToken) => password = await people.CreateFirst(UserName, cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
