using System.Text.Json;
using DeviceHub.IntegrationTests.BadInput;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tests;
using Google.Protobuf;
using Microsoft.Playwright;

namespace DeviceHub.BrowserTests;

/// <summary>One terminal's page before a real terminal: what it says, what it is told, and what people do to it.</summary>
[Collection(DashboardGroup.Name)]
public sealed class TerminalPageTests(DashboardHub hub)
{
    [Fact]
    public async Task Live_log_shows_a_payment_as_it_happens_and_never_its_code()
    {
        await using var terminal = await hub.LoggedIn();
        await using var browser = await hub.Open($"/terminals/{terminal.SerialNumber}/log");
        var log = browser.Page.Locator("ol.lines");
        await Expect(browser.Page.Locator(".log-head .chip")).ToHaveTextAsync("live");
        var request = terminal.Request(1234, "LOG-1");
        await Eventually.Holds(
            async () =>
            {
                // The session hears of the page a moment after the page knows that it will.
                await terminal.Send(new Uplink { Heartbeat = new() { UptimeS = 7, SignalDbm = -71 } });
                return await log.Locator("li").CountAsync() > 0;
            },
            "the log has begun");
        await terminal.Send(new Uplink { PaymentRequest = request });
        await Expect(log.Locator("li", new() { HasText = "payment_request" })).ToContainTextAsync("\"payment_code\":\"****" + request.PaymentCode[^4..]);
        await Expect(log.Locator("li", new() { HasText = "outcome" }).First).ToContainTextAsync("RESULT_APPROVED");
        Assert.DoesNotContain(request.PaymentCode[..14], await browser.Page.ContentAsync(), StringComparison.Ordinal);

        await browser.Page.GetByLabel("Filter by kind or contents").FillAsync("LOG-1");
        await Expect(log.Locator("li", new() { HasText = "heartbeat" })).ToHaveCountAsync(0);
        await Expect(log.Locator("li", new() { HasText = "payment_request" })).ToHaveCountAsync(1);
        await browser.IsAccessible();
    }

    [Fact]
    public async Task Configuration_is_checked_by_line_sent_and_seen_applied()
    {
        await using var terminal = await hub.LoggedIn();
        await using var browser = await hub.Open($"/terminals/{terminal.SerialNumber}/configuration");
        var editor = browser.Page.Locator("#document");
        await editor.FillAsync("{\n  \"sound\": {\n    \"Volume\": 7\n  }\n}");
        await Expect(browser.Page.Locator("#faults li")).ToHaveTextAsync("Line 3: “sound.Volume” is no key: 1 to 48 of a-z 0-9 _ and dots.");
        await Expect(browser.Page.GetByRole(AriaRole.Button, new() { Name = "Send version 1" })).ToBeDisabledAsync();
        await editor.FillAsync("{\n  \"sound\": {\n    \"volume\": 7\n  }\n}");
        await Expect(browser.Page.Locator(".diff .come")).ToContainTextAsync("sound.volume = 7");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Send version 1" }).ClickAsync();
        await Expect(browser.Page.GetByText("Version 1 is set.")).ToBeVisibleAsync();
        Assert.Equal(7, Assert.Single((await terminal.Expect(Downlink.BodyOneofCase.ConfigurationChunk)).ConfigurationChunk.Entries).Number);
        var commit = (await terminal.Expect(Downlink.BodyOneofCase.ConfigurationCommit)).ConfigurationCommit;
        await terminal.Send(new Uplink { ConfigurationReport = new() { Version = commit.Version, Hash = commit.Hash, Result = ConfigurationReport.Types.Result.Applied } });
        await Expect(browser.Page.GetByText("The terminal runs with the desired configuration.")).ToBeVisibleAsync();

        // Somebody else changes it while this reader types: what was typed stays, and is not sent over the other's.
        await editor.FillAsync("{\n  \"sound\": {\n    \"volume\": 9\n  }\n}");
        await Put($"terminals/{terminal.SerialNumber}/configuration", new { sound = new { volume = 3 } });
        await Expect(browser.Page.GetByText("Somebody else was faster.")).ToBeVisibleAsync();
        Assert.Contains("\"volume\": 9", await editor.InputValueAsync(), StringComparison.Ordinal);
        await Expect(browser.Page.Locator(".diff").First).ToContainTextAsync("sound.volume = 3");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Send version 3" }).ClickAsync();
        await Expect(browser.Page.GetByText("Version 3 is set.")).ToBeVisibleAsync();
        await Expect(browser.Page.Locator(".versions li")).ToHaveCountAsync(3);
        await browser.IsAccessible();
    }

