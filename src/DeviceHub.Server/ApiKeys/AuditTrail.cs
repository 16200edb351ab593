using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using DeviceHub.Storage;

namespace DeviceHub.Server.ApiKeys;

/// <summary>
/// What people and programs did (I12). A change of rows is written with its audit row in one transaction; a change in a grain is
/// followed by its row before the answer.
/// </summary>
internal sealed partial class AuditTrail(HubWrites writes, TimeProvider clock, IHttpContextAccessor http, ILogger<AuditTrail> logger)
{
    /// <summary>Who has not signed in.</summary>
    public const string Nobody = "nobody";

    /// <summary>The hub itself.</summary>
    public const string Hub = "system";

    /// <summary>Read by people: Chinese names stay readable.</summary>
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>The row for a transaction of the caller.</summary>
    /// <param name="who">Null: who the request says.</param>
    public AuditRow Row(string what, string subject, object? before, object? after, string? who = null) => new()
    {
        At = clock.GetUtcNow(),
        Who = who ?? Who(http.HttpContext?.User),
        What = what,
        Subject = subject,
        Before = before is null ? null : JsonSerializer.Serialize(before, Json),
        After = after is null ? null : JsonSerializer.Serialize(after, Json),
        Address = http.HttpContext?.Connection.RemoteIpAddress?.ToString(),
    };

    /// <summary>Writes what has been done already. It does not stop when the caller hangs up.</summary>
    public async Task Write(string what, string subject, object? before, object? after, string? who = null)
    {
        var row = Row(what, subject, before, after, who);
        try
        {
            await writes.Run(
                async (db, stop) =>
                {
                    db.Audit.Add(row);
                    return await db.SaveChangesAsync(stop);
                },
                CancellationToken.None);
        }
        catch (Exception e)
        {
            // The log is then the only trace; it must be complete.
            LogNotWritten(e, row.Who, row.What, row.Subject, row.After);
            throw;
        }
    }

    public static string Who(ClaimsPrincipal? user) => user?.Identity switch
    {
        { IsAuthenticated: true, AuthenticationType: ApiKey.Scheme, Name: { } key } => key,
        { IsAuthenticated: true, Name: { } name } => "user:" + name,
        _ => Nobody,
    };

    [LoggerMessage(EventName = "AuditNotWritten", Level = LogLevel.Error, Message = "{Who} did {What} to {Subject} ({After}), but the audit log cannot be written")]
    private partial void LogNotWritten(Exception e, string who, string what, string subject, string? after);
}
