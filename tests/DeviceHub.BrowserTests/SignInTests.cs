using DeviceHub.Core.People;
using Microsoft.Playwright;

namespace DeviceHub.BrowserTests;

/// <summary>A person's way in and out, as a browser sees it.</summary>
[Collection(DashboardGroup.Name)]
public sealed class SignInTests(DashboardHub hub)
{
    [Fact]
    public async Task Newcomer_chooses_a_password_turns_on_the_second_factor_and_signs_in_with_it()
    {
        var (name, given) = await NewPerson(Roles.Operator);
        await using var browser = await Stranger();
        await SignIn(browser.Page, name, given);
        await Assertions.Expect(browser.Page).ToHaveTitleAsync("Choose your own password · DeviceHub");
        await browser.IsAccessible();
        await browser.Page.GetByLabel("New password", new() { Exact = true }).FillAsync(DashboardHub.Password);
        await browser.Page.GetByLabel("The new password again").FillAsync(DashboardHub.Password);
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Continue" }).ClickAsync();
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Set up" }).ClickAsync();
        var key = Totp.FromBase32(await browser.Page.Locator("code.key").InnerTextAsync())!;
        await browser.IsAccessible();
        var step = Totp.StepAt(TimeProvider.System.GetUtcNow());
        await browser.Page.GetByLabel("Code of the app").FillAsync(Totp.Code(key, step));
        await browser.Page.Locator("#confirm").FillAsync(DashboardHub.Password);
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Turn on" }).ClickAsync();
        await Assertions.Expect(browser.Page.Locator(".codes li")).ToHaveCountAsync(10);
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "I have kept them" }).ClickAsync();
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out", Exact = true }).ClickAsync();
        await SignIn(browser.Page, name, DashboardHub.Password);
        await browser.Page.GetByLabel("Code", new() { Exact = true }).FillAsync(Totp.Code(key, step + 1));
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Assertions.Expect(browser.Page.Locator(".who")).ToHaveTextAsync(name);
    }

    [Fact]
    public async Task Session_that_is_ended_takes_its_open_page_away()
    {
        var (name, given) = await NewPerson(Roles.ReadOnly);
        await using var first = await Stranger();
        await SignIn(first.Page, name, given);
        await first.Page.GetByLabel("New password", new() { Exact = true }).FillAsync(DashboardHub.Password);
        await first.Page.GetByLabel("The new password again").FillAsync(DashboardHub.Password);
        await first.Page.GetByRole(AriaRole.Button, new() { Name = "Continue" }).ClickAsync();
        await using var second = await Stranger();
        await SignIn(second.Page, name, DashboardHub.Password);
        await Assertions.Expect(second.Page.Locator(".who")).ToHaveTextAsync(name);
        await first.Goto("/account");
        await first.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out the other one" }).ClickAsync();
        await second.Page.WaitForURLAsync("**/sign-in?**");
    }

    [Fact]
    public async Task Reader_sees_what_an_owner_sees_but_nothing_that_changes_it()
    {
        var pages = await EveryPage.Of(hub);
        string[] changing = ["New code", "Extend", "Revoke", "Test payment", "Suspend", "Refund…", "Cancel…"];
        var (name, given) = await NewPerson(Roles.ReadOnly);
        await using var reader = await Stranger();
        await SignIn(reader.Page, name, given);
        await reader.Page.GetByLabel("New password", new() { Exact = true }).FillAsync(DashboardHub.Password);
        await reader.Page.GetByLabel("The new password again").FillAsync(DashboardHub.Password);
        await reader.Page.GetByRole(AriaRole.Button, new() { Name = "Continue" }).ClickAsync();
        await Assertions.Expect(reader.Page.Locator(".who")).ToHaveTextAsync(name);
        await using var owner = await hub.Open("/");
        var missed = changing.ToHashSet();
        foreach (var address in (string[])["/terminals", "/payments", "/activation-codes", pages["terminal"], pages["terminal"] + "/configuration", pages["payment-approved"], pages["payment-in-doubt"]])
        {
            await owner.Goto(address);
            await reader.Goto(address);
            missed.ExceptWith(await Buttons(owner));
            Assert.Equal((address, ""), (address, string.Join(", ", changing.Intersect(await Buttons(reader)))));
        }

        Assert.Equal("", string.Join(", ", missed));

        // A refusal is no page, and has no icon.
        reader.Allowed.UnionWith(["403", "404"]);
        foreach (var address in (string[])["/people", "/settings", "/orleans"])
        {
            Assert.Equal(403, (await reader.Page.GotoAsync(address))!.Status);
        }
    }

    /// <summary>What the page offers to do, once it has read what it shows.</summary>
    private static async Task<IReadOnlyList<string>> Buttons(BrowserPage browser)
    {
        await browser.Page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        return [.. (await browser.Page.Locator("main button").AllInnerTextsAsync()).Select(text => text.Trim())];
    }

    [Fact]
    public async Task Wrong_password_keeps_the_name_and_says_so()
    {
        await using var browser = await Stranger();
        browser.Allowed.UnionWith(["401"]);
        await SignIn(browser.Page, "wang", "not the password");
        await Assertions.Expect(browser.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("not right");
        await Assertions.Expect(browser.Page.GetByLabel("User name")).ToHaveValueAsync("wang");
        await browser.IsAccessible();
    }

    [Fact]
    public async Task Owner_lets_somebody_in_and_makes_and_ends_a_key()
    {
        await using var browser = await hub.Open("/people");
        await browser.Page.Locator("#name").FillAsync("new-" + Guid.NewGuid().ToString("N")[..8]);
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Let in", Exact = true }).ClickAsync();
        await Assertions.Expect(browser.Page.Locator(".given code")).ToBeVisibleAsync();
        await browser.IsAccessible();
        await browser.Goto("/settings");
        await browser.Page.Locator("#name").FillAsync("till-key");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();
        await Assertions.Expect(browser.Page.Locator(".given code")).ToContainTextAsync("dhk_");
        await browser.IsAccessible();
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "End the key till-key" }).ClickAsync();
        await browser.Page.Locator(".ask").GetByRole(AriaRole.Button, new() { Name = "End", Exact = true }).ClickAsync();
        await Assertions.Expect(browser.Page.Locator("tr", new() { HasText = "till-key" })).ToContainTextAsync("ended");
    }

    private static async Task SignIn(IPage page, string name, string password)
    {
        await page.GetByLabel("User name").FillAsync(name);
        await page.GetByLabel("Password").FillAsync(password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
    }

    /// <summary>A browser that has not signed in, before the sign-in page.</summary>
    private async Task<BrowserPage> Stranger() => await BrowserPage.Open(
        await hub.Browser.NewContextAsync(new() { BaseURL = hub.Hub.Url.ToString(), ViewportSize = new() { Width = 1280, Height = 800 }, Locale = "en-GB", ReducedMotion = ReducedMotion.Reduce }), "/sign-in");

    private async Task<(string Name, string Given)> NewPerson(string role)
    {
        var name = "person-" + Guid.NewGuid().ToString("N")[..8];
        return (name, (await hub.Post("people", new { userName = name, role })).GetProperty("password").GetString()!);
    }
}
