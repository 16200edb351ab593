using System.Globalization;
using System.Text.Json;
using DeviceHub.IntegrationTests.BadInput;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.Tools;

/// <summary>The fleet's command line against a hub.</summary>
[Collection(BadInputHub.Collection)]
public sealed class FleetTests(BadInputHub hub)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(150);

    [Fact]
    public async Task Fleet_of_every_model_activates_pays_on_good_and_bad_networks_and_keeps_its_keys_and_its_book()
    {
        var folder = Directory.CreateTempSubdirectory("fleet-").FullName;
        try
        {
            var prefix = BadInputHub.NewSerial() + "-";
            var book = Path.Combine(folder, "book.jsonl");
            string[] arguments =
            [
                "--port", hub.MqttPort.ToString(CultureInfo.InvariantCulture), "--terminals", "5", "--prefix", prefix,
                "--models", "counter-pos,scan-box,scanner-gun,json-box,plain-scanner", "--bad-network", "0.4", "--special", "0.1",
                "--think", "500ms", "--keys", Path.Combine(folder, "keys.json"), "--book", book,
            ];
            using var first = new ToolProcess(
                "virtual-terminals.dll",
                [.. arguments, "--duration", "2m", "--activation-code", await hub.NewActivationCode(uses: 4), "--activation-code", "plain-scanner=" + await hub.NewActivationCode(BadInputHub.Unsealed)]);
            await Eventually.Becomes(() => Task.FromResult(Paid(book)), paid => paid == 5 || first.HasExited, "each of the 5 terminals was paid", Limit);
            await first.Terminate();
            await Settles(first);
            Assert.Equal(5, Paid(book));

            // No codes this time: the keys were kept.
            using var second = new ToolProcess("virtual-terminals.dll", [.. arguments, "--duration", "2s"]);
            await Settles(second);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Fleet_that_is_not_let_in_says_why_and_ends_with_1()
    {
        using var fleet = new ToolProcess(
            "virtual-terminals.dll", "--port", hub.MqttPort.ToString(CultureInfo.InvariantCulture), "--terminals", "1", "--prefix", BadInputHub.NewSerial() + "-", "--duration", "2s");

        Assert.Equal(1, await fleet.Exits(Limit));
        Assert.Contains("no key and no activation code", fleet.Output, StringComparison.Ordinal);
        Assert.Contains("no payment was made", fleet.Output, StringComparison.Ordinal);
    }

    /// <summary>Terminals that were told "approved" at least once.</summary>
    private static int Paid(string book)
    {
        using var file = new StreamReader(book, new FileStreamOptions { Access = FileAccess.Read, Share = FileShare.ReadWrite });
        return file.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)[..^1]
            .Select(line => JsonDocument.Parse(line).RootElement)
            .Where(e => e.GetProperty("told").GetString() == "Approved")
            .Select(e => e.GetProperty("serialNumber").GetString())
            .Distinct().Count();
    }

    private static async Task Settles(ToolProcess fleet)
    {
        var code = await fleet.Exits(Limit);
        Assert.True(code == 0, $"exit code {code}:\n{fleet.Output}{fleet.Errors}");
        Assert.EndsWith("every payment is settled, and no answer contradicts another\n", fleet.Output, StringComparison.Ordinal);
    }
}
