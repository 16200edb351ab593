namespace DeviceHub.Gateways.Mqtt;

/// <summary>Two token buckets of one connection: packets and bytes.</summary>
internal sealed class RateLimit(MqttOptions options, long opened)
{
    private double _packets = options.PacketBurst;
    private double _bytes = options.BytesPerSecond * 4.0;
    private long _filled = opened;

    public bool Take(int packets, long bytes, long now, TimeProvider time)
    {
        var seconds = time.GetElapsedTime(_filled, now).TotalSeconds;
        _filled = now;
        _packets = Math.Min(options.PacketBurst, _packets + seconds * options.PacketsPerSecond) - packets;
        _bytes = Math.Min(options.BytesPerSecond * 4.0, _bytes + seconds * options.BytesPerSecond) - bytes;
        return _packets >= 0 && _bytes >= 0;
    }
}
