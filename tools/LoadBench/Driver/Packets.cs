using System.Buffers.Binary;
using System.Text;

namespace DeviceHub.Tools.LoadBench.Driver;

/// <summary>The few MQTT 3.1.1 packets that the driver sends, built once and sent as they are.</summary>
internal static class Packets
{
    public static byte[] Connect(string clientId) => Packet(0x10, [.. Text("MQTT"), 4, 2, 300 >> 8, 300 & 0xFF, .. Text(clientId)]);

    public static byte[] Subscribe(string topic) => Packet(0x82, [0, 1, .. Text(topic), 1]);

    /// <summary>QoS 1. The packet id is written right before sending, by <see cref="SetPublishId"/>.</summary>
    public static byte[] Publish(string topic, ReadOnlySpan<byte> payload) => Packet(0x32, [.. Text(topic), 0, 1, .. payload]);

    /// <summary>The payload of a PUBLISH and its packet id (0: QoS 0).</summary>
    public static ReadOnlySpan<byte> Payload(byte header, ReadOnlySpan<byte> body, out ushort id)
    {
        var topic = 2 + BinaryPrimitives.ReadUInt16BigEndian(body);
        var acknowledged = (header & 6) != 0;
        id = acknowledged ? BinaryPrimitives.ReadUInt16BigEndian(body[topic..]) : (ushort)0;
        return body[(topic + (acknowledged ? 2 : 0))..];
    }

    public static ReadOnlySpan<byte> Topic(ReadOnlySpan<byte> body) => body.Slice(2, BinaryPrimitives.ReadUInt16BigEndian(body));

    /// <summary>Writes a packet id into a PUBLISH that <see cref="Publish"/> built.</summary>
    public static void SetPublishId(Span<byte> packet, ushort id)
    {
        var at = 1;
        while ((packet[at++] & 0x80) != 0)
        {
        }

        at += 2 + BinaryPrimitives.ReadUInt16BigEndian(packet[at..]);
        BinaryPrimitives.WriteUInt16BigEndian(packet[at..], id);
    }

    /// <summary>The first whole packet of a buffer; 0: not whole yet.</summary>
    public static int Next(ReadOnlySpan<byte> buffer, out ReadOnlySpan<byte> body)
    {
        body = default;
        var length = 0;
        for (var i = 1; i < buffer.Length && i <= 4; i++)
        {
            length |= (buffer[i] & 0x7F) << (7 * (i - 1));
            if ((buffer[i] & 0x80) == 0)
            {
                if (buffer.Length < i + 1 + length)
                {
                    return 0;
                }

                body = buffer.Slice(i + 1, length);
                return i + 1 + length;
            }
        }

        return 0;
    }

    private static byte[] Packet(byte header, ReadOnlySpan<byte> body)
    {
        Span<byte> length = stackalloc byte[4];
        var n = 0;
        var rest = body.Length;
        do
        {
            length[n++] = (byte)((rest & 0x7F) | (rest > 0x7F ? 0x80 : 0));
            rest >>= 7;
        }
        while (rest > 0);
        return [header, .. length[..n], .. body];
    }

    private static byte[] Text(string text) => [(byte)(text.Length >> 8), (byte)text.Length, .. Encoding.ASCII.GetBytes(text)];
}
