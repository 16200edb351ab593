using DeviceHub.IntegrationTests.Attacks;

namespace DeviceHub.IntegrationTests.Mqtt;

[Collection(WireHub.Collection)]
public sealed class PublishTests(WireHub hub)
{
    [Theory, InlineData(false), InlineData(true)]
    public async Task A_publish_at_QoS_1_reaches_the_session_and_is_acknowledged(bool v5)
    {
        using var peer = await hub.Connected(v5);
        await peer.Send(peer.PublishUp("hello", id: 513));
        Assert.Equal("hello", await peer.Session.Next());
        var acknowledged = await peer.Expect(Packet.PubAck);
        Assert.Equal(0x40, acknowledged.Header);
        Assert.Equal(new byte[] { 2, 1 }, acknowledged.Body);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_publish_at_QoS_0_reaches_the_session_and_is_not_answered(bool v5)
    {
        using var peer = await hub.Connected(v5);
        await peer.Send(peer.PublishUp("light", qos: 0));
        Assert.Equal("light", await peer.Session.Next());
        await peer.Settled();
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Acknowledgements_leave_in_the_order_of_the_publishes(bool v5)
    {
        using var peer = await hub.Connected(v5);
        peer.Session.Holds = true;
        await peer.Send([.. peer.PublishUp("a", id: 30), .. peer.PublishUp("b", id: 10), .. peer.PublishUp("c", qos: 0), .. peer.PublishUp("d", id: 20)]);
        Assert.Equal(["a", "b", "c", "d"], [await peer.Session.Next(), await peer.Session.Next(), await peer.Session.Next(), await peer.Session.Next()]);

        peer.Session.Release(3);
        peer.Session.Release(1);
        await peer.Settled();
        peer.Session.Release(0);
        Assert.Equal(30, (await peer.Expect(Packet.PubAck)).Id);
        Assert.Equal(10, (await peer.Expect(Packet.PubAck)).Id);
        await peer.Settled();
        peer.Session.Release(2);
        Assert.Equal(20, (await peer.Expect(Packet.PubAck)).Id);
    }

    /// <summary>The refusal of a foreign topic keeps its turn among the acknowledgements.</summary>
    [Fact]
    public async Task A_foreign_topic_at_QoS_1_is_refused_in_its_turn_on_5_0()
    {
        using var peer = await hub.Connected(v5: true);
        peer.Session.Holds = true;
        await peer.Send([.. peer.PublishUp("mine", id: 1), .. Packets.Publish("dh/v1/OTHER/up", [1], id: 2)]);
        await peer.Session.Next();
        await peer.Settled();
        peer.Session.Release(0);
        Assert.Equal(0, (await peer.Expect(Packet.PubAck)).Reason);
        Assert.Equal(0x87, (await peer.Expect(Packet.PubAck)).Reason);
    }

    [Theory, InlineData(17, 0x93), InlineData(1, 0x82)]
    public async Task A_foreign_topic_is_no_way_around_the_rules_of_packet_ids_and_of_receive_maximum(int id, byte reason)
    {
        using var peer = await hub.Connected(v5: true);
        peer.Session.Holds = true;
        for (ushort held = 1; held <= 16; held++)
        {
            await peer.Send(peer.PublishUp("held", held));
        }

        await peer.Send(Packets.Publish("dh/v1/OTHER/up", [1], id: (ushort)id));
        await peer.IsCut(reason);
    }

    [Theory, InlineData(false, 1), InlineData(false, 0), InlineData(true, 0)]
    public async Task A_foreign_topic_that_no_answer_can_refuse_ends_the_connection(bool v5, int qos)
    {
        using var peer = await hub.Connected(v5);
        await peer.Send(Packets.Publish("dh/v1/OTHER/up", [1], id: 2, qos: qos, v5: v5));
        await peer.IsCut(0x87);
        Assert.False(peer.Session.HasMore);
    }

    /// <summary>A modem that repeats before the acknowledgement: one handling, one acknowledgement. After it, the id is free.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public async Task A_repeat_in_flight_is_not_handled_twice_and_after_the_acknowledgement_it_is_new(bool v5)
    {
        using var peer = await hub.Connected(v5);
        peer.Session.Holds = true;
        await peer.Send([.. peer.PublishUp("pay", id: 7), .. peer.PublishUp("pay", id: 7, dup: true)]);
        Assert.Equal("pay", await peer.Session.Next());
        await peer.Settled();
        Assert.False(peer.Session.HasMore);
        peer.Session.Release(0);
        Assert.Equal(7, (await peer.Expect(Packet.PubAck)).Id);
        await peer.Settled();

        peer.Session.Holds = false;
        await peer.Send(peer.PublishUp("pay", id: 7, dup: true));
        Assert.Equal("pay", await peer.Session.Next());
        Assert.Equal(7, (await peer.Expect(Packet.PubAck)).Id);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task An_id_in_use_without_DUP_ends_the_connection(bool v5)
    {
        using var peer = await hub.Connected(v5);
        peer.Session.Holds = true;
        await peer.Send([.. peer.PublishUp("a", id: 7), .. peer.PublishUp("b", id: 7)]);
        await peer.IsCut(0x82);
    }

    [Theory, InlineData(0), InlineData(1)]
    public async Task A_retain_bit_on_3_1_1_is_ignored_and_counted(int qos)
    {
        using var peer = await hub.Connected(v5: false);
        var before = hub.Counted("mqtt.ignored", "retain");
        await peer.Send(peer.PublishUp("kept", qos: qos, retain: true));
        Assert.Equal("kept", await peer.Session.Next());
        Assert.True(hub.Counted("mqtt.ignored", "retain") > before);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task An_empty_payload_is_a_message(bool v5)
    {
        using var peer = await hub.Connected(v5);
        await peer.Send(peer.PublishUp(""));
        Assert.Equal("", await peer.Session.Next());
        await peer.Expect(Packet.PubAck);
    }

    [Fact]
    public async Task Properties_that_mean_nothing_here_are_passed_over()
    {
        using var peer = await hub.Connected(v5: true);
        byte[] properties =
        [
            0x01, 1, 0x02, 0, 0, 0, 9, 0x03, .. Packets.Text("text/plain"), 0x08, .. Packets.Text("answer/here"), 0x09, .. Packets.Binary([0, 255]),
            0x26, .. Packets.Text("k"), .. Packets.Text("v"), 0x26, .. Packets.Text("k"), .. Packets.Text("v"),
        ];
        await peer.Send(peer.PublishUp("with properties", properties: properties));
        Assert.Equal("with properties", await peer.Session.Next());
        await peer.Expect(Packet.PubAck);
    }

    /// <summary>16 publishes are what CONNACK allows: everything else is answered meanwhile, one publish more ends the connection.</summary>
    [Fact]
    public async Task More_than_Receive_Maximum_ends_a_5_0_connection_and_less_blocks_nothing()
    {
        using var peer = await hub.Connected(v5: true);
        peer.Session.Holds = true;
        for (ushort id = 1; id <= 16; id++)
        {
            await peer.Send(peer.PublishUp($"{id}", id));
            await peer.Session.Next();
        }

        await peer.Settled();
        await peer.Send(peer.PublishUp("16", id: 16, dup: true), peer.SubscribeDown());
        await peer.Expect(Packet.SubAck);
        await peer.Send(peer.PublishUp("17", id: 17));
        await peer.IsCut(0x93);
    }

    /// <summary>3.1.1 knows no such limit: the seventeenth waits in the socket until there is room, and silence meanwhile is no silence.</summary>
    [Theory, InlineData(false, 1), InlineData(true, 0)]
    public async Task A_publish_that_no_limit_was_told_for_waits_for_room(bool v5, int qos)
    {
        using var peer = await hub.Connected(v5, keepAlive: 15);
        peer.Session.Holds = true;
        for (ushort id = 1; id <= 17; id++)
        {
            await peer.Send(peer.PublishUp($"{id}", id, qos));
        }

        for (var i = 1; i <= 16; i++)
        {
            Assert.Equal($"{i}", await peer.Session.Next());
        }

        using var other = await hub.Connected(v5);
        await other.Settled();
        hub.Clock.Advance(TimeSpan.FromSeconds(25));
        Assert.False(peer.Session.HasMore);
        Assert.False(peer.IsClosed());

        peer.Session.Holds = false;
        peer.Session.Release(0);
        Assert.Equal("17", await peer.Session.Next());
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_session_that_throws_loses_its_own_connection_only(bool v5)
    {
        using var other = await hub.Connected(v5);
        using var peer = await hub.Connected(v5);
        peer.Session.Throws = true;
        await peer.Send(peer.PublishUp("boom"));
        await peer.IsCutUnanswered(0x83);
        await peer.Session.Disposed.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.StartsWith("MqttSessionFault", hub.TakeError(), StringComparison.Ordinal);
        await other.Settled();
    }

    /// <summary>Many packets in one segment, and one packet in many.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public async Task Packets_are_found_however_the_bytes_arrive(bool v5)
    {
        using var peer = await hub.Connected(v5);
        byte[] stream = [.. peer.PublishUp(new string('x', 300), id: 1), .. Packets.PingReq, .. peer.PublishUp("second", id: 2)];
        foreach (var one in stream)
        {
            await peer.Send([one]);
        }

        Assert.Equal(300, (await peer.Session.Next()).Length);
        Assert.Equal("second", await peer.Session.Next());
        Assert.Equal(1, (await peer.Expect(Packet.PubAck)).Id);
        await peer.Expect(Packet.PingResp);
        Assert.Equal(2, (await peer.Expect(Packet.PubAck)).Id);
    }
}
