using System.Net;

namespace DeviceHub.IntegrationTests.Attacks;

/// <summary>Terminals that do not read, or send as much as they can, at a hub that has no rate to stop them by: 20 and 21 of RELIABILITY.md.</summary>
[Collection(AttackGroup.Name)]
public sealed class FlowAttackTests(FastHub hub)
{
    private readonly IPAddress from = RawClient.NewAddress();

    [Fact]
    public async Task Terminal_that_never_reads_is_cut_when_its_buffers_have_stood_full()
    {
        var refused = await hub.WatchRefused("slow-reader");
        await using var terminal = await hub.Activated(AttackHub.Unsealed);
        using var deaf = await hub.OnSocket(terminal, from, qos: 0, smallWindow: true);
        await hub.Stuff(deaf);

        await hub.ServesOthers();
        await refused.Grew();
        Assert.Equal(1, hub.Logged(terminal.SerialNumber, "slow-reader"));
    }

    [Fact]
    public async Task Attack_20_ten_thousand_publishes_at_once_are_all_acknowledged_in_order()
    {
        await using var terminal = await hub.Activated(AttackHub.Unsealed);
        using var client = await hub.OnSocket(terminal, from, qos: 0);
        var received = await hub.Watch("mqtt.received");
        var first = client.LastId + 1;
        var sending = client.Client.Send([.. Enumerable.Range(0, 10_000).SelectMany(_ => client.Nonsense())]);
        for (var id = first; id < first + 10_000;)
        {
            var packet = await client.Client.Next() ?? throw new InvalidOperationException("the hub closed");
            if (packet.Type == Packet.PubAck)
            {
                Assert.Equal(id++, packet.Id);
            }
        }

        Assert.True(await sending);
        await hub.ServesOthers();
        await received.Grew(10_000);
    }

    [Fact]
    public async Task Attack_21_no_keep_alive_at_all_is_the_longest_one_and_is_kept()
    {
        var refused = await hub.WatchRefused("keep-alive");
        await using var five = await hub.Activated(AttackHub.Unsealed);
        await using var old = await hub.Activated(AttackHub.Unsealed);
        using var asked = await hub.OnSocket(five, from, keepAlive: 0);
        using var silent = await hub.OnSocket(old, from, v5: false, keepAlive: 0);
        Assert.Equal(3u, Packets.ReadProperties(asked.ConnAck.Body.AsSpan(2))[0x13]);

        Assert.Equal((byte)0x8D, await asked.Client.ToTheEnd());
        Assert.Null(await silent.Client.ToTheEnd());
        await hub.ServesOthers();
        await refused.Grew(2);
    }
}
