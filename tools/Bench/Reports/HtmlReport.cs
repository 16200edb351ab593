using System.Globalization;
using System.Net;
using System.Text;

namespace DeviceHub.Tools.Bench.Reports;

/// <summary>One page that needs nothing else: to be read, printed and filed.</summary>
internal static class HtmlReport
{
    private const string Style = """
        body { font: 15px/1.45 system-ui, "Noto Sans CJK SC", sans-serif; color: #1c2430; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
        h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
        .verdict { font-size: 2.6rem; font-weight: 700; padding: .4rem 1rem; border-radius: .4rem; color: #fff; display: inline-block; margin: 1rem 0; }
        .pass { background: #1a7f37; } .fail { background: #b42318; } .incomplete { background: #8a6100; }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; } dt { color: #5a6675; } dd { margin: 0; overflow-wrap: anywhere; }
        table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .3rem .5rem; border-bottom: 1px solid #d8dee6; }
        td.status { font-weight: 700; white-space: nowrap; } tr.failed td { background: #fdecea; } tr.failed td.status { color: #b42318; }
        tr.passed td.status { color: #1a7f37; } tr.skipped { color: #6b7683; }
        .measured { color: #44505e; font-size: .9em; }
        svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; fill: #1c2430; } .bar { fill: #4a7fb5; } .bar.bad { fill: #b42318; }
        .signed { margin-top: 2.5rem; color: #5a6675; font-size: .85em; overflow-wrap: anywhere; }
        @media print { body { margin: 0; max-width: none; font-size: 11px; } tr, svg { break-inside: avoid; } .verdict { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
        """;

    public static string Write(BenchReport report, string keyFingerprint, Texts texts)
    {
        var page = new StringBuilder();
        var subject = report.Unit?.SerialNumber ?? report.Port;
        page.Append(CultureInfo.InvariantCulture, $"<!DOCTYPE html>\n<html lang=\"{(texts.Language.Name == "zh-Hans" ? "zh-CN" : "en")}\">\n<head>\n<meta charset=\"utf-8\">\n")
            .Append("<meta name=\"viewport\" content=\"width=device-width\">\n")
            .Append(CultureInfo.InvariantCulture, $"<title>{Text(subject)}: {Text(texts["Verdict" + report.Verdict])}</title>\n<style>\n{Style}\n</style>\n</head>\n<body>\n")
            .Append(CultureInfo.InvariantCulture, $"<h1>{Text(texts["ReportTitle"])}</h1>\n")
            .Append(CultureInfo.InvariantCulture, $"<div class=\"verdict {report.Verdict.ToString().ToLowerInvariant()}\">{Text(texts["Verdict" + report.Verdict])}</div>\n");
        Facts(page, report, texts);
        Steps(page, report, texts);
        page.Append(CultureInfo.InvariantCulture, $"<h2>{Text(texts["ReportDurations"])}</h2>\n{Charts.Durations(report.Steps, texts["ReportDurations"])}\n");
        foreach (var histogram in report.Latencies.Where(h => h.Counts.Sum() > 0))
        {
            page.Append(CultureInfo.InvariantCulture, $"<h2>{Text(texts.Finding(histogram.Name))}</h2>\n<p class=\"measured\">")
                .Append(CultureInfo.InvariantCulture, $"n {histogram.Counts.Sum()}, p50 {Wording.Number(histogram.P50Ms)} ms, p99 {Wording.Number(histogram.P99Ms)} ms, ")
                .Append(CultureInfo.InvariantCulture, $"max {Wording.Number(histogram.MaxMs)} ms</p>\n{Charts.Latencies(histogram)}\n");
        }

        return page.Append(CultureInfo.InvariantCulture, $"<p class=\"signed\">{Text(texts.Format("ReportSigned", keyFingerprint))}<br>{Text(report.Tool)}</p>\n</body>\n</html>\n").ToString();
    }

    private static void Facts(StringBuilder page, BenchReport report, Texts texts)
    {
        page.Append("<dl>\n");
        void Fact(string name, string? value)
        {
            if (value is { Length: > 0 })
            {
                page.Append(CultureInfo.InvariantCulture, $"<dt>{Text(texts[name])}</dt><dd>{Text(value)}</dd>\n");
            }
        }

        Fact("FactSerialNumber", report.Unit?.SerialNumber ?? "-");
        Fact("FactHardwareId", report.Unit?.HardwareId);
        Fact("FactModel", report.Unit?.Model);
        Fact("FactFirmware", report.Unit?.Firmware);
        Fact("FactPlan", $"{report.Kind} {report.Plan}");
        Fact("FactPort", report.Port);
        Fact("FactHub", report.Hub);
        Fact("FactBench", report.Bench);
        Fact("FactTime", $"{report.Began:yyyy-MM-dd HH:mm:ss zzz}, {Wording.Number(report.Seconds)} s");
        Fact("FactCounts", texts.Format(
            "CountsOfSteps",
            report.Steps.Count(s => s.Status == StepStatus.Passed),
            report.Steps.Count(s => s.Status == StepStatus.Failed),
            report.Steps.Count(s => s.Status == StepStatus.Skipped)));
        page.Append("</dl>\n");
    }

    private static void Steps(StringBuilder page, BenchReport report, Texts texts)
    {
        page.Append(CultureInfo.InvariantCulture, $"<h2>{Text(texts["ReportSteps"])}</h2>\n<table>\n<tr><th>#</th><th>{Text(texts["ReportWhat"])}</th><th>{Text(texts["ReportResult"])}</th></tr>\n");
        foreach (var step in report.Steps)
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr class=\"{step.Status.ToString().ToLowerInvariant()}\"><td>{Text(step.Id)}</td><td>{Text(step.Title)}");
            if (step.Section is { } section)
            {
                page.Append(CultureInfo.InvariantCulture, $"<br><span class=\"measured\">{Text(section)}</span>");
            }

            if (step.Detail.Length > 0)
            {
                page.Append(CultureInfo.InvariantCulture, $"<br><b>{Text(step.Detail)}</b>");
            }

            foreach (var measured in step.MoreMeasured)
            {
                page.Append(CultureInfo.InvariantCulture, $"<br><span class=\"measured\">{Text(Wording.Of(measured, texts))}</span>");
            }

            page.Append(CultureInfo.InvariantCulture, $"</td><td class=\"status\">{Text(texts["Status" + step.Status])}</td></tr>\n");
        }

        page.Append("</table>\n");
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
