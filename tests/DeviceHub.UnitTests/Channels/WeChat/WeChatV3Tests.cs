using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using DeviceHub.Channels.WeChatPay;
using DeviceHub.Core.Payments;

namespace DeviceHub.UnitTests.Channels.WeChat;

public sealed class WeChatV3Tests : IDisposable
{
    private const string Paid = """{"mchid":"1900000109","appid":"wx8888888888888888","out_trade_no":"ORDER","transaction_id":"4200001","trade_state":"SUCCESS","amount":{"total":888,"payer_total":880,"currency":"CNY"},"payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}}""";

    private readonly WeChatStub stub = new();

    public static TheoryData<string, Verdict, DeclineReason> PayCodes => [.. WeChatCodes.PayV3.Rows.Select(r => (r.Code, r.Verdict, r.Reason))];

    public static TheoryData<string, Verdict> States => [.. WeChatCodes.TradeState.Rows.Where(r => r.Code != "SUCCESS").Select(r => (r.Code, r.Verdict))];

    [Fact]
    public async Task Payment_is_asked_for_and_signed_as_documented()
    {
        stub.Answer = (_, _) => Answer(Paid);

        var verdict = await stub.V3.Pay(WeChatStub.Payment(WeChatStub.AccountV3()), default);

        Assert.Equal(new ChannelVerdict(Verdict.Approved, "SUCCESS", PaidFen: 880, DiscountFen: 8, Transaction: "4200001", Payer: "oUpF***eS6o"), verdict);
        var (request, body) = Assert.Single(stub.Asked);
        Assert.Equal((HttpMethod.Post, "https://api.mch.weixin.qq.com/v3/pay/transactions/codepay"), (request.Method, request.RequestUri!.AbsoluteUri));
        Same("""
            {"appid":"wx8888888888888888","mchid":"1900000109","description":"Noodles & <Tea> 面馆","out_trade_no":"ORDER","payer":{"auth_code":"134567890123456789"},
             "amount":{"total":888,"currency":"CNY"},"scene_info":{"device_id":"T0000001","device_ip":"127.0.0.1","store_info":{"out_id":"T0000001"}}}
            """, body);
        Assert.Equal(WeChatStub.PublicKeyId, Assert.Single(request.Headers.GetValues("Wechatpay-Serial")));
        IsSigned(request, body);
    }

    [Theory]
    [InlineData("https://proxy.example.com/wechat")]
    [InlineData("https://proxy.example.com/wechat/")]
    public async Task Path_of_the_address_in_the_options_is_kept(string address)
    {
        stub.Settings.Url = new Uri(address);
        stub.Answer = (_, _) => Answer(Paid);
        await stub.V3.Query(WeChatStub.Reference(WeChatStub.AccountV3()), default);
        stub.Answer = (_, _) => WeChatStub.Xml("HMAC-SHA256");
        await stub.V2.Query(WeChatStub.Reference(WeChatStub.AccountV2()), default);

        Assert.Equal(
            [$"https://proxy.example.com/wechat/v3/pay/transactions/out-trade-no/{WeChatStub.Order}?mchid=1900000109", "https://proxy.example.com/wechat/pay/orderquery"],
            stub.Asked.Select(a => a.Request.RequestUri!.AbsoluteUri));
        IsSigned(stub.Asked[0].Request, stub.Asked[0].Body);
    }

