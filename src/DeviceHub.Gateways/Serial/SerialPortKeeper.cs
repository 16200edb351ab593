using Microsoft.Extensions.Logging;

namespace DeviceHub.Gateways.Serial;

/// <summary>What a configured port is doing now.</summary>
/// <param name="Name">The operator's.</param>
/// <param name="Settings">As configured.</param>
/// <param name="IsOpen">It can be used.</param>
/// <param name="Fault">Why it could not be opened or went away, or what is wrong while it is open; null: nothing is, or it was not tried yet.</param>
public sealed record PortLook(string Name, SerialPortSettings Settings, bool IsOpen, PortException? Fault);

/// <summary>Keeps one configured port open: finds it, opens it, and tries again with a growing wait when it is not there, busy or forbidden.</summary>
internal sealed partial class SerialPortKeeper(SerialEndpoint endpoint, string name, SerialPortSettings settings, UsbPorts usb)
{
    /// <summary>A port that was open for less than this has not proved itself: the wait goes on growing.</summary>
    private static readonly TimeSpan Proved = TimeSpan.FromSeconds(5);

    private IServedPort? port;
    private string? told;
    private volatile PortException? fault;

    public PortLook Look => new(name, settings, port is not null, fault ?? port?.Suspicion);

    public int Handling => port?.Handling ?? 0;

    public async Task RunAsync(CancellationToken stop)
    {
        var options = endpoint.Options;
        var wait = options.RetryMs;
        while (!stop.IsCancellationRequested)
        {
            var began = endpoint.Time.GetTimestamp();
            if (await ServeAsync(stop) is { } why)
            {
                Tell(why);
            }

            wait = endpoint.Time.GetElapsedTime(began) > Proved ? options.RetryMs : wait;
            await Task.Delay(TimeSpan.FromMilliseconds(wait), endpoint.Time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            wait = Math.Min(wait * 2, options.RetryMaxMs);
        }
    }

    /// <summary>The hub stops: the terminal is told.</summary>
    public void Stop() => port?.Stop();

    /// <summary>The port's life, and why it ended; null: it was stopped.</summary>
    private async Task<PortException?> ServeAsync(CancellationToken stop)
    {
        IServedPort serving;
        try
        {
            // A driver may take its time to open, which must not be the loop's.
            serving = await Task.Run(Open, CancellationToken.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e as PortException ?? new PortException(PortFault.Other, e.Message);
        }

        SerialMetrics.Open.Add(1);
        LogOpen(endpoint.Log, name, settings.Path ?? settings.Usb!, settings.Baud);
        told = null;
        fault = null;
        port = serving;
        endpoint.Loop.Serve(serving);
        await using (stop.Register(() => endpoint.Loop.Drop(serving)))
        {
            var why = await serving.Ending;
            port = null;
            SerialMetrics.Open.Add(-1);
            return why;
        }
    }

    private IServedPort Open() => settings.Mode switch
    {
        SerialMode.Framed => new FramedPort(endpoint, name, settings, OpenTty()),
        SerialMode.Line => new ScannerPort(endpoint, name, settings, OpenTty()),
        _ => new ScannerPort(endpoint, name, settings, EventDevice.Open(Find("input"))),
    };

    private Tty OpenTty() => Tty.Open(Find("tty"), settings.Baud, settings.Dtr, settings.Rts);

    private string Find(string deviceClass)
    {
        if (settings.Path is { Length: > 0 } path)
        {
            return path;
        }

        return usb.Find(settings.Usb!, deviceClass) switch
        {
            [var only] => only,
            [] => throw new PortException(PortFault.Missing, $"no port of USB device {settings.Usb} is there (not plugged in?)"),
            var several => throw new PortException(PortFault.Other, $"{string.Join(", ", several)} are all of USB device {settings.Usb}: name one by Path, or by its serial"),
        };
    }

    private void Tell(PortException why)
    {
        SerialMetrics.PortFault(name, why.Fault);
        fault = why;
        if (told != why.Message)
        {
            told = why.Message;
            LogFault(endpoint.Log, name, why.Message);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Opened port {Port} ({Path}) at {Baud} baud", EventName = "SerialOpen")]
    private static partial void LogOpen(ILogger log, string port, string path, int baud);

    [LoggerMessage(2, LogLevel.Warning, "Port {Port} cannot be used: {Reason}. It is tried again", EventName = "SerialPortFault")]
    private static partial void LogFault(ILogger log, string port, string reason);
}
