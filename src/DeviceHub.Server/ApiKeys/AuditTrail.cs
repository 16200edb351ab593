using System.Security.Claims;
using DeviceHub.Core.People;
using DeviceHub.Storage;

namespace DeviceHub.Server.ApiKeys;

/// <summary>The audit log for HTTP requests: who did it is who the request says.</summary>
internal sealed class AuditTrail(AuditLog log, IHttpContextAccessor http)
{
    /// <summary>The row for a transaction of the caller.</summary>
    public AuditRow Row(string what, string subject, object? before, object? after) => log.Row(Actor(), what, subject, before, after);

    /// <inheritdoc cref="IAuditLog.Write"/>
    /// <param name="who">Null: who the request says.</param>
    public Task Write(string what, string subject, object? before, object? after, string? who = null) =>
        log.Write(who is null ? Actor() : Actor() with { Name = who }, what, subject, before, after);

    /// <summary>For what writes its own audit rows.</summary>
    public Actor Actor() => new(Who(http.HttpContext?.User), http.HttpContext?.Connection.RemoteIpAddress?.ToString());

    public static string Who(ClaimsPrincipal? user) => user?.Identity switch
    {
        { IsAuthenticated: true, AuthenticationType: ApiKey.Scheme, Name: { } key } => key,
        { IsAuthenticated: true, Name: { } name } => "user:" + name,
        _ => Core.People.Actor.Nobody,
    };
}
