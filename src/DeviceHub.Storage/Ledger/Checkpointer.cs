using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using SQLitePCL;

namespace DeviceHub.Storage;

/// <summary>
/// Bounds the write-ahead log beside the commits: copies most of it while others write, then the rest under the gate, so that the
/// next commit begins the log anew. The file keeps its size: writing over blocks that it has is cheaper than asking for new ones.
/// </summary>
internal sealed partial class Checkpointer(HubDatabase database, IOptions<StorageOptions> options, TimeProvider clock, ILogger<Checkpointer> logger)
    : BackgroundService
{
    /// <summary>SQLITE_CHECKPOINT_NOOP of SQLite 3.51: counts and copies nothing.</summary>
    public const int Look = -1;

    /// <summary>A page and its header in the log.</summary>
    public const long FrameBytes = 4096 + 24;

    private bool failing;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        database.Open(stoppingToken);
        using var connection = database.Connect(readOnly: false);

        // A restart waits for readers while it holds the gate, and with it every commit. What is busy is tried at the next look.
        raw.sqlite3_busy_timeout(connection.Handle!, 0);
        using var timer = new PeriodicTimer(options.Value.CheckpointInterval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                var (frames, copied) = Checkpoint(connection, Look);
                StorageMetrics.WalBytes.Record(frames * FrameBytes);
                if (copied == frames || frames * FrameBytes < options.Value.CheckpointBytes)
                {
                    continue;
                }

                await Blocking.Run(() =>
                {
                    Checkpoint(connection, raw.SQLITE_CHECKPOINT_PASSIVE);
                    using (database.Gate.EnterBlocking())
                    {
                        Checkpoint(connection, raw.SQLITE_CHECKPOINT_RESTART);
                    }
                });
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

    /// <summary>Frames in the log, and how many of them are in the database. A reader or writer in the way is no error: it is tried again.</summary>
    public static (int Frames, int Copied) Checkpoint(SqliteConnection connection, int mode)
    {
        var code = raw.sqlite3_wal_checkpoint_v2(connection.Handle!, "main", mode, out var frames, out var copied);
        SqliteException.ThrowExceptionForRC(code == raw.SQLITE_BUSY ? raw.SQLITE_OK : code, connection.Handle);
        return (frames, copied);
    }

    [LoggerMessage(EventId = 1, EventName = "CheckpointFailed", Level = LogLevel.Warning, Message = "The write-ahead log could not be copied back; it is tried again")]
    private partial void LogFailed(Exception e);
}