    [Fact]
    public async Task Partner_asks_for_its_sub_merchant()
    {
        var account = WeChatStub.AccountV3("1900000200", ("storeCode", "A1111"));
        const string OfPartner = """{"sp_mchid":"1900000109","sub_mchid":"1900000200","out_trade_no":"ORDER","transaction_id":"4200001","trade_state":"SUCCESS","amount":{"total":888}}""";
        stub.Answer = (_, _) => Answer(OfPartner);
        Assert.Equal(Verdict.Approved, (await stub.V3.Pay(WeChatStub.Payment(account), default)).Verdict);
        Assert.Equal(Verdict.Approved, (await stub.V3.Query(WeChatStub.Reference(account), default)).Verdict);
        Assert.Equal(Verdict.Reversed, (await stub.V3.Reverse(WeChatStub.Reference(account), default)).Verdict);
        Assert.Equal(
            [
                "/v3/pay/partner/transactions/codepay", $"/v3/pay/partner/transactions/out-trade-no/{WeChatStub.Order}?sp_mchid=1900000109&sub_mchid=1900000200",
                $"/v3/pay/partner/transactions/out-trade-no/{WeChatStub.Order}/reverse",
            ],
            stub.Asked.Select(a => a.Request.RequestUri!.PathAndQuery));
        Assert.Contains("\"sp_appid\":\"wx8888888888888888\",\"sp_mchid\":\"1900000109\",\"sub_mchid\":\"1900000200\"", Encoding.UTF8.GetString(stub.Asked[0].Body), StringComparison.Ordinal);
        Assert.Contains("\"out_id\":\"A1111\"", Encoding.UTF8.GetString(stub.Asked[0].Body), StringComparison.Ordinal);
        Assert.All(stub.Asked, a => IsSigned(a.Request, a.Body));
    }

    [Theory]
    [MemberData(nameof(PayCodes))]
    public async Task Payment_code_is_judged_by_the_table_and_not_by_its_text(string code, Verdict verdict, DeclineReason reason)
    {
        stub.Answer = (_, _) => WeChatStub.Json($$"""{"code":"{{code}}","message":"支付成功"}""", code == "USERPAYING" ? 202 : 403);
        var answer = await stub.V3.Pay(WeChatStub.Payment(WeChatStub.AccountV3()), default);
        Assert.Equal((verdict, code, reason), (answer.Verdict, answer.Code, answer.Reason));
    }

    [Theory]
    [MemberData(nameof(States))]
    public async Task Queried_state_is_judged_by_the_table_and_a_payments_own_answer_ends_nothing(string state, Verdict verdict)
    {
        stub.Answer = (_, _) => Answer(Paid.Replace("SUCCESS", state, StringComparison.Ordinal));
        Assert.Equal((verdict, state), Of(await stub.V3.Query(WeChatStub.Reference(WeChatStub.AccountV3()), default)));
        Assert.Equal(verdict == Verdict.Pending ? Verdict.Pending : Verdict.Unknown, (await stub.V3.Pay(WeChatStub.Payment(WeChatStub.AccountV3()), default)).Verdict);
    }

    [Theory]
    [InlineData("""{"code":"SYSTEM_ERROR"}""", 500, Verdict.Unknown, "http500")]
    [InlineData("""{"code":"BRAND_NEW"}""", 403, Verdict.Unknown, "BRAND_NEW")]
    [InlineData("""{"code":"ORDER_NOT_EXIST"}""", 404, Verdict.NotFound, "ORDER_NOT_EXIST")]
    [InlineData("""{"trade_state":"SUCCESS"}""", 403, Verdict.Unknown, "http403")]
    [InlineData("""{"trade_state":"SUC""", 200, Verdict.Unknown, "garbage")]
    [InlineData("""{"out_trade_no":"a","out_trade_no":"b"}""", 200, Verdict.Unknown, "garbage")]
    [InlineData("[]", 200, Verdict.Unknown, "garbage")]
    [InlineData("", 200, Verdict.Unknown, "other-order")]
    [InlineData("null", 200, Verdict.Unknown, "garbage")]
    public async Task Answer_to_a_query_proves_only_what_the_table_says(string body, int status, Verdict verdict, string code)
    {
        stub.Answer = (_, _) => WeChatStub.Json(body, status);
        Assert.Equal((verdict, code), Of(await stub.V3.Query(WeChatStub.Reference(WeChatStub.AccountV3()), default)));
    }

