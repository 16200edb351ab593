using System.Security.Claims;
using DeviceHub.Core.People;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.AspNetCore.Components.Server.Circuits;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Dashboard.SignIn;

/// <summary>An open page asks every few seconds whether its session goes on and the person is still who it was opened for; else it is nobody's and leaves.</summary>
internal sealed class SessionState(ILoggerFactory loggers, ISessions sessions) : RevalidatingServerAuthenticationStateProvider(loggers)
{
    protected override TimeSpan RevalidationInterval => TimeSpan.FromSeconds(3);

    protected override async Task<bool> ValidateAuthenticationStateAsync(AuthenticationState authenticationState, CancellationToken cancellationToken)
    {
        var user = authenticationState.User;
        try
        {
            return user.FindFirstValue(PersonClaims.Session) is { } session
                && await sessions.Find(session, cancellationToken) is { MustSetUp: false } now
                && now.UserName == user.Identity?.Name && user.IsInRole(now.Role);
        }
        catch (TimeoutException)
        {
            // The database is busy: it is asked again in a moment, and each deed asks for itself.
            return true;
        }
    }
}

/// <summary>What a person does on an open page keeps the session from ending for want of use; what the page does by itself does not.</summary>
internal sealed class SessionActivity(ISessions sessions, AuthenticationStateProvider state) : CircuitHandler
{
    public override Func<CircuitInboundActivityContext, Task> CreateInboundActivityHandler(Func<CircuitInboundActivityContext, Task> next) => async context =>
    {
        if ((await state.GetAuthenticationStateAsync()).User.FindFirstValue(PersonClaims.Session) is { } session)
        {
            sessions.Touch(session);
        }

        await next(context);
    };
}
