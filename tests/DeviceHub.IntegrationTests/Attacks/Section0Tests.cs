using System.Net;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;

namespace DeviceHub.IntegrationTests.Attacks;

/// <summary>Every row A to L of RELIABILITY.md, section 0: what the stock embedded broker gets wrong, and what this endpoint does instead.</summary>
[Collection(AttackGroup.Name)]
public sealed class Section0Tests(StrictHub strict, FastHub fast)
{
    private const byte Alias = 0x23, AliasMaximum = 0x22, ReceiveMaximum = 0x21, MaximumQos = 0x24, SessionExpiry = 0x11, MessageExpiry = 0x02;

    private readonly IPAddress from = RawClient.NewAddress();

    /// <summary>Attack 10, too.</summary>
    [Fact]
    public async Task Row_A_takeover_of_a_terminal_that_does_not_read_waits_for_nothing_and_holds_nobody_up()
    {
        var takenOver = await fast.WatchRefused("taken-over");
        await using var terminal = await fast.Activated(AttackHub.Unsealed);
        await using var other = await fast.Activated();
        using var deaf = await fast.OnSocket(terminal, from, qos: 0, smallWindow: true);
        await fast.Stuff(deaf);
        using var unrelated = await RawClient.Open(fast.Port, from);

        // The stock broker kept all of them waiting for 5 s. CONNECT is sent when the takeover is surely under way.
        var login = Took(() => other.Login());
        TimeSpan[] took =
        [
            await Took(() => terminal.Login()),
            await Took(async () =>
            {
                await takenOver.Grew();
                await unrelated.Send(Packets.Connect(AttackHub.NewSerial()));
                await unrelated.Expect(Packet.ConnAck);
            }),
            await login,
        ];

        Assert.All(took, time => Assert.InRange(time, TimeSpan.Zero, TimeSpan.FromSeconds(2)));
        await fast.ServesOthers();
        var outcome = await other.PayForOutcome(other.Request(5100));
        Assert.Equal(Outcome.Types.Result.Approved, outcome.Result);
    }

    private static async Task<TimeSpan> Took(Func<Task> work)
    {
        var began = TimeProvider.System.GetTimestamp();
        await work();
        return TimeProvider.System.GetElapsedTime(began);
    }

    [Fact]
    public async Task Row_B_half_a_packet_and_the_end_from_a_logged_in_terminal_frees_it_and_spins_nothing()
    {
        var refused = await strict.WatchRefused("half-packet");
        await using var terminal = await strict.Activated(AttackHub.Unsealed);
        using var client = await strict.OnSocket(terminal, from, keepAlive: 0);
        await client.Client.Send(client.Nonsense()[..12]);
        client.Client.EndSending();

        Assert.Equal((byte)0x81, await client.Client.ToTheEnd());
        await refused.Grew();
        await strict.ComesToRest();
        await strict.ServesOthers();
    }

    [Theory]
    [InlineData(4_097, false)]
    [InlineData(16_385, true)]
    [InlineData(1_048_576, true)]
    public async Task Row_C_packets_have_a_limit_of_4_KB_before_connect_and_16_KB_after(int bytes, bool loggedIn)
    {
        var refused = await strict.WatchRefused("packet-too-large");
        await using var terminal = await strict.Activated(AttackHub.Unsealed);
        using var client = loggedIn ? (await strict.OnSocket(terminal, from)).Client : await RawClient.Open(strict.Port, from);
        await client.Send(Packets.Head(loggedIn ? (byte)0x32 : (byte)0x10, bytes - (bytes > 16_386 ? 4 : 3)), new byte[bytes - 4]);

        Assert.Equal(loggedIn ? (byte)0x95 : null, await client.ToTheEnd());
        await strict.ServesOthers();
        await refused.Grew();
    }

    /// <summary>Attack 18, too.</summary>
    [Fact]
    public async Task Row_D_no_topic_alias_is_offered_and_the_first_of_a_bomb_closes()
    {
        var refused = await strict.WatchRefused("topic-alias");
        await using var terminal = await strict.Activated(AttackHub.Unsealed);
        using var client = await strict.OnSocket(terminal, from);
        Assert.Equal(0u, Packets.ReadProperties(client.ConnAck.Body.AsSpan(2)).GetValueOrDefault(AliasMaximum));
        var topic = "denied/" + new string('x', 10_000);
        var before = strict.Memory();
        for (ushort alias = 1; alias <= 2_000 && await client.Client.Send(Packets.Publish(topic, [], alias, properties: [Alias, .. Packets.UInt16(alias)])); alias++)
        {
        }

        Assert.Equal((byte)0x94, await client.Client.ToTheEnd());
        Assert.True(strict.Memory() - before < 100_000_000, "aliases of a denied topic are kept");
        await strict.ServesOthers();
        Assert.InRange(await refused.Grew(), 1, 1);
    }