    [Theory]
    [InlineData("ORDER", "d0another", "other-order")]
    [InlineData("\"total\":888", "\"total\":889", "other-amount")]
    [InlineData("\"total\":888", "\"total\":\"888\"", "garbage")]
    [InlineData("\"total\":888", "\"total\":888.5", "garbage")]
    [InlineData("\"payer_total\":880", "\"payer_total\":-1", "other-amount")]
    [InlineData("CNY", "USD", "garbage")]
    [InlineData("4200001", "", "garbage")]
    [InlineData("1900000109", "1900000110", "other-merchant")]
    public async Task Signed_answer_of_another_order_amount_or_merchant_proves_nothing(string was, string becomes, string code)
    {
        stub.Answer = (_, _) => Answer(Paid.Replace(was, becomes, StringComparison.Ordinal));
        Assert.Equal((Verdict.Unknown, code), Of(await stub.V3.Pay(WeChatStub.Payment(WeChatStub.AccountV3()), default)));
        Assert.Equal((Verdict.Unknown, code), Of(await stub.V3.Query(WeChatStub.Reference(WeChatStub.AccountV3()), default)));
    }

    [Fact]
    public async Task Answer_with_a_bad_signature_is_Unknown_and_told_once_without_its_content()
    {
        using var other = RSA.Create(2048);
        stub.Answer = (_, _) => WeChatStub.Json(Paid.Replace("ORDER", WeChatStub.Order, StringComparison.Ordinal), signer: other);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal((Verdict.Unknown, "bad-signature"), Of(await stub.V3.Pay(WeChatStub.Payment(WeChatStub.AccountV3()), default)));
        }

