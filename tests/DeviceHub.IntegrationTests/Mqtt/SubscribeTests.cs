using DeviceHub.IntegrationTests.Attacks;

namespace DeviceHub.IntegrationTests.Mqtt;

[Collection(WireHub.Collection)]
public sealed class SubscribeTests(WireHub hub)
{
    [Theory]
    [InlineData(false, 0, 0)]
    [InlineData(false, 1, 1)]
    [InlineData(false, 2, 1)]
    [InlineData(true, 0, 0)]
    [InlineData(true, 1, 1)]
    [InlineData(true, 2, 1)]
    public async Task A_subscription_to_down_is_granted_with_at_most_QoS_1(bool v5, byte asked, byte granted)
    {
        using var peer = await hub.Connected(v5);
        Assert.False(peer.Session.Wire.CanReceive);
        await peer.Send(peer.SubscribeDown(asked, id: 258));
        var answer = await peer.Expect(Packet.SubAck);
        Assert.Equal(v5 ? new byte[] { 1, 2, 0, granted } : [1, 2, granted], answer.Body);
        Assert.True(peer.Session.Wire.CanReceive);
        Assert.Equal(1, peer.Session.TimesReady);

        Assert.True(peer.SendDown("news"));
        Assert.Equal(granted > 0, await peer.ExpectDown("news") > 0);
    }

    [Theory]
    [InlineData("#", 0xA2)]
    [InlineData("+/+/+/down", 0xA2)]
    [InlineData("$SYS/#", 0xA2)]
    [InlineData("$share/g/dh/v1/x/down", 0x9E)]
    [InlineData("dh/v1/OTHER/down", 0x87)]
    [InlineData("a/b#", 0xA2)]
    public async Task Any_other_filter_is_refused_and_gets_nothing(string filter, byte code)
    {
        foreach (var v5 in new[] { false, true })
        {
            using var peer = await hub.Connected(v5);
            await peer.Send(Packets.Subscribe(filter, v5: v5));
            Assert.Equal(v5 ? code : 0x80, (await peer.Expect(Packet.SubAck)).Body[^1]);
            Assert.False(peer.Session.Wire.CanReceive);
            Assert.False(peer.SendDown("nobody listens"));
            await peer.Settled();
        }
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Each_filter_of_a_subscribe_has_its_code_in_its_place(bool v5)
    {
        using var peer = await hub.Connected(v5);
        byte[] none = v5 ? [0] : [];
        await peer.Send(Packets.Frame(0x82, [0, 5, .. none, .. Packets.Text("x"), 0, .. Packets.Text(peer.Down), 1, .. Packets.Text("#"), 2, .. Packets.Text(peer.Down), 0]));
        var answer = await peer.Expect(Packet.SubAck);
        Assert.Equal(v5 ? new byte[] { 0x87, 1, 0xA2, 0 } : [0x80, 1, 0x80, 0], answer.Body[^4..]);
        Assert.Equal(1, peer.Session.TimesReady);

        // The last one counts, as if each had come by itself.
        peer.SendDown("at QoS 0");
        Assert.Equal(0, await peer.ExpectDown("at QoS 0"));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_new_subscription_replaces_the_old_one_and_loses_nothing(bool v5)
    {
        using var peer = await hub.Connected(v5, subscribeQos: 0);
        peer.SendDown("first");
        Assert.Equal(0, await peer.ExpectDown("first"));
        await peer.Send(peer.SubscribeDown(1));
        await peer.Expect(Packet.SubAck);
        peer.SendDown("second");
        Assert.NotEqual(0, await peer.ExpectDown("second"));
        Assert.Equal(1, peer.Session.TimesReady);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task After_unsubscribe_nothing_new_comes_and_what_was_begun_is_finished(bool v5)
    {
        using var peer = await hub.Connected(v5, subscribeQos: 1);
        for (var i = 0; i < 25; i++)
        {
            Assert.True(peer.SendDown($"{i}"));
        }

        await peer.Send(Packets.Unsubscribe(peer.Down, id: 77, v5: v5));
        var first = await peer.ExpectDown("0");
        for (var i = 1; i < 24; i++)
        {
            await peer.ExpectDown($"{i}");
        }

        var answer = await peer.Expect(11);
        Assert.Equal(v5 ? new byte[] { 0, 77, 0, 0 } : [0, 77], answer.Body);
        Assert.False(peer.SendDown("too late"));
        await peer.Send(Packets.PubAck(first));
        await peer.ExpectDown("24");
        await peer.Settled();
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task An_unsubscribe_is_answered_also_when_there_was_nothing(bool v5)
    {
        using var peer = await hub.Connected(v5, subscribeQos: 1);
        byte[] none = v5 ? [0] : [];
        await peer.Send(Packets.Frame(0xA2, [0, 9, .. none, .. Packets.Text("#"), .. Packets.Text(peer.Down), .. Packets.Text(peer.Down)]));
        var answer = await peer.Expect(11);
        Assert.Equal(v5 ? new byte[] { 0, 9, 0, 0x11, 0, 0x11 } : [0, 9], answer.Body);
        await peer.Send(peer.SubscribeDown());
        await peer.Expect(Packet.SubAck);
        Assert.Equal(2, peer.Session.TimesReady);
    }

    /// <summary>5.0's other options change nothing: nobody publishes to a terminal's down but the hub, and it retains nothing.</summary>
    [Theory]
    [InlineData(0x05)]
    [InlineData(0x09)]
    [InlineData(0x11)]
    [InlineData(0x21)]
    public async Task Subscription_options_without_a_meaning_here_are_taken(byte options)
    {
        using var peer = await hub.Connected(v5: true);
        await peer.Send(peer.SubscribeDown(options));
        Assert.Equal(1, (await peer.Expect(Packet.SubAck)).Body[^1]);
        peer.SendDown("news");
        await peer.ExpectDown("news");
    }
}
