using System.CommandLine;
using System.Globalization;
using DeviceHub.Tools.LoadBench.Driver;
using DeviceHub.Tools.LoadBench.Targets;

namespace DeviceHub.Tools.LoadBench;

internal static class Program
{
    /// <summary>Several hubs end one after the other.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromMinutes(5);

    private static Task<int> Main(string[] args) => args switch
    {
        // Child modes, started by the bench itself.
        ["responder", var port] => Task.FromResult(Responder.Run(int.Parse(port, CultureInfo.InvariantCulture))),
        ["echo"] => EchoChild.Run(),
        ["hub", .. var groups] => HubChild.Run(groups),
        ["hub-in", var folder] => HubChild.RunIn(folder),
        ["hub-at", var url, var accounts, var account, .. var groups] => HubChild.Run(groups, ChannelOfHub.Load(url, accounts, account)),
        ["reconcile-fill", var folder, var payments] => ReconcileChild.Fill(folder, int.Parse(payments, CultureInfo.InvariantCulture)),
        ["reconcile", var folder, var rows, var url] => ReconcileChild.Run(folder, int.Parse(rows, CultureInfo.InvariantCulture), url),
        _ => Command().Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = StopLimit }),
    };

    private static RootCommand Command()
    {
        var quick = new Option<bool>("--quick") { Description = "Shorter runs, fewer of them, and of mosquitto, bare and hub alone if nothing else is asked for: under a minute." };
        var json = new Option<FileInfo?>("--json") { Description = "File to write everything measured to." };
        var results = new Option<FileInfo?>("--results") { Description = "Markdown file to write the figures to." };
        var commit = new Option<string>("--commit") { DefaultValueFactory = _ => "unknown", Description = "What is measured." };
        var only = new Option<string[]>("--only") { Description = "Parts to measure: mosquitto, bare, hub, watched, http, tls, reconcile, serial, pages.", AllowMultipleArgumentsPerToken = true };
        var seeded = new Option<DirectoryInfo?>("--seeded") { Description = "For the pages: a folder that tools/Seed has filled; its owner's password is replaced. [default: one is filled]" };
        var command = new RootCommand("Measures the hub beside mosquitto and its own bare endpoint") { quick, json, results, commit, only, seeded };
        command.SetAction(async (options, stop) =>
        {
            var report = await Measure(options.GetValue(quick), options.GetValue(commit)!, options.GetValue(only) ?? [], options.GetValue(seeded)?.FullName, stop);
            if (options.GetValue(json) is { } jsonFile)
            {
                await File.WriteAllTextAsync(jsonFile.FullName, report.ToJson(), stop);
            }

            if (options.GetValue(results) is { } resultsFile)
            {
                await File.WriteAllTextAsync(resultsFile.FullName, report.ToMarkdown(), stop);
            }

            Console.WriteLine(report.ToMarkdown());
            return report.Figures.Any(f => f.Holds == false) ? 1 : 0;
        });
        return command;
    }

    private static async Task<Report> Measure(bool quick, string commit, string[] only, string? seeded, CancellationToken stop)
    {
        using var bench = new Bench(quick ? Scale.Quick : Scale.Full, line => Console.Error.WriteLine(line));

        // A stop does not wait for what runs: its servers are ended beneath it.
        await Task.Run(() => bench.Run(only, seeded), stop).WaitAsync(stop);
        return new Report(TimeProvider.System.GetUtcNow(), commit, Machine(), quick, HubChild.Raised, bench.Runs, bench.Figures, bench.PageTimes);
    }

    private static string Machine()
    {
        var cpu = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown processor";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Environment.ProcessorCount} cores of {cpu}, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9:n0} GB, .NET {Environment.Version}");
    }
}
