using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using DeviceHub.IntegrationTests.BadInput;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tests;
using DeviceHub.Tools.ChannelSandbox;
using DeviceHub.Tools.ChannelSandbox.Accounts;

namespace DeviceHub.IntegrationTests.Server;

/// <summary>A hub whose merchants are at WeChat Pay, which is a ChannelSandbox here.</summary>
public sealed class WeChatHub : ServerHub, IAsyncLifetime
{
    private readonly SandboxServer sandbox;

    public WeChatHub()
    {
        Accounts = AccountMaker.Make(2048);
        sandbox = new SandboxServer(
            new SandboxOptions { Url = new Uri("http://127.0.0.1:0"), ReverseAfter = TimeSpan.Zero, HangFor = TimeSpan.FromMilliseconds(300), RefundAfter = TimeSpan.Zero }, Accounts, TimeProvider.System);
    }

    async ValueTask IAsyncLifetime.InitializeAsync()
    {
        await sandbox.Start();
        await InitializeAsync();
    }

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        await DisposeAsync();
        await sandbox.DisposeAsync();
    }

    internal AccountsFile Accounts { get; }

    // A reply that was lost is not asked about by itself in the time of a test: a notice has it asked about.
    protected override string[] Options =>
    [
        $"--WeChatPay:Url={sandbox.Urls.Single()}", "--Server:MaxNoticeBytes=8192", "--Payments:QueryWaits:0=00:10:00", "--Payments:UnknownLimit=00:10:00",
        "--Session:OutcomeWaitSeconds=1",
    ];

    /// <summary>A terminal of a merchant with this account, and the account's id.</summary>
    internal async Task<(TestTerminal Terminal, string Account)> Shop(string name)
    {
        var made = Accounts.Hub.Single(a => a.Name == name);
        var merchant = await NewMerchant();
        var store = (await Admin.Post("/api/v1/stores", new { merchantId = merchant, name = "Main street" })).GetProperty("id").GetString()!;
        var fields = made.Settings.Concat(made.Secrets).ToDictionary(f => f.Key, f => f.Value);
        var account = await Admin.Post("/api/v1/channel-accounts", new { merchantId = merchant, channel = made.Channel, name, fields });
        return (await Activated(await NewCode(store)), account.GetProperty("id").GetString()!);
    }
}

/// <summary>A hub that takes one notice a second.</summary>
public sealed class FloodedHub : ServerHub
{
    protected override string[] Options => ["--Server:NoticesPerSecond=1"];
}

/// <summary>Channels' notices over HTTP: open to everybody, and closed to everything that the channel did not sign, now, about this account's order.</summary>
public sealed class NoticeTests(WeChatHub hub) : IClassFixture<WeChatHub>
{
    [Fact]
    public async Task Account_that_is_not_there_or_is_at_another_channel_is_not_found()
    {
        var (_, account) = await hub.Shop("wechat-v3-direct");
        foreach (var path in (string[])["/notify/wechat-v3/none", "/notify/none/" + account, "/notify/wechat-v2/" + account, "/notify/sandbox/" + account])
        {
            await hub.Anonymous().Post(path, new StringContent("{}"), HttpStatusCode.NotFound);
        }
    }

    [Fact]
    public async Task Notice_has_a_payment_asked_about_whose_answer_was_lost_and_repeats_change_nothing()
    {
        var (terminal, account) = await hub.Shop("wechat-v3-direct");
        await using var _ = terminal;
        var request = terminal.Request(1020);
        await terminal.Pay(request);
        var order = await OrderNumber(terminal);

        Assert.Equal((HttpStatusCode.OK, "SUCCESS"), await Notice(account, Payment(order, 1020)));
        var outcome = await terminal.ExpectOutcome(request.RequestId);
        Assert.Equal((Outcome.Types.Result.Approved, 1020u), (outcome.Result, outcome.PaidFen));

        Assert.Equal((HttpStatusCode.OK, "SUCCESS"), await Notice(account, Payment(order, 1020)));
        var payment = (await hub.Admin.Get($"/api/v1/payments/{terminal.SerialNumber}/{request.RequestId}")).GetProperty("standing");
        Assert.Equal(1, payment.GetProperty("revision").GetInt32());
    }

    [Theory]
    [InlineData("unknown order", HttpStatusCode.OK, "of an order that the hub does not have")]
    [InlineData("another amount", HttpStatusCode.InternalServerError, "of another amount")]
    [InlineData("another key", HttpStatusCode.InternalServerError, "another signature")]
    [InlineData("replayed", HttpStatusCode.InternalServerError, "too old, or from the future: replayed, or a clock is wrong")]
    [InlineData("another account", HttpStatusCode.InternalServerError, "of another account's order")]
    public async Task Notice_that_is_not_right_is_answered_counted_and_changes_nothing(string what, HttpStatusCode status, string why)
    {
        var (terminal, account) = await hub.Shop("wechat-v3-direct");
        await using var _ = terminal;
        var request = terminal.Request(1020);
        await terminal.Pay(request);
        var order = await OrderNumber(terminal);
        var before = await Refused(why);
        using var other = RSA.Create(2048);

        var answer = what switch
        {
            "unknown order" => await Notice(account, Payment("d0none", 1020)),
            "another amount" => await Notice(account, Payment(order, 1021)),
            "another key" => await Notice(account, Payment(order, 1020), signer: other),
            "replayed" => await Notice(account, Payment(order, 1020), at: TimeProvider.System.GetUtcNow().AddMinutes(-10)),
            _ => await Notice((await hub.Shop("wechat-v3-direct")).Account, Payment(order, 1020)),
        };

        Assert.Equal((status, status == HttpStatusCode.OK ? "SUCCESS" : "FAIL"), answer);
        await Eventually.Becomes(() => Refused(why), now => now == before + 1, "the notice is counted");
        var payment = (await hub.Admin.Get($"/api/v1/payments/{terminal.SerialNumber}/{request.RequestId}")).GetProperty("standing");
        Assert.Equal((0, "none"), (payment.GetProperty("revision").GetInt32(), payment.GetProperty("result").GetString()));
    }

