using System.Net;
using System.Text;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;

namespace DeviceHub.IntegrationTests.Attacks;

/// <summary>Attacks by those that have logged in: 14 to 16, 19 and 24 of RELIABILITY.md.</summary>
[Collection(AttackGroup.Name)]
public sealed class PacketAttackTests(StrictHub hub)
{
    private readonly IPAddress from = RawClient.NewAddress();

    [Theory]
    [InlineData("#", 0xA2, "wildcard")]
    [InlineData("+/v1/up", 0xA2, "wildcard")]
    [InlineData("dh/v1/+/down", 0xA2, "wildcard")]
    [InlineData("$SYS/#", 0xA2, "wildcard")]
    [InlineData("$share/g/dh/v1/+/down", 0x9E, "shared-subscription")]
    [InlineData("$SYS/broker/clients", 0x87, "foreign-topic")]
    [InlineData("dh/v1/SOMEBODY/down", 0x87, "foreign-topic")]
    public async Task Attack_14_a_subscription_to_anything_but_its_own_is_denied(string filter, byte reason, string word)
    {
        var refused = await hub.WatchRefused(word);
        await using var terminal = await hub.Activated(AttackHub.Unsealed);
        using (var five = await hub.OnSocket(terminal, from))
        {
            await five.Client.Send(Packets.Subscribe(filter, 7));
            Assert.Equal(reason, (await five.Client.Expect(Packet.SubAck)).Body[^1]);
            await hub.ServesOthers();
            await five.HasNothingMore();
        }

        using var old = await hub.OnSocket(terminal, from, v5: false);
        await old.Client.Send(Packets.Subscribe(filter, 7, v5: false));
        Assert.Equal(0x80, (await old.Client.Expect(Packet.SubAck)).Body[^1]);
        await refused.Grew(2);
    }

    [Theory]
    [InlineData("dh/v1/SOMEBODY/up")]
    [InlineData("dh/v1/{0}/down")]
    [InlineData("dh/v1/{0}/command")]
    [InlineData("$SYS/broker")]
    public async Task Attack_15_a_publish_to_anything_but_its_own_up_is_refused(string topic)
    {
        var refused = await hub.WatchRefused("foreign-topic");
        await using var terminal = await hub.Activated(AttackHub.Unsealed);
        var named = topic.Replace("{0}", terminal.SerialNumber, StringComparison.Ordinal);
        using (var five = await hub.OnSocket(terminal, from))
        {
            await five.Client.Send(Packets.Publish(named, "{\"synced\":{}}"u8.ToArray(), 77));
            Assert.Equal(0x87, (await five.Client.Expect(Packet.PubAck)).Reason);
            await five.HasNothingMore();
            await five.Client.Send(Packets.Publish(named, [1], qos: 0));
            Assert.Equal((byte)0x87, await five.Client.ToTheEnd());
        }

        using var old = await hub.OnSocket(terminal, from, v5: false);
        await old.Client.Send(Packets.Publish(named, [1], 77, v5: false));
        Assert.Null(await old.Client.ToTheEnd());
        await hub.ServesOthers();
        await refused.Grew(3);
    }

    [Fact]
    public async Task Attack_16_a_retained_publish_is_refused_on_5_0_and_not_kept_on_3_1_1()
    {
        var refused = await hub.WatchRefused("retain");
        var ignored = await hub.Watch("mqtt.ignored", "retain");
        await using var terminal = await hub.Activated(AttackHub.Unsealed);
        var up = Names.UpTopic(terminal.SerialNumber);
        using (var five = await hub.OnSocket(terminal, from))
        {
            await five.Client.Send(Packets.Publish(up, [1], 77, retain: true));
            Assert.Equal((byte)0x9A, await five.Client.ToTheEnd());
        }

        using (var old = await hub.OnSocket(terminal, from, v5: false))
        {
            for (ushort id = 100; id < 140; id++)
            {
                await old.Client.Send(Packets.Publish(up, "{\"heartbeat\":{}}"u8.ToArray(), id, retain: true, v5: false));
                Assert.Equal(id, (await old.Client.Expect(Packet.PubAck)).Id);
            }
        }

        using (var old = await hub.OnSocket(terminal, from, v5: false))
        {
            await old.HasNothingMore();
            await old.Client.Send(Packets.Publish("retained/1", [1], 78, retain: true, v5: false));
            Assert.Null(await old.Client.ToTheEnd());
        }

        await hub.ServesOthers();
        await refused.Grew();
        await ignored.Grew(40);
    }

