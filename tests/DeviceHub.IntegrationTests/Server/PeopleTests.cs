using System.Net;
using System.Security.Claims;
using DeviceHub.Core.People;
using DeviceHub.Dashboard.Shared;
using DeviceHub.Server.ApiKeys;
using DeviceHub.Server.SignIn;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace DeviceHub.IntegrationTests.Server;

/// <summary>People and their roles: who is let in, who may do what, and that the hub never loses its last owner.</summary>
public sealed class PeopleTests(ServerHub hub) : IClassFixture<ServerHub>
{
    private static readonly string[] Opens = [Policies.Operate, Policies.Own, Permission.OwnerInPerson, Permission.Charge, Permission.Metrics];

    [Fact]
    public async Task Read_only_person_is_refused_by_everything_that_changes_and_reads_the_rest()
    {
        var (browser, _, _) = await hub.NewPerson(Roles.ReadOnly);
        await browser.Get("/api/v1/payments");
        await browser.Get("/api/v1/terminals");
        await browser.Get("/api/v1/audit", HttpStatusCode.Forbidden);
        var tried = 0;
        foreach (var (method, path) in Changing(e => true))
        {
            using var answer = await browser.Send(method, path);
            Assert.True(answer.StatusCode == HttpStatusCode.Forbidden, $"{method} {path} answers {answer.StatusCode} to a read-only person");
            tried++;
        }

        Assert.True(tried > 25, $"only {tried} endpoints change something");
    }

    [Fact]
    public async Task Operator_is_refused_by_what_is_the_owners()
    {
        var (browser, _, _) = await hub.NewPerson(Roles.Operator);
        await browser.Post("/api/v1/merchants", new { name = "Noodle shop" });
        await browser.Get("/api/v1/people", HttpStatusCode.Forbidden);
        await browser.Get("/orleans/", HttpStatusCode.Forbidden);
        await browser.Get("/metrics", HttpStatusCode.Forbidden);
        foreach (var (method, path) in Changing(e => e.Metadata.OfType<IAuthorizeData>().Any(a => a.Policy is Policies.Own)))
        {
            using var answer = await browser.Send(method, path);
            Assert.True(answer.StatusCode == HttpStatusCode.Forbidden, $"{method} {path} answers {answer.StatusCode} to an operator");
        }
    }

