using System.Diagnostics;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.Serial;

/// <summary>Two pseudo-terminals that are one cable, by socat: what is written into one end comes out of the other. Unplugged by killing socat.</summary>
internal sealed class PtyPair(string folder, string name) : IDisposable
{
    private Process? socat;

    public string HubEnd { get; } = Path.Combine(folder, name + "-hub");

    public string TerminalEnd { get; } = Path.Combine(folder, name + "-terminal");

    public async Task Plug()
    {
        socat = Process.Start(new ProcessStartInfo("socat", [$"pty,rawer,link={HubEnd}", $"pty,rawer,link={TerminalEnd}"]))!;
        await Eventually.Holds(() => File.Exists(HubEnd) && File.Exists(TerminalEnd), "socat has made its terminals");
    }

    public void Unplug()
    {
        if (socat is { } running)
        {
            socat = null;
            running.Kill();
            running.WaitForExit();
            running.Dispose();

            // A killed socat leaves its links behind; a cable that is pulled does not.
            File.Delete(HubEnd);
            File.Delete(TerminalEnd);
        }
    }

    /// <summary>The cable carries nothing for a while, and what is written stays in the kernel until that is full.</summary>
    public void Freeze() => Signal("STOP");

    public void Thaw() => Signal("CONT");

    public void Dispose() => Unplug();

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", socat!.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }
}
