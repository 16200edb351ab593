using System.Globalization;
using DeviceHub.Gateways.Serial;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace DeviceHub.Tools.SerialBridge;

/// <summary>What each port does now, in words: a line whenever it changes, which fits a console and a journal alike.</summary>
internal sealed class StateScreen(
    SerialEndpoint serial, PortKeys keys, BridgeState state, HubRelay relay, IOptions<RemoteHubOptions> hub, Texts texts, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan LookEach = TimeSpan.FromMilliseconds(200);

    private readonly Dictionary<string, string> told = [];

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await relay.DisposeAsync();
        Write(texts["Stopped"]);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var at = hub.Value;
        Write(texts.Format(at.Tls ? "Started" : "StartedPlain", string.Create(CultureInfo.InvariantCulture, $"{at.Host}:{at.Port}")));
        using var timer = new PeriodicTimer(LookEach, time);
        while (await timer.WaitForNextTickAsync(stoppingToken).AsTask().WaitAsync(stoppingToken))
        {
            foreach (var port in serial.Ports)
            {
                var words = Words(port);
                if (told.GetValueOrDefault(port.Name) != words)
                {
                    told[port.Name] = words;
                    Write($"{port.Name}: {words}");
                }
            }
        }
    }

    private string Words(PortLook port)
    {
        if (port.Fault is { } fault)
        {
            return PortWords.Of(fault, port.IsOpen, port.Settings, texts);
        }

        if (!port.IsOpen)
        {
            return texts["Opening"];
        }

        var terminal = state.Of("serial:" + port.Name).Look;
        if (terminal.Stage != PortStage.Connected && PortWords.KeyFault(port.Settings, keys, texts) is { } noKey)
        {
            return noKey;
        }

        return terminal.Stage switch
        {
            PortStage.Connecting => texts.Format("Connecting", terminal.SerialNumber),
            PortStage.Connected => texts.Format("Connected", terminal.SerialNumber),
            PortStage.NoHub => texts.Format("NoHub", terminal.SerialNumber, terminal.Detail),
            PortStage.RefusedByHub => texts.Format("RefusedByHub", terminal.SerialNumber, terminal.Detail),
            _ => terminal.SerialNumber.Length == 0 ? texts["NobodyYet"] : texts.Format("NobodyNow", terminal.SerialNumber),
        };
    }

    private void Write(string line) =>
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{time.GetLocalNow():HH:mm:ss} {line}"));
}
