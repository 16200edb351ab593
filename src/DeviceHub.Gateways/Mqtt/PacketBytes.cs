using System.Buffers.Binary;

namespace DeviceHub.Gateways.Mqtt;

/// <summary>The packets that the hub sends, as bytes.</summary>
internal static class PacketBytes
{
    public static ReadOnlySpan<byte> PingResp => [0xD0, 0x00];

    public static byte[] ConnAck(bool v5, byte reason) => v5 ? [0x20, 3, 0, reason, 0] : [0x20, 2, 0, reason];

    /// <summary>Accepted, with every property that says what the hub does not do. Session expiry is always said: its absence would mean the client's own wish.</summary>
    public static byte[] ConnAckAccepted(MqttOptions options, ushort? serverKeepAlive)
    {
        List<byte> properties = [0x11, 0, 0, 0, 0, 0x21, 0, 0, 0x24, 1, 0x25, 0, 0x27, 0, 0, 0, 0, 0x22, 0, 0, 0x28, 0, 0x29, 0, 0x2A, 0];
        var bytes = properties.ToArray();
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(6), (ushort)options.MaxInFlightIn);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(13), (uint)options.MaxPacketBytes);
        byte[] keepAlive = serverKeepAlive is { } seconds ? [0x13, (byte)(seconds >> 8), (byte)seconds] : [];
        var length = bytes.Length + keepAlive.Length;
        return [0x20, (byte)(length + 3), 0, 0, (byte)length, .. bytes, .. keepAlive];
    }

    public static byte[] Disconnect(byte reason) => [0xE0, 2, reason, 0];

    /// <summary>PUBACK; the reason code is left out where it is 0 and on 3.1.1.</summary>
    public static int PubAck(Span<byte> target, ushort id, byte reason)
    {
        target[0] = 0x40;
        target[1] = reason == 0 ? (byte)2 : (byte)3;
        BinaryPrimitives.WriteUInt16BigEndian(target[2..], id);
        if (reason == 0)
        {
            return 4;
        }

        target[4] = reason;
        return 5;
    }

    /// <summary>SUBACK or UNSUBACK.</summary>
    public static byte[] Acknowledge(byte header, bool v5, ushort id, ReadOnlySpan<byte> codes) =>
        v5 ? [header, (byte)(codes.Length + 3), (byte)(id >> 8), (byte)id, 0, .. codes] : [header, (byte)(codes.Length + 2), (byte)(id >> 8), (byte)id, .. codes];

    /// <summary>The most that a PUBLISH adds to topic and payload: header, length, topic's length, packet id, no properties.</summary>
    public const int PublishOverhead = 1 + 4 + 2 + 2 + 1;

    public static int PublishLength(int topicBytes, int payloadBytes, bool v5, bool acknowledged)
    {
        var body = 2 + topicBytes + (acknowledged ? 2 : 0) + (v5 ? 1 : 0) + payloadBytes;
        return 1 + LengthBytes(body) + body;
    }

    public static int Publish(Span<byte> target, string topic, ReadOnlySpan<byte> payload, bool v5, ushort id)
    {
        var body = 2 + topic.Length + (id != 0 ? 2 : 0) + (v5 ? 1 : 0) + payload.Length;
        target[0] = id != 0 ? (byte)0x32 : (byte)0x30;
        var at = 1;
        for (var rest = body; ; rest >>= 7)
        {
            target[at++] = (byte)(rest > 0x7F ? rest & 0x7F | 0x80 : rest);
            if (rest <= 0x7F)
            {
                break;
            }
        }

        BinaryPrimitives.WriteUInt16BigEndian(target[at..], (ushort)topic.Length);
        at += 2 + System.Text.Encoding.ASCII.GetBytes(topic, target[(at + 2)..]);
        if (id != 0)
        {
            BinaryPrimitives.WriteUInt16BigEndian(target[at..], id);
            at += 2;
        }

        if (v5)
        {
            target[at++] = 0;
        }

        payload.CopyTo(target[at..]);
        return at + payload.Length;
    }

    private static int LengthBytes(int value) => value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4;
}
