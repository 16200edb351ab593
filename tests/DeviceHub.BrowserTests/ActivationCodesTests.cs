using System.Net.Http.Json;
using System.Text.RegularExpressions;
using DeviceHub.IntegrationTests.BadInput;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace DeviceHub.BrowserTests;

/// <summary>Activation codes, made at the page and used by a terminal.</summary>
[Collection(DashboardGroup.Name)]
public sealed partial class ActivationCodesTests(DashboardHub hub)
{
    [Fact]
    public async Task Code_is_made_for_a_new_store_shown_once_with_its_image_and_its_uses_left_change_as_a_terminal_takes_it()
    {
        await using var browser = await hub.Open("/activation-codes");
        var page = browser.Page;
        var (merchant, store) = ("Tea house " + Guid.NewGuid().ToString("n")[..6], "Store " + Guid.NewGuid().ToString("n")[..6]);
        await page.GetByRole(AriaRole.Button, new() { Name = "New code" }).First.ClickAsync();
        await page.GetByLabel("Merchant").FocusAsync();

        // A dialog that has just opened takes the focus once.
        await Expect(page.Locator("#merchants")).ToBeAttachedAsync();
        await page.GetByLabel("Merchant").FocusAsync();
        await page.Keyboard.TypeAsync(merchant);
        await page.GetByRole(AriaRole.Button, new() { Name = $"Add the merchant “{merchant}”" }).ClickAsync();
        await Expect(page.GetByLabel("Store", new() { Exact = true })).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync(store);
        await page.GetByRole(AriaRole.Button, new() { Name = $"Add the store “{store}”" }).ClickAsync();
        await Expect(page.GetByLabel("Model of the terminals")).ToBeFocusedAsync();
        await page.GetByLabel("Model of the terminals").FillAsync(DashboardHub.Unsealed);
        await page.GetByLabel("Terminals", new() { Exact = true }).FillAsync("2");

        // A click by script leaves no field, and a field is read when it is left.
        await page.GetByLabel("Terminals", new() { Exact = true }).BlurAsync();
        await browser.IsAccessible();
        await page.GetByRole(AriaRole.Button, new() { Name = "Make the code" }).EvaluateAsync(BrowserPage.ClickedLateAgain);
        var code = await page.Locator(".the-code").InnerTextAsync();
        Assert.Matches(Printed(), code);
        await Expect(page.Locator(".qr")).ToBeVisibleAsync();
        Assert.True(await page.Locator(".qr").EvaluateAsync<bool>("async image => { await image.decode(); return image.naturalWidth > 0; }"));
        await browser.IsAccessible();
        await page.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await Expect(page.Locator("body")).Not.ToContainTextAsync(code);
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "New code" }).First).ToBeFocusedAsync();

        var row = page.Locator("tbody tr", new() { HasText = store });
        await Expect(row).ToContainTextAsync("2 left");
        await using var terminal = new TestTerminal("ACT-" + code[..4], hub.Hub.MqttPort);
        var key = await terminal.Activate(code);
        await terminal.DisposeAsync();
        await using var active = new TestTerminal(terminal.SerialNumber, hub.Hub.MqttPort) { Key = key };
        await active.Login();
        await Expect(row).ToContainTextAsync("1 left");
        await row.GetByText("1 terminal", new() { Exact = true }).ClickAsync();
        await Expect(row.GetByRole(AriaRole.Link, new() { Name = terminal.SerialNumber })).ToBeVisibleAsync();
        await browser.IsAccessible();

        await row.GetByRole(AriaRole.Button, new() { Name = "Extend the code" }).ClickAsync();
        await page.GetByLabel("More terminals").FillAsync("1000");
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Extend" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Alert)).ToHaveTextAsync("A code is for 1000 terminals at most.");
        await Expect(page.GetByLabel("More terminals")).ToHaveValueAsync("1000");
        await page.GetByLabel("More terminals").FillAsync("5");
        await page.GetByLabel("More terminals").BlurAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Extend" }).EvaluateAsync(BrowserPage.ClickedLateAgain);
        await Expect(row).ToContainTextAsync("6 left");
        await row.GetByRole(AriaRole.Button, new() { Name = "Revoke the code" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("It cannot be taken back");
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Revoke" }).ClickAsync();
        await Expect(row.Locator(".chip")).ToHaveTextAsync("Revoked");
    }

    [Fact]
    public async Task Code_that_a_program_made_leaves_its_buttons_on_the_screen()
    {
        var key = (await hub.Post("api-keys", new { name = "till", scopes = new[] { "admin" } })).GetProperty("key").GetString();
        using var program = new HttpClient { BaseAddress = hub.Hub.Url, DefaultRequestHeaders = { Authorization = new("Bearer", key) } };
        using var made = await program.PostAsJsonAsync("/api/v1/activation-codes", new { storeId = hub.StoreId, model = DashboardHub.Unsealed, uses = 12 }, TestContext.Current.CancellationToken);
        made.EnsureSuccessStatusCode();
        await using var browser = await hub.Open("/activation-codes", o => o.ViewportSize = new() { Width = 1280, Height = 800 });
        await Expect(browser.Page.Locator("tbody tr", new() { HasText = "API key “till”" }).First).ToBeVisibleAsync();
        Assert.True(await browser.Page.Locator(".table-box").EvaluateAsync<bool>("box => box.scrollWidth <= box.clientWidth"));
    }

    [GeneratedRegex("^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$")]
    private static partial Regex Printed();
}
