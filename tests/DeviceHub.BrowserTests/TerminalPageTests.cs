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
        await Expect(browser.Page.Locator(".log-head .chip")).ToHaveTextAsync("Live");
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
    public async Task Live_log_stays_in_its_readers_language_when_messages_come()
    {
        await using var terminal = await hub.LoggedIn();
        await using var browser = await hub.Open($"/terminals/{terminal.SerialNumber}/log", o => o.Locale = "zh-CN");
        await Expect(browser.Page.Locator(".log-head .chip")).ToHaveTextAsync("实时");

        // The page around it is drawn again soon after, in the reader's language: each drawing is looked at.
        await browser.Page.EvaluateAsync(
            """
            () => {
              const log = document.querySelector('section.log');
              window.said = new Set();
              new MutationObserver(() => window.said.add(log.querySelector('h2').textContent)).observe(log, { subtree: true, childList: true, characterData: true });
            }
            """);
        var lines = browser.Page.Locator("ol.lines li");
        await Eventually.Holds(
            async () =>
            {
                await terminal.Send(new Uplink { Heartbeat = new() { UptimeS = 7, SignalDbm = -71 } });
                return await lines.CountAsync() > 2;
            },
            "the log has begun");
        Assert.Equal(["实时日志"], await browser.Page.EvaluateAsync<string[]>("[...window.said]"));
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
        await Expect(browser.Page.GetByText("It takes payments from its next login on")).ToBeVisibleAsync();
        await using var resumed = await terminal.LogsInAgain();
        await Expect(browser.Page.Locator("h1 .chip")).ToHaveTextAsync("Takes money");
        await resumed.Send(new Uplink { PaymentRequest = resumed.Request(1234) });
        Assert.Equal(Outcome.Types.Result.Approved, (await resumed.Expect(Downlink.BodyOneofCase.Outcome)).Outcome.Result);
        await Expect(browser.Page.Locator("table.list")).ToContainTextAsync("¥12.34");

        await browser.Goto($"/terminals/{terminal.SerialNumber}/audit");
        var rows = browser.Page.Locator("table.list tbody tr");
        await Expect(rows).ToHaveCountAsync(2);
        await Expect(rows.Last).ToContainTextAsync("Suspended this terminal: it refuses new payments.");
        await Expect(rows.Last).ToContainTextAsync("terminal.suspend");
        await Expect(rows.Last.GetByRole(AriaRole.Link, new() { Name = "admin", Exact = true })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Questions_take_the_keyboard_and_give_it_to_the_button_that_follows()
    {
        await using var terminal = await hub.LoggedIn();
        await using var browser = await hub.Open($"/terminals/{terminal.SerialNumber}");
        var (page, keys) = (browser.Page, browser.Page.Keyboard);
        ILocator Button(string name) => page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });
        await Button("Suspend").FocusAsync();
        await keys.PressAsync("Enter");
        await Expect(page.Locator("form.ask")).ToBeFocusedAsync();
        await keys.PressAsync("Escape");
        await Expect(page.Locator("form.ask")).ToHaveCountAsync(0);
        await Expect(Button("Suspend")).ToBeFocusedAsync();
        await keys.PressAsync("Enter");
        await Expect(page.Locator("form.ask")).ToBeFocusedAsync();
        await keys.PressAsync("Tab");
        await Expect(Button("Suspend " + terminal.SerialNumber)).ToBeFocusedAsync();
        await keys.PressAsync("Enter");
        await Expect(Button("Resume")).ToBeFocusedAsync();

        // In the list the bar with the button goes with what was chosen.
        await browser.Goto("/terminals?q=" + terminal.SerialNumber);
        await page.GetByLabel("Select " + terminal.SerialNumber).FocusAsync();
        await keys.PressAsync("Space");
        await Button("Resume").FocusAsync();
        await keys.PressAsync("Enter");
        await Expect(Button("Cancel")).ToBeFocusedAsync();
        await keys.PressAsync("Tab");
        await keys.PressAsync("Enter");
        await Expect(page.GetByText("1 terminal is resumed.")).ToBeVisibleAsync();
        await Button("Close").FocusAsync();
        await keys.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        await Expect(page.Locator("h1")).ToBeFocusedAsync();
    }

    [Fact]
    public async Task Another_device_with_its_key_is_a_problem_until_somebody_resumes_the_terminal()
    {
        await using var terminal = await hub.LoggedIn();
        await using var clone = new TestTerminal(terminal.SerialNumber, hub.Hub.MqttPort, "HW-CLONE") { Key = terminal.Key };
        await clone.Connect();
        await clone.SendHello();
        await clone.Prove((await clone.Expect(Downlink.BodyOneofCase.Challenge)).Challenge.HubNonce.ToByteArray());
        Assert.Equal(Refusal.Types.Code.Hardware, (await clone.ExpectRefusal()).Code);

        await using var browser = await hub.Open("/");
        var problem = browser.Page.Locator(".problems li", new() { HasText = terminal.SerialNumber });
        await Expect(problem).ToContainTextAsync("HW-CLONE");
        await problem.Locator("a").ClickAsync();
        var word = browser.Page.Locator("ul.words li", new() { HasText = "HW-CLONE" });
        await Expect(word).ToContainTextAsync("another device tried to log in with its key");
        await Told(terminal.SerialNumber, "suspend");
        await Expect(word).ToBeVisibleAsync();
        await Told(terminal.SerialNumber, "resume");
        await Expect(word).ToHaveCountAsync(0);
        await browser.Goto("/");
        await browser.Page.Locator(".problems").WaitForAsync();
        await Expect(problem).ToHaveCountAsync(0);
        var resumed = (await hub.Get($"audit?subject=terminal:{terminal.SerialNumber}")).GetProperty("items")[0];
        Assert.Contains("HW-CLONE", resumed.GetProperty("before").GetString(), StringComparison.Ordinal);
        Assert.Equal("""{"status":"active"}""", resumed.GetProperty("after").GetString());
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
    public async Task Second_click_on_a_test_payment_that_is_made_already_makes_no_other()
    {
        await using var terminal = await hub.LoggedIn();
        await using var browser = await hub.Open($"/terminals/{terminal.SerialNumber}");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Test payment" }).ClickAsync();
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Make the test payment" }).EvaluateAsync(BrowserPage.ClickedLateAgain);
        var rows = browser.Page.Locator("table.list tbody tr");
        await Expect(rows.First).ToContainTextAsync("Paid");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Test payment" }).ClickAsync();
        await browser.Page.GetByLabel("Declined, no money").CheckAsync();
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Make the test payment" }).ClickAsync();
        await Expect(rows.First).ToContainTextAsync("Declined");
        await Expect(rows).ToHaveCountAsync(2);
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

    private async Task Told(string serialNumber, string deed)
    {
        using var answer = await hub.Api.PostAsync($"/api/v1/terminals/{serialNumber}/{deed}", null, TestContext.Current.CancellationToken);
        Assert.Equal(System.Net.HttpStatusCode.NoContent, answer.StatusCode);
    }

    private async Task Put(string path, object body)
    {
        using var content = new StringContent(JsonSerializer.Serialize(body), System.Text.Encoding.UTF8, "application/json");
        using var answer = await hub.Api.PutAsync("/api/v1/" + path, content, TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {answer.StatusCode}");
    }
}
