using DeviceHub.Core.Configuration;

namespace DeviceHub.UnitTests.Configuration;

public sealed class ConfigurationDocumentTests
{
    [Fact]
    public void Nested_objects_become_sorted_keys_with_dots()
    {
        var document = ConfigurationDocument.TryParse("""{"sound":{"volume":7,"on":true},"greeting":"你好"}""", out var error)!;

        Assert.Null(error);
        Assert.Equal(["greeting", "sound.on", "sound.volume"], document.Entries.Select(e => e.Key));
        Assert.Equal(['t', 'f', 'n'], document.Entries.Select(e => e.Type));
    }

    [Fact]
    public void Hash_is_of_the_entries_and_not_of_how_they_were_written()
    {
        var one = ConfigurationDocument.TryParse("""{"a":{"b":1},"c":false}""", out _)!;
        var other = ConfigurationDocument.TryParse("""{ "c" : false, "a.b" : 1 }""", out _)!;
        var changed = ConfigurationDocument.TryParse("""{"a":{"b":"1"},"c":false}""", out _)!;

        Assert.Equal(one.Hash, other.Hash);
        Assert.NotEqual(one.Hash, changed.Hash);
        Assert.Equal(System.Security.Cryptography.SHA256.HashData("a.b\0n1\nc\0f0\n"u8), one.Hash);
    }

    [Theory]
    [InlineData("[]", "object")]
    [InlineData("{", "JSON")]
    [InlineData("""{"Volume":1}""", "'Volume'")]
    [InlineData("""{"a":1.5}""", "'a'")]
    [InlineData("""{"a":null}""", "'a'")]
    [InlineData("""{"a":[1]}""", "'a'")]
    [InlineData("""{"a":9223372036854775808}""", "'a'")]
    [InlineData("""{"a":1,"a":2}""", "given twice")]
    [InlineData("""{"a.b":1,"a":{"b":2}}""", "'a.b' is given twice")]
    [InlineData("""{"a":"\ud800"}""", "'a'")]
    public void Error_names_what_is_wrong_and_where(string json, string says)
    {
        Assert.Null(ConfigurationDocument.TryParse(json, out var error));
        Assert.Contains(says, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Limits_of_entries_texts_and_bytes_hold()
    {
        static string Many(int count) => "{" + string.Join(',', Enumerable.Range(0, count).Select(i => $"\"k{i}\":1")) + "}";

        Assert.NotNull(ConfigurationDocument.TryParse(Many(200), out _));
        Assert.Null(ConfigurationDocument.TryParse(Many(201), out _));
        Assert.NotNull(ConfigurationDocument.TryParse($$"""{"a":"{{new string('x', 200)}}"}""", out _));
        Assert.Null(ConfigurationDocument.TryParse($$"""{"a":"{{new string('x', 201)}}"}""", out _));
        Assert.Null(ConfigurationDocument.TryParse("{}" + new string(' ', 16 * 1024), out _));
    }
}
