using System.Text.RegularExpressions;
using DeviceHub.Tests;
using Microsoft.Playwright;

namespace DeviceHub.BrowserTests;

/// <summary>What is around every page: language, colours, keys, security headers, and a connection that is lost.</summary>
[Collection(DashboardGroup.Name)]
public sealed class FrameTests(DashboardHub hub)
{
    [Fact]
    public async Task Reader_changes_language_and_colours_and_both_stay()
    {
        await using var browser = await hub.Open("/");
        await browser.Page.GetByRole(AriaRole.Link, new() { Name = "中文" }).ClickAsync();
        await Assertions.Expect(browser.Page.Locator("h1").First).ToHaveTextAsync("概览");
        await browser.Page.GetByRole(AriaRole.Link, new() { Name = "深色" }).ClickAsync();
        await Assertions.Expect(browser.Page.Locator("html")).ToHaveAttributeAsync("data-theme", "dark");
        await browser.Goto("/");
        await Assertions.Expect(browser.Page.Locator("html")).ToHaveAttributeAsync("lang", "zh-Hans");
        await Assertions.Expect(browser.Page.Locator("body")).ToHaveCSSAsync("background-color", "rgb(15, 18, 22)");
    }

    [Fact]
    public async Task Browser_that_asks_for_Chinese_gets_it()
    {
        await using var browser = await hub.Open("/", o => o.Locale = "zh-CN");
        await Assertions.Expect(browser.Page.Locator("h1").First).ToHaveTextAsync("概览");
    }

    [Fact]
    public async Task Slash_leads_to_the_search_and_enter_to_what_was_searched_for()
    {
        await using var browser = await hub.Open("/");
        await browser.Page.Keyboard.PressAsync("/");
        await Assertions.Expect(browser.Page.Locator("#find")).ToBeFocusedAsync();
        await browser.Page.Keyboard.TypeAsync("A 1&2");
        await browser.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(browser.Page).ToHaveURLAsync(new Regex("/payments[?]q=A%201%262$"));
    }

    [Fact]
    public async Task Pages_allow_no_script_but_their_own_files()
    {
        var answer = await hub.Api.GetAsync("/", TestContext.Current.CancellationToken);
        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("script-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lost_connection_is_said_and_comes_back_by_itself()
    {
        await using var browser = await hub.Open("/settings");
        browser.Allowed.UnionWith(["WebSocket", "Connection disconnected", "Failed to", "failed requests", "ERR_", "Cannot send data"]);

        // It may be back before a look from outside: the bar itself writes down what it says.
        await browser.Page.EvaluateAsync(
            """
            () => {
              const bar = document.getElementById('components-reconnect-modal');
              window.said = [];
              const shown = e => getComputedStyle(e).display !== 'none';
              new MutationObserver(() => window.said.push(shown(bar) && shown(bar.querySelector('.when-lost')))).observe(bar, { attributes: true });
              Blazor._internal.forceCloseConnection();
            }
            """);
        await Eventually.Holds(
            () => browser.Page.EvaluateAsync<bool>("window.said.includes(true) && getComputedStyle(document.getElementById('components-reconnect-modal')).display === 'none'"),
            "the bar said that it reconnects, and is gone");
    }

    [Fact]
    public async Task Pages_of_a_hub_that_was_killed_say_so_and_come_back_with_it_but_not_over_what_somebody_types()
    {
        await using var terminal = await hub.LoggedIn();
        await using var english = await hub.Open("/terminals?q=" + terminal.SerialNumber);
        await using var chinese = await hub.Open("/payments?span=24h", o => o.Locale = "zh-CN");
        await using var writer = await hub.Open($"/terminals/{terminal.SerialNumber}/configuration");
        await writer.Page.Locator("textarea").FillAsync("""{ "volume": 3 }""");
        await using var patient = await hub.Open("/settings");
        await using var typist = await hub.Open($"/terminals/{terminal.SerialNumber}/configuration");
        await typist.Page.Locator("textarea").FillAsync("""{ "volume": 4 }""");
        BrowserPage[] all = [english, chinese, writer, patient, typist];
        foreach (var browser in all)
        {
            browser.Allowed.UnionWith(["WebSocket", "Connection disconnected", "Failed to", "failed requests", "ERR_CONNECTION_REFUSED", "Cannot send data"]);
        }

        await hub.Hub.Kill();
        await Assertions.Expect(Bar(english)).ToHaveTextAsync("The connection to the hub is lost. Reconnecting…", new() { UseInnerText = true });
        await Assertions.Expect(Bar(chinese)).ToHaveTextAsync("与平台的连接已断开，正在重新连接…", new() { UseInnerText = true });

        // Their clocks run ahead by the minutes after which the script tries no more.
        foreach (var browser in (BrowserPage[])[patient, typist])
        {
            await browser.Page.Clock.InstallAsync();
            await Eventually.Holds(
                async () =>
                {
                    await browser.Page.Clock.FastForwardAsync("01:00");
                    return await Bar(browser).Locator(".when-failed").IsVisibleAsync();
                },
                "the bar asks whether to try again");
        }

        // A bar, and no more of the page than that.
        Assert.InRange(await Bar(typist).EvaluateAsync<int>("bar => bar.offsetHeight"), 20, 60);
        await Again(patient).PressAsync("Enter");
        await Assertions.Expect(Again(patient)).ToBeFocusedAsync();
        await hub.Hub.Start();

        // Those who only look see the page as it is now, at the address that it had.
        await Assertions.Expect(Bar(english)).ToBeHiddenAsync();
        await Assertions.Expect(english.Page.Locator("tbody tr:has(a)")).ToContainTextAsync(terminal.SerialNumber);
        await Assertions.Expect(Bar(chinese)).ToBeHiddenAsync();
        await Assertions.Expect(chinese.Page.Locator("#span")).ToHaveValueAsync("24h");

        // Nobody tries any more for those who waited too long, until they say so.
        await Assertions.Expect(Again(patient)).ToBeVisibleAsync();
        await Again(patient).PressAsync("Enter");
        await Assertions.Expect(Bar(patient)).ToBeHiddenAsync();
        await patient.Page.Locator("h1").First.WaitForAsync();
        await Again(typist).ClickAsync();
        await Assertions.Expect(Bar(typist)).ToContainTextAsync("The hub was started again", new() { UseInnerText = true });
        await Assertions.Expect(typist.Page.Locator("textarea")).ToHaveValueAsync("""{ "volume": 4 }""");

        // Who types keeps what was typed until the page is read again on demand.
        await Assertions.Expect(Bar(writer)).ToContainTextAsync("The hub was started again", new() { UseInnerText = true });
        await Assertions.Expect(writer.Page.Locator("textarea")).ToHaveValueAsync("""{ "volume": 3 }""");
        await Bar(writer).GetByRole(AriaRole.Button, new() { Name = "Reload" }).ClickAsync();
        await Assertions.Expect(Bar(writer)).ToBeHiddenAsync();
        await Assertions.Expect(writer.Page.Locator("textarea")).Not.ToHaveValueAsync("""{ "volume": 3 }""");
    }

    private static ILocator Again(BrowserPage browser) => Bar(browser).GetByRole(AriaRole.Button, new() { Name = "Try again" });

    private static ILocator Bar(BrowserPage browser) => browser.Page.Locator("#components-reconnect-modal");
}
