using System.Text.RegularExpressions;
using System.Xml.Linq;
using DeviceHub.UnitTests.Tidy;

namespace DeviceHub.UnitTests.Dashboard;

/// <summary>What the pages say: every text is in both languages, each one is used, none is missing, and none stands in the code.</summary>
public sealed partial class TextsTests
{
    private static readonly string Folder = Path.Combine(Sources.Root, "src", "DeviceHub.Dashboard");

    private static readonly Dictionary<string, string> Code = Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories)
        .Where(f => f.EndsWith(".razor", StringComparison.Ordinal) || (f.EndsWith(".cs", StringComparison.Ordinal) && !f.EndsWith(".razor.cs", StringComparison.Ordinal)))
        .ToDictionary(f => f, ReadWithCodeBehind);

    public static TheoryData<string> Resources =>
        [.. Directory.EnumerateFiles(Folder, "*.resx", SearchOption.AllDirectories).Where(f => !f.EndsWith(".zh-Hans.resx", StringComparison.Ordinal)).Select(f => Path.GetRelativePath(Folder, f))];

    [Theory]
    [MemberData(nameof(Resources))]
    public void Every_text_is_in_English_and_in_Chinese_with_the_same_places(string resource)
    {
        var english = Read(resource);
        var chinese = Read(resource.Replace(".resx", ".zh-Hans.resx", StringComparison.Ordinal));

        Assert.Equal(english.Keys.Order(StringComparer.Ordinal), chinese.Keys.Order(StringComparer.Ordinal));
        foreach (var (key, text) in english)
        {
            Assert.False(string.IsNullOrWhiteSpace(text) || string.IsNullOrWhiteSpace(chinese[key]), $"{resource}: {key} is empty");
            Assert.Equal((key, Places(text)), (key, Places(chinese[key])));
        }
    }

    [Theory]
    [MemberData(nameof(Resources))]
    public void Every_text_is_used(string resource)
    {
        // MudBlazor asks for its own by name, and the ledger for what the channels' tables wrote into it: ChannelWordsTests.
        if (resource.EndsWith("MudWords.resx", StringComparison.Ordinal) || resource.EndsWith("ChannelWords.resx", StringComparison.Ordinal))
        {
            return;
        }

        var users = Users(resource);
        var unused = Read(resource).Keys.Where(key => !users.Any(code => Mentions(code, key))).ToList();
        Assert.True(unused.Count == 0, $"{resource}: nobody says {string.Join(", ", unused)}");
    }

    /// <summary>Keys that are written out where a text is asked for; those that are put together are found by the test above, from the other side.</summary>
    [Fact]
    public void Every_text_that_is_asked_for_by_name_is_there()
    {
        var missing = new List<string>();
        foreach (var (file, code) in Code)
        {
            foreach (Match localizer in Localizer().Matches(code))
            {
                var (type, name) = (localizer.Groups[1].Value.Split('.')[^1], localizer.Groups[2].Value);
                var resource = Directory.EnumerateFiles(Folder, type + ".resx", SearchOption.AllDirectories).SingleOrDefault();
                var known = resource is null ? [] : Read(Path.GetRelativePath(Folder, resource));
                missing.AddRange(Regex.Matches(code, $"\\b{name}\\[\"([A-Za-z0-9_]+)\"").Select(m => m.Groups[1].Value).Where(key => !known.ContainsKey(key))
                    .Select(key => $"{Path.GetFileName(file)}: {type} has no {key}"));
            }
        }

        Assert.True(missing.Count == 0, string.Join('\n', missing));
    }

    /// <summary>Words between tags, and in attributes that people read.</summary>
    [Fact]
    public void No_text_stands_in_the_markup()
    {
        var found = new List<string>();
        foreach (var (file, code) in Code.Where(c => c.Key.EndsWith(".razor", StringComparison.Ordinal)))
        {
            var end = code.IndexOf("\n@code", StringComparison.Ordinal);
            var markup = Comments().Replace(end < 0 ? code : code[..end], "");
            found.AddRange(Between().Matches(markup).Select(m => m.Groups[1].Value.Trim()).Concat(ReadableAttributes().Matches(markup).Select(m => m.Groups[1].Value))
                .Where(text => Word().IsMatch(text) && text is not ("DeviceHub" or "Orleans" or "English")).Select(text => $"{Path.GetFileName(file)}: {text}"));
        }

        Assert.True(found.Count == 0, string.Join('\n', found));
    }

    /// <summary>The code beside a component speaks with the component's texts.</summary>
    private static string ReadWithCodeBehind(string file) =>
        File.ReadAllText(file) + (File.Exists(file + ".cs") ? "\n@code" + File.ReadAllText(file + ".cs") : "");

    private static Dictionary<string, string> Read(string resource) => XDocument.Load(Path.Combine(Folder, resource)).Root!.Elements("data")
        .ToDictionary(d => d.Attribute("name")!.Value, d => d.Element("value")!.Value);

    private static string Places(string text) => string.Join(' ', Place().Matches(text).Select(m => m.Value).Distinct().Order(StringComparer.Ordinal));

    /// <summary>Code that can speak this resource: that names its type.</summary>
    private static List<string> Users(string resource)
    {
        var type = Path.GetFileNameWithoutExtension(resource);
        return [.. Code.Where(c => Regex.IsMatch(c.Value, $"IStringLocalizer<([A-Za-z.]+\\.)?{type}>")).Select(c => c.Value)];
    }

    /// <summary>In quotes as it is, or put together: <c>"Stage" + stage</c> and <c>$"Stage{stage}"</c> say StageAccepted, <c>Plural("minute"</c> says minute_one.</summary>
    private static bool Mentions(string code, string key) =>
        code.Contains($"\"{key}\"", StringComparison.Ordinal)
        || Put().Matches(code).Select(m => m.Groups[1].Success ? m.Groups[1].Value : m.Groups[2].Value).Any(start => start.Length > 1 && key.StartsWith(start, StringComparison.Ordinal))
        || (Plural().Match(key) is { Success: true } plural && code.Contains($"\"{plural.Groups[1].Value}\"", StringComparison.Ordinal));

    [GeneratedRegex(@"IStringLocalizer<([A-Za-z.]+)>\s+(\w+)")]
    private static partial Regex Localizer();

    [GeneratedRegex("\"([A-Za-z]+_?)\" \\+|\\$\"([A-Za-z]+_?)\\{")]
    private static partial Regex Put();

    [GeneratedRegex("^(.+)_(one|other)$")]
    private static partial Regex Plural();

    [GeneratedRegex(@"\{\d+")]
    private static partial Regex Place();

    [GeneratedRegex(@"@\*.*?\*@", RegexOptions.Singleline)]
    private static partial Regex Comments();

    [GeneratedRegex(@"(?<=[a-z0-9""/])>([^<>@{}();=]+)<")]
    private static partial Regex Between();

    [GeneratedRegex(@"\b(?:title|placeholder|alt|aria-label|Label|Placeholder|HelperText|Title|Text)=""([^""@]+)""")]
    private static partial Regex ReadableAttributes();

    [GeneratedRegex(@"\p{L}{2,}")]
    private static partial Regex Word();
}
