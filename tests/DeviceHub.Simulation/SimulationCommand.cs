using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace DeviceHub.Simulation;

/// <summary>The command line.</summary>
internal static class SimulationCommand
{
    private const int MaxSeeds = 1_000_000_000;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private static readonly string Notes = $"""
        Plays payments with everything against them: the decision core, the store, the channels, the terminals and the clock, simulated from a
        seed in virtual time. After each seed I1 to I8 and I13 are checked from three books: the ledger, the banks' and what terminals were
        told. Ends with 1 and the story of the first failure, when there is one. Without any of these options the tests are run.

        Mutants, deliberate bugs for --mutant:
        {string.Join('\n', Mutants.All.Select(m => $"  {m.Name,-28} {m.Says}"))}
        """;

    private static readonly Option<int> Seeds = new("--seeds") { HelpName = "NUMBER", DefaultValueFactory = _ => 100_000, Description = "How many seeds are played, on all cores." };
    private static readonly Option<int> From = new("--from") { HelpName = "SEED", DefaultValueFactory = _ => 1, Description = "The first one." };
    private static readonly Option<int?> Seed = new("--seed") { HelpName = "SEED", Description = "Only this one, with its story." };
    private static readonly Option<string?> Mutant = new("--mutant") { HelpName = "NAME", Description = "With this deliberate bug; the seeds should fail." };
    private static readonly Option<FileInfo?> Json = new("--json") { HelpName = "FILE", Description = "Writes what came of it: seeds, seconds, seedsPerMinute, seen, failed." };

    public static RootCommand Build()
    {
        Mutant.AcceptOnlyFromAmong([.. Mutants.All.Select(m => m.Name)]);
        Check(Seeds, 1);
        Check(From, 0);
        var command = new RootCommand(Notes) { Seeds, From, Seed, Mutant, Json };
        command.SetAction(values => Run(
            values.GetValue(From),
            values.GetValue(Seeds),
            values.GetValue(Seed),
            Mutants.All.FirstOrDefault(m => m.Name == values.GetValue(Mutant))?.Seams ?? Seams.Right,
            values.GetValue(Json)));
        return command;
    }

    private static int Run(int from, int seeds, int? one, Seams seams, FileInfo? json)
    {
        if (one is { } seed)
        {
            var told = PaymentSimulation.Run(seed, new Core.Payments.PaymentOptions(), seams, traced: true);
            Console.Write(told.Story);
            Console.WriteLine(told.Fault is null ? $"seed {seed}: {string.Join("; ", told.Seen)}" : $"seed {seed} FAILED: {told.Fault}");
            return told.Fault is null ? 0 : 1;
        }

        var progress = new Progress(seeds);
        var end = SimulationRun.Run(from, seeds, seams, Console.IsOutputRedirected ? null : progress.Tell);
        if (end.Failed is { } failed)
        {
            Console.Write(failed.Story);
        }

        foreach (var (what, count) in end.Seen.OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count,10}  {what}"));
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{end.Seeds} seeds in {end.Took.TotalSeconds:f1} s, {PerMinute(end):f0} a minute on {Environment.ProcessorCount} cores"));
        Console.WriteLine(end.Failed is { } bad ? $"seed {bad.Seed} FAILED: {bad.Fault}" : "all three books agree after each of them");
        if (json is not null)
        {
            Write(json, end);
        }

        return end.Failed is null ? 0 : 1;
    }

    private static double PerMinute(RunEnd end) => end.Seeds / end.Took.TotalMinutes;

    private static void Write(FileInfo json, RunEnd end) => File.WriteAllText(json.FullName, JsonSerializer.Serialize(
        new
        {
            seeds = end.Seeds,
            seconds = Math.Round(end.Took.TotalSeconds, 1),
            seedsPerMinute = Math.Round(PerMinute(end)),
            seen = new SortedDictionary<string, int>(end.Seen.ToDictionary(), StringComparer.Ordinal),
            failed = end.Failed is { } failed ? new { seed = failed.Seed, fault = failed.Fault, story = failed.Story } : null,
        },
        Indented));

    private static void Check(Option<int> option, int least) => option.Validators.Add(result =>
    {
        try
        {
            if (result.Tokens.Count > 0 && (result.GetValueOrDefault<int>() < least || result.GetValueOrDefault<int>() > MaxSeeds))
            {
                result.AddError($"{option.Name} must be {least} to {MaxSeeds}");
            }
        }
        catch (InvalidOperationException)
        {
            // No value of its type at all; the parser itself says so.
        }
    });

    /// <summary>A line that is written over, for a person who waits.</summary>
    private sealed class Progress(int seeds)
    {
        private const int Every = 5000;

        public void Tell(int done)
        {
            if (done % Every == 0)
            {
                Console.Write(string.Create(CultureInfo.InvariantCulture, $"\r{done} of {seeds} seeds{(done == seeds ? "\n" : "")}"));
            }
        }
    }
}