    [Fact]
    public async Task Row_E_qos_2_is_refused_and_a_repeat_at_qos_1_is_one_payment()
    {
        var refused = await strict.WatchRefused("qos-2");
        await using var terminal = await strict.Activated(AttackHub.Unsealed);
        using var client = await strict.OnSocket(terminal, from, qos: 2);
        Assert.Equal(1u, Packets.ReadProperties(client.ConnAck.Body.AsSpan(2))[MaximumQos]);
        var payment = client.Publish(client.Payment(5200));
        await client.Client.Send(payment);
        var first = (await client.Expect(Downlink.BodyOneofCase.Outcome)).Outcome;
        payment[0] |= 0x08;
        await client.Client.Send(payment);
        var second = (await client.Expect(Downlink.BodyOneofCase.Outcome)).Outcome;
        Assert.Equal((first.RequestId, first.ChannelTransaction), (second.RequestId, second.ChannelTransaction));

        await client.Client.Send(Packets.Publish(Names.UpTopic(terminal.SerialNumber), [1], 9, qos: 2));
        Assert.Equal((byte)0x9B, await client.Client.ToTheEnd());
        await strict.ServesOthers();
        await refused.Grew();
    }

    [Fact]
    public async Task Row_F_what_goes_to_one_terminal_touches_no_other_session()
    {
        var idle = new List<SocketTerminal>();
        for (var i = 0; i < 20; i++)
        {
            await using var terminal = await strict.Activated(AttackHub.Unsealed);
            idle.Add(await strict.OnSocket(terminal, from));
        }

        var sent = await strict.Watch("mqtt.sent");
        await strict.ServesOthers();

        Assert.InRange(await sent.Grew(), 1, 4);
        foreach (var terminal in idle)
        {
            await terminal.HasNothingMore();
            terminal.Dispose();
        }
    }

    /// <summary>Attack 20, too.</summary>
    [Fact]
    public async Task Row_G_unacknowledged_publishes_are_bounded_by_the_clients_receive_maximum_and_24()
    {
        var refused = await strict.WatchRefused("never-acknowledges");
        await using var first = await strict.Activated(AttackHub.Unsealed);
        await using var second = await strict.Activated(AttackHub.Unsealed);
        using var asksForNone = await strict.OnSocket(first, from);
        using var asksForThree = await strict.OnSocket(second, from, properties: [ReceiveMaximum, 0, 3]);

        var came = await Task.WhenAll(WithoutAcknowledging(asksForNone, 30), WithoutAcknowledging(asksForThree, 30));

        Assert.Equal([(25, 0x97), (4, 0x97)], came);
        await strict.ServesOthers();
        await refused.Grew(2);
    }

    /// <summary>How many publishes come to the end, when the first alone is acknowledged, and the reason of the end.</summary>
    private static async Task<(int Publishes, int Reason)> WithoutAcknowledging(SocketTerminal client, int refusals)
    {
        for (var i = 0; i < refusals; i++)
        {
            await client.Client.Send(client.Nonsense());
        }

        var (publishes, reason) = (0, 0);
        while (await client.Client.Next() is { } packet)
        {
            if (packet.Type == Packet.Publish && ++publishes == 1)
            {
                await client.Acknowledge(packet);
            }

            reason = packet.Type == Packet.Disconnect ? packet.Reason : 0;
        }

        return (publishes, reason);
    }

    [Fact]
    public async Task Row_H_what_expires_is_said_inside_the_message_and_mqtts_own_expiry_changes_nothing()
    {
        var expired = await strict.Watch("session.refusals", "Expired");
        await using var terminal = await strict.Activated(AttackHub.Unsealed);
        using var client = await strict.OnSocket(terminal, from);
        await client.Client.Send(client.Publish(client.Payment(5300), [MessageExpiry, 0, 0, 0, 0]));
        Assert.Equal(Outcome.Types.Result.Approved, (await client.Expect(Downlink.BodyOneofCase.Outcome)).Outcome.Result);

        var old = client.Payment(5400);
        old.PaymentRequest.AgeMs = 30_001;
        await client.Client.Send(client.Publish(old, [MessageExpiry, 0xFF, 0xFF, 0xFF, 0xFF]));
        Assert.Equal(Refusal.Types.Code.Expired, (await client.Expect(Downlink.BodyOneofCase.Refusal)).Refusal.Code);
        await strict.ServesOthers();
        await expired.Grew();
    }

