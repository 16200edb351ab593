using System.CommandLine;
using Spectre.Console;

namespace DeviceHub.Tools.Bench.Commands;

/// <summary>The command line.</summary>
internal static class BenchCommand
{
    public static RootCommand Build()
    {
        var language = new Option<string?>("--language") { Description = "Language of what operators see: en or zh. Default: the machine's.", Recursive = true };
        language.AcceptOnlyFromAmong("en", "zh");
        return new RootCommand("Tests payment terminals at the other end of a serial line, where it is the hub itself, or through a hub.")
        {
            language,
            PortsCommand.Build(language),
            ConformanceCommand.Build(language),
            EmulateCommand.Build(),
            MonitorCommand.Build(),
            MonitorCommand.BuildReplay(),
            TestCommand.Build(language),
            CodesCommand.Build(language),
            ReportCommand.Build(language),
            VerifyCommand.Build(),
        };
    }

    /// <summary>Runs a command's action and tells people what was wrong.</summary>
    /// <param name="texts">Of those in front of a unit; null: it is for engineers.</param>
    public static async Task<int> Guard(Func<Task<int>> action, Texts? texts = null)
    {
        try
        {
            return await action();
        }
        catch (BadInputException e)
        {
            return Tell(e.Message, ExitCode.BadInput);
        }
        catch (PortException e)
        {
            return Tell(texts is null ? e.Message : e.Phrase.In(texts), ExitCode.NoPort);
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Stopped;
        }
    }

    /// <summary>What goes into a pipe or a file is not cut to a screen's width.</summary>
    public static IAnsiConsole Output()
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings());
        if (Console.IsOutputRedirected)
        {
            console.Profile.Width = 240;
        }

        return console;
    }

    private static int Tell(string message, int code)
    {
        Console.Error.WriteLine(message);
        return code;
    }
}
