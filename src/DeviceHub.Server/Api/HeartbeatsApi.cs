using DeviceHub.Core.Terminals;

namespace DeviceHub.Server.Api;

/// <summary>A terminal's heartbeats of the last days.</summary>
internal static class HeartbeatsApi
{
    /// <param name="Reconnects">Since the point before.</param>
    internal sealed record Point(
        DateTimeOffset At, long? UptimeS, int? SignalDbm, int? BatteryPercent, int Reconnects, int? AttachMs, int? DnsMs, int? TlsMs, int? LoginMs, int Unsettled);

    internal sealed record Points(IReadOnlyList<Point> Items);

    public static void MapHeartbeats(this RouteGroupBuilder api) =>
        api.MapGet("/terminals/{serialNumber}/heartbeats", Get).Produces<Points>()
            .WithSummary("A terminal's heartbeats, oldest first: one in Terminals:HeartbeatSampleMinutes, kept for Storage:HeartbeatKeep");

    private static async Task<IResult> Get(string serialNumber, DateTimeOffset? from, IHeartbeatHistory history) =>
        Results.Ok(new Points([.. (await history.Of(serialNumber, from ?? DateTimeOffset.UnixEpoch)).Select(Of)]));

    private static Point Of(HeartbeatSample sample)
    {
        var f = sample.Figures;
        return new(sample.At, f.UptimeS, f.SignalDbm, f.BatteryPercent, f.Reconnects, f.AttachMs, f.DnsMs, f.TlsMs, f.LoginMs, f.Unsettled);
    }
}
