using System.Diagnostics.Metrics;

namespace DeviceHub.Gateways.Serial;

/// <summary>The endpoint's instruments. Tags are a port's name and one of a few fixed words.</summary>
internal static class SerialMetrics
{
    private static readonly Meter Meter = new("DeviceHub.Gateways");
    private static readonly Counter<long> FaultCounter = Meter.CreateCounter<long>("serial.port_faults", description: "Ports that could not be opened or went away, by port and reason.");
    private static readonly Counter<long> DownCounter = Meter.CreateCounter<long>("serial.links_down", description: "Links that went down, by port and reason.");
    private static readonly Counter<long> BadCounter = Meter.CreateCounter<long>("serial.bad_frames", description: "Bad frames, by port.");
    private static readonly Counter<long> DroppedCounter = Meter.CreateCounter<long>("serial.dropped_bytes", description: "Bytes that a port did not take and that were dropped, by port.");

    public static readonly UpDownCounter<long> Open = Meter.CreateUpDownCounter<long>("serial.ports_open", description: "Open ports.");
    public static readonly UpDownCounter<long> Links = Meter.CreateUpDownCounter<long>("serial.links", description: "Links that are up.");
    public static readonly Counter<long> Received = Meter.CreateCounter<long>("serial.received", description: "Messages handed to sessions.");
    public static readonly Counter<long> Sent = Meter.CreateCounter<long>("serial.sent", description: "Messages sent to terminals.");

    private static readonly Counter<long> CodeCounter = Meter.CreateCounter<long>("serial.codes", description: "Codes of scanners in line and keyboard mode, by port and what became of them.");

    public static void Code(string port, string what) => CodeCounter.Add(1, new("port", port), new("what", what));

    public static readonly Counter<long> TooLarge = Meter.CreateCounter<long>("serial.too_large", description: "Messages that were lost since they are larger than their terminal takes.");

    public static void PortFault(string port, PortFault fault) => FaultCounter.Add(1, new("port", port), new("reason", fault.ToString()));

    public static void Down(string port, string reason) => DownCounter.Add(1, new("port", port), new("reason", reason));

    public static void Bad(string port, long frames) => BadCounter.Add(frames, new KeyValuePair<string, object?>("port", port));

    public static void Dropped(string port, long bytes) => DroppedCounter.Add(bytes, new KeyValuePair<string, object?>("port", port));
}
