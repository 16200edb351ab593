using System.Net;
using System.Text.Json;
using DeviceHub.Core.Payments;
using DeviceHub.IntegrationTests.BadInput;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.Server;

/// <summary>Tests of a terminal's way to the bank: real payments in every respect but money, and nothing of them at the terminal.</summary>
public sealed class TestPaymentTests(TestPaymentTests.Hub hub) : IClassFixture<TestPaymentTests.Hub>
{
    [Theory]
    [InlineData("approved", 3, "approved")]
    [InlineData("declined", 1, "declined")]
    [InlineData("inDoubt", 23, "approved")]
    public async Task Test_ends_as_it_was_asked_to_and_its_terminal_is_told_nothing(string ending, long amountFen, string result)
    {
        await using var terminal = await hub.Activated();
        var begun = await hub.Admin.Post(Path(terminal), new { ending }, HttpStatusCode.Accepted);
        var requestId = begun.GetProperty("requestId").GetString()!;
        Assert.True(new PaymentId(terminal.SerialNumber, requestId).IsTest);
        Assert.Equal(amountFen, begun.GetProperty("amountFen").GetInt64());
        if (ending == "inDoubt")
        {
            await Standing(terminal, requestId, s => s.GetProperty("stage").GetString() == "inDoubt");
            await using var again = new TestTerminal(terminal.SerialNumber, hub.Told.Plain!.Port) { Key = terminal.Key };
            Assert.Empty(await again.Login());
        }

        var standing = await Standing(terminal, requestId, s => s.GetProperty("stage").GetString() == "final");
        Assert.Equal((result, requestId), (standing.GetProperty("result").GetString(), standing.GetProperty("orderNumber").GetString()));
        var row = Assert.Single(await hub.Audit("terminal.test-payment", "terminal:" + terminal.SerialNumber));
        Assert.Contains(requestId, row.GetProperty("after").GetString(), StringComparison.Ordinal);
        var list = await Eventually.Becomes(
            () => hub.Admin.Get("/api/v1/payments?orderNumber=" + requestId), l => l.GetProperty("items").GetArrayLength() == 1, "the list has it");
        Assert.Equal("sandbox", list.GetProperty("items")[0].GetProperty("channel").GetString());
        Assert.Equal(1, (await hub.Admin.Get($"/api/v1/payments?test=true&serialNumber={terminal.SerialNumber}")).GetProperty("items").GetArrayLength());
        Assert.Equal(0, (await hub.Admin.Get($"/api/v1/payments?test=false&serialNumber={terminal.SerialNumber}")).GetProperty("items").GetArrayLength());

        await using var later = new TestTerminal(terminal.SerialNumber, hub.Told.Plain!.Port) { Key = terminal.Key };
        Assert.Empty(await later.Login());
        Assert.Equal(0U, later.Welcome.Unsettled);
    }

    [Fact]
    public async Task Test_stands_in_no_scans_way()
    {
        await using var terminal = await hub.Activated();
        await hub.Admin.Post(Path(terminal), new { ending = "inDoubt" }, HttpStatusCode.Accepted);
        await terminal.Pay(terminal.Request(23));
        Assert.Equal(Downlink.BodyOneofCase.Accepted, (await terminal.Next()).BodyCase);
    }

    [Fact]
    public async Task Merchant_whose_money_is_real_gets_no_test()
    {
        var merchant = await hub.NewMerchant();
        var store = (await hub.Admin.Post("/api/v1/stores", new { merchantId = merchant, name = "Main street" })).GetProperty("id").GetString()!;
        await using var terminal = await hub.Activated(await hub.NewCode(store));
        var account = await hub.Admin.Post("/api/v1/channel-accounts", ChannelAccountsApiTests.Alipay(merchant));
        var refused = await hub.Admin.Post(Path(terminal), new { ending = "approved" }, HttpStatusCode.Conflict);
        Assert.Contains("moves money", refused.GetProperty("detail").GetString(), StringComparison.Ordinal);

        // Not even to the default channel: with accounts, only they take payments.
        await hub.Admin.Patch("/api/v1/channel-accounts/" + account.GetProperty("id").GetString(), new { enabled = false });
        refused = await hub.Admin.Post(Path(terminal), new { ending = "approved" }, HttpStatusCode.Conflict);
        Assert.Contains("goes to the channel sandbox", refused.GetProperty("detail").GetString(), StringComparison.Ordinal);

        await hub.Admin.Post("/api/v1/channel-accounts", new { merchantId = merchant, channel = "sandbox", name = "Test" });
        await hub.Admin.Post(Path(terminal), new { ending = "approved" }, HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task Suspended_unknown_and_nonsense_are_refused()
    {
        await using var terminal = await hub.Activated();
        await hub.Admin.Post($"/api/v1/terminals/{terminal.SerialNumber}/suspend", null, HttpStatusCode.NoContent);
        var refused = await hub.Admin.Post(Path(terminal), new { ending = "approved" }, HttpStatusCode.Conflict);
        Assert.Equal("Suspended", refused.GetProperty("code").GetString());
        await hub.Admin.Post("/api/v1/terminals/NO-SUCH/test-payments", new { ending = "approved" }, HttpStatusCode.NotFound);
        await hub.Admin.Post("/api/v1/terminals/no such/test-payments", new { ending = "approved" }, HttpStatusCode.NotFound);
        Assert.Equal(["ending"], await hub.Admin.Faults(HttpMethod.Post, Path(terminal), new { ending = "lost" }));
        Assert.Equal(["ending"], await hub.Admin.Faults(HttpMethod.Post, Path(terminal), new { }));
        using var reader = hub.WithKey((await ServerHub.CreateKey(await hub.SignedIn(), "read")).Key);
        await reader.Post(Path(terminal), new { ending = "approved" }, HttpStatusCode.Forbidden);
    }

    private static string Path(TestTerminal terminal) => $"/api/v1/terminals/{terminal.SerialNumber}/test-payments";

    private Task<JsonElement> Standing(TestTerminal terminal, string requestId, Func<JsonElement, bool> fits) => Eventually.Becomes(
        async () => (await hub.Admin.Get($"/api/v1/payments/{terminal.SerialNumber}/{requestId}")).GetProperty("standing"), fits, "the test goes on");

    /// <summary>A hub that does not wait long for an answer that is lost.</summary>
    public sealed class Hub : ServerHub
    {
        protected override string[] Options => ["--Payments:PayDeadline=00:00:01", "--Sandbox:TimeoutAfter=00:00:02"];
    }
}
