using System.Buffers.Binary;
using System.Text;

namespace DeviceHub.IntegrationTests.Attacks;

/// <summary>Control packets as bytes, legal or not; MQTT 5.0 unless said otherwise.</summary>
internal static class Packets
{
    public static readonly byte[] PingReq = [0xC0, 0];

    /// <param name="will">Topic and payload.</param>
    /// <param name="properties">5.0's, without their length.</param>
    public static byte[] Connect(
        string clientId, string? password = null, ushort keepAlive = 60, bool v5 = true, bool clean = true, (string Topic, byte[] Payload)? will = null, byte[]? properties = null)
    {
        var flags = (clean ? 0x02 : 0) | (password is null ? 0 : 0xC0) | (will is null ? 0 : 0x04);
        byte[] body =
        [
            .. Text("MQTT"), v5 ? (byte)5 : (byte)4, (byte)flags, .. UInt16(keepAlive), .. v5 ? Properties(properties) : [], .. Text(clientId),
            .. will is { } w ? (byte[])[.. v5 ? [0] : Array.Empty<byte>(), .. Text(w.Topic), .. Binary(w.Payload)] : [],
            .. password is null ? [] : (byte[])[.. Text(clientId), .. Text(password)],
        ];
        return Frame(0x10, body);
    }

    public static byte[] Subscribe(string filter, ushort id = 1, byte qos = 1, bool v5 = true) =>
        Frame(0x82, [.. UInt16(id), .. v5 ? [0] : Array.Empty<byte>(), .. Text(filter), qos]);

    public static byte[] Unsubscribe(string filter, ushort id = 1, bool v5 = true) =>
        Frame(0xA2, [.. UInt16(id), .. v5 ? [0] : Array.Empty<byte>(), .. Text(filter)]);

    public static byte[] Publish(string topic, byte[] payload, ushort id = 1, int qos = 1, bool retain = false, bool dup = false, bool v5 = true, byte[]? properties = null) =>
        Publish(Encoding.UTF8.GetBytes(topic), payload, id, qos, retain, dup, v5, properties);

    public static byte[] Publish(byte[] topic, byte[] payload, ushort id = 1, int qos = 1, bool retain = false, bool dup = false, bool v5 = true, byte[]? properties = null) => Frame(
        (byte)(0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)),
        [.. Binary(topic), .. qos > 0 ? UInt16(id) : [], .. v5 ? Properties(properties) : [], .. payload]);

    public static byte[] PubAck(int id) => Frame(0x40, UInt16((ushort)id));

    public static byte[] Frame(byte header, byte[] body) => [header, .. VariableByteInteger(body.Length), .. body];

    /// <summary>Only the beginning of a packet that says it is so long.</summary>
    public static byte[] Head(byte header, int length) => [header, .. VariableByteInteger(length)];

    public static byte[] Text(string text) => Binary(Encoding.UTF8.GetBytes(text));

    public static byte[] Binary(byte[] bytes) => [.. UInt16((ushort)bytes.Length), .. bytes];

    public static byte[] UInt16(ushort value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        return bytes;
    }

    /// <summary>The properties of a CONNACK or another section that ends its packet, by identifier, where the value is 1, 2 or 4 bytes.</summary>
    public static Dictionary<byte, uint> ReadProperties(ReadOnlySpan<byte> section)
    {
        var found = new Dictionary<byte, uint>();
        for (var rest = section[1..]; rest.Length > 0;)
        {
            var id = rest[0];
            var length = id switch { 0x11 or 0x27 or 0x02 => 4, 0x21 or 0x22 or 0x13 or 0x23 => 2, _ => 1 };
            uint value = 0;
            foreach (var b in rest.Slice(1, length))
            {
                value = value << 8 | b;
            }

            found.Add(id, value);
            rest = rest[(1 + length)..];
        }

        return found;
    }

    private static byte[] Properties(byte[]? properties) => [.. VariableByteInteger(properties?.Length ?? 0), .. properties ?? []];

    private static byte[] VariableByteInteger(int value)
    {
        var bytes = new List<byte>();
        do
        {
            bytes.Add((byte)(value > 0x7F ? value & 0x7F | 0x80 : value));
            value >>= 7;
        }
        while (value > 0);
        return [.. bytes];
    }
}
