using DeviceHub.Core.Live;
using DeviceHub.Core.Terminals;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DeviceHub.Storage;

/// <summary>Sightings in memory, one a terminal, written in batches. A crash loses the last interval.</summary>
internal sealed partial class LastSeenWriter(
    HubDatabase database, LiveFeed feed, HeartbeatHistory history, IOptions<StorageOptions> options, TimeProvider clock, ILogger<LastSeenWriter> logger) : BackgroundService, ILastSeen
{
    private const int RowsACommit = 2_000;
    private readonly Lock sync = new();
    private Dictionary<string, Sighting> waiting = [];
    private bool failing;

    /// <summary>Points of charts since old ones were deleted last. Under the write gate.</summary>
    private int sampled;

    public void Saw(Sighting sighting)
    {
        lock (sync)
        {
            if (waiting.TryGetValue(sighting.SerialNumber, out var older))
            {
                waiting[sighting.SerialNumber] = sighting with
                {
                    Heartbeat = sighting.Heartbeat ?? older.Heartbeat,
                    Address = sighting.Address ?? older.Address,
                    Sample = sighting.Sample ?? older.Sample,
                };
            }
            else if (waiting.Count < options.Value.LastSeenQueue)
            {
                waiting.Add(sighting.SerialNumber, sighting);
            }
            else
            {
                StorageMetrics.SightingsDropped.Add(1);
            }
        }
    }

    /// <summary>Nobody is connected to a hub that starts, whatever one that was killed has left behind.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await Blocking.Run(() =>
        {
            using (database.Gate.EnterBlocking())
            {
                database.Derived.Prepare("UPDATE last_seen SET connected = 0 WHERE connected").Run();
            }
        });
        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await Flush();
    }

    /// <summary>Writes what waits now. A failed write puts it back for the next time.</summary>
    public async Task Flush()
    {
        Dictionary<string, Sighting> taken;
        lock (sync)
        {
            (taken, waiting) = (waiting, []);
        }

        foreach (var chunk in taken.Values.Chunk(RowsACommit))
        {
            try
            {
                await Blocking.Run(() =>
                {
                    using (database.Gate.EnterBlocking())
                    {
                        Write(chunk);
                    }
                });
                failing = false;
                Publish(chunk);
            }
            catch (SqliteException e)
            {
                if (!failing)
                {
                    LogFailed(e);
                }

                failing = true;
                PutBack(chunk);
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.LastSeenInterval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await Flush();
            await DeleteOld();
        }
    }

    /// <summary>Takes heartbeats out of the history whose time is over, some at each call.</summary>
    public async Task DeleteOld()
    {
        try
        {
            await Blocking.Run(() =>
            {
                using (database.Gate.EnterBlocking())
                {
                    history.DeleteSome(database.Derived, clock.GetUtcNow() - options.Value.HeartbeatKeep, sampled);
                    sampled = 0;
                }
            });
        }
        catch (SqliteException e)
        {
            // The next call tries again; a disk that stays full is told by the sightings.
            LogNotDeleted(e);
        }
    }

    private void Publish(Sighting[] sightings)
    {
        if (feed.IsWatched)
        {
            foreach (var sighting in sightings)
            {
                feed.Changed(LiveFeed.Terminal(sighting.SerialNumber));
            }

            feed.Changed(LiveFeed.Terminals);
        }
    }

    private void PutBack(Sighting[] sightings)
    {
        lock (sync)
        {
            foreach (var sighting in sightings.Where(s => waiting.Count < options.Value.LastSeenQueue))
            {
                if (!waiting.TryAdd(sighting.SerialNumber, sighting) && waiting[sighting.SerialNumber] is { Heartbeat: null } newer)
                {
                    waiting[sighting.SerialNumber] = newer with { Heartbeat = sighting.Heartbeat, Sample = sighting.Sample };
                }
            }
        }
    }

    private void Write(Sighting[] sightings)
    {
        var db = database.Derived;
        using var transaction = db.Connection.BeginTransaction(deferred: false);
        var upsert = db.Prepare(
            """
            INSERT INTO last_seen(serial_number, at, address, firmware, configuration_version, heartbeat, heartbeat_at, connected)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            ON CONFLICT(serial_number) DO UPDATE SET at = excluded.at, address = coalesce(excluded.address, address),
              firmware = coalesce(excluded.firmware, firmware),
              configuration_version = coalesce(excluded.configuration_version, configuration_version),
              heartbeat = coalesce(excluded.heartbeat, heartbeat), heartbeat_at = coalesce(excluded.heartbeat_at, heartbeat_at),
              connected = excluded.connected
            """);
        foreach (var s in sightings)
        {
            upsert.Bind(1, s.SerialNumber).Bind(2, s.At).Bind(3, s.Address).Bind(4, s.Heartbeat?.Firmware)
                .Bind(5, s.Heartbeat?.ConfigurationVersion).Bind(6, s.Heartbeat?.Json)
                .Bind(7, s.Heartbeat is null ? null : (DateTimeOffset?)s.At).Bind(8, s.Connected ? 1L : 0L).Run();
            if (s.Sample is { } sample)
            {
                HeartbeatHistory.Write(db, s.SerialNumber, s.At, sample);
                sampled++;
            }
        }

        transaction.Commit();
    }

    [LoggerMessage(EventName = "HeartbeatsNotDeleted", Level = LogLevel.Debug, Message = "Old heartbeats could not be deleted; it is tried again")]
    private partial void LogNotDeleted(Exception e);

    [LoggerMessage(EventId = 1, EventName = "LastSeenNotWritten", Level = LogLevel.Warning, Message = "Last-seen times could not be written; they are kept for the next time")]
    private partial void LogFailed(Exception e);
}
