using System.Security.Claims;
using DeviceHub.Core.People;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;

namespace DeviceHub.Dashboard.Shared;

/// <summary>Whose page this is.</summary>
public sealed class Me(AuthenticationStateProvider state, IAuthorizationService authorization)
{
    public async Task<string> Id() => (await User()).FindFirstValue(ClaimTypes.NameIdentifier) ?? "";

    public async Task<string> Session() => (await User()).FindFirstValue(PersonClaims.Session) ?? "";

    /// <summary>For what the person does with the own account.</summary>
    public async Task<Actor> Actor() => Of(await User());

    /// <summary>For what the person does; asked at each deed, since a role may have changed since the page opened.</summary>
    /// <exception cref="UnauthorizedAccessException">The person may not.</exception>
    public async Task<Actor> Actor(string policy)
    {
        var user = await User();
        return (await authorization.AuthorizeAsync(user, policy)).Succeeded ? Of(user) : throw new UnauthorizedAccessException(policy);
    }

    private static Actor Of(ClaimsPrincipal user) => new("user:" + user.Identity?.Name, user.FindFirstValue(PersonClaims.Address));

    private async Task<ClaimsPrincipal> User() => (await state.GetAuthenticationStateAsync()).User;
}
