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
        await browser.Page.WaitForURLAsync("**/payments?q=A%201%262");
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
}
