using System.Net;
using System.Security.Cryptography;
using System.Text;
using DeviceHub.Channels.WeChatPay;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;

namespace DeviceHub.UnitTests.Channels.WeChat;

public sealed class WeChatV2Tests : IDisposable
{
    private static readonly (string, string?)[] PaidFields =
        [("result_code", "SUCCESS"), ("out_trade_no", WeChatStub.Order), ("transaction_id", "4200001"), ("total_fee", "888"), ("cash_fee", "880"), ("coupon_fee", "8"), ("fee_type", "CNY"), ("openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")];

    private readonly WeChatStub stub = new();

    public static TheoryData<string, Verdict, DeclineReason> PayCodes => [.. WeChatCodes.PayV2.Rows.Select(r => (r.Code, r.Verdict, r.Reason))];

    public static TheoryData<string, Verdict> States => [.. WeChatCodes.TradeState.Rows.Where(r => r.Code != "SUCCESS").Select(r => (r.Code, r.Verdict))];

    public static TheoryData<string, Verdict> RefundStates => [.. WeChatCodes.RefundState.Rows.Select(r => (r.Code, r.Verdict))];

    [Theory]
    [InlineData("MD5", null)]
    [InlineData("HMAC-SHA256", null)]
    [InlineData("HMAC-SHA256", "1900000200")]
    public async Task Payment_is_asked_for_as_documented(string signType, string? subMchId)
    {
        stub.Answer = (_, _) => WeChatStub.Xml(signType, [.. PaidFields, ("sub_mch_id", subMchId)]);

        var verdict = await stub.V2.Pay(WeChatStub.Payment(WeChatStub.AccountV2(signType, subMchId)), default);

        Assert.Equal(new ChannelVerdict(Verdict.Approved, "SUCCESS", PaidFen: 880, DiscountFen: 8, Transaction: "4200001", Payer: "oUpF***eS6o"), verdict);
        var (request, body) = Assert.Single(stub.Asked);
        Assert.Equal((HttpMethod.Post, "https://api.mch.weixin.qq.com/pay/micropay"), (request.Method, request.RequestUri!.AbsoluteUri));
        var asked = WeChatV2Message.Read(body)!;
        Assert.True(asked.IsSigned(new WeChatV2Keys(WeChatStub.ApiKey, signType != "MD5")));
        foreach (var (field, value) in ((string, string?)[])
            [
                ("appid", "wx8888888888888888"), ("mch_id", "1900000109"), ("sub_mch_id", subMchId), ("device_info", "T0000001"), ("body", "Noodles & <Tea> 面馆"),
                ("out_trade_no", WeChatStub.Order), ("total_fee", "888"), ("fee_type", "CNY"), ("spbill_create_ip", "127.0.0.1"), ("time_expire", "20261125120200"),
                ("auth_code", "134567890123456789"), ("sign_type", signType),
            ])
        {
            Assert.Equal((field, value), (field, asked[field]));
        }

        Assert.Equal(32, asked["nonce_str"]!.Length);
    }

    [Theory]
    [MemberData(nameof(PayCodes))]
    public async Task Payment_code_is_judged_by_the_table_and_not_by_its_text(string code, Verdict verdict, DeclineReason reason)
    {
        stub.Answer = (_, _) => Failed(code, "支付成功");
        var answer = await stub.V2.Pay(WeChatStub.Payment(WeChatStub.AccountV2()), default);
        Assert.Equal((verdict, code, reason), (answer.Verdict, answer.Code, answer.Reason));
    }

    [Fact]
    public async Task Code_that_is_in_no_table_is_Unknown_and_told_once()
    {
        stub.Answer = (_, _) => Failed("BRAND_NEW", "x");
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal((Verdict.Unknown, "BRAND_NEW"), Of(await stub.V2.Pay(WeChatStub.Payment(WeChatStub.AccountV2()), default)));
        }

