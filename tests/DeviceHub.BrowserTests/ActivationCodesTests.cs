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
        await page.GetByLabel("Merchant").FillAsync(merchant);
        await page.GetByRole(AriaRole.Button, new() { Name = $"Add the merchant “{merchant}”" }).ClickAsync();
        await page.GetByLabel("Store", new() { Exact = true }).FillAsync(store);
        await page.GetByRole(AriaRole.Button, new() { Name = $"Add the store “{store}”" }).ClickAsync();
        await page.GetByLabel("Model of the terminals").FillAsync(DashboardHub.Unsealed);
        await page.GetByLabel("Terminals", new() { Exact = true }).FillAsync("2");
        await browser.IsAccessible();
        await page.GetByRole(AriaRole.Button, new() { Name = "Make the code" }).ClickAsync();
        var code = await page.Locator(".the-code").InnerTextAsync();
        Assert.Matches(Printed(), code);
        await Expect(page.Locator(".qr svg")).ToBeVisibleAsync();
        await browser.IsAccessible();
        await page.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await Expect(page.Locator("body")).Not.ToContainTextAsync(code);

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
        await page.GetByLabel("More terminals").FillAsync("5");
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Extend" }).ClickAsync();
        await Expect(row).ToContainTextAsync("6 left");
        await row.GetByRole(AriaRole.Button, new() { Name = "Revoke the code" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("It cannot be taken back");
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Revoke" }).ClickAsync();
        await Expect(row.Locator(".chip")).ToHaveTextAsync("revoked");
    }

    [GeneratedRegex("^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$")]
    private static partial Regex Printed();
}
