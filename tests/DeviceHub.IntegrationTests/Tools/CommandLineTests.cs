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
}
