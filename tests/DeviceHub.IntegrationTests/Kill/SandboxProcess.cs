using System.Diagnostics;
using System.Net.Http.Json;
using DeviceHub.Channels.Sandbox;
using DeviceHub.Tests;
using DeviceHub.Tools.Chaos;

namespace DeviceHub.IntegrationTests.Kill;

/// <summary>The channel as a process of its own, which goes on charging when the hub is killed; started again on the same port and book.</summary>
public sealed class SandboxProcess(params string[] arguments) : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("sandbox-").FullName;
    private Process? process;

    public Uri Url { get; } = new($"http://127.0.0.1:{Ports.Free()}");

    public async Task Start()
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, WorkingDirectory = folder };
        foreach (var argument in (string[])[
            Path.Combine(AppContext.BaseDirectory, "SandboxHost.dll"), "--urls", Url.ToString(), "--book", Path.Combine(folder, "book.jsonl"), .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        process = Process.Start(start)!;
        await Eventually.Holds(async () => (await Book()).Count >= 0, "the Sandbox's process answers");
    }

    /// <summary>All that it did to payers.</summary>
    public async Task<IReadOnlyList<SandboxCharge>> Book()
    {
        using var http = new HttpClient { BaseAddress = Url, Timeout = TimeSpan.FromSeconds(5) };
        return (await http.GetFromJsonAsync(new Uri("/book", UriKind.Relative), SandboxJson.Default.IReadOnlyListSandboxCharge))!;
    }

    /// <summary>SIGKILL.</summary>
    public async Task Kill()
    {
        if (process is { HasExited: false })
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Kill();
        process?.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
