using System.Diagnostics;
using System.Net;
using System.Text.Encodings.Web;
using System.Text.RegularExpressions;
using DeviceHub.Core.People;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.Server;

/// <summary>A hub that locks an account after three wrong passwords.</summary>
public sealed class LockingHub : ServerHub
{
    protected override string[] Options => ["--Server:LockoutAfter=3", "--Server:LockoutFor=01:00:00"];
}

/// <summary>Signing in with a password, and what a stranger can do about it.</summary>
public sealed partial class SignInTests(ServerHub hub) : IClassFixture<ServerHub>
{
    [Fact]
    public async Task First_start_makes_one_administrator_whose_password_is_told_once()
    {
        await using var own = new ServerHub();
        await own.InitializeAsync();
        Assert.Equal(20, own.FirstPassword.Length);
        await own.Stop();
        await own.Start();
        Assert.Null(own.Told.FirstPassword);
        using var browser = await own.SignedIn();
        var made = (await browser.Get("/api/v1/audit?what=user.create")).GetProperty("items");
        Assert.Equal(("user:admin", "system"), (made[0].GetProperty("subject").GetString(), made[0].GetProperty("who").GetString()));
        Assert.Equal(1, made.GetArrayLength());
    }

    [Fact]
    public async Task Wrong_passwords_lock_the_account_and_tell_nobody_whether_it_exists()
    {
        await using var own = new LockingHub();
        await own.InitializeAsync();
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(await Refusal(own, "nobody-here"), await Refusal(own, "admin"));
        }

