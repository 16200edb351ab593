using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace DeviceHub.IntegrationTests.BadInput;

/// <summary>Terminals on clients that nobody here wrote go the whole way: activate, log in, configure, beat, pay, confirm.</summary>
[Collection(BadInputHub.Collection)]
public sealed class PublicClientTests(BadInputHub hub)
{
    [Theory]
    [InlineData("/usr/bin/python3", "paho_terminal.py")]
    [InlineData("node", "mqttjs_terminal.mjs")]
    public async Task Public_client_activates_pays_and_confirms(string program, string script)
    {
        var serialNumber = BadInputHub.NewSerial();
        var start = new ProcessStartInfo(program)
        {
            WorkingDirectory = Path.Combine(Root(), "tests", "clients"),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in (string[])[script, "127.0.0.1", hub.MqttPort.ToString(CultureInfo.InvariantCulture), serialNumber, await hub.NewActivationCode(BadInputHub.Unsealed), "4200"])
        {
            start.ArgumentList.Add(argument);
        }

        using var client = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var output = client.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = client.StandardError.ReadToEndAsync(limit.Token);
        await client.WaitForExitAsync(limit.Token);

        Assert.True(client.ExitCode == 0, $"{script} ended with {client.ExitCode}: {await output}{await errors}");
        using var result = JsonDocument.Parse((await output).Trim().Split('\n')[^1]);
        Assert.Equal("RESULT_APPROVED", result.RootElement.GetProperty("result").GetString());
        await using var terminal = new TestTerminal(serialNumber, hub.MqttPort);
        Assert.Equal(4200, await hub.Charged(terminal));
        await Tests.Eventually.Holds(async () => !await hub.IsUnsettled(terminal), "the client's outcome_shown settles the payment");
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "DeviceHub.sln")))
        {
            folder = folder.Parent!;
        }

        return folder.FullName;
    }
}
