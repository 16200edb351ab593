using System.CommandLine;
using System.Security.Cryptography;
using DeviceHub.Tools.Bench.Conformance;
using DeviceHub.Tools.Bench.Hub;
using DeviceHub.Tools.Bench.Line;
using DeviceHub.Tools.Bench.Link;
using DeviceHub.Tools.Bench.Reports;
using Spectre.Console;

namespace DeviceHub.Tools.Bench.Commands;

/// <summary><c>conformance</c>: every demand of the specification that a bench can see, one by one.</summary>
internal static class ConformanceCommand
{
    private static readonly (JigAction Action, string Option)[] JigOptions =
        [(JigAction.Scan, "--jig-scan"), (JigAction.Cancel, "--jig-cancel"), (JigAction.PowerCut, "--jig-power"), (JigAction.FactoryReset, "--jig-reset")];

    private sealed record Choice(string Port, HubTarget? Hub, int Baud, byte[]? Key, IReadOnlyList<ConformanceCase> Cases, IReadOnlyDictionary<JigAction, string> Jig, bool Alone, string? Report, Texts Texts);

    public static Command Build(Option<string?> language)
    {
        var port = PortOptions.Port();
        port.Arity = ArgumentArity.ZeroOrOne;
        var (baud, key, report) = (PortOptions.Baud(), PortOptions.Key(), PortOptions.Report());
        var (hub, terminal, apiKey) = (PortOptions.Hub(), PortOptions.Terminal(), PortOptions.ApiKey());
        var only = new Option<string[]>("--case") { HelpName = "ID", Description = "Only these cases, as in S05,S06 or all that begin with C.", AllowMultipleArgumentsPerToken = true };
        var quick = new Option<bool>("--quick") { Description = "Without the cases that take longer than 15 s." };
        var alone = new Option<bool>("--alone") { Description = "Nobody is in front of the unit: what needs hands and has no jig is not run." };
        var list = new Option<bool>("--list") { Description = "Lists the cases." };
        var jigs = JigOptions.Select(j => new Option<string?>(j.Option) { HelpName = "COMMAND", Description = $"Does it instead of the operator: {j.Action}. README.md has its environment." }).ToList();
        var command = new Command("conformance", "Tries every MUST of the specification that a bench can see: numbered, in order, each for itself.") { port, baud, key, hub, terminal, apiKey, only, quick, alone, list, report };
        jigs.ForEach(command.Options.Add);
        command.SetAction((values, _) => BenchCommand.Guard(async () =>
        {
            var cases = Chosen(values.GetValue(only) ?? [], values.GetValue(quick));
            if (values.GetValue(list))
            {
                return List(cases);
            }

            var jig = jigs.Zip(JigOptions).Where(j => values.GetValue(j.First) is not null).ToDictionary(j => j.Second.Action, j => values.GetValue(j.First)!);
            var target = HubTarget.Of(values.GetValue(hub), values.GetValue(terminal), values.GetValue(apiKey), values.GetValue(port) is not null);
            if (target is not null && values.GetValue(key) is not null)
            {
                throw new BadInputException("--key goes with a PORT: the hub has the terminal's key");
            }

            return await Run(new Choice(
                target is not null ? target.Address.ToString() : PortOptions.PathOf(values.GetValue(port) ?? throw new BadInputException("conformance: which port? (devicehub-bench ports)")),
                target, values.GetValue(baud), TerminalKeys.Parse(values.GetValue(key)), cases, jig, values.GetValue(alone), values.GetValue(report), Texts.In(values.GetValue(language))));
        }, Texts.In(values.GetValue(language))));
        return command;
    }

    private static IReadOnlyList<ConformanceCase> Chosen(string[] only, bool quick)
    {
        var wanted = only.SelectMany(o => o.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).ToList();
        foreach (var id in wanted.Where(id => !ConformanceRun.Cases.Any(c => c.Id.StartsWith(id, StringComparison.OrdinalIgnoreCase))))
        {
            throw new BadInputException($"--case {id}: there is none (devicehub-bench conformance --list)");
        }

        return [.. ConformanceRun.Cases.Where(c => (wanted.Count == 0 || wanted.Any(id => c.Id.StartsWith(id, StringComparison.OrdinalIgnoreCase))) && !(quick && c.IsSlow))];
    }

