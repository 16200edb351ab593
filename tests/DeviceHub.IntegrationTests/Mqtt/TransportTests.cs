using System.IO.Pipelines;
using DeviceHub.Gateways;
using DeviceHub.Gateways.Mqtt;
using DeviceHub.IntegrationTests.Attacks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace DeviceHub.IntegrationTests.Mqtt;

/// <summary>What no socket shows: a transport that never gets rid of what it was given.</summary>
public sealed class TransportTests
{
    /// <summary>A peer that stopped reading with little under way is cut like another; its socket must go too, or it stays for ever.</summary>
    [Fact]
    public async Task A_cut_connection_whose_peer_does_not_read_is_aborted()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var sessions = new RecordingSessions();
        using var endpoint = new MqttEndpoint(Options.Create(new MqttOptions()), sessions, clock, NullLogger<MqttEndpoint>.Instance);
        var input = new Pipe();
        await using var transport = new MemoryTransport(input.Reader);
        await input.Writer.WriteAsync((byte[])[.. Packets.Connect("STUCK-01"), .. Packets.Subscribe("dh/v1/STUCK-01/down")]);
        var running = endpoint.EnterAsync(transport, endpoint.OnConnectedAsync, tls: false);
        var session = sessions.Of("STUCK-01");
        Assert.True(session.Wire.TrySend("nobody reads this"u8));

        session.Wire.Cut(CutReason.TakenOver);
        await running.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.False(transport.IsAborted);
        Assert.Equal(1, endpoint.ConnectionCount);
        clock.Advance(TimeSpan.FromSeconds(3));
        Assert.True(transport.IsAborted);

        transport.Close();
        Assert.Equal(0, endpoint.ConnectionCount);
    }

    /// <summary>The tick is a timer's callback, whose fault would end the process.</summary>
    [Fact]
    public async Task A_fault_in_the_tick_of_one_connection_ends_that_connection_alone()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var log = new CountingLog();
        using var endpoint = new MqttEndpoint(Options.Create(new MqttOptions()), new RecordingSessions(), clock, log);
        var transports = new List<MemoryTransport>();
        foreach (var breaks in new[] { true, false, true })
        {
            // Each has sent half a CONNECT and nothing more.
            var input = new Pipe();
            var transport = new MemoryTransport(input.Reader) { Breaks = breaks };
            await input.Writer.WriteAsync(Packets.Connect("HALF-001").AsMemory(0, 5));
            transports.Add(transport);
            _ = endpoint.EnterAsync(transport, endpoint.OnConnectedAsync, tls: false);
        }

        clock.Advance(TimeSpan.FromSeconds(11));
        clock.Advance(TimeSpan.FromSeconds(3));
        Assert.All(transports, transport => Assert.True(transport.IsAborted));
        Assert.Equal(1, endpoint.ConnectionCount);
        Assert.Equal(2, log.Errors);
    }

    private sealed class CountingLog : ILogger<MqttEndpoint>
    {
        public int Errors { get; private set; }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Errors += logLevel == LogLevel.Error ? 1 : 0;
    }
}
