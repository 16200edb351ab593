using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace DeviceHub.Tests;

/// <summary>A program as a process of its own, with what it prints; killed at the end if it still runs.</summary>
public sealed class ToolProcess : IDisposable
{
    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly StringBuilder errors = new();

    /// <summary>A .NET program that was built beside the tests.</summary>
    public ToolProcess(string dll, params string[] arguments)
        : this(new ProcessStartInfo("dotnet") { WorkingDirectory = Path.GetTempPath() }, [Path.Combine(AppContext.BaseDirectory, dll), .. arguments])
    {
    }

    public ToolProcess(ProcessStartInfo start, params string[] arguments)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Keep(output, line.Data);
        process.ErrorDataReceived += (_, line) => Keep(errors, line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public bool HasExited => process.HasExited;

    public string Output => Text(output);

    public string Errors => Text(errors);

    /// <summary>Its exit code, with everything that it printed read.</summary>
    public async Task<int> Exits(TimeSpan within)
    {
        using var limit = new CancellationTokenSource(within);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"it has not ended within {within.TotalSeconds} s:\n{Output}{Errors}");
        }

        return process.ExitCode;
    }

    /// <summary>SIGTERM.</summary>
    public async Task Terminate()
    {
        using var kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
        }

        process.Dispose();
    }

    private static string Text(StringBuilder lines)
    {
        lock (lines)
        {
            return lines.ToString();
        }
    }

    private static void Keep(StringBuilder lines, string? line)
    {
        if (line is not null)
        {
            lock (lines)
            {
                lines.Append(line).Append('\n');
            }
        }
    }
}
