using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DeviceHub.Storage;

/// <summary>
/// Bounds the write-ahead log beside the commits: copies most of it while others write, then the rest under the gate, so that the
/// next commit begins the log anew.
/// </summary>
internal sealed partial class Checkpointer(HubDatabase database, IOptions<StorageOptions> options, TimeProvider clock, ILogger<Checkpointer> logger)
    : BackgroundService
{
    private bool failing;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        database.Open();
        using var connection = database.Connect(readOnly: false);
        using var timer = new PeriodicTimer(options.Value.CheckpointInterval, clock);
        var log = new FileInfo(database.File + "-wal");
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            log.Refresh();
            var bytes = log.Exists ? log.Length : 0;
            StorageMetrics.WalBytes.Record(bytes);
            if (bytes < options.Value.CheckpointBytes)
            {
                continue;
            }

            try
            {
                HubDatabase.Execute(connection, "PRAGMA wal_checkpoint(PASSIVE)");
                using (await database.Gate.Enter(stoppingToken))
                {
                    // TRUNCATE: the size tells whether there is anything to do.
                    HubDatabase.Execute(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
                }

                failing = false;
            }
            catch (SqliteException e)
            {
                if (!failing)
                {
                    LogFailed(e);
                }

                failing = true;
            }
        }
    }

    [LoggerMessage(EventId = 1, EventName = "CheckpointFailed", Level = LogLevel.Warning, Message = "The write-ahead log could not be copied back; it is tried again")]
    private partial void LogFailed(Exception e);
}
