using System.Diagnostics;
using System.Text;

namespace DeviceHub.Tools.Chaos;

/// <summary>A program of ours as a process of its own that can be killed and started again; what it prints is appended to a file.</summary>
internal sealed class Child(string dll, string log, Uri ready, params string[] arguments) : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly StreamWriter writer = new(log, append: true) { AutoFlush = true };
    private readonly StringBuilder first = new();
    private Process? process;

    /// <summary>What it printed first, up to 8,000 characters.</summary>
    public string FirstOutput
    {
        get
        {
            lock (first)
            {
                return first.ToString();
            }
        }
    }

    /// <summary>Starts it, and waits until <c>ready</c> is answered well.</summary>
    /// <exception cref="ChaosException">It ended, or was not ready in time.</exception>
    public async Task Start(CancellationToken cancellation)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetDirectoryName(log)! };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, dll));
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var from = Stopwatch.GetTimestamp();
        while (!await IsReady(cancellation))
        {
            if (process.HasExited)
            {
                throw new ChaosException($"{dll} ended with {process.ExitCode} at its start; see {log}");
            }

            if (Stopwatch.GetElapsedTime(from) > StartLimit)
            {
                throw new ChaosException($"{dll} was not ready within {StartLimit.TotalSeconds} s; see {log}");
            }

            await Task.Delay(50, cancellation);
        }
    }

    /// <summary>SIGKILL: nothing is flushed, nobody is told.</summary>
    /// <exception cref="ChaosException">It had ended by itself.</exception>
    public async Task Kill()
    {
        if (process is not { HasExited: false })
        {
            throw new ChaosException($"{dll} ended by itself with {process?.ExitCode}; see {log}");
        }

        process.Kill();
        await process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
        {
            await Kill();
        }

        process?.Dispose();
        http.Dispose();
        lock (first)
        {
            writer.Dispose();
        }
    }

    private async Task<bool> IsReady(CancellationToken cancellation)
    {
        try
        {
            using var answer = await http.GetAsync(ready, cancellation);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    private void Keep(string? line)
    {
        lock (first)
        {
            if (line is null || writer.BaseStream is null)
            {
                return;
            }

            writer.WriteLine(line);
            if (first.Length < 8_000)
            {
                first.AppendLine(line);
            }
        }
    }
}

/// <summary>The run could not be made; the message says why.</summary>
internal sealed class ChaosException(string message) : Exception(message);
