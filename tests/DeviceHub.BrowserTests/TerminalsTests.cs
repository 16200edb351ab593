using DeviceHub.IntegrationTests.BadInput;
using DeviceHub.Protocol.Wire;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace DeviceHub.BrowserTests;

/// <summary>The list of terminals, with real ones connected.</summary>
[Collection(DashboardGroup.Name)]
public sealed class TerminalsTests(DashboardHub hub)
{
    [Fact]
    public async Task What_is_searched_for_stands_in_the_address_and_survives_a_reload_and_a_step_back()
    {
        await using var terminal = await hub.LoggedIn();
        await using var browser = await hub.Open("/terminals");
        var rows = browser.Page.Locator("tbody tr:has(a)");
        await browser.Page.FillAsync("#q", terminal.SerialNumber[^4..]);
        await browser.Page.PressAsync("#q", "Enter");
        await Expect(browser.Page).ToHaveURLAsync("/terminals?q=" + terminal.SerialNumber[^4..]);
        await Expect(rows).ToHaveCountAsync(1);
        await Expect(rows).ToContainTextAsync("Main street 大街店");
        await Expect(rows.Locator(".chip").First).ToHaveTextAsync("Takes money");
        await browser.Page.SelectOptionAsync("#status", "Suspended");
        await Expect(browser.Page.GetByText("No terminal fits")).ToBeVisibleAsync();
        await browser.Page.ReloadAsync();
        await Expect(browser.Page.Locator("#status")).ToHaveValueAsync("Suspended");
        await Expect(browser.Page.GetByText("No terminal fits")).ToBeVisibleAsync();
        await browser.Page.GoBackAsync();
        await Expect(browser.Page.Locator("#status")).ToHaveValueAsync("");
        await Expect(rows).ToHaveCountAsync(1);
        await browser.IsAccessible();

        // Arrows lead from the search to the row, and enter opens it.
        await browser.Page.FocusAsync("#q");
        await browser.Page.Keyboard.PressAsync("ArrowDown");
        await Expect(rows.GetByRole(AriaRole.Link)).ToBeFocusedAsync();
        await browser.Page.Keyboard.PressAsync("Space");
        await Expect(browser.Page.GetByText("1 selected")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Terminals_that_are_suspended_together_show_it_and_refuse_payments_until_they_are_resumed()
    {
        await using var first = await hub.LoggedIn();
        await using var second = await hub.LoggedIn();
        await using var third = await hub.LoggedIn();
        TestTerminal[] all = [first, second, third];
        await using var browser = await hub.Open("/terminals?sort=registered&down=1");
        foreach (var terminal in all)
        {
            await browser.Page.GetByLabel("Select " + terminal.SerialNumber).CheckAsync();
        }

        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Suspend", Exact = true }).ClickAsync();
        await Expect(browser.Page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("Suspend 3 terminals?");
        await Expect(browser.Page.GetByRole(AriaRole.Dialog)).ToContainTextAsync(third.SerialNumber);
        await browser.IsAccessible();
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Suspend 3" }).ClickAsync();
        await Expect(browser.Page.GetByText("3 terminals are suspended.")).ToBeVisibleAsync();
        await browser.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();
        foreach (var terminal in all)
        {
            await Expect(browser.Page.Locator("tbody tr", new() { HasText = terminal.SerialNumber })).ToContainTextAsync("Suspended");
        }

        await second.Pay(second.Request(100));
        Assert.Equal(Refusal.Types.Code.Suspended, (await second.ExpectRefusal()).Code);
        await browser.Page.GetByLabel("Select " + second.SerialNumber).CheckAsync();
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Resume", Exact = true }).ClickAsync();
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Resume 1" }).ClickAsync();
        await Expect(browser.Page.GetByText("1 terminal is resumed.")).ToBeVisibleAsync();
        await using var resumed = await second.LogsInAgain();
        Assert.Equal("approved", (await resumed.PayForOutcome(resumed.Request(200))).Result.ToString().ToLowerInvariant());
        var audit = await hub.Get($"audit?subject=terminal:{second.SerialNumber}");
        Assert.Equal(["terminal.resume", "terminal.suspend"], audit.GetProperty("items").EnumerateArray().Select(e => e.GetProperty("what").GetString()!));
    }

    [Fact]
    public async Task What_the_filters_find_is_downloaded_as_a_file_for_spreadsheets()
    {
        await using var terminal = await hub.LoggedIn();
        await using var browser = await hub.Open("/terminals?q=" + terminal.SerialNumber);
        browser.Allowed.Add("failed requests");
        var download = await browser.Page.RunAndWaitForDownloadAsync(() => browser.Page.GetByRole(AriaRole.Link, new() { Name = "Export CSV" }).ClickAsync());
        Assert.Matches("^terminals-[0-9-]+\\.csv$", download.SuggestedFilename);
        var bytes = await File.ReadAllBytesAsync((await download.PathAsync())!, TestContext.Current.CancellationToken);
        Assert.Equal([0xEF, 0xBB, 0xBF], bytes[..3]);
        var lines = System.Text.Encoding.UTF8.GetString(bytes[3..]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.StartsWith($"{terminal.SerialNumber},active,", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dot_of_a_terminal_that_goes_away_changes_while_one_looks_and_a_phone_shows_cards()
    {
        await using var terminal = await hub.LoggedIn();
        await using var browser = await hub.Open("/terminals?q=" + terminal.SerialNumber, o => o.ViewportSize = new() { Width = 390, Height = 844 });
        var chip = browser.Page.Locator("tbody tr .chip").First;
        await Expect(chip).ToHaveTextAsync("Takes money");
        Assert.True(await browser.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= 390"), "the page is wider than a phone");
        await browser.IsAccessible();
        await terminal.DisposeAsync();
        await Expect(chip).ToHaveTextAsync("Not connected");
    }
}
