using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using DeviceHub.Tools.ChannelSandbox.Accounts;

namespace DeviceHub.IntegrationTests.ChannelSandbox;

public sealed class DialectTests
{
    [Fact]
    public async Task WeChat_v2_pays_finds_refunds_and_reverses_with_right_signatures()
    {
        await using var sandbox = await SandboxFixture.Start();
        var (one, other) = (sandbox.Number(), sandbox.Number());

        var paid = await sandbox.V2Pay(1000, one);
        Assert.Equal("SUCCESS SUCCESS", $"{paid["return_code"]} {paid["result_code"]}");
        Assert.Equal(paid["sign"], SandboxFixture.V2Sign(paid, sandbox.Merchant.ApiKey));
        Assert.Equal("SUCCESS", (await sandbox.V2Query(one))["trade_state"]);
        Assert.Equal("ORDERNOTEXIST", (await sandbox.V2Query(other))["err_code"]);

        var refund = await sandbox.V2("/secapi/pay/refund", null, ("out_trade_no", one), ("out_refund_no", "R1" + one), ("total_fee", "1000"), ("refund_fee", "300"));
        Assert.Equal("SUCCESS", refund["result_code"]);
        Assert.Equal("SUCCESS", (await sandbox.V2("/pay/refundquery", null, ("out_refund_no", "R1" + one)))["refund_status_0"]);
        Assert.Equal("ERROR", (await sandbox.V2("/secapi/pay/refund", null, ("out_trade_no", one), ("out_refund_no", "R2" + one), ("total_fee", "1000"), ("refund_fee", "701")))["err_code"]);
        Assert.Equal("REFUND", (await sandbox.V2Query(one))["trade_state"]);

        await sandbox.V2Pay(1000, other);
        Assert.Equal("SUCCESS N", await sandbox.V2("/secapi/pay/reverse", null, ("out_trade_no", other)) is var undone ? $"{undone["result_code"]} {undone["recall"]}" : "");
        Assert.Equal("REVOKED", (await sandbox.V2Query(other))["trade_state"]);
    }

    [Fact]
    public async Task WeChat_v3_pays_finds_refunds_and_reverses_with_right_signatures()
    {
        await using var sandbox = await SandboxFixture.Start();
        var (one, other) = (sandbox.Number(), sandbox.Number());

        Assert.Equal("SUCCESS", (await V3(sandbox, sandbox.V3Pay(1000, one))).GetProperty("trade_state").GetString());
        Assert.Equal("ORDER_NOT_EXIST", (await V3(sandbox, sandbox.V3(HttpMethod.Get, Find(sandbox, other)))).GetProperty("code").GetString());
        var refund = await V3(sandbox, sandbox.V3(HttpMethod.Post, "/v3/refund/domestic/refunds", JsonSerializer.Serialize(new { out_trade_no = one, out_refund_no = "R" + one, amount = new { refund = 300, total = 1000, currency = "CNY" } })));
        Assert.Equal("SUCCESS", refund.GetProperty("status").GetString());
        Assert.Equal("REFUND", (await V3(sandbox, sandbox.V3(HttpMethod.Get, Find(sandbox, one)))).GetProperty("trade_state").GetString());

        // One house, two doors.
        await sandbox.V2Pay(1000, other);
        await V3(sandbox, sandbox.V3(HttpMethod.Post, $"/v3/pay/transactions/out-trade-no/{other}/reverse", JsonSerializer.Serialize(new { appid = sandbox.Merchant.AppIds[0], mchid = sandbox.Merchant.MchId })));
        Assert.Equal("REVOKED", (await V3(sandbox, sandbox.V3(HttpMethod.Get, Find(sandbox, other)))).GetProperty("trade_state").GetString());
    }

