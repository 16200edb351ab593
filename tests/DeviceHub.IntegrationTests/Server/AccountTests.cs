using System.Net;
using DeviceHub.Core.People;
using DeviceHub.Server.People;
using Microsoft.Extensions.DependencyInjection;

namespace DeviceHub.IntegrationTests.Server;

/// <summary>The first own password, the second factor and sessions, over real HTTP and the ports that the account's page uses.</summary>
public sealed class AccountTests(AccountTests.PatientHub hub) : IClassFixture<AccountTests.PatientHub>
{
    private static readonly Actor Tester = new("user:tester", null);

    private IAccount Account => hub.Services.GetRequiredService<IAccount>();

    private ISessions Sessions => hub.Services.GetRequiredService<ISessions>();

    [Fact]
    public async Task Given_password_opens_nothing_but_the_page_that_ends_it()
    {
        var made = await hub.Admin.Post("/api/v1/people", new { userName = "newcomer", role = Roles.Owner });
        var given = made.GetProperty("password").GetString()!;
        var browser = hub.Anonymous();
        using (var signedIn = await browser.SubmitForm("/sign-in", "/sign-in", ("userName", "newcomer"), ("password", given), ("returnUrl", "/orleans")))
        {
            Assert.Equal("/welcome", signedIn.Headers.Location!.OriginalString);
        }

        foreach (var path in (string[])["/api/v1/payments", "/api/v1/people", "/orleans/", "/metrics", "/openapi/v1.json"])
        {
            await browser.Get(path, HttpStatusCode.Forbidden);
        }

        await browser.Post("/api/v1/api-keys", new { name = "a", scopes = new[] { "admin" } }, HttpStatusCode.Forbidden);
        using (var page = await browser.Send(HttpMethod.Get, "/orleans/", null, ("Accept", "text/html")))
        {
            Assert.Equal("/welcome", page.Headers.Location!.OriginalString);
        }

        Assert.Equal(HttpStatusCode.BadRequest, await Choose("short", "short"));
        Assert.Equal(HttpStatusCode.BadRequest, await Choose(ServerHub.OwnPassword, "another one altogether"));
        Assert.Equal(HttpStatusCode.BadRequest, await Choose(given, given));
        await browser.Get("/api/v1/people", HttpStatusCode.Forbidden);
        using (var chosen = await browser.SubmitForm("/welcome", "/welcome", ("userName", "wang.li"), ("password", ServerHub.OwnPassword), ("again", ServerHub.OwnPassword)))
        {
            Assert.Equal(HttpStatusCode.Redirect, chosen.StatusCode);
        }

        await browser.Get("/api/v1/people");
        using (var again = await browser.Send(HttpMethod.Get, "/welcome"))
        {
            Assert.Equal(HttpStatusCode.Forbidden, again.StatusCode);
        }

        using var dead = await hub.Anonymous().SubmitForm("/sign-in", "/sign-in", ("userName", "wang.li"), ("password", given));
        Assert.Equal(HttpStatusCode.Unauthorized, dead.StatusCode);
        await hub.SignedIn(userName: "Wang.Li");

        async Task<HttpStatusCode> Choose(string password, string again)
        {
            using var answer = await browser.SubmitForm("/welcome", "/welcome", ("password", password), ("again", again));
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task Own_password_ends_the_sessions_of_all_others_who_had_the_given_one()
    {
        var made = await hub.Admin.Post("/api/v1/people", new { userName = "overheard", role = Roles.Owner });
        var given = made.GetProperty("password").GetString()!;
        var thief = hub.Anonymous();
        using (var signedIn = await thief.SubmitForm("/sign-in", "/sign-in", ("userName", "overheard"), ("password", given)))
        {
            Assert.Equal("/welcome", signedIn.Headers.Location!.OriginalString);
        }

        var browser = hub.Anonymous();
        await browser.FirstSignIn("overheard", given, ServerHub.OwnPassword);
        await browser.Get("/api/v1/people");
        await thief.Get("/api/v1/people", HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Second_factor_is_asked_for_and_each_of_its_codes_is_taken_once()
    {
        var (_, name, id) = await hub.NewPerson(Roles.Operator);
        var (key, step, recovery) = await TurnOn(id);
        var browser = hub.Anonymous();
        using (var first = await browser.SubmitForm("/sign-in", "/sign-in", ("userName", name), ("password", ServerHub.OwnPassword), ("returnUrl", "/scalar")))
        {
            Assert.Equal("/sign-in/code?returnUrl=%2Fscalar", first.Headers.Location!.OriginalString);
        }

        await browser.Get("/api/v1/payments", HttpStatusCode.Unauthorized);
        Assert.Equal(HttpStatusCode.Unauthorized, await Type(browser, "000000"));
        Assert.Equal(HttpStatusCode.Unauthorized, await Type(browser, Totp.Code(key, step)));
        var next = Totp.Code(key, step + 1);
        Assert.Equal(HttpStatusCode.Redirect, await Type(browser, $"{next[..3]} {next[3..]}"));
        await browser.Get("/api/v1/payments");

        // The step is over: its cookie opens nothing more, and the code is used for another browser, too.
        var other = hub.Anonymous();
        (await other.SubmitForm("/sign-in", "/sign-in", ("userName", name), ("password", ServerHub.OwnPassword))).Dispose();
        Assert.Equal(HttpStatusCode.Unauthorized, await Type(other, next));
        Assert.Equal(HttpStatusCode.Redirect, await Type(other, recovery[0].ToUpperInvariant()));
        var third = hub.Anonymous();
        (await third.SubmitForm("/sign-in", "/sign-in", ("userName", name), ("password", ServerHub.OwnPassword))).Dispose();
        Assert.Equal(HttpStatusCode.Unauthorized, await Type(third, recovery[0]));
        Assert.Equal(HttpStatusCode.Redirect, await Type(third, recovery[1].Replace("-", "", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Code_without_the_password_before_it_leads_to_the_password()
    {
        using var page = await hub.Anonymous().Send(HttpMethod.Get, "/sign-in/code");
        Assert.Equal("/sign-in", page.Headers.Location!.OriginalString);
        using var typed = await hub.Anonymous().SubmitForm("/sign-in", "/sign-in/code", ("code", "123456"));
        Assert.Equal("/sign-in", typed.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task Wrong_codes_lock_the_account_although_the_password_is_known()
    {
        var (_, name, id) = await hub.NewPerson(Roles.ReadOnly);
        var (_, _, recovery) = await TurnOn(id);
        for (var i = 0; i < 4; i++)
        {
            var browser = hub.Anonymous();
            (await browser.SubmitForm("/sign-in", "/sign-in", ("userName", name), ("password", ServerHub.OwnPassword))).Dispose();
            Assert.Equal(HttpStatusCode.Unauthorized, await Type(browser, "000000"));
            Assert.Equal(HttpStatusCode.Unauthorized, await Type(browser, "111111"));
        }

        Assert.NotNull((await Account.Find(id, default))!.LockedUntil);
        using var locked = await hub.Anonymous().SubmitForm("/sign-in", "/sign-in", ("userName", name), ("password", ServerHub.OwnPassword));
        Assert.Equal(HttpStatusCode.Unauthorized, locked.StatusCode);
        Assert.Equal(PersonFault.WrongCode, await Account.TurnOffSecondFactor(Tester, id, recovery[0], default));
        Assert.Equal(8, (await hub.Audit("sign-in.failed", "user:" + name)).Count(row => row.GetProperty("after").GetString()!.Contains("\"secondFactor\":true", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Second_factor_goes_on_with_the_password_and_off_with_a_code_or_by_an_owner()
    {
        var (_, name, id) = await hub.NewPerson(Roles.Operator);
        var key = new byte[Totp.KeyBytes];
        Random.Shared.NextBytes(key);
        var (text, code) = (Totp.ToBase32(key), Totp.Code(key, Totp.StepAt(hub.Now)));
        Assert.Equal(PersonFault.WrongPassword, (await Account.TurnOnSecondFactor(Tester, id, "not the password", text, code, default)).Fault);
        Assert.Equal(PersonFault.WrongCode, (await Account.TurnOnSecondFactor(Tester, id, ServerHub.OwnPassword, text, code == "000000" ? "1" : "000000", default)).Fault);
        Assert.Equal(PersonFault.WrongCode, (await Account.TurnOnSecondFactor(Tester, id, ServerHub.OwnPassword, "nonsense", code, default)).Fault);
        var on = await Account.TurnOnSecondFactor(Tester, id, ServerHub.OwnPassword, text, code, default);
        Assert.Equal(10, on.Codes!.Distinct().Count());
        Assert.True((await hub.Admin.Get("/api/v1/people")).EnumerateArray().Single(p => p.GetProperty("id").GetString() == id).GetProperty("secondFactor").GetBoolean());
        Assert.Equal(PersonFault.WrongCode, await Account.TurnOffSecondFactor(Tester, id, code, default));
        Assert.Null(await Account.TurnOffSecondFactor(Tester, id, on.Codes![3], default));
        await TurnOn(id);
        await hub.Admin.Json(HttpMethod.Post, $"/api/v1/people/{id}/second-factor/reset", null, HttpStatusCode.NoContent);
        await hub.Admin.Json(HttpMethod.Post, $"/api/v1/people/{id}/second-factor/reset", null, HttpStatusCode.Conflict);
        await hub.SignedIn(userName: name);
        var audit = (await hub.Admin.Get("/api/v1/audit?pageSize=200")).GetRawText();
        Assert.Contains("user.second-factor.reset", audit, StringComparison.Ordinal);
        Assert.DoesNotContain(text, audit, StringComparison.Ordinal);
        Assert.DoesNotContain(on.Codes[0], audit, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Password_is_changed_by_who_knows_the_old_one_and_ends_the_other_sessions()
    {
        var (browser, name, id) = await hub.NewPerson(Roles.Operator);
        var other = await hub.SignedIn(userName: name);
        var session = (await Sessions.List(id, default)).OrderBy(s => s.Created).First().Id;
        Assert.Equal(PersonFault.WrongPassword, await Account.ChangePassword(Tester, id, session, "not the old one", "a new long password", default));
        Assert.Equal(PersonFault.Password, await Account.ChangePassword(Tester, id, session, ServerHub.OwnPassword, "aaaaaaaaaaaaaaaa", default));
        Assert.Equal(PersonFault.SamePassword, await Account.ChangePassword(Tester, id, session, ServerHub.OwnPassword, ServerHub.OwnPassword, default));
        Assert.Null(await Account.ChangePassword(Tester, id, session, ServerHub.OwnPassword, "a new long password", default));
        await browser.Get("/api/v1/payments");
        await other.Get("/api/v1/payments", HttpStatusCode.Unauthorized);
        await hub.SignedIn("a new long password", name);
        Assert.Single(await hub.Audit("user.password", "user:" + name));
        Assert.Single(await hub.Audit("user.password.failed", "user:" + name));
    }

    [Fact]
    public async Task Session_ends_when_it_is_signed_out_revoked_replaced_or_one_too_many()
    {
        var (first, name, id) = await hub.NewPerson(Roles.Operator);
        var second = await hub.SignedIn(userName: name);
        var third = await hub.SignedIn(userName: name);
        var sessions = await Sessions.List(id, default);
        Assert.Equal(3, sessions.Count);
        Assert.All(sessions, s => Assert.Equal("127.0.0.1", s.Address));
        var firstId = sessions.OrderBy(s => s.Created).First().Id;
        Assert.True(await Sessions.End(Tester, id, sessions.OrderBy(s => s.Created).ElementAt(1).Id, default));
        Assert.False(await Sessions.End(Tester, "somebody else", firstId, default));
        await second.Get("/api/v1/payments", HttpStatusCode.Unauthorized);
        await first.Get("/api/v1/payments");
        (await third.SubmitForm("/sign-in", "/sign-in", ("userName", name), ("password", ServerHub.OwnPassword))).Dispose();
        Assert.Equal(2, (await Sessions.List(id, default)).Count);
        Assert.Equal(1, await Sessions.EndOthers(Tester, id, firstId, default));
        await third.Get("/api/v1/payments", HttpStatusCode.Unauthorized);

        // Options say four.
        for (var i = 0; i < 4; i++)
        {
            await hub.SignedIn(userName: name);
        }

        await first.Get("/api/v1/payments", HttpStatusCode.Unauthorized);
        Assert.Equal(4, (await Sessions.List(id, default)).Count);
        var leaving = await hub.SignedIn(userName: name);
        (await leaving.SubmitForm("/sign-in", "/sign-out")).Dispose();
        await leaving.Get("/api/v1/payments", HttpStatusCode.Unauthorized);
        Assert.Equal(3, (await Sessions.List(id, default)).Count);
    }

    [Fact]
    public async Task Connection_of_a_page_is_no_use_of_its_session_and_what_the_person_does_is()
    {
        var (browser, _, id) = await hub.NewPerson(Roles.ReadOnly);
        await browser.Get("/api/v1/payments");
        var used = await LastSeen();
        await browser.Post("/_blazor/negotiate?negotiateVersion=1", null, HttpStatusCode.OK);
        Assert.Equal(used, await LastSeen());
        await browser.Json(HttpMethod.Get, "/session", null, HttpStatusCode.NoContent);
        Assert.True(await LastSeen() > used);

        async Task<DateTimeOffset> LastSeen() => Assert.Single(await Sessions.List(id, default)).LastSeen;
    }

    [Fact]
    public async Task Sign_in_of_another_person_in_the_same_browser_ends_the_session_before_it()
    {
        var (browser, _, id) = await hub.NewPerson(Roles.Owner);
        var (_, other, _) = await hub.NewPerson(Roles.ReadOnly);
        using var signedIn = await browser.SubmitForm("/sign-in", "/sign-in", ("userName", other), ("password", ServerHub.OwnPassword));
        Assert.Equal(HttpStatusCode.Redirect, signedIn.StatusCode);
        Assert.Empty(await Sessions.List(id, default));
    }

    [Fact]
    public async Task Password_that_is_reset_while_it_is_looked_at_opens_nothing()
    {
        var (_, name, id) = await hub.NewPerson(Roles.Operator);
        var verdict = await hub.Services.GetRequiredService<Credentials>().CheckPassword(name, ServerHub.OwnPassword, default);
        Assert.True(verdict.Right);
        await hub.Admin.Post($"/api/v1/people/{id}/password");
        Assert.Null(await hub.Services.GetRequiredService<SessionBook>().Begin(verdict.User!, Tester, null, null, default));
        Assert.Empty(await Sessions.List(id, default));
    }

    /// <returns>With the step of time whose code is used by it.</returns>
    private async Task<(byte[] Key, long Step, IReadOnlyList<string> Recovery)> TurnOn(string id)
    {
        var key = new byte[Totp.KeyBytes];
        Random.Shared.NextBytes(key);
        var step = Totp.StepAt(hub.Now);
        var on = await Account.TurnOnSecondFactor(Tester, id, ServerHub.OwnPassword, Totp.ToBase32(key), Totp.Code(key, step), default);
        Assert.Null(on.Fault);
        return (key, step, on.Codes!);
    }

    private static async Task<HttpStatusCode> Type(Caller browser, string code)
    {
        using var answer = await browser.SubmitForm("/sign-in/code", "/sign-in/code", ("code", code), ("returnUrl", "/scalar"));
        return answer.StatusCode;
    }

    public sealed class PatientHub : ServerHub
    {
        internal DateTimeOffset Now => Services.GetRequiredService<TimeProvider>().GetUtcNow();

        protected override string[] Options => ["--People:MaxSessions=4"];
    }
}
