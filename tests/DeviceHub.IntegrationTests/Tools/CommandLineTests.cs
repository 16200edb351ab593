using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.Tools;

/// <summary>What people type wrong at the programs for them: a sentence that names the option, not a stack.</summary>
public sealed class CommandLineTests
{
    [Theory]
    [InlineData("virtual-terminals.dll", "--terminals", "abc")]
    [InlineData("virtual-terminals.dll", "--bad-network", "much")]
    [InlineData("virtual-terminals.dll", "--models", null)]
    [InlineData("virtual-terminals.dll", "--activation-code", null)]
    [InlineData("virtual-terminals.dll", "--think", null)]
    [InlineData("devicehub-demo.dll", "--terminals", "abc")]
    [InlineData("devicehub-demo.dll", "--bad-network", null)]
    [InlineData("devicehub-chaos.dll", "--kills", "abc")]
    [InlineData("devicehub-seed.dll", "--until", "soon")]
    [InlineData("channel-sandbox.dll", "--fault-rate", "abc")]
    public async Task What_is_no_value_of_an_option_is_named_in_a_sentence(string program, string option, string? value)
    {
        using var tool = new ToolProcess(program, value is null ? [option] : [option, value]);

        Assert.Equal(1, await tool.Exits(TimeSpan.FromSeconds(60)));
        Assert.Contains(option, tool.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", tool.Errors, StringComparison.Ordinal);
    }

    /// <summary>Files that are something else, folders, and addresses that are none.</summary>
    [Theory]
    [InlineData("virtual-terminals.dll", "--port", "99999")]
    [InlineData("virtual-terminals.dll", "--prefix", "two words")]
    [InlineData("virtual-terminals.dll", "--ca", "FILE")]
    [InlineData("virtual-terminals.dll", "--keys", "FILE")]
    [InlineData("virtual-terminals.dll", "--keys", "FOLDER")]
    [InlineData("virtual-terminals.dll", "--book", "FOLDER")]
    [InlineData("channel-sandbox.dll", "--make-accounts", "FOLDER")]
    [InlineData("channel-sandbox.dll", "--book", "FILE", "--accounts", "NEW")]
    [InlineData("channel-sandbox.dll", "--book", "LINE", "--accounts", "NEW")]
    [InlineData("routing-core.dll", "--urls", "http://127.0.0.1:99999", "--account", "a", "--secret", "01234567890123456789012345678901")]
    [InlineData("routing-core.dll", "--book", "FILE", "--account", "a", "--secret", "01234567890123456789012345678901", "--urls", "http://127.0.0.1:0")]
    [InlineData("routing-core.dll", "--book", "LINE", "--account", "a", "--secret", "01234567890123456789012345678901", "--urls", "http://127.0.0.1:0")]
    [InlineData("routing-core.dll", "--book", "FOLDER", "--account", "a", "--secret", "01234567890123456789012345678901", "--urls", "http://127.0.0.1:0")]
    public async Task What_a_program_cannot_use_is_named_in_a_sentence_and_ends_it_at_once(string program, params string[] arguments)
    {
        var folder = Directory.CreateTempSubdirectory("arguments-").FullName;
        try
        {
            var file = Path.Combine(folder, "notes.txt");
            await File.WriteAllTextAsync(file, "{not what is wanted}\n", TestContext.Current.CancellationToken);
            var line = Path.Combine(folder, "line.txt");
            await File.WriteAllTextAsync(line, "a line without an end", TestContext.Current.CancellationToken);
            string Of(string argument) => argument switch { "FILE" => file, "LINE" => line, "FOLDER" => folder, "NEW" => Path.Combine(folder, "new.json"), _ => argument };
            var named = Of(arguments[1]);
            using var tool = new ToolProcess(program, [.. arguments.Select(Of)]);

            Assert.Equal(1, await tool.Exits(TimeSpan.FromSeconds(60)));
            Assert.True(tool.Errors.Contains(named, StringComparison.Ordinal) || tool.Errors.Contains(arguments[0], StringComparison.Ordinal), tool.Errors);
            Assert.DoesNotContain("Exception", tool.Errors, StringComparison.Ordinal);
            Assert.Equal("{not what is wanted}\n", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
            Assert.Equal("a line without an end", await File.ReadAllTextAsync(line, TestContext.Current.CancellationToken));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
