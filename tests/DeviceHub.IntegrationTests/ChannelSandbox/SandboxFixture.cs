#pragma warning disable CA5350, CA5351 // MD5 and SHA-1 are the channels' own.
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using DeviceHub.Tools.ChannelSandbox;
using DeviceHub.Tools.ChannelSandbox.Accounts;

namespace DeviceHub.IntegrationTests.ChannelSandbox;

/// <summary>
/// A ChannelSandbox in this process, on a port of its own, and callers of its four dialects that are written by hand: they share nothing with it
/// nor with the hub's clients.
/// </summary>
internal sealed class SandboxFixture : IAsyncDisposable
{
    private readonly SandboxServer server;
    private long numbers = Random.Shared.NextInt64(1_000_000, 9_000_000) * 1_000_000;

    private SandboxFixture(SandboxServer server, AccountsFile accounts)
    {
        (this.server, Accounts) = (server, accounts);
        Http = new HttpClient { BaseAddress = new Uri(server.Urls.First()), Timeout = TimeSpan.FromSeconds(10), MaxResponseContentBufferSize = 1024 * 1024 };
        Merchant = accounts.WeChat.Merchants[0];
    }

    /// <summary>Keys are slow to make, and nothing depends on their being different.</summary>
    public static AccountsFile SomeAccounts { get; } = AccountMaker.Make(2048);

    public AccountsFile Accounts { get; }

    public WeChatMerchant Merchant { get; }

    public HttpClient Http { get; }

    public static async Task<SandboxFixture> Start(SandboxOptions? options = null)
    {
        var server = new SandboxServer(
            (options ?? new SandboxOptions()) with { Url = new Uri("http://127.0.0.1:0"), HangFor = TimeSpan.FromMilliseconds(50), SlowAfter = TimeSpan.FromMilliseconds(50), ReverseAfter = TimeSpan.Zero },
            SomeAccounts,
            TimeProvider.System);
        await server.Start();
        return new SandboxFixture(server, SomeAccounts);
    }

    public string Number() => $"A{Interlocked.Increment(ref numbers)}";

    public string Code(string start = "13") => $"{start}{Interlocked.Increment(ref numbers):d16}";

    public async Task Fault(string json)
    {
        using var answer = await Http.PostAsync(new Uri("/faults", UriKind.Relative), new StringContent(json, Encoding.UTF8, "application/json"));
        answer.EnsureSuccessStatusCode();
    }

    public async Task<JsonElement> Order(string number)
    {
        using var json = JsonDocument.Parse(await Http.GetStringAsync(new Uri("/book", UriKind.Relative)));
        return json.RootElement.GetProperty("orders").EnumerateArray().Single(o => o.GetProperty("order").GetString() == number).Clone();
    }

    /// <summary>Empty: the answer was no XML.</summary>
    public async Task<Dictionary<string, string>> V2(string path, string? key = null, params (string Name, string Value)[] fields)
    {
        var all = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["appid"] = Merchant.AppIds[0], ["mch_id"] = Merchant.MchId, ["nonce_str"] = "n" };
        foreach (var (name, value) in fields)
        {
            all[name] = value;
        }

