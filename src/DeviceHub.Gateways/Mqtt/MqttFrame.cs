using System.Buffers;
using MQTTnet.Protocol;

namespace DeviceHub.Gateways.Mqtt;

internal enum FrameResult
{
    Incomplete,
    Whole,
    Malformed,
    TooLarge,
}

/// <summary>One control packet in the connection's buffer. The limit is checked as soon as the length is known, before the body is there.</summary>
internal readonly record struct MqttFrame(byte Header, ReadOnlySequence<byte> Body, SequencePosition End, long TotalBytes)
{
    public MqttControlPacketType Type => (MqttControlPacketType)(Header >> 4);

    public int Flags => Header & 0x0F;

    public static FrameResult TryRead(in ReadOnlySequence<byte> buffer, int maxBytes, out MqttFrame frame)
    {
        frame = default;
        var reader = new SequenceReader<byte>(buffer);
        if (!reader.TryRead(out var header))
        {
            return FrameResult.Incomplete;
        }

        if (!HeaderIsLegal(header))
        {
            return FrameResult.Malformed;
        }

        var length = 0;
        for (var shift = 0; ; shift += 7)
        {
            if (shift == 28)
            {
                return FrameResult.Malformed;
            }

            if (!reader.TryRead(out var digit))
            {
                return FrameResult.Incomplete;
            }

            length |= (digit & 0x7F) << shift;
            if ((digit & 0x80) == 0)
            {
                break;
            }
        }

        var total = reader.Consumed + length;
        if (total > maxBytes)
        {
            return FrameResult.TooLarge;
        }

        if (buffer.Length < total)
        {
            return FrameResult.Incomplete;
        }

        var body = buffer.Slice(reader.Position, length);
        frame = new MqttFrame(header, body, body.End, total);
        return FrameResult.Whole;
    }

    /// <summary>[MQTT-2.2.2-2], 5.0 [MQTT-2.1.3-1]: reserved flags have one legal value; type 0 is reserved.</summary>
    private static bool HeaderIsLegal(byte header) => (MqttControlPacketType)(header >> 4) switch
    {
        0 => false,
        MqttControlPacketType.Publish => (header & 0x06) != 0x06 && (header & 0x0E) != 0x08,
        MqttControlPacketType.PubRel or MqttControlPacketType.Subscribe or MqttControlPacketType.Unsubscribe => (header & 0x0F) == 0x02,
        _ => (header & 0x0F) == 0,
    };
}
