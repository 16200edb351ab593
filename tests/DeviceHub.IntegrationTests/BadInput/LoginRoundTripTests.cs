using System.Security.Cryptography;
using DeviceHub.IntegrationTests.Attacks;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;

namespace DeviceHub.IntegrationTests.BadInput;

/// <summary>How often a login waits for the hub; on a mobile network that is what it costs. TLS adds its handshake and nothing later.</summary>
[Collection(BadInputHub.Collection)]
public sealed class LoginRoundTripTests(BadInputHub hub)
{
    private const string HardwareId = "HW-1";

    private const int MostUnsettled = 20;

    [Theory, InlineData(0), InlineData(MostUnsettled)]
    public async Task Modem_that_waits_for_every_answer_is_synced_after_four_round_trips(int unsettled)
    {
        await using var terminal = await hub.LoggedIn();
        for (var i = 0; i < unsettled; i++)
        {
            await terminal.PayForOutcome(terminal.Request((ulong)(5000 + i)));
        }

        using var client = await RawClient.Open(hub.MqttPort, RawClient.NewAddress());
        var roundTrips = 0;
        await Ask(Packets.Connect(terminal.SerialNumber, v5: false));
        await client.Expect(Packet.ConnAck);
        await Ask(Packets.Subscribe(Names.DownTopic(terminal.SerialNumber), v5: false));
        await client.Expect(Packet.SubAck);
        var nonce = RandomNumberGenerator.GetBytes(16);
        await Ask(Publish(terminal.SerialNumber, Hello(nonce), id: 1));
        var challenge = await UntilAcknowledged(client, d => d.Challenge is not null);
        await Ask(Publish(terminal.SerialNumber, Proof(terminal, challenge.Challenge.HubNonce.ToByteArray(), nonce), id: 2));
        var synced = await UntilAcknowledged(client, d => d.Synced is not null);

        Assert.Equal((4, (uint)unsettled), (roundTrips, synced.Synced.Unsettled));

        async Task Ask(byte[] packet)
        {
            roundTrips++;
            await client.Send(packet);
        }
    }

    [Fact]
    public async Task Client_that_does_not_wait_for_connack_and_suback_is_synced_after_two()
    {
        await using var terminal = await hub.LoggedIn();
        using var client = await RawClient.Open(hub.MqttPort, RawClient.NewAddress());
        var nonce = RandomNumberGenerator.GetBytes(16);
        await client.Send(
            Packets.Connect(terminal.SerialNumber, v5: false), Packets.Subscribe(Names.DownTopic(terminal.SerialNumber), v5: false),
            Publish(terminal.SerialNumber, Hello(nonce), id: 1));
        await client.Expect(Packet.ConnAck);
        await client.Expect(Packet.SubAck);
        var challenge = await UntilAcknowledged(client, d => d.Challenge is not null);
        await client.Send(Publish(terminal.SerialNumber, Proof(terminal, challenge.Challenge.HubNonce.ToByteArray(), nonce), id: 2));

        Assert.NotNull((await UntilAcknowledged(client, d => d.Synced is not null)).Synced);
    }

    private static Uplink Hello(byte[] nonce) => new()
    {
        Hello = new() { ProtocolVersion = 1, HardwareId = HardwareId, BootReason = BootReason.PowerOn, TerminalNonce = ByteString.CopyFrom(nonce) },
    };

    private static Uplink Proof(TestTerminal terminal, byte[] hubNonce, byte[] nonce) => new()
    {
        Proof = new()
        {
            Mac = ByteString.CopyFrom(HMACSHA256.HashData(
                terminal.Key!, Login.ProofInput("mqtt", terminal.SerialNumber, HardwareId, hubNonce, nonce))),
        },
    };

    private static byte[] Publish(string serialNumber, Uplink message, ushort id) =>
        Packets.Publish(Names.UpTopic(serialNumber), MessageCodec.Encode(message, WireEncoding.Json), id, v5: false);

    /// <summary>Reads until the publish is acknowledged and the wanted downlink is there, and sends nothing meanwhile.</summary>
    private static async Task<Downlink> UntilAcknowledged(RawClient client, Func<Downlink, bool> wanted)
    {
        Downlink? found = null;
        for (var acknowledged = false; found is null || !acknowledged;)
        {
            var packet = await client.Next() ?? throw new InvalidOperationException("the hub closed");
            acknowledged |= packet.Type == Packet.PubAck;
            if (packet.Type == Packet.Publish)
            {
                var topic = (packet.Body[0] << 8) | packet.Body[1];
                Assert.True(MessageCodec.TryDecode(packet.Body.AsSpan(4 + topic), out Downlink? message, out _).Ok);
                found = wanted(message!) ? message : found;
            }
        }

        return found;
    }
}
