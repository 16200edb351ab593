using System.Runtime.InteropServices;

namespace DeviceHub.Tools.Bench;

/// <summary>Ctrl-C and SIGTERM: what runs is ended and what was found is written; a second one ends the program.</summary>
internal sealed class StopKeys : IDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly IReadOnlyList<PosixSignalRegistration> signals;

    public StopKeys() => signals = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM }.Select(signal => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = !stop.IsCancellationRequested;
        Stop();
    }))];

    public CancellationToken Token => stop.Token;

    public void Stop()
    {
        try
        {
            stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The program is at its end already.
        }
    }

    public void Dispose()
    {
        foreach (var signal in signals)
        {
            signal.Dispose();
        }

        stop.Dispose();
    }
}
