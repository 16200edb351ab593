using DeviceHub.Core.Configuration;
using DeviceHub.Core.People;

namespace DeviceHub.UnitTests.Configuration;

/// <summary>All that is wrong with a document, by line; and what differs between two.</summary>
public sealed class ConfigurationFaultTests
{
    [Fact]
    public void All_faults_are_found_on_their_lines()
    {
        const string Json = """
            {
              "Volume": 1,
              "screen": {
                "idle": 1.5,

                "Text": { "x": null }
              },
              "a": 1,
              "a": 2,
              "b": "\ud800"
            }
            """;
        Assert.Null(ConfigurationDocument.Read(Json.ReplaceLineEndings("\n"), out var faults));
        Assert.Equal(
            [
                new(2, ConfigurationFaultKind.Key, "Volume"), new(4, ConfigurationFaultKind.Value, "screen.idle"), new(6, ConfigurationFaultKind.Key, "screen.Text"),
                new(9, ConfigurationFaultKind.Twice, "a"), new(10, ConfigurationFaultKind.Text, "b"),
            ],
            faults);
    }

    [Theory]
    [InlineData("", 1, ConfigurationFaultKind.NotJson)]
    [InlineData("{\n  \"a\": 1,\n}", 3, ConfigurationFaultKind.NotJson)]
    [InlineData("{\n  \"a\": 1\n  \"b\": 2\n}", 3, ConfigurationFaultKind.NotJson)]
    [InlineData("[\n]", 1, ConfigurationFaultKind.NotAnObject)]
    [InlineData("7", 1, ConfigurationFaultKind.NotAnObject)]
    [InlineData("[[[[[[[[[1]]]]]]]]]", 1, ConfigurationFaultKind.NotJson)]
    [InlineData("{\"a\\ud800\":1}", 1, ConfigurationFaultKind.NotJson)]
    [InlineData("{\"a\":{\"b\":1},\n\"a\":{\"c\":1}}", 2, ConfigurationFaultKind.Twice)]
    [InlineData("{\"a.b\":1,\n\"a\":{\n\"b\":2}}", 3, ConfigurationFaultKind.Twice)]
    public void What_is_no_document_is_said_once(string json, int line, ConfigurationFaultKind kind)
    {
        Assert.Null(ConfigurationDocument.Read(json, out var faults));
        var fault = Assert.Single(faults);
        Assert.Equal((line, kind), (fault.Line, fault.Kind));
        Assert.Null(ConfigurationDocument.TryParse(json, out var error));
        Assert.Equal(fault.Detail, error);
    }

    [Fact]
    public void Good_document_has_no_fault()
    {
        Assert.NotNull(ConfigurationDocument.Read("""{"a":{"b":1},"c":"d"}""", out var faults));
        Assert.Empty(faults);
    }

    [Fact]
    public void Changes_are_added_removed_and_changed_keys()
    {
        var before = ConfigurationDocument.TryParse("""{"a":1,"b":true,"d":"x","z":9}""", out _)!;
        var after = ConfigurationDocument.TryParse("""{"a":1,"b":false,"c":"你好","d":1,"y":2}""", out _)!;
        var changes = ConfigurationChange.Between(before.Entries, after.Entries);

        Assert.Equal(
            ["b true false", "c - \"你好\"", "d \"x\" 1", "y - 2", "z 9 -"],
            changes.Select(c => $"{c.Key} {c.Before?.Value ?? "-"} {c.After?.Value ?? "-"}"));
        Assert.Empty(ConfigurationChange.Between(after.Entries, after.Entries));
        Assert.Equal(5, ConfigurationChange.Between([], after.Entries).Count);
    }

    [Fact]
    public void Version_is_read_from_the_audit_log()
    {
        var at = new DateTimeOffset(2026, 11, 26, 8, 0, 0, TimeSpan.Zero);
        var entry = new AuditEntry(at, "user:admin", null, ConfigurationVersion.What, null, """{"version":3,"document":{"a":"你好"}}""");

        Assert.Equal(new ConfigurationVersion(3, at, "user:admin", "{\n  \"a\": \"你好\"\n}"), ConfigurationVersion.Read(entry));
        Assert.Null(ConfigurationVersion.Read(entry with { What = "terminal.suspend" }));
        Assert.Null(ConfigurationVersion.Read(entry with { After = """{"version":3,"document":null}""" }));
        Assert.Null(ConfigurationVersion.Read(entry with { After = null }));
    }
}
