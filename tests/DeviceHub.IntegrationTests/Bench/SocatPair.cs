using System.Diagnostics;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.Bench;

/// <summary>Two pseudo-terminals that are one line, as a cable would be.</summary>
internal sealed class SocatPair : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("line-").FullName;
    private readonly Process socat;

    private SocatPair() => socat = Process.Start(new ProcessStartInfo("socat", [$"pty,raw,echo=0,link={HubEnd}", $"pty,raw,echo=0,link={TerminalEnd}"]) { RedirectStandardError = true })!;

    public string HubEnd => Path.Combine(folder, "hub");

    public string TerminalEnd => Path.Combine(folder, "terminal");

    public static async Task<SocatPair> Make()
    {
        var pair = new SocatPair();
        await Eventually.Holds(() => File.Exists(pair.HubEnd) && File.Exists(pair.TerminalEnd), "socat has made its pair");
        return pair;
    }

    public void Dispose()
    {
        socat.Kill();
        socat.WaitForExit();
        socat.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
