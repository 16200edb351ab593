#pragma warning disable CA5350, CA5351 // MD5 and SHA-1 are the channels' own.
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;
using DeviceHub.Tests;
using DeviceHub.Tools.ChannelSandbox;
using DeviceHub.Tools.ChannelSandbox.Alipay;
using DeviceHub.Tools.ChannelSandbox.Faults;
using DeviceHub.Tools.ChannelSandbox.Shouqianba;
using DeviceHub.Tools.ChannelSandbox.WeChat;

namespace DeviceHub.IntegrationTests.ChannelSandbox;

public sealed class FaultTests
{
    /// <summary>Each amount of the table: what a v2 client gets, and what a query says right after.</summary>
    [Theory]
    [InlineData(0, "SUCCESS", "SUCCESS")]
    [InlineData(1, "NOTENOUGH", "PAYERROR")]
    [InlineData(2, "AUTHCODEEXPIRE", "ORDERNOTEXIST")]
    [InlineData(10, "USERPAYING", "USERPAYING")]
    [InlineData(20, "nothing", "SUCCESS")]
    [InlineData(21, "nothing", "CLOSED")]
    [InlineData(22, "nothing", "ORDERNOTEXIST")]
    [InlineData(23, "nothing", "ORDERNOTEXIST")]
    [InlineData(24, "SUCCESS", "SUCCESS")]
    [InlineData(25, "nothing", "NOTPAY")]
    [InlineData(26, "nothing", "SUCCESS")]
    [InlineData(27, "nothing", "ORDERNOTEXIST")]
    [InlineData(28, "no XML", "SUCCESS")]
    [InlineData(29, "no XML", "ORDERNOTEXIST")]
    [InlineData(30, "NOAUTH", "ORDERNOTEXIST")]
    [InlineData(31, "no XML", "SUCCESS")]
    [InlineData(32, "no XML", "ORDERNOTEXIST")]
    [InlineData(33, "nothing", "SUCCESS")]
    [InlineData(34, "wrong signature", "SUCCESS")]
    [InlineData(35, "wrong signature", "SUCCESS")]
    [InlineData(36, "no XML", "SUCCESS")]
    [InlineData(37, "nothing", "SUCCESS")]
    [InlineData(38, "no XML", "SUCCESS")]
    [InlineData(39, "FREQUENCY_LIMITED", "ORDERNOTEXIST")]
    [InlineData(40, "nothing", "SYSTEMERROR")]
    [InlineData(41, "nothing", "ORDERNOTEXIST")]
    [InlineData(50, "SANDBOX_UNHEARD_OF", "CLOSED")]
    [InlineData(51, "SYSTEMERROR", "SUCCESS")]
    [InlineData(52, "SYSTEMERROR", "CLOSED")]
    public async Task Amount_asks_for_its_fault(int ending, string answer, string state)
    {
        await using var sandbox = await SandboxFixture.Start();
        var number = sandbox.Number();

        Assert.Equal(answer, await Shown(sandbox, () => sandbox.V2Pay(1000 + ending, number)));
        var query = await sandbox.V2Query(number);
        Assert.Equal(state, query.GetValueOrDefault("trade_state") ?? query["err_code"]);
    }

