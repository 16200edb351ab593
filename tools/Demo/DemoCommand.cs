using System.CommandLine;
using System.Globalization;
using DeviceHub.Server.Hosting;
using DeviceHub.Tools.VirtualTerminals;
using Microsoft.Extensions.Options;
using Spectre.Console;

namespace DeviceHub.Tools.Demo;

/// <summary>The command line.</summary>
internal static class DemoCommand
{
    private const string English = "en";
    private const string Chinese = "zh";

    private const int MaxTerminals = 200;

    public static RootCommand Build()
    {
        var texts = new Texts(MachineLanguage());
        var terminals = new Option<int>("--terminals") { HelpName = "NUMBER", DefaultValueFactory = _ => 12, Description = texts["HelpTerminals"] };
        var badNetwork = new Option<double>("--bad-network") { HelpName = "SHARE", DefaultValueFactory = _ => 0.25, Description = texts["HelpBadNetwork"] };
        var duration = Duration.Option("--duration", texts["HelpDuration"]);
        var json = new Option<bool>("--json") { Description = texts["HelpJson"] };
        var data = new Option<DirectoryInfo?>("--data") { HelpName = "FOLDER", Description = texts["HelpData"] };
        var language = new Option<string?>("--language") { Description = texts["HelpLanguage"] };
        language.AcceptOnlyFromAmong(English, Chinese);
        Check(terminals, number => number is >= 1 and <= MaxTerminals, texts, $"1 ... {MaxTerminals}");
        Check(badNetwork, share => share is >= 0 and <= 1, texts, "0 ... 1");
        var command = new RootCommand(texts["Help"]) { duration, json, terminals, badNetwork, data, language };
        command.SetAction((values, _) => Run(
            new DemoOptions(
                values.GetValue(terminals),
                values.GetValue(badNetwork),
                values.GetValue(duration)?.Time,
                values.GetValue(data),
                values.GetValue(language) is { } chosen ? Culture(chosen) : MachineLanguage()),
            values.GetValue(json)));
        return command;
    }

    private static async Task<int> Run(DemoOptions options, bool json)
    {
        using var closing = new ClosingTime();
        var folder = options.DataFolder?.FullName ?? Directory.CreateTempSubdirectory("devicehub-demo-").FullName;
        try
        {
            Directory.CreateDirectory(folder);
            await using var file = json ? null : new StreamWriter(Path.Combine(folder, "hub.log"), append: true);
            using var log = new DemoLog(file ?? Console.Error);
            if (!json)
            {
                AnsiConsole.MarkupLine(Markup.Escape(new Texts(options.Language).Format("Starting", options.Terminals)));
            }

            await using var run = await DemoRun.Start(folder, options, log);
            await (json ? Silently(run, options, closing) : OnScreen(run, options, closing));
            return run.Result.IsGood ? 0 : 1;
        }
        catch (Exception e) when (e is StartException or OptionsValidationException or IOException or UnauthorizedAccessException or HttpRequestException)
        {
            await Console.Error.WriteLineAsync("the demo cannot start: " + e.Message);
            return 2;
        }
        finally
        {
            if (options.DataFolder is null)
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static async Task Silently(DemoRun run, DemoOptions options, ClosingTime closing)
    {
        await run.Run(options.Duration, closing, () => { });
        foreach (var difference in run.Differences.Take(100))
        {
            await Console.Error.WriteLineAsync($"{difference.Fault} {difference.Subject}: {difference.What}");
        }

        Console.WriteLine(run.Result.ToJson());
    }

    private static async Task OnScreen(DemoRun run, DemoOptions options, ClosingTime closing)
    {
        var screen = new DemoScreen(run, options);
        if (AnsiConsole.Profile.Capabilities.Interactive)
        {
            AnsiConsole.Clear();
            await AnsiConsole.Live(Text.Empty).Overflow(VerticalOverflow.Crop).StartAsync(async live =>
            {
                await run.Run(options.Duration, closing, () => live.UpdateTarget(screen.Draw(ended: false, Console.WindowWidth, Console.WindowHeight)));
                live.UpdateTarget(screen.Draw(ended: true, Console.WindowWidth, Console.WindowHeight));
            });
        }
        else
        {
            await run.Run(options.Duration, closing, () => { });
            AnsiConsole.Write(screen.Draw(ended: true, Console.WindowWidth, int.MaxValue));
        }

        AnsiConsole.WriteLine();
        foreach (var line in screen.Verdict())
        {
            AnsiConsole.MarkupLine(line);
        }
    }

    private static void Check<T>(Option<T> option, Func<T, bool> good, Texts texts, string range) => option.Validators.Add(result =>
    {
        try
        {
            if (result.Tokens.Count > 0 && !good(result.GetValueOrDefault<T>()!))
            {
                result.AddError(texts.Format("ShareRange", option.Name, range));
            }
        }
        catch (InvalidOperationException)
        {
            // No value of its type at all; the parser itself says so.
        }
    });

    private static CultureInfo MachineLanguage() => Culture(CultureInfo.CurrentUICulture.TwoLetterISOLanguageName);

    private static CultureInfo Culture(string language) => CultureInfo.GetCultureInfo(language == Chinese ? "zh-Hans" : English);
}
