using System.Net;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.Attacks;

/// <summary>Attacks by those that have not logged in: 1 to 6, 13, 17 and 21 of RELIABILITY.md.</summary>
[Collection(AttackGroup.Name)]
public sealed class ConnectionAttackTests(StrictHub hub)
{
    private readonly IPAddress from = RawClient.NewAddress();

    [Fact]
    public async Task Attack_1_a_connection_that_says_nothing_is_closed()
    {
        var refused = await hub.WatchRefused("no-connect");
        using var silent = await RawClient.Open(hub.Port, from);

        Assert.Null(await silent.Next());
        await hub.ServesOthers();
        await refused.Grew();
    }

    [Fact]
    public async Task Attack_2_a_connect_that_comes_byte_by_byte_is_closed_at_the_same_deadline()
    {
        var refused = await hub.WatchRefused("no-connect");
        using var slow = await RawClient.Open(hub.Port, from);
        var packet = Packets.Connect(AttackHub.NewSerial(), properties: [0x26, .. Packets.Text("a"), .. Packets.Text(new string('x', 3000))]);
        var at = 0;
        await Eventually.Holds(async () => !await slow.Send([packet[at++]]) || slow.IsClosed(), "the hub closes");

        Assert.InRange(at, 2, packet.Length - 1);
        await hub.ServesOthers();
        await refused.Grew();
    }

