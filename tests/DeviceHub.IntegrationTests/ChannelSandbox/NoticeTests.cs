#pragma warning disable CA5350, CA5351 // MD5 and SHA-1 are the channels' own.
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using DeviceHub.Tests;
using DeviceHub.Tools.ChannelSandbox;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace DeviceHub.IntegrationTests.ChannelSandbox;

public sealed class NoticeTests
{
    private static readonly SandboxOptions Fast = new() { NoticeSpeed = 1000, RefundAfter = TimeSpan.Zero };

    [Fact]
    public async Task WeChat_v2_tells_of_a_payment_with_the_merchants_signature_until_it_is_taken()
    {
        await using var merchant = await Merchant.Start("<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>", refuse: 2);
        await using var sandbox = await SandboxFixture.Start(Fast);
        var number = sandbox.Number();

        await sandbox.V2Pay(1000, number, notifyUrl: merchant.Url);
        await Eventually.Holds(() => merchant.Heard.Count == 3, "it is told a third time");

        var fields = Fields(merchant.Heard.First().Body);
        Assert.Equal((number, "1000"), (fields["out_trade_no"], fields["total_fee"]));
        Assert.Equal(fields["sign"], SandboxFixture.V2Sign(fields, sandbox.Merchant.ApiKey));
    }

    [Fact]
    public async Task WeChat_v2_encrypts_what_it_tells_of_a_refund()
    {
        await using var merchant = await Merchant.Start("<xml><return_code>SUCCESS</return_code></xml>");
        await using var sandbox = await SandboxFixture.Start(Fast);
        var number = sandbox.Number();
        await sandbox.V2Pay(1000, number);

        await sandbox.V2("/secapi/pay/refund", null, ("out_trade_no", number), ("out_refund_no", "R" + number), ("total_fee", "1000"), ("refund_fee", "300"), ("notify_url", merchant.Url));
        await Eventually.Holds(() => merchant.Heard.Count == 1, "it is told");

        using var aes = Aes.Create();
        aes.Key = Encoding.ASCII.GetBytes(Convert.ToHexStringLower(MD5.HashData(Encoding.ASCII.GetBytes(sandbox.Merchant.ApiKey))));
        var inner = Fields(Encoding.UTF8.GetString(aes.DecryptEcb(Convert.FromBase64String(Fields(merchant.Heard.First().Body)["req_info"]), PaddingMode.PKCS7)));
        Assert.Equal(("R" + number, "300", "SUCCESS"), (inner["out_refund_no"], inner["refund_fee"], inner["refund_status"]));
    }

    [Fact]
    public async Task WeChat_v3_encrypts_and_signs_what_it_tells()
    {
        await using var merchant = await Merchant.Start("");
        await using var sandbox = await SandboxFixture.Start(Fast);
        var number = sandbox.Number();

        using var paid = await sandbox.V3Pay(1000, number, merchant.Url);
        await Eventually.Holds(() => merchant.Heard.Count == 1, "it is told");

        var (body, headers) = merchant.Heard.First();
        Assert.True(Verifies(sandbox.Accounts.WeChat.PrivateKey, $"{headers["Wechatpay-Timestamp"]}\n{headers["Wechatpay-Nonce"]}\n{body}\n", headers["Wechatpay-Signature"]));
        using var json = JsonDocument.Parse(body);
        var resource = json.RootElement.GetProperty("resource");
        var sealedBytes = Convert.FromBase64String(resource.GetProperty("ciphertext").GetString()!);
        var plain = new byte[sealedBytes.Length - 16];
        using var aes = new AesGcm(Encoding.ASCII.GetBytes(sandbox.Merchant.ApiV3Key), 16);
        aes.Decrypt(Encoding.ASCII.GetBytes(resource.GetProperty("nonce").GetString()!), sealedBytes.AsSpan(0, plain.Length), sealedBytes.AsSpan(plain.Length), plain, Encoding.ASCII.GetBytes(resource.GetProperty("associated_data").GetString()!));
        Assert.Contains($"\"out_trade_no\":\"{number}\"", Encoding.UTF8.GetString(plain));
    }

