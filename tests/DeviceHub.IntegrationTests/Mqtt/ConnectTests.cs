using DeviceHub.IntegrationTests.Attacks;

namespace DeviceHub.IntegrationTests.Mqtt;

[Collection(WireHub.Collection)]
public sealed class ConnectTests(WireHub hub)
{
    [Fact]
    public async Task Connack_of_5_0_says_everything_that_the_hub_does_not_do()
    {
        using var peer = await hub.Connected(v5: true);

        Assert.Equal(0, peer.Accepted.Body[0]);
        Assert.Equal(
            new Dictionary<byte, uint>
            {
                [0x11] = 0, // session expiry
                [0x21] = 16, // Receive Maximum
                [0x22] = 0, // topic aliases
                [0x24] = 1, // Maximum QoS
                [0x25] = 0, // retain
                [0x27] = 16_384, // Maximum Packet Size
                [0x28] = 0, // wildcards
                [0x29] = 0, // subscription identifiers
                [0x2A] = 0, // shared subscriptions
            },
            Packets.ReadProperties(peer.Accepted.Body.AsSpan(2)));
    }

    [Fact]
    public async Task Connack_of_3_1_1_is_two_zero_bytes()
    {
        using var peer = await hub.Connected(v5: false);
        Assert.Equal(new byte[] { 0, 0 }, peer.Accepted.Body);
    }

    /// <summary>The second connection would resume, if the hub kept sessions.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public async Task No_session_is_ever_present(bool v5)
    {
        var serial = WireHub.NewSerial();
        byte[] expiry = [0x11, 0, 0, 0x0E, 0x10];
        for (var i = 0; i < 2; i++)
        {
            var answer = await hub.Connect(Packets.Connect(serial, v5: v5, clean: false, properties: expiry));
            Assert.Equal(0, answer!.Reason);
            Assert.Equal(0, answer.Body[0]);
        }
    }

    /// <summary>5.0 is told what is enforced; silence means its own wish.</summary>
    [Theory]
    [InlineData(0, 300)]
    [InlineData(5, 15)]
    [InlineData(15, null)]
    [InlineData(300, null)]
    [InlineData(301, 300)]
    [InlineData(65_535, 300)]
    public async Task Server_keep_alive_is_told_where_it_differs(int asked, int? told)
    {
        using var peer = await hub.Connected(v5: true, keepAlive: (ushort)asked);
        var properties = Packets.ReadProperties(peer.Accepted.Body.AsSpan(2));
        Assert.Equal(told, properties.TryGetValue(0x13, out var seconds) ? (int)seconds : null);
    }

    [Theory]
    [InlineData(false, "", 2)]
    [InlineData(true, "", 0x85)]
    [InlineData(false, "a b", 2)]
    [InlineData(true, "abc", 0x85)]
    [InlineData(true, "abcdefghijklmnopqrstuvwxyz0123456", 0x85)]
    [InlineData(false, "终端一号机", 2)]
    public async Task A_client_id_that_is_no_serial_number_is_refused(bool v5, string clientId, byte code)
    {
        var answer = await hub.Connect(Packets.Connect(clientId, v5: v5));
        Assert.Equal(code, answer!.Reason);
        Assert.Equal(0, answer.Body[0]);
    }

