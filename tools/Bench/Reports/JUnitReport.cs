using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace DeviceHub.Tools.Bench.Reports;

/// <summary>The form that build servers read.</summary>
internal static class JUnitReport
{
    /// <summary>Programs read it.</summary>
    private static readonly Texts English = Texts.In("en");

    public static string Write(BenchReport report)
    {
        var counts = report.Steps.CountBy(s => s.Status).ToDictionary();
        var suite = new XElement(
            "testsuite",
            new XAttribute("name", Clean($"{report.Kind} {report.Plan}".TrimEnd())),
            new XAttribute("tests", report.Steps.Count),
            new XAttribute("failures", counts.GetValueOrDefault(StepStatus.Failed)),
            new XAttribute("skipped", counts.GetValueOrDefault(StepStatus.Skipped)),
            new XAttribute("errors", 0),
            new XAttribute("time", Seconds(report.Seconds)),
            new XAttribute("timestamp", report.Began.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture)),
            new XAttribute("hostname", Clean(report.Bench)),
            new XElement("properties", Properties(report).Select(p => new XElement("property", new XAttribute("name", p.Name), new XAttribute("value", Clean(p.Value))))),
            report.Steps.Select(step => Case(step, report)));
        var text = new StringBuilder();
        using (var writer = XmlWriter.Create(text, new XmlWriterSettings { Indent = true, OmitXmlDeclaration = true, NewLineChars = "\n" }))
        {
            new XElement("testsuites", suite).WriteTo(writer);
        }

        return $"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n{text}\n";
    }

    private static XElement Case(StepResult step, BenchReport report) => new(
        "testcase",
        new XAttribute("classname", Clean(report.Unit?.SerialNumber ?? report.Port)),
        new XAttribute("name", Clean($"{step.Id} {step.Title}")),
        new XAttribute("time", Seconds(step.Seconds)),
        step.Status switch
        {
            StepStatus.Failed => new XElement("failure", new XAttribute("message", Clean(step.Detail)), Clean(step.Section ?? "")),
            StepStatus.Skipped => new XElement("skipped", new XAttribute("message", Clean(step.Detail))),
            _ => null,
        },
        step.Measured.Count == 0 ? null : new XElement("system-out", Clean(string.Join('\n', step.Measured.Select(m => Wording.Of(m, English))))));

    private static IEnumerable<(string Name, string Value)> Properties(BenchReport report)
    {
        yield return report.Hub is { } hub ? ("hub", hub) : ("port", report.Port);
        yield return ("tool", report.Tool);
        if (report.Unit is { } unit)
        {
            yield return ("hardware_id", unit.HardwareId);
            yield return ("firmware", unit.Firmware);
            yield return ("model", unit.Model);
        }
    }

    private static string Seconds(double seconds) => seconds.ToString("0.000", CultureInfo.InvariantCulture);

    /// <summary>What a terminal says can hold what XML cannot.</summary>
    private static string Clean(string text) => string.Concat(text.Select(c => XmlConvert.IsXmlChar(c) || char.IsSurrogate(c) ? c : '?'));
}
