using DeviceHub.Core.Routing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DeviceHub.Gateways.Serial;

/// <summary>
/// Serves the configured serial ports. When the host stops, messages that are being handled get <see cref="SerialOptions.DrainSeconds"/>, then every
/// terminal is told with CLOSE, and the ports are closed.
/// </summary>
public sealed partial class SerialEndpoint(
    IOptions<SerialOptions> options, ITerminalSessions sessions, TimeProvider time, UsbPorts usb, PortKeys keys, ILogger<SerialEndpoint> log, WalletTable? wallets = null) : IHostedLifecycleService, IDisposable
{
    private static readonly TimeSpan LastBytes = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _stop = new();
    private volatile SerialPortKeeper[] _keepers = [];
    private readonly List<Task> _running = [];
    private readonly HashSet<Task> _sessions = [];
    private SerialLoop? _loop;

    /// <summary>The configured ports as they are now; none before the start.</summary>
    public IReadOnlyList<PortLook> Ports => [.. _keepers.Select(keeper => keeper.Look)];

    internal SerialOptions Options { get; } = options.Value;

    internal ITerminalSessions Sessions => sessions;

    internal TimeProvider Time => time;

    internal ILogger Log => log;

    internal PortKeys Keys => keys;

    /// <summary>Which codes are a wallet's. Null at a bridge: its hub says it.</summary>
    internal WalletTable? Wallets => wallets;

    internal SerialLoop Loop => _loop ?? throw new InvalidOperationException("no port is configured");

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        if (Options.Ports.Count > 0)
        {
            _loop = new SerialLoop(time, log);

            // All at once: the ports may be asked for already.
            _keepers = [.. Options.Ports.Select(port => new SerialPortKeeper(this, port.Key, port.Value, usb))];
            _running.AddRange(_keepers.Select(keeper => Task.Run(() => KeepAsync(keeper), CancellationToken.None)));
        }

        return Task.CompletedTask;
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        if (_loop is null)
        {
            return;
        }

        var began = time.GetTimestamp();
        while (_keepers.Any(keeper => keeper.Handling > 0)
            && time.GetElapsedTime(began) < TimeSpan.FromSeconds(Options.DrainSeconds) && !cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        foreach (var keeper in _keepers)
        {
            keeper.Stop();
        }

        await Task.Delay(LastBytes, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _stop.CancelAsync();
        await Task.WhenAll(_running);
        await Task.WhenAll(Running());
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _loop?.Dispose();
        _stop.Dispose();
    }

    /// <summary>Runs a session on the thread pool.</summary>
    internal void Run(SerialWire wire)
    {
        var running = Task.Run(wire.RunAsync);
        lock (_sessions)
        {
            _sessions.Add(running);
        }

        _ = running.ContinueWith(
            done =>
            {
                lock (_sessions)
                {
                    _sessions.Remove(done);
                }
            },
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private Task[] Running()
    {
        lock (_sessions)
        {
            return [.. _sessions];
        }
    }

    private async Task KeepAsync(SerialPortKeeper keeper)
    {
        try
        {
            await keeper.RunAsync(_stop.Token);
        }
        catch (Exception e)
        {
            LogFault(log, e, keeper.Look.Name);
        }
    }

    [LoggerMessage(1, LogLevel.Error, "Port {Port} is served no more: a fault of the hub", EventName = "SerialKeeperFault")]
    private static partial void LogFault(ILogger log, Exception error, string port);
}
