using System.Security.Claims;
using DeviceHub.Core.People;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Dashboard.SignIn;

/// <summary>An open page asks every few seconds whether its session goes on and the person is still who it was opened for; else it is nobody's and leaves.</summary>
internal sealed class SessionState(ILoggerFactory loggers, ISessions sessions) : RevalidatingServerAuthenticationStateProvider(loggers)
{
    protected override TimeSpan RevalidationInterval => TimeSpan.FromSeconds(3);

    /// <summary>The page of this person is that of the session as it is now.</summary>
    /// <param name="now">Null: it has ended.</param>
    public static bool IsStill(SignedIn? now, ClaimsPrincipal user) => now is { MustSetUp: false } && now.UserName == user.Identity?.Name && user.IsInRole(now.Role);

    protected override async Task<bool> ValidateAuthenticationStateAsync(AuthenticationState authenticationState, CancellationToken cancellationToken)
    {
        var user = authenticationState.User;
        try
        {
            return user.FindFirstValue(PersonClaims.Session) is { } session && IsStill(await sessions.Find(session, cancellationToken), user);
        }
        catch (TimeoutException)
        {
            // The database is busy: it is asked again in a moment, and each deed asks for itself.
            return true;
        }
    }
}
