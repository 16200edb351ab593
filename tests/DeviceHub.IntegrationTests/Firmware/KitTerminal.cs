using System.Diagnostics;
using System.Text.RegularExpressions;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.Firmware;

/// <summary>A terminal that is the C kit: one of its two example programs, with AddressSanitizer, a flash file, and a cashier that types.</summary>
internal sealed partial class KitTerminal : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly List<string> lines = [];

    /// <param name="program">dhp_mqtt or dhp_serial_line.</param>
    public KitTerminal(string program, params string[] arguments)
    {
        process = new Process
        {
            StartInfo = new ProcessStartInfo(Path.Combine(Repository.Root, "artifacts", "firmware", "gcc", "examples", program), arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Output
    {
        get
        {
            lock (lines)
            {
                return string.Join('\n', lines);
            }
        }
    }

    /// <summary>Builds the programs where they are not built; check.sh of the kit has mostly done it.</summary>
    public static async Task Build()
    {
        var script = Path.Combine(Repository.Root, "firmware-protocol", "c", "check.sh");
        using var build = new ToolProcess(new ProcessStartInfo("bash") { WorkingDirectory = Repository.Root }, script, "--examples");
        var code = await build.Exits(TimeSpan.FromMinutes(3));
        Assert.True(code == 0, build.Output + build.Errors);
    }

    public async Task Types(string line)
    {
        await process.StandardInput.WriteLineAsync(line);
        await process.StandardInput.FlushAsync();
    }

    /// <summary>The first line from <paramref name="after"/> on that holds this; the number of the line after it counts on.</summary>
    public async Task<(string Line, int After)> Says(string text, int after = 0)
    {
        var found = -1;
        await Eventually.Holds(
            () =>
            {
                lock (lines)
                {
                    found = lines.FindIndex(Math.Min(after, lines.Count), l => l.Contains(text, StringComparison.Ordinal));
                }

                return found >= 0 || process.HasExited;
            },
            $"the terminal says '{text}'; it said:\n{Output}",
            Limit);
        Assert.True(found >= 0, $"it ended before it said '{text}':\n{Output}");
        lock (lines)
        {
            return (lines[found], found + 1);
        }
    }

    /// <summary>Scans, and returns the request's id and where to read on.</summary>
    public async Task<(string RequestId, int After)> Scans(int amountFen)
    {
        int from;
        lock (lines)
        {
            from = lines.Count;
        }

        await Types($"scan 13{Random.Shared.NextInt64(1_000_000_000_000_000, 9_999_999_999_999_999)} {amountFen}");
        var sending = await Says("show SENDING", from);
        return (RequestId().Match(sending.Line).Groups[1].Value, sending.After);
    }

    /// <summary>SIGKILL: a power cut.</summary>
    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    /// <summary>SIGSTOP: it stands still, as in a long erase of its flash.</summary>
    public void Freeze() => Signal("STOP");

    public void Thaw() => Signal("CONT");

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill();
            process.WaitForExit();
        }

        process.Dispose();
    }

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    private void Keep(string? line)
    {
        if (line is not null)
        {
            lock (lines)
            {
                lines.Add(line);
            }
        }
    }

    [GeneratedRegex(@"id=(\S+)")]
    private static partial Regex RequestId();
}
