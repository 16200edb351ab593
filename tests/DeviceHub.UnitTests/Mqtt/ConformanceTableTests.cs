using System.Text.RegularExpressions;
using DeviceHub.UnitTests.Tidy;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace DeviceHub.UnitTests.Mqtt;

/// <summary>The table beside the endpoint says which test keeps which statement of the standards; a test that is renamed away is missed here.</summary>
public sealed partial class ConformanceTableTests
{
    private const string Table = "src/DeviceHub.Gateways/Mqtt/CONFORMANCE.md";

    private static readonly List<Row> Rows = Read();

    [Fact]
    public void Both_standards_are_there_without_a_number_twice()
    {
        Assert.InRange(Rows.Count(r => r.Standard == "MQTT 3.1.1"), 110, 145);
        Assert.InRange(Rows.Count(r => r.Standard == "MQTT 5.0"), 200, 260);
        Assert.Equal(Rows.Count, Rows.Select(r => (r.Standard, r.Number)).Distinct().Count());
        Assert.All(Rows, row => Assert.Matches(@"^\d+\.\d+(\.\d+)?-\d+$", row.Number));
    }

    [Fact]
    public void Every_statement_has_a_verdict_with_its_test_or_its_reason() =>
        None(Rows.Where(r => !Verdict().IsMatch(r.Verdict) || (r.Verdict == "kept" && r.Tests.Count == 0))
            .Select(r => $"{r.Standard} {r.Number}: \"{r.Verdict}\" with {r.Tests.Count} tests"));

    [Fact]
    public void Every_named_test_exists()
    {
        var tests = Sources.All.Where(f => f.Path.StartsWith("tests/", StringComparison.Ordinal))
            .SelectMany(f => f.Tree.DescendantNodes().OfType<MethodDeclarationSyntax>())
            .Where(m => m.AttributeLists.SelectMany(a => a.Attributes).Any(a => a.Name.ToString() is "Fact" or "Theory"))
            .Select(m => $"{((ClassDeclarationSyntax)m.Parent!).Identifier.Text}.{m.Identifier.Text}")
            .ToHashSet(StringComparer.Ordinal);
        None(from row in Rows from test in row.Tests where !tests.Contains(test) select $"{row.Standard} {row.Number}: there is no test {test}");
    }

    private static List<Row> Read()
    {
        var standard = "";
        var rows = new List<Row>();
        foreach (var line in File.ReadLines(Path.Combine(Sources.Root, Table)))
        {
            if (line.StartsWith("## ", StringComparison.Ordinal))
            {
                standard = line[3..];
            }
            else if (line.StartsWith("| ", StringComparison.Ordinal) && !line.StartsWith("| Number", StringComparison.Ordinal))
            {
                var cells = line.Trim('|').Split('|', StringSplitOptions.TrimEntries);
                Assert.True(cells.Length == 4, $"{Table}: four columns, please: {line}");
                rows.Add(new Row(standard, cells[0], cells[2], cells[3].Split("<br>", StringSplitOptions.RemoveEmptyEntries)));
            }
        }

        return rows;
    }

    private static void None(IEnumerable<string> faults)
    {
        var all = faults.ToList();
        Assert.True(all.Count == 0, string.Join('\n', all));
    }

    [GeneratedRegex("^(kept|(deviation|does not apply): .{8,})$")]
    private static partial Regex Verdict();

    private sealed record Row(string Standard, string Number, string Verdict, IReadOnlyList<string> Tests);
}
