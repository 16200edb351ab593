using DeviceHub.Core.Terminals;
using DeviceHub.Storage;

namespace DeviceHub.Tools.Seed;

/// <summary>The points of heartbeat charts that a hub would have kept: of the last days, one in so many minutes, until a terminal was last seen.</summary>
internal sealed class HeartbeatWriter(SeedSetup setup, FleetPlan plan, Dice dice, HubDatabase database)
{
    private const int TerminalsACommit = 2_000;

    private static readonly TimeSpan Keep = new StorageOptions().HeartbeatKeep;
    private static readonly TimeSpan Apart = TimeSpan.FromMinutes(new TerminalOptions().HeartbeatSampleMinutes);

    /// <summary>Terminal by terminal in the order of the table's key: each row goes to its end.</summary>
    public long Write(CancellationToken cancellation)
    {
        var written = 0L;
        var db = database.Writes;
        foreach (var some in plan.Terminals.Where(t => t.LastSeen >= setup.Until - Keep).OrderBy(t => t.SerialNumber, StringComparer.Ordinal).Chunk(TerminalsACommit))
        {
            cancellation.ThrowIfCancellationRequested();
            db.Prepare("BEGIN IMMEDIATE").Run();
            foreach (var terminal in some)
            {
                written += Write(db, terminal);
            }

            db.Prepare("COMMIT").Run();
        }

        return written;
    }

    private int Write(PreparedConnection db, SeedTerminal terminal)
    {
        var (count, battery, signal) = (0, 100, -60 - dice.Below(35));
        var begun = setup.Until - Keep;
        var up = dice.Below(900_000);
        var at = (terminal.ActivatedAt > begun ? terminal.ActivatedAt.Value : begun) + (Apart * dice.Share());
        for (; at <= terminal.LastSeen; at += Apart)
        {
            // A connection that is lost now and then; its times are in the sample that follows.
            var lost = dice.Chance(0.015);
            up = lost && dice.Chance(0.2) ? 0 : up + (int)Apart.TotalSeconds;
            signal = Math.Clamp(signal + dice.Below(5) - 2, -115, -51);
            battery = battery > 12 ? battery - (count & 1) : 100;
            HeartbeatHistory.Write(db, terminal.SerialNumber, at, new HeartbeatFigures(
                up,
                signal,
                terminal.Model == "scan-box" ? battery : null,
                lost ? 1 + dice.Below(3) : 0,
                lost ? 300 + dice.Below(2_500) : null,
                lost ? 15 + dice.Below(120) : null,
                lost ? 90 + dice.Below(400) : null,
                lost ? 30 + dice.Below(150) : null,
                dice.Chance(0.01) ? 1 : 0));
            count++;
        }

        return count;
    }
}
