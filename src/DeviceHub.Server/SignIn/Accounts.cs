using System.Security.Claims;
using System.Security.Cryptography;
using DeviceHub.Core.People;
using DeviceHub.Server.ApiKeys;
using DeviceHub.Server.Hosting;
using DeviceHub.Storage;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.SignIn;

/// <summary>People's accounts, their cookie, and which of cookie and API key judges a request.</summary>
internal static class Accounts
{
    private const string Scheme = "Hub";

    public static void AddHubAccounts(this IServiceCollection services)
    {
        services.AddIdentityCore<HubUser>(identity =>
            {
                identity.Password.RequiredLength = 12;
                identity.Password.RequireDigit = false;
                identity.Password.RequireLowercase = false;
                identity.Password.RequireUppercase = false;
                identity.Password.RequireNonAlphanumeric = false;
                identity.Password.RequiredUniqueChars = 5;
            })
            .AddClaimsPrincipalFactory<RoleClaims>()
            .AddEntityFrameworkStores<HubDbContext>()
            .AddSignInManager()
            .AddDefaultTokenProviders();
        services.AddOptions<IdentityOptions>().Configure<IOptions<ServerOptions>>((identity, server) =>
        {
            identity.Lockout.AllowedForNewUsers = true;
            identity.Lockout.MaxFailedAccessAttempts = server.Value.LockoutAfter;
            identity.Lockout.DefaultLockoutTimeSpan = server.Value.LockoutFor;
        });
        services.AddAuthentication(Scheme)
            .AddPolicyScheme(Scheme, null, policy => policy.ForwardDefaultSelector =
                context => ApiKey.From(context.Request) is null ? IdentityConstants.ApplicationScheme : ApiKey.Scheme)
            .AddScheme<AuthenticationSchemeOptions, ApiKeyAuthentication>(ApiKey.Scheme, null)
            .AddCookie(IdentityConstants.ApplicationScheme);
        services.AddOptions<CookieAuthenticationOptions>(IdentityConstants.ApplicationScheme)
            .Configure<IOptions<ServerOptions>>((cookie, server) => Configure(cookie, server.Value));
        services.AddAntiforgery(antiforgery =>
        {
            antiforgery.Cookie.Name = "devicehub.form";
            antiforgery.Cookie.SameSite = SameSiteMode.Strict;
            antiforgery.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        });
        services.AddSingleton<FirstAdministrator>();
        services.AddHostedService(s => s.GetRequiredService<FirstAdministrator>());
    }

    private static void Configure(CookieAuthenticationOptions cookie, ServerOptions server)
    {
        cookie.Cookie.Name = "devicehub";
        cookie.Cookie.HttpOnly = true;
        cookie.Cookie.SameSite = SameSiteMode.Strict;

        // Over https it is Secure; plain http is loopback or the operator's own decision.
        cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        cookie.ExpireTimeSpan = server.SignInLifetime;
        cookie.SlidingExpiration = true;
        cookie.LoginPath = SignInPages.Path;
        cookie.ReturnUrlParameter = "returnUrl";
        cookie.Events.OnValidatePrincipal = SecurityStampValidator.ValidatePrincipalAsync;
        cookie.Events.OnRedirectToLogin = context => Answer(context, StatusCodes.Status401Unauthorized);
        cookie.Events.OnRedirectToAccessDenied = context => Answer(context, StatusCodes.Status403Forbidden);
    }

    /// <summary>A person's browser is led to the page; a program gets a status that it understands.</summary>
    private static Task Answer(RedirectContext<CookieAuthenticationOptions> context, int status)
    {
        var wantsPage = HttpMethods.IsGet(context.Request.Method) && !context.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase)
            && context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);
        if (wantsPage && status == StatusCodes.Status401Unauthorized)
        {
            context.Response.Redirect(context.RedirectUri);
        }
        else
        {
            context.Response.StatusCode = status;
        }

        return Task.CompletedTask;
    }
}

/// <summary>A person's cookie carries the role.</summary>
internal sealed class RoleClaims(UserManager<HubUser> users, IOptions<IdentityOptions> options) : UserClaimsPrincipalFactory<HubUser>(users, options)
{
    protected override async Task<ClaimsIdentity> GenerateClaimsAsync(HubUser user)
    {
        var claims = await base.GenerateClaimsAsync(user);
        claims.AddClaim(new Claim(ClaimTypes.Role, user.Role));
        return claims;
    }
}

/// <summary>Makes the one owner of a first start. Its password is kept in memory until the start has shown it.</summary>
internal sealed class FirstAdministrator(IServiceScopeFactory scopes, AuditTrail audit, TimeProvider clock) : IHostedService
{
    public const string UserName = "admin";

    /// <summary>No letters that look like others.</summary>
    private const string PasswordAlphabet = "abcdefghjkmnpqrstuvwxyz23456789";

    private string? password;

    /// <summary>The generated password, once; null: it was shown already, or this is not the first start.</summary>
    public string? TakePassword() => Interlocked.Exchange(ref password, null);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<HubUser>>();
        if (users.Users.Any())
        {
            return;
        }

        var generated = RandomNumberGenerator.GetString(PasswordAlphabet, 20);
        var admin = new HubUser { UserName = UserName, Role = Roles.Owner, Created = clock.GetUtcNow() };
        Check(await users.CreateAsync(admin, generated));
        await audit.Write("user.create", "user:" + UserName, null, new { admin.Role }, Actor.Hub);
        password = generated;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static void Check(IdentityResult result)
    {
        if (!result.Succeeded)
        {
            throw new InvalidOperationException("the first owner cannot be made: " + string.Join("; ", result.Errors.Select(e => e.Description)));
        }
    }
}