    [Fact]
    public async Task Attack_19_a_thousand_packets_at_once_end_the_connection()
    {
        var refused = await hub.WatchRefused("too-fast");
        await using var terminal = await hub.Activated(AttackHub.Unsealed);
        using var client = await hub.OnSocket(terminal, from);
        await client.Client.Send([.. Enumerable.Repeat(Packets.PingReq, 1_000).SelectMany(p => p)]);

        Assert.Equal((byte)0x96, await client.Client.ToTheEnd());
        await hub.ServesOthers();
        await refused.Grew();
        Assert.Equal(1, hub.Logged(terminal.SerialNumber, "too-fast"));
    }

    [Fact]
    public async Task Attack_19_more_bytes_a_second_than_allowed_end_the_connection()
    {
        var refused = await hub.WatchRefused("too-fast");
        await using var terminal = await hub.Activated(AttackHub.Unsealed);
        using var client = await hub.OnSocket(terminal, from);
        for (var i = 0; i < 40 && await client.Client.Send(Packets.Publish(Names.UpTopic(terminal.SerialNumber), new byte[16_000], (ushort)(i + 100))); i++)
        {
        }

        Assert.Equal((byte)0x96, await client.Client.ToTheEnd());
        await hub.ServesOthers();
        await refused.Grew();
    }

    [Fact]
    public async Task Attack_24_topics_of_bad_utf8_or_with_a_null_end_the_connection()
    {
        var refused = await hub.WatchRefused("malformed");
        await using var terminal = await hub.Activated(AttackHub.Unsealed);
        foreach (var topic in new byte[][] { [0xC3, 0x28], [0xED, 0xA0, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [.. "dh/v1/"u8, 0], "dh/v1/#"u8.ToArray() })
        {
            using var client = await hub.OnSocket(terminal, from);
            await client.Client.Send(Packets.Publish(topic, [1], 77));
            Assert.NotNull(await client.Client.ToTheEnd());
        }

        await hub.ServesOthers();
        await refused.Grew(5);
    }

    [Fact]
    public async Task Attack_24_a_topic_of_65_KB_does_not_fit_and_one_of_a_thousand_levels_is_a_foreign_one()
    {
        var large = await hub.WatchRefused("packet-too-large");
        var foreign = await hub.WatchRefused("foreign-topic");
        await using var terminal = await hub.Activated(AttackHub.Unsealed);
        using (var client = await hub.OnSocket(terminal, from))
        {
            await client.Client.Send(Packets.Publish(string.Concat(Enumerable.Repeat("a/", 1_000)), [1], 77));
            Assert.Equal(0x87, (await client.Client.Expect(Packet.PubAck)).Reason);
            await client.Client.Send(Packets.Publish(new string('t', 65_535), [1], 78));
            Assert.Equal((byte)0x95, await client.Client.ToTheEnd());
        }

        await hub.ServesOthers();
        await large.Grew();
        await foreign.Grew();
    }

    [Fact]
    public async Task Attack_24_json_that_is_deep_doubled_or_not_a_number_is_refused_as_malformed()
    {
        var refused = await hub.Watch("session.refusals", "Malformed");
        await using var terminal = await hub.Activated(AttackHub.Unsealed);
        using var client = await hub.OnSocket(terminal, from);
        const string code = "131234567890120001";
        hub.Secrets.Add(code);
        string[] payloads =
        [
            new string('[', 10_000),
            "{" + string.Concat(Enumerable.Repeat("\"a\":{", 2_500)),
            Payment("1", extra: ",\"amount_fen\":2"),
            Payment("\"NaN\""), Payment("NaN"), Payment("-1"), Payment("1.5"), Payment("1e3"), Payment("18446744073709551616"), Payment("18446744073709551615"), Payment("\"\""),
        ];
        foreach (var payload in payloads)
        {
            await client.Client.Send(client.Publish(Encoding.UTF8.GetBytes(payload)));
            Assert.Equal(Refusal.Types.Code.Malformed, (await client.Expect(Downlink.BodyOneofCase.Refusal)).Refusal.Code);
        }

        await hub.ServesOthers();
        await refused.Grew(payloads.Length);
        Assert.Equal(1, hub.Logged(terminal.SerialNumber, "was refused"));
        Assert.Equal(0, await hub.Payments(terminal));

        string Payment(string amount, string extra = "") =>
            $$$"""{"payment_request":{"request_id":"{{{client.Welcome.RequestEpoch}}}-9","amount_fen":{{{amount}}}{{{extra}}},"payment_code":"{{{code}}}","time_to_live_ms":30000}}""";
    }
}
