using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using DeviceHub.Tests;
using DeviceHub.Tools.Chaos;

namespace DeviceHub.IntegrationTests.PublicClients;

/// <summary>
/// Terminals on clients that nobody here wrote go the whole way, and the HTTP API shows each step: activated, seen by a heartbeat,
/// configured as desired, paid, and the outcome shown.
/// </summary>
[Collection(ApiHub.Collection)]
public sealed class PublicClientTests(ApiHub hub)
{
    private const int AmountFen = 4200;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);
    private static readonly string Clients = Path.Combine(Repository.Root, "tests", "clients");

    [Theory]
    [InlineData("paho", "/usr/bin/python3", "paho_terminal.py")]
    [InlineData("mqtt.js", "node", "mqttjs_terminal.mjs")]
    [InlineData("mosquitto", "bash", "mosquitto_terminal.sh")]
    public async Task Public_client_activates_is_configured_beats_pays_and_confirms(string client, string program, string script)
    {
        var serialNumber = "PUB-" + client.Replace('.', '-');
        using var terminal = new ToolProcess(
            new ProcessStartInfo(program) { WorkingDirectory = Clients, Environment = { ["LOCAL_PORT"] = Text(Ports.Free()) } },
            script, "127.0.0.1", Text(hub.MqttPort), serialNumber, await hub.NewActivationCode(), Text(AmountFen), "60");

        await Says(terminal, "ready");
        var beaten = await Eventually.Becomes(
            () => Terminal(serialNumber), t => t.GetProperty("heartbeat").ValueKind == JsonValueKind.Object, "the API shows the heartbeat");
        Assert.Equal("active", beaten.GetProperty("status").GetString());
        Assert.True(beaten.GetProperty("connected").GetBoolean());
        Assert.Equal(client, beaten.GetProperty("heartbeat").GetProperty("firmware").GetString());
        Assert.Equal(JsonValueKind.Null, beaten.GetProperty("reported").ValueKind);

        await hub.Api.Configure(serialNumber, new { speech = new { on = true, volume = 7 }, screen = new { idle_text = "请扫码 Please scan" } });
        await Says(terminal, "configured");
        var configured = await Eventually.Becomes(
            () => Terminal(serialNumber), t => t.GetProperty("reported").ValueKind == JsonValueKind.Object, "the API shows what the terminal reports");
        var (desired, reported) = (configured.GetProperty("desired"), configured.GetProperty("reported"));
        Assert.Equal("applied", reported.GetProperty("result").GetString());
        Assert.Equal(desired.GetProperty("hash").GetString(), reported.GetProperty("hash").GetString());
        Assert.Equal(desired.GetProperty("version").GetInt64(), reported.GetProperty("version").GetInt64());
        Assert.False(configured.GetProperty("drift").GetBoolean());

        var code = await terminal.Exits(Limit);
        Assert.True(code == 0, $"{script} ended with {code}: {terminal.Output}{terminal.Errors}");
        using var last = JsonDocument.Parse(terminal.Output.Trim().Split('\n')[^1]);
        Assert.Equal("RESULT_APPROVED", last.RootElement.GetProperty("result").GetString());
        Assert.Equal(3, last.RootElement.GetProperty("entries").GetInt32());
        await Shows(serialNumber, last.RootElement.GetProperty("request_id").GetString()!);
    }

    private async Task Shows(string serialNumber, string requestId)
    {
        var payment = await Eventually.Becomes(
            () => hub.Api.Get($"/api/v1/payments/{serialNumber}/{requestId}"),
            p => p.GetProperty("standing").GetProperty("shownRevision").GetInt32() == 1,
            "the API shows that the outcome was shown");
        Assert.Equal("approved", payment.GetProperty("standing").GetProperty("result").GetString());
        Assert.Equal(AmountFen, payment.GetProperty("standing").GetProperty("paidFen").GetInt64());
    }

    private Task<JsonElement> Terminal(string serialNumber) => hub.Api.Get("/api/v1/terminals/" + serialNumber);

    private static async Task Says(ToolProcess terminal, string step)
    {
        bool Said() => terminal.Output.Contains($"\"{step}\"", StringComparison.Ordinal);
        await Eventually.Holds(() => Said() || terminal.HasExited, $"the terminal says '{step}'", Limit);
        Assert.True(Said(), $"it ended before it said '{step}':\n{terminal.Output}{terminal.Errors}");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