    [Fact]
    public async Task Alipay_pays_finds_refunds_and_cancels_with_right_signatures()
    {
        await using var sandbox = await SandboxFixture.Start();
        var (one, other) = (sandbox.Number(), sandbox.Number());

        Assert.Equal(("10000", true), Code(await sandbox.AlipayPay("10.00", one)));
        Assert.Equal("TRADE_SUCCESS", (await sandbox.Alipay("alipay.trade.query", new { out_trade_no = one })).Json.GetProperty("trade_status").GetString());
        Assert.Equal("Y", (await sandbox.Alipay("alipay.trade.refund", new { out_trade_no = one, refund_amount = "3.00", out_request_no = "R1" })).Json.GetProperty("fund_change").GetString());
        Assert.Equal("N", (await sandbox.Alipay("alipay.trade.refund", new { out_trade_no = one, refund_amount = "3.00", out_request_no = "R1" })).Json.GetProperty("fund_change").GetString());
        Assert.Equal("REFUND_SUCCESS", (await sandbox.Alipay("alipay.trade.fastpay.refund.query", new { out_trade_no = one, out_request_no = "R1" })).Json.GetProperty("refund_status").GetString());
        Assert.Equal(700, (await sandbox.Order(one)).GetProperty("netFen").GetInt64());

        Assert.False((await sandbox.Alipay("alipay.trade.cancel", new { out_trade_no = other })).Json.TryGetProperty("action", out _));
        await sandbox.AlipayPay("10.00", other);
        Assert.Equal("refund", (await sandbox.Alipay("alipay.trade.cancel", new { out_trade_no = other })).Json.GetProperty("action").GetString());
        Assert.Equal("TRADE_CLOSED", (await sandbox.Alipay("alipay.trade.query", new { out_trade_no = other })).Json.GetProperty("trade_status").GetString());
    }

    [Fact]
    public async Task Shouqianba_activates_checks_in_pays_cancels_and_refunds()
    {
        await using var sandbox = await SandboxFixture.Start();
        var (sn, first) = await sandbox.Activate("device " + sandbox.Number());
        var one = sandbox.Number();
        var device = (await sandbox.Activate("other " + one)).Sn;

        Assert.Equal("PAY_SUCCESS", Biz(await Pay(sandbox, sn, first, one, "1000")));
        Assert.Equal("CLIENT_SN_CONFLICT", (await Pay(sandbox, sn, first, one, "1000")).GetProperty("biz_response").GetProperty("error_code").GetString());
        Assert.Equal("REFUND_SUCCESS", Biz(await sandbox.Shouqianba("/upay/v2/refund", sn, first, new { terminal_sn = sn, client_sn = one, refund_request_no = "1", refund_amount = "300", @operator = "x" })));
        Assert.Equal("PARTIAL_REFUNDED", Status(await sandbox.Shouqianba("/upay/v2/query", sn, first, new { terminal_sn = sn, client_sn = one })));
        var other = sandbox.Number();
        await Pay(sandbox, sn, first, other, "1000");
        Assert.Equal("CANCEL_SUCCESS", Biz(await sandbox.Shouqianba("/upay/v2/cancel", sn, first, new { terminal_sn = sn, client_sn = other })));
        Assert.Equal("CANCELED", Status(await sandbox.Shouqianba("/upay/v2/query", sn, first, new { terminal_sn = sn, client_sn = other })));
        Assert.NotEqual(sn, device);
    }

    [Fact]
    public async Task Shouqianba_gives_the_new_key_again_to_who_lost_it_and_takes_the_old_one_for_nothing_else()
    {
        await using var sandbox = await SandboxFixture.Start();
        var device = "device " + sandbox.Number();
        var (sn, first) = await sandbox.Activate(device);

        var second = Key(await sandbox.Shouqianba("/terminal/checkin", sn, first, new { terminal_sn = sn, device_id = device }));
        Assert.Equal(second, Key(await sandbox.Shouqianba("/terminal/checkin", sn, first, new { terminal_sn = sn, device_id = device })));
        Assert.NotEqual(first, second);
        Assert.Equal("ILLEGAL_SIGN", (await Pay(sandbox, sn, first, sandbox.Number(), "1000")).GetProperty("error_code").GetString());
        Assert.Equal("PAY_SUCCESS", Biz(await Pay(sandbox, sn, second, sandbox.Number(), "1000")));

        static string Key(JsonElement answer) => answer.GetProperty("biz_response").GetProperty("terminal_key").GetString()!;
    }