    [Fact]
    public async Task Role_that_changes_counts_for_the_next_request()
    {
        var (browser, name, id) = await hub.NewPerson(Roles.Operator);
        await browser.Post("/api/v1/merchants", new { name = "before" });
        await hub.Admin.Json(HttpMethod.Patch, $"/api/v1/people/{id}", new { role = Roles.ReadOnly }, HttpStatusCode.NoContent);
        await browser.Post("/api/v1/merchants", new { name = "after" }, HttpStatusCode.Forbidden);
        var row = Assert.Single(await hub.Audit("user.role", "user:" + name));
        Assert.Contains("operator", row.GetProperty("before").GetString(), StringComparison.Ordinal);
        Assert.Contains("read-only", row.GetProperty("after").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deed_on_an_open_page_counts_the_role_and_the_session_as_they_are_at_that_moment()
    {
        var (_, _, id) = await hub.NewPerson(Roles.Operator);
        var sessions = hub.Services.GetRequiredService<ISessions>();
        var session = Assert.Single(await sessions.List(id, default)).Id;
        var opened = Accounts.Principal((await sessions.Find(session, default))!, "127.0.0.7");
        var me = new Me(new OpenPage(opened), sessions, hub.Services.GetRequiredService<IAuthorizationService>());
        Assert.Equal("127.0.0.7", (await me.Actor(Policies.Operate)).Address);
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => me.Actor(Policies.Own));

        await Give(Roles.ReadOnly);
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => me.Actor(Policies.Operate));
        await Give(Roles.Operator);
        await me.Actor(Policies.Operate);
        await hub.Admin.Json(HttpMethod.Post, $"/api/v1/people/{id}/sessions/end", null, HttpStatusCode.NoContent);
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => me.Actor(Policies.Operate));
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => me.Actor(Policies.Person));

        Task Give(string role) => hub.Admin.Json(HttpMethod.Patch, $"/api/v1/people/{id}", new { role }, HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task Person_who_is_shut_out_is_out_at_once_and_comes_back_with_the_same_password()
    {
        var (browser, name, id) = await hub.NewPerson(Roles.Operator);
        await hub.Admin.Json(HttpMethod.Patch, $"/api/v1/people/{id}", new { enabled = false }, HttpStatusCode.NoContent);
        await browser.Get("/api/v1/payments", HttpStatusCode.Unauthorized);
        using var refused = await hub.Anonymous().SubmitForm("/sign-in", "/sign-in", ("userName", name), ("password", ServerHub.OwnPassword));
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        await hub.Admin.Json(HttpMethod.Patch, $"/api/v1/people/{id}", new { enabled = true }, HttpStatusCode.NoContent);
        await browser.Get("/api/v1/payments", HttpStatusCode.Unauthorized);
        await hub.SignedIn(userName: name);
    }

    [Fact]
    public async Task Hub_keeps_an_owner_who_can_sign_in()
    {
        await using var own = new ServerHub();
        await own.InitializeAsync();
        var first = (await own.Admin.Get("/api/v1/people"))[0].GetProperty("id").GetString()!;
        var path = $"/api/v1/people/{first}";

        // One who has never come does not count.
        var other = await own.Admin.Post("/api/v1/people", new { userName = "other", role = Roles.Owner });
        await own.Admin.Json(HttpMethod.Patch, path, new { role = Roles.Operator }, HttpStatusCode.Conflict);
        await own.Admin.Json(HttpMethod.Patch, path, new { enabled = false }, HttpStatusCode.Conflict);
        await own.Admin.Post(path + "/password", null, HttpStatusCode.Conflict);
        await own.SignedIn();

        // Both fields are one change, whole or not at all.
        await own.Admin.Json(HttpMethod.Patch, path, new { role = Roles.Owner, enabled = false }, HttpStatusCode.Conflict);
        var third = (await own.Admin.Post("/api/v1/people", new { userName = "third", role = Roles.Operator })).GetProperty("person").GetProperty("id").GetString();
        await own.Admin.Json(HttpMethod.Patch, $"/api/v1/people/{third}", new { role = Roles.Owner, enabled = false }, HttpStatusCode.NoContent);
        var changed = (await own.Admin.Get("/api/v1/people")).EnumerateArray().Single(p => p.GetProperty("id").GetString() == third);
        Assert.Equal((Roles.Owner, true), (changed.GetProperty("role").GetString(), changed.GetProperty("disabled").GetBoolean()));
        Assert.Single(await own.Audit("user.role", "user:third"));
        Assert.Single(await own.Audit("user.disable", "user:third"));

        await own.Anonymous().FirstSignIn("other", other.GetProperty("password").GetString()!, ServerHub.OwnPassword);
        await own.Admin.Json(HttpMethod.Patch, path, new { role = Roles.Operator }, HttpStatusCode.NoContent);
        var second = other.GetProperty("person").GetProperty("id").GetString();
        await own.Admin.Json(HttpMethod.Patch, $"/api/v1/people/{second}", new { enabled = false }, HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Password_of_who_forgot_it_is_given_anew_and_the_old_one_and_the_sessions_end()
    {
        var (browser, name, id) = await hub.NewPerson(Roles.ReadOnly);
        var given = (await hub.Admin.Post($"/api/v1/people/{id}/password")).GetProperty("password").GetString()!;
        await browser.Get("/api/v1/payments", HttpStatusCode.Unauthorized);
        using var old = await hub.Anonymous().SubmitForm("/sign-in", "/sign-in", ("userName", name), ("password", ServerHub.OwnPassword));
        Assert.Equal(HttpStatusCode.Unauthorized, old.StatusCode);
        await hub.Anonymous().FirstSignIn(name, given, "another long password");
        await hub.SignedIn("another long password", name);
        Assert.DoesNotContain(given, (await hub.Admin.Get("/api/v1/audit?pageSize=200")).GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_fields_are_named_and_names_are_taken_once()
    {
        var post = HttpMethod.Post;
        Assert.Equal(["role", "userName"], (await hub.Admin.Faults(post, "/api/v1/people", new { })).Order());
        Assert.Equal(["role"], await hub.Admin.Faults(post, "/api/v1/people", new { userName = "x1", role = "god" }));
        Assert.Equal(["userName"], await hub.Admin.Faults(post, "/api/v1/people", new { userName = "<b>", role = Roles.Owner }));
        await hub.Admin.Post("/api/v1/people", new { userName = "ADMIN", role = Roles.Owner }, HttpStatusCode.Conflict);
        await hub.Admin.Json(HttpMethod.Patch, "/api/v1/people/none", new { role = Roles.Owner }, HttpStatusCode.NotFound);
        Assert.Equal(["role"], await hub.Admin.Faults(HttpMethod.Patch, "/api/v1/people/none", new { }));
    }

    [Fact]
    public async Task People_are_listed_with_their_sessions_and_no_secrets()
    {
        var (_, name, id) = await hub.NewPerson(Roles.Operator);
        await hub.SignedIn(userName: name);
        var list = await hub.Admin.Get("/api/v1/people");
        var listed = list.EnumerateArray().Single(p => p.GetProperty("id").GetString() == id);
        Assert.Equal((name, "operator", 2), (listed.GetProperty("userName").GetString(), listed.GetProperty("role").GetString(), listed.GetProperty("sessions").GetInt32()));
        Assert.DoesNotContain("hash", list.GetRawText(), StringComparison.OrdinalIgnoreCase);
        await hub.Admin.Json(HttpMethod.Post, $"/api/v1/people/{id}/sessions/end", null, HttpStatusCode.NoContent);
        Assert.Empty(await hub.Services.GetRequiredService<ISessions>().List(id, default));
    }

    /// <summary>Shows whom the page was opened for, as it goes on doing until it looks again.</summary>
    private sealed class OpenPage(ClaimsPrincipal opened) : AuthenticationStateProvider
    {
        public override Task<AuthenticationState> GetAuthenticationStateAsync() => Task.FromResult(new AuthenticationState(opened));
    }

    /// <summary>What is not read and is not everybody's or the own account's, with parameters filled in.</summary>
    private IEnumerable<(HttpMethod Method, string Path)> Changing(Func<RouteEndpoint, bool> which) =>
        from endpoint in hub.Endpoints
        where endpoint.Metadata.OfType<IAuthorizeData>().Any(a => Opens.Contains(a.Policy)) && which(endpoint)
        from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"]
        where method != "GET"
        select (HttpMethod.Parse(method), "/" + string.Join('/', endpoint.RoutePattern.PathSegments.Select(s => s.Parts[0] is Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart part ? part.Content : "1")));
}
