using System.Diagnostics;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.Firmware;

/// <summary>AsyncAPI's own parser is the judge; that the document says what terminal.proto says is DeviceHub.UnitTests' matter.</summary>
public sealed class AsyncApiTests
{
    [Fact]
    public async Task Document_is_valid_by_the_official_parser()
    {
        var file = Path.Combine(Repository.Root, "firmware-protocol", "asyncapi.yaml");
        var (code, said) = await Parse(file);
        Assert.True(code == 0, said);
        Assert.StartsWith("valid: AsyncAPI 3.0.0", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Parser_finds_a_fault()
    {
        var file = Path.GetTempFileName();
        var text = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "firmware-protocol", "asyncapi.yaml"));
        await File.WriteAllTextAsync(file, text.Replace("#/components/messages/up_hello\"", "#/components/messages/up_nobody\"", StringComparison.Ordinal));
        var (code, said) = await Parse(file);
        File.Delete(file);
        Assert.True(code == 1, said);
        Assert.Contains("up_nobody", said, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Said)> Parse(string file)
    {
        var clients = Path.Combine(Repository.Root, "tests", "clients");
        using var node = new ToolProcess(new ProcessStartInfo("node") { WorkingDirectory = clients }, "asyncapi_valid.mjs", file);
        var code = await node.Exits(TimeSpan.FromSeconds(60));
        return (code, node.Output + node.Errors);
    }
}
