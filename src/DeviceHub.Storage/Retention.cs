using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DeviceHub.Storage;

/// <summary>
/// Deletes what has been kept long enough: rows of the audit log and charges that have ended. A few at a time, so that no payment waits for
/// it. The payment ledger is kept for ever.
/// </summary>
internal sealed partial class Retention(HubDatabase database, IOptions<StorageOptions> options, TimeProvider clock, ILogger<Retention> logger) : BackgroundService
{
    private const int Rows = 200;
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, clock);
        do
        {
            await Delete("audit", options.Value.AuditDays, DeleteAudit, stoppingToken);
            await Delete("charge", options.Value.ChargeDays, DeleteCharges, stoppingToken);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task Delete(string table, int days, Func<PreparedConnection, DateTimeOffset, int> delete, CancellationToken stop)
    {
        if (days == 0)
        {
            return;
        }

        var before = clock.GetUtcNow().AddDays(-days);
        var all = 0;
        try
        {
            int deleted;
            do
            {
                deleted = await Blocking.Run(() =>
                {
                    using (database.Gate.EnterBlocking())
                    {
                        return delete(database.Writes, before);
                    }
                });
                all += deleted;
                StorageMetrics.Outdated.Add(deleted, new KeyValuePair<string, object?>("table", table));
                await Task.Delay(Pause, clock, stop);
            }
            while (deleted > 0);
        }
        catch (SqliteException e)
        {
            LogFailed(table, e);
        }

        if (all > 0)
        {
            LogDeleted(all, table, before);
        }
    }

    private static int DeleteAudit(PreparedConnection db, DateTimeOffset before) =>
        db.Prepare("DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ?1 ORDER BY at LIMIT ?2)").Bind(1, before).Bind(2, Rows).Run();

    /// <summary>
    /// From the oldest row on, which needs no index. One that is still due for somebody, or has news of its payment, stays.
    /// </summary>
    private static int DeleteCharges(PreparedConnection db, DateTimeOffset before) =>
        db.Prepare(
            """
            DELETE FROM charge WHERE rowid IN (SELECT rowid FROM charge ORDER BY rowid LIMIT ?2)
              AND ended <> 0 AND due_at IS NULL AND ended_at < ?1 AND created_at < ?1
            """).Bind(1, before).Bind(2, Rows).Run();

    [LoggerMessage(EventName = "OutdatedRowsDeleted", Level = LogLevel.Information, Message = "Deleted {Rows} rows of {Table} from before {Before:yyyy-MM-dd}, as Storage:AuditDays and Storage:ChargeDays say")]
    private partial void LogDeleted(int rows, string table, DateTimeOffset before);

    [LoggerMessage(EventName = "OutdatedRowsNotDeleted", Level = LogLevel.Warning, Message = "Outdated rows of {Table} could not be deleted; it is tried again in an hour")]
    private partial void LogFailed(string table, Exception e);
}
