using System.Text.RegularExpressions;
using DeviceHub.IntegrationTests.BadInput;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace DeviceHub.BrowserTests;

/// <summary>Payments of real terminals, seen and handled in a browser.</summary>
[Collection(DashboardGroup.Name)]
public sealed partial class PaymentsTests(DashboardHub hub)
{
    /// <summary>The Sandbox loses its answer and finds no such order at first: in doubt for some seconds, and charged.</summary>
    private const ulong LosesAnswer = 1023;

    [Fact]
    public async Task Payment_appears_in_the_list_and_on_its_page_without_a_reload()
    {
        await using var terminal = await hub.LoggedIn();
        await using var browser = await hub.Open("/payments?terminal=" + terminal.SerialNumber);
        await Expect(browser.Page.GetByText("No payment is like that")).ToBeVisibleAsync();
        var request = terminal.Request(1234, "LIVE-1");
        var outcome = await terminal.PayForOutcome(request);

        var row = browser.Page.Locator("tbody tr");
        await Expect(row).ToHaveCountAsync(1);
        await Expect(row).ToContainTextAsync("¥12.34");
        await Expect(row.Locator(".chip")).ToHaveTextAsync("Paid");
        await Expect(browser.Page.GetByText("1 payment", new() { Exact = true })).ToBeVisibleAsync();
        await browser.IsAccessible();

        await row.GetByRole(AriaRole.Link).ClickAsync();
        await Expect(browser.Page).ToHaveURLAsync($"/payments/{terminal.SerialNumber}/{request.RequestId}");
        await Expect(browser.Page.Locator(".steps").GetByText("The terminal has not said yet that it shows the outcome")).ToBeVisibleAsync();
        await terminal.Shown(outcome);
        await Expect(browser.Page.Locator(".steps").GetByText("The terminal showed the outcome")).ToBeVisibleAsync();
        await Expect(browser.Page.Locator("body")).Not.ToContainTextAsync(request.PaymentCode);
        await browser.IsAccessible();

        await browser.Page.GoBackAsync();
        await Expect(browser.Page.Locator("#terminal")).ToHaveValueAsync(terminal.SerialNumber);
        await Expect(row).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task Payments_of_a_store_are_found_by_a_part_of_its_name()
    {
        await using var terminal = await hub.LoggedIn();
        await terminal.PayForOutcome(terminal.Request(2222));
        await using var browser = await hub.Open("/payments?terminal=" + terminal.SerialNumber);
        await Expect(browser.Page.Locator("tbody tr")).ToHaveCountAsync(1);
        await browser.Page.GetByLabel("Merchant or store").First.FocusAsync();
        await browser.Page.Keyboard.TypeAsync("nowhere");
        await Expect(browser.Page.GetByText("None has that name.")).ToBeVisibleAsync();
        await browser.Page.GetByLabel("Merchant or store").First.FillAsync("street 大");
        await browser.IsAccessible();
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Main street 大街店 Noodle house 面馆" }).ClickAsync();
        await Expect(browser.Page).ToHaveURLAsync(new Regex("store=" + hub.StoreId));
        await Expect(browser.Page.Locator(".pill", new() { HasText = "Store:" })).ToContainTextAsync("Main street 大街店");
        await Expect(browser.Page.Locator("tbody tr")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task Payment_is_found_by_its_numbers_from_the_box_above_every_page()
    {
        await using var terminal = await hub.LoggedIn();
        await terminal.PayForOutcome(terminal.Request(3333, "FIND-1"));
        await terminal.PayForOutcome(terminal.Request(4444, "FIND-2"));
        await using var browser = await hub.Open("/payments?q=FIND-2");
        var row = browser.Page.Locator("tbody tr");
        await Expect(row).ToHaveCountAsync(1);
        await Expect(browser.Page.GetByText("“FIND-2” is an order number.")).ToBeVisibleAsync();
        await row.GetByRole(AriaRole.Link).ClickAsync();
        var number = await browser.Page.Locator("dd code").Filter(new() { HasTextRegex = ChannelNumber() }).InnerTextAsync();

        await browser.Page.Keyboard.PressAsync("/");
        await browser.Page.Keyboard.TypeAsync(number);
        await browser.Page.Keyboard.PressAsync("Enter");
        await Expect(browser.Page.GetByText($"“{number}” is a channel’s number.")).ToBeVisibleAsync();
        await Expect(row).ToContainTextAsync("¥44.44");

        await browser.Page.GetByLabel("Search", new() { Exact = true }).FillAsync("¥33.33");
        await browser.Page.Keyboard.PressAsync("Enter");
        await Expect(browser.Page.GetByText("is an amount.")).ToBeVisibleAsync();
        await Expect(row.First).ToContainTextAsync("FIND-1");

        await browser.Page.GetByLabel("State").SelectOptionAsync("Declined");
        await Expect(browser.Page).ToHaveURLAsync(new Regex("status=declined"));
        await Expect(browser.Page.GetByText("No payment is like that")).ToBeVisibleAsync();
        await browser.Page.GoBackAsync();
        await Expect(row.First).ToContainTextAsync("FIND-1");
    }

    [Fact]
    public async Task Money_is_given_back_in_parts_and_the_button_says_how_much_and_to_whom()
    {
        await using var terminal = await hub.LoggedIn();
        var request = terminal.Request(1500, "BACK-1");
        await terminal.Shown(await terminal.PayForOutcome(request));
        await using var browser = await hub.Open($"/payments/{terminal.SerialNumber}/{request.RequestId}");
        var page = browser.Page;
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Cancel…" })).ToBeDisabledAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Refund…" }).ClickAsync();
        await Expect(page.GetByLabel("Amount, at most ¥15.00")).ToHaveValueAsync("15.00");
        await page.GetByLabel("Amount, at most ¥15.00").FillAsync("15.01");
        await Expect(page.GetByText("An amount from ¥0.01 to ¥15.00 is needed.")).ToBeVisibleAsync();
        await page.GetByLabel("Amount, at most ¥15.00").FillAsync("5");
        await page.GetByLabel("Reason").FillAsync("soup was cold");
        await browser.IsAccessible();
        await page.GetByRole(AriaRole.Button, new() { NameRegex = RefundFive() }).ClickAsync();

        await Expect(page.GetByText("The refund of ¥5.00 has begun")).ToBeVisibleAsync();
        await Expect(page.Locator("h1 .chip")).ToHaveTextAsync("Partly refunded");
        await Expect(page.GetByText("¥5.00 has been given back; ¥10.00 can still be refunded.")).ToBeVisibleAsync();
        await Expect(page.Locator(".steps").GetByText("soup was cold")).ToBeVisibleAsync();
        var audit = (await hub.Get($"audit?what=payment.refund&subject=payment:{terminal.SerialNumber}/{request.RequestId}")).GetProperty("items");
        var row = Assert.Single(audit.EnumerateArray());
        Assert.Equal(("user:admin", "127.0.0.1"), (row.GetProperty("who").GetString(), row.GetProperty("address").GetString()));
    }

    [Fact]
    public async Task Payment_in_doubt_is_shown_with_its_reasons_and_settles_before_ones_eyes()
    {
        await using var terminal = await hub.LoggedIn();
        var request = terminal.Request(LosesAnswer);
        await terminal.Pay(request);
        await using var browser = await hub.Open($"/payments/{terminal.SerialNumber}/{request.RequestId}", o => o.Locale = "zh-CN");
        var page = browser.Page;
        await Expect(page.Locator("h1 .chip")).ToHaveTextAsync("待确认", new() { Timeout = 30_000 });
        await Expect(page.GetByText("收银员已被提示请勿重复扫码")).ToBeVisibleAsync();
        await browser.IsAccessible();
        await Expect(page.Locator("h1 .chip")).Not.ToHaveTextAsync("待确认", new() { Timeout = 40_000 });
        await Expect(page.Locator(".steps")).ToContainTextAsync("原因：当时不清楚顾客是否已被扣款。");
        await Expect(page.GetByRole(AriaRole.Img, new() { NameRegex = Picture() })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Who_reads_the_list_is_not_moved_but_told_that_there_is_more()
    {
        await using var terminal = await hub.LoggedIn();
        for (var i = 0; i < 3; i++)
        {
            await terminal.PayForOutcome(terminal.Request(5000 + (ulong)(100 * i)));
        }

        await using var browser = await hub.Open("/payments?terminal=" + terminal.SerialNumber);
        var rows = browser.Page.Locator("tbody tr");
        await Expect(rows).ToHaveCountAsync(3);
        await rows.Nth(1).HoverAsync();
        await terminal.PayForOutcome(terminal.Request(7700));
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "1 new payment" }).ClickAsync();
        await Expect(rows).ToHaveCountAsync(4);
        await Expect(rows.First).ToContainTextAsync("¥77.00");
    }

    [Fact]
    public async Task Unknown_payment_and_narrow_screen_are_told_and_fit()
    {
        await using var terminal = await hub.LoggedIn();
        var request = terminal.Request(6600, "PHONE-1");
        await terminal.PayForOutcome(request);
        await using var browser = await hub.Open($"/payments/{terminal.SerialNumber}/{request.RequestId}", o => o.ViewportSize = new() { Width = 390, Height = 844 });
        await Expect(browser.Page.Locator(".picture .down")).ToBeVisibleAsync();
        await Expect(browser.Page.Locator(".picture .across")).ToBeHiddenAsync();
        Assert.Equal(390, await browser.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        await browser.Goto("/payments?q=PHONE-1");
        await Expect(browser.Page.Locator("tbody tr")).ToHaveCountAsync(1);
        Assert.Equal(390, await browser.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        await browser.Goto($"/payments/{terminal.SerialNumber}/NO-SUCH-REQUEST");
        await Expect(browser.Page.GetByText("There is no such payment")).ToBeVisibleAsync();
    }

    [GeneratedRegex("^d[0-9a-f]{29}$")]
    private static partial Regex ChannelNumber();

    [GeneratedRegex("^Refund ¥5\\.00 to ")]
    private static partial Regex RefundFive();

    [GeneratedRegex("^交易过程图")]
    private static partial Regex Picture();
}