    [Fact]
    public async Task Every_documented_code_has_its_amount()
    {
        await using var sandbox = await SandboxFixture.Start();
        for (var row = 1; row <= WeChatCodes.V2.Rows.Count; row++)
        {
            Assert.Equal(WeChatCodes.V2.Rows[row - 1].Code, (await sandbox.V2Pay(FaultTable.FirstCodeFen + row, sandbox.Number()))["err_code"]);
        }

        for (var row = 1; row <= WeChatCodes.V3.Rows.Count; row++)
        {
            using var response = await sandbox.V3Pay(FaultTable.FirstCodeFen + row, sandbox.Number());
            Assert.Equal(WeChatCodes.V3.Rows[row - 1].Status, (int)response.StatusCode);
            Assert.Contains($"\"{WeChatCodes.V3.Rows[row - 1].Code}\"", await response.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task Every_documented_code_of_Alipay_and_Shouqianba_has_its_amount_and_charges_as_it_says()
    {
        await using var sandbox = await SandboxFixture.Start();
        for (var row = 1; row <= AlipayCodes.Table.Rows.Count; row++)
        {
            var (code, number) = (AlipayCodes.Table.Rows[row - 1], sandbox.Number());
            var (json, signed) = await sandbox.AlipayPay(((FaultTable.FirstCodeFen + row) / 100m).ToString("F2", CultureInfo.InvariantCulture), number);
            Assert.Equal((code.Code, $"{code.Status}", true), (json.GetProperty("sub_code").GetString(), json.GetProperty("code").GetString(), signed));
            var (found, _) = await sandbox.Alipay("alipay.trade.query", new { out_trade_no = number });
            Assert.Equal((code.Code, code.Effect == Effect.Charge), (code.Code, found.TryGetProperty("trade_status", out var status) && status.GetString() == "TRADE_SUCCESS"));
        }

        var (sn, key) = await sandbox.Activate("codes");
        for (var row = 1; row <= ShouqianbaCodes.Table.Rows.Count; row++)
        {
            var (code, number) = (ShouqianbaCodes.Table.Rows[row - 1], sandbox.Number());
            var paid = await sandbox.Shouqianba(
                "/upay/v2/pay", sn, key, new { terminal_sn = sn, client_sn = number, total_amount = $"{FaultTable.FirstCodeFen + row}", dynamic_id = sandbox.Code(), subject = "面", @operator = "x" });
            Assert.Equal($"{code.Status}", paid.GetProperty("result_code").GetString());
            Assert.Equal(code.Code, (code.Status == 200 ? paid.GetProperty("biz_response") : paid).GetProperty("error_code").GetString());
            var found = (await sandbox.Shouqianba("/upay/v2/query", sn, key, new { terminal_sn = sn, client_sn = number })).GetProperty("biz_response");
            Assert.Equal(
                (code.Code, code.Effect == Effect.Charge), (code.Code, found.TryGetProperty("data", out var data) && data.GetProperty("order_status").GetString() == "PAID"));
        }
    }

    [Fact]
    public async Task Scripted_fault_hits_the_calls_that_fit_and_no_others()
    {
        await using var sandbox = await SandboxFixture.Start();
        var (one, other) = (sandbox.Number(), sandbox.Number());
        await sandbox.V2Pay(1000, one);
        await sandbox.V2Pay(1000, other);

        await sandbox.Fault($$"""{"fault":"code","code":"SYSTEMERROR","api":"Query","order":"{{one}}","times":2}""");
        Assert.Equal("SUCCESS", (await sandbox.V2Query(other))["trade_state"]);
        Assert.Equal("SYSTEMERROR", (await sandbox.V2Query(one))["err_code"]);
        Assert.Equal("SYSTEMERROR", (await sandbox.V2Query(one))["err_code"]);
        Assert.Equal("SUCCESS", (await sandbox.V2Query(one))["trade_state"]);

        // A reversal that is answered and was not done.
        await sandbox.Fault($$"""{"fault":"slow","api":"Reverse","order":"{{one}}","done":false}""");
        Assert.Equal("SUCCESS", (await sandbox.V2("/secapi/pay/reverse", null, ("out_trade_no", one)))["result_code"]);
        Assert.Equal("SUCCESS", (await sandbox.V2Query(one))["trade_state"]);

        // A refund that was done and is not answered.
        await sandbox.Fault("""{"fault":"reply-lost","api":"Refund"}""");
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => sandbox.V2("/secapi/pay/refund", null, ("out_trade_no", one), ("out_refund_no", "R" + one), ("total_fee", "1000"), ("refund_fee", "1000")));
        Assert.Equal(0, (await sandbox.Order(one)).GetProperty("netFen").GetInt64());
    }

    [Fact]
    public async Task Connections_are_refused_for_a_while()
    {
        await using var sandbox = await SandboxFixture.Start();

        await sandbox.Fault("""{"fault":"refuse-connections","afterMs":300}""");

        await Eventually.Holds(async () => await Shown(sandbox, () => sandbox.V2Query("A1")) == "nothing", "calls fail");
        await Eventually.Holds(async () => await Shown(sandbox, () => sandbox.V2Query("A1")) == "ORDERNOTEXIST", "they are answered again");
    }

    [Fact]
    public async Task Clock_that_is_wrong_refuses_v3_requests_and_dates_its_answers_wrongly()
    {
        await using var sandbox = await SandboxFixture.Start(new SandboxOptions { ClockSkew = TimeSpan.FromMinutes(-10) });
        using var response = await sandbox.V3Pay(1000, sandbox.Number());

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.InRange(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - long.Parse(response.Headers.GetValues("Wechatpay-Timestamp").Single(), CultureInfo.InvariantCulture), 590, 660);
    }

    [Fact]
    public async Task Merchant_that_calls_too_often_is_told_so()
    {
        await using var sandbox = await SandboxFixture.Start(new SandboxOptions { RateLimit = 1 });
        await Eventually.Holds(async () => (await sandbox.V2Query("A1"))["err_code"] == "FREQUENCY_LIMITED", "a second call within a second is refused");
        await Eventually.Holds(async () => (await sandbox.V2Query("A1"))["err_code"] == "ORDERNOTEXIST", "the next second is free");
    }

    [Fact]
    public async Task WeChat_bill_has_backticks_totals_and_the_announced_digest()
    {
        await using var sandbox = await SandboxFixture.Start(new SandboxOptions { BillToday = true });
        var number = sandbox.Number();
        await sandbox.V2Pay(1000, number);
        await sandbox.V2("/secapi/pay/refund", null, ("out_trade_no", number), ("out_refund_no", "R" + number), ("total_fee", "1000"), ("refund_fee", "300"));
        var today = TimeProvider.System.GetUtcNow().ToOffset(TimeSpan.FromHours(8)).Date;

        using var announced = await sandbox.V3(HttpMethod.Get, $"/v3/bill/tradebill?bill_date={today:yyyy-MM-dd}&tar_type=GZIP");
        using var json = JsonDocument.Parse(await announced.Content.ReadAsStringAsync());
        using var file = await sandbox.V3(HttpMethod.Get, new Uri(json.RootElement.GetProperty("download_url").GetString()!).PathAndQuery);
        await using var zipped = new GZipStream(await file.Content.ReadAsStreamAsync(), CompressionMode.Decompress);
        using var bytes = new MemoryStream();
        await zipped.CopyToAsync(bytes);

        Assert.Equal(json.RootElement.GetProperty("hash_value").GetString(), Convert.ToHexStringLower(System.Security.Cryptography.SHA1.HashData(bytes.ToArray())));
        var lines = Encoding.UTF8.GetString(bytes.ToArray()).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(5, lines.Length);
        Assert.All(lines[1..3], line => Assert.Equal(lines[0].Split(',').Length, line.Split(",`").Length));
        Assert.Equal("`2,`10.00,`3.00,`0.00,`0.04000,`10.00,`3.00", lines[4]);
    }

    [Fact]
    public async Task Alipay_bill_is_a_zip_of_two_tables_in_GBK()
    {
        await using var sandbox = await SandboxFixture.Start(new SandboxOptions { BillToday = true });
        var number = sandbox.Number();
        await sandbox.AlipayPay("10.00", number);
        await sandbox.Alipay("alipay.trade.refund", new { out_trade_no = number, refund_amount = "3.00", out_request_no = "R1" });
        var today = TimeProvider.System.GetUtcNow().ToOffset(TimeSpan.FromHours(8)).Date;

        var address = (await sandbox.Alipay("alipay.data.dataservice.bill.downloadurl.query", new { bill_type = "trade", bill_date = $"{today:yyyy-MM-dd}" })).Json.GetProperty("bill_download_url").GetString()!;
        var gbk = CodePagesEncodingProvider.Instance.GetEncoding("GBK")!;
        using var zip = new ZipArchive(new MemoryStream(await sandbox.Http.GetByteArrayAsync(new Uri(address))), ZipArchiveMode.Read, leaveOpen: false, gbk);

        Assert.Equal(2, zip.Entries.Count);
        using var reader = new StreamReader(zip.Entries[0].Open(), gbk);
        var lines = (await reader.ReadToEndAsync()).Split("\r\n");
        Assert.EndsWith("业务明细.csv", zip.Entries[0].Name);
        Assert.Equal("#支付宝业务明细查询", lines[0]);
        Assert.Contains($"{number}\t,交易\t,面,", lines[5]);
        Assert.Contains("-3.00,-3.00", lines[6]);
        Assert.Equal("#交易合计：1笔，商家实收共10.00元，商家优惠共0.00元", lines[8]);
    }

    private static async Task<string> Shown(SandboxFixture sandbox, Func<Task<Dictionary<string, string>>> call)
    {
        try
        {
            var answer = await call();
            return answer.Count == 0 ? "no XML"
                : answer["sign"] != SandboxFixture.V2Sign(answer, sandbox.Merchant.ApiKey) ? "wrong signature"
                : answer.GetValueOrDefault("err_code") ?? answer["result_code"];
        }
        catch (HttpRequestException)
        {
            return "nothing";
        }
    }
}