    [Fact]
    public async Task Notice_that_is_too_large_or_not_posted_is_refused()
    {
        var (_, account) = await hub.Shop("wechat-v3-direct");
        using var large = await hub.Anonymous().Send(HttpMethod.Post, "/notify/wechat-v3/" + account, new StringContent(new string('x', 9000)));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
        using var got = await hub.Anonymous().Send(HttpMethod.Get, "/notify/wechat-v3/" + account);
        Assert.Equal(HttpStatusCode.Unauthorized, got.StatusCode);
    }

    [Fact]
    public async Task Notices_of_one_address_are_limited_and_keep_nobody_from_the_api()
    {
        await using var own = new FloodedHub();
        await own.InitializeAsync();
        var channel = own.Anonymous();
        HttpResponseMessage answer;
        var taken = 0;
        while ((answer = await Notice()).StatusCode == HttpStatusCode.NotFound)
        {
            answer.Dispose();
            Assert.InRange(++taken, 1, 100);
        }

        // The burst, and what was allowed anew meanwhile.
        Assert.InRange(taken, 5, 100);
        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.InRange(answer.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 5);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        answer.Dispose();

        await own.Admin.Get("/api/v1/channels");
        await Eventually.Becomes(Notice, a => a.StatusCode == HttpStatusCode.NotFound, "a channel that calls again later is heard");

        Task<HttpResponseMessage> Notice() => channel.Send(HttpMethod.Post, "/notify/wechat-v3/none", new StringContent("{}"));
    }

    private Task<double> Refused(string why) => Metrics.Value(hub.Admin, "channels_notices_refused_total", $"why=\"{why}\"");

    private async Task<string> OrderNumber(TestTerminal terminal)
    {
        var list = await Eventually.Becomes(
            () => hub.Admin.Get("/api/v1/payments?serialNumber=" + terminal.SerialNumber),
            l => l.GetProperty("items").GetArrayLength() == 1 && l.GetProperty("items")[0].GetProperty("stage").GetString() == "inDoubt", "the payment's answer was lost");
        return list.GetProperty("items")[0].GetProperty("channelOrderNumber").GetString()!;
    }

    private static string Payment(string order, long fen) =>
        $$$"""{"mchid":"1900000109","appid":"wx8888888888888888","out_trade_no":"{{{order}}}","transaction_id":"42","trade_state":"SUCCESS","amount":{"total":{{{fen}}},"payer_total":{{{fen}}}}}""";

    /// <summary>As WeChat Pay says it: encrypted for the merchant, signed by the platform.</summary>
    private async Task<(HttpStatusCode, string)> Notice(string account, string plain, RSA? signer = null, DateTimeOffset? at = null)
    {
        var wechat = hub.Accounts.WeChat;
        var bytes = Encoding.UTF8.GetBytes(plain);
        var sealedBytes = new byte[bytes.Length + 16];
        using (var aes = new AesGcm(Encoding.ASCII.GetBytes(wechat.Merchants.Single(m => m.MchId == "1900000109").ApiV3Key), 16))
        {
            aes.Encrypt("fdasflkja484"u8, bytes, sealedBytes.AsSpan(0, bytes.Length), sealedBytes.AsSpan(bytes.Length), "transaction"u8);
        }

        var body = JsonSerializer.Serialize(new
        {
            id = "EV-1", event_type = "TRANSACTION.SUCCESS", resource_type = "encrypt-resource",
            resource = new { algorithm = "AEAD_AES_256_GCM", ciphertext = Convert.ToBase64String(sealedBytes), associated_data = "transaction", nonce = "fdasflkja484" },
        });
        using var platform = RSA.Create();
        platform.ImportFromPem(wechat.PrivateKey);
        var timestamp = (at ?? TimeProvider.System.GetUtcNow()).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var signature = (signer ?? platform).SignData(Encoding.UTF8.GetBytes($"{timestamp}\nabc\n{body}\n"), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var answer = await hub.Anonymous().Send(
            HttpMethod.Post, "/notify/wechat-v3/" + account, new StringContent(body, Encoding.UTF8, "application/json"), ("Wechatpay-Timestamp", timestamp), ("Wechatpay-Nonce", "abc"),
            ("Wechatpay-Signature", Convert.ToBase64String(signature)), ("Wechatpay-Serial", wechat.PublicKeyId));
        return (answer.StatusCode, JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("code").GetString()!);
    }
}