    [Fact]
    public async Task Suspended_terminal_refuses_its_next_payment_until_it_is_resumed()
    {
        await using var terminal = await hub.LoggedIn();
        await using var browser = await hub.Open($"/terminals/{terminal.SerialNumber}");
        await Expect(browser.Page.Locator("h1 .chip")).ToHaveTextAsync("Takes money");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Suspend", Exact = true }).ClickAsync();
        await Expect(browser.Page.GetByText("It will refuse every new payment")).ToBeVisibleAsync();
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = $"Suspend {terminal.SerialNumber}" }).ClickAsync();
        await Expect(browser.Page.Locator("h1 .chip")).ToHaveTextAsync("Suspended");
        await terminal.Send(new Uplink { PaymentRequest = terminal.Request(1234) });
        Assert.Equal(Refusal.Types.Code.Suspended, (await terminal.Expect(Downlink.BodyOneofCase.Refusal)).Refusal.Code);
        await Expect(browser.Page.GetByRole(AriaRole.Button, new() { Name = "Test payment" })).ToBeDisabledAsync();
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Resume", Exact = true }).ClickAsync();
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = $"Resume {terminal.SerialNumber}" }).ClickAsync();
        await Expect(browser.Page.Locator("h1 .chip")).ToHaveTextAsync("Takes money");
        await terminal.Send(new Uplink { PaymentRequest = terminal.Request(1234) });
        Assert.Equal(Outcome.Types.Result.Approved, (await terminal.Expect(Downlink.BodyOneofCase.Outcome)).Outcome.Result);
        await Expect(browser.Page.Locator("table.list")).ToContainTextAsync("¥12.34");

        await browser.Goto($"/terminals/{terminal.SerialNumber}/audit");
        await Expect(browser.Page.Locator("table.list")).ToContainTextAsync("terminal.suspend");
        await Expect(browser.Page.Locator("table.list")).ToContainTextAsync("user:admin");
    }

    [Fact]
    public async Task Test_payment_is_made_and_shown_as_a_test()
    {
        await using var terminal = await hub.LoggedIn();
        await using var browser = await hub.Open($"/terminals/{terminal.SerialNumber}");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Test payment" }).ClickAsync();
        await browser.Page.GetByLabel("Declined, no money").CheckAsync();
        await browser.IsAccessible();
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Make the test payment" }).ClickAsync();
        await Expect(browser.Page.GetByRole(AriaRole.Link, new() { Name = "Look at the payment" })).ToBeVisibleAsync();
        var row = browser.Page.Locator("table.list tbody tr").First;
        await Expect(row).ToContainTextAsync("¥0.01");
        await Expect(row).ToContainTextAsync("Declined");
        await Expect(row.Locator(".chip.test")).ToHaveTextAsync("Test");
    }

    [Fact]
    public async Task Heartbeats_become_charts_and_an_unknown_terminal_is_said()
    {
        await using var terminal = await hub.LoggedIn();
        await terminal.Send(new Uplink { Heartbeat = new() { UptimeS = 7, SignalDbm = -71, ConnectTimes = new() { TlsMs = 480, LoginMs = 190 } } });
        await Eventually.Holds(
            async () => (await hub.Get($"terminals/{terminal.SerialNumber}/heartbeats")).GetProperty("items").GetArrayLength() == 1, "the heartbeat is kept");
        await using var browser = await hub.Open($"/terminals/{terminal.SerialNumber}/heartbeats");
        await Expect(browser.Page.Locator(".chart svg")).ToHaveCountAsync(4);
        await browser.IsAccessible();
        await browser.Goto("/terminals/NO-SUCH");
        await Expect(browser.Page.Locator("h1")).ToHaveTextAsync("No such terminal");
    }

    private static ILocatorAssertions Expect(ILocator locator) => Assertions.Expect(locator);

    private async Task Put(string path, object body)
    {
        using var content = new StringContent(JsonSerializer.Serialize(body), System.Text.Encoding.UTF8, "application/json");
        using var answer = await hub.Api.PutAsync("/api/v1/" + path, content, TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {answer.StatusCode}");
    }
}
