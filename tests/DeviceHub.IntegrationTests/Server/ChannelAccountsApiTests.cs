using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using DeviceHub.Core.Merchants;
using DeviceHub.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace DeviceHub.IntegrationTests.Server;

/// <summary>Accounts through the API: made, changed and tested; a secret never comes out.</summary>
public sealed class ChannelAccountsApiTests(ServerHub hub) : IClassFixture<ServerHub>
{
    private const string Path = "/api/v1/channel-accounts";

    private static readonly string Key = NewKey();
    private static readonly string PublicKey = PublicOf(NewKey());

    [Fact]
    public async Task Channels_say_what_an_account_is_made_of()
    {
        var channels = await hub.Admin.Get("/api/v1/channels");
        Assert.Contains("sandbox", channels.EnumerateArray().Select(c => c.GetProperty("name").GetString()));
        var alipay = channels.EnumerateArray().Single(c => c.GetProperty("name").GetString() == "alipay");
        Assert.Equal("alipay", alipay.GetProperty("wallets")[0].GetString());
        var key = alipay.GetProperty("fields").EnumerateArray().Single(f => f.GetProperty("name").GetString() == "privateKey");
        Assert.Equal(("privateKey", true, true), (key.GetProperty("kind").GetString(), key.GetProperty("required").GetBoolean(), key.GetProperty("secret").GetBoolean()));
        Assert.NotEmpty(key.GetProperty("says").GetString()!);
    }

