using DeviceHub.Core.Terminals;

namespace DeviceHub.Storage;

/// <summary>Points of heartbeat charts: written with the sightings, deleted terminal by terminal, some in each of their batches.</summary>
internal sealed class HeartbeatHistory(ReadPool pool) : IHeartbeatHistory
{
    /// <summary>Terminals whose old points go with one batch: with a batch in two seconds, 100,000 of them have their turn in an hour.</summary>
    private const int TerminalsABatch = 64;

    /// <summary>Points that go with one batch beside as many as came since the last: a shorter time to keep them leaves many at once.</summary>
    private const int RowsABatch = 1000;

    /// <summary>The terminal that had its turn last.</summary>
    private string last = "";

    public ValueTask<IReadOnlyList<HeartbeatSample>> Of(string serialNumber, DateTimeOffset since) => pool.Read<(string, DateTimeOffset), IReadOnlyList<HeartbeatSample>>(
        (serialNumber, since),
        static (db, q) =>
        {
            var rows = db.Prepare(
                """
                SELECT at, uptime_s, signal_dbm, battery_percent, reconnects, attach_ms, dns_ms, tls_ms, login_ms, unsettled FROM heartbeat
                WHERE serial_number = ?1 AND at >= ?2 ORDER BY at DESC LIMIT ?3
                """).Bind(1, q.Item1).Bind(2, q.Item2).Bind(3, (long)IHeartbeatHistory.MaxSamples);
            var samples = new List<HeartbeatSample>();
            while (rows.Next())
            {
                samples.Add(new HeartbeatSample(rows.Time(0), new HeartbeatFigures(
                    rows.LongOrNull(1), (int?)rows.LongOrNull(2), (int?)rows.LongOrNull(3), (int)rows.Long(4), (int?)rows.LongOrNull(5), (int?)rows.LongOrNull(6),
                    (int?)rows.LongOrNull(7), (int?)rows.LongOrNull(8), (int)rows.Long(9))));
            }

            samples.Reverse();
            return samples;
        });

    /// <summary>Under the write gate, in the batch's transaction.</summary>
    public static void Write(PreparedConnection db, string serialNumber, DateTimeOffset at, HeartbeatFigures f) =>
        db.Prepare(
            """
            INSERT INTO heartbeat(serial_number, at, uptime_s, signal_dbm, battery_percent, reconnects, attach_ms, dns_ms, tls_ms, login_ms, unsettled)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING
            """).Bind(1, serialNumber).Bind(2, at).Bind(3, f.UptimeS).Bind(4, f.SignalDbm).Bind(5, f.BatteryPercent).Bind(6, f.Reconnects)
            .Bind(7, f.AttachMs).Bind(8, f.DnsMs).Bind(9, f.TlsMs).Bind(10, f.LoginMs).Bind(11, f.Unsettled).Run();

    /// <summary>Deletes what some terminals have from before this; the next call goes on where this one stopped. Under the write gate.</summary>
    /// <param name="came">Points that were written since the last call: as many go, or more, however large the fleet is.</param>
    public void DeleteSome(PreparedConnection db, DateTimeOffset before, int came)
    {
        using var transaction = db.Connection.BeginTransaction(deferred: false);
        var rows = RowsABatch + came;
        for (var i = 0; i < TerminalsABatch && rows > 0; i++)
        {
            var next = db.Prepare("SELECT min(serial_number) FROM heartbeat WHERE serial_number > ?1").Bind(1, last);
            var serialNumber = next.Next() ? next.TextOrNull(0) : null;
            next.Reset();
            if (serialNumber is null)
            {
                last = "";
                break;
            }

            rows -= db.Prepare("DELETE FROM heartbeat WHERE serial_number = ?1 AND at IN (SELECT at FROM heartbeat WHERE serial_number = ?1 AND at < ?2 LIMIT ?3)")
                .Bind(1, serialNumber).Bind(2, before).Bind(3, (long)rows).Run();
            last = rows > 0 ? serialNumber : last;
        }

        transaction.Commit();
    }
}
