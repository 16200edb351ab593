using DeviceHub.Gateways;
using DeviceHub.IntegrationTests.Attacks;

namespace DeviceHub.IntegrationTests.Mqtt;

/// <summary>Keep-alive, PINGREQ, DISCONNECT and the other ends of a connection.</summary>
[Collection(WireHub.Collection)]
public sealed class LifeTests(WireHub hub)
{
    /// <summary>Half as much again as the keep-alive that is enforced: 0 and more than 300 are 300, less than 15 is 15.</summary>
    [Theory]
    [InlineData(false, 0, 450)]
    [InlineData(true, 0, 450)]
    [InlineData(false, 65_535, 450)]
    [InlineData(true, 65_535, 450)]
    [InlineData(false, 60, 90)]
    [InlineData(true, 60, 90)]
    [InlineData(false, 1, 22)]
    [InlineData(true, 1, 22)]
    public async Task A_silent_client_is_cut_after_one_and_a_half_keep_alives(bool v5, int keepAlive, int seconds)
    {
        using var peer = await hub.Connected(v5, (ushort)keepAlive);
        hub.Clock.Advance(TimeSpan.FromSeconds(seconds - 1));
        Assert.False(peer.IsClosed());
        await peer.Settled();
        hub.Clock.Advance(TimeSpan.FromSeconds(seconds - 1));
        await peer.Settled();
        hub.Clock.Advance(TimeSpan.FromSeconds(seconds + 2));
        await peer.IsCut(0x8D);
    }

    /// <summary>A byte now and then is no packet: who sends one for ever does not hold its place for ever.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public async Task A_packet_that_trickles_in_does_not_keep_a_connection_alive(bool v5)
    {
        using var peer = await hub.Connected(v5, keepAlive: 15);
        using var other = await hub.Connected(v5);
        foreach (var one in new byte[] { 0x30, 0xF0, 0x01 })
        {
            await peer.Send([one]);
            await other.Settled();
            hub.Clock.Advance(TimeSpan.FromSeconds(8));
        }

        await peer.IsCut(0x8D);
    }

    /// <summary>While the hub judges a token it does not read: that is not the terminal's silence.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public async Task A_keep_alive_does_not_run_while_the_hub_judges_a_token(bool v5)
    {
        await using var alone = new WireHub();
        await alone.InitializeAsync();
        using var client = await alone.Open();
        await client.Send(Packets.Connect(WireHub.NewSerial(), RecordingSessions.SlowToken, keepAlive: 15, v5: v5));
        await alone.Sessions.JudgesSlowToken.Task.WaitAsync(TimeSpan.FromSeconds(30));
        alone.Clock.Advance(TimeSpan.FromSeconds(26));
        alone.Sessions.SlowVerdict.SetResult(true);
        Assert.Equal(0, (await client.Expect(Packet.ConnAck)).Reason);
        alone.Clock.Advance(TimeSpan.FromSeconds(20));
        await client.Send(Packets.PingReq);
        await client.Expect(Packet.PingResp);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_ping_is_answered_while_publishes_are_being_handled(bool v5)
    {
        using var peer = await hub.Connected(v5);
        peer.Session.Holds = true;
        for (ushort id = 1; id <= 16; id++)
        {
            await peer.Send(peer.PublishUp("slow", id));
            await peer.Session.Next();
            await peer.Settled();
        }
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task After_disconnect_the_hub_says_nothing_and_closes(bool v5)
    {
        using var peer = await hub.Connected(v5, subscribeQos: 1);
        await peer.Send([.. new byte[] { 0xE0, 0 }, .. peer.PublishUp("after the end"), .. Packets.PingReq]);
        await peer.IsClosedWithoutAWord();
        await peer.Session.Disposed.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.False(peer.Session.HasMore);
        Assert.False(peer.SendDown("nobody"));
    }

    [Theory]
    [InlineData("E000")]
    [InlineData("E00104")]
    [InlineData("E0020000")]
    [InlineData("E00700051100000000")]
    public async Task A_5_0_disconnect_may_have_a_reason_and_properties(string packet)
    {
        using var peer = await hub.Connected(v5: true);
        await peer.Send(Convert.FromHexString(packet));
        await peer.IsClosedWithoutAWord();
    }

    /// <summary>Who asked for a session at first may ask again; it gets none either time.</summary>
    [Fact]
    public async Task A_session_expiry_in_disconnect_is_borne_where_connect_had_one()
    {
        using var peer = await hub.Connected(v5: true, properties: [0x11, 0, 0, 0, 60]);
        await peer.Send([0xE0, 7, 0, 5, 0x11, 0, 0, 0, 9]);
        await peer.IsClosedWithoutAWord();
    }

    /// <summary>The endpoint's part of a take-over: the older connection ends at once with its reason, the newer goes on.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public async Task A_connection_that_is_taken_over_hears_why_and_ends(bool v5)
    {
        using var older = await hub.Connected(v5);
        using var newer = await hub.Open();
        await newer.Send(Packets.Connect(older.Serial, v5: v5));
        await newer.Expect(Packet.ConnAck);
        older.Session.Wire.Cut(CutReason.TakenOver);
        await older.IsCut(0x8E);
        await newer.Send(Packets.PingReq);
        await newer.Expect(Packet.PingResp);
    }

    [Theory]
    [InlineData(CutReason.Stopping, 0x8B)]
    [InlineData(CutReason.ProtocolError, 0x82)]
    [InlineData(CutReason.TooFast, 0x96)]
    [InlineData(CutReason.SlowReader, 0x97)]
    [InlineData(CutReason.Fault, 0x83)]
    public async Task Each_end_of_the_hubs_has_its_reason(CutReason reason, byte code)
    {
        using var peer = await hub.Connected(v5: true);
        peer.Session.Wire.Cut(reason);
        peer.Session.Wire.Cut(CutReason.TakenOver);
        await peer.IsCut(code);
    }

    /// <summary>A refusal just sent gets a moment before the end; the first reason counts.</summary>
    [Fact]
    public async Task A_refused_login_is_given_a_moment_to_read_why()
    {
        using var peer = await hub.Connected(v5: true, subscribeQos: 0);
        peer.SendDown("refusal");
        peer.Session.Wire.Cut(CutReason.Credentials);
        await peer.ExpectDown("refusal");
        await peer.Settled();
        hub.Clock.Advance(TimeSpan.FromMilliseconds(300));
        await peer.IsCut(0x87);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task The_end_of_the_stream_ends_the_session(bool v5)
    {
        using var peer = await hub.Connected(v5);
        await peer.Send(peer.PublishUp("last words", qos: 0));
        peer.EndSending();
        Assert.Equal("last words", await peer.Session.Next());
        await peer.Session.Disposed.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await peer.IsClosedWithoutAWord();
    }

    /// <summary>No server packet other than an answer goes out before CONNACK, not even a DISCONNECT.</summary>
    [Fact]
    public async Task Before_connack_the_end_comes_without_a_word()
    {
        using var client = await hub.Open();
        await client.Send([0x10]);
        using var other = await hub.Connected(v5: true);
        hub.Clock.Advance(TimeSpan.FromSeconds(12));
        Assert.Null(await client.Next());
    }
}
