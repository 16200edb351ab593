using System.CommandLine;
using DeviceHub.Tools.Bench.Codes;
using DeviceHub.Tools.Bench.Plans;
using Spectre.Console;

namespace DeviceHub.Tools.Bench.Commands;

/// <summary><c>codes</c>: the code set of a plan's decode rate, for a printer or on this screen.</summary>
internal static class CodesCommand
{
    public static Command Build(Option<string?> language)
    {
        var plan = new Option<string>("--plan") { HelpName = "FILE", DefaultValueFactory = _ => "incoming", Description = "The plan whose steps decode-rate name the codes." };
        var output = new Option<string?>("--out") { HelpName = "FILE", Description = "Writes a page (HTML) for a printer, A4. Default: on this screen." };
        var percent = new Option<int>("--percent") { HelpName = "SIZE", DefaultValueFactory = _ => 100, Description = "Of the usual size, 25 to 200, for the limit of a scanner's optics." };
        var command = new Command("codes", "Draws the codes that a plan's decode-rate has scanned, as Code 128 and QR codes.") { plan, output, percent };
        command.SetAction((values, _) => BenchCommand.Guard(() =>
        {
            var read = PlanReader.Read(values.GetValue(plan)!);
            var codes = read.Steps.Where(s => s.Kind.Name == StepKinds.DecodeRate).SelectMany(s => s.List("codes")).Distinct().ToList();
            if (codes.Count == 0)
            {
                throw new BadInputException($"{read.Name}: the plan has no step {StepKinds.DecodeRate}");
            }

            if (values.GetValue(percent) is not (>= 25 and <= 200 and var size))
            {
                throw new BadInputException("--percent: 25 to 200");
            }

            var texts = Texts.In(values.GetValue(language));
            if (values.GetValue(output) is { } path)
            {
                ReportCommand.Write(path, CodeSheet.Write(read.Name, codes, size, texts));
                Console.WriteLine(path);
            }
            else
            {
                Show(BenchCommand.Output(), codes, texts);
            }

            return Task.FromResult(ExitCode.Passed);
        }));
        return command;
    }

    private static void Show(IAnsiConsole console, IReadOnlyList<string> codes, Texts texts)
    {
        foreach (var (code, i) in codes.Select((code, i) => (code, i)))
        {
            foreach (var symbology in Enum.GetValues<Symbology>())
            {
                console.MarkupLine($"{i + 1}  {Markup.Escape(texts["Symbology" + symbology])}  {Markup.Escape(code)}");
                foreach (var line in DrawnCode.Of(symbology, code).ToLines())
                {
                    console.MarkupLine($"[black on white]{line}[/]");
                }

                console.WriteLine();
            }
        }
    }
}
