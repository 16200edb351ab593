using System.Net;
using System.Text.Json;
using DeviceHub.Channels.Sandbox;
using DeviceHub.Protocol.Wire;
using DeviceHub.Storage;
using DeviceHub.Tests;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace DeviceHub.IntegrationTests.Server;

/// <summary>What machines watch and read: health, metrics, time, the OpenAPI document.</summary>
public sealed class WatchingTests(ServerHub hub) : IClassFixture<ServerHub>
{
    [Fact]
    public async Task Hub_is_not_ready_while_its_database_is_locked_and_takes_no_payment_and_both_mend_by_themselves()
    {
        await using var own = new LockedHub();
        await own.InitializeAsync();
        await using var terminal = await own.Activated();
        var payment = terminal.Request(4300);
        var bank = own.Services.GetRequiredService<SandboxBank>();
        await Eventually.Holds(async () => await Ready(own, HttpStatusCode.OK) == "Healthy", "the hub is ready, and lists are whole");
        await using (var foreign = new SqliteConnection($"Data Source={Path.Combine(own.Folder, "hub.db")};Pooling=False"))
        {
            await foreign.OpenAsync(TestContext.Current.CancellationToken);
            await using var transaction = foreign.BeginTransaction(deferred: false);
            Assert.Equal("Unhealthy: the database cannot be written", await Ready(own, HttpStatusCode.ServiceUnavailable));
            using var live = await own.Anonymous().Send(HttpMethod.Get, "/health/live");
            Assert.Equal(HttpStatusCode.OK, live.StatusCode);
            var refused = await own.Admin.Post("/api/v1/merchants", new { name = "while locked" }, HttpStatusCode.ServiceUnavailable);
            Assert.Contains("try again", refused.GetProperty("detail").GetString(), StringComparison.Ordinal);

            await terminal.Pay(payment);
            var refusal = await terminal.ExpectRefusal();
            Assert.Equal((Refusal.Types.Code.Storage, payment.RequestId), (refusal.Code, refusal.RequestId));
            Assert.Empty(bank.Charges());
        }

        await Eventually.Holds(async () => await Ready(own, HttpStatusCode.OK) == "Healthy", "the hub is ready, and lists are whole");
        await own.NewMerchant("after it");
        Assert.Equal(Outcome.Types.Result.Approved, (await terminal.PayForOutcome(payment)).Result);
        Assert.Equal((1, 4300), (Assert.Single(bank.Charges()).Charges, Assert.Single(bank.Charges()).NetFen));

        // Lists that are not whole keep nobody from paying. The projection says twice a second that they are.
        await Eventually.Becomes(
            async () =>
            {
                own.Services.GetRequiredService<SearchProgress>().At(480_079);
                return await Ready(own, HttpStatusCode.OK);
            },
            text => text.StartsWith("Degraded: payments go on; lists do not show all of them yet: 480,079 ledger rows to go since ", StringComparison.Ordinal),
            "readiness tells that lists are not whole");
    }

    [Fact]
    public async Task Time_is_the_hubs_own()
    {
        var time = (await hub.Anonymous().Get("/api/v1/time")).GetProperty("unixTimeMs").GetInt64();
        Assert.InRange(DateTimeOffset.FromUnixTimeMilliseconds(time), TimeProvider.System.GetUtcNow().AddMinutes(-1), TimeProvider.System.GetUtcNow().AddMinutes(1));
    }

