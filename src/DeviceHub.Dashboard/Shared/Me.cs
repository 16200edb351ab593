using System.Security.Claims;
using DeviceHub.Core.People;
using DeviceHub.Dashboard.SignIn;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;

namespace DeviceHub.Dashboard.Shared;

/// <summary>Whose page this is.</summary>
public sealed class Me(AuthenticationStateProvider state, ISessions sessions, IAuthorizationService authorization)
{
    public async Task<string> Id() => (await User()).FindFirstValue(ClaimTypes.NameIdentifier) ?? "";

    public async Task<string> Session() => (await User()).FindFirstValue(PersonClaims.Session) ?? "";

    /// <summary>As the audit log names the person.</summary>
    public async Task<string> Name() => NameOf(await User());

    /// <summary>For what the person does; asked at each deed, since the session may have ended and the role have changed since the page last looked.</summary>
    /// <exception cref="UnauthorizedAccessException">The person may not.</exception>
    public async Task<Actor> Actor(string policy)
    {
        var user = await User();
        var goesOn = user.FindFirstValue(PersonClaims.Session) is { } session && SessionState.IsStill(await sessions.Find(session, default), user);
        return goesOn && (await authorization.AuthorizeAsync(user, policy)).Succeeded
            ? new(NameOf(user), user.FindFirstValue(PersonClaims.Address)) : throw new UnauthorizedAccessException(policy);
    }

    private static string NameOf(ClaimsPrincipal user) => "user:" + user.Identity?.Name;

    private async Task<ClaimsPrincipal> User() => (await state.GetAuthenticationStateAsync()).User;
}