    [Fact]
    public async Task Secret_goes_in_and_never_comes_out()
    {
        var merchant = await hub.NewMerchant();
        var created = await hub.Admin.Post(Path, Alipay(merchant));
        var id = created.GetProperty("id").GetString()!;
        var list = await hub.Admin.Get($"{Path}?merchantId={merchant}");
        var audit = await hub.Audit("channel-account.create", "channel-account:" + id);
        var line = Key.Split('\n')[3];
        foreach (var text in new[] { created, (await hub.Admin.Get($"{Path}/{id}")), list, audit[0] }.Select(e => e.GetRawText()))
        {
            Assert.DoesNotContain(line, text, StringComparison.Ordinal);
        }

        var key = Field(created, "privateKey");
        Assert.Equal((true, JsonValueKind.Null, JsonValueKind.String), (key.GetProperty("isSet").GetBoolean(), key.GetProperty("value").ValueKind, key.GetProperty("setAt").ValueKind));
        Assert.Equal("2021000122600001", Field(created, "appId").GetProperty("value").GetString());
        Assert.DoesNotContain("zone", audit[0].GetProperty("after").GetString()!, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("privateKey", audit[0].GetProperty("after").GetString(), StringComparison.Ordinal);
        Assert.Equal(id, Assert.Single(list.GetProperty("items").EnumerateArray()).GetProperty("id").GetString());
    }

    [Fact]
    public async Task Change_keeps_what_it_leaves_out_and_is_gone_by_at_once()
    {
        var merchant = await hub.NewMerchant();
        var created = await hub.Admin.Post(Path, Alipay(merchant));
        var path = $"{Path}/{created.GetProperty("id").GetString()}";
        var changed = await Patch(path, new { enabled = false, dayLimitFen = 5000, fields = new { storeId = "S9" } });
        Assert.Equal((false, 5000, 2), (changed.GetProperty("enabled").GetBoolean(), changed.GetProperty("dayLimitFen").GetInt64(), changed.GetProperty("version").GetInt64()));
        Assert.Equal(("S9", "2021000122600001"), (Field(changed, "storeId").GetProperty("value").GetString(), Field(changed, "appId").GetProperty("value").GetString()));
        Assert.True(Field(changed, "privateKey").GetProperty("isSet").GetBoolean());
        Assert.Contains("\\\"Street\\\" (disabled)", (await Explain(merchant)).GetRawText().Replace("\\u0022", "\\\"", StringComparison.Ordinal), StringComparison.Ordinal);

        changed = await Patch(path, new { enabled = true, dayLimitFen = (long?)null, fields = new { storeId = (string?)null, privateKey = NewKey() } });
        Assert.Equal((JsonValueKind.Null, false), (changed.GetProperty("dayLimitFen").ValueKind, Field(changed, "storeId").GetProperty("isSet").GetBoolean()));
        Assert.NotEqual(Field(created, "privateKey").GetProperty("setAt").GetString(), Field(changed, "privateKey").GetProperty("setAt").GetString());
        Assert.Equal(created.GetProperty("id").GetString(), (await Explain(merchant)).GetProperty("accountId").GetString());
        Assert.Equal(2, (await hub.Audit("channel-account.change", "channel-account:" + created.GetProperty("id").GetString())).Count);
    }

    [Fact]
    public async Task Wrong_fields_are_named()
    {
        var merchant = await hub.NewMerchant();
        var post = HttpMethod.Post;
        Assert.Equal(["merchantId", "channel"], await hub.Admin.Faults(post, Path, new { }));
        Assert.Equal(["name", "fields.appId", "fields.privateKey"], await hub.Admin.Faults(post, Path, new { merchantId = merchant, channel = "alipay" }));
        Assert.Equal(["merchantId"], await hub.Admin.Faults(post, Path, new { merchantId = "nobody", channel = "sandbox", name = "Street" }));
        Assert.Equal(["fields.privateKey"], await hub.Admin.Faults(post, Path, Alipay(merchant, key: "MIIEvQ")));
        Assert.Equal(
            ["fields.baseUrl"],
            await hub.Admin.Faults(post, Path, new
            {
                merchantId = merchant, channel = "alipay", name = "Bank", fields = new { appId = "2021000122600001", privateKey = Key, baseUrl = "https://169.254.169.254/latest" },
            }));
        Assert.Equal(
            ["schedule.windows[0].to", "wallets", "priority", "schedule.timeZone", "schedule.windows"],
            await hub.Admin.Faults(post, Path, new
            {
                merchantId = merchant, channel = "alipay", name = "Street", priority = 0, wallets = new[] { "weChat" },
                schedule = new { timeZone = "Asia/Shangai", windows = new[] { new { days = Array.Empty<string>(), from = "08:00", to = "24:00" } } },
                fields = new { appId = "2021000122600001", privateKey = Key },
            }));
        Assert.Equal(["priorty"], await hub.Admin.Faults(post, Path, new { merchantId = merchant, priorty = 1 }));
        var path = $"{Path}/{(await hub.Admin.Post(Path, Alipay(merchant))).GetProperty("id").GetString()}";
        Assert.Equal(["merchantId", "channel"], await hub.Admin.Faults(HttpMethod.Patch, path, new { merchantId = "other", channel = "sandbox" }));
        Assert.Equal(["fields.privateKey"], await hub.Admin.Faults(HttpMethod.Patch, path, new { fields = new { privateKey = (string?)null } }));
        Assert.Equal(["weight"], await hub.Admin.Faults(HttpMethod.Patch, path, new { weight = "heavy" }));
        Assert.Equal(["waight"], await hub.Admin.Faults(HttpMethod.Patch, path, new { waight = 1 }));
        Assert.Equal(["body"], await hub.Admin.Faults(HttpMethod.Patch, path, new[] { 1 }));
        await hub.Admin.Get(Path + "/ca_none", HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Certificate_is_shown_by_what_is_in_it_and_an_expired_one_is_refused()
    {
        var merchant = await hub.NewMerchant();
        using var rsa = RSA.Create();
        rsa.ImportFromPem(Key);
        using var other = RSA.Create(2048);
        var (good, expired) = (Certificate(1, rsa), Certificate(-1, rsa));
        var created = await hub.Admin.Post(Path, Alipay(merchant, certificate: good.ExportCertificatePem()));
        var shown = Field(created, "appCertificate").GetProperty("certificate");
        Assert.Equal(("CN=Noodle shop", good.SerialNumber, false), (shown.GetProperty("subject").GetString(), shown.GetProperty("serialNumber").GetString(), shown.GetProperty("expired").GetBoolean()));
        Assert.Equal(
            ["fields.appCertificate", "fields.alipayCertificate", "fields.alipayRootCertificate"],
            await hub.Admin.Faults(HttpMethod.Post, Path, Alipay(merchant, certificate: expired.ExportCertificatePem())));
        Assert.Equal(["fields.appCertificate"], await hub.Admin.Faults(HttpMethod.Post, Path, Alipay(merchant, certificate: Certificate(1, other).ExportCertificatePem())));
    }

    [Fact]
    public async Task Account_whose_fields_do_not_make_a_whole_is_refused_and_one_that_is_not_whole_any_more_can_be_disabled()
    {
        var merchant = await hub.NewMerchant();
        var post = HttpMethod.Post;
        Assert.Equal(
            ["fields.alipayPublicKey"],
            await hub.Admin.Faults(post, Path, new { merchantId = merchant, channel = "alipay", name = "Street", fields = new { appId = "2021000122600001", privateKey = Key } }));
        Assert.Equal(
            ["fields.platformPublicKey"],
            await hub.Admin.Faults(post, Path, new
            {
                merchantId = merchant, channel = "wechat-v3", name = "Street",
                fields = new { mchId = "1900000109", appId = "wx8888888888888888", certificateSerial = "1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C", privateKey = Key, apiV3Key = new string('a', 32) },
            }));
        Assert.Equal(["fields.activationCode"], await hub.Admin.Faults(post, Path, new { merchantId = merchant, channel = "shouqianba", name = "Street" }));

        var path = $"{Path}/{(await hub.Admin.Post(Path, Alipay(merchant))).GetProperty("id").GetString()}";
        Assert.Equal(["fields.alipayPublicKey"], await hub.Admin.Faults(HttpMethod.Patch, path, new { fields = new { alipayPublicKey = (string?)null } }));

        // As an older hub took it.
        var book = hub.Services.GetRequiredService<ChannelAccountBook>();
        var whole = book.Known(path[(Path.Length + 1)..])!;
        await hub.Services.GetRequiredService<HubWrites>().Run(
            async (db, stop) =>
            {
                var row = await db.ChannelAccounts.SingleAsync(a => a.Id == whole.Id, stop);
                var broken = whole.With(new Dictionary<string, string?> { ["alipayPublicKey"] = null }, _ => false, TimeProvider.System.GetUtcNow());
                hub.Services.GetRequiredService<ChannelAccountStore>().Put(db, broken, TimeProvider.System.GetUtcNow(), row);
                return await db.SaveChangesAsync(stop);
            },
            TestContext.Current.CancellationToken);
        Assert.False((await Patch(path, new { enabled = false })).GetProperty("enabled").GetBoolean());
    }

    [Fact]
    public async Task Test_makes_a_call_and_says_what_came_of_it()
    {
        var merchant = await hub.NewMerchant();
        var id = (await hub.Admin.Post(Path, new { merchantId = merchant, channel = "sandbox", name = "Street" })).GetProperty("id").GetString();
        var check = await hub.Admin.Post($"{Path}/{id}/test", null, HttpStatusCode.OK);
        Assert.Equal((true, "the Sandbox takes every account"), (check.GetProperty("works").GetBoolean(), check.GetProperty("says").GetString()));
        await hub.Admin.Post($"{Path}/{id}/activate", null, HttpStatusCode.Conflict);
        await hub.Admin.Post($"{Path}/ca_none/test", null, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Reader_sees_accounts_and_changes_none()
    {
        var reader = hub.WithKey((await ServerHub.CreateKey(hub.Admin, "read")).Key);
        await reader.Get(Path);
        await reader.Post(Path, Alipay("m"), HttpStatusCode.Forbidden);
        await reader.Post(Path + "/ca_1/test", null, HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Payment_goes_to_the_merchants_own_account_keeps_why_and_counts_for_the_day()
    {
        await using var terminal = await hub.Activated();
        var detail = await hub.Admin.Get("/api/v1/terminals/" + terminal.SerialNumber);
        var merchant = detail.GetProperty("merchantId").GetString()!;
        var id = (await hub.Admin.Post(Path, new { merchantId = merchant, channel = "sandbox", name = "Counter", dayLimitFen = 2500 })).GetProperty("id").GetString();
        var request = terminal.Request(1000);
        Assert.Equal("Approved", (await terminal.PayForOutcome(request)).Result.ToString());
        var payment = await hub.Admin.Get($"/api/v1/payments/{terminal.SerialNumber}/{request.RequestId}");
        Assert.Contains("Counter", payment.GetRawText(), StringComparison.Ordinal);
        Assert.Contains("priority 100, healthy", payment.GetRawText(), StringComparison.Ordinal);
        var account = await hub.Admin.Get($"{Path}/{id}");
        Assert.Equal((1000, "closed"), (account.GetProperty("todayFen").GetInt64(), account.GetProperty("health").GetProperty("circuit").GetString()));
        Assert.True(await Metrics.Value(hub.Admin, "routing_payments_total", $"account=\"{id}\"") >= 1);
    }

    [Fact]
    public async Task Routing_is_explained_without_a_payment()
    {
        var merchant = await hub.NewMerchant();
        var none = await Explain(merchant);
        Assert.Equal(("sandbox", merchant), (none.GetProperty("channel").GetString(), none.GetProperty("accountId").GetString()));
        await hub.Admin.Post(Path, new { merchantId = merchant, channel = "sandbox", name = "Second", priority = 2 });
        await hub.Admin.Post(Path, new { merchantId = merchant, channel = "sandbox", name = "Main", priority = 1 });
        var shape = await hub.Admin.Post("/api/v1/routing/explain", new { merchantId = merchant, codeShape = "28xxxxxxxxxxxxxxxx", amountFen = 100 }, HttpStatusCode.OK);
        Assert.Equal(("alipay", "Main"), (shape.GetProperty("wallet").GetString(), shape.GetProperty("accountName").GetString()));
        Assert.Equal("priority 2", Assert.Single(shape.GetProperty("passedOver").EnumerateArray()).GetProperty("why").GetString());
        const string Explained = "/api/v1/routing/explain";
        Assert.Equal(["merchantId", "amountFen", "wallet"], await hub.Admin.Faults(HttpMethod.Post, Explained, new { }));
        Assert.Equal(["codeShape"], await hub.Admin.Faults(HttpMethod.Post, Explained, new { merchantId = merchant, amountFen = 1, codeShape = "99xxxxxxxxxxxxxxxx" }));
        Assert.Equal(["codeShape"], await hub.Admin.Faults(HttpMethod.Post, Explained, new { merchantId = merchant, amountFen = 1, codeShape = "134567890123456789" }));
    }

    private Task<JsonElement> Explain(string merchant) =>
        hub.Admin.Post("/api/v1/routing/explain", new { merchantId = merchant, wallet = "alipay", amountFen = 1000 }, HttpStatusCode.OK);

    private Task<JsonElement> Patch(string path, object body) => hub.Admin.Patch(path, body);

    internal static object Alipay(string merchant, string? key = null, string? certificate = null) => new
    {
        merchantId = merchant,
        channel = "alipay",
        name = "Street",
        fields = new Dictionary<string, string?>
        {
            ["appId"] = "2021000122600001", ["privateKey"] = key ?? Key, ["alipayPublicKey"] = certificate is null ? PublicKey : null,
            ["appCertificate"] = certificate, ["alipayCertificate"] = certificate, ["alipayRootCertificate"] = certificate,
        },
    };

    private static JsonElement Field(JsonElement account, string name) => account.GetProperty("fields").EnumerateArray().Single(f => f.GetProperty("name").GetString() == name);

    private static string PublicOf(string key)
    {
        using var rsa = RSA.Create();
        rsa.ImportFromPem(key);
        return rsa.ExportSubjectPublicKeyInfoPem();
    }

    private static string NewKey()
    {
        using var rsa = RSA.Create(2048);
        return rsa.ExportPkcs8PrivateKeyPem();
    }

    private static X509Certificate2 Certificate(int years, RSA rsa)
    {
        var now = TimeProvider.System.GetUtcNow();
        var request = new CertificateRequest("CN=Noodle shop", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return request.CreateSelfSigned(years < 0 ? now.AddYears(-2) : now.AddDays(-1), now.AddYears(years));
    }
}
