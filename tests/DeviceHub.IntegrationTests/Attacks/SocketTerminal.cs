using System.Collections.Concurrent;
using System.Security.Cryptography;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;

namespace DeviceHub.IntegrationTests.Attacks;

/// <summary>A logged-in terminal of a model that does not seal, on a bare socket, in JSON. It acknowledges only where it is told to.</summary>
/// <param name="secrets">Takes its payment codes.</param>
internal sealed class SocketTerminal(string serialNumber, RawClient client, Packet connAck, bool v5, ConcurrentBag<string> secrets) : IDisposable
{
    private ushort lastId;
    private int counter;

    public RawClient Client => client;

    public Packet ConnAck => connAck;

    public Welcome Welcome { get; private set; } = new();

    /// <summary>What came between <c>welcome</c> and <c>synced</c>.</summary>
    public List<Downlink> Missed { get; } = [];

    public ushort LastId => lastId;

    public byte[] Publish(Uplink message, byte[]? properties = null) => Publish(MessageCodec.Encode(message, WireEncoding.Json), properties: properties);

    public byte[] Publish(byte[] payload, int qos = 1, byte[]? properties = null) =>
        Packets.Publish(Names.UpTopic(serialNumber), payload, ++lastId, qos, v5: v5, properties: properties);

    /// <summary>An uplink that is answered by a refusal.</summary>
    public byte[] Nonsense(int qos = 1) => Publish("{\"nonsense\":"u8.ToArray(), qos);

    public Task<bool> Send(Uplink message) => client.Send(Publish(message));

    public Uplink Payment(ulong amountFen)
    {
        var request = new PaymentRequest
        {
            RequestId = $"{Welcome.RequestEpoch}-{++counter}",
            AmountFen = amountFen,
            PaymentCode = $"13{RandomNumberGenerator.GetInt32(0, int.MaxValue):0000000000000000}",
            TimeToLiveMs = 30_000,
        };
        secrets.Add(request.PaymentCode);
        return new Uplink { PaymentRequest = request };
    }

    public async Task UntilSynced()
    {
        for (bool synced = false, acknowledged = false; !synced || !acknowledged;)
        {
            var packet = await client.Next() ?? throw new InvalidOperationException("the hub closed before synced");
            acknowledged |= packet.Type == Packet.PubAck;
            if (packet.Type == Packet.Publish)
            {
                await Acknowledge(packet);
                var message = Read(packet);
                synced |= message.BodyCase == Downlink.BodyOneofCase.Synced;
                if (message.BodyCase == Downlink.BodyOneofCase.Welcome)
                {
                    Welcome = message.Welcome;
                }
                else if (!synced)
                {
                    Missed.Add(message);
                }
            }
        }
    }

    /// <summary>The next downlink of a kind; others and acknowledgements are passed over, downlinks acknowledged.</summary>
    public async Task<Downlink> Expect(Downlink.BodyOneofCase kind)
    {
        while (true)
        {
            var packet = await client.Next() ?? throw new InvalidOperationException($"the hub closed; {kind} was expected");
            if (packet.Type == Packet.Publish)
            {
                await Acknowledge(packet);
                var message = Read(packet);
                if (message.BodyCase == kind)
                {
                    return message;
                }
            }
        }
    }

    public Task Acknowledge(Packet publish) => (publish.Header & 6) == 0 ? Task.CompletedTask : client.Send(Packets.PubAck(IdOf(publish)));

    /// <summary>A ping is answered, and nothing came before its answer.</summary>
    public async Task HasNothingMore()
    {
        await client.Send(Packets.PingReq);
        await client.Expect(Packet.PingResp);
    }

    public Downlink Read(Packet publish)
    {
        var at = 2 + TopicLength(publish) + ((publish.Header & 6) != 0 ? 2 : 0) + (v5 ? 1 : 0);
        var error = MessageCodec.TryDecode(publish.Body.AsSpan(at), out Downlink? message, out _);
        Assert.True(error.Ok, error.Detail);
        return message!;
    }

    public void Dispose() => client.Dispose();

    private static int IdOf(Packet publish)
    {
        var at = 2 + TopicLength(publish);
        return (publish.Body[at] << 8) | publish.Body[at + 1];
    }

    private static int TopicLength(Packet publish) => (publish.Body[0] << 8) | publish.Body[1];
}
