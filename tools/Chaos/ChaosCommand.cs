using System.CommandLine;
using DeviceHub.Tools.VirtualTerminals;

namespace DeviceHub.Tools.Chaos;

/// <summary>The command line.</summary>
internal static class ChaosCommand
{
    private const int UsualKills = 25;

    private const string Notes = """
        Kills a hub with SIGKILL at random moments under load, and compares three books to the fen: what terminals were told, the hub's
        ledger, and what the channels took. Hub and ChannelSandbox are processes of their own; the channels are WeChat Pay v2 and v3,
        Alipay and Shouqianba, with seven accounts in all, their notices, and faults by amount and by chance; a dozen terminals pay over
        MQTT, a quarter of them on a bad network.

        Examples:
          tools/chaos.sh --kills 200 --json chaos.json
          tools/chaos.sh --duration 10m --seed 7

        Exit code 1: a payment is lost, charged twice, mismatched or not settled, or none was made; 2: the run could not be made.
        """;

    private static readonly Option<int?> Kills = new("--kills") { HelpName = "NUMBER", Description = $"How often the hub is killed, 1 to 100000. [default: {UsualKills}, with --duration as often as its time allows]" };
    private static readonly Option<Duration?> Time = Duration.Option("--duration", "How long it is killed again; with --kills, whichever is over first.");
    private static readonly Option<int> Seed = new("--seed") { HelpName = "NUMBER", DefaultValueFactory = _ => 1, Description = "Of amounts, moments and faults; what the machine does in between is not in it." };
    private static readonly Option<int> Terminals = new("--terminals") { HelpName = "NUMBER", DefaultValueFactory = _ => 12, Description = "How many, 1 to 200, with four cashiers each." };
    private static readonly Option<double> FaultRate = new("--fault-rate") { HelpName = "SHARE", DefaultValueFactory = _ => 0.1, Description = "Of calls to the channels that something goes wrong with by chance, 0 to 1; besides amounts that ask for faults." };
    private static readonly Option<DirectoryInfo?> Data = new("--data") { HelpName = "FOLDER", Description = "An empty folder for the data and logs of the run, kept. [default: a temporary one, kept when the books disagree]" };
    private static readonly Option<FileInfo?> Json = new("--json") { HelpName = "FILE", Description = "Where the result is written to: kills, payments, lost, doubleCharged, mismatched, unsettled." };

    public static RootCommand Build()
    {
        Check(Kills, kills => kills is null or (>= 1 and <= 100_000), "1 to 100000");
        Check(Terminals, terminals => terminals is >= 1 and <= 200, "1 to 200");
        Check(FaultRate, share => share is >= 0 and <= 1, "0 to 1");
        var command = new RootCommand(Notes) { Kills, Time, Seed, Terminals, FaultRate, Data, Json };
        command.SetAction(Run);
        return command;
    }

    private static async Task<int> Run(ParseResult parsed, CancellationToken cancellation)
    {
        var duration = parsed.GetValue(Time)?.Time;
        var options = new ChaosOptions(
            parsed.GetValue(Kills) ?? (duration is null ? UsualKills : null), duration, parsed.GetValue(Seed), parsed.GetValue(Terminals), parsed.GetValue(FaultRate));
        var data = parsed.GetValue(Data);
        if (data is { Exists: true } && data.EnumerateFileSystemInfos().Any())
        {
            await Console.Error.WriteLineAsync($"{data.FullName} is not empty");
            return 2;
        }

        var folder = data?.FullName ?? Directory.CreateTempSubdirectory("devicehub-chaos-").FullName;
        Directory.CreateDirectory(folder);
        var keep = true;
        try
        {
            await using var run = new ChaosRun(options, folder, line => Console.WriteLine(line));
            var result = await run.Run(cancellation);
            foreach (var difference in run.Differences.Take(100))
            {
                Console.WriteLine($"{difference.Fault} {difference.Subject}: {difference.What}");
            }

            Console.WriteLine(result.ToJson());
            if (parsed.GetValue(Json) is { } file)
            {
                await File.WriteAllTextAsync(file.FullName, result.ToJson() + "\n", cancellation);
            }

            keep = data is not null || !result.IsGood;
            return result.IsGood ? 0 : 1;
        }
        catch (Exception e) when (e is ChaosException or IOException or HttpRequestException or OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("the run could not be made: " + e.Message);
            return 2;
        }
        finally
        {
            if (keep)
            {
                Console.WriteLine($"data and logs, with keys in them, are kept in {folder}");
            }
            else
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static void Check<T>(Option<T> option, Func<T, bool> good, string range) => option.Validators.Add(result =>
    {
        try
        {
            if (result.Tokens.Count > 0 && !good(result.GetValueOrDefault<T>()!))
            {
                result.AddError($"{option.Name} must be {range}");
            }
        }
        catch (InvalidOperationException)
        {
            // No value of its type at all; the parser itself says so.
        }
    });
}
