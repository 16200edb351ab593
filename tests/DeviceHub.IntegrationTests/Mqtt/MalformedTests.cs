using DeviceHub.IntegrationTests.Attacks;

namespace DeviceHub.IntegrationTests.Mqtt;

/// <summary>Packets against the rules after a good CONNECT, byte by byte; half of them MQTTnet's decoder lets pass.</summary>
[Collection(WireHub.Collection)]
public sealed class MalformedTests(WireHub hub)
{
    private const bool Both = true, OnlyV5 = false;

    private static readonly Dictionary<string, (bool Versions, byte Reason, Func<Peer, byte[]> Packet)> Wrong = new()
    {
        // The fixed header.
        ["type 0"] = (Both, 0x81, _ => [0x00, 0]),
        ["PUBLISH with QoS 3"] = (Both, 0x81, p => Packets.Frame(0x36, Publish(p))),
        ["PUBLISH with DUP at QoS 0"] = (Both, 0x81, p => Packets.Publish(p.Up, [1], qos: 0, dup: true, v5: p.V5)),
        ["PUBACK with a flag"] = (Both, 0x81, _ => [0x41, 2, 0, 1]),
        ["PUBREL with flags 0"] = (Both, 0x81, _ => [0x60, 2, 0, 1]),
        ["SUBSCRIBE with flags 0"] = (Both, 0x81, p => [0x80, .. p.SubscribeDown().AsSpan(1)]),
        ["UNSUBSCRIBE with flags 0"] = (Both, 0x81, p => [0xA0, .. Packets.Unsubscribe(p.Down, v5: p.V5).AsSpan(1)]),
        ["PINGREQ with a flag"] = (Both, 0x81, _ => [0xC1, 0]),
        ["DISCONNECT with a flag"] = (Both, 0x81, _ => [0xE1, 0]),
        ["AUTH with a flag"] = (Both, 0x81, _ => [0xF1, 0]),
        ["a length of five bytes"] = (Both, 0x81, _ => [0xC0, 0x80, 0x80, 0x80, 0x80, 0x00]),
        ["a packet of 16,385 bytes"] = (Both, 0x95, _ => Packets.Head(0x30, 16_382)),
        ["a packet of 256 MB"] = (Both, 0x95, _ => Packets.Head(0x30, 268_435_455)),

        // What a client does not send.
        ["CONNECT again"] = (Both, 0x82, p => Packets.Connect(p.Serial, v5: p.V5)),
        ["CONNACK"] = (Both, 0x82, _ => [0x20, 2, 0, 0]),
        ["PUBREC"] = (Both, 0x82, _ => [0x50, 2, 0, 1]),
        ["PUBREL"] = (Both, 0x82, _ => [0x62, 2, 0, 1]),
        ["PUBCOMP"] = (Both, 0x82, _ => [0x70, 2, 0, 1]),
        ["SUBACK"] = (Both, 0x82, _ => [0x90, 3, 0, 1, 0]),
        ["UNSUBACK"] = (Both, 0x82, _ => [0xB0, 2, 0, 1]),
        ["PINGRESP"] = (Both, 0x82, _ => [0xD0, 0]),
        ["AUTH"] = (Both, 0x82, _ => [0xF0, 0]),

        // PUBLISH.
        ["PUBLISH to a topic with U+0000"] = (Both, 0x81, p => Packets.Publish("a\0b", [1], v5: p.V5)),
        ["PUBLISH to a topic that is no UTF-8"] = (Both, 0x81, p => Packets.Publish([0xC3, 0x28], [1], v5: p.V5)),
        ["PUBLISH to a topic with a surrogate"] = (Both, 0x81, p => Packets.Publish([0xED, 0xA0, 0x80], [1], v5: p.V5)),
        ["PUBLISH to a topic in overlong form"] = (Both, 0x81, p => Packets.Publish([0xC1, 0xA1], [1], v5: p.V5)),
        ["PUBLISH to a topic with #"] = (Both, 0x90, p => Packets.Publish("#", [1], v5: p.V5)),
        ["PUBLISH to a topic with +"] = (Both, 0x90, p => Packets.Publish("dh/+/up", [1], v5: p.V5)),
        ["PUBLISH without a topic"] = (Both, 0x82, p => Packets.Publish("", [1], v5: p.V5)),
        ["PUBLISH with a topic longer than the packet"] = (Both, 0x81, _ => [0x30, 3, 0xFF, 0xFF, 1]),
        ["PUBLISH without room for its id"] = (Both, 0x81, p => Packets.Frame(0x32, [.. Packets.Text(p.Up), 0])),
        ["PUBLISH with id 0"] = (Both, 0x82, p => p.PublishUp("x", id: 0)),
        ["PUBLISH at QoS 2"] = (Both, 0x9B, p => p.PublishUp("x", qos: 2)),
        ["PUBLISH with retain"] = (OnlyV5, 0x9A, p => p.PublishUp("x", retain: true)),
        ["PUBLISH with a topic alias"] = (OnlyV5, 0x94, p => p.PublishUp("x", properties: [0x23, 0, 1])),
        ["PUBLISH with topic alias 0"] = (OnlyV5, 0x94, p => p.PublishUp("x", properties: [0x23, 0, 0])),
        ["PUBLISH with a subscription identifier"] = (OnlyV5, 0x82, p => p.PublishUp("x", properties: [0x0B, 1])),
        ["PUBLISH with payload format 2"] = (OnlyV5, 0x82, p => p.PublishUp("x", properties: [0x01, 2])),
        ["PUBLISH with an expiry twice"] = (OnlyV5, 0x82, p => p.PublishUp("x", properties: [0x02, 0, 0, 0, 1, 0x02, 0, 0, 0, 1])),
        ["PUBLISH with a wildcard in its response topic"] = (OnlyV5, 0x82, p => p.PublishUp("x", properties: [0x08, .. Packets.Text("a/#")])),
        ["PUBLISH with a content type that is no UTF-8"] = (OnlyV5, 0x81, p => p.PublishUp("x", properties: [0x03, 0, 1, 0xFF])),
        ["PUBLISH with half a user property"] = (OnlyV5, 0x81, p => p.PublishUp("x", properties: [0x26, 0, 1, (byte)'k'])),
        ["PUBLISH with a property of CONNECT"] = (OnlyV5, 0x81, p => p.PublishUp("x", properties: [0x21, 0, 1])),
        ["PUBLISH with an unknown property"] = (OnlyV5, 0x81, p => p.PublishUp("x", properties: [0x7E, 0])),
        ["PUBLISH with properties longer than the packet"] = (OnlyV5, 0x81, p => Packets.Frame(0x30, [.. Packets.Text(p.Up), 9, 1])),
        ["PUBLISH without a properties' length"] = (OnlyV5, 0x81, p => Packets.Frame(0x30, Packets.Text(p.Up))),

        // PUBACK.
        ["PUBACK with id 0"] = (Both, 0x81, _ => [0x40, 2, 0, 0]),
        ["PUBACK of one byte"] = (Both, 0x81, _ => [0x40, 1, 0]),
        ["PUBACK with more than its properties"] = (OnlyV5, 0x81, _ => [0x40, 5, 0, 1, 0, 0, 9]),
        ["PUBACK with two reason strings"] = (OnlyV5, 0x82, _ => [0x40, 12, 0, 1, 0, 8, 0x1F, 0, 1, 65, 0x1F, 0, 1, 65]),

        // SUBSCRIBE and UNSUBSCRIBE.
        ["SUBSCRIBE with id 0"] = (Both, 0x82, p => p.SubscribeDown(id: 0)),
        ["SUBSCRIBE without a filter"] = (Both, 0x82, p => Packets.Frame(0x82, [0, 1, .. None(p)])),
        ["SUBSCRIBE of one byte"] = (Both, 0x81, _ => [0x82, 1, 0]),
        ["SUBSCRIBE to an empty filter"] = (Both, 0x81, p => Packets.Subscribe("", v5: p.V5)),
        ["SUBSCRIBE to a filter with U+0000"] = (Both, 0x81, p => Packets.Subscribe("a\0", v5: p.V5)),
        ["SUBSCRIBE to a filter that is no UTF-8"] = (Both, 0x81, p => Packets.Frame(0x82, [0, 1, .. None(p), 0, 1, 0xFF, 0])),
        ["SUBSCRIBE to a filter without options"] = (Both, 0x81, p => Packets.Frame(0x82, [0, 1, .. None(p), .. Packets.Text(p.Down)])),
        ["SUBSCRIBE with reserved bits"] = (Both, 0x81, p => p.SubscribeDown(qos: 0xC1)),
        ["SUBSCRIBE with 9 filters"] = (Both, 0x97, p => Packets.Frame(0x82, [0, 1, .. None(p), .. Enumerable.Repeat<byte[]>([.. Packets.Text("x"), 0], 9).SelectMany(f => f)])),
        ["SUBSCRIBE with retain handling 3"] = (OnlyV5, 0x82, p => p.SubscribeDown(qos: 0x31)),
        ["SUBSCRIBE shared with no local"] = (OnlyV5, 0x82, _ => Packets.Subscribe("$share/g/t", qos: 0x05)),
        ["SUBSCRIBE with a subscription identifier"] = (OnlyV5, 0xA1, p => Packets.Frame(0x82, [0, 1, 2, 0x0B, 1, .. Packets.Text(p.Down), 1])),
        ["SUBSCRIBE with subscription identifier 0"] = (OnlyV5, 0x82, p => Packets.Frame(0x82, [0, 1, 2, 0x0B, 0, .. Packets.Text(p.Down), 1])),
        ["UNSUBSCRIBE with id 0"] = (Both, 0x82, p => Packets.Unsubscribe(p.Down, id: 0, v5: p.V5)),
        ["UNSUBSCRIBE without a filter"] = (Both, 0x82, p => Packets.Frame(0xA2, [0, 1, .. None(p)])),
        ["UNSUBSCRIBE from a filter that is no UTF-8"] = (Both, 0x81, p => Packets.Frame(0xA2, [0, 1, .. None(p), 0, 1, 0xFF])),
        ["UNSUBSCRIBE from an empty filter"] = (Both, 0x81, p => Packets.Unsubscribe("", v5: p.V5)),
        ["UNSUBSCRIBE with 9 filters"] = (Both, 0x97, p => Packets.Frame(0xA2, [0, 1, .. None(p), .. Enumerable.Repeat(Packets.Text("x"), 9).SelectMany(f => f)])),

        // The rest.
        ["PINGREQ with a body"] = (Both, 0x81, _ => [0xC0, 1, 0]),
        ["DISCONNECT with rubbish"] = (Both, 0x81, _ => [0xE0, 3, 0, 1, 0x33]),
        ["DISCONNECT that asks for a session"] = (OnlyV5, 0x82, _ => [0xE0, 7, 0, 5, 0x11, 0, 0, 0, 9]),
    };

