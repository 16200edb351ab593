using DeviceHub.Tools.LoadBench.Driver;
using System.Diagnostics;
using System.Globalization;

namespace DeviceHub.Tools.LoadBench.Targets;

/// <summary>A measured process: how much processor time and memory it took, and the few words spoken with it by its pipes.</summary>
internal sealed class ServerProcess : IDisposable
{
    /// <summary>A hub that drains its connections takes seconds.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly bool endsWithItsInput;

    private ServerProcess(Process process, bool endsWithItsInput) => (this.process, this.endsWithItsInput) = (process, endsWithItsInput);

    /// <summary>Seconds of user and system time since its start.</summary>
    public double CpuSeconds
    {
        get
        {
            var stat = File.ReadAllText($"/proc/{process.Id}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / 100.0;
        }
    }

    /// <summary>Resident bytes now.</summary>
    public long ResidentBytes
    {
        get
        {
            var line = File.ReadLines($"/proc/{process.Id}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
            return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
        }
    }

    /// <summary>This program again, as a child in <see cref="ChildLoop"/>: it ends, and deletes its folder with the keys in it, when its input is closed.</summary>
    public static ServerProcess Child(params string[] arguments) => Start(true, Environment.ProcessPath!, arguments);

    /// <summary>A program that is killed at the end: what it leaves is in the bench's own folder.</summary>
    public static ServerProcess Start(string program, params string[] arguments) => Start(false, program, arguments);

    /// <summary>The rest of the next line that begins with a word.</summary>
    public string Expect(string word, TimeSpan limit)
    {
        using var giveUp = new CancellationTokenSource(limit);
        try
        {
            while (process.StandardOutput.ReadLineAsync(giveUp.Token).AsTask().GetAwaiter().GetResult() is { } line)
            {
                if (line.StartsWith(word, StringComparison.Ordinal))
                {
                    return line[word.Length..].Trim();
                }
            }
        }
        catch (OperationCanceledException)
        {
            throw new BenchException($"{process.ProcessName} did not say '{word}' within {limit.TotalSeconds} s");
        }

        throw new BenchException($"{process.StartInfo.FileName} {string.Join(' ', process.StartInfo.ArgumentList)} ended before it said '{word}'");
    }

    /// <summary>Waits for a child that ends by itself.</summary>
    public void Ends(TimeSpan limit)
    {
        if (!process.WaitForExit(limit) || process.ExitCode != 0)
        {
            throw new BenchException($"{string.Join(' ', process.StartInfo.ArgumentList)} did not end well within {limit.TotalSeconds} s");
        }
    }

    /// <summary>Has a child collect its garbage and give the memory back.</summary>
    public void Collect()
    {
        process.StandardInput.WriteLine("collect");
        Expect("collected", TimeSpan.FromSeconds(60));
    }

    public void Dispose()
    {
        try
        {
            process.StandardInput.Close();
            if (!endsWithItsInput || !process.WaitForExit(StopLimit))
            {
                process.Kill();
                process.WaitForExit();
            }
        }
        catch (Exception e) when (e is InvalidOperationException or IOException)
        {
            // It has ended already.
        }

        process.Dispose();
    }

    private static ServerProcess Start(bool endsWithItsInput, string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };
        return new ServerProcess(Process.Start(start) ?? throw new BenchException($"{program} did not start"), endsWithItsInput);
    }
}
