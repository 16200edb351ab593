using System.CommandLine;
using System.Globalization;
using DeviceHub.Server.Hosting;

namespace DeviceHub.Tools.Seed;

/// <summary>The command line.</summary>
internal static class SeedCommand
{
    private const string Notes = """
        Fills the data folder of a hub that is not running with merchants, stores, terminals, their last sightings and two days of heartbeats,
        activation codes, people with sessions and API keys, an audit log, charges from tills and payments, as if it had been in use for weeks:
        for looking at pages and measuring them. Payments go through the hub's own decisions, ledger and projection. The same numbers and seed
        give the same data; keys, codes and the owner's password are random all the same. Terminals that were heard in the last minutes look
        connected until a hub starts: then none is, until it logs in.

        The payments were paid nowhere: of those that are not final the hub will ask the Sandbox when it starts, and be told that there are
        none. Use the folder for nothing else.

        Examples:
          devicehub-seed --data /tmp/large
          devicehub-seed --data /tmp/small --terminals 200 --payments 5000 --weeks 1

        Exit code 2: the folder is in use, or is not empty.
        """;

    private static readonly Option<DirectoryInfo> Data = new("--data") { HelpName = "FOLDER", Required = true, Description = "The hub's data folder; made if it is missing." };
    private static readonly Option<int> Terminals = Number("--terminals", 100_000, 1, 1_000_000, "How many terminals.");
    private static readonly Option<int> Payments = Number("--payments", 1_000_000, 0, 10_000_000, "How many payments.");
    private static readonly Option<int> Weeks = Number("--weeks", 4, 1, 52, "Over how many weeks the payments are spread.");
    private static readonly Option<int> Seed = Number("--seed", 1, 1, 99, "Of all chance; it is in the serial numbers too.");
    private static readonly Option<string?> Until = new("--until") { HelpName = "TIME", Description = "When the last ones happened, such as 2026-05-01T12:00:00Z. [default: now]" };
    private static readonly Option<bool> Add = new("--add") { Description = "Fill a folder that is not empty: what it has stays." };

    public static RootCommand Build()
    {
        Until.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && Time(result.Tokens[0].Value) is null)
            {
                result.AddError($"--until: '{result.Tokens[0].Value}' is not a time such as 2026-05-01T12:00:00Z");
            }
        });
        var command = new RootCommand(Notes) { Data, Terminals, Payments, Weeks, Seed, Until, Add };
        command.SetAction(Run);
        return command;
    }

    private static async Task<int> Run(ParseResult parsed, CancellationToken cancellation)
    {
        var setup = new SeedSetup(
            parsed.GetRequiredValue(Data).FullName,
            parsed.GetValue(Terminals),
            parsed.GetValue(Payments),
            parsed.GetValue(Weeks),
            parsed.GetValue(Seed),
            parsed.GetValue(Until) is { } until ? Time(until)!.Value : TimeProvider.System.GetUtcNow());
        try
        {
            await SeedRun.Fill(setup, parsed.GetValue(Add), Console.WriteLine, cancellation);
            return 0;
        }
        catch (Exception e) when (e is SeedException or StartException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 2;
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync($"stopped; '{setup.Folder}' is filled in part: remove it");
            return 2;
        }
    }

    private static DateTimeOffset? Time(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    private static Option<int> Number(string name, int usual, int least, int most, string says)
    {
        var option = new Option<int>(name) { HelpName = "NUMBER", DefaultValueFactory = _ => usual, Description = $"{says} {least} to {most}." };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && (!int.TryParse(result.Tokens[0].Value, out var number) || number < least || number > most))
            {
                result.AddError($"{name} must be {least} to {most}");
            }
        });
        return option;
    }
}