    public static TheoryData<string, bool> Rows
    {
        get
        {
            var rows = new TheoryData<string, bool>();
            foreach (var (name, row) in Wrong)
            {
                rows.Add(name, true);
                if (row.Versions == Both)
                {
                    rows.Add(name, false);
                }
            }

            return rows;
        }
    }

    [Theory, MemberData(nameof(Rows))]
    public async Task A_packet_against_the_rules_ends_the_connection(string fault, bool v5)
    {
        using var peer = await hub.Connected(v5);
        await peer.Send(Wrong[fault].Packet(peer));
        await peer.IsCut(Wrong[fault].Reason);
        await peer.Session.Disposed.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(0, peer.Session.TimesReady);
    }

    [Theory]
    [InlineData(false, 0x81)]
    [InlineData(true, 0x82)]
    public async Task A_subscription_at_QoS_3_ends_the_connection(bool v5, byte reason)
    {
        using var peer = await hub.Connected(v5);
        await peer.Send(peer.SubscribeDown(qos: 3));
        await peer.IsCut(reason);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task The_first_packet_must_be_a_connect(bool v5)
    {
        using var client = await hub.Open();
        await client.Send(Packets.Publish("dh/v1/x/up", [1], v5: v5));
        Assert.Null(await client.Next());
    }

    /// <summary>A byte order mark is a character like another: this is not the terminal's topic.</summary>
    [Fact]
    public async Task A_byte_order_mark_is_not_stripped()
    {
        using var peer = await hub.Connected(v5: true);
        await peer.Send(Packets.Publish("\uFEFF" + peer.Up, [1], id: 9));
        Assert.Equal(0x87, (await peer.Expect(Packet.PubAck)).Reason);
        Assert.False(peer.Session.HasMore);
    }

    private static byte[] None(Peer peer) => peer.V5 ? [0] : [];

    private static byte[] Publish(Peer peer) => [.. Packets.Text(peer.Up), 0, 1, .. None(peer), 1];
}
