using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using DeviceHub.Gateways;
using DeviceHub.IntegrationTests.Mqtt;
using DeviceHub.Protocol.Serial;
using DeviceHub.Tests;
using DeviceHub.Tools.SerialBridge;
using Microsoft.Extensions.Options;

namespace DeviceHub.IntegrationTests.SerialBridge;

/// <summary>The bridge's connection against the hub's real endpoint: what it asks for, how it carries, and what it makes of each end.</summary>
[Collection(WireHub.Collection)]
public sealed class HubConnectionTests(WireHub hub)
{
    [Fact]
    public async Task It_says_that_its_terminal_speaks_serial_and_how_much_the_line_takes()
    {
        await using var connection = Make(700);
        await connection.Open();
        Assert.True(connection.IsReady);
        var wire = hub.Sessions.Of(connection.SerialNumber).Wire;
        Assert.Equal(("serial", 700, true), (wire.Name, wire.MaxMessageBytes, wire.CanReceive));
    }

    [Fact]
    public async Task It_publishes_in_order_and_never_more_than_the_hub_allows_at_once()
    {
        await using var connection = Make();
        await connection.Open();
        var session = hub.Sessions.Of(connection.SerialNumber);
        session.Holds = true;
        var sent = Enumerable.Range(0, 40).Select(n => connection.Publish(Encoding.ASCII.GetBytes(n.ToString(CultureInfo.InvariantCulture))).AsTask()).ToList();
        for (var n = 0; n < 40; n++)
        {
            if (n >= 16)
            {
                session.Release(n - 16);
            }

            Assert.Equal(n.ToString(CultureInfo.InvariantCulture), await session.Next());
        }

        Assert.False(sent[39].IsCompleted);
        for (var n = 24; n < 40; n++)
        {
            session.Release(n);
        }

        await Task.WhenAll(sent).WaitAsync(TimeSpan.FromSeconds(10));
        Assert.False(session.Disposed.Task.IsCompleted, "the hub cut it for publishing too much at once");
    }

    [Fact]
    public async Task What_comes_down_goes_to_the_wire_unchanged()
    {
        await using var connection = Make();
        await connection.Open();
        var line = new Line();
        connection.Attach(line);
        var payload = Enumerable.Range(0, 500).Select(n => (byte)n).ToArray();
        Assert.True(hub.Sessions.Of(connection.SerialNumber).Wire.TrySend(payload));
        await Eventually.Holds(() => line.Sent.TryPeek(out var got) && got.SequenceEqual(payload), "the payload is there");
    }

    public static TheoryData<CutReason> Reasons => [.. Enum.GetValues<CutReason>().Where(r => r != CutReason.HubLost)];

    [Theory]
    [MemberData(nameof(Reasons))]
    public async Task The_hubs_reason_of_an_end_is_the_terminals(CutReason reason)
    {
        await using var connection = Make();
        await connection.Open();
        var line = new Line();
        connection.Attach(line);
        hub.Sessions.Of(connection.SerialNumber).Wire.Cut(reason);
        await Eventually.Holds(
            () =>
            {
                hub.Clock.Advance(TimeSpan.FromMilliseconds(100));
                return line.Reason is not null;
            },
            "the line is cut");

        // What a line says is the code, which two reasons share.
        Assert.Equal(reason.Code(), Assert.NotNull(line.Reason).Code());
    }

    [Fact]
    public async Task A_connection_that_ends_without_a_word_is_a_lost_hub_and_frees_what_waits()
    {
        await using var network = new CutProxy(hub.Port);
        await using var connection = Make(port: network.Port);
        await connection.Open();
        var line = new Line();
        connection.Attach(line);
        hub.Sessions.Of(connection.SerialNumber).Holds = true;
        var waits = connection.Publish("never acknowledged"u8.ToArray()).AsTask();
        network.Break();
        await waits.WaitAsync(TimeSpan.FromSeconds(10));
        await Eventually.Holds(() => line.Reason == CutReason.HubLost, "the line is cut");
        Assert.False(connection.Ended!.ByHub);
    }

    [Fact]
    public async Task A_wire_that_comes_after_the_end_is_cut_at_once()
    {
        await using var network = new CutProxy(hub.Port, broken: true);
        await using var connection = Make(port: network.Port);
        await connection.Open();
        Assert.False(connection.IsReady);
        var line = new Line();
        connection.Attach(line);
        Assert.Equal(CutReason.HubLost, line.Reason);
    }

    /// <summary>A link that nobody says has logged in is cut after Serial:LoginSeconds; the login is the hub's to watch.</summary>
    [Fact]
    public async Task A_link_with_a_session_of_the_hub_is_not_waited_for_any_more()
    {
        var options = new RemoteHubOptions { Host = "127.0.0.1", Port = hub.Port, Tls = false };
        await using var relay = new HubRelay(Options.Create(options), TimeProvider.System, new BridgeState());
        var line = new Line();
        var hello = new LinkHello(1, 1_024, 300, WireHub.NewSerial(), []);
        await Eventually.Holds(() => relay.Takes(hello, line.Remote), "the bridge takes the terminal");
        await using var session = relay.Open(hello.SerialNumber, null, line);
        Assert.True(line.IsLoggedIn);
        Assert.Null(line.Reason);
    }

    private HubConnection Make(int maxMessageBytes = 1_024, int? port = null) => new(
        new RemoteHubOptions { Host = "127.0.0.1", Port = port ?? hub.Port, Tls = false }, ca: null, WireHub.NewSerial(), maxMessageBytes);

    private sealed class Line : IWire
    {
        public ConcurrentQueue<byte[]> Sent { get; } = new();

        public CutReason? Reason { get; private set; }

        public string Name => "serial";

        public EndPoint Remote { get; } = new DnsEndPoint("port", 1);

        public bool Secure => true;

        public bool CanReceive => true;

        public int MaxMessageBytes => 1_024;

        public bool TrySend(ReadOnlySpan<byte> payload)
        {
            Sent.Enqueue(payload.ToArray());
            return true;
        }

        public bool IsLoggedIn { get; private set; }

        public void LoggedIn() => IsLoggedIn = true;

        public void Cut(CutReason reason) => Reason ??= reason;
    }
}