    [Fact]
    public async Task Row_I_a_full_queue_ends_the_connection_and_drops_nothing_silently()
    {
        var refused = await strict.WatchRefused("slow-reader");
        await using var terminal = await strict.Activated(AttackHub.Unsealed);
        using var client = await strict.OnSocket(terminal, from, properties: [ReceiveMaximum, 0, 1]);

        // One is under way, 64 wait, the next does not fit.
        for (var i = 0; i < 66; i++)
        {
            await client.Client.Send(client.Nonsense());
        }

        Assert.Equal((byte)0x97, await client.Client.ToTheEnd());
        await strict.ServesOthers();
        await refused.Grew();
    }

    [Fact]
    public async Task Row_J_no_session_is_kept_and_what_a_terminal_missed_comes_from_the_ledger()
    {
        var welcomes = await strict.Watch("session.welcomes");
        await using var terminal = await strict.Activated(AttackHub.Unsealed);
        string requestId;
        using (var before = await strict.OnSocket(terminal, from))
        {
            var payment = before.Payment(5500);
            requestId = payment.PaymentRequest.RequestId;
            await before.Send(payment);
            await before.Expect(Downlink.BodyOneofCase.Outcome);
            before.Client.Reset();
        }

        using var after = await strict.OnSocket(terminal, from, clean: false, properties: [SessionExpiry, 0, 0, 0x0E, 0x10]);
        Assert.Equal(0, after.ConnAck.Body[0]);
        Assert.Equal(0u, Packets.ReadProperties(after.ConnAck.Body.AsSpan(2))[SessionExpiry]);
        Assert.Equal(requestId, Assert.Single(after.Missed).Outcome.RequestId);
        await welcomes.Grew(2);
        await strict.ServesOthers();
    }

    [Fact]
    public async Task Row_K_shared_subscriptions_wildcards_and_identifiers_are_denied_and_the_keep_alive_is_said()
    {
        var refused = await strict.WatchRefused("shared-subscription");
        await using var terminal = await strict.Activated(AttackHub.Unsealed);
        using var client = await strict.OnSocket(terminal, from, keepAlive: 65_535);
        var properties = Packets.ReadProperties(client.ConnAck.Body.AsSpan(2));
        Assert.Equal([0u, 0u, 0u, 0u, 300u], new byte[] { 0x25, 0x28, 0x29, 0x2A, 0x13 }.Select(id => properties[id]));
        await client.Client.Send(Packets.Subscribe($"$share/group/dh/v1/{terminal.SerialNumber}/down", 7));

        Assert.Equal(0x9E, (await client.Client.Expect(Packet.SubAck)).Body[^1]);
        await strict.ServesOthers();
        await refused.Grew();
    }

    [Fact]
    public async Task Row_L_publishes_are_acknowledged_in_their_order_whatever_becomes_of_them()
    {
        var refused = await strict.WatchRefused("foreign-topic");
        await using var terminal = await strict.Activated(AttackHub.Unsealed);
        using var client = await strict.OnSocket(terminal, from);
        var first = client.LastId + 1;
        var packets = Enumerable.Range(0, 16).Select(i => (i % 4) switch
        {
            0 => client.Nonsense(),
            1 => client.Publish(client.Payment((ulong)(6000 + (100 * i)))),
            2 => client.Publish(new Uplink { Heartbeat = new Heartbeat { UptimeS = 1 } }),
            _ => Packets.Publish(Names.UpTopic("SOMEBODY"), [1], (ushort)(client.LastId + 1000)),
        }).ToArray();
        await client.Client.Send([.. packets.SelectMany(p => p)]);
        var acknowledged = new List<(int Id, byte Reason)>();
        while (acknowledged.Count < packets.Length)
        {
            var packet = await client.Client.Next() ?? throw new InvalidOperationException("the hub closed");
            if (packet.Type == Packet.Publish)
            {
                await client.Acknowledge(packet);
            }
            else if (packet.Type == Packet.PubAck)
            {
                acknowledged.Add((packet.Id, packet.Reason));
            }
        }

        var expected = new List<(int, byte)>();
        for (var (i, id) = (0, first); i < packets.Length; i++)
        {
            expected.Add(i % 4 == 3 ? (id - 1 + 1000, (byte)0x87) : (id++, (byte)0));
        }

        Assert.Equal(expected, acknowledged);
        await strict.ServesOthers();
        await refused.Grew(4);
        Assert.Equal(1, strict.Logged(terminal.SerialNumber, "foreign-topic"));
    }
}
