using System.Runtime.InteropServices;

namespace DeviceHub.Tools.VirtualTerminals;

/// <summary>
/// Ctrl-C and SIGTERM for a tool that scans: the first ends the scanning, the second also the waiting for what is open. A terminal window
/// that is closed ends both.
/// </summary>
public sealed class ClosingTime : IDisposable
{
    private readonly CancellationTokenSource scanning = new();
    private readonly CancellationTokenSource settling = new();
    private readonly List<PosixSignalRegistration> signals;

    public ClosingTime() => signals =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, Close),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, Close),
        PosixSignalRegistration.Create(PosixSignal.SIGHUP, Close),
    ];

    public CancellationToken Scanning => scanning.Token;

    public CancellationToken Settling => settling.Token;

    public void Dispose()
    {
        signals.ForEach(s => s.Dispose());
        scanning.Dispose();
        settling.Dispose();
    }

    private void Close(PosixSignalContext signal)
    {
        signal.Cancel = true;
        if (signal.Signal == PosixSignal.SIGHUP)
        {
            scanning.Cancel();
        }

        (scanning.IsCancellationRequested ? settling : scanning).Cancel();
    }
}