        Assert.Contains("BRAND_NEW", Assert.Single(stub.Logged), StringComparison.Ordinal);
    }

    [Fact]
    public void Only_what_WeChat_says_before_it_looks_at_the_code_sends_a_payment_elsewhere() => Assert.Equal(
        ["APPID_MCHID_NOT_MATCH", "APPID_NOT_EXIST", "LACK_PARAMS", "MCHID_NOT_EXIST", "NOAUTH", "NOT_UTF8", "PARAM_ERROR", "REQUIRE_POST_METHOD", "SIGNERROR", "XML_FORMAT_ERROR"],
        WeChatCodes.PayV2.Rows.Where(r => r.Verdict == Verdict.Rerouteable).Select(r => r.Code).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(States))]
    public async Task Queried_state_is_judged_by_the_table(string state, Verdict verdict)
    {
        stub.Answer = (_, _) => WeChatStub.Xml("HMAC-SHA256", ("result_code", "SUCCESS"), ("out_trade_no", WeChatStub.Order), ("trade_state", state), ("trade_state_desc", "支付成功"));
        Assert.Equal((verdict, state), Of(await stub.V2.Query(WeChatStub.Reference(WeChatStub.AccountV2()), default)));
        Assert.EndsWith("/pay/orderquery", stub.Asked[0].Request.RequestUri!.AbsoluteUri, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Query_says_paid_and_not_found()
    {
        stub.Answer = (_, _) => WeChatStub.Xml("HMAC-SHA256", [.. PaidFields, ("trade_state", "SUCCESS")]);
        Assert.Equal((Verdict.Approved, "SUCCESS"), Of(await stub.V2.Query(WeChatStub.Reference(WeChatStub.AccountV2()), default)));

        stub.Answer = (_, _) => Failed("ORDERNOTEXIST", "此交易订单号不存在");
        Assert.Equal((Verdict.NotFound, "ORDERNOTEXIST"), Of(await stub.V2.Query(WeChatStub.Reference(WeChatStub.AccountV2()), default)));
    }

    public static TheoryData<string, string, string> Lies => new()
    {
        { "out_trade_no", "d0another", "other-order" },
        { "total_fee", "889", "other-amount" },
        { "total_fee", "+888", "other-amount" },
        { "total_fee", "8,88", "other-amount" },
        { "cash_fee", "-1", "other-amount" },
        { "cash_fee", "889", "other-amount" },
        { "fee_type", "USD", "garbage" },
        { "transaction_id", "", "garbage" },
        { "mch_id", "1900000110", "other-merchant" },
        { "appid", "wx0000000000000000", "other-merchant" },
        { "sub_mch_id", "1900000777", "other-merchant" },
        { "result_code", "MAYBE", "garbage" },
    };

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task Signed_answer_of_another_order_amount_or_merchant_proves_nothing(string field, string value, string code)
    {
        var fields = PaidFields.Append(("trade_state", "SUCCESS")).Append(("mch_id", "1900000109")).Append(("appid", "wx8888888888888888")).Where(f => f.Item1 != field).Append((field, value));
        var message = new WeChatV2Message().Add("return_code", "SUCCESS");
        foreach (var (name, text) in fields)
        {
            message.Add(name, text);
        }

        var bytes = message.Write(new WeChatV2Keys(WeChatStub.ApiKey, hmac: true));
        stub.Answer = (_, _) => new HttpResponseMessage { Content = new ByteArrayContent(bytes) };
        var account = field == "sub_mch_id" ? WeChatStub.AccountV2(subMchId: "1900000200") : WeChatStub.AccountV2();

        Assert.Equal((Verdict.Unknown, code), Of(await stub.V2.Pay(WeChatStub.Payment(account), default)));
        Assert.Equal((Verdict.Unknown, code), Of(await stub.V2.Query(WeChatStub.Reference(account), default)));
    }

    [Fact]
    public async Task Answer_with_a_bad_signature_is_Unknown_and_told_once_without_its_content()
    {
        stub.Answer = (_, _) => WeChatStub.Xml("MD5", PaidFields);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal((Verdict.Unknown, "bad-signature"), Of(await stub.V2.Pay(WeChatStub.Payment(WeChatStub.AccountV2()), default)));
        }

        Assert.DoesNotContain("4200001", Assert.Single(stub.Logged), StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Garbage => new()
    {
        { "<xml><return_code>SUCCESS</return_code><result_code>SUCC", "garbage" },
        { "<!DOCTYPE xml [<!ENTITY a \"SUCCESS\">]><xml><return_code>&a;</return_code></xml>", "garbage" },
        { "<!DOCTYPE xml SYSTEM \"http://127.0.0.1:1/x.dtd\"><xml><return_code>SUCCESS</return_code></xml>", "garbage" },
        { "<xml><return_code>SUCCESS</return_code><return_code>FAIL</return_code></xml>", "garbage" },
        { "<xml><return_code><b>SUCCESS</b></return_code></xml>", "garbage" },
        { "<xml>text</xml>", "garbage" },
        { "<xml/>", "garbage" },
        { "<html><body>502</body></html>", "garbage" },
        { "<xml><return_code>SUCCESS</return_code></xml><xml/>", "garbage" },
        { "", "garbage" },
        { "{}", "garbage" },
        { "<xml></xml>", "return-fail" },
        { "<xml><return_code>FAIL</return_code><return_msg>签名错误</return_msg></xml>", "return-fail" },
        { "<xml><return_code>SUCCESS</return_code><result_code>SUCCESS</result_code></xml>", "bad-signature" },
    };

    [Theory]
    [MemberData(nameof(Garbage))]
    public async Task Answer_that_is_no_answer_proves_nothing(string body, string code)
    {
        stub.Answer = (_, _) => new HttpResponseMessage { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };
        Assert.Equal((Verdict.Unknown, code), Of(await stub.V2.Pay(WeChatStub.Payment(WeChatStub.AccountV2()), default)));
    }

    [Fact]
    public async Task Answer_of_100_MB_proves_nothing()
    {
        stub.Answer = (_, _) => new HttpResponseMessage { Content = new StreamContent(new Endless(100L * 1024 * 1024)) };
        Assert.Equal((Verdict.Unknown, "too-large"), Of(await stub.V2.Pay(WeChatStub.Payment(WeChatStub.AccountV2()), default)));
    }

    [Theory]
    [InlineData(HttpRequestError.ConnectionError, Verdict.Rerouteable, "unreachable")]
    [InlineData(HttpRequestError.NameResolutionError, Verdict.Rerouteable, "unreachable")]
    [InlineData(HttpRequestError.SecureConnectionError, Verdict.Rerouteable, "unreachable")]
    [InlineData(HttpRequestError.ResponseEnded, Verdict.Unknown, "no-answer")]
    [InlineData(HttpRequestError.Unknown, Verdict.Unknown, "no-answer")]
    public async Task Only_a_payment_that_was_never_sent_may_go_elsewhere(HttpRequestError error, Verdict verdict, string code)
    {
        stub.Answer = (_, _) => throw new HttpRequestException(error, "x");
        Assert.Equal((verdict, code), Of(await stub.V2.Pay(WeChatStub.Payment(WeChatStub.AccountV2()), default)));
        Assert.Equal((Verdict.Unknown, code), Of(await stub.V2.Query(WeChatStub.Reference(WeChatStub.AccountV2()), default)));
    }

    [Theory]
    [InlineData("SUCCESS", null, "N", Verdict.Reversed, "SUCCESS")]
    [InlineData("SUCCESS", null, "Y", Verdict.Unknown, "recall")]
    [InlineData("SUCCESS", null, null, Verdict.Unknown, "recall")]
    [InlineData("FAIL", "SYSTEMERROR", "Y", Verdict.Unknown, "SYSTEMERROR")]
    [InlineData("FAIL", "REVERSE_EXPIRE", "N", Verdict.Unknown, "REVERSE_EXPIRE")]
    [InlineData("FAIL", "ORDERNOTEXIST", "N", Verdict.NotFound, "ORDERNOTEXIST")]
    public async Task Reversal_is_answered_only_when_it_need_not_be_called_again(string result, string? error, string? recall, Verdict verdict, string code)
    {
        stub.Answer = (_, _) => WeChatStub.Xml("HMAC-SHA256", ("result_code", result), ("err_code", error), ("recall", recall));
        Assert.Equal((verdict, code), Of(await stub.V2.Reverse(WeChatStub.Reference(WeChatStub.AccountV2()), default)));
        Assert.EndsWith("/secapi/pay/reverse", stub.Asked[0].Request.RequestUri!.AbsoluteUri, StringComparison.Ordinal);
        Assert.Equal("CN=1900000109", Assert.Single(stub.Certificates, c => c is not null)!.Subject);
        Assert.True(stub.Certificates[^1]!.HasPrivateKey);
    }

    [Fact]
    public async Task Transport_with_a_client_certificate_is_made_once_an_account()
    {
        stub.Answer = (_, _) => WeChatStub.Xml("HMAC-SHA256", ("result_code", "SUCCESS"), ("recall", "N"));
        var (one, other) = (WeChatStub.AccountV2(), WeChatStub.AccountV2());
        foreach (var account in (ChannelAccount[])[one, one, other, one])
        {
            await stub.V2.Reverse(WeChatStub.Reference(account), default);
        }

        Assert.Equal(3, stub.Certificates.Count);
    }

    [Fact]
    public async Task Refund_is_taken_and_its_query_says_what_became_of_it()
    {
        var refund = new ChannelRefund(WeChatStub.Reference(WeChatStub.AccountV2()), "r1", 100);
        stub.Answer = (_, _) => WeChatStub.Xml("HMAC-SHA256", ("result_code", "SUCCESS"), ("out_trade_no", WeChatStub.Order), ("out_refund_no", "r1"), ("refund_fee", "100"), ("refund_id", "5000"));
        var answer = await stub.V2.Refund(refund, default);
        Assert.Equal((Verdict.Pending, "5000"), (answer.Verdict, answer.Transaction));
        var asked = WeChatV2Message.Read(stub.Asked[0].Body)!;
        Assert.Equal(("r1", "100", "888", "https://hub.example.com/notify/wechat-v2/acc1"), (asked["out_refund_no"], asked["refund_fee"], asked["total_fee"], asked["notify_url"]));

        stub.Answer = (_, _) => WeChatStub.Xml("HMAC-SHA256", ("result_code", "SUCCESS"), ("out_refund_no", "r2"), ("refund_fee", "100"));
        Assert.Equal((Verdict.Unknown, "other-refund"), Of(await stub.V2.Refund(refund, default)));
    }

    [Theory]
    [MemberData(nameof(RefundStates))]
    public async Task Refunds_state_is_judged_by_the_table(string state, Verdict verdict)
    {
        var refund = new ChannelRefund(WeChatStub.Reference(WeChatStub.AccountV2()), "r2", 100);
        stub.Answer = (_, _) => WeChatStub.Xml(
            "HMAC-SHA256", ("result_code", "SUCCESS"), ("out_trade_no", WeChatStub.Order), ("refund_count", "2"), ("out_refund_no_0", "r1"), ("refund_fee_0", "1"), ("refund_status_0", "SUCCESS"),
            ("out_refund_no_1", "r2"), ("refund_fee_1", "100"), ("refund_status_1", state), ("refund_id_1", "5000"));
        Assert.Equal((verdict, state), Of(await stub.V2.QueryRefund(refund, default)));
        Assert.Equal((Verdict.Unknown, "other-amount"), Of(await stub.V2.QueryRefund(refund with { RefundFen = 101 }, default)));
        Assert.Equal((Verdict.Unknown, "other-refund"), Of(await stub.V2.QueryRefund(refund with { RefundNumber = "r3" }, default)));
    }

    [Fact]
    public async Task Refund_that_the_merchants_balance_does_not_cover_today_is_asked_for_again()
    {
        stub.Answer = (_, _) => Failed("NOTENOUGH", "x");
        Assert.Equal((Verdict.NotFound, "NOTENOUGH"), Of(await stub.V2.Refund(new(WeChatStub.Reference(WeChatStub.AccountV2()), "r1", 1), default)));
        Assert.Equal(Verdict.NotFound, WeChatCodes.RefundV3.Find("NOT_ENOUGH")?.Verdict);
    }

    [Theory]
    [InlineData("REFUND_FEE_MISMATCH", Verdict.Unknown)]
    [InlineData("BIZERR_NEED_RETRY", Verdict.Unknown)]
    [InlineData("TRADE_OVERDUE", Verdict.RefundFailed)]
    public async Task Refund_frees_its_amount_only_when_it_is_refused_for_good(string code, Verdict verdict)
    {
        stub.Answer = (_, _) => Failed(code, "x");
        Assert.Equal((verdict, code), Of(await stub.V2.Refund(new(WeChatStub.Reference(WeChatStub.AccountV2()), "r1", 1), default)));
    }

    [Fact]
    public void Order_of_which_a_refund_was_begun_is_not_called_reversed() => Assert.Equal(Verdict.Refunded, WeChatCodes.TradeState.Find("REFUND")?.Verdict);

    [Fact]
    public async Task Refund_that_is_not_there_is_not_found()
    {
        stub.Answer = (_, _) => Failed("REFUNDNOTEXIST", "x");
        Assert.Equal((Verdict.NotFound, "REFUNDNOTEXIST"), Of(await stub.V2.QueryRefund(new(WeChatStub.Reference(WeChatStub.AccountV2()), "r1", 1), default)));
    }

    [Theory]
    [InlineData("apiKey")]
    [InlineData("clientPrivateKey")]
    [InlineData("clientCertificate")]
    public async Task Account_without_a_key_sends_nothing_and_says_which(string field)
    {
        var account = WeChatStub.AccountV2(other: (field, null));
        var verdict = await stub.V2.Pay(WeChatStub.Payment(account), default);
        Assert.Equal((Verdict.Rerouteable, "account", $"{field} is missing"), (verdict.Verdict, verdict.Code, verdict.Text));
        Assert.Equal(Verdict.Unknown, (await stub.V2.Query(WeChatStub.Reference(account), default)).Verdict);
        Assert.Equal(new AccountCheck(false, $"{field} is missing"), await stub.V2.Test(account, default));
        Assert.Empty(stub.Asked);
    }

    [Fact]
    public async Task Account_with_an_expired_certificate_charges_nothing_that_it_could_not_undo()
    {
        var expired = WeChatStub.SelfSigned(WeChatStub.Merchant, WeChatStub.Now.AddYears(-2), WeChatStub.Now.AddDays(-1)).ExportCertificatePem();
        var account = WeChatStub.AccountV2(other: ("clientCertificate", expired));

        var verdict = await stub.V2.Pay(WeChatStub.Payment(account), default);
        Assert.Equal((Verdict.Rerouteable, "account", "the API certificate expired at 2026-11-24 04:00:00Z"), (verdict.Verdict, verdict.Code, verdict.Text));
        Assert.Empty(stub.Asked);

        stub.Answer = (_, _) => Failed("ORDERNOTEXIST", "x");
        Assert.Contains("the key is right, but the API certificate expired", (await stub.V2.Test(account, default)).Says, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Key_of_another_certificate_is_told_without_the_key()
    {
        using var other = RSA.Create(2048);
        var account = WeChatStub.AccountV2(other: ("clientPrivateKey", other.ExportPkcs8PrivateKeyPem()));
        const string says = "clientCertificate is not the certificate of clientPrivateKey, or one of the two cannot be read";
        Assert.Equal(("clientCertificate", says), stub.V2.WholeFault(account));
        Assert.Null(stub.V2.WholeFault(WeChatStub.AccountV2()));
        var verdict = await stub.V2.Pay(WeChatStub.Payment(account), default);
        Assert.Equal((Verdict.Rerouteable, says), (verdict.Verdict, verdict.Text));
    }

    [Fact]
    public async Task Test_of_an_account_says_what_is_wrong()
    {
        var account = WeChatStub.AccountV2();
        await Says(true, "API certificate is valid until 2027-11-25", () => Failed("ORDERNOTEXIST", "x"));
        await Says(false, "refuses the question (\"签名错误\"): the API key", () => new HttpResponseMessage { Content = new StringContent("<xml><return_code>FAIL</return_code><return_msg>签名错误</return_msg></xml>") });
        await Says(false, "not signed as this account expects (another signature)", () => WeChatStub.Xml("MD5", ("result_code", "FAIL"), ("err_code", "ORDERNOTEXIST")));
        await Says(false, "NOAUTH: the merchant may not do this", () => Failed("NOAUTH", "x"));
        await Says(false, "cannot be reached", () => throw new HttpRequestException(HttpRequestError.ConnectionError));
        await Says(false, "http503", () => new HttpResponseMessage(HttpStatusCode.ServiceUnavailable));

        async Task Says(bool works, string words, Func<HttpResponseMessage> answer)
        {
            stub.Answer = (_, _) => answer();
            var check = await stub.V2.Test(account, default);
            Assert.True(check.Works == works && check.Says.Contains(words, StringComparison.Ordinal), check.Says);
        }
    }

    [Fact]
    public void Subject_is_cut_between_characters_and_has_no_control_characters()
    {
        Assert.Equal(126, Encoding.UTF8.GetByteCount(WeChatText.Subject(new string('面', 60))));
        Assert.Equal("ab", WeChatText.Subject("a\u0000b\n\uFFFF"));
        Assert.Equal("payment", WeChatText.Subject("\n"));
    }

    public void Dispose() => stub.Dispose();

    private static (Verdict, string) Of(ChannelVerdict verdict) => (verdict.Verdict, verdict.Code);

    private static HttpResponseMessage Failed(string code, string text) =>
        WeChatStub.Xml("HMAC-SHA256", ("result_code", "FAIL"), ("err_code", code), ("err_code_des", text));

    /// <summary>So many bytes without a length.</summary>
    private sealed class Endless(long left) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = (int)Math.Min(left, count);
            left -= read;
            return read;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
