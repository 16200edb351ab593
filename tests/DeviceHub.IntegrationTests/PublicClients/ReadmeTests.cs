using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using DeviceHub.Tests;
using DeviceHub.Tools.Chaos;

namespace DeviceHub.IntegrationTests.PublicClients;

/// <summary>The README's terminal by hand, run as it is written.</summary>
[Collection(ApiHub.Collection)]
public sealed partial class ReadmeTests(ApiHub hub)
{
    [Fact]
    public async Task Commands_of_the_readme_make_a_terminal_that_is_configured_pays_and_confirms()
    {
        var folder = Directory.CreateTempSubdirectory("readme-").FullName;
        try
        {
            using var reader = new ToolProcess(new ProcessStartInfo("bash") { WorkingDirectory = folder, Environment = { ["PASSWORD"] = hub.Password } }, "-c", Script());
            var code = await reader.Exits(TimeSpan.FromSeconds(90));

            Assert.True(code == 0, $"exit code {code}: {reader.Output}{reader.Errors}");
            Assert.Contains("\"drift\": false", reader.Output, StringComparison.Ordinal);
            Assert.Contains("\"firmware\": \"by hand\"", reader.Output, StringComparison.Ordinal);
            Assert.Contains("RESULT_APPROVED", reader.Output, StringComparison.Ordinal);
            Assert.Contains("charge: closed paid", reader.Output, StringComparison.Ordinal);
            Assert.Contains("The terminal has shown revision 1", reader.Output, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The section's blocks with the ports of this hub, the password given instead of typed, and what was begun ended.</summary>
    private string Script()
    {
        var readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        var section = readme.Split("## Be a terminal in five minutes")[1].Split("\n## ")[0];
        var script = new StringBuilder("trap 'kill $(jobs -p) 2>/dev/null' EXIT\n");
        foreach (Match block in Block().Matches(section))
        {
            script.Append(block.Groups[1].Value);
        }

        return script
            .Replace("http://127.0.0.1:5080", hub.Url.GetLeftPart(UriPartial.Authority))
            .Replace("127.0.0.1:1883", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{hub.MqttPort}"))
            .Replace("18830", Ports.Free().ToString(CultureInfo.InvariantCulture))
            .Replace("read -rp \"Password: \" PASSWORD\n", "")
            .ToString();
    }

    [GeneratedRegex("```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
