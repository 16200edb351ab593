using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using DeviceHub.Channels.WeChatPay;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;

namespace DeviceHub.UnitTests.Channels.WeChat;

/// <summary>Bills as WeChat writes them, and what is said of those that are not so.</summary>
public sealed class WeChatBillTests : IDisposable
{
    private const string Header = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
    private const string Payment = "`2026-11-24 17:07:11,`wx8888888888888888,`1900000109,`0,`T0000001,`4200000925,`o1,`openid,`MICROPAY,`SUCCESS,`OTHERS,`CNY,`12.00,`0.34,`0,`0,`0.00,`0.00,`,`,`Tea, and noodles,`,`0.07200,`0.60%,`12.34,`0.00,`";
    private const string Refund = "`2026-11-24 18:00:00,`wx8888888888888888,`1900000109,`0,`T0000001,`4200000925,`o1,`openid,`MICROPAY,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`5000,`r1,`1.00,`0.00,`ORIGINAL,`SUCCESS,`Tea, and noodles,`,`-0.01000,`0.60%,`0.00,`1.00,`";
    private const string Revoked = "`2026-11-24 18:00:01,`wx8888888888888888,`1900000109,`0,`T0000001,`4200000926,`o2,`openid,`MICROPAY,`REVOKED,`OTHERS,`CNY,`0.00,`0.00,`5001,`0,`2.00,`0.00,`ORIGINAL,`SUCCESS,`x,`,`0.00000,`0.60%,`0.00,`2.00,`";
    private const string TotalNames = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";
    private const string Totals = "`3,`12.00,`3.00,`0.00,`0.06200,`12.34,`3.00";

    private static readonly DateOnly Day = new(2026, 11, 24);

    private static readonly BillRow[] Rows =
    [
        new(2, BillRowKind.Payment, "o1", null, "4200000925", 1234, 7, new DateTimeOffset(2026, 11, 24, 17, 7, 11, TimeSpan.FromHours(8))),
        new(3, BillRowKind.Refund, "o1", "r1", "4200000925", 100, 1, new DateTimeOffset(2026, 11, 24, 18, 0, 0, TimeSpan.FromHours(8))),
        new(4, BillRowKind.Refund, "o2", null, "4200000926", 200, 0, new DateTimeOffset(2026, 11, 24, 18, 0, 1, TimeSpan.FromHours(8))),
    ];

    private readonly WeChatStub stub = new();

    [Theory]
    [InlineData("\uFEFF", "\r\n", true)]
    [InlineData("", "\n", false)]
    public async Task Bill_of_version_2_is_read_with_its_backticks_and_BOM(string bom, string end, bool gzip)
    {
        var text = bom + string.Join(end, Header, Payment, Refund, Revoked, TotalNames, Totals) + end;
        stub.Answer = (_, _) => File(gzip ? Gzip(text) : Encoding.UTF8.GetBytes(text));

        Assert.Equal(Rows, await V2());
        var asked = WeChatV2Message.Read(Assert.Single(stub.Asked).Body)!;
        Assert.Equal(("20261124", "ALL", "GZIP"), (asked["bill_date"], asked["bill_type"], asked["tar_type"]));
    }

    [Fact]
    public async Task Day_without_trades_has_a_bill_of_totals_only()
    {
        stub.Answer = (_, _) => File(Encoding.UTF8.GetBytes($"{Header}\n{TotalNames}\n`0,`0.00,`0.00,`0.00,`0.00000,`0.00,`0.00\n"));
        Assert.Empty(await V2());
    }

    [Fact]
    public async Task Bill_of_version_3_is_asked_for_found_and_its_hash_is_checked()
    {
        var text = Lines(Header, Payment, Refund, Revoked, TotalNames, Totals);
#pragma warning disable CA5350 // The channel's own rule.
        Serve(Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes(text))), Gzip(text));
