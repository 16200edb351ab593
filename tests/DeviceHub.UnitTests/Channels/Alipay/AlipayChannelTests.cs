using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using DeviceHub.Channels;
using DeviceHub.Channels.Alipay;
using DeviceHub.Core.Payments;

namespace DeviceHub.UnitTests.Channels.Alipay;

public sealed class AlipayChannelTests
{
    public static TheoryData<string, Verdict> PayCodes => Codes(AlipayCodes.Pay, "10000", "10003");

    public static TheoryData<string, Verdict> QueryCodes => Codes(AlipayCodes.Query);

    public static TheoryData<string, Verdict> CancelCodes => Codes(AlipayCodes.Cancel, "close", "refund", "nothing", "retry");

    public static TheoryData<string, Verdict> RefundCodes => Codes(AlipayCodes.Refund, "Y", "N");

    public static TheoryData<string, Verdict> RefundQueryCodes => Codes(AlipayCodes.RefundQuery, "REFUND_SUCCESS", "REFUND_PROCESSING", "REFUND_FAIL", "found", "nothing");

    [Fact]
    public async Task Payment_is_asked_for_in_yuan_and_for_no_longer_than_the_request_lives()
    {
        var stub = new AlipayStub(_ => AlipayStub.Paid(more: ""","buyer_pay_amount":"10.00","receipt_amount":"12.34" """));

        var verdict = await stub.Pay();

        Assert.Equal(new ChannelVerdict(Verdict.Approved, "10000", "paid", PaidFen: 1000, DiscountFen: 234, Transaction: "2026112522001", Payer: "185***8888"), verdict);
        var request = Assert.Single(stub.Handler.Requests);
        Assert.Equal("http://127.0.0.1:9/gateway.do?charset=utf-8", request.Address.AbsoluteUri);
        var form = AlipayStub.Form(request);
        Assert.Equal(
            ("alipay.trade.pay", AlipayStub.AppId, "JSON", "utf-8", "RSA2", "1.0", "2026-11-26 00:30:00"),
            (form["method"], form["app_id"], form["format"], form["charset"], form["sign_type"], form["version"], form["timestamp"]));
        Assert.Equal("https://hub.example.com/notify/alipay/a1", form["notify_url"]);
        using var content = JsonDocument.Parse(form["biz_content"]);
        Assert.Equal(
            [
                ("out_trade_no", AlipayStub.Order), ("scene", "bar_code"), ("auth_code", "287634438256643949"), ("product_code", "FACE_TO_FACE_PAYMENT"),
                ("subject", "七 Eleven A 1 b c"), ("total_amount", "12.34"), ("timeout_express", "3m"), ("terminal_id", "SN0001"),
            ],
            content.RootElement.EnumerateObject().Select(p => (p.Name, p.Value.GetString()!)));
    }

