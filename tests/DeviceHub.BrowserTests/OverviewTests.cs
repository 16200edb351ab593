using System.Globalization;
using System.Text.RegularExpressions;
using DeviceHub.IntegrationTests.BadInput;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace DeviceHub.BrowserTests;

/// <summary>The overview before a browser: it is live, its numbers are the API's, and each leads somewhere.</summary>
[Collection(DashboardGroup.Name)]
public sealed partial class OverviewTests(DashboardHub hub)
{
    [Fact]
    public async Task Payment_of_a_terminal_appears_in_tiles_and_chart_without_a_reload()
    {
        await using var browser = await hub.Open("/");
        await browser.Page.EvaluateAsync("window.stayed = true");
        var before = await Number(browser.Page, "amount", "strong");
        var payments = await Number(browser.Page, "amount", ".note");
        await using var terminal = await hub.LoggedIn();

        var outcome = await terminal.PayForOutcome(terminal.Request(1234));
        await terminal.Shown(outcome);

        await Expect(Tile(browser.Page, "amount").Locator("strong")).Not.ToHaveTextAsync(Money(before), new() { Timeout = 15_000 });
        Assert.Equal(before + 1234, await Number(browser.Page, "amount", "strong"));
        Assert.Equal(payments + 1, await Number(browser.Page, "amount", ".note"));
        await Expect(Tile(browser.Page, "connected").Locator("strong")).Not.ToHaveTextAsync("0", new() { Timeout = 15_000 });
        await Expect(Chart(browser.Page)).ToHaveAttributeAsync("aria-label", new Regex($"^[1-9][0-9,]* payments: [1-9]"), new() { Timeout = 15_000 });
        await Expect(Chart(browser.Page).Locator("svg")).ToBeVisibleAsync();
        Assert.True(await browser.Page.EvaluateAsync<bool>("window.stayed === true"));

        // What the page says is what the list of the API says.
        var approved = (await hub.Get($"payments?result=approved&from={Today()}&pageSize=200")).GetProperty("items").EnumerateArray().ToList();
        Assert.Equal(approved.Sum(p => p.GetProperty("amountFen").GetInt64()), await Number(browser.Page, "amount", "strong"));
        Assert.Equal(approved.Count, await Number(browser.Page, "amount", ".note"));
    }

    [Fact]
    public async Task Payment_in_doubt_is_a_problem_that_leads_to_it()
    {
        await using var browser = await hub.Open("/");
        await using var terminal = await hub.LoggedIn();

        // The Sandbox answers nothing to this amount for a minute, and then charges it.
        var request = terminal.Request(41);
        await terminal.Pay(request);

        var problem = browser.Page.Locator(".problems li", new() { HasText = terminal.SerialNumber });
        await problem.WaitForAsync(new() { Timeout = 30_000 });
        await Expect(problem.Locator("a")).ToHaveAttributeAsync("href", $"/payments/{terminal.SerialNumber}/{request.RequestId}");
    }

    [Fact]
    public async Task Every_number_leads_to_its_list_and_the_charts_show_hour_day_and_week()
    {
        await using var browser = await hub.Open("/");
        foreach (var tile in new[] { "connected", "responsive", "payable" })
        {
            await Expect(Tile(browser.Page, tile)).ToHaveAttributeAsync("href", "/terminals?state=" + tile);
        }

        await Expect(Tile(browser.Page, "doubt")).ToHaveAttributeAsync("href", "/payments?status=inDoubt");
        foreach (var range in new[] { "Week", "Day", "Hour" })
        {
            await browser.Page.GetByRole(AriaRole.Link, new() { Name = range, Exact = true }).ClickAsync();
            await Expect(browser.Page.GetByRole(AriaRole.Link, new() { Name = range, Exact = true })).ToHaveAttributeAsync("aria-current", "page");
            await Expect(Chart(browser.Page).Locator("svg")).ToBeVisibleAsync();
        }
    }

    [Theory]
    [InlineData(1440, ColorScheme.Light, "en-GB")]
    [InlineData(390, ColorScheme.Dark, "zh-CN")]
    public async Task Overview_is_accessible_and_fits_the_screen(int width, ColorScheme colours, string language)
    {
        await using var terminal = await hub.LoggedIn();
        await using var browser = await hub.Open("/", o => (o.ViewportSize, o.ColorScheme, o.Locale) = (new() { Width = width, Height = 850 }, colours, language));
        await Tile(browser.Page, "amount").WaitForAsync();
        await browser.IsAccessible();
        Assert.True(await browser.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"));
    }

    private static ILocator Tile(IPage page, string name) => page.Locator($"[data-tile={name}]");

    private static ILocator Chart(IPage page) => page.Locator(".charts [role=img]").First;

    private static string Money(long fen) => "¥" + (fen / 100m).ToString("#,##0.00", CultureInfo.InvariantCulture);

    /// <summary>Fen of money, else the number itself.</summary>
    private static async Task<long> Number(IPage page, string tile, string part)
    {
        var text = await Tile(page, tile).Locator(part).InnerTextAsync();
        return long.Parse(NotDigit().Replace(text, ""), CultureInfo.InvariantCulture);
    }

    /// <summary>Midnight of the hub's zone, which is this machine's.</summary>
    private static string Today()
    {
        var midnight = TimeZoneInfo.ConvertTime(TimeProvider.System.GetUtcNow(), TimeZoneInfo.Local).Date;
        return Uri.EscapeDataString(new DateTimeOffset(midnight, TimeZoneInfo.Local.GetUtcOffset(midnight)).ToString("O", CultureInfo.InvariantCulture));
    }

    [GeneratedRegex("[^0-9]")]
    private static partial Regex NotDigit();
}
