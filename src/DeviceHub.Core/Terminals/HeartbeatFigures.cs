namespace DeviceHub.Core.Terminals;

/// <summary>The numbers of a heartbeat, as terminal.proto has them; null: not known.</summary>
/// <param name="Reconnects">Connections lost or not made since the heartbeat before, whatever the cause.</param>
/// <param name="AttachMs">Of the connection since it was made, as the next three.</param>
[GenerateSerializer, Immutable, Alias("dh.HeartbeatFigures")]
public sealed record HeartbeatFigures(
    [property: Id(0)] long? UptimeS = null,
    [property: Id(1)] int? SignalDbm = null,
    [property: Id(2)] int? BatteryPercent = null,
    [property: Id(3)] int Reconnects = 0,
    [property: Id(4)] int? AttachMs = null,
    [property: Id(5)] int? DnsMs = null,
    [property: Id(6)] int? TlsMs = null,
    [property: Id(7)] int? LoginMs = null,
    [property: Id(8)] int Unsettled = 0)
{
    /// <summary>As one sample for both: reconnects add up, and the times of a connection come in its first heartbeat only.</summary>
    public HeartbeatFigures After(HeartbeatFigures? earlier) => earlier is null ? this : this with
    {
        Reconnects = Math.Min(Reconnects + earlier.Reconnects, 1_000_000),
        AttachMs = AttachMs ?? earlier.AttachMs,
        DnsMs = DnsMs ?? earlier.DnsMs,
        TlsMs = TlsMs ?? earlier.TlsMs,
        LoginMs = LoginMs ?? earlier.LoginMs,
    };
}

/// <summary>One point of a chart.</summary>
public sealed record HeartbeatSample(DateTimeOffset At, HeartbeatFigures Figures);

/// <summary>Heartbeats of the last days, one in <see cref="TerminalOptions.HeartbeatSampleMinutes"/>.</summary>
public interface IHeartbeatHistory
{
    /// <summary>Points of one terminal are never more.</summary>
    const int MaxSamples = 2_000;

    /// <summary>Oldest first; of more than <see cref="MaxSamples"/> the newest.</summary>
    ValueTask<IReadOnlyList<HeartbeatSample>> Of(string serialNumber, DateTimeOffset since);
}
