using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;
using DeviceHub.Tools.Chaos;

namespace DeviceHub.Tests;

/// <summary>
/// The built server as a process of its own: it can be killed like any process and started again on the same data folder and ports.
/// </summary>
public sealed partial class HubProcess : IAsyncDisposable
{
    /// <summary>Of its output no more is kept.</summary>
    public const int MaxLines = 10_000;

    private readonly ConcurrentQueue<string> output = new();
    private readonly string[] arguments;
    private readonly bool ownsFolder;
    private Process? process;

    /// <param name="dataFolder">Null: a new one, deleted at the end.</param>
    /// <param name="arguments">More options, as <c>--Section:Name=value</c>.</param>
    public HubProcess(string? dataFolder = null, params string[] arguments)
    {
        ownsFolder = dataFolder is null;
        DataFolder = dataFolder ?? Directory.CreateTempSubdirectory("hub-").FullName;
        this.arguments = arguments;
        (HttpPort, MqttPort, MqttTlsPort) = (Ports.Free(), Ports.Free(), Ports.Free());
    }

    public string DataFolder { get; }

    public int HttpPort { get; }

    public int MqttPort { get; }

    public int MqttTlsPort { get; }

    public Uri Url => new($"http://127.0.0.1:{HttpPort}");

    public int Id => process?.Id ?? 0;

    /// <summary>What it printed, of all its starts.</summary>
    public string Output => string.Join('\n', output);

    /// <summary>The administrator's password, which only the very first start prints.</summary>
    public string? FirstPassword => PasswordLine().Match(Output) is { Success: true } match ? match.Groups[1].Value : null;

    /// <summary>Starts it and waits until it is ready for terminals; fails at once when it ends.</summary>
    public async Task Start()
    {
        var dll = Path.Combine(AppContext.BaseDirectory, "DeviceHub.Server.dll");
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = DataFolder,
        };
        foreach (var argument in (string[])[
            dll,
            $"--Server:DataFolder={DataFolder}",
            $"--Server:Urls={Url}",
            $"--Mqtt:Port={MqttPort}",
            $"--Mqtt:TlsAddress=127.0.0.1",
            $"--Mqtt:TlsPort={MqttTlsPort}",
            .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var http = new HttpClient { BaseAddress = Url, Timeout = TimeSpan.FromSeconds(5) };
        await Eventually.Holds(
            async () => process.HasExited || (await http.GetAsync(new Uri("/health/ready", UriKind.Relative))).IsSuccessStatusCode,
            "the hub is ready",
            TimeSpan.FromSeconds(60));
        if (process.HasExited)
        {
            await process.WaitForExitAsync();
            throw new InvalidOperationException($"the hub ended with {process.ExitCode}:\n{Output}");
        }
    }

    /// <summary>SIGKILL: nothing is flushed, nobody is told. Fails when it had ended by itself.</summary>
    public async Task Kill()
    {
        if (process is not { HasExited: false })
        {
            throw new InvalidOperationException($"the hub had ended by itself with {process?.ExitCode}:\n{Output}");
        }

        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
    }

    /// <summary>SIGTERM, as an operator stops it; returns its exit code.</summary>
    public async Task<int> Stop(TimeSpan within)
    {
        using (var kill = Process.Start("kill", ["-TERM", Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync();
        }

        using var limit = new CancellationTokenSource(within);
        await process!.WaitForExitAsync(limit.Token);
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
        {
            await Kill();
        }

        process?.Dispose();
        if (ownsFolder)
        {
            Directory.Delete(DataFolder, recursive: true);
        }
    }

    private void Keep(string? line)
    {
        if (line is not null && output.Count < MaxLines)
        {
            output.Enqueue(line);
        }
    }

    [GeneratedRegex(@"shown this once:\s*(\S+)", RegexOptions.IgnoreCase)]
    private static partial Regex PasswordLine();
}