    [Fact]
    public async Task Merchant_who_authorised_a_service_provider_is_named_by_the_token()
    {
        var stub = new AlipayStub(_ => AlipayStub.Paid()) { Account = AlipayStub.NewAccount(more: [("appAuthToken", "201510BBaabdb44d8fd04607abf8d5931ec75D84"), ("storeId", "NJ_001")]) };

        Assert.Equal(Verdict.Approved, (await stub.Pay(life: TimeSpan.FromSeconds(20))).Verdict);
        var form = AlipayStub.Form(Assert.Single(stub.Handler.Requests));
        Assert.Equal("201510BBaabdb44d8fd04607abf8d5931ec75D84", form["app_auth_token"]);
        Assert.Contains("\"timeout_express\":\"1m\"", form["biz_content"], StringComparison.Ordinal);
        Assert.Contains("\"store_id\":\"NJ_001\"", form["biz_content"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Customer_who_types_a_password_is_waited_for() =>
        Assert.Equal(Verdict.Pending, (await new AlipayStub(_ => $$"""{"code":"10003","msg":"x","out_trade_no":"{{AlipayStub.Order}}"}""").Pay()).Verdict);

    [Theory]
    [MemberData(nameof(PayCodes))]
    public async Task Each_code_of_a_payment_proves_what_the_table_says(string code, Verdict verdict)
    {
        var answer = await new AlipayStub(_ => Refused(code)).Pay();
        Assert.Equal((verdict, code), (answer.Verdict, answer.Code));
    }

    [Theory]
    [MemberData(nameof(QueryCodes))]
    public async Task Each_code_of_a_query_proves_what_the_table_says(string code, Verdict verdict)
    {
        var state = code.Contains("TRADE_", StringComparison.Ordinal) && !code.Contains('.', StringComparison.Ordinal) || code == "WAIT_BUYER_PAY";
        var stub = new AlipayStub(_ => state ? AlipayStub.Paid(more: $",\"trade_status\":\"{code}\"") : Refused(code));
        var answer = await stub.Channel.Query(stub.Reference, default);
        Assert.Equal((verdict, code), (answer.Verdict, answer.Code));
    }

    [Theory]
    [MemberData(nameof(CancelCodes))]
    public async Task Each_code_of_a_cancel_proves_what_the_table_says(string code, Verdict verdict)
    {
        var stub = new AlipayStub(_ => Refused(code));
        var answer = await stub.Channel.Reverse(stub.Reference, default);
        Assert.Equal((verdict, code), (answer.Verdict, answer.Code));
    }

    [Theory]
    [InlineData("N", ",\"action\":\"close\"", Verdict.Closed)]
    [InlineData("N", ",\"action\":\"refund\"", Verdict.Reversed)]
    [InlineData("N", "", Verdict.NotFound)]
    [InlineData("Y", ",\"action\":\"close\"", Verdict.Unknown)]
    [InlineData("Y", "", Verdict.Unknown)]
    [InlineData("N", ",\"action\":\"pay\"", Verdict.Unknown)]
    public async Task Cancel_proves_by_its_action_and_not_by_its_code(string retry, string action, Verdict verdict)
    {
        var stub = new AlipayStub(_ => $$"""{"code":"10000","msg":"Success","out_trade_no":"{{AlipayStub.Order}}","retry_flag":"{{retry}}"{{action}}}""");
        Assert.Equal(verdict, (await stub.Channel.Reverse(stub.Reference, default)).Verdict);
    }

    [Theory]
    [MemberData(nameof(RefundCodes))]
    public async Task Each_code_of_a_refund_proves_what_the_table_says(string code, Verdict verdict)
    {
        var stub = new AlipayStub(_ => Refused(code));
        var answer = await stub.Channel.Refund(new ChannelRefund(stub.Reference, "r1", 34), default);
        Assert.Equal((verdict, code), (answer.Verdict, answer.Code));
    }

    [Theory]
    [InlineData("Y", "0.34", Verdict.Refunded)]
    [InlineData("Y", "5.00", Verdict.Refunded)]
    [InlineData("Y", "0.33", Verdict.Unknown)]
    [InlineData("N", "0.34", Verdict.Pending)]
    [InlineData("maybe", "0.34", Verdict.Unknown)]
    public async Task Refund_proves_by_the_money_that_moved(string moved, string inAll, Verdict verdict)
    {
        var stub = new AlipayStub(_ => AlipayStub.Paid(more: $",\"fund_change\":\"{moved}\",\"refund_fee\":\"{inAll}\""));
        Assert.Equal(verdict, (await stub.Channel.Refund(new ChannelRefund(stub.Reference, "r1", 34), default)).Verdict);
        Assert.Contains("""{"out_trade_no":"d0199abcdef01234567890123456789","refund_amount":"0.34","out_request_no":"r1"}""", AlipayStub.Form(stub.Handler.Requests[0])["biz_content"], StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(RefundQueryCodes))]
    public async Task Each_code_of_a_refund_query_proves_what_the_table_says(string code, Verdict verdict)
    {
        var stub = new AlipayStub(_ => Refused(code));
        var answer = await stub.Channel.QueryRefund(new ChannelRefund(stub.Reference, "r1", 34), default);
        Assert.Equal((verdict, code), (answer.Verdict, answer.Code));
    }

    [Theory]
    [InlineData(",\"out_request_no\":\"r1\",\"refund_amount\":\"0.34\",\"refund_status\":\"REFUND_SUCCESS\"", Verdict.Refunded)]
    [InlineData(",\"out_request_no\":\"r1\",\"refund_amount\":0.34,\"refund_status\":\"REFUND_SUCCESS\"", Verdict.Refunded)]
    [InlineData(",\"out_request_no\":\"r2\",\"refund_amount\":\"0.34\",\"refund_status\":\"REFUND_SUCCESS\"", Verdict.Unknown)]
    [InlineData(",\"out_request_no\":\"r1\",\"refund_amount\":\"0.35\",\"refund_status\":\"REFUND_SUCCESS\"", Verdict.Unknown)]
    [InlineData(",\"out_request_no\":\"r1\",\"refund_amount\":\"0.34\"", Verdict.Unknown)]
    [InlineData(",\"out_request_no\":\"r1\",\"refund_amount\":\"0.34\",\"refund_status\":\"REFUND_PROCESSING\"", Verdict.Pending)]
    [InlineData(",\"out_request_no\":\"r1\",\"refund_amount\":\"0.34\",\"refund_status\":\"REFUND_FAIL\"", Verdict.NotFound)]
    [InlineData("", Verdict.NotFound)]
    public async Task Refund_is_done_when_the_query_says_so_of_this_number_and_amount(string more, Verdict verdict)
    {
        var stub = new AlipayStub(_ => AlipayStub.Paid(more: more));
        Assert.Equal(verdict, (await stub.Channel.QueryRefund(new ChannelRefund(stub.Reference, "r1", 34), default)).Verdict);
    }

    [Theory]
    [InlineData("other", "12.34", "other-order")]
    [InlineData(AlipayStub.Order, "12.35", "other-amount")]
    [InlineData(AlipayStub.Order, "12.340", "other-amount")]
    [InlineData(AlipayStub.Order, "1234e-2", "other-amount")]
    public async Task Signed_answer_of_another_order_or_amount_proves_nothing(string order, string total, string code)
    {
        var stub = new AlipayStub(_ => AlipayStub.Paid(order, total, ",\"trade_status\":\"TRADE_SUCCESS\""));
        Assert.Equal(new ChannelVerdict(Verdict.Unknown, code), await stub.Pay());
        Assert.Equal(new ChannelVerdict(Verdict.Unknown, code), await stub.Channel.Query(stub.Reference, default));
    }

    [Fact]
    public async Task Code_that_is_in_no_table_proves_nothing_and_no_text_changes_that()
    {
        Assert.Equal((Verdict.Unknown, "ACQ.BRAND_NEW"), Head(await new AlipayStub(_ => AlipayStub.Failed("40004", "ACQ.BRAND_NEW")).Pay()));
        Assert.Equal((Verdict.Unknown, "unreadable-code"), Head(await new AlipayStub(_ => AlipayStub.Failed("40004", "<script>")).Pay()));
        Assert.Equal((Verdict.Unknown, "20000"), Head(await new AlipayStub(_ => AlipayStub.Failed("20000", "ACQ.INVALID_PARAMETER")).Pay()));
        Assert.Equal((Verdict.Unknown, "50000"), Head(await new AlipayStub(_ => AlipayStub.Failed("50000", "ACQ.INVALID_PARAMETER")).Pay()));
        Assert.Equal((Verdict.Unknown, "unreadable-code"), Head(await new AlipayStub(_ => "{}").Pay()));
    }

    [Fact]
    public async Task Answer_with_a_bad_signature_or_none_proves_nothing()
    {
        var paid = AlipayStub.Paid();
        using var another = RSA.Create(2048);
        var foreign = Convert.ToBase64String(another.SignData(Encoding.UTF8.GetBytes(paid), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        foreach (var (text, sign) in new[]
        {
            (paid, $",\"sign\":\"{foreign}\""), (paid, ",\"sign\":\"no base64!\""), (paid, ",\"sign\":\"\""), (paid, ""),
            (paid.Replace("12.34", "12.35", StringComparison.Ordinal), $",\"sign\":\"{AlipayStub.Sign(paid)}\""),
            (paid.Replace(",", ", ", StringComparison.Ordinal), $",\"sign\":\"{AlipayStub.Sign(paid)}\""),
        })
        {
            var verdict = await Raw($$"""{"alipay_trade_pay_response":{{text}}{{sign}}}""").Pay();
            Assert.Equal((Verdict.Unknown, "bad-signature"), Head(verdict));
        }
    }

    [Fact]
    public async Task Signature_over_slashes_that_were_escaped_later_is_right()
    {
        const string signed = """{"code":"40004","sub_code":"ACQ.TRADE_HAS_CLOSE","sub_msg":"a/b"}""";
        var stub = Raw($$"""{"sign":"{{AlipayStub.Sign(signed)}}","alipay_trade_pay_response":{{signed.Replace("/", "\\/", StringComparison.Ordinal)}}}""");
        Assert.Equal(Verdict.Declined, (await stub.Pay()).Verdict);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>502</html>")]
    [InlineData("""{"alipay_trade_pay_response":{"code":"10000","msg":"Suc""")]
    [InlineData("""{"alipay_trade_query_response":{"code":"10000"},"sign":"x"}""")]
    [InlineData("""{"alipay_trade_pay_response":"10000","sign":"x"}""")]
    [InlineData("""{"alipay_trade_pay_response":{"code":"10000"},"sign":"x"} {}""")]
    public async Task Half_an_answer_or_another_one_proves_nothing(string body) =>
        Assert.Equal(new ChannelVerdict(Verdict.Unknown, "garbage"), await Raw(body).Pay());

    [Fact]
    public async Task Signed_answer_with_a_name_twice_or_bad_utf8_or_endless_depth_proves_nothing()
    {
        Assert.Equal("garbage", (await new AlipayStub(_ => """{"code":"10000","code":"40004"}""").Pay()).Code);
        Assert.Equal("garbage", (await Raw("""{"alipay_trade_pay_response":""" + new string('[', 10_000)).Pay()).Code);
        var bytes = Encoding.Latin1.GetBytes("""{"alipay_trade_pay_response":{"code":"10000","msg":"~"},"sign":"x"}""").Select(b => b == '~' ? (byte)0xFF : b).ToArray();
        Assert.Equal(Verdict.Unknown, (await new AlipayStub(raw: _ => ScriptedHandler.Bytes(bytes)).Pay()).Verdict);
    }

    [Fact]
    public async Task Answer_of_100_megabytes_is_broken_off()
    {
        var stub = new AlipayStub(raw: _ => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(new Endless()) });
        Assert.Equal(new ChannelVerdict(Verdict.Unknown, "too-large"), await stub.Pay());
    }

    [Theory]
    [InlineData("privateKey", "the account has no privateKey")]
    [InlineData("alipayPublicKey", "the account has neither alipayPublicKey nor appCertificate")]
    public async Task Account_without_a_key_sends_nothing_and_says_which(string field, string says)
    {
        var stub = new AlipayStub(_ => AlipayStub.Paid()) { Account = AlipayStub.NewAccount(without: field) };
        Assert.Equal((field, says), stub.Channel.WholeFault(stub.Account));
        Assert.Null(stub.Channel.WholeFault(AlipayStub.NewAccount()));
        Assert.Equal(new ChannelVerdict(Verdict.Rerouteable, "account", says), await stub.Pay());
        Assert.Equal(new ChannelVerdict(Verdict.Unknown, "account", says), await stub.Channel.Query(stub.Reference, default));
        var check = await stub.Channel.Test(stub.Account, default);
        Assert.False(check.Works);
        Assert.Contains(says, check.Says, StringComparison.Ordinal);
        Assert.Empty(stub.Handler.Requests);
    }

    [Fact]
    public async Task Key_that_cannot_be_read_is_named_and_not_shown()
    {
        var stub = new AlipayStub(_ => AlipayStub.Paid()) { Account = AlipayStub.NewAccount(more: [("privateKey", "-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----")]) };
        Assert.Equal(new ChannelVerdict(Verdict.Rerouteable, "account", "privateKey cannot be read"), await stub.Pay());
    }

    [Fact]
    public async Task Order_that_is_older_than_the_merchants_token_is_not_missing_because_the_token_knows_none()
    {
        var since = new DateTimeOffset(2026, 11, 25, 16, 0, 0, TimeSpan.Zero);
        var account = AlipayStub.NewAccount().With(new Dictionary<string, string?> { ["appAuthToken"] = "token2" }, _ => true, since);
        var stub = new AlipayStub(_ => AlipayStub.Failed("40004", "ACQ.TRADE_NOT_EXIST")) { Account = account };
        var (older, younger) = (Begun(since.AddMilliseconds(-1)), Begun(since));

        foreach (var call in (Func<ChannelReference, Task<ChannelVerdict>>[])[o => stub.Channel.Query(o, default), o => stub.Channel.Reverse(o, default), o => stub.Channel.Refund(new(o, "r1", 1), default)])
        {
            var verdict = await call(older);
            Assert.Equal((Verdict.Unknown, "order-older-than-account"), (verdict.Verdict, verdict.Code));
            Assert.Equal("ACQ.TRADE_NOT_EXIST", (await call(younger)).Code);
        }

        // Asked for again under its own number, which is what then proves.
        Assert.Equal(Verdict.NotFound, (await stub.Channel.QueryRefund(new(older, "r1", 1), default)).Verdict);
        var nothing = new AlipayStub(_ => $$"""{"code":"10000","out_trade_no":"{{older.OrderNumber}}","retry_flag":"N"}""") { Account = account };
        Assert.Equal(Verdict.Unknown, (await nothing.Channel.Reverse(older, default)).Verdict);

        ChannelReference Begun(DateTimeOffset at) => new($"d{at.ToUnixTimeMilliseconds():x11}{7:x18}", account, AlipayStub.Amount);
    }

    [Fact]
    public async Task Test_says_in_words_what_works_and_what_does_not()
    {
        var good = new AlipayStub(_ => AlipayStub.Failed("40004", "ACQ.TRADE_NOT_EXIST"));
        Assert.True((await good.Channel.Test(good.Account, default)).Works);

        var wrongKey = new AlipayStub(_ => "{}") { Account = AlipayStub.NewAccount(more: [("privateKey", AlipayStub.AlipayKey.ExportRSAPrivateKeyPem())]) };
        var check = await wrongKey.Channel.Test(wrongKey.Account, default);
        Assert.False(check.Works);
        Assert.Equal("asked Alipay about an order that does not exist: isv.invalid-signature, Alipay does not accept our signature: private key and the key that Alipay knows are no pair", check.Says);

        var unsigned = Raw("""{"error_response":{"code":"40002","msg":"Invalid Arguments","sub_code":"isv.invalid-app-id"}}""");
        Assert.Equal("asked Alipay about an order that does not exist: bad-signature, no signature, it said isv.invalid-app-id", (await unsigned.Channel.Test(unsigned.Account, default)).Says);
    }

    [Fact]
    public void No_code_of_the_payers_group_is_in_the_groups_of_the_unknown()
    {
        // The classes of PAYMENTS, section 7, by name: a slip in the table would be a double charge.
        string[] unknown = ["20000", "ACQ.SYSTEM_ERROR", "ACQ.TRADE_HAS_SUCCESS", "ACQ.CONTEXT_INCONSISTENT", "ACQ.TRADE_STATUS_ERROR", "ACQ.TRADE_BUYER_NOT_MATCH"];
        Assert.All(unknown, code => Assert.Equal(Verdict.Unknown, AlipayCodes.Pay.Find(code)!.Verdict));
        Assert.DoesNotContain(AlipayCodes.Pay.Rows, r => r.Verdict == Verdict.Rerouteable && r.Code.Contains("SYSTEM", StringComparison.Ordinal));
        Assert.DoesNotContain(AlipayCodes.Query.Rows.Concat(AlipayCodes.Cancel.Rows), r => r.Verdict is Verdict.Rerouteable or Verdict.Declined);
    }

    private static AlipayStub Raw(string body) => new(raw: _ => ScriptedHandler.Bytes(Encoding.UTF8.GetBytes(body)));

    private static (Verdict, string) Head(ChannelVerdict verdict) => (verdict.Verdict, verdict.Code);

    private static string Refused(string code) =>
        char.IsAsciiDigit(code[0]) ? AlipayStub.Failed(code, "isp.unknow-error")
        : AlipayStub.Failed(code.StartsWith("isv.", StringComparison.Ordinal) ? "40002" : code.StartsWith("aop.", StringComparison.Ordinal) ? "20001" : "40004", code);

    private static TheoryData<string, Verdict> Codes(VerdictTable table, params string[] but) =>
        [.. table.Rows.Where(r => !but.Contains(r.Code)).Select(r => (r.Code, r.Verdict))];

    private sealed class Endless : MemoryStream
    {
        private long left = 100L * 1024 * 1024;

        public override bool CanSeek => false;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Yield();
            buffer.Span.Fill((byte)' ');
            var count = (int)Math.Min(buffer.Length, left);
            left -= count;
            return count;
        }
    }
}