    [Fact]
    public async Task Wrong_signature_is_refused_as_each_channel_does()
    {
        await using var sandbox = await SandboxFixture.Start();
        var foreign = sandbox.Accounts.WeChat.Merchants[1].PrivateKey;
        var number = sandbox.Number();

        var v2 = await sandbox.V2("/pay/orderquery", new string('x', 32), ("out_trade_no", number));
        Assert.Equal(("FAIL", false), (v2["return_code"], v2.ContainsKey("result_code")));
        using var v3 = await sandbox.V3(HttpMethod.Get, Find(sandbox, number), privateKey: foreign);
        Assert.Equal(HttpStatusCode.Unauthorized, v3.StatusCode);
        Assert.Contains("SIGN_ERROR", await v3.Content.ReadAsStringAsync());
        var alipay = await sandbox.Alipay("alipay.trade.query", new { out_trade_no = number }, privateKey: foreign);
        Assert.Equal("40002 isv.invalid-signature", $"{alipay.Json.GetProperty("code").GetString()} {alipay.Json.GetProperty("sub_code").GetString()}");
        var (sn, _) = await sandbox.Activate("device " + number);
        var shouqianba = await Pay(sandbox, sn, "wrong", number, "1000");
        Assert.Equal("400 ILLEGAL_SIGN", $"{shouqianba.GetProperty("result_code").GetString()} {shouqianba.GetProperty("error_code").GetString()}");
    }

    [Fact]
    public async Task Signatures_agree_with_those_of_the_openssl_program()
    {
        var folder = Directory.CreateTempSubdirectory("openssl-").FullName;
        var merchant = SandboxFixture.SomeAccounts.WeChat.Merchants[0];
        var data = Encoding.UTF8.GetBytes("POST\n/v3/pay/transactions/codepay\n1700000000\nnonce\n{\"面\":1}\n");
        await File.WriteAllTextAsync(Path.Combine(folder, "key.pem"), merchant.PrivateKey);
        await File.WriteAllTextAsync(Path.Combine(folder, "certificate.pem"), merchant.Certificate);
        await File.WriteAllBytesAsync(Path.Combine(folder, "data"), data);
        try
        {
            await Openssl(folder, "dgst", "-sha256", "-sign", "key.pem", "-out", "theirs", "data");
            var theirs = Convert.ToBase64String(await File.ReadAllBytesAsync(Path.Combine(folder, "theirs")));
            Assert.True(KeyPool.OfCertificate(merchant.Certificate).Verifies(data, theirs));

            await File.WriteAllBytesAsync(Path.Combine(folder, "ours"), Convert.FromBase64String(KeyPool.OfPem(merchant.PrivateKey).Sign(data)));
            await Openssl(folder, "x509", "-in", "certificate.pem", "-noout", "-pubkey", "-out", "public.pem");
            Assert.Contains("Verified OK", await Openssl(folder, "dgst", "-sha256", "-verify", "public.pem", "-signature", "ours", "data"));
            Assert.Equal($"serial={AccountMaker.SerialNumber(merchant.Certificate)}", (await Openssl(folder, "x509", "-in", "certificate.pem", "-noout", "-serial")).Trim());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<string> Openssl(string folder, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("openssl", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    private static string Find(SandboxFixture sandbox, string number) => $"/v3/pay/transactions/out-trade-no/{number}?mchid={sandbox.Merchant.MchId}";

    private static async Task<JsonElement> V3(SandboxFixture sandbox, Task<HttpResponseMessage> asked)
    {
        using var response = await asked;
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(sandbox.IsSigned(response, body), body);
        using var json = JsonDocument.Parse(body);
        return json.RootElement.Clone();
    }

    private static (string?, bool) Code((JsonElement Json, bool Signed) answer) => (answer.Json.GetProperty("code").GetString(), answer.Signed);

    private static Task<JsonElement> Pay(SandboxFixture sandbox, string sn, string key, string number, string fen) =>
        sandbox.Shouqianba("/upay/v2/pay", sn, key, new { terminal_sn = sn, client_sn = number, total_amount = fen, dynamic_id = sandbox.Code(), subject = "面", @operator = "x" });

    private static string? Biz(JsonElement answer) => answer.GetProperty("biz_response").GetProperty("result_code").GetString();

    private static string? Status(JsonElement answer) => answer.GetProperty("biz_response").GetProperty("data").GetProperty("order_status").GetString();
}
