using System.Globalization;
using System.Net;
using System.Text.Json;
using DeviceHub.IntegrationTests.BadInput;
using DeviceHub.IntegrationTests.Server;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tests;
using DeviceHub.Tools.Chaos;

namespace DeviceHub.IntegrationTests.Channels;

/// <summary>A hub whose merchants are at another company's routing core, which is a process of its own here.</summary>
public sealed class RemoteHub : ServerHub
{
    private const string Secret = "0123456789abcdef0123456789abcdef";

    private readonly int port = Ports.Free();
    private readonly HttpClient book = new();
    private ToolProcess? core;

    protected override string[] Options =>
    [
        string.Create(CultureInfo.InvariantCulture, $"--Remote:AllowedHosts:0=127.0.0.1:{port}"),
        "--Payments:Channels:remote:PayDeadline=00:00:01", "--Payments:Channels:remote:PendingWait=00:00:00.5",

        // A call that hangs is not listened to for longer.
        "--Payments:Channels:remote:CodeLifetime=00:00:00", "--Payments:NotFoundMargin=00:00:01",
    ];

    private string Core => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");

    public override async ValueTask InitializeAsync()
    {
        core = new ToolProcess("routing-core.dll", "--urls", Core, "--account", "shop-1", "--secret", Secret);
        await Eventually.Holds(() => core.Output.Contains("listens on", StringComparison.Ordinal), "the routing core listens");
        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        core?.Dispose();
        book.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>A terminal of a merchant who is at the core first and at the Sandbox second.</summary>
    internal async Task<TestTerminal> Shop()
    {
        var merchant = await NewMerchant();
        var store = (await Admin.Post("/api/v1/stores", new { merchantId = merchant, name = "Main street" })).GetProperty("id").GetString()!;
        var fields = new { baseUrl = Core, account = "shop-1", secret = Secret };
        var account = await Admin.Post("/api/v1/channel-accounts", new { merchantId = merchant, channel = "remote", name = "Own core", priority = 1, fields });
        var check = await Admin.Post($"/api/v1/channel-accounts/{account.GetProperty("id").GetString()}/test", null, HttpStatusCode.OK);
        Assert.True(check.GetProperty("works").GetBoolean(), check.GetProperty("says").GetString());
        await Admin.Post("/api/v1/channel-accounts", new { merchantId = merchant, channel = "sandbox", name = "Second", priority = 2 });
        return await Activated(await NewCode(store));
    }

    /// <summary>The core's orders with these numbers.</summary>
    internal async Task<IReadOnlyList<(string State, long NetFen)>> Booked(IEnumerable<string> numbers)
    {
        var orders = JsonElement.Parse(await book.GetStringAsync(new Uri(Core + "/book"))).EnumerateArray();
        return [.. orders.Where(o => numbers.Contains(o.GetProperty("number").GetString())).Select(o => (o.GetProperty("state").GetString()!, o.GetProperty("netFen").GetInt64()))];
    }
}

/// <summary>The whole way: a terminal's scan over MQTT, the hub, and tools/RoutingCore, of which nothing is shared with the hub but the contract.</summary>
public sealed class RemoteHubTests(RemoteHub hub) : IClassFixture<RemoteHub>
{
    /// <param name="amountFen">Its last two digits say what the core does.</param>
    /// <param name="bookedFen">What the core's book holds of it.</param>
    /// <param name="attempts">One more than accounts that it never reached.</param>
    [Theory]
    [InlineData(1000, Outcome.Types.Result.Approved, 1000, 1)]
    [InlineData(1091, Outcome.Types.Result.Declined, 0, 1)]
    [InlineData(1092, Outcome.Types.Result.Approved, 1092, 1)]
    [InlineData(1093, Outcome.Types.Result.Approved, 1093, 1)]
    [InlineData(1094, Outcome.Types.Result.Approved, 1094, 1)]
    [InlineData(1096, Outcome.Types.Result.Approved, 1096, 1)]
    [InlineData(1097, Outcome.Types.Result.Approved, 1097, 1)]
    [InlineData(1099, Outcome.Types.Result.Approved, 0, 2)]
    public async Task Scan_ends_as_the_cores_book_says_and_goes_elsewhere_only_when_the_core_promises_that_it_never_will(
        long amountFen, Outcome.Types.Result result, long bookedFen, int attempts)
    {
        await using var terminal = await hub.Shop();
        var request = terminal.Request((ulong)amountFen);

        var outcome = await terminal.PayForOutcome(request);

        Assert.Equal((result, result == Outcome.Types.Result.Approved ? (ulong)amountFen : 0), (outcome.Result, outcome.PaidFen));
        var numbers = await Numbers(terminal, request);
        Assert.Equal(attempts, numbers.Count);
        Assert.Equal(bookedFen, Assert.Single(await hub.Booked(numbers)).NetFen);
    }

    [Fact]
    public async Task Part_is_given_back_once_however_often_it_is_asked_for_and_never_more_than_the_rest()
    {
        await using var terminal = await hub.Shop();
        var request = terminal.Request(1000);
        await terminal.PayForOutcome(request);
        var path = $"/api/v1/payments/{terminal.SerialNumber}/{request.RequestId}/refunds";

        // Of 92 the core says that it is under way, and then that it is done.
        for (var asked = 0; asked < 2; asked++)
        {
            await hub.Admin.Post(path, new { amountFen = 492, reason = "cold", idempotencyKey = "one" }, HttpStatusCode.Accepted);
        }

        await hub.Admin.Post(path, new { amountFen = 509, reason = "colder", idempotencyKey = "two" }, HttpStatusCode.Conflict);
        await Eventually.Becomes(
            () => hub.Admin.Get(path), r => Assert.Single(r.GetProperty("items").EnumerateArray()).GetProperty("status").GetString() == "succeeded", "the refund is done");
        Assert.Equal([("paid", 508L)], await hub.Booked(await Numbers(terminal, request)));
    }

    [Fact]
    public async Task Cancel_while_the_payer_types_is_an_order_that_the_core_has_closed_or_paid_back()
    {
        await using var terminal = await hub.Shop();
        var request = terminal.Request(1092);
        await terminal.Pay(request);
        var path = $"/api/v1/payments/{terminal.SerialNumber}/{request.RequestId}";
        await Eventually.Becomes(
            () => hub.Admin.Get(path), p => p.GetProperty("standing").GetProperty("stage").GetString() == "awaitingCustomer", "the payer is asked for a password");

        await hub.Admin.Post(path + "/cancel", null, HttpStatusCode.Accepted);

        Assert.Equal(Outcome.Types.Result.NotCharged, (await terminal.ExpectOutcome(request.RequestId)).Result);
        var (state, netFen) = Assert.Single(await hub.Booked(await Numbers(terminal, request)));
        Assert.Contains(state, (string[])["closed", "reversed"]);
        Assert.Equal(0, netFen);
    }

    /// <summary>What the hub called its attempts, from its timeline.</summary>
    private async Task<IReadOnlyList<string>> Numbers(TestTerminal terminal, PaymentRequest request)
    {
        var payment = await hub.Admin.Get($"/api/v1/payments/{terminal.SerialNumber}/{request.RequestId}");
        return [.. System.Text.RegularExpressions.Regex.Matches(payment.GetProperty("timeline").GetRawText(), "\\bd[0-9a-f]{29}\\b").Select(m => m.Value).Distinct()];
    }
}
