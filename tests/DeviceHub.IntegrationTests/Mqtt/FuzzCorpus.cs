using System.Text;
using DeviceHub.IntegrationTests.Attacks;

namespace DeviceHub.IntegrationTests.Mqtt;

/// <summary>Whole conversations of good packets, and what chance makes of them.</summary>
internal static class FuzzCorpus
{
    public const string Serial = "FUZZ-0001";

    private static readonly byte[] Interesting = [0x00, 0x01, 0x02, 0x04, 0x10, 0x20, 0x7F, 0x80, 0x81, 0xC0, 0xE0, 0xFF];

    /// <summary>Each begins with a CONNECT and would be served to its end.</summary>
    public static IReadOnlyList<byte[][]> Conversations { get; } = [.. Good(v5: false), .. Good(v5: true)];

    /// <summary>One conversation, changed in a few places; sometimes only its CONNECT is, mostly what follows it.</summary>
    public static byte[] Mutate(Random random)
    {
        var packets = Conversations[random.Next(Conversations.Count)].ToList();
        if (random.Next(3) == 0)
        {
            packets[0] = Change(packets[0], random);
        }

        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var at = random.Next(1, packets.Count);
            switch (random.Next(8))
            {
                case 0:
                    packets.Insert(at, packets[random.Next(packets.Count)]);
                    break;
                case 1:
                    packets[at] = Other(random);
                    break;
                case 2:
                    packets[at] = [.. packets[at].AsSpan(0, random.Next(packets[at].Length)), .. Other(random)];
                    break;
                default:
                    packets[at] = Change(packets[at], random);
                    break;
            }
        }

        byte[] stream = [.. packets.SelectMany(p => p)];
        return random.Next(10) == 0 ? stream[..random.Next(stream.Length)] : stream;
    }

    private static byte[] Other(Random random)
    {
        var conversation = Conversations[random.Next(Conversations.Count)];
        return conversation[random.Next(conversation.Length)];
    }

    /// <summary>Half of the changes keep the packet's length right, so that they reach the reader of its body.</summary>
    private static byte[] Change(byte[] packet, Random random)
    {
        var bytes = packet.ToList();
        for (var changes = random.Next(1, 4); changes > 0 && bytes.Count > 0; changes--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = Interesting[random.Next(Interesting.Length)];
                    break;
                case 2:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 3:
                    bytes.Insert(at, (byte)random.Next(256));
                    break;
                case 4:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 5), bytes.Count - at));
                    break;
                default:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 9), bytes.Count - at)));
                    break;
            }
        }

        byte[] changed = [.. bytes];
        return changed.Length > 2 && packet.Length > 1 && packet[1] < 0x80 && random.Next(2) == 0 ? Packets.Frame(changed[0], changed[2..]) : changed;
    }

    private static IEnumerable<byte[][]> Good(bool v5)
    {
        byte[] none = v5 ? [0] : [];
        const string Up = $"dh/v1/{Serial}/up", Down = $"dh/v1/{Serial}/down";
        byte[] connectProperties = [0x11, 0, 0, 0, 9, 0x21, 0, 4, 0x27, 0, 0, 64, 0, 0x22, 0, 1, 0x19, 0, 0x17, 1, 0x26, .. Packets.Text("k"), .. Packets.Text("v")];
        byte[] publishProperties =
        [
            0x01, 1, 0x02, 0, 0, 0, 9, 0x03, .. Packets.Text("text"), 0x08, .. Packets.Text("a/b"), 0x09, .. Packets.Binary([1, 2]), 0x26, .. Packets.Text("k"), .. Packets.Text("v"),
        ];
        byte[] disconnect = v5 ? [0xE0, 14, 0, 12, 0x11, 0, 0, 0, 0, 0x1F, .. Packets.Text("done")] : [0xE0, 0];
        byte[] pubAck = v5 ? [0x40, 8, 0, 1, 0, 4, 0x1F, .. Packets.Text("k")] : [0x40, 2, 0, 1];
        yield return
        [
            Packets.Connect(Serial, v5: v5), Packets.Subscribe(Down, v5: v5), Packets.Publish(Up, Encoding.UTF8.GetBytes("hello"), id: 1, v5: v5), pubAck,
            Packets.Publish(Up, new byte[300], id: 2, v5: v5), Packets.PingReq, Packets.Publish(Up, [1], qos: 0, v5: v5), disconnect,
        ];
        yield return
        [
            Packets.Connect(Serial, "token", clean: false, v5: v5, properties: connectProperties),
            Packets.Frame(0x82, [0, 9, .. none, .. Packets.Text(Down), 0, .. Packets.Text("#"), 1, .. Packets.Text("$share/g/t"), 1]),
            Packets.Publish(Up, [1, 2, 3], id: 9, dup: true, v5: v5, properties: publishProperties), Packets.PingReq,
            Packets.Frame(0xA2, [0, 10, .. none, .. Packets.Text(Down), .. Packets.Text("x")]), disconnect,
        ];
    }
}
