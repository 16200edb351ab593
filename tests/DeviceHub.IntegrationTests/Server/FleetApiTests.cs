using System.Net;
using System.Text.Json;
using DeviceHub.Protocol.Wire;

namespace DeviceHub.IntegrationTests.Server;

/// <summary>Merchants, stores, activation codes and terminals over the API, with terminals on real sockets.</summary>
public sealed class FleetApiTests(ServerHub hub) : IClassFixture<ServerHub>
{
    [Fact]
    public async Task Merchants_and_stores_are_made_and_found()
    {
        var merchant = await hub.NewMerchant("面馆 100%");
        var store = await hub.Admin.Post("/api/v1/stores", new { merchantId = merchant, name = " 总店 " });
        Assert.Equal("总店", store.GetProperty("name").GetString());
        Assert.Equal(merchant, Items(await hub.Admin.Get("/api/v1/merchants?search=" + Uri.EscapeDataString("0%"))).Single().GetProperty("id").GetString());
        Assert.Single(Items(await hub.Admin.Get($"/api/v1/stores?merchantId={merchant}")));
        Assert.Empty(Items(await hub.Admin.Get("/api/v1/merchants?search=" + Uri.EscapeDataString("_00%"))));
    }

    [Fact]
    public async Task Store_made_twice_is_a_conflict_and_a_merchant_may_have_anothers_name()
    {
        var merchant = await hub.NewMerchant("Twice");
        Assert.NotEqual(merchant, await hub.NewMerchant("Twice"));
        await hub.Admin.Post("/api/v1/stores", new { merchantId = merchant, name = "One" });
        var conflict = await hub.Admin.Post("/api/v1/stores", new { merchantId = merchant, name = "One" }, HttpStatusCode.Conflict);
        Assert.Contains("One", conflict.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_fields_are_named()
    {
        Assert.Equal(["name"], await hub.Admin.Faults(HttpMethod.Post, "/api/v1/merchants", new { name = " " }));
        Assert.Equal(["name"], await hub.Admin.Faults(HttpMethod.Post, "/api/v1/merchants", new { name = "a\u0007b" }));
        Assert.Equal(["name"], await hub.Admin.Faults(HttpMethod.Post, "/api/v1/merchants", new { name = 7 }));
        Assert.Equal(["merchantId"], await hub.Admin.Faults(HttpMethod.Post, "/api/v1/stores", new { merchantId = "none", name = "a" }));
        var store = await hub.NewStore();
        Assert.Equal(["storeId", "model"], await hub.Admin.Faults(HttpMethod.Post, "/api/v1/activation-codes", new { }));
        Assert.Equal(["storeId"], await hub.Admin.Faults(HttpMethod.Post, "/api/v1/activation-codes", new { storeId = "none", model = "m" }));
        foreach (var uses in (int[])[0, -1, 1001])
        {
            Assert.Equal(["uses"], await hub.Admin.Faults(HttpMethod.Post, "/api/v1/activation-codes", new { storeId = store, model = "m", uses }));
        }

        Assert.Equal(["validHours"], await hub.Admin.Faults(HttpMethod.Post, "/api/v1/activation-codes", new { storeId = store, model = "m", validHours = 24 * 365 + 1 }));
    }

    [Theory]
    [InlineData("page=0", "page")]
    [InlineData("page=x", "page")]
    [InlineData("pageSize=201", "pageSize")]
    [InlineData("page=2000&pageSize=200", "page")]
    [InlineData("page=2147483647", "page")]
    public async Task Wrong_page_is_named_by_every_list(string query, string field)
    {
        foreach (var list in (string[])["merchants", "stores", "activation-codes", "terminals", "payments", "api-keys", "audit"])
        {
            Assert.Equal([field], await hub.Admin.Faults(HttpMethod.Get, $"/api/v1/{list}?{query}"));
        }
    }

    [Fact]
    public async Task Code_for_two_terminals_activates_two_and_no_third()
    {
        var code = await hub.NewCode(await hub.NewStore(), uses: 2);
        await using var first = await hub.Activated(code);
        await using var second = await hub.Activated(code);
        await using var third = hub.Terminal(ServerHub.NewSerial());
        await RefusesCode(third, code);
        var listed = await Code(code);
        Assert.Equal((2, 2), (listed.GetProperty("uses").GetInt32(), listed.GetProperty("used").GetInt32()));
        Assert.Equal(
            [first.SerialNumber, second.SerialNumber], listed.GetProperty("usedBy").EnumerateArray().Select(u => u.GetProperty("serialNumber").GetString()!));
    }

    [Fact]
    public async Task Code_that_is_used_up_is_extended_and_activates_again()
    {
        var code = await hub.NewCode(await hub.NewStore());
        await using var first = await hub.Activated(code);
        var listed = await Code(code);
        Assert.Equal("usedUp", listed.GetProperty("state").GetString());
        var path = $"/api/v1/activation-codes/{listed.GetProperty("id").GetString()}/extend";
        Assert.Equal(["moreUses"], await hub.Admin.Faults(HttpMethod.Post, path, new { moreUses = 1000 }));
        Assert.Equal(["validHours"], await hub.Admin.Faults(HttpMethod.Post, path, new { }));
        Assert.Equal(["validHours"], await hub.Admin.Faults(HttpMethod.Post, path, new { validHours = 24 * 365 + 1 }));
        await hub.Admin.Post("/api/v1/activation-codes/none/extend", new { moreUses = 1 }, HttpStatusCode.NotFound);
        await hub.Admin.Post(path, new { moreUses = 1, validHours = 24 * 60 }, HttpStatusCode.NoContent);

        await using var second = await hub.Activated(code);
        var extended = await Code(code);
        Assert.Equal(2, extended.GetProperty("uses").GetInt32());
        Assert.True(extended.GetProperty("expires").GetDateTimeOffset() > listed.GetProperty("expires").GetDateTimeOffset().AddDays(50));
        Assert.Single(await hub.Audit("activation-code.extend", "activation-code:" + listed.GetProperty("id").GetString()));
        await hub.Admin.Post(path.Replace("extend", "revoke", StringComparison.Ordinal), null, HttpStatusCode.NoContent);
        await hub.Admin.Post(path, new { moreUses = 1 }, HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Many_terminals_are_suspended_and_resumed_at_once_and_those_that_are_none_are_named()
    {
        var code = await hub.NewCode(await hub.NewStore(), uses: 2);
        await using var first = await hub.Activated(code);
        await using var second = await hub.Activated(code);
        string[] all = [first.SerialNumber, second.SerialNumber, first.SerialNumber, "NONE-1"];

        var answer = await hub.Admin.Post("/api/v1/terminals/suspend", new { serialNumbers = all }, HttpStatusCode.OK);
        Assert.Equal(2, answer.GetProperty("done").GetInt32());
        Assert.Equal("NONE-1", Assert.Single(answer.GetProperty("failed").EnumerateArray()).GetProperty("serialNumber").GetString());
        foreach (var terminal in (string[])[first.SerialNumber, second.SerialNumber])
        {
            Assert.Equal("suspended", (await hub.Admin.Get("/api/v1/terminals/" + terminal)).GetProperty("status").GetString());
            Assert.Single(await hub.Audit("terminal.suspend", "terminal:" + terminal));
        }

        answer = await hub.Admin.Post("/api/v1/terminals/resume", new { serialNumbers = all[..1] }, HttpStatusCode.OK);
        Assert.Equal((1, 0), (answer.GetProperty("done").GetInt32(), answer.GetProperty("failed").GetArrayLength()));
        Assert.Equal("active", (await hub.Admin.Get("/api/v1/terminals/" + first.SerialNumber)).GetProperty("status").GetString());
        Assert.Equal(["serialNumbers"], await hub.Admin.Faults(HttpMethod.Post, "/api/v1/terminals/suspend", new { serialNumbers = Array.Empty<string>() }));
        Assert.Equal(["serialNumbers"], await hub.Admin.Faults(HttpMethod.Post, "/api/v1/terminals/suspend", new { serialNumbers = new[] { first.SerialNumber, null } }));
        Assert.Equal(["serialNumbers"], await hub.Admin.Faults(HttpMethod.Post, "/api/v1/terminals/suspend", new { serialNumbers = Enumerable.Range(0, 20_001).Select(n => $"{n:D64}") }));
    }

    [Fact]
    public async Task Revoked_code_activates_nothing_and_is_shown_nowhere()
    {
        var code = await hub.NewCode(await hub.NewStore());
        var listed = await Code(code);
        var id = listed.GetProperty("id").GetString();
        await hub.Admin.Post($"/api/v1/activation-codes/{id}/revoke", null, HttpStatusCode.NoContent);
        await using var terminal = hub.Terminal(ServerHub.NewSerial());
        await RefusesCode(terminal, code);
        Assert.NotEqual(JsonValueKind.Null, (await Code(code)).GetProperty("revoked").ValueKind);
        Assert.DoesNotContain(code, (await hub.Admin.Get("/api/v1/activation-codes")).GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain(code, (await hub.Admin.Get("/api/v1/audit")).GetRawText(), StringComparison.Ordinal);
        Assert.Single(await hub.Audit("activation-code.revoke", "activation-code:" + id));
        await hub.Admin.Post("/api/v1/activation-codes/none/revoke", null, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Terminals_are_found_by_page_search_and_filter()
    {
        var store = await hub.NewStore("Searched store");
        var code = await hub.NewCode(store, uses: 3);
        var serials = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            await using var terminal = await hub.Activated(code);
            serials.Add(terminal.SerialNumber);
        }

        var first = await hub.Admin.Get($"/api/v1/terminals?storeId={store}&pageSize=2");
        var second = await hub.Admin.Get($"/api/v1/terminals?storeId={store}&pageSize=2&page=2");
        Assert.Equal((true, false), (first.GetProperty("more").GetBoolean(), second.GetProperty("more").GetBoolean()));
        Assert.Equal(serials, Serials(first).Concat(Serials(second)));
        Assert.Equal(serials, Serials(await hub.Admin.Get("/api/v1/terminals?search=searched")));
        Assert.Equal([serials[1]], Serials(await hub.Admin.Get($"/api/v1/terminals?search={serials[1][2..]}")));
        Assert.Equal(serials, Serials(await hub.Admin.Get($"/api/v1/terminals?storeId={store}&status=active")));
        Assert.Empty(Serials(await hub.Admin.Get($"/api/v1/terminals?storeId={store}&status=suspended")));
        Assert.Equal(["status"], await hub.Admin.Faults(HttpMethod.Get, "/api/v1/terminals?status=broken"));
    }

    [Fact]
    public async Task Suspended_terminal_is_refused_payments_until_it_is_resumed()
    {
        await using var terminal = await hub.Activated();
        var path = "/api/v1/terminals/" + terminal.SerialNumber;
        await hub.Admin.Post(path + "/suspend", null, HttpStatusCode.NoContent);
        await terminal.Pay(terminal.Request(1200));
        Assert.Equal(Refusal.Types.Code.Suspended, (await terminal.ExpectRefusal()).Code);
        Assert.Equal("suspended", (await hub.Admin.Get(path)).GetProperty("status").GetString());
        await hub.Admin.Post(path + "/resume", null, HttpStatusCode.NoContent);

        // It takes no scan before a login that does not say so.
        await using var again = await terminal.LogsInAgain();
        Assert.Equal(Outcome.Types.Result.Approved, (await again.PayForOutcome(again.Request(1200))).Result);
        var suspended = Assert.Single(await hub.Audit("terminal.suspend", "terminal:" + terminal.SerialNumber));
        Assert.StartsWith("key:", suspended.GetProperty("who").GetString(), StringComparison.Ordinal);
        Assert.Equal(("""{"status":"active"}""", """{"status":"suspended"}"""), (suspended.GetProperty("before").GetString(), suspended.GetProperty("after").GetString()));
    }

    [Fact]
    public async Task Configuration_reaches_the_terminal_and_drift_is_visible()
    {
        await using var terminal = await hub.Activated();
        var path = "/api/v1/terminals/" + terminal.SerialNumber;
        var desired = await hub.Admin.Put(path + "/configuration", new { volume = 7, greeting = "欢迎" });
        Assert.Equal(1, desired.GetProperty("version").GetInt64());
        var pushed = await terminal.Next();
        Assert.True(pushed.BodyCase.ToString().StartsWith("Configuration", StringComparison.Ordinal), $"got {pushed}");
        var detail = await hub.Admin.Get(path);
        Assert.True(detail.GetProperty("drift").GetBoolean());
        Assert.True(detail.GetProperty("connected").GetBoolean());
        Assert.Equal(7, detail.GetProperty("desired").GetProperty("document").GetProperty("volume").GetInt32());
        var entry = Assert.Single(await hub.Audit("terminal.configuration", "terminal:" + terminal.SerialNumber));
        Assert.Contains("欢迎", entry.GetProperty("after").GetString(), StringComparison.Ordinal);
        Assert.Equal(["body"], await hub.Admin.Faults(HttpMethod.Put, path + "/configuration", new[] { 1 }));
        Assert.Equal(["body"], await hub.Admin.Faults(HttpMethod.Put, path + "/configuration", new { nested = new { a = new[] { 1 } } }));
    }

    [Fact]
    public async Task Limit_of_a_terminal_is_set_and_audited()
    {
        await using var terminal = await hub.Activated();
        var path = "/api/v1/terminals/" + terminal.SerialNumber;
        await hub.Admin.Put(path + "/limit", new { maxAmountFen = 1000 }, HttpStatusCode.NoContent);
        await terminal.Pay(terminal.Request(1200));
        Assert.Equal(Refusal.Types.Code.Amount, (await terminal.ExpectRefusal()).Code);
        Assert.Equal(["maxAmountFen"], await hub.Admin.Faults(HttpMethod.Put, path + "/limit", new { maxAmountFen = -1 }));
        Assert.Contains("1000", Assert.Single(await hub.Audit("terminal.limit", "terminal:" + terminal.SerialNumber)).GetProperty("after").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("NO-SUCH-1")]
    [InlineData("no%20serial%20number")]
    public async Task Unknown_terminal_is_404_everywhere(string serialNumber)
    {
        var path = "/api/v1/terminals/" + serialNumber;
        await hub.Admin.Get(path, HttpStatusCode.NotFound);
        await hub.Admin.Post(path + "/suspend", null, HttpStatusCode.NotFound);
        await hub.Admin.Post(path + "/resume", null, HttpStatusCode.NotFound);
        await hub.Admin.Put(path + "/configuration", new { a = 1 }, HttpStatusCode.NotFound);
        await hub.Admin.Put(path + "/limit", new { maxAmountFen = 1 }, HttpStatusCode.NotFound);
    }

    private async Task<JsonElement> Code(string code) =>
        Items(await hub.Admin.Get("/api/v1/activation-codes?pageSize=200")).First(c => c.GetProperty("endsWith").GetString() == code[^4..]);

    private static async Task RefusesCode(BadInput.TestTerminal terminal, string code)
    {
        await terminal.Connect();
        await terminal.SendHello();
        await terminal.Expect(Downlink.BodyOneofCase.Challenge);
        await terminal.Send(new Uplink { Activate = new Activate { ActivationCode = code } });
        Assert.Equal(Refusal.Types.Code.Activation, (await terminal.ExpectRefusal()).Code);
    }

    private static JsonElement.ArrayEnumerator Items(JsonElement page) => page.GetProperty("items").EnumerateArray();

    private static IEnumerable<string> Serials(JsonElement page) => Items(page).Select(t => t.GetProperty("serialNumber").GetString()!);
}
