using System.Globalization;

namespace DeviceHub.IntegrationTests.Server;

/// <summary>Reads the Prometheus text of <c>/metrics</c>.</summary>
internal static class Metrics
{
    /// <summary>The sum over the lines of a metric that hold a label; 0 when there is none.</summary>
    public static async Task<double> Value(Caller caller, string name, string label = "")
    {
        var text = await (await caller.Send(HttpMethod.Get, "/metrics")).Content.ReadAsStringAsync();
        return text.Split('\n')
            .Where(line => line.StartsWith(name, StringComparison.Ordinal) && line.Length > name.Length && line[name.Length] is ' ' or '{' && line.Contains(label, StringComparison.Ordinal))
            .Sum(line => double.Parse(line[(line.LastIndexOf('}') + 1)..].Trim().Split(' ')[0], CultureInfo.InvariantCulture));
    }
}