        Assert.Equal(await Refusal(own, "nobody-here"), await Refusal(own, "admin", ServerHub.OwnPassword));
        var failed = await own.Audit("sign-in.failed", "user:admin");
        Assert.Equal(4, failed.Count);
        Assert.Contains("true", failed[0].GetProperty("after").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain("nobody-here", (await own.Admin.Get("/api/v1/audit")).GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tries_of_one_address_are_limited()
    {
        await using var own = new ImpatientHub();
        await own.InitializeAsync();
        var browser = own.Anonymous();
        HttpResponseMessage answer;
        var tries = 1;
        do
        {
            answer = await browser.SubmitForm("/sign-in", "/sign-in", ("userName", "admin"), ("password", "wrong wrong wrong"));
        }
        while (answer.StatusCode == HttpStatusCode.Unauthorized && tries++ < 10);
        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.Equal(5, tries);
        Assert.NotNull(answer.Headers.RetryAfter);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Wrong_password_is_answered_late_and_counted()
    {
        var before = await Wrong("password");
        var from = Stopwatch.GetTimestamp();
        await Refusal(hub, "admin");
        Assert.True(Stopwatch.GetElapsedTime(from) >= TimeSpan.FromMilliseconds(195));
        await Eventually.Holds(async () => await Wrong("password") >= before + 1, "it is counted");
        await hub.SignedIn();
    }

    [Fact]
    public async Task Cookies_are_for_this_site_alone_and_out_of_reach_of_scripts()
    {
        var browser = hub.Anonymous();
        using var page = await browser.Send(HttpMethod.Get, "/sign-in");
        using var signedIn = await browser.SubmitForm("/sign-in", "/sign-in", ("userName", "admin"), ("password", ServerHub.OwnPassword));
        var cookies = page.Headers.GetValues("Set-Cookie").Concat(signedIn.Headers.GetValues("Set-Cookie")).ToList();
        Assert.True(cookies.Count >= 2);
        Assert.All(cookies, c =>
        {
            Assert.Contains("samesite=strict", c, StringComparison.OrdinalIgnoreCase);
            Assert.Contains("httponly", c, StringComparison.OrdinalIgnoreCase);
        });
        Assert.True(page.Headers.CacheControl!.NoStore);
        Assert.Contains("default-src 'none'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Equal("DENY", page.Headers.GetValues("X-Frame-Options").Single());
    }

    [Theory]
    [InlineData("/sign-in")]
    [InlineData("/sign-out")]
    public async Task Form_of_another_site_is_refused(string action)
    {
        var browser = await hub.SignedIn();
        using var form = new FormUrlEncodedContent([
            KeyValuePair.Create("name", "stolen"), KeyValuePair.Create("scope", "admin"), KeyValuePair.Create("userName", "admin"),
            KeyValuePair.Create("password", ServerHub.OwnPassword)]);
        using var answer = await browser.Send(HttpMethod.Post, action, form);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.DoesNotContain("stolen", (await hub.Admin.Get("/api/v1/api-keys")).GetRawText(), StringComparison.Ordinal);
        await hub.SignedIn();
    }

    [Fact]
    public async Task Change_with_a_cookie_from_another_site_is_refused()
    {
        var browser = await hub.SignedIn();
        using var body = System.Net.Http.Json.JsonContent.Create(new { name = "stolen shop" });
        using var foreign = await browser.Send(HttpMethod.Post, "/api/v1/merchants", body, ("Origin", "http://evil.example"));
        Assert.Equal(HttpStatusCode.Forbidden, foreign.StatusCode);
        await browser.Post("/api/v1/merchants", new { name = "own shop" });
        Assert.Contains(await hub.Audit("merchant.create"), row => row.GetProperty("who").GetString() == "user:admin");
    }

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example")]
    [InlineData("/\\evil.example")]
    [InlineData("javascript:alert(1)")]
    [InlineData("/支付")]
    public async Task Sign_in_leads_to_no_other_site(string returnUrl)
    {
        var browser = hub.Anonymous();
        using var answer = await browser.SubmitForm("/sign-in", "/sign-in", ("userName", "admin"), ("password", ServerHub.OwnPassword), ("returnUrl", returnUrl));
        Assert.Equal("/", answer.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task What_others_typed_is_shown_as_text()
    {
        const string Script = "\"><script>alert(1)</script>";
        using var page = await hub.Anonymous().Send(HttpMethod.Get, "/sign-in?returnUrl=" + Uri.EscapeDataString("/" + Script));
        Assert.DoesNotContain("<script", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await hub.Admin.Post("/api/v1/merchants", new { name = Script });
        using var list = await hub.Admin.Send(HttpMethod.Get, "/api/v1/merchants");
        Assert.Equal("application/json", list.Content.Headers.ContentType!.MediaType);
        Assert.Equal("nosniff", list.Headers.GetValues("X-Content-Type-Options").Single());
        using var refused = await hub.Anonymous().SubmitForm("/sign-in", "/sign-in", ("userName", Script), ("password", "wrong wrong wrong"));
        var again = await refused.Content.ReadAsStringAsync();
        Assert.DoesNotContain("<script", again, StringComparison.Ordinal);
        Assert.Contains(HtmlEncoder.Default.Encode(Script), again, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "/people", HttpStatusCode.Forbidden, "您无权查看此页")]
    [InlineData("GET", "/nowhere", HttpStatusCode.NotFound, "页面不存在")]
    [InlineData("POST", "/sign-in", HttpStatusCode.BadRequest, "此页面已过期")]
    [InlineData("POST", "/welcome", HttpStatusCode.Forbidden, "您无权查看此页")]
    public async Task Browser_is_told_in_words_for_its_reader_what_was_refused(string method, string path, HttpStatusCode status, string words)
    {
        var (browser, _, _) = await hub.NewPerson(Roles.Operator);
        await IsPage(browser, method, path, status, words);
        using var form = new FormUrlEncodedContent([]);
        using var told = await browser.Send(HttpMethod.Parse(method), path, method == "POST" ? form : null);
        Assert.Equal((status, "application/problem+json"), (told.StatusCode, told.Content.Headers.ContentType!.MediaType));
    }

    [Fact]
    public async Task Browser_is_told_in_words_that_its_session_has_ended_and_that_it_tried_too_often()
    {
        await using var own = new ImpatientHub();
        await own.InitializeAsync();
        await IsPage(own.Anonymous(), "POST", "/sign-out", HttpStatusCode.Unauthorized, "您已退出登录");
        for (var i = 0; i < 4; i++)
        {
            await Refusal(own, "admin");
        }

        await IsPage(own.Anonymous(), "POST", "/sign-in", HttpStatusCode.TooManyRequests, "尝试次数过多");
    }

    private static async Task IsPage(Caller browser, string method, string path, HttpStatusCode status, string words)
    {
        using var form = new FormUrlEncodedContent([]);
        using var answer = await browser.Send(
            HttpMethod.Parse(method), path, method == "POST" ? form : null, ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"), ("Accept-Language", "zh-CN,zh;q=0.9"));
        Assert.Equal((status, "text/html"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        var html = WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync());
        Assert.Contains($">{words}</h1>", html, StringComparison.Ordinal);
        Assert.Equal(method == "POST" && path != "/sign-out", html.Contains($"href=\"{path}\"", StringComparison.Ordinal));
        Assert.Contains("default-src 'none'", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    private static async Task<string> Refusal(ServerHub own, string name, string password = "wrong wrong wrong")
    {
        using var answer = await own.Anonymous().SubmitForm("/sign-in", "/sign-in", ("userName", name), ("password", password));
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        return Token().Replace(await answer.Content.ReadAsStringAsync(), "").Replace(name, "", StringComparison.Ordinal);
    }

    private async Task<double> Wrong(string kind) => await Metrics.Value(hub.Admin, "server_wrong_credentials_total", $"kind=\"{kind}\"");

    [GeneratedRegex("value=\"[^\"]{40,}\"")]
    private static partial Regex Token();

    private sealed class ImpatientHub : ServerHub
    {
        protected override string[] Options => ["--Server:SignInsPerMinute=6"];
    }
}
