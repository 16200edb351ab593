using System.Text.Json;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.Firmware;

/// <summary>The C kit's two terminals for Linux against a real hub, by what their cashier types and sees, and what the HTTP API shows.</summary>
public sealed class CKitTests(KitHub hub) : IClassFixture<KitHub>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Terminal_on_mqtt_activates_is_configured_and_pays_approved_declined_and_in_doubt()
    {
        using var terminal = hub.Mqtt("CKIT-MQTT", hub.NewFlash());
        await ActivatesAndPays(terminal, "CKIT-MQTT");
        await hub.Api.Configure("CKIT-MQTT", new { speech = new { on = true, volume = 7 }, screen = new { idle_text = "Scan" } });
        await terminal.Says("settings applied");
        Assert.Contains("setting speech.volume=7", terminal.Output, StringComparison.Ordinal);
        var reported = await Eventually.Becomes(
            () => hub.Api.Get("/api/v1/terminals/CKIT-MQTT"), t => t.GetProperty("reported").ValueKind == JsonValueKind.Object, "the API shows what the terminal reports");
        Assert.Equal("applied", reported.GetProperty("reported").GetProperty("result").GetString());
        Assert.False(reported.GetProperty("drift").GetBoolean());

        var (doubtful, after) = await terminal.Scans(1220);
        var doubt = await terminal.Says("show IN_DOUBT", after);
        await terminal.Says("result=1", doubt.After);
        await Shows("CKIT-MQTT", doubtful, "approved");
    }

    [Fact]
    public async Task Terminal_on_a_serial_line_does_the_same_and_learns_after_a_kill_what_became_of_a_payment()
    {
        var flash = hub.NewFlash();
        using (var terminal = hub.Serial("CKIT-LINE", flash))
        {
            await ActivatesAndPays(terminal, "CKIT-LINE");
            await terminal.Scans(1220);
            terminal.Kill();
        }

        using var again = hub.Serial("CKIT-LINE", flash);
        await LearnsTheOutcome(again, "CKIT-LINE");
    }

    /// <summary>A kill is a power cut: before, while, or after the request reached the hub.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(60)]
    [InlineData(900)]
    public async Task Killed_terminal_asks_for_the_payment_of_before_and_nothing_is_charged_twice(int afterMs)
    {
        var serialNumber = $"CKIT-KILL-{afterMs}";
        var flash = hub.NewFlash();
        using (var terminal = hub.Mqtt(serialNumber, flash))
        {
            await Activates(terminal);
            await terminal.Scans(1220);
            await Eventually.Passes(TimeSpan.FromMilliseconds(afterMs));
            terminal.Kill();
        }

        using var again = hub.Mqtt(serialNumber, flash);
        await LearnsTheOutcome(again, serialNumber);
        var ready = await again.Scans(1280);
        await again.Says("show APPROVED", ready.After);
    }

    [Fact]
    public async Task Terminal_on_mqtt_over_TLS_pays_with_the_hubs_CA_pinned_and_stays_without_network_with_another()
    {
        var flash = hub.NewFlash();
        using (var terminal = hub.MqttOverTls("CKIT-TLS", flash))
        {
            await ActivatesAndPays(terminal, "CKIT-TLS");
        }

        using (var deceived = hub.MqttOverTls("CKIT-TLS", flash, hub.ForeignCa()))
        {
            var without = await deceived.Says("show NO_NETWORK");
            await deceived.Types("scan 134567890123456789 1280");
            await deceived.Says("scan not now", without.After);
            Assert.DoesNotContain("show READY", deceived.Output, StringComparison.Ordinal);
        }

        using var again = hub.MqttOverTls("CKIT-TLS", flash);
        await again.Says("show READY");
    }

    [Fact]
    public async Task Charge_of_the_till_is_collected_by_the_next_scan()
    {
        using var terminal = hub.Mqtt("CKIT-TILL", hub.NewFlash());
        await Activates(terminal);
        var charge = await hub.Api.Post("/api/v1/terminals/CKIT-TILL/charges", new { amountFen = 1280, orderNumber = "C-1", idempotencyKey = "key of C-1" });
        var collecting = await terminal.Says("show COLLECTING amount=1280");
        await terminal.Types("scan 134567890123456789");
        await terminal.Says("show APPROVED", collecting.After);
        var id = charge.GetProperty("id").GetString();
        await Eventually.Becomes(
            () => hub.Api.Get($"/api/v1/terminals/CKIT-TILL/charges/{id}"), c => c.GetProperty("ended").GetString() == "paid", "the till sees that it is paid");
    }

    private async Task Activates(KitTerminal terminal)
    {
        await terminal.Says("show ACTIVATION");
        await terminal.Types("activate " + await hub.NewActivationCode());
        await terminal.Says("show READY");
    }

    private async Task ActivatesAndPays(KitTerminal terminal, string serialNumber)
    {
        await Activates(terminal);
        var (approved, after) = await terminal.Scans(1280);
        await terminal.Says("show APPROVED", after);
        await terminal.Says("speak amount=1280", after);
        await Shows(serialNumber, approved, "approved");
        await terminal.Types("ok");
        var (declined, next) = await terminal.Scans(1201);
        await terminal.Says("show DECLINED", next);
        await Shows(serialNumber, declined, "declined");
    }

    /// <summary>In doubt before there is a network; then as the hub says: paid once, or never arrived.</summary>
    private async Task LearnsTheOutcome(KitTerminal again, string serialNumber)
    {
        var doubt = await again.Says("show IN_DOUBT id=");
        var requestId = doubt.Line.Split("id=")[1].Split(' ')[0];
        await Eventually.Holds(
            () => again.Output.Contains("result=1", StringComparison.Ordinal) || again.Output.Contains("show NOT_CHARGED", StringComparison.Ordinal),
            "the terminal learns what became of it",
            Limit);
        if (again.Output.Contains("result=1", StringComparison.Ordinal))
        {
            var payment = await Shows(serialNumber, requestId, "approved");
            Assert.Equal(1220, payment.GetProperty("standing").GetProperty("paidFen").GetInt64());
        }
        else
        {
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => hub.Api.Get($"/api/v1/payments/{serialNumber}/{requestId}"));
        }

        await again.Types("ok");
        await again.Says("show READY", doubt.After);
    }

    private Task<JsonElement> Shows(string serialNumber, string requestId, string result) => Eventually.Becomes(
        () => hub.Api.Get($"/api/v1/payments/{serialNumber}/{requestId}"),
        p => p.GetProperty("standing").GetProperty("shownRevision").GetInt32() >= 1 && p.GetProperty("standing").GetProperty("result").GetString() == result,
        $"the API shows that '{result}' was shown");
}
