using System.Net;
using System.Text.RegularExpressions;
using DeviceHub.Core.People;
using DeviceHub.Server.ApiKeys;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;

namespace DeviceHub.IntegrationTests.Server;

/// <summary>Who may call what, endpoint by endpoint: what is added must be put into this table, and nothing is open by accident.</summary>
public sealed class PolicyTests(ServerHub hub) : IClassFixture<ServerHub>
{
    private const string Table = """
        anybody:
            GET /_content
            GET /_framework
            GET /api/v1/time
            GET /health/live
            GET /health/ready
            GET /preferences
            GET /sign-in
            GET /sign-in/code
            POST /notify/{channel}/{accountId}
            POST /sign-in
            POST /sign-in/code
        person:
            GET /_blazor
            GET /_framework
            GET /account
            GET /session
        newcomer:
            GET /welcome
            POST /welcome
        signed in:
            POST /sign-out
        read:
            GET /terminals/{SerialNumber}
            GET /terminals/{SerialNumber}/{Tab}
            GET /
            GET /activation-codes
            GET /api/v1/activation-codes
            GET /api/v1/channel-accounts
            GET /api/v1/channel-accounts/{id}
            GET /api/v1/channels
            GET /api/v1/merchants
            GET /api/v1/merchants/{merchantId}/webhook
            GET /api/v1/payments
            GET /api/v1/payments.csv
            GET /api/v1/payments/{serialNumber}/{requestId}
            GET /api/v1/payments/{serialNumber}/{requestId}/refunds
            GET /api/v1/reconciliations
            GET /api/v1/reconciliations/{id}
            GET /api/v1/reconciliations/{id}/differences
            GET /api/v1/reconciliations/{id}/report.csv
            GET /api/v1/reconciliations/{id}/report.xlsx
            GET /api/v1/refund-proposals
            GET /api/v1/stores
            GET /api/v1/terminals
            GET /api/v1/terminals.csv
            GET /api/v1/terminals/{serialNumber}
            GET /api/v1/terminals/{serialNumber}/heartbeats
            GET /not-found
            GET /openapi/routing-core.json
            GET /openapi/{documentName}.json
            GET /payments
            GET /payments/{SerialNumber}/{RequestId}
            GET /scalar
            GET /terminals
        read charges:
            GET /api/v1/terminals/{serialNumber}/charges
            GET /api/v1/terminals/{serialNumber}/charges/{id}
            GET /api/v1/terminals/{serialNumber}/charges/{id}/events
        charge:
            POST /api/v1/terminals/{serialNumber}/charges
            POST /api/v1/terminals/{serialNumber}/charges/{id}/cancel
        operate:
            POST /api/v1/activation-codes
            POST /api/v1/activation-codes/{id}/extend
            POST /api/v1/activation-codes/{id}/revoke
            POST /api/v1/merchants
            POST /api/v1/merchants/{merchantId}/webhook/retry
            POST /api/v1/payments/{serialNumber}/{requestId}/cancel
            POST /api/v1/payments/{serialNumber}/{requestId}/refunds
            POST /api/v1/reconciliations
            POST /api/v1/routing/explain
            POST /api/v1/stores
            POST /api/v1/terminals/resume
            POST /api/v1/terminals/suspend
            POST /api/v1/terminals/{serialNumber}/resume
            POST /api/v1/terminals/{serialNumber}/suspend
            POST /api/v1/terminals/{serialNumber}/test-payments
            PUT /api/v1/terminals/{serialNumber}/configuration
            PUT /api/v1/terminals/{serialNumber}/limit
        metrics:
            GET /metrics
        own:
            GET /people
            GET /settings
            DELETE /api/v1/merchants/{merchantId}/webhook
            GET /api/v1/api-keys
            GET /api/v1/audit
            GET /api/v1/people
            PATCH /api/v1/channel-accounts/{id}
            PATCH /api/v1/people/{id}
            POST /api/v1/api-keys
            POST /api/v1/api-keys/{id}/revoke
            POST /api/v1/channel-accounts
            POST /api/v1/channel-accounts/{id}/activate
            POST /api/v1/channel-accounts/{id}/test
            POST /api/v1/people
            POST /api/v1/people/{id}/password
            POST /api/v1/people/{id}/second-factor/reset
            POST /api/v1/people/{id}/sessions/end
            POST /api/v1/refund-proposals/{id}/approve
            POST /api/v1/refund-proposals/{id}/refuse
            PUT /api/v1/merchants/{merchantId}/webhook
        owner in person:
            GET /orleans
        """;

    [Fact]
    public void Every_endpoint_has_the_policy_that_this_table_says()
    {
        var found = hub.Endpoints
            .SelectMany(e => (e.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"]).Select(m => $"{Fold($"{m} /{e.RoutePattern.RawText!.TrimStart('/')}")}: {PolicyOf(e)}")).ToHashSet();
        var policy = "";
        var expected = Table.Split('\n').Where(line => line.StartsWith(' ') || (policy = line.Trim(':')) is null).Select(line => $"{line.Trim()}: {policy}").ToHashSet();
        Assert.True(
            found.SetEquals(expected),
            $"not in the table:\n{string.Join('\n', found.Except(expected).Order())}\nin the table, and not so:\n{string.Join('\n', expected.Except(found).Order())}");
    }

    [Fact]
    public async Task Key_that_operates_runs_the_fleet_and_reaches_no_keys_accounts_and_approvals()
    {
        var operating = hub.WithKey((await ServerHub.CreateKey(hub.Admin, Permission.Operate)).Key);
        await operating.Post("/api/v1/merchants", new { name = "Noodle shop" });
        await operating.Get("/api/v1/payments");
        await operating.Get("/api/v1/api-keys", HttpStatusCode.Forbidden);
        await operating.Get("/metrics", HttpStatusCode.Forbidden);
        await operating.Get("/orleans", HttpStatusCode.Forbidden);
        await operating.Post("/api/v1/channel-accounts", new { }, HttpStatusCode.Forbidden);
        await operating.Post("/api/v1/refund-proposals/1/approve", null, HttpStatusCode.Forbidden);
        await hub.Admin.Get("/orleans", HttpStatusCode.Forbidden);
    }

    /// <summary>Pages of others, whose files are theirs.</summary>
    private static string Fold(string endpoint) => Regex.Replace(endpoint, "^(GET /(orleans|scalar|_content|_framework|_blazor))(/.*)?$", "$1");

    /// <summary>A group's policy is joined by that of its endpoint, and both must be met: the last is the narrower one. A page's own stands beside that of all pages.</summary>
    private static string PolicyOf(RouteEndpoint endpoint) =>
        endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null ? "anybody" : endpoint.Metadata.OfType<IAuthorizeData>().OrderBy(a => a.Policy != Policies.Person).LastOrDefault()?.Policy ?? "none named";
}
