using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DeviceHub.Gateways.Mqtt;

/// <summary>
/// Takes MQTT connections from Kestrel and runs them. One tick a second serves the deadlines of all of them. When the host stops,
/// new connections are refused first, publishes that are being handled get <see cref="MqttOptions.DrainSeconds"/>, then every
/// connection is cut with 0x8B.
/// </summary>
public sealed partial class MqttEndpoint : ConnectionHandler, IHostedLifecycleService, IDisposable
{
    private readonly ConcurrentDictionary<MqttConnection, byte> _connections = new();
    private readonly ITimer _tick;
    private volatile bool _stopping;

    public MqttEndpoint(IOptions<MqttOptions> options, ITerminalSessions sessions, TimeProvider time, ILogger<MqttEndpoint> log)
    {
        Options = options.Value;
        Sessions = sessions;
        Time = time;
        Log = log;
        Admission = new MqttAdmission(Options, time);
        _tick = time.CreateTimer(_ => Tick(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
    }

    internal MqttOptions Options { get; }
    internal ITerminalSessions Sessions { get; }
    internal TimeProvider Time { get; }
    internal ILogger Log { get; }
    internal MqttAdmission Admission { get; }
    internal bool IsStopping => _stopping;

    /// <summary>Connections that are open now.</summary>
    public int ConnectionCount => _connections.Count;

    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        // The handshake is over: its place is free for the next.
        (connection.Items.TryGetValue(MqttRegistration.HandshakeOver, out var over) ? over as Action : null)?.Invoke();
        var refusal = _stopping ? "stopping" : Admission.TryEnter(connection.RemoteEndPoint);
        if (refusal is not null)
        {
            MqttMetrics.Refused(refusal);
            connection.Abort();
            return;
        }

        var running = new MqttConnection(this, connection);
        _connections.TryAdd(running, 0);
        MqttMetrics.Connections.Add(1);
        try
        {
            await running.RunAsync();
        }
        catch (Exception error)
        {
            LogConnectionFault(Log, error);
            connection.Abort();
        }
        finally
        {
            await connection.Transport.Output.CompleteAsync();
            _connections.TryRemove(running, out _);
            Admission.Leave();
            MqttMetrics.Connections.Add(-1);
        }
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        _stopping = true;
        var began = Time.GetTimestamp();
        while (_connections.Keys.Any(connection => connection.Handling > 0)
            && Time.GetElapsedTime(began) < TimeSpan.FromSeconds(Options.DrainSeconds) && !cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), Time, CancellationToken.None);
        }

        foreach (var connection in _connections.Keys)
        {
            connection.Cut(CutReason.Stopping);
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _tick.Dispose();

    private void Tick()
    {
        foreach (var (connection, _) in _connections)
        {
            connection.Tick();
        }

        Admission.Tick();
    }

    [LoggerMessage(3, LogLevel.Error, "A connection's loop failed; the connection ends", EventName = "MqttConnectionFault")]
    private static partial void LogConnectionFault(ILogger log, Exception error);
}
