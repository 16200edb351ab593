using System.Net;
using Microsoft.AspNetCore.Routing;

namespace DeviceHub.IntegrationTests.Server;

/// <summary>Who may do what: nothing is open but health, time, the sign-in page and what only a channel can sign, and a key does only what its scopes say.</summary>
public sealed class AccessTests(ServerHub hub) : IClassFixture<ServerHub>
{
    private static readonly string[] Open = ["GET /health/live", "GET /health/ready", "GET /api/v1/time", "GET /sign-in", "POST /sign-in", "GET /sign-in/code", "POST /sign-in/code", "POST /notify/x/x", "GET /preferences"];

    [Fact]
    public async Task Every_endpoint_but_health_time_and_sign_in_wants_credentials()
    {
        var walked = Walk().ToList();
        foreach (var expected in (string[])["GET /orleans", "GET /metrics", "GET /openapi/x.json", "GET /scalar", "GET /api/v1/payments", "POST /api/v1/api-keys", "GET /"])
        {
            Assert.True(walked.Exists(w => w.Name.StartsWith(expected, StringComparison.Ordinal)), $"{expected} is not among {string.Join(", ", walked.Select(w => w.Name))}");
        }

        var anonymous = hub.Anonymous();
        foreach (var (name, method, path) in walked.Where(w => !IsOpen(w.Name)))
        {
            using var answer = await anonymous.Send(method, path);
            Assert.True(answer.StatusCode == HttpStatusCode.Unauthorized, $"{name} answers {answer.StatusCode} to nobody");
        }
    }

    [Theory]
    [InlineData("/orleans")]
    [InlineData("/metrics")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/scalar")]
    [InlineData("/api/v1/payments")]
    [InlineData("/api/v1/audit")]
    public async Task Nobody_and_a_wrong_key_are_answered_401_with_a_problem(string path)
    {
        await hub.Anonymous().Get(path, HttpStatusCode.Unauthorized);
        await hub.WithKey("dhk_" + new string('A', 43)).Get(path, HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("/api/v1/time")]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    public async Task Health_and_time_are_open(string path)
    {
        using var answer = await hub.Anonymous().Send(HttpMethod.Get, path);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task Browser_is_led_to_the_sign_in_page_and_back()
    {
        using var answer = await hub.Anonymous().Send(HttpMethod.Get, "/orleans", null, ("Accept", "text/html"));
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.Equal("/sign-in?returnUrl=%2Forleans", answer.Headers.Location!.PathAndQuery);
    }

    [Fact]
    public async Task Key_for_metrics_reads_metrics_and_nothing_else()
    {
        var metrics = hub.WithKey((await ServerHub.CreateKey(hub.Admin, "metrics")).Key);
        using var answer = await metrics.Send(HttpMethod.Get, "/metrics");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        foreach (var (_, method, path) in Walk().Where(w => !IsOpen(w.Name) && w.Path != "/metrics"))
        {
            using var refused = await metrics.Send(method, path);
            Assert.True(refused.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.NotFound, $"{method} {path} answers {refused.StatusCode} to a key for metrics");
        }
    }

    [Fact]
    public async Task Key_that_reads_changes_nothing_and_sees_no_keys_and_no_audit()
    {
        var reader = hub.WithKey((await ServerHub.CreateKey(hub.Admin, "read")).Key);
        await reader.Get("/api/v1/payments");
        await reader.Get("/openapi/v1.json");
        foreach (var (_, method, path) in Walk().Where(w => w.Method != HttpMethod.Get && !IsOpen(w.Name)))
        {
            using var refused = await reader.Send(method, path);
            Assert.True(refused.StatusCode == HttpStatusCode.Forbidden, $"{method} {path} answers {refused.StatusCode} to a key that reads");
        }

        await reader.Get("/api/v1/api-keys", HttpStatusCode.Forbidden);
        await reader.Get("/api/v1/audit", HttpStatusCode.Forbidden);
        await reader.Get("/metrics", HttpStatusCode.Forbidden);
        await reader.Get("/orleans", HttpStatusCode.Forbidden);
    }

    /// <summary>The pages' scripts and styles are open, too: the sign-in page needs them.</summary>
    private static bool IsOpen(string name) =>
        Open.Contains(name) || name.StartsWith("GET /_content/", StringComparison.Ordinal) || name.StartsWith("GET /_framework/", StringComparison.Ordinal);

    private IEnumerable<(string Name, HttpMethod Method, string Path)> Walk() =>
        from endpoint in hub.Endpoints
        let segments = endpoint.RoutePattern.PathSegments.Select(s => string.Concat(s.Parts.Select(p => p is Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal ? literal.Content
            : p is Microsoft.AspNetCore.Routing.Patterns.RoutePatternSeparatorPart separator ? separator.Content : "x")))
        let path = "/" + string.Join('/', segments)
        from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"]
        select ($"{method} {path}", HttpMethod.Parse(method), path);
}
