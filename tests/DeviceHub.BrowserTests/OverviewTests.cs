using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using DeviceHub.IntegrationTests.BadInput;
using DeviceHub.Tests;
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

        var request = terminal.Request(1234);
        await terminal.Shown(await terminal.PayForOutcome(request));

        // At least: a payment in doubt of another test may be approved meanwhile, by the hub itself.
        await Eventually.Holds(
            async () => await Number(browser.Page, "amount", "strong") >= before + 1234 && await Number(browser.Page, "amount", ".note") > payments,
            "the tile counts the payment");
        await Expect(Tile(browser.Page, "connected").Locator("strong")).Not.ToHaveTextAsync("0", new() { Timeout = 15_000 });
        await Expect(Chart(browser.Page)).ToHaveAttributeAsync("aria-label", new Regex($"^[1-9][0-9,]* payments: [1-9]"), new() { Timeout = 15_000 });
        await Expect(Chart(browser.Page).Locator("svg")).ToBeVisibleAsync();
        Assert.True(await browser.Page.EvaluateAsync<bool>("window.stayed === true"));

        // What the page says is what the list of the API says but for test payments, which no sum counts, and this payment is in it.
        var (fen, count) = (0L, 0);
        await Eventually.Holds(
            async () =>
            {
                var approved = (await hub.Get($"payments?result=approved&from={Today()}&test=false&pageSize=200")).GetProperty("items").EnumerateArray().ToList();
                Assert.Contains(approved, p => p.GetProperty("requestId").GetString() == request.RequestId);
                (fen, count) = (approved.Sum(p => p.GetProperty("amountFen").GetInt64()), approved.Count);
                return fen == await Number(browser.Page, "amount", "strong") && count == await Number(browser.Page, "amount", ".note");
            },
            "the tile says what the API says");

        // And the tile leads to them.
        await Tile(browser.Page, "amount").ClickAsync();
        await Expect(browser.Page.Locator(".page-head [role=status]")).ToHaveTextAsync(new Regex("^[1-9][0-9]* payments?$"));
        Assert.InRange(await Digits(browser.Page.Locator(".page-head [role=status]")), count, count + 2);
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

        await Expect(Tile(browser.Page, "doubt")).ToHaveAttributeAsync("href", "/payments?status=inDoubt&tests=0");
        await using var terminal = await hub.LoggedIn();
        using var told = await hub.Api.PostAsync($"/api/v1/terminals/{terminal.SerialNumber}/suspend", null, TestContext.Current.CancellationToken);
        await browser.Page.Locator(".tile a", new() { HasTextRegex = new("^[1-9][0-9]* suspended$") }).PressAsync("Enter");
        await Expect(browser.Page).ToHaveURLAsync(new Regex("/terminals[?]status=suspended$"));
        await Expect(browser.Page.Locator(".terminals tbody tr", new() { HasText = terminal.SerialNumber })).ToBeVisibleAsync();
        await browser.Goto("/");
        foreach (var range in new[] { "Week", "Day", "Hour" })
        {
            await browser.Page.GetByRole(AriaRole.Link, new() { Name = range, Exact = true }).ClickAsync();
            await Expect(browser.Page.GetByRole(AriaRole.Link, new() { Name = range, Exact = true })).ToHaveAttributeAsync("aria-current", "page");
            await Expect(Chart(browser.Page).Locator("svg")).ToBeVisibleAsync();
        }
    }

    [Fact]
    public async Task Problem_that_has_no_page_says_on_the_spot_and_by_keyboard_what_mends_it()
    {
        using var keys = RSA.Create(2048);
        var merchant = await hub.Post("merchants", new { name = "Tea house" });
        var account = (await hub.Post("channel-accounts", new
        {
            merchantId = merchant.GetProperty("id").GetString(), channel = "alipay", name = "Away",
            fields = new
            {
                appId = "2021000122600001", privateKey = keys.ExportPkcs8PrivateKeyPem(), alipayPublicKey = keys.ExportSubjectPublicKeyInfoPem(), baseUrl = $"http://{DashboardHub.NobodyThere}",
            },
        })).GetProperty("id").GetString();
        var day = TimeProvider.System.GetUtcNow().AddDays(-2).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        await hub.Post("reconciliations", new { accountId = account, day });

        await using var browser = await hub.Open("/");
        var problem = browser.Page.Locator(".problems > ul > li", new() { HasText = account });
        await Expect(problem).ToContainTextAsync(day);
        var call = problem.GetByText($$"""POST /api/v1/reconciliations {"accountId":"{{account}}","day":"{{day}}"}""");
        await Expect(call).ToBeHiddenAsync();
        await problem.Locator("summary").PressAsync("Enter");
        await Expect(call).ToBeVisibleAsync();
        await browser.IsAccessible();

        // It stays open while the page changes around it.
        await using var terminal = await hub.LoggedIn();
        await terminal.Pay(terminal.Request(41));
        await browser.Page.Locator(".problems > ul > li", new() { HasText = terminal.SerialNumber }).WaitForAsync(new() { Timeout = 30_000 });
        await Expect(call).ToBeVisibleAsync();
        await problem.Locator("summary").PressAsync("Enter");
        await Expect(call).ToBeHiddenAsync();
    }

    [Fact]
    public async Task Charts_are_a_table_by_keyboard_whose_times_lead_to_their_payments()
    {
        await using var terminal = await hub.LoggedIn();
        var request = terminal.Request(1236);
        await terminal.Shown(await terminal.PayForOutcome(request));
        await using var browser = await hub.Open("/");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "As a table" }).PressAsync("Enter");
        var rows = browser.Page.Locator(".values tbody tr");
        await Expect(rows).ToHaveCountAsync(60);

        // What this test has paid is in one of the two newest minutes.
        var paid = rows.Filter(new() { Has = browser.Page.Locator("td:nth-of-type(1)", new() { HasTextRegex = new("[1-9]") }) }).First;
        await Expect(paid).ToBeVisibleAsync();
        await browser.IsAccessible();
        var link = paid.GetByRole(AriaRole.Link);
        var address = await link.GetAttributeAsync("href");
        await link.PressAsync("Enter");
        await Expect(browser.Page).ToHaveURLAsync(new Regex(Regex.Escape(address!) + "$"));
        await Expect(browser.Page.Locator("table.list tbody tr").First).ToContainTextAsync("¥");
    }

    [Fact]
    public async Task Outcomes_that_no_terminal_confirmed_are_one_problem_whose_number_leads_to_them()
    {
        await using var terminal = await hub.LoggedIn();
        var outcome = await terminal.PayForOutcome(terminal.Request(1237));
        async Task<int> Listed() => (await hub.Get($"payments?outcomeNotShown=true&serialNumber={terminal.SerialNumber}")).GetProperty("items").GetArrayLength();
        await Eventually.Holds(async () => await Listed() == 1, "the terminal had its time to confirm");

        await using var browser = await hub.Open("/");
        var problem = browser.Page.Locator(".problems > ul > li", new() { HasText = "Not confirmed" }).GetByRole(AriaRole.Link);
        var count = await Digits(problem);
        await problem.PressAsync("Enter");
        await Expect(browser.Page).ToHaveURLAsync(new Regex("/payments[?]notShown=1&span=7d$"));
        await Expect(browser.Page.GetByLabel("State").Locator("option:checked")).ToHaveTextAsync("Outcome not confirmed");
        await Expect(browser.Page.Locator("table.list tbody tr", new() { HasText = terminal.SerialNumber })).ToContainTextAsync("¥12.37");

        // Payments of other tests may have joined them meanwhile.
        Assert.InRange(await Digits(browser.Page.Locator(".page-head [role=status]")), count, count + 2);
        await browser.IsAccessible();
        await terminal.Shown(outcome);
        await Eventually.Holds(async () => await Listed() == 0, "the terminal has confirmed it");
        await browser.Goto($"/payments?notShown=1&terminal={terminal.SerialNumber}");
        await Expect(browser.Page.GetByText("No payment is like that")).ToBeVisibleAsync();
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

    /// <summary>Fen of money, else the number itself.</summary>
    private static Task<long> Number(IPage page, string tile, string part) => Digits(Tile(page, tile).Locator(part));

    private static async Task<long> Digits(ILocator of) => long.Parse(NotDigit().Replace(await of.InnerTextAsync(), ""), CultureInfo.InvariantCulture);

    /// <summary>Midnight of the hub's zone, which is this machine's.</summary>
    private static string Today()
    {
        var midnight = TimeZoneInfo.ConvertTime(TimeProvider.System.GetUtcNow(), TimeZoneInfo.Local).Date;
        return Uri.EscapeDataString(new DateTimeOffset(midnight, TimeZoneInfo.Local.GetUtcOffset(midnight)).ToString("O", CultureInfo.InvariantCulture));
    }

    [GeneratedRegex("[^0-9]")]
    private static partial Regex NotDigit();
}
