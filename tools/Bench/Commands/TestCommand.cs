using System.CommandLine;
using DeviceHub.Tools.Bench.Codes;
using DeviceHub.Tools.Bench.Conformance;
using DeviceHub.Tools.Bench.Hub;
using DeviceHub.Tools.Bench.Link;
using DeviceHub.Tools.Bench.Plans;
using DeviceHub.Tools.Bench.Reports;
using Spectre.Console;

namespace DeviceHub.Tools.Bench.Commands;

/// <summary><c>test</c>: a plan, for one unit or for unit after unit, on up to eight ports.</summary>
internal static class TestCommand
{
    private const int MostPorts = 8;
    private const int MostUnits = 1_000_000;

    private sealed record Choice(IReadOnlyList<string> Ports, HubTarget? Hub, Plan Plan, int Baud, byte[]? Key, int Units, bool Label, bool Alone, string? Report, Texts Texts);

    public static Command Build(Option<string?> language)
    {
        var ports = new Argument<string[]>("PORT") { Arity = ArgumentArity.ZeroOrMore, Description = $"One to {MostPorts} ports; each is a lane of its own." };
        var plan = new Option<string>("--plan") { HelpName = "FILE", Required = true, Description = "line, incoming, type, or a file." };
        var check = new Option<bool>("--check") { Description = "Only reads the plan." };
        var units = new Option<int>("--units") { HelpName = "NUMBER", DefaultValueFactory = _ => 1, Description = "Units on each port, one after the other; 0: until Ctrl-C." };
        var label = new Option<bool>("--label") { Description = "A unit is tested when its label was scanned too (by a scanner that types)." };
        var alone = new Option<bool>("--alone") { Description = "Nobody is in front of the units: what needs a person is not run." };
        var (baud, key, report) = (PortOptions.Baud(), PortOptions.Key(), PortOptions.Report());
        var (hub, terminal, apiKey) = (PortOptions.Hub(), PortOptions.Terminal(), PortOptions.ApiKey());
        var command = new Command("test", "Tests units by a plan: starts when a unit is plugged in, ends with a verdict and a signed report.")
            { ports, plan, check, units, label, alone, baud, key, hub, terminal, apiKey, report };
        command.SetAction((values, _) => BenchCommand.Guard(async () =>
        {
            var read = PlanReader.Read(values.GetValue(plan)!);
            if (values.GetValue(check))
            {
                Console.WriteLine($"{read.Name}: {read.Steps.Count} steps");
                return ExitCode.Passed;
            }

            var chosen = values.GetValue(ports) ?? [];
            var target = HubTarget.Of(values.GetValue(hub), values.GetValue(terminal), values.GetValue(apiKey), chosen.Length > 0);
            if (target is not null && (values.GetValue(units) != 1 || values.GetValue(label) || values.GetValue(key) is not null))
            {
                throw new BadInputException("--units, --label and --key go with a PORT: through a hub it is one terminal, whose key the hub has");
            }

            if ((target is null && chosen.Length is 0) || chosen.Length is > MostPorts || values.GetValue(units) is < 0 or > MostUnits)
            {
                throw new BadInputException($"test: 1 to {MostPorts} ports (devicehub-bench ports); --units 0 to {MostUnits}");
            }

            return await Run(new Choice(
                [.. chosen.Select(PortOptions.PathOf)], target, read, values.GetValue(baud), TerminalKeys.Parse(values.GetValue(key)), values.GetValue(units), values.GetValue(label),
                values.GetValue(alone), values.GetValue(report), Texts.In(values.GetValue(language))));
        }, Texts.In(values.GetValue(language))));
        return command;
    }

    private static async Task<int> Run(Choice choice)
    {
        using var stop = new StopKeys();
        using var turn = new SemaphoreSlim(1);
        using var signing = ReportFiles.Begin(choice.Report);
        var isScreen = AnsiConsole.Profile.Capabilities.Interactive && !Console.IsOutputRedirected;
        var labels = choice.Label ? new ScannedLabels() : null;
        var somebody = !choice.Alone && !choice.Label && !Console.IsInputRedirected;
        var options = new LaneOptions(
            choice.Plan, choice.Baud, choice.Units, new TerminalKeys(BenchHome.Default, choice.Key), labels,
            view => choice.Alone ? new NoJig() : new OperatorJig((text, code) => Tell(view, text, code, isScreen), choice.Texts),
            view => somebody && isScreen ? new KeyboardOperator(view, choice.Texts, turn) : new Nobody(),
            report => signing is null ? null : ReportFiles.Write(report, choice.Report!, ReportFiles.Name(report), signing, choice.Texts),
            choice.Texts);
        void Told(LaneView view, StepResult? result) => Ended(view, result, choice, isScreen);
        List<Lane> lanes = choice.Hub is { } hub ? [new HubLane(hub, options, Told)] : [.. choice.Ports.Select(port => new PortLane(port, options, Told))];
        _ = labels is null ? Task.CompletedTask : Task.Run(() => ReadLabels(labels), CancellationToken.None);

        var working = Task.WhenAll(lanes.Select(lane => lane.Work(stop.Token)));
        if (isScreen)
        {
            await Show(working, new TestScreen([.. lanes.Select(l => l.View)], choice.Plan, choice.Texts));
        }

        var verdicts = (await working).SelectMany(v => v).ToList();
        return verdicts.Contains(Verdict.Fail) ? ExitCode.Failed
            : stop.Token.IsCancellationRequested ? ExitCode.Stopped
            : verdicts.Count > 0 && verdicts.All(v => v == Verdict.Pass) ? ExitCode.Passed : ExitCode.Failed;
    }

    private static Task Show(Task working, TestScreen screen) => AnsiConsole.Live(Text.Empty).Overflow(VerticalOverflow.Crop).StartAsync(async live =>
    {
        while (!working.IsCompleted)
        {
            live.UpdateTarget(screen.Draw(Console.WindowWidth, Console.WindowHeight));
            await Task.WhenAny(working, Task.Delay(200));
        }

        live.UpdateTarget(screen.Draw(Console.WindowWidth, Console.WindowHeight));
    });

    private static void Tell(LaneView view, string text, DrawnCode? code, bool isScreen)
    {
        (view.Instruction, view.Code) = (text, code);
        if (!isScreen)
        {
            Console.WriteLine($"{view.Port}: >> {text}");
        }
    }

    /// <summary>Without a screen each step is a line, and so is the verdict.</summary>
    private static void Ended(LaneView view, StepResult? result, Choice choice, bool isScreen)
    {
        if (isScreen)
        {
            return;
        }

        var measured = result is null ? "" : string.Join(", ", result.MoreMeasured.Select(m => Wording.Of(m, choice.Texts)));
        var line = result is null
            ? $"{choice.Texts["Verdict" + view.Verdict]}  {view.Serial}  {choice.Texts.Format("CountsOfSteps", view.Results.Count(s => s.Status == StepStatus.Passed), view.Results.Count(s => s.Status == StepStatus.Failed), view.Results.Count(s => s.Status == StepStatus.Skipped))}  {view.Note}"
            : $"{choice.Texts["Status" + result.Status]}  {result.Id}  {result.Title}{(result.Detail.Length > 0 ? $": {result.Detail}" : "")}{(measured.Length > 0 ? $" [{measured}]" : "")}";
        Console.WriteLine(choice.Ports.Count > 1 ? $"{view.Port}  {line}" : line.TrimEnd());
    }

    private static void ReadLabels(ScannedLabels labels)
    {
        while (Console.In.ReadLine() is { } label)
        {
            labels.Add(label);
        }
    }
}
