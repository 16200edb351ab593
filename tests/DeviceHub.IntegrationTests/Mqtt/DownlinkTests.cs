using DeviceHub.IntegrationTests.Attacks;

namespace DeviceHub.IntegrationTests.Mqtt;

[Collection(WireHub.Collection)]
public sealed class DownlinkTests(WireHub hub)
{
    [Theory, InlineData(false, 24), InlineData(true, 2)]
    public async Task No_more_go_out_unacknowledged_than_the_client_takes_and_nothing_else_waits(bool v5, int most)
    {
        using var peer = await hub.Connected(v5, properties: [0x21, 0, 2], subscribeQos: 1);
        var ids = new List<int>();
        for (var i = 0; i < most + 2; i++)
        {
            Assert.True(peer.SendDown($"{i}"));
        }

        for (var i = 0; i < most; i++)
        {
            ids.Add(await peer.ExpectDown($"{i}"));
        }

        Assert.Equal(most, ids.Distinct().Count());
        Assert.DoesNotContain(0, ids);
        await peer.Send(peer.PublishUp("answered meanwhile"));
        await peer.Expect(Packet.PubAck);

        await peer.Send(Packets.PubAck(ids[^1]));
        ids.Add(await peer.ExpectDown($"{most}"));
        Assert.Equal(most + 1, ids.Distinct().Count());
        await peer.Settled();
        await peer.Send(Packets.PubAck(ids[0]));
        await peer.ExpectDown($"{most + 1}");
    }

    /// <summary>A refusal acknowledges too: the publish is not sent again.</summary>
    [Fact]
    public async Task A_puback_with_an_error_ends_the_publish()
    {
        using var peer = await hub.Connected(v5: true, properties: [0x21, 0, 1], subscribeQos: 1);
        peer.SendDown("a");
        peer.SendDown("b");
        var id = await peer.ExpectDown("a");
        await peer.Send([0x40, 4, (byte)(id >> 8), (byte)id, 0x97, 0]);
        await peer.ExpectDown("b");
        await peer.Settled();
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_puback_for_nothing_is_ignored(bool v5)
    {
        using var peer = await hub.Connected(v5, subscribeQos: 1);
        await peer.Send(Packets.PubAck(999));
        await peer.Settled();
    }

    /// <summary>Only a reconnected session would be sent something again, and there is none.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public async Task Nothing_is_sent_twice_on_one_connection_and_who_never_acknowledges_is_cut(bool v5)
    {
        using var peer = await hub.Connected(v5, subscribeQos: 1);
        peer.SendDown("once");
        await peer.ExpectDown("once");
        hub.Clock.Advance(TimeSpan.FromSeconds(29));
        await peer.Settled();
        hub.Clock.Advance(TimeSpan.FromSeconds(3));
        await peer.IsCut(0x97);
    }

    /// <summary>What the client does not take counts as sent, and the next one goes out.</summary>
    [Fact]
    public async Task A_publish_larger_than_the_client_takes_is_dropped()
    {
        using var peer = await hub.Connected(v5: true, properties: [0x27, 0, 0, 2, 88], subscribeQos: 1);
        var room = 600 - 3 - 2 - peer.Down.Length - 2 - 1;
        var before = hub.Counted("mqtt.ignored", "larger-than-the-client-takes");
        Assert.True(peer.SendDown(new string('x', room + 1)));
        Assert.True(peer.SendDown(new string('y', room)));
        await peer.ExpectDown(new string('y', room));
        Assert.True(hub.Counted("mqtt.ignored", "larger-than-the-client-takes") > before);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_publish_of_more_than_127_and_of_more_than_16383_bytes_has_a_right_length(bool v5)
    {
        using var peer = await hub.Connected(v5, subscribeQos: 1);
        foreach (var size in new[] { 100, 127, 128, 16_300, 16_384, 40_000 })
        {
            peer.SendDown(new string('z', size));
            await peer.ExpectDown(new string('z', size));
        }
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Who_lets_more_wait_than_the_queue_takes_is_cut(bool v5)
    {
        using var peer = await hub.Connected(v5, subscribeQos: 1);
        var taken = 0;
        while (taken < 1000 && peer.SendDown("news"))
        {
            taken++;
        }

        Assert.Equal(24 + 64, taken);
        for (var i = 0; i < 24; i++)
        {
            await peer.ExpectDown("news");
        }

        await peer.IsCut(0x97);
    }
}
