using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.Kill;

/// <summary>
/// The whole of it, as people start it with tools/chaos.sh: hub and channels as processes, terminals over MQTT on good and bad networks, and a
/// hub that is killed with SIGKILL under load. <c>DEVICEHUB_KILLS</c> and <c>DEVICEHUB_SEED</c> choose how often and when.
/// </summary>
public sealed class ChaosTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Terminals_ledger_and_channels_agree_to_the_fen_after_the_hub_was_killed_in_the_middle_of_payments()
    {
        var kills = EnvironmentNumber.Of("DEVICEHUB_KILLS", 25);
        var file = Path.GetTempFileName();
        try
        {
            string[] arguments =
            [
                "--kills", kills.ToString(CultureInfo.InvariantCulture), "--seed", EnvironmentNumber.Of("DEVICEHUB_SEED", 1).ToString(CultureInfo.InvariantCulture), "--json", file,
            ];
            using var chaos = new ToolProcess("devicehub-chaos.dll", arguments);
            var code = await chaos.Exits(TimeSpan.FromSeconds(240 + (20 * kills)));
            output.WriteLine(chaos.Output + chaos.Errors);
            Assert.True(code == 0, $"exit code {code}: {chaos.Output}{chaos.Errors}");
            var numbers = JsonElement.Parse(await File.ReadAllTextAsync(file)).EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetInt32());
            Assert.Equal(["doubleCharged", "kills", "lost", "mismatched", "payments", "unsettled"], numbers.Keys.Order(StringComparer.Ordinal));
            Assert.Equal(kills, numbers["kills"]);
            Assert.True(numbers["payments"] > 4 * kills, $"only {numbers["payments"]} payments in {kills} kills");
            Assert.Contains("was charged while the hub was dead", chaos.Output, StringComparison.Ordinal);
            Assert.All(
                (string[])[@"(\d+) approved", @"(\d+) went on to another account", @"of (\d+) a part was given back", @"of (\d+) a channel told"],
                some => Assert.True(int.Parse(Regex.Match(chaos.Output, some).Groups[1].Value, CultureInfo.InvariantCulture) > 0, some));
            Assert.All((string[])["lost", "doubleCharged", "mismatched", "unsettled"], name => Assert.Equal(0, numbers[name]));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
