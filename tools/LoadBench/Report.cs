using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using DeviceHub.Tools.LoadBench.Pages;

namespace DeviceHub.Tools.LoadBench;

/// <summary>One measured run of one target.</summary>
internal sealed record Run(
    string Target, int Number, double RequestsPerSecond, double P50Ms, double P99Ms, double ServerCpuSeconds, double DriverCpuSeconds, double Seconds, long ResidentBytes);

/// <summary>A named figure: the median of its values, their spread, and what is demanded of it.</summary>
/// <param name="Limit">Null: nothing is demanded.</param>
/// <param name="AtMost">The limit is an upper one.</param>
internal sealed record Figure(string Name, double Value, double Min, double Max, int Runs, double? Limit = null, double? Aim = null, bool AtMost = false, string? Note = null)
{
    public bool? Holds => Limit is not { } limit ? null : AtMost ? Value <= limit : Value >= limit;

    public static Figure Of(string name, IReadOnlyList<double> values, double? limit = null, double? aim = null, bool atMost = false, string? note = null)
    {
        var sorted = values.Order().ToList();
        var median = sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[(sorted.Count / 2) - 1] + sorted[sorted.Count / 2]) / 2;
        return new Figure(name, Math.Round(median, 3), Math.Round(sorted[0], 3), Math.Round(sorted[^1], 3), values.Count, limit, aim, atMost, note);
    }

    /// <summary>Of things that must hold each: the largest is what counts.</summary>
    public static Figure OfWorst(string name, IReadOnlyList<double> values, double limit, string note) =>
        new(name, Math.Round(values.Max(), 3), Math.Round(values.Min(), 3), Math.Round(values.Max(), 3), values.Count, limit, AtMost: true, Note: note);
}

/// <summary>Everything that a run of the bench found.</summary>
internal sealed record Report(
    DateTimeOffset Date,
    string Commit,
    string Machine,
    bool Quick,
    IReadOnlyDictionary<string, string> RaisedLimits,
    IReadOnlyList<Run> Runs,
    IReadOnlyList<Figure> Figures,
    IReadOnlyList<PageTime> Pages)
{
    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Default.Report);

    public string ToMarkdown()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"# Measured {Date:yyyy-MM-dd HH:mm} UTC, commit {Commit}{(Quick ? ", quick" : "")}").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"{Machine}; driver and servers share it, over loopback.").AppendLine();
        text.AppendLine("| figure | median | spread | runs | demanded | aim | |").AppendLine("|---|---|---|---|---|---|---|");
        foreach (var f in Figures)
        {
            var demanded = f.Limit is null ? "" : (f.AtMost ? "at most " : "at least ") + Number(f.Limit.Value);
            var holds = f.Holds switch { null => "", true => "holds", false => "**missed**" };
            text.AppendLine(CultureInfo.InvariantCulture, $"| `{f.Name}` | {Number(f.Value)} | {Number(f.Min)} to {Number(f.Max)} | {f.Runs} | {demanded} | {(f.Aim is { } aim ? Number(aim) : "")} | {holds}{(f.Note is null ? "" : " " + f.Note)} |");
        }

        text.AppendLine().AppendLine("| target | run | requests/s | p50 ms | p99 ms | server CPU s | driver CPU s | in s | resident MB |").AppendLine("|---|---|---|---|---|---|---|---|---|");
        foreach (var r in Runs)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"| {r.Target} | {r.Number} | {r.RequestsPerSecond:n0} | {r.P50Ms} | {r.P99Ms} | {r.ServerCpuSeconds:n2} | {r.DriverCpuSeconds:n2} | {r.Seconds:n1} | {r.ResidentBytes / 1e6:n0} |");
        }

        if (Pages.Count > 0)
        {
            text.AppendLine().AppendLine("| page | address | median ms | worst ms | runs | at most | |").AppendLine("|---|---|---|---|---|---|---|");
            foreach (var p in Pages)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"| {p.Name} | `{p.Address}` | {p.MedianMs} | {p.WorstMs} | {p.Runs} | {p.LimitMs} | {(p.Holds ? "holds" : "**missed**")} |");
            }
        }

        text.AppendLine().AppendLine("Raised limits (all checks stay on):").AppendLine();
        foreach (var (option, value) in RaisedLimits)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"- `{option}` = {value}");
        }

        return text.ToString();
    }

    private static string Number(double value) => value.ToString(value >= 1000 ? "n0" : "0.###", CultureInfo.InvariantCulture);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Report))]
internal sealed partial class ReportJson : JsonSerializerContext;
