using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using DeviceHub.Gateways;
using DeviceHub.Gateways.Mqtt;
using DeviceHub.IntegrationTests.Attacks;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace DeviceHub.IntegrationTests.Mqtt;

/// <summary>
/// The real endpoint behind Kestrel on a real socket, with recording sessions and a clock that only a test moves. A test that causes an
/// error log takes it with <see cref="TakeError"/>; one that is left fails all.
/// </summary>
public sealed class WireHub : IAsyncLifetime, ILoggerProvider, ILogger
{
    public const string Collection = "the wire";

    private static int serials;

    private readonly string folder = Directory.CreateTempSubdirectory("wire-").FullName;
    private readonly ConcurrentQueue<string> errors = new();
    private readonly ConcurrentDictionary<string, long> counted = new();
    private readonly MeterListener meters = new();
    private WebApplication? app;

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    internal RecordingSessions Sessions { get; } = new();

    internal int Port => app!.Services.GetRequiredService<MqttAddresses>().Plain!.Port;

    public async ValueTask InitializeAsync()
    {
        meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name is "mqtt.refused" or "mqtt.ignored")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            counted.AddOrUpdate($"{instrument.Name}:{tags[0].Value}", value, (_, sum) => sum + value));
        meters.Start();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Mqtt:Port"] = "0",
            ["Mqtt:TlsPort"] = "-1",
            ["Mqtt:ConnectBurst"] = "1000",
            ["Mqtt:MaxConnectionsNotLoggedInPerAddress"] = "1000",
            ["Mqtt:DrainSeconds"] = "0", // the drain would wait on the clock that nobody moves
        });
        builder.Logging.ClearProviders().AddProvider(this);
        builder.Services.AddSingleton<TimeProvider>(Clock);
        builder.Services.AddSingleton<ITerminalSessions>(Sessions);
        builder.Services.AddMqttEndpoint(folder);
        app = builder.Build();
        await app.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await app!.StopAsync();
        await app.DisposeAsync();
        meters.Dispose();
        Directory.Delete(folder, recursive: true);
        Assert.Empty(errors);
    }

    internal static string NewSerial() => $"WIRE-{Interlocked.Increment(ref serials):00000}";

    internal Task<RawClient> Open() => RawClient.Open(Port, IPAddress.Loopback);

    /// <summary>Sends a CONNECT for <paramref name="serial"/> and comes back with the answer; null: the hub closed without one.</summary>
    internal async Task<Packet?> Connect(byte[] connect)
    {
        using var client = await Open();
        await client.Send(connect);
        var answer = await client.Next();
        Assert.True(answer is null || answer.Type == Packet.ConnAck);
        Assert.True(answer is null || answer.Reason == 0 || await client.Next() is null, "a refused CONNECT is followed by the end");
        return answer;
    }

    internal async Task<Peer> Connected(bool v5, ushort keepAlive = 60, byte[]? properties = null, byte? subscribeQos = null)
    {
        var serial = NewSerial();
        var client = await Open();
        await client.Send(Packets.Connect(serial, keepAlive: keepAlive, v5: v5, properties: properties));
        var accepted = await client.Expect(Packet.ConnAck);
        Assert.Equal(0, accepted.Reason);
        var peer = new Peer(client, Sessions.Of(serial), serial, v5, accepted);
        if (subscribeQos is { } qos)
        {
            await peer.Send(peer.SubscribeDown(qos));
            await peer.Expect(Packet.SubAck);
        }

        return peer;
    }

    /// <summary>What a counter with this reason has counted in this process, by all tests.</summary>
    internal long Counted(string counter, string reason) => counted.GetValueOrDefault($"{counter}:{reason}");

    internal string TakeError() => errors.TryDequeue(out var error) ? error : "none";

    ILogger ILoggerProvider.CreateLogger(string categoryName) => this;

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel >= LogLevel.Error)
        {
            errors.Enqueue($"{eventId.Name}: {formatter(state, exception)} {exception}");
        }
    }

    void IDisposable.Dispose()
    {
    }
}

[CollectionDefinition(WireHub.Collection)]
public sealed class WireGroup : ICollectionFixture<WireHub>;

/// <summary>A client whose CONNECT was accepted, and its session at the hub.</summary>
internal sealed class Peer(RawClient client, RecordingSession session, string serial, bool v5, Packet accepted) : IDisposable
{
    public bool V5 => v5;

    public string Serial => serial;

    public string Up => $"dh/v1/{serial}/up";

    public string Down => $"dh/v1/{serial}/down";

    public RecordingSession Session => session;

    public Packet Accepted => accepted;

    public Task Send(params byte[][] packets) => client.Send(packets);

    public Task<Packet> Expect(int type) => client.Expect(type);

    public byte[] PublishUp(string payload, ushort id = 1, int qos = 1, bool dup = false, bool retain = false, byte[]? properties = null) =>
        Packets.Publish(Up, Encoding.UTF8.GetBytes(payload), id, qos, retain, dup, v5, properties);

    public byte[] SubscribeDown(byte qos = 1, ushort id = 1) => Packets.Subscribe(Down, id, qos, v5);

    public bool SendDown(string payload) => session.Wire.TrySend(Encoding.UTF8.GetBytes(payload));

    /// <summary>The next packet is a publish with this payload; gives its packet id, 0 at QoS 0.</summary>
    public async Task<int> ExpectDown(string payload)
    {
        var packet = await client.Expect(Packet.Publish);
        var topic = Down.Length + 2;
        var acknowledged = (packet.Header & 0x06) != 0;
        var start = topic + (acknowledged ? 2 : 0) + (v5 ? 1 : 0);
        Assert.Equal(Down, Encoding.ASCII.GetString(packet.Body, 2, Down.Length));
        Assert.Equal(payload, Encoding.UTF8.GetString(packet.Body.AsSpan(start)));
        Assert.Equal(0, packet.Header & 0x09);
        return acknowledged ? packet.Body[topic] << 8 | packet.Body[topic + 1] : 0;
    }

    /// <summary>The hub has read all that was sent, and nothing but <see cref="Packet.PingResp"/> is under way.</summary>
    public async Task Settled()
    {
        await client.Send(Packets.PingReq);
        Assert.Empty((await client.Expect(Packet.PingResp)).Body);
    }

    public bool IsClosed() => client.IsClosed();

    public void EndSending() => client.EndSending();

    /// <summary>5.0 hears the reason and then nothing; 3.1.1 sees the end without a word.</summary>
    public async Task IsCut(byte reason) => Assert.Equal(v5 ? reason : null, await client.ToTheEnd());

    /// <summary>As <see cref="IsCut"/>, and nothing that was sent is answered before.</summary>
    public async Task IsCutUnanswered(byte reason)
    {
        if (v5)
        {
            Assert.Equal(reason, (await client.Expect(Packet.Disconnect)).Reason);
        }

        Assert.Null(await client.Next());
    }

    /// <summary>The end without a DISCONNECT.</summary>
    public async Task IsClosedWithoutAWord() => Assert.Null(await client.ToTheEnd());

    public void Dispose() => client.Dispose();
}