    [Fact]
    public async Task Attack_3_a_packet_that_says_it_has_256_MB_is_refused_at_its_head()
    {
        var refused = await hub.WatchRefused("packet-too-large");
        var before = hub.Memory();
        var clients = new List<RawClient>();
        for (var i = 0; i < 8; i++)
        {
            var client = await RawClient.Open(hub.Port, from);
            clients.Add(client);
            await client.Send(Packets.Head(0x10, 268_435_455));
            for (var sent = 0; sent < 64 && await client.Send(new byte[64 * 1024]); sent++)
            {
            }
        }

        foreach (var client in clients)
        {
            Assert.Null(await client.ToTheEnd());
            client.Dispose();
        }

        Assert.True(hub.Memory() - before < 100_000_000, "what those sockets sent is kept in memory");
        await hub.ServesOthers();
        await refused.Grew(8);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Attack_4_half_a_packet_and_then_the_end_frees_the_connection_and_spins_nothing(bool connected)
    {
        var refused = await hub.WatchRefused("half-packet");
        var open = await hub.Watch("mqtt.connections");
        using var client = await RawClient.Open(hub.Port, from);
        if (connected)
        {
            await client.Send(Packets.Connect(AttackHub.NewSerial()));
            await client.Expect(Packet.ConnAck);
        }

        await client.Send(connected ? Packets.Head(0x32, 100) : Packets.Connect(AttackHub.NewSerial())[..9]);
        client.EndSending();

        Assert.Equal(connected ? (byte)0x81 : null, await client.ToTheEnd());
        await refused.Grew();
        await hub.ComesToRest();
        await hub.ServesOthers();
        Assert.True(await open.Grew(-1000) <= 0, "the connection is still counted");
    }

    [Theory]
    [InlineData(0xC0)]
    [InlineData(0x30)]
    [InlineData(0x82)]
    [InlineData(0xE0)]
    [InlineData(0xF0)]
    public async Task Attack_5_a_first_packet_that_is_no_connect_is_closed(byte header)
    {
        var refused = await hub.WatchRefused("no-connect");
        using var client = await RawClient.Open(hub.Port, from);
        await client.Send([header, 0]);

        Assert.Null(await client.Next());
        await hub.ServesOthers();
        await refused.Grew();
    }

    [Fact]
    public async Task Attack_5_a_second_connect_ends_the_connection()
    {
        var refused = await hub.WatchRefused("second-connect");
        using var client = await RawClient.Open(hub.Port, from);
        var connect = Packets.Connect(AttackHub.NewSerial());
        await client.Send(connect);
        await client.Expect(Packet.ConnAck);
        await client.Send(connect);

        Assert.Equal((byte)0x82, await client.ToTheEnd());
        await hub.ServesOthers();
        await refused.Grew();
    }

    [Fact]
    public async Task Attack_5_malformed_connects_are_each_counted_and_told_once_for_their_address()
    {
        var refused = await hub.WatchRefused("malformed");
        for (var i = 0; i < 50; i++)
        {
            using var client = await RawClient.Open(hub.Port, from);
            await client.Send(Packets.Frame(0x10, [0]));
            await client.ToTheEnd();
        }

        await hub.ServesOthers();
        Assert.InRange(await refused.Grew(50), 50, 50);

        // Twice where the minute in which it is told once ends amid them.
        Assert.InRange(hub.Logged(from + ":", "malformed"), 1, 2);
    }

    [Fact]
    public async Task Attack_6_plain_mqtt_on_the_tls_port_is_closed_and_told_once()
    {
        var refused = await hub.WatchRefused("tls-handshake");
        for (var i = 0; i < 3; i++)
        {
            using var client = await RawClient.Open(hub.TlsPort, from);
            await client.Send(Packets.Connect(AttackHub.NewSerial()));

            // What comes is TLS's own alert, or nothing.
            await client.ToTheEnd();
        }

        await hub.ServesOthers();
        await refused.Grew(3);
        Assert.Equal(1, hub.Logged(from + ":", "tls-handshake"));
    }

    [Fact]
    public async Task Attack_13_of_5000_connections_from_one_address_that_never_log_in_50_are_held_and_others_come_in()
    {
        var refused = await hub.WatchRefused("too-many-not-logged-in");
        var held = new List<RawClient>();
        for (var i = 0; i < 5_000; i++)
        {
            // One that is refused may be cut before it knows that it was connected.
            var client = await RawClient.TryOpen(hub.Port, from);
            if (i < 50)
            {
                held.Add(client!);
            }
            else
            {
                client?.Dispose();
            }

            if (i is 1_000 or 4_999)
            {
                await using var other = await hub.LoggedIn();
            }
        }

        // The first of them have passed their deadline by now; what counts is that they came in and the others did not.
        await hub.ServesOthers();
        Assert.InRange(await refused.Grew(4_000), 4_000, 4_950);
        Assert.Equal(1, hub.Logged(from + ":", "too-many-not-logged-in"));
        held.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task Attack_13_silent_tls_handshakes_count_for_their_address_and_leave_room_for_others()
    {
        var refused = await hub.WatchRefused("too-many-not-logged-in");
        var clients = new List<RawClient>();
        for (var i = 0; i < 200; i++)
        {
            if (await RawClient.TryOpen(hub.TlsPort, from) is { } client)
            {
                clients.Add(client);
            }
        }

        await refused.Grew(150);
        Assert.Equal(50, clients.Count(client => !client.IsClosed()));
        await hub.ServesOthers();
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task Attack_17_a_will_is_refused_on_5_0_and_dropped_on_3_1_1()
    {
        var refused = await hub.WatchRefused("will");
        var ignored = await hub.Watch("mqtt.ignored", "will");
        await using var victim = await hub.Activated(AttackHub.Unsealed);
        using var listener = await hub.OnSocket(victim, from);
        (string, byte[]) will = ($"dh/v1/{victim.SerialNumber}/down", "{\"synced\":{}}"u8.ToArray());

        using var five = await RawClient.Open(hub.Port, from);
        await five.Send(Packets.Connect(AttackHub.NewSerial(), will: will));
        Assert.Equal(0x87, (await five.Expect(Packet.ConnAck)).Reason);
        Assert.Null(await five.Next());

        using var old = await RawClient.Open(hub.Port, from);
        await old.Send(Packets.Connect(AttackHub.NewSerial(), v5: false, will: will));
        Assert.Equal(0, (await old.Expect(Packet.ConnAck)).Reason);
        old.Reset();

        await hub.ServesOthers();
        await refused.Grew();
        await ignored.Grew();
        await listener.HasNothingMore();
    }

    [Fact]
    public async Task Attack_17_a_will_of_64_KB_does_not_fit_a_connect()
    {
        var refused = await hub.WatchRefused("packet-too-large");
        using var client = await RawClient.Open(hub.Port, from);
        await client.Send(Packets.Connect(AttackHub.NewSerial(), v5: false, will: ("dh/v1/anyone/up", new byte[65_535])));

        Assert.Null(await client.Next());
        await hub.ServesOthers();
        await refused.Grew();
    }

    [Fact]
    public async Task Attack_21_a_keep_alive_that_is_not_kept_ends_the_connection()
    {
        var refused = await hub.WatchRefused("keep-alive");
        await using var terminal = await hub.Activated(AttackHub.Unsealed);
        using var client = await hub.OnSocket(terminal, from, keepAlive: 1);

        Assert.Equal((byte)0x8D, await client.Client.ToTheEnd());
        await hub.ServesOthers();
        await refused.Grew();
    }

    [Fact]
    public async Task Whoever_connects_and_never_logs_in_is_closed()
    {
        var refused = await hub.WatchRefused("no-login");
        using var client = await RawClient.Open(hub.Port, from);
        await client.Send(Packets.Connect(AttackHub.NewSerial()));
        await client.Expect(Packet.ConnAck);

        Assert.Equal((byte)0x87, await client.ToTheEnd());
        await hub.ServesOthers();
        await refused.Grew();
    }
}
