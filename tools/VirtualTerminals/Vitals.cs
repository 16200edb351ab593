using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using DeviceHub.Protocol.Wire;
using Cause = DeviceHub.Protocol.Wire.ReconnectCause.Types.Cause;

namespace DeviceHub.Tools.VirtualTerminals;

/// <summary>What a terminal tells about itself in heartbeats: made up once, and then moving like the real thing.</summary>
internal sealed class Vitals(TerminalSetup setup)
{
    private readonly long booted = Stopwatch.GetTimestamp();
    private readonly ConcurrentDictionary<Cause, uint> reconnects = new();
    private readonly Modem modem = new()
    {
        Imei = "86" + Digits(13),
        Iccid = "8986" + Digits(16),
        SimSlot = 1,
        Bearer = Modem.Types.Bearer.Lte,
    };

    private readonly Place place = new()
    {
        Cell = new Place.Types.Cell { Mcc = 460, Mnc = (uint)Random.Shared.Next(0, 12), Area = (uint)Random.Shared.Next(1, 65536), CellId = (ulong)Random.Shared.Next(1, 1 << 28) },
        Ip = string.Create(CultureInfo.InvariantCulture, $"10.{Random.Shared.Next(256)}.{Random.Shared.Next(256)}.{Random.Shared.Next(1, 255)}"),
    };

    public void Reconnects(Cause cause) => reconnects.AddOrUpdate(cause, 1, (_, count) => Math.Min(count + 1, 65535));

    /// <param name="loggedInAfter">Of a connection's first heartbeat: from CONNECT to synced.</param>
    public Heartbeat Beat(ulong configurationVersion, int unsettled, TimeSpan? loggedInAfter)
    {
        var beat = new Heartbeat
        {
            UptimeS = (ulong)Stopwatch.GetElapsedTime(booted).TotalSeconds,
            Firmware = setup.Firmware,
            ConfigurationVersion = configurationVersion,
            SignalDbm = -60 - Random.Shared.Next(0, 40),
            BatteryPercent = 100,
            Power = PowerSource.Mains,
            ResetReason = BootReason.PowerOn,
            Modem = modem,
            Place = place,
            ConnectTimes = loggedInAfter is { } after ? new ConnectTimes { LoginMs = (uint)after.TotalMilliseconds } : null,
            Unsettled = (uint)unsettled,
        };
        foreach (var cause in reconnects.Keys)
        {
            if (beat.Reconnects.Count < 8 && reconnects.TryRemove(cause, out var count))
            {
                beat.Reconnects.Add(new ReconnectCause { Cause = cause, Count = count });
            }
        }

        return beat;
    }

    private static string Digits(int count) => string.Concat(Enumerable.Range(0, count).Select(_ => (char)('0' + Random.Shared.Next(10))));
}
