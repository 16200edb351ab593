using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using DeviceHub.Core.People;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Storage;

/// <summary>
/// A change of rows, a terminal's too, is written with its audit row in one transaction; what the ledger, a charge or nothing of
/// the hub's keeps is followed by its row before the answer.
/// </summary>
public sealed partial class AuditLog(HubWrites writes, TimeProvider clock, ILogger<AuditLog> logger) : IAuditLog
{
    /// <summary>Read by people: Chinese names stay readable.</summary>
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>The row for a transaction of the caller.</summary>
    public AuditRow Row(Actor actor, string what, string subject, object? before, object? after) => new()
    {
        At = clock.GetUtcNow(),
        Who = actor.Name,
        What = what,
        Subject = subject,
        Before = before is null ? null : JsonSerializer.Serialize(before, Json),
        After = after is null ? null : JsonSerializer.Serialize(after, Json),
        Address = actor.Address,
    };

    public AuditRow Row(Deed deed) => Row(deed.By, deed.What, deed.Subject, deed.Before, deed.After);

    public async Task Write(Actor actor, string what, string subject, object? before, object? after)
    {
        var row = Row(actor, what, subject, before, after);
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

    [LoggerMessage(EventName = "AuditNotWritten", Level = LogLevel.Error, Message = "{Who} did {What} to {Subject} ({After}), but the audit log cannot be written")]
    private partial void LogNotWritten(Exception e, string who, string what, string subject, string? after);
}
