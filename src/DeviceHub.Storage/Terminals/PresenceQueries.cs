using DeviceHub.Core.Terminals;

namespace DeviceHub.Storage;

/// <summary><see cref="TerminalPresence.Of"/> in SQL: for counts, which go over indexes, and as a filter of lists.</summary>
internal static class PresenceQueries
{
    /// <summary>?1: <see cref="TerminalPresence.HeardAfter"/>. Of the table <c>last_seen</c> as l.</summary>
    private const string Responsive = "l.connected AND l.at > ?1";

    /// <summary>?2: now. Of the table <c>terminal_trouble</c> as x.</summary>
    private const string Counts = "x.counts_from <= ?2";

    /// <summary>Terminals that are in at least this state.</summary>
    public static IQueryable<TerminalRow> AtLeast(this IQueryable<TerminalRow> rows, HubDbContext db, TerminalState state, DateTimeOffset heardAfter, DateTimeOffset now) => state switch
    {
        TerminalState.Offline => rows,
        TerminalState.Silent => rows.Where(t => db.LastSeen.Any(l => l.SerialNumber == t.SerialNumber && l.Connected)),
        TerminalState.Responsive => rows.Where(t => db.LastSeen.Any(l => l.SerialNumber == t.SerialNumber && l.Connected && l.At > heardAfter)),
        _ => rows.Where(t => t.Status == TerminalStatus.Active
            && db.LastSeen.Any(l => l.SerialNumber == t.SerialNumber && l.Connected && l.At > heardAfter)
            && !db.TerminalTroubles.Any(x => x.SerialNumber == t.SerialNumber && x.CountsFrom <= now)),
    };

    /// <summary>Terminals that are in this state and no better one.</summary>
    public static IQueryable<TerminalRow> Exactly(this IQueryable<TerminalRow> rows, HubDbContext db, TerminalState state, DateTimeOffset heardAfter, DateTimeOffset now) => state switch
    {
        TerminalState.Offline => rows.Where(t => !db.LastSeen.Any(l => l.SerialNumber == t.SerialNumber && l.Connected)),
        TerminalState.Silent => rows.Where(t => db.LastSeen.Any(l => l.SerialNumber == t.SerialNumber && l.Connected && l.At <= heardAfter)),
        TerminalState.Responsive => rows.Where(t => db.LastSeen.Any(l => l.SerialNumber == t.SerialNumber && l.Connected && l.At > heardAfter)
            && (t.Status != TerminalStatus.Active || db.TerminalTroubles.Any(x => x.SerialNumber == t.SerialNumber && x.CountsFrom <= now))),
        _ => rows.AtLeast(db, state, heardAfter, now),
    };

    public static FleetCounts Count(PreparedConnection db, DateTimeOffset heardAfter, DateTimeOffset now)
    {
        var byStatus = new long[(int)TerminalStatus.Retired + 1];
        var statuses = db.Prepare("SELECT status, count(*) FROM terminal GROUP BY status");
        while (statuses.Next())
        {
            byStatus[statuses.Long(0)] = statuses.Long(1);
        }

        var connected = db.Prepare("SELECT count(*) FROM last_seen l WHERE l.connected").Number();
        var responsive = db.Prepare("SELECT count(*) FROM last_seen l WHERE " + Responsive).Bind(1, heardAfter).Number();

        // The few that are responsive and not payable, from their own side: nobody reads 100,000 rows to find that they are well.
        var notActive = db.Prepare(
            "SELECT count(*) FROM terminal t CROSS JOIN last_seen l ON l.serial_number = t.serial_number WHERE t.status IN (0, 1, 3, 4) AND " + Responsive)
            .Bind(1, heardAfter).Number();
        var troubled = db.Prepare(
            $"""
            SELECT count(*) FROM terminal_trouble x CROSS JOIN last_seen l ON l.serial_number = x.serial_number
              CROSS JOIN terminal t ON t.serial_number = x.serial_number WHERE {Counts} AND {Responsive} AND t.status = 2
            """).Bind(1, heardAfter).Bind(2, now).Number();
        var (registered, active, suspended) = (byStatus[(int)TerminalStatus.Registered], byStatus[(int)TerminalStatus.Active], byStatus[(int)TerminalStatus.Suspended]);
        return new FleetCounts(connected, responsive, responsive - notActive - troubled, active, suspended, registered, registered + active + suspended);
    }

    /// <summary>Null: no such terminal.</summary>
    public static TerminalPresence? Of(PreparedConnection db, string serialNumber, DateTimeOffset heardAfter, DateTimeOffset now)
    {
        var row = db.Prepare(
            $"""
            SELECT t.status, l.connected, l.at, x.trouble, x.request_id FROM terminal t LEFT JOIN last_seen l ON l.serial_number = t.serial_number
              LEFT JOIN terminal_trouble x ON x.serial_number = t.serial_number AND {Counts} WHERE t.serial_number = ?1
            """).Bind(1, serialNumber).Bind(2, now);
        if (!row.Next())
        {
            return null;
        }

        var (status, connected, heardAt) = ((TerminalStatus)row.Long(0), row.Long(1) != 0, row.TimeOrNull(2));
        var trouble = row.IsNull(3) ? PaymentTrouble.None : (PaymentTrouble)row.Long(3);
        var presence = new TerminalPresence(
            serialNumber, status, connected, heardAt, trouble, row.TextOrNull(4), TerminalPresence.Of(status, connected, heardAt, trouble, heardAfter));
        row.Reset();
        return presence;
    }
}
