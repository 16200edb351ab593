using System.CommandLine;
using DeviceHub.Tools.Bench.Reports;

namespace DeviceHub.Tools.Bench.Commands;

/// <summary><c>report</c>: makes the readable forms of a signed report again.</summary>
internal static class ReportCommand
{
    public static Command Build(Option<string?> language)
    {
        var file = new Argument<string>("FILE") { Description = "A signed report (.json)." };
        var html = new Option<string?>("--html") { HelpName = "FILE", Description = "Where the page goes. Default: beside the report." };
        var junit = new Option<string?>("--junit") { HelpName = "FILE", Description = "Where the JUnit XML goes. Default: beside the report." };
        var command = new Command("report", "Makes HTML and JUnit XML of a signed report, in the language that is wanted.") { file, html, junit };
        command.SetAction((values, _) => BenchCommand.Guard(() =>
        {
            var path = values.GetValue(file)!;
            var (report, publicKey) = SignedReport.Read(path) ?? throw new BadInputException($"{path}: the signature does not hold; nothing was made of it");
            var page = values.GetValue(html) ?? Path.ChangeExtension(path, ".html");
            var xml = values.GetValue(junit) ?? Path.ChangeExtension(path, ".xml");
            Write(page, HtmlReport.Write(report, SigningKey.Fingerprint(publicKey), Texts.In(values.GetValue(language))));
            Write(xml, JUnitReport.Write(report));
            Console.WriteLine(page);
            Console.WriteLine(xml);
            return Task.FromResult(ExitCode.Passed);
        }));
        return command;
    }

    public static void Write(string path, string text)
    {
        try
        {
            File.WriteAllText(path, text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{path}: {e.Message}");
        }
    }
}