        Assert.DoesNotContain("4200001", Assert.Single(stub.Logged), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_without_a_signature_of_an_unknown_key_or_of_another_time_proves_nothing()
    {
        var body = Paid.Replace("ORDER", WeChatStub.Order, StringComparison.Ordinal);
        await Is("bad-signature", () => new HttpResponseMessage { Content = new StringContent(body) });
        await Is("bad-signature", () => WeChatStub.Json(body, serial: "PUB_KEY_ID_OTHER"));
        await Is("http401", () => new HttpResponseMessage(HttpStatusCode.Unauthorized) { Content = new StringContent("""{"code":"SIGN_ERROR"}""") });
        await Is("clock-skew", () => WeChatStub.Json(body, at: WeChatStub.Now.AddMinutes(-6)));
        await Is("clock-skew", () => WeChatStub.Json(body, at: WeChatStub.Now.AddMinutes(6)));

        async Task Is(string code, Func<HttpResponseMessage> answer)
        {
            stub.Answer = (_, _) => answer();
            Assert.Equal((Verdict.Unknown, code), Of(await stub.V3.Pay(WeChatStub.Payment(WeChatStub.AccountV3()), default)));
        }
    }

    [Fact]
    public async Task Platform_certificates_are_chosen_by_their_serial_number()
    {
        using var second = RSA.Create(2048);
        var (old, fresh) = (WeChatStub.SelfSigned(WeChatStub.Platform, WeChatStub.Now.AddYears(-1), WeChatStub.Now), WeChatStub.SelfSigned(second, WeChatStub.Now, WeChatStub.Now.AddYears(1)));
        var account = WeChatStub.AccountV3(null, ("platformPublicKey", null), ("platformPublicKeyId", null), ("platformCertificate", old.ExportCertificatePem() + "\n" + fresh.ExportCertificatePem()));
        var body = Paid.Replace("ORDER", WeChatStub.Order, StringComparison.Ordinal);
        stub.Answer = (_, _) => WeChatStub.Json(body, signer: second, serial: fresh.SerialNumber);
        Assert.Equal(Verdict.Approved, (await stub.V3.Query(WeChatStub.Reference(account), default)).Verdict);

        stub.Answer = (_, _) => WeChatStub.Json(body, signer: second, serial: old.SerialNumber);
        Assert.Equal((Verdict.Unknown, "bad-signature"), Of(await stub.V3.Query(WeChatStub.Reference(account), default)));
        Assert.False(stub.Asked[0].Request.Headers.Contains("Wechatpay-Serial"));
    }

    [Fact]
    public async Task Account_whose_platform_certificates_have_all_expired_charges_nothing_and_still_asks()
    {
        var expired = WeChatStub.SelfSigned(WeChatStub.Platform, WeChatStub.Now.AddYears(-1), WeChatStub.Now);
        var account = WeChatStub.AccountV3(null, ("platformPublicKey", null), ("platformPublicKeyId", null), ("platformCertificate", expired.ExportCertificatePem()));
        Assert.Equal(
            new ChannelVerdict(Verdict.Rerouteable, "account", "the platform certificate expired at 2026-11-25 04:00:00Z: no answer could be checked"),
            await stub.V3.Pay(WeChatStub.Payment(account), default));
        Assert.Empty(stub.Asked);

        // What was begun before is finished, as far as WeChat still signs with it.
        stub.Answer = (_, _) => WeChatStub.Json(Paid.Replace("ORDER", WeChatStub.Order, StringComparison.Ordinal), serial: expired.SerialNumber);
        Assert.Equal(Verdict.Approved, (await stub.V3.Query(WeChatStub.Reference(account), default)).Verdict);
    }

    [Theory]
    [InlineData("""{"mchid":"1900000109","out_trade_no":"ORDER"}""", 200, Verdict.Reversed, "SUCCESS")]
    [InlineData("", 204, Verdict.Reversed, "SUCCESS")]
    [InlineData("""{"mchid":"1900000109","out_trade_no":"d0another"}""", 200, Verdict.Unknown, "other-order")]
    [InlineData("""{"code":"ORDER_NOT_EXIST"}""", 404, Verdict.NotFound, "ORDER_NOT_EXIST")]
    [InlineData("""{"code":"TRADE_ERROR"}""", 403, Verdict.Unknown, "TRADE_ERROR")]
    public async Task Reversal_is_answered(string body, int status, Verdict verdict, string code)
    {
        stub.Answer = (_, _) => Answer(body, status);
        Assert.Equal((verdict, code), Of(await stub.V3.Reverse(WeChatStub.Reference(WeChatStub.AccountV3()), default)));
        Assert.Equal($"/v3/pay/transactions/out-trade-no/{WeChatStub.Order}/reverse", stub.Asked[0].Request.RequestUri!.PathAndQuery);
        Same("""{"appid":"wx8888888888888888","mchid":"1900000109"}""", stub.Asked[0].Body);
    }

    [Fact]
    public async Task Refund_is_asked_for_and_its_state_is_judged_by_the_table()
    {
        var refund = new ChannelRefund(WeChatStub.Reference(WeChatStub.AccountV3()), "r1", 100);
        const string Taken = """{"refund_id":"5000","out_refund_no":"r1","out_trade_no":"ORDER","status":"PROCESSING","amount":{"refund":100,"total":888}}""";
        stub.Answer = (_, _) => Answer(Taken);
        Assert.Equal((Verdict.Pending, "PROCESSING"), Of(await stub.V3.Refund(refund, default)));
        Same("""{"out_trade_no":"ORDER","out_refund_no":"r1","notify_url":"https://hub.example.com/notify/wechat-v3/acc1","amount":{"refund":100,"total":888,"currency":"CNY"}}""", stub.Asked[0].Body);

        foreach (var (state, verdict) in ((string, Verdict)[])[("SUCCESS", Verdict.Refunded), ("CLOSED", Verdict.RefundFailed), ("ABNORMAL", Verdict.Pending), ("NEW", Verdict.Unknown)])
        {
            stub.Answer = (_, _) => Answer(Taken.Replace("PROCESSING", state, StringComparison.Ordinal));
            Assert.Equal((verdict, state), Of(await stub.V3.QueryRefund(refund, default)));
        }

        Assert.Equal("/v3/refund/domestic/refunds/r1", stub.Asked[^1].Request.RequestUri!.PathAndQuery);
        stub.Answer = (_, _) => Answer(Taken);
        Assert.Equal((Verdict.Unknown, "other-refund"), Of(await stub.V3.QueryRefund(refund with { RefundNumber = "r2" }, default)));
        Assert.Equal((Verdict.Unknown, "other-amount"), Of(await stub.V3.QueryRefund(refund with { RefundFen = 1 }, default)));
        stub.Answer = (_, _) => Answer("""{"code":"RESOURCE_NOT_EXISTS"}""", 404);
        Assert.Equal((Verdict.NotFound, "RESOURCE_NOT_EXISTS"), Of(await stub.V3.QueryRefund(refund, default)));
    }

    [Theory]
    [InlineData("privateKey", "privateKey is missing")]
    [InlineData("apiV3Key", "apiV3Key is missing")]
    [InlineData("certificateSerial", "certificateSerial is missing")]
    [InlineData("platformPublicKeyId", "platformPublicKeyId is missing")]
    [InlineData("platformPublicKey", "platformPublicKey with platformPublicKeyId, or platformCertificate, is missing: no answer could be checked")]
    public async Task Account_without_a_key_sends_nothing_and_says_which(string field, string says)
    {
        var account = WeChatStub.AccountV3(null, (field, null));
        Assert.Equal((field, says), stub.V3.WholeFault(account));
        Assert.Null(stub.V3.WholeFault(WeChatStub.AccountV3()));
        Assert.Equal(new ChannelVerdict(Verdict.Rerouteable, "account", says), await stub.V3.Pay(WeChatStub.Payment(account), default));
        Assert.Equal(new AccountCheck(false, says), await stub.V3.Test(account, default));
        Assert.Empty(stub.Asked);
    }

    [Fact]
    public async Task Test_of_an_account_says_what_is_wrong()
    {
        var account = WeChatStub.AccountV3();
        await Says(true, "WeChat Pay signed that it does not", () => WeChatStub.Json("""{"code":"ORDER_NOT_EXIST"}""", 404));
        await Says(false, "the private key, the serial number", () => new HttpResponseMessage(HttpStatusCode.Unauthorized));
        await Says(false, "signed with a key that the account does not know", () => WeChatStub.Json("{}", serial: "X"));
        await Says(false, "its time is far from the hub's", () => WeChatStub.Json("""{"code":"ORDER_NOT_EXIST"}""", 404, at: WeChatStub.Now.AddHours(1)));
        await Says(false, "does not take the hub's signature (SIGN_ERROR): the private key, the serial number", () => WeChatStub.Json("""{"code":"SIGN_ERROR"}""", 401));
        await Says(false, "NO_AUTH", () => WeChatStub.Json("""{"code":"NO_AUTH"}""", 403));
        await Says(false, "cannot be reached", () => throw new HttpRequestException(HttpRequestError.NameResolutionError));

        async Task Says(bool works, string words, Func<HttpResponseMessage> answer)
        {
            stub.Answer = (_, _) => answer();
            var check = await stub.V3.Test(account, default);
            Assert.True(check.Works == works && check.Says.Contains(words, StringComparison.Ordinal), check.Says);
        }
    }

    public void Dispose() => stub.Dispose();

    private static (Verdict, string) Of(ChannelVerdict verdict) => (verdict.Verdict, verdict.Code);

    private static HttpResponseMessage Answer(string body, int status = 200) => WeChatStub.Json(body.Replace("ORDER\"", WeChatStub.Order + "\"", StringComparison.Ordinal), status);

    private static void Same(string expected, byte[] body) => Assert.True(
        JsonElement.DeepEquals(JsonDocument.Parse(expected.Replace("\"ORDER\"", $"\"{WeChatStub.Order}\"", StringComparison.Ordinal)).RootElement, JsonDocument.Parse(body).RootElement),
        Encoding.UTF8.GetString(body));

    private static void IsSigned(HttpRequestMessage request, byte[] body)
    {
        Assert.Equal("WECHATPAY2-SHA256-RSA2048", request.Headers.Authorization!.Scheme);
        var match = Regex.Match(
            request.Headers.Authorization.Parameter!,
            "^mchid=\"1900000109\",nonce_str=\"([0-9A-F]{32})\",signature=\"([^\"]+)\",timestamp=\"(\\d+)\",serial_no=\"1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C\"$");
        Assert.True(match.Success, request.Headers.Authorization.Parameter);
        var signed = Encoding.UTF8.GetBytes($"{request.Method}\n{request.RequestUri!.PathAndQuery}\n{match.Groups[3].Value}\n{match.Groups[1].Value}\n{Encoding.UTF8.GetString(body)}\n");
        Assert.True(WeChatStub.Merchant.VerifyData(signed, Convert.FromBase64String(match.Groups[2].Value), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }
}
