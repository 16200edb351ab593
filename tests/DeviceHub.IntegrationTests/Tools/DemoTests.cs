using System.Text.Json;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.Tools;

/// <summary>The built demo as a process, as people and CI start it.</summary>
public sealed class DemoTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(150);

    [Fact]
    public async Task Demo_ends_with_one_line_of_JSON_in_which_nothing_is_lost_doubled_or_mismatched()
    {
        using var demo = new ToolProcess("devicehub-demo.dll", "--duration", "5s", "--json");
        var code = await demo.Exits(Limit);

        Assert.True(code == 0, $"exit code {code}: {demo.Output}{demo.Errors}");
        var line = Assert.Single(demo.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        using var json = JsonDocument.Parse(line);
        int Number(string name) => json.RootElement.GetProperty(name).GetInt32();
        Assert.Equal(12, Number("terminals"));
        Assert.True(Number("payments") > 12, line);
        Assert.True(Number("approved") > 0, line);
        Assert.Equal(Number("payments"), Number("approved") + Number("declined") + Number("notCharged") + Number("refunded") + Number("refused"));
        Assert.All((string[])["unsettled", "lost", "doubleCharged", "mismatched"], name => Assert.Equal(0, Number(name)));
        Assert.InRange(json.RootElement.GetProperty("p50Ms").GetDouble(), 0.1, json.RootElement.GetProperty("p99Ms").GetDouble());
    }

    [Fact]
    public async Task Demo_ends_on_request_and_finds_its_terminals_again_in_the_data_folder_that_it_kept()
    {
        var folder = Directory.CreateTempSubdirectory("demo-").FullName;
        try
        {
            string[] arguments = ["--data", folder, "--terminals", "3", "--bad-network", "0", "--json", "--duration"];
            using var first = new ToolProcess("devicehub-demo.dll", [.. arguments, "5m"]);
            await Eventually.Holds(() => first.Errors.Split("was activated").Length > 3, "three terminals are activated", Limit);
            await first.Terminate();
            await first.Exits(Limit);
            Assert.StartsWith("{\"terminals\":3,", first.Output, StringComparison.Ordinal);

            using var second = new ToolProcess("devicehub-demo.dll", [.. arguments, "4s"]);
            var code = await second.Exits(Limit);
            Assert.True(code == 0, $"exit code {code}: {second.Output}{second.Errors}");
            Assert.DoesNotContain("was activated", second.Errors, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Demo_says_which_option_is_wrong()
    {
        using var demo = new ToolProcess("devicehub-demo.dll", "--duration", "5 minutes", "--json");

        Assert.Equal(1, await demo.Exits(Limit));
        Assert.Contains("5 minutes", demo.Errors, StringComparison.Ordinal);
    }
}