        all["sign"] = V2Sign(all, key ?? Merchant.ApiKey);
        var xml = new XElement("xml", all.Select(f => new XElement(f.Key, f.Value))).ToString(SaveOptions.DisableFormatting);
        using var response = await Http.PostAsync(new Uri(path, UriKind.Relative), new StringContent(xml, Encoding.UTF8, "text/xml"));
        return Regex.Matches(await response.Content.ReadAsStringAsync(), @"<(\w+)><!\[CDATA\[(.*?)\]\]></\1>").ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);
    }

    public static string V2Sign(IEnumerable<KeyValuePair<string, string>> fields, string key) => Convert.ToHexString(MD5.HashData(Encoding.UTF8.GetBytes(
        string.Join('&', fields.Where(f => f.Key != "sign" && f.Value.Length > 0).OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => $"{f.Key}={f.Value}")) + "&key=" + key)));

    public Task<Dictionary<string, string>> V2Pay(long fen, string number, string? code = null, string? notifyUrl = null) => V2("/pay/micropay", null,
        ("body", "Noodles 面"), ("out_trade_no", number), ("total_fee", $"{fen}"), ("spbill_create_ip", "127.0.0.1"), ("auth_code", code ?? Code()), ("notify_url", notifyUrl ?? ""));

    public Task<Dictionary<string, string>> V2Query(string number) => V2("/pay/orderquery", null, ("out_trade_no", number));

    public async Task<HttpResponseMessage> V3(HttpMethod method, string path, string body = "", string? privateKey = null)
    {
        using var key = RSA.Create();
        key.ImportFromPem(privateKey ?? Merchant.PrivateKey);
        var timestamp = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var signature = Convert.ToBase64String(key.SignData(Encoding.UTF8.GetBytes($"{method}\n{path}\n{timestamp}\nnonce\n{body}\n"), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        using var request = new HttpRequestMessage(method, path);
        request.Headers.TryAddWithoutValidation("Authorization", $"WECHATPAY2-SHA256-RSA2048 mchid=\"{Merchant.MchId}\",nonce_str=\"nonce\",signature=\"{signature}\",timestamp=\"{timestamp}\",serial_no=\"{AccountMaker.SerialNumber(Merchant.Certificate)}\"");
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        request.Headers.TryAddWithoutValidation("User-Agent", "tests");
        request.Content = body.Length > 0 ? new StringContent(body, Encoding.UTF8, "application/json") : null;
        return await Http.SendAsync(request);
    }

    public Task<HttpResponseMessage> V3Pay(long fen, string number, string? notifyUrl = null) => V3(HttpMethod.Post, "/v3/pay/transactions/codepay", JsonSerializer.Serialize(new
    {
        appid = Merchant.AppIds[0], mchid = Merchant.MchId, description = "Noodles", out_trade_no = number, payer = new { auth_code = Code() }, amount = new { total = fen },
        scene_info = new { store_info = new { out_id = "S1" } }, notify_url = notifyUrl,
    }));

    /// <summary>Whether the platform signed exactly this.</summary>
    public bool IsSigned(HttpResponseMessage response, string body)
    {
        var headers = response.Headers.ToDictionary(h => h.Key, h => h.Value.First());
        using var key = RSA.Create();
        key.ImportFromPem(Accounts.WeChat.PrivateKey);
        return headers.TryGetValue("Wechatpay-Signature", out var signature) && key.VerifyData(
            Encoding.UTF8.GetBytes($"{headers["Wechatpay-Timestamp"]}\n{headers["Wechatpay-Nonce"]}\n{body}\n"), Convert.FromBase64String(signature), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }

    /// <summary>The inner text of the answer, and whether Alipay signed it.</summary>
    public async Task<(JsonElement Json, bool Signed)> Alipay(string method, object content, string? privateKey = null, string? notifyUrl = null)
    {
        var application = Accounts.Alipay.Applications[0];
        var fields = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["app_id"] = application.AppId, ["method"] = method, ["charset"] = "utf-8", ["sign_type"] = "RSA2", ["version"] = "1.0",
            ["timestamp"] = TimeProvider.System.GetUtcNow().ToOffset(TimeSpan.FromHours(8)).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture), ["biz_content"] = JsonSerializer.Serialize(content),
        };
        if (notifyUrl is not null)
        {
            fields["notify_url"] = notifyUrl;
        }

        using var key = RSA.Create();
        key.ImportFromPem(privateKey ?? application.PrivateKey);
        fields["sign"] = Convert.ToBase64String(key.SignData(Encoding.UTF8.GetBytes(string.Join('&', fields.Select(f => $"{f.Key}={f.Value}"))), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        using var response = await Http.PostAsync(new Uri("/gateway.do", UriKind.Relative), new FormUrlEncodedContent(fields));
        var text = await response.Content.ReadAsStringAsync();
        var match = Regex.Match(text, @"^\{""\w+_response"":(\{.*\}),""sign"":""([^""]+)""\}$", RegexOptions.Singleline);
        using var alipay = RSA.Create();
        alipay.ImportFromPem(Accounts.Alipay.PrivateKey);
        using var json = JsonDocument.Parse(match.Groups[1].Value);
        return (json.RootElement.Clone(), alipay.VerifyData(Encoding.UTF8.GetBytes(match.Groups[1].Value), Convert.FromBase64String(match.Groups[2].Value), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    public Task<(JsonElement Json, bool Signed)> AlipayPay(string yuan, string number, string? notifyUrl = null) =>
        Alipay("alipay.trade.pay", new { out_trade_no = number, scene = "bar_code", auth_code = Code("28"), subject = "面", total_amount = yuan }, notifyUrl: notifyUrl);

    public async Task<JsonElement> Shouqianba(string path, string sn, string key, object content)
    {
        var body = JsonSerializer.Serialize(content);
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("Authorization", $"{sn} {Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(body + key)))}");
        using var response = await Http.SendAsync(request);
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return json.RootElement.Clone();
    }

    public async Task<(string Sn, string Key)> Activate(string device)
    {
        var vendor = Accounts.Shouqianba.Vendors[0];
        var answer = (await Shouqianba("/terminal/activate", vendor.VendorSn, vendor.VendorKey, new { app_id = vendor.AppId, code = vendor.Codes.Keys.First(), device_id = device })).GetProperty("biz_response");
        return (answer.GetProperty("terminal_sn").GetString()!, answer.GetProperty("terminal_key").GetString()!);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await server.DisposeAsync();
    }
}
