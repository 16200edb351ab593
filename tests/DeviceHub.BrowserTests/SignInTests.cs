using System.Collections.Concurrent;
using System.Text.RegularExpressions;
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
        var recovery = await browser.Page.Locator(".codes li").First.InnerTextAsync();
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "I have kept them" }).ClickAsync();
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out", Exact = true }).ClickAsync();
        await SignIn(browser.Page, name, DashboardHub.Password);
        await browser.Page.GetByLabel("Code", new() { Exact = true }).FillAsync(Totp.Code(key, step + 1));
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Assertions.Expect(browser.Page.Locator(".who")).ToHaveTextAsync(name);

        // Off again, for who lost the telephone; then another password.
        await browser.Goto("/account");
        await browser.Page.GetByLabel("Code of the app, or a recovery code").FillAsync(recovery);
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Turn off" }).ClickAsync();
        await Assertions.Expect(browser.Page.GetByRole(AriaRole.Button, new() { Name = "Set up" })).ToBeVisibleAsync();
        await ChangePassword("not the password", "another long password");
        await Assertions.Expect(browser.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("The current password is not right");
        await ChangePassword(DashboardHub.Password, "yet another long password");
        await Assertions.Expect(browser.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("not the same");
        await ChangePassword(DashboardHub.Password, "another long password");
        await Assertions.Expect(browser.Page.GetByRole(AriaRole.Status)).ToContainTextAsync("The password has been changed");

        async Task ChangePassword(string current, string replacement)
        {
            await browser.Page.Locator("#current").FillAsync(current);
            await browser.Page.Locator("#replacement").FillAsync(replacement);
            await browser.Page.Locator("#again").FillAsync("another long password");
            await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Change password" }).ClickAsync();
        }
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
        await Assertions.Expect(second.Page).ToHaveURLAsync(new Regex(@"/sign-in\?"));
    }

    [Fact]
    public async Task Only_what_the_person_does_on_an_open_page_keeps_the_session_in_use()
    {
        await using var browser = await hub.Open("/");
        var told = new ConcurrentQueue<int>();
        browser.Page.Response += (_, answer) =>
        {
            if (new Uri(answer.Url).AbsolutePath == "/session")
            {
                told.Enqueue(answer.Status);
            }
        };
        await browser.Page.Clock.SetFixedTimeAsync(TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(5));

        // The page hears of a payment in doubt and shows it, which is nobody's doing.
        await using var terminal = await hub.LoggedIn();
        await terminal.Pay(terminal.Request(41));
        await browser.Page.Locator(".problems li", new() { HasText = terminal.SerialNumber }).WaitForAsync(new() { Timeout = 30_000 });
        Assert.Empty(told);
        await browser.Page.RunAndWaitForResponseAsync(() => browser.Page.Keyboard.PressAsync("/"), "**/session");
        await browser.Page.Keyboard.PressAsync("a");
        await Assertions.Expect(browser.Page.Locator("#find")).ToHaveValueAsync("a");
        Assert.Equal([204], told);
    }

    [Fact]
    public async Task Reader_sees_what_an_owner_sees_but_nothing_that_changes_it()
    {
        await using var terminal = await hub.LoggedIn("sealing");
        var pages = await EveryPage.Of(terminal);
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

        reader.Allowed.UnionWith(["403"]);
        foreach (var address in (string[])["/people", "/settings", "/orleans"])
        {
            Assert.Equal(403, (await reader.Page.GotoAsync(address))!.Status);
            await Assertions.Expect(reader.Page.Locator("h1")).ToHaveTextAsync("You may not see this");
        }

        await reader.IsAccessible();
    }

    /// <summary>What the page offers to do, once it has read what it shows.</summary>
    private static async Task<IReadOnlyList<string>> Buttons(BrowserPage browser)
    {
        await browser.Page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        return [.. (await browser.Page.Locator("main button").AllInnerTextsAsync()).Select(text => text.Trim())];
    }

    [Fact]
    public async Task Account_opens_at_an_address_with_nonsense_in_it()
    {
        await using var browser = await hub.Open("/account?welcome=maybe");
        await Assertions.Expect(browser.Page.Locator("h1")).ToHaveTextAsync("Your account");
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
    public async Task Person_who_tried_too_often_is_told_so_and_let_in_by_an_owner()
    {
        var (name, given) = await NewPerson(Roles.ReadOnly);
        await using var browser = await Stranger();
        browser.Allowed.UnionWith(["401"]);
        var token = (await browser.Page.Locator("[name=__RequestVerificationToken]").GetAttributeAsync("value"))!;
        for (var i = 0; i < 8; i++)
        {
            var form = browser.Page.APIRequest.CreateFormData();
            form.Set("userName", name).Set("password", "not the password").Set("__RequestVerificationToken", token);
            Assert.Equal(401, (await browser.Page.APIRequest.PostAsync("/sign-in", new() { Form = form })).Status);
        }

        // The right one, too, is refused now.
        await SignIn(browser.Page, name, given);
        await Assertions.Expect(browser.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("there were too many tries. Wait some minutes");
        await browser.IsAccessible();
        await using var owner = await hub.Open("/people");
        var row = owner.Page.Locator("tr", new() { HasText = name });
        await Assertions.Expect(row).ToContainTextAsync("Locked for now");
        await row.GetByRole(AriaRole.Button, new() { Name = "New password" }).ClickAsync();
        await owner.Page.Locator(".ask").GetByRole(AriaRole.Button, new() { Name = "New password" }).ClickAsync();
        var fresh = await owner.Page.Locator(".given code").InnerTextAsync();
        await Assertions.Expect(row).ToContainTextAsync("Must choose a password");
        await SignIn(browser.Page, name, fresh);
        await Assertions.Expect(browser.Page).ToHaveTitleAsync("Choose your own password · DeviceHub");
    }

    [Fact]
    public async Task Form_that_was_open_while_another_tab_signed_in_says_so_and_leads_on()
    {
        var (name, given) = await NewPerson(Roles.ReadOnly);
        await using var browser = await Stranger();
        browser.Allowed.UnionWith(["400"]);
        var other = await browser.Page.Context.NewPageAsync();
        await other.GotoAsync("/sign-in");
        await SignIn(other, name, given);
        await Assertions.Expect(other).ToHaveTitleAsync("Choose your own password · DeviceHub");
        await SignIn(browser.Page, name, given);
        await Assertions.Expect(browser.Page.Locator("h1")).ToHaveTextAsync("This page was too old");
        await browser.IsAccessible();
        await browser.Page.GetByRole(AriaRole.Link, new() { Name = "Try again" }).ClickAsync();
        await SignIn(browser.Page, name, given);
        await Assertions.Expect(browser.Page).ToHaveTitleAsync("Choose your own password · DeviceHub");
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
        await browser.Page.Locator("#scope").SelectOptionAsync("charge");
        await browser.Page.Locator("#merchant").FillAsync("nobody");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();
        await Assertions.Expect(browser.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("There is no such merchant.");
        await Assertions.Expect(browser.Page.Locator("#name")).ToHaveValueAsync("till-key");
        await browser.Page.Locator("#scope").SelectOptionAsync("read");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();
        await Assertions.Expect(browser.Page.Locator(".given code")).ToContainTextAsync("dhk_");
        await browser.IsAccessible();
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "End the key till-key" }).ClickAsync();
        await browser.Page.Locator(".ask").GetByRole(AriaRole.Button, new() { Name = "End", Exact = true }).ClickAsync();
        await Assertions.Expect(browser.Page.Locator("tr", new() { HasText = "till-key" })).ToContainTextAsync("Ended");
    }

    [Fact]
    public async Task Role_that_is_not_given_is_not_shown_as_if_it_were()
    {
        await using var browser = await hub.Open("/people");
        var role = browser.Page.GetByLabel("Role of admin", new() { Exact = true });
        await role.SelectOptionAsync(Roles.Operator);
        await Assertions.Expect(browser.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("no owner who can sign in");
        await Assertions.Expect(role).ToHaveValueAsync(Roles.Owner);

        // Nor is a password for oneself offered, which would go with the page.
        var (other, _) = await NewPerson(Roles.ReadOnly);
        await browser.Goto("/people");
        await Assertions.Expect(browser.Page.GetByLabel($"New password: {other}", new() { Exact = true })).ToBeVisibleAsync();
        await Assertions.Expect(browser.Page.GetByLabel("New password: admin", new() { Exact = true })).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Second_click_on_what_is_done_already_does_nothing()
    {
        var (other, _) = await NewPerson(Roles.ReadOnly);
        await using var browser = await hub.Open("/people");
        await browser.Page.GetByLabel($"New password: {other}", new() { Exact = true }).ClickAsync();
        await browser.Page.Locator(".ask").GetByRole(AriaRole.Button, new() { Name = "New password" }).EvaluateAsync(BrowserPage.ClickedLateAgain);
        await Assertions.Expect(browser.Page.Locator(".given code")).ToBeVisibleAsync();

        // The page still answers.
        await browser.Page.Locator(".given button").ClickAsync();
        await Assertions.Expect(browser.Page.Locator(".given")).ToHaveCountAsync(0);

        await browser.Goto("/settings");
        await browser.Page.Locator("#name").FillAsync("twice-key");
        await browser.Page.Locator("#name").BlurAsync();
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Create" }).EvaluateAsync(BrowserPage.ClickedLateAgain);
        await Assertions.Expect(browser.Page.Locator(".given code")).ToContainTextAsync("dhk_");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "End the key twice-key" }).ClickAsync();
        await browser.Page.Locator(".ask").GetByRole(AriaRole.Button, new() { Name = "End", Exact = true }).EvaluateAsync(BrowserPage.ClickedLateAgain);
        await Assertions.Expect(browser.Page.Locator("tr", new() { HasText = "twice-key" })).ToContainTextAsync("Ended");
        await Assertions.Expect(browser.Page.GetByRole(AriaRole.Alert)).ToHaveCountAsync(0);
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
