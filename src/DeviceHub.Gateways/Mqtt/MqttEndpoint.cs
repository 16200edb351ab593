using System.Collections.Concurrent;
using System.Net;
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
    private readonly CancellationTokenSource _stop = new();
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

    /// <summary>Ends the waits of those that have not logged in.</summary>
    internal CancellationToken Stopping => _stop.Token;

    /// <summary>Connections that are open now.</summary>
    public int ConnectionCount => _connections.Count;

    /// <summary>
    /// First on every connection, before TLS: a silent handshake takes a place of its address like a silent connection, or one address
    /// could keep all others from shaking hands.
    /// </summary>
    internal async Task EnterAsync(ConnectionContext connection, ConnectionDelegate next, bool tls)
    {
        MqttPlace? place = null;
        var refusal = _stopping ? "stopping" : Admission.TryEnter(connection.RemoteEndPoint, tls, out place);
        if (place is null)
        {
            Refuse(connection, refusal!);
            connection.Abort();
            return;
        }

        connection.Features.Set(place);
        try
        {
            await next(connection);
        }
        finally
        {
            if (place.HandshakeOver())
            {
                Refuse(connection, "tls-handshake");
            }

            place.Leave();
        }
    }

    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        var place = connection.Features.Get<MqttPlace>() ?? throw new InvalidOperationException("the connection did not pass EnterAsync");
        place.HandshakeOver();
        var running = new MqttConnection(this, connection, place);
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

            // Watched until the transport has sent its last bytes: one that is not read from would stay for ever. The tick aborts it.
            connection.ConnectionClosed.UnsafeRegister(static watched => ((MqttConnection)watched!).TransportClosed(), running);
            MqttMetrics.Connections.Add(-1);
        }
    }

    internal void Forget(MqttConnection connection) => _connections.TryRemove(connection, out _);

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        _stopping = true;
        await _stop.CancelAsync();
        var began = Time.GetTimestamp();
        while (_connections.Keys.Any(connection => connection.Handling > 0)
            && Time.GetElapsedTime(began) < TimeSpan.FromSeconds(Options.DrainSeconds) && !cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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

    public void Dispose()
    {
        _tick.Dispose();
        _stop.Dispose();
    }

    private void Tick()
    {
        foreach (var (connection, _) in _connections)
        {
            try
            {
                connection.Tick();
            }
            catch (Exception error)
            {
                // A timer's callback: what leaves it ends the process. Not ticked again, so that it is not logged every second.
                Forget(connection);
                MqttMetrics.Faults.Add(1);
                LogConnectionFault(Log, error);
                connection.Cut(CutReason.Fault);
            }
        }

        Admission.Tick();
    }

    private void Refuse(ConnectionContext connection, string reason)
    {
        MqttMetrics.Refused(reason);
        if (Admission.MayTell(reason, connection.RemoteEndPoint))
        {
            LogRefused(Log, connection.RemoteEndPoint, reason);
        }
    }

    [LoggerMessage(4, LogLevel.Information, "Refused a connection from {Remote}: {Reason}; more of the kind from there are only counted for a minute", EventName = "MqttRefused")]
    private static partial void LogRefused(ILogger log, EndPoint? remote, string reason);

    [LoggerMessage(3, LogLevel.Error, "A connection failed and ends", EventName = "MqttConnectionFault")]
    private static partial void LogConnectionFault(ILogger log, Exception error);
}