    [Fact]
    public async Task Alipay_and_Shouqianba_sign_what_they_tell()
    {
        await using var merchant = await Merchant.Start("success");
        await using var sandbox = await SandboxFixture.Start(Fast);
        await sandbox.AlipayPay("10.00", sandbox.Number(), merchant.Url);
        await Eventually.Holds(() => merchant.Heard.Count == 1, "Alipay tells");
        var form = merchant.Heard.First().Body.Split('&').Select(p => p.Split('=')).ToDictionary(p => p[0], p => Uri.UnescapeDataString(p[1]));
        var signed = string.Join('&', form.Where(f => f.Key is not ("sign" or "sign_type")).OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => $"{f.Key}={f.Value}"));
        Assert.True(Verifies(sandbox.Accounts.Alipay.PrivateKey, signed, form["sign"]));

        var (sn, key) = await sandbox.Activate("device " + sandbox.Number());
        await sandbox.Shouqianba("/upay/v2/pay", sn, key, new { terminal_sn = sn, client_sn = sandbox.Number(), total_amount = "1000", dynamic_id = sandbox.Code(), subject = "x", @operator = "x", notify_url = merchant.Url });
        await Eventually.Holds(() => merchant.Heard.Count == 2, "Shouqianba tells");
        var last = merchant.Heard.Last();
        Assert.True(Verifies(sandbox.Accounts.Shouqianba.NoticePrivateKey, last.Body, last.Headers["Authorization"]));
    }

    [Theory]
    [InlineData(47, 2, true, "10.47")]
    [InlineData(49, 0, true, "")]
    [InlineData(53, 1, false, "10.53")]
    [InlineData(54, 1, true, "10.55")]
    public async Task Notices_go_wrong_as_the_amount_asks(int ending, int times, bool signed, string told)
    {
        await using var merchant = await Merchant.Start("success");
        await using var sandbox = await SandboxFixture.Start(Fast);
        await sandbox.AlipayPay($"10.{ending}", sandbox.Number(), merchant.Url);
        await sandbox.AlipayPay("10.00", sandbox.Number(), merchant.Url);
        await Eventually.Holds(() => merchant.Heard.Count == times + 1, "all that comes has come");

        var other = merchant.Heard.Select(h => h.Body.Split('&').Select(p => p.Split('=')).ToDictionary(p => p[0], p => Uri.UnescapeDataString(p[1]))).Where(f => f["total_amount"] != "10.00").ToList();
        Assert.Equal(times, other.Count);
        Assert.All(other, form =>
        {
            Assert.Equal(told, form["total_amount"]);
            Assert.Equal(signed, Verifies(sandbox.Accounts.Alipay.PrivateKey, string.Join('&', form.Where(f => f.Key is not ("sign" or "sign_type")).OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => $"{f.Key}={f.Value}")), form["sign"]));
        });
    }

    private static Dictionary<string, string> Fields(string xml) => Regex.Matches(xml, @"<(\w+)><!\[CDATA\[(.*?)\]\]></\1>").ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);

    private static bool Verifies(string privateKey, string data, string signature)
    {
        using var key = RSA.Create();
        key.ImportFromPem(privateKey);
        return key.VerifyData(Encoding.UTF8.GetBytes(data), Convert.FromBase64String(signature), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }

    /// <summary>A merchant's address for notices.</summary>
    private sealed class Merchant(WebApplication app) : IAsyncDisposable
    {
        public ConcurrentQueue<(string Body, Dictionary<string, string> Headers)> Heard { get; } = new();

        public string Url => app.Urls.First() + "/told";

        /// <param name="refuse">How many it does not take at first.</param>
        public static async Task<Merchant> Start(string answer, int refuse = 0)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            builder.Logging.ClearProviders();
            var merchant = new Merchant(builder.Build());
            merchant.App.Run(async context =>
            {
                using var reader = new StreamReader(context.Request.Body);
                merchant.Heard.Enqueue((await reader.ReadToEndAsync(), context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString())));
                await context.Response.WriteAsync(Interlocked.Decrement(ref refuse) >= 0 ? "fail" : answer);
            });
            await merchant.App.StartAsync();
            return merchant;
        }

        private WebApplication App => app;

        public ValueTask DisposeAsync() => app.DisposeAsync();
    }
}