    [Fact]
    public async Task Metrics_count_logins_payments_and_commits()
    {
        await using var terminal = await hub.Activated();
        string[] counters = ["terminals_logins_total", "payments_accepted_total", "devicehub_ledger_commits_total", "session_messages_total", "mqtt_packets_total"];
        var before = await Task.WhenAll(counters.Take(3).Select(c => Metrics.Value(hub.Admin, c)));
        await terminal.Shown(await terminal.PayForOutcome(terminal.Request(4200)));
        await Eventually.Holds(async () => await Metrics.Value(hub.Admin, counters[1]) == before[1] + 1, "the payment is counted");
        Assert.True(before[0] >= 1);
        Assert.True(await Metrics.Value(hub.Admin, counters[2]) > before[2]);
        Assert.True(await Metrics.Value(hub.Admin, counters[3]) > 0);
        using var answer = await hub.Admin.Send(HttpMethod.Get, "/metrics");
        Assert.Equal("text/plain", answer.Content.Headers.ContentType!.MediaType);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("# TYPE payments_accepted_total counter", text, StringComparison.Ordinal);
        Assert.Contains("service_name=\"devicehub\"", text, StringComparison.Ordinal);
    }

    /// <summary>In a process of its own: of the last of many hubs in one process the figure was missing.</summary>
    [Fact]
    public async Task Metrics_tell_of_Orleans_how_much_there_is_and_nothing_of_each_message()
    {
        await using var own = await OperatedHub.Start();
        await using var terminal = await own.LoggedIn();
        using var answer = await own.Admin.Send(HttpMethod.Get, "/metrics");
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("orleans_catalog_activations", text, StringComparison.Ordinal);
        Assert.DoesNotContain("orleans_messaging_processing", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Document_describes_every_endpoint_of_the_API()
    {
        var document = await hub.Admin.Get("/openapi/v1.json");
        Assert.StartsWith("3.", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        var described = document.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(operation => $"{operation.Name.ToUpperInvariant()} {path.Name}")).Order(StringComparer.Ordinal);
        var mapped = hub.Endpoints.Where(e => e.RoutePattern.RawText!.StartsWith("/api/", StringComparison.Ordinal))
            .SelectMany(e => e.Metadata.GetMetadata<Microsoft.AspNetCore.Routing.HttpMethodMetadata>()!.HttpMethods.Select(m => $"{m} {e.RoutePattern.RawText}"))
            .Order(StringComparer.Ordinal);
        Assert.Equal(mapped, described);
        foreach (var operation in document.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject()))
        {
            Assert.False(string.IsNullOrWhiteSpace(operation.Value.GetProperty("summary").GetString()));
            Assert.NotEmpty(operation.Value.GetProperty("responses").EnumerateObject());
        }

        AssertReferencesResolve(document, document);
    }

    [Fact]
    public async Task Pages_of_the_API_and_of_the_grains_open_for_the_administrator()
    {
        var browser = await hub.SignedIn();
        foreach (var path in (string[])["/", "/scalar/", "/orleans/"])
        {
            using var answer = await browser.Send(HttpMethod.Get, path);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal("text/html", answer.Content.Headers.ContentType!.MediaType);
        }
    }

    /// <summary>Readiness is looked at anew every two seconds.</summary>
    private static Task<string> Ready(ServerHub of, HttpStatusCode expected) => Eventually.Becomes(
        async () =>
        {
            using var answer = await of.Anonymous().Send(HttpMethod.Get, "/health/ready");
            return answer.StatusCode == expected ? await answer.Content.ReadAsStringAsync() : "";
        },
        text => text.Length > 0,
        $"readiness answers {expected}");

    private sealed class LockedHub : ServerHub
    {
        protected override bool IsExpected(string error) => error.Contains("database is locked", StringComparison.Ordinal) || error.Contains("another program has locked the database", StringComparison.Ordinal);
    }

    private static void AssertReferencesResolve(JsonElement element, JsonElement document)
    {
        foreach (var child in element.ValueKind == JsonValueKind.Array ? element.EnumerateArray() : element.ValueKind == JsonValueKind.Object ? element.EnumerateObject().Select(p => p.Value) : [])
        {
            AssertReferencesResolve(child, document);
        }

        if (element.ValueKind == JsonValueKind.Object && element.TryGetProperty("$ref", out var reference) && reference.ValueKind == JsonValueKind.String)
        {
            var at = document;
            foreach (var step in reference.GetString()!.TrimStart('#', '/').Split('/'))
            {
                at = at.GetProperty(step);
            }
        }
    }
}
