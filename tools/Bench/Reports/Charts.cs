using System.Globalization;
using System.Net;
using System.Text;

namespace DeviceHub.Tools.Bench.Reports;

/// <summary>Charts as SVG within the page: nothing is loaded, and they print.</summary>
internal static class Charts
{
    private const int Width = 720;
    private const int Left = 90;
    private const int RowHeight = 18;

    /// <summary>Horizontal bars of how many latencies were up to each bound.</summary>
    public static string Latencies(Histogram histogram)
    {
        var last = histogram.Counts.ToList().FindLastIndex(c => c > 0);
        var first = Math.Max(0, histogram.Counts.ToList().FindIndex(c => c > 0));
        var most = Math.Max(1, histogram.Counts.Max());
        var svg = Begin(Math.Max(0, last - first + 1), histogram.Name);
        for (var i = first; i <= last; i++)
        {
            var bound = i < histogram.UpToMs.Count ? $"≤ {Wording.Number(histogram.UpToMs[i])} ms" : $"> {Wording.Number(histogram.UpToMs[^1])} ms";
            Bar(svg, i - first, bound, (double)histogram.Counts[i] / most, histogram.Counts[i].ToString(CultureInfo.InvariantCulture), "bar");
        }

        return svg.Append("</svg>").ToString();
    }

    /// <summary>Horizontal bars of what each step took.</summary>
    public static string Durations(IReadOnlyList<StepResult> steps, string title)
    {
        var ran = steps.Where(s => s.Status != StepStatus.Skipped).OrderByDescending(s => s.Seconds).Take(20).ToList();
        var most = Math.Max(0.001, ran.Select(s => s.Seconds).DefaultIfEmpty().Max());
        var svg = Begin(ran.Count, title);
        for (var i = 0; i < ran.Count; i++)
        {
            Bar(svg, i, ran[i].Id, ran[i].Seconds / most, $"{Wording.Number(ran[i].Seconds)} s", ran[i].Status == StepStatus.Failed ? "bar bad" : "bar");
        }

        return svg.Append("</svg>").ToString();
    }

    private static StringBuilder Begin(int rows, string title) => new StringBuilder()
        .Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {(rows * RowHeight) + 6}\" role=\"img\" aria-label=\"{WebUtility.HtmlEncode(title)}\">");

    private static void Bar(StringBuilder svg, int row, string label, double share, string value, string kind)
    {
        var y = row * RowHeight;
        var length = Math.Round(Math.Max(1, share * (Width - Left - 80)), 1);
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 6}\" y=\"{y + 13}\" text-anchor=\"end\">{WebUtility.HtmlEncode(label)}</text>")
            .Append(CultureInfo.InvariantCulture, $"<rect class=\"{kind}\" x=\"{Left}\" y=\"{y + 2}\" width=\"{length}\" height=\"{RowHeight - 5}\"/>")
            .Append(CultureInfo.InvariantCulture, $"<text x=\"{Left + length + 5}\" y=\"{y + 13}\">{WebUtility.HtmlEncode(value)}</text>");
    }
}