    /// <summary>Modems set the user name flag and send nothing.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public async Task A_user_name_may_be_empty_or_the_serial_number(bool v5)
    {
        Assert.Equal(0, (await hub.Connect(WithUserName("", v5)))!.Reason);
        Assert.Equal(v5 ? 0x86 : 4, (await hub.Connect(WithUserName("admin", v5)))!.Reason);
        var serial = WireHub.NewSerial();
        Assert.Equal(0, (await hub.Connect(Packets.Connect(serial, RecordingSessions.RightToken, v5: v5)))!.Reason);
        Assert.Equal(RecordingSessions.RightToken, hub.Sessions.Of(serial).Token);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_bridge_says_by_the_user_name_that_its_terminal_speaks_serial(bool v5)
    {
        var (bridged, other) = (WireHub.NewSerial(), WireHub.NewSerial());
        Assert.Equal(0, (await hub.Connect(WithUserName("serial/" + bridged, v5, bridged)))!.Reason);
        Assert.Equal("serial", hub.Sessions.Of(bridged).Wire.Name);
        Assert.Equal(0, (await hub.Connect(WithUserName(other, v5, other)))!.Reason);
        Assert.Equal("mqtt", hub.Sessions.Of(other).Wire.Name);
    }

    [Theory]
    [InlineData("serial/")]
    [InlineData("serial/SOMEBODY-ELSE")]
    [InlineData("Serial/BRIDGED-1")]
    [InlineData("serial/BRIDGED-1/")]
    public async Task A_user_name_of_a_bridge_for_another_terminal_is_refused(string userName) =>
        Assert.Equal(0x86, (await hub.Connect(WithUserName(userName, v5: true, "BRIDGED-1")))!.Reason);

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_wrong_token_is_refused_and_opens_no_session(bool v5)
    {
        var serial = WireHub.NewSerial();
        Assert.Equal(v5 ? 0x86 : 4, (await hub.Connect(Packets.Connect(serial, "wrong", v5: v5)))!.Reason);
        Assert.False(hub.Sessions.Has(serial));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_token_that_cannot_be_judged_is_answered_unavailable(bool v5)
    {
        Assert.Equal(v5 ? 0x88 : 3, (await hub.Connect(Packets.Connect(WireHub.NewSerial(), RecordingSessions.FaultyToken, v5: v5)))!.Reason);
        Assert.StartsWith("MqttSessionFault", hub.TakeError(), StringComparison.Ordinal);
    }

    /// <summary>What follows a refused CONNECT is not processed: a subscription would be answered, a session would exist.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public async Task Nothing_after_a_refused_connect_is_processed(bool v5)
    {
        using var client = await hub.Open();
        await client.Send([.. Packets.Connect("no/serial", v5: v5), .. Packets.Subscribe("dh/v1/x/down", v5: v5), .. Packets.PingReq]);
        Assert.Equal(v5 ? 0x85 : 2, (await client.Expect(Packet.ConnAck)).Reason);
        Assert.Null(await client.Next());
    }

    /// <summary>Clients need not wait for CONNACK; nothing is answered before it.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public async Task Packets_sent_right_behind_connect_are_answered_after_connack(bool v5)
    {
        var serial = WireHub.NewSerial();
        using var client = await hub.Open();
        await client.Send([.. Packets.Connect(serial, v5: v5), .. Packets.Subscribe($"dh/v1/{serial}/down", v5: v5), .. Packets.PingReq]);
        await client.Expect(Packet.ConnAck);
        await client.Expect(Packet.SubAck);
        await client.Expect(Packet.PingResp);
    }

    [Fact]
    public async Task A_will_is_refused_on_5_0_with_what_it_asks_for()
    {
        Assert.Equal(0x87, (await hub.Connect(WithWill(0x06, v5: true)))!.Reason);
        Assert.Equal(0x9A, (await hub.Connect(WithWill(0x26, v5: true)))!.Reason);
        Assert.Equal(0x9B, (await hub.Connect(WithWill(0x16, v5: true)))!.Reason);
        Assert.Equal(0x9B, (await hub.Connect(WithWill(0x36, v5: true)))!.Reason);
    }

    [Fact]
    public async Task A_will_is_accepted_on_3_1_1_dropped_and_counted()
    {
        var before = hub.Counted("mqtt.ignored", "will");
        Assert.Equal(0, (await hub.Connect(WithWill(0x36, v5: false)))!.Reason);
        Assert.True(hub.Counted("mqtt.ignored", "will") > before);
    }

    [Fact]
    public async Task Enhanced_authentication_is_refused()
    {
        byte[] method = [0x15, .. Packets.Text("SCRAM-SHA-256")];
        Assert.Equal(0x8C, (await hub.Connect(Packets.Connect(WireHub.NewSerial(), properties: method)))!.Reason);
        byte[] dataAlone = [0x16, .. Packets.Binary([1, 2])];
        Assert.Equal(0x82, (await hub.Connect(Packets.Connect(WireHub.NewSerial(), properties: dataAlone)))!.Reason);
    }

    /// <summary>512 bytes of message, 10 around it, 21 of topic: a client that takes less would be paid and never told; it hears so if it takes even that.</summary>
    [Theory]
    [InlineData(543, 0)]
    [InlineData(542, 0x95)]
    [InlineData(64, 0x95)]
    [InlineData(5, 0x95)]
    [InlineData(4, null)]
    public async Task A_client_that_takes_less_than_the_hub_must_say_is_refused(int size, int? code)
    {
        byte[] maximum = [0x27, 0, 0, (byte)(size >> 8), (byte)size];
        Assert.Equal(code, (int?)(await hub.Connect(Packets.Connect(WireHub.NewSerial(), properties: maximum)))?.Reason);
    }

    [Theory]
    [InlineData("MQTT", 3, 1)]
    [InlineData("MQTT", 0x84, 0x84)]
    [InlineData("MQIsdp", 3, 1)]
    [InlineData("MQTT", 6, 0x84)]
    public async Task Another_version_is_told_so(string name, byte level, byte code)
    {
        byte[] body = [.. Packets.Text(name), level, 2, 0, 60, .. Packets.Text("WIRE-OLD")];
        Assert.Equal(code, (await hub.Connect(Packets.Frame(0x10, body)))!.Reason);
    }

    /// <summary>3.1.1 has no answer to such a CONNECT; 5.0 hears the reason.</summary>
    [Theory]
    [InlineData("another protocol", false, null)]
    [InlineData("reserved flag", false, null)]
    [InlineData("reserved flag", true, 0x81)]
    [InlineData("will QoS 3", false, null)]
    [InlineData("will QoS 3", true, 0x81)]
    [InlineData("will QoS without a will", false, null)]
    [InlineData("will QoS without a will", true, 0x81)]
    [InlineData("will retain without a will", false, null)]
    [InlineData("will retain without a will", true, 0x81)]
    [InlineData("will announced, absent", false, null)]
    [InlineData("will announced, absent", true, 0x81)]
    [InlineData("will topic with a wildcard", false, null)]
    [InlineData("will topic that is no UTF-8", false, null)]
    [InlineData("will topic that is no UTF-8", true, 0x81)]
    [InlineData("password without user name", false, null)]
    [InlineData("password announced, absent", false, null)]
    [InlineData("password announced, absent", true, 0x81)]
    [InlineData("user name announced, absent", false, null)]
    [InlineData("user name announced, absent", true, 0x81)]
    [InlineData("user name with a surrogate", false, null)]
    [InlineData("user name not announced, present", false, null)]
    [InlineData("user name not announced, present", true, 0x81)]
    [InlineData("client id with U+0000", false, null)]
    [InlineData("client id with U+0000", true, 0x81)]
    [InlineData("client id absent", false, null)]
    [InlineData("client id absent", true, 0x81)]
    [InlineData("ends in the keep-alive", false, null)]
    [InlineData("Receive Maximum twice", true, 0x82)]
    [InlineData("Receive Maximum 0", true, 0x82)]
    [InlineData("Maximum Packet Size 0", true, 0x82)]
    [InlineData("Request Problem Information 2", true, 0x82)]
    [InlineData("a property of PUBLISH", true, 0x81)]
    [InlineData("property 0", true, 0x81)]
    [InlineData("property cut short", true, 0x81)]
    [InlineData("properties longer than the packet", true, 0x81)]
    [InlineData("user property half", true, 0x81)]
    public async Task A_connect_against_the_rules_is_refused(string fault, bool v5, int? code)
    {
        var before = hub.Counted("mqtt.refused", "malformed");
        Assert.Equal(code, (int?)(await hub.Connect(Packets.Frame(0x10, Wrong(fault, v5))))?.Reason);
        Assert.True(hub.Counted("mqtt.refused", "malformed") > before);
    }

    private static byte[] WithUserName(string name, bool v5, string? serial = null) => Packets.Frame(
        0x10, [.. Head(0x82, v5), .. v5 ? [0] : Array.Empty<byte>(), .. Packets.Text(serial ?? WireHub.NewSerial()), .. Packets.Text(name)]);

    private static byte[] WithWill(byte flags, bool v5) => Packets.Frame(
        0x10,
        [.. Head(flags, v5), .. v5 ? [0] : Array.Empty<byte>(), .. Packets.Text(WireHub.NewSerial()), .. v5 ? [0] : Array.Empty<byte>(), .. Packets.Text("dh/v1/x/up"), .. Packets.Text("gone")]);

    private static byte[] Head(byte flags, bool v5) => [.. Packets.Text("MQTT"), v5 ? (byte)5 : (byte)4, flags, 0, 60];

    private static byte[] Wrong(string fault, bool v5)
    {
        byte[] none = v5 ? [0] : [];
        var id = Packets.Text(WireHub.NewSerial());
        return fault switch
        {
            "another protocol" => [.. Packets.Text("AMQP"), 4, 2, 0, 60, .. id],
            "reserved flag" => [.. Head(0x03, v5), .. none, .. id],
            "will QoS 3" => [.. Head(0x1E, v5), .. none, .. id, .. none, .. Packets.Text("t"), .. Packets.Text("m")],
            "will QoS without a will" => [.. Head(0x0A, v5), .. none, .. id],
            "will retain without a will" => [.. Head(0x22, v5), .. none, .. id],
            "will announced, absent" => [.. Head(0x06, v5), .. none, .. id],
            "will topic with a wildcard" => [.. Head(0x06, v5), .. none, .. id, .. none, .. Packets.Text("t/#"), .. Packets.Text("m")],
            "will topic that is no UTF-8" => [.. Head(0x06, v5), .. none, .. id, .. none, .. Packets.Binary([0xFF]), .. Packets.Text("m")],
            "password announced, absent" => [.. Head(0xC2, v5), .. none, .. id, .. id],
            "password without user name" => [.. Head(0x42, v5), .. none, .. id, .. Packets.Text("p")],
            "user name announced, absent" => [.. Head(0x82, v5), .. none, .. id],
            "user name with a surrogate" => [.. Head(0x82, v5), .. none, .. id, .. Packets.Binary([0xED, 0xA0, 0x80])],
            "user name not announced, present" => [.. Head(0x02, v5), .. none, .. id, .. Packets.Text("u")],
            "client id with U+0000" => [.. Head(0x02, v5), .. none, .. Packets.Text("WIRE\0X")],
            "client id absent" => [.. Head(0x02, v5), .. none],
            "ends in the keep-alive" => [.. Packets.Text("MQTT"), 4, 2, 0],
            "Receive Maximum twice" => [.. Head(0x02, v5), 6, 0x21, 0, 1, 0x21, 0, 1, .. id],
            "Receive Maximum 0" => [.. Head(0x02, v5), 3, 0x21, 0, 0, .. id],
            "Maximum Packet Size 0" => [.. Head(0x02, v5), 5, 0x27, 0, 0, 0, 0, .. id],
            "Request Problem Information 2" => [.. Head(0x02, v5), 2, 0x17, 2, .. id],
            "a property of PUBLISH" => [.. Head(0x02, v5), 3, 0x23, 0, 1, .. id],
            "property 0" => [.. Head(0x02, v5), 2, 0x00, 1, .. id],
            "property cut short" => [.. Head(0x02, v5), 2, 0x21, 0, .. id],
            "properties longer than the packet" => [.. Head(0x02, v5), 0x7F, .. id],
            "user property half" => [.. Head(0x02, v5), 4, 0x26, 0, 1, (byte)'k', .. id],
            _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, null),
        };
    }
}
