using System.Globalization;
using DeviceHub.Tools.Bench.Conformance;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace DeviceHub.Tools.Bench.Plans;

/// <summary>Reads plans; README.md, "Plans". Whatever is wrong is told with line and column.</summary>
internal sealed class PlanReader(string path)
{
    private const long MaxBytes = 1 << 20;
    private const int MaxSteps = 200;
    private const double DefaultLimitSeconds = 24 * 3600;

    private static readonly (string Name, JigAction Action)[] JigNames =
        [("scan", JigAction.Scan), ("cancel", JigAction.Cancel), ("power-cut", JigAction.PowerCut), ("factory-reset", JigAction.FactoryReset)];

    /// <summary>A shipped plan's name, or a file.</summary>
    public static Plan Read(string nameOrPath)
    {
        var shipped = Path.Combine(AppContext.BaseDirectory, "Plans", nameOrPath + ".yaml");
        var path = !File.Exists(nameOrPath) && nameOrPath.All(char.IsAsciiLetter) && File.Exists(shipped) ? shipped : nameOrPath;
        return new PlanReader(path).Read();
    }

    private Plan Read()
    {
        var stream = new YamlStream();
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaxBytes })
            {
                throw new BadInputException($"{path}: larger than {MaxBytes} bytes");
            }

            using var text = new StreamReader(path);
            stream.Load(text);
        }
        catch (YamlException e)
        {
            throw Bad(e.Start, e.InnerException?.Message ?? e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{path}: {e.Message}");
        }

        return stream.Documents is [var document] ? ReadPlan(document.RootNode) : throw new BadInputException($"{path}:1:1: one document is wanted");
    }

    private Plan ReadPlan(YamlNode node)
    {
        var root = Map(node, "a plan");
        Known(root, "a plan", ["name", "limit-seconds", "before", "after", "jig", "steps"]);
        var jig = new Dictionary<JigAction, string>();
        if (Find(root, "jig") is { } jigNode)
        {
            var commands = Map(jigNode, "jig");
            Known(commands, "jig", [.. JigNames.Select(j => j.Name)]);
            jig = JigNames.Where(j => Find(commands, j.Name) is not null).ToDictionary(j => j.Action, j => Text(Find(commands, j.Name)!));
        }

        var steps = Find(root, "steps") as YamlSequenceNode ?? throw Bad((Find(root, "steps") ?? root).Start, "steps: a list of steps is wanted");
        if (steps.Children.Count is 0 or > MaxSteps)
        {
            throw Bad(steps.Start, $"steps: 1 to {MaxSteps}");
        }

        return new Plan(
            Find(root, "name") is { } name ? Text(name) : Path.GetFileNameWithoutExtension(path),
            Find(root, "limit-seconds") is { } limit ? Number(limit, new NumberField("limit-seconds", DefaultLimitSeconds, 1, 30 * DefaultLimitSeconds, "s"), "limit-seconds") : DefaultLimitSeconds,
            Find(root, "before") is { } before ? Text(before) : null,
            Find(root, "after") is { } after ? Text(after) : null,
            jig,
            [.. steps.Children.Select(ReadStep)]);
    }

    private PlanStep ReadStep(YamlNode node)
    {
        var (nameNode, fields) = node switch
        {
            YamlScalarNode scalar => (scalar, null),
            YamlMappingNode { Children.Count: 1 } map when map.Children.Keys.First() is YamlScalarNode key =>
                (key, map.Children.Values.First() is YamlScalarNode { Value: null or "" } ? null : Map(map.Children.Values.First(), key.Value + "'s fields")),
            _ => throw Bad(node.Start, "a step is a name, or a name with fields"),
        };
        var name = nameNode.Value ?? "";
        var kind = StepKinds.All.FirstOrDefault(k => k.Name == name)
            ?? throw Bad(nameNode.Start, $"unknown step '{name}'{Meant(name, StepKinds.All.Select(k => k.Name))}; there are {string.Join(", ", StepKinds.All.Select(k => k.Name))}");
        if (fields is not null)
        {
            Known(fields, name, [.. kind.Fields.Select(f => f.Name)]);
        }

        var values = kind.Fields.ToDictionary(f => f.Name, f => fields is not null && Find(fields, f.Name) is { } given ? Value(given, f, name) : f.Standard);
        return new PlanStep(kind, values, ((int)nameNode.Start.Line, (int)nameNode.Start.Column));
    }

    private object Value(YamlNode node, FieldRule rule, string step)
    {
        var where = $"{step}.{rule.Name}";
        switch (rule)
        {
            case NumberField number:
                return Number(node, number, where);
            case TextField { Allowed: { } allowed }:
                return allowed.Contains(Text(node)) ? Text(node) : throw Bad(node.Start, $"{where}: one of {string.Join(", ", allowed)}");
            case ListField list:
                var items = node is YamlSequenceNode sequence ? sequence.Children : [node];
                var bad = items.FirstOrDefault(i => !list.IsGood(Text(i)));
                return bad is null ? items.Select(Text).ToList() : throw Bad(bad.Start, $"{where}: '{Text(bad)}': {list.Wanted}");
            default:
                return Text(node);
        }
    }

    private double Number(YamlNode node, NumberField rule, string where) =>
        double.TryParse(Text(node), NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= rule.Least && value <= rule.Most
            ? value
            : throw Bad(node.Start, string.Create(CultureInfo.InvariantCulture, $"{where}: {Text(node)}: a number from {rule.Least} to {rule.Most} {rule.Unit}").TrimEnd());

    private YamlMappingNode Map(YamlNode node, string what) => node as YamlMappingNode ?? throw Bad(node.Start, $"{what}: names with values are wanted");

    private string Text(YamlNode node) => (node as YamlScalarNode)?.Value ?? throw Bad(node.Start, "a text or a number is wanted");

    private void Known(YamlMappingNode map, string where, IReadOnlyList<string> names)
    {
        foreach (var key in map.Children.Keys)
        {
            if (!names.Contains(Text(key)))
            {
                throw Bad(key.Start, $"{where} has no '{Text(key)}'{Meant(Text(key), names)}; there {(names.Count == 1 ? "is" : "are")} {(names.Count == 0 ? "none" : string.Join(", ", names))}");
            }
        }
    }

    private static YamlNode? Find(YamlMappingNode map, string name) => map.Children.FirstOrDefault(c => (c.Key as YamlScalarNode)?.Value == name).Value;

    private BadInputException Bad(Mark at, string what) => new($"{path}:{at.Line}:{at.Column}: {what}");

    private static string Meant(string word, IEnumerable<string> names) =>
        names.Select(n => (Name: n, Away: Distance(word, n))).OrderBy(n => n.Away).FirstOrDefault() is { Name: { } near, Away: <= 2 } ? $" ({near}?)" : "";

    /// <summary>Edits from one word to another.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
            }
        }

        return row[^1];
    }
}