#pragma warning restore CA5350

        Assert.Equal(Rows, await V3());
        Assert.Equal(
            ["/v3/bill/tradebill?bill_date=2026-11-24&bill_type=ALL&tar_type=GZIP", "/v3/billdownload/file?token=abc"], stub.Asked.Select(a => a.Request.RequestUri!.PathAndQuery));
        Assert.All(stub.Asked, a => Assert.Equal("WECHATPAY2-SHA256-RSA2048", a.Request.Headers.Authorization!.Scheme));
    }

    [Fact]
    public async Task Bill_of_version_3_with_another_hash_is_not_believed()
    {
        Serve(new string('0', 40), Gzip(Lines(Header, Payment, Refund, Revoked, TotalNames, Totals)));
        Assert.Contains("SHA-1", (await Assert.ThrowsAsync<BillException>(V3)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bill_at_another_host_is_not_fetched()
    {
        stub.Answer = (_, _) => WeChatStub.Json($$"""{"hash_type":"SHA1","hash_value":"{{new string('0', 40)}}","download_url":"https://evil.example.com/x"}""");
        Assert.Contains("evil.example.com", (await Assert.ThrowsAsync<BillException>(V3)).Message, StringComparison.Ordinal);
        Assert.Single(stub.Asked);
    }

    [Theory]
    [InlineData("20002", true, "nothing was paid")]
    [InlineData("20003", true, "still making")]
    [InlineData("20001", false, "refuses the bill: 20001")]
    public async Task Missing_bill_of_version_2_is_told_by_its_code(string code, bool none, string words)
    {
        stub.Answer = (_, _) => File(Encoding.UTF8.GetBytes($"<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[x]]></return_msg><error_code><![CDATA[{code}]]></error_code></xml>"));
        var fault = await Assert.ThrowsAsync<BillException>(V2);
        Assert.True(fault.None == none && fault.Message.Contains(words, StringComparison.Ordinal), fault.Message);
    }

    [Theory]
    [InlineData("NO_STATEMENT_EXIST", true)]
    [InlineData("STATEMENT_CREATING", true)]
    [InlineData("NO_AUTH", false)]
    public async Task Missing_bill_of_version_3_is_told_by_its_code(string code, bool none)
    {
        stub.Answer = (_, _) => WeChatStub.Json($$"""{"code":"{{code}}","message":"x"}""", 400);
        Assert.Equal(none, (await Assert.ThrowsAsync<BillException>(V3)).None);
    }

    public static TheoryData<string, string> Wrong => new()
    {
        { Lines(Header.Replace(",订单金额,", ",", StringComparison.Ordinal), Payment, TotalNames, Totals), "line 1 of the bill the column 订单金额 is missing" },
        { Lines(Header, Payment.Replace(",`MICROPAY", "", StringComparison.Ordinal), TotalNames, Totals), "line 2 of the bill has 26 values, the first line names 27" },
        { Lines(Header, Payment, TotalNames, Totals), "line 4 of the bill 总交易单数 says 3 trades, the bill has 1" },
        { Lines(Header, Payment, Refund, Revoked, TotalNames, Totals.Replace("12.34", "12.35", StringComparison.Ordinal)), "line 6 of the bill 订单总金额 says 12.35 yuan, the lines add up to 12.34" },
        { Lines(Header, Payment, Refund, Revoked, TotalNames, Totals.Replace("0.06200", "0.06100", StringComparison.Ordinal)), "line 6 of the bill 手续费总金额 says 0.06100 yuan, the lines add up to 0.062" },
        { Lines(Header, Payment, Refund, Revoked, TotalNames, Totals + ",`1"), "line 6 of the bill has 8 totals, the line before names 7" },
        { Lines(Header, Payment), "the bill ends after line 2 without its totals: it is cut off" },
        { Lines(Header, Payment, TotalNames), "the bill ends after line 3 without its totals: it is cut off" },
        { Lines(Header, Payment, Refund, Revoked, TotalNames, Totals, Payment), "line 7 of the bill stands after the totals" },
        { Lines(Header, Payment.Replace("`12.34", "`12.345", StringComparison.Ordinal), TotalNames, Totals), "line 2 of the bill 订单金额 is no amount of whole fen" },
        { Lines(Header, Payment.Replace("`12.34", "`1e3", StringComparison.Ordinal), TotalNames, Totals), "line 2 of the bill 订单金额 is not an amount in yuan" },
        { Lines(Header, Payment.Replace("17:07:11", "25:07:11", StringComparison.Ordinal), TotalNames, Totals), "line 2 of the bill 交易时间 is not a time" },
        { Lines(Header, Payment.Replace("`SUCCESS", "`NEW", StringComparison.Ordinal), TotalNames, Totals), "line 2 of the bill has the state NEW (交易状态), which is not known" },
        { Lines(Header, Payment.Replace("1900000109", "1900000110", StringComparison.Ordinal), TotalNames, Totals), "line 2 of the bill is of another merchant number (商户号)" },
        { Lines(Header, Payment.Replace("`o1", "`", StringComparison.Ordinal), TotalNames, Totals), "line 2 of the bill 商户订单号 is empty" },
        { Lines(Header, new string('x', 20000)), "line 2 of the bill is longer than 16384 bytes" },
        { "{}", "the bill ends inside line 1: it is cut off" },
        { "{}\n", "line 1 of the bill the column 交易时间 is missing" },
        { "", "the bill is empty" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task Bill_that_is_wrong_is_told_in_words_with_the_line(string text, string words)
    {
        stub.Answer = (_, _) => File(text.Length == 0 ? [] : Gzip(text));
        Assert.Equal(words, (await Assert.ThrowsAsync<BillException>(V2)).Message);
    }

    [Fact]
    public async Task Truncated_gzip_is_told_in_words()
    {
        var whole = Gzip(Lines(Header, Payment, Refund, Revoked, TotalNames, Totals));
        for (var cut = 2; cut < whole.Length; cut += 7)
        {
            var part = whole[..cut];
            stub.Answer = (_, _) => File(part);
            IReadOnlyList<BillRow> rows = Rows;
            var fault = await Record.ExceptionAsync(async () => rows = await V2());

            // Of the last bytes only the checksum, or the zeros of the last total, are lost: the rows are all there and add up.
            Assert.True(fault is null ? cut > whole.Length - 20 : fault is BillException && fault.Message.Contains("cut off", StringComparison.Ordinal), $"{cut} of {whole.Length}: {fault?.Message}");
            Assert.Equal(Rows, rows);
        }

        var broken = whole.ToArray();
        broken[whole.Length / 2] ^= 0xFF;
        stub.Answer = (_, _) => File(broken);
        await Assert.ThrowsAsync<BillException>(V2);
    }

    [Theory]
    [InlineData("`2,`12.00,`1.00,`0.00,`0.06200,`12.34,`1.00")]
    [InlineData("`2,`12.00,`0.00,`0.00,`0.07200,`12.34,`0.00")]
    public async Task Refund_that_failed_moved_no_money_whether_the_totals_have_it_or_not(string totals)
    {
        var text = Lines(Header, Payment, Refund.Replace("`ORIGINAL,`SUCCESS", "`ORIGINAL,`FAIL", StringComparison.Ordinal), TotalNames, totals);
        stub.Answer = (_, _) => File(Gzip(text));
        Assert.Equal([Rows[0]], await V2());
    }

    [Fact]
    public async Task Lines_of_other_sub_merchants_are_counted_and_left_out()
    {
        var mine = Payment.Replace("`0,`T0000001", "`1900000200,`T0000001", StringComparison.Ordinal);
        var text = Lines(Header, mine, Payment, TotalNames, "`2,`24.00,`0.00,`0.00,`0.14400,`24.68,`0.00");
        stub.Answer = (_, _) => File(Gzip(text));
        Assert.Equal([Rows[0]], await Read(stub.BillsV2, WeChatStub.AccountV2(subMchId: "1900000200")));
    }

    [Fact]
    public async Task Bill_of_100_000_lines_is_read_line_by_line()
    {
        const int Count = 100_000;
        var text = new StringBuilder(Header).Append('\n');
        for (var i = 0; i < Count; i++)
        {
            text.Append(Payment).Append('\n');
        }

        text.Append(TotalNames).Append('\n').Append("`100000,`1200000.00,`0.00,`0.00,`7200.00000,`1234000.00,`0.00\n");
        stub.Answer = (_, _) => File(Gzip(text.ToString()));
        var rows = 0;
        await foreach (var row in stub.BillsV2.Read(WeChatStub.AccountV2(), Day, default))
        {
            rows++;
            Assert.Equal(rows + 1, row.Line);
        }

        Assert.Equal(Count, rows);
    }

    [Theory]
    [InlineData("wechat-v2", "1900000109", null, true)]
    [InlineData("wechat-v3", "1900000109", null, true)]
    [InlineData("alipay", "1900000109", null, false)]
    [InlineData("wechat-v3", "1900000110", null, false)]
    [InlineData("wechat-v3", "1900000109", "1900000120", false)]
    public void Merchant_has_one_bill_for_both_versions(string channel, string number, string? sub, bool shares)
    {
        var (one, other) = (Of("wechat-v2", "1900000109", null), Of(channel, number, sub));
        Assert.Equal((shares, shares), (stub.BillsV2.SharesBill(one, other), stub.BillsV3.SharesBill(one, other)));

        static ChannelAccount Of(string channel, string number, string? sub)
        {
            var settings = new Dictionary<string, string> { ["mchId"] = number };
            if (sub is not null)
            {
                settings["subMchId"] = sub;
            }

            return new ChannelAccount { Id = "ca_1", MerchantId = "M1", Channel = channel, Settings = settings };
        }
    }

    public void Dispose() => stub.Dispose();

    private Task<List<BillRow>> V2() => Read(stub.BillsV2, WeChatStub.AccountV2());

    private Task<List<BillRow>> V3() => Read(stub.BillsV3, WeChatStub.AccountV3());

    private void Serve(string hash, byte[] file) => stub.Answer = (request, _) => request.RequestUri!.AbsolutePath == "/v3/bill/tradebill"
        ? WeChatStub.Json($$"""{"hash_type":"SHA1","hash_value":"{{hash}}","download_url":"https://api.mch.weixin.qq.com/v3/billdownload/file?token=abc"}""")
        : File(file);

    private static async Task<List<BillRow>> Read(IChannelBills bills, ChannelAccount account)
    {
        var rows = new List<BillRow>();
        await foreach (var row in bills.Read(account, Day, default))
        {
            rows.Add(row);
        }

        return rows;
    }

    private static string Lines(params string[] lines) => string.Join("\r\n", lines) + "\r\n";

    private static HttpResponseMessage File(byte[] bytes) => new() { Content = new ByteArrayContent(bytes) };

    private static byte[] Gzip(string text)
    {
        using var bytes = new MemoryStream();
        using (var zip = new GZipStream(bytes, CompressionLevel.Fastest))
        {
            zip.Write(Encoding.UTF8.GetBytes(text));
        }

        return bytes.ToArray();
    }
}
