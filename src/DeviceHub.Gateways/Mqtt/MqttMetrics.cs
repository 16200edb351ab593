using System.Diagnostics.Metrics;

namespace DeviceHub.Gateways.Mqtt;

/// <summary>The endpoint's instruments. A refusal's tag <c>reason</c> is one of a few fixed words, never a client's text.</summary>
internal static class MqttMetrics
{
    public const string MeterName = "DeviceHub.Gateways";

    private static readonly Meter Meter = new(MeterName);
    private static readonly Counter<long> RefusedCounter = Meter.CreateCounter<long>("mqtt.refused", description: "What the endpoint refused, by reason.");
    private static readonly Counter<long> IgnoredCounter = Meter.CreateCounter<long>("mqtt.ignored", description: "What it let pass without doing it, by reason.");

    public static readonly UpDownCounter<long> Connections = Meter.CreateUpDownCounter<long>("mqtt.connections", description: "Open connections.");
    public static readonly Counter<long> Paced = Meter.CreateCounter<long>("mqtt.connects_paced", description: "CONNECTs that were answered late, because of their rate.");
    public static readonly Counter<long> Faults = Meter.CreateCounter<long>("mqtt.faults", description: "Connections that ended by a fault of ours in their deadlines.");
    public static readonly Counter<long> Received = Meter.CreateCounter<long>("mqtt.received", description: "Publishes handed to sessions.");
    public static readonly Counter<long> Sent = Meter.CreateCounter<long>("mqtt.sent", description: "Publishes sent to terminals.");

    public static void Refused(string reason) => RefusedCounter.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public static void Ignored(string reason) => IgnoredCounter.Add(1, new KeyValuePair<string, object?>("reason", reason));
}