    private static int List(IReadOnlyList<ConformanceCase> cases)
    {
        foreach (var one in cases)
        {
            Console.WriteLine($"{one.Id}  {one.Demand}{(one.IsSlow ? " (slow)" : "")}{(one.NeedsLine ? "" : " (through a hub too)")}  [{one.Section}]");
        }

        return ExitCode.Passed;
    }

    private static async Task<int> Run(Choice choice)
    {
        using var stop = new StopKeys();
        using var signing = ReportFiles.Begin(choice.Report);
        var console = BenchCommand.Output();
        IJig hands = choice.Alone || Console.IsInputRedirected ? new NoJig() : new OperatorJig((text, _) => console.MarkupLine($"[bold yellow]>> {Markup.Escape(text)}[/]"), choice.Texts);
        var jig = new EitherJig(new CommandJig(choice.Jig, choice.Port), hands);
        if (choice.Hub is { } hub)
        {
            return await hub.Reach((reach, stopped) => Run(reach(jig, stopped), choice, signing, console), choice.Texts, stop.Token);
        }

        using var line = SerialLine.Open(choice.Port, choice.Baud);
        using var link = new BenchLink(line, choice.Baud);
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
        _ = line.Ended.ContinueWith(_ => lost.Cancel(), lost.Token, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        var code = await Run(new LineRig(link, new BenchSession(link, new TerminalKeys(BenchHome.Default, choice.Key)), jig, choice.Texts, lost.Token), choice, signing, console);
        var isLost = line.Ended.IsCompleted && !stop.Token.IsCancellationRequested;
        await lost.CancelAsync();
        return isLost ? throw new PortException($"{choice.Port}: lost: {await line.Ended}") : code;
    }

    private static async Task<int> Run(Rig rig, Choice choice, ECDsa? signing, IAnsiConsole console)
    {
        var (began, from) = (TimeProvider.System.GetLocalNow(), SerialLine.Now);
        var results = await ConformanceRun.Run(choice.Cases, rig, Begins, result => Ended(console, result, choice.Texts));
        var found = BenchReport.Of(rig, "conformance", "", began, from, rig.Cancellation.IsCancellationRequested, results);
        Tell(console, found, choice.Texts);
        if (signing is not null)
        {
            Console.WriteLine(ReportFiles.Write(found, choice.Report!, ReportFiles.Name(found), signing, choice.Texts));
        }

        return found.Verdict switch { Verdict.Pass => ExitCode.Passed, Verdict.Fail => ExitCode.Failed, _ => found.Stopped ? ExitCode.Stopped : ExitCode.Failed };
    }

    /// <summary>On a screen the case that runs is seen, and replaced by what became of it.</summary>
    private static void Begins(ConformanceCase one)
    {
        if (!Console.IsOutputRedirected)
        {
            Console.Write($"....  {one.Id}\r");
        }
    }

    private static void Ended(IAnsiConsole console, StepResult result, Texts texts)
    {
        var color = result.Status switch { StepStatus.Passed => "green", StepStatus.Failed => "red bold", _ => "yellow" };
        console.MarkupLine($"[{color}]{Markup.Escape(texts["Status" + result.Status])}[/]  {result.Id}  {Markup.Escape(result.Title)}");
        if (result.Detail.Length > 0)
        {
            console.MarkupLine($"      [{color}]{Markup.Escape(result.Detail)}[/] [grey]({Markup.Escape(result.Section ?? "")})[/]");
        }

        foreach (var measured in result.MoreMeasured)
        {
            console.MarkupLine($"      [grey]{Markup.Escape(Wording.Of(measured, texts))}[/]");
        }
    }

    private static void Tell(IAnsiConsole console, BenchReport found, Texts texts)
    {
        var color = found.Verdict switch { Verdict.Pass => "white on green", Verdict.Fail => "white on red", _ => "black on yellow" };
        var counts = texts.Format("CountsOfSteps", found.Steps.Count(s => s.Status == StepStatus.Passed), found.Steps.Count(s => s.Status == StepStatus.Failed), found.Steps.Count(s => s.Status == StepStatus.Skipped));
        console.MarkupLine($"[{color}] {Markup.Escape(texts["Verdict" + found.Verdict])} [/] {Markup.Escape(found.Unit?.SerialNumber ?? "-")}  {Markup.Escape(counts)}");
    }
}
