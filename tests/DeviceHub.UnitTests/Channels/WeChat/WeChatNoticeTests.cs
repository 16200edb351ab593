using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;

namespace DeviceHub.UnitTests.Channels.WeChat;

public sealed class WeChatNoticeTests : IDisposable
{
    private const string RefundV2 = """
        <root><out_trade_no><![CDATA[o1]]></out_trade_no><out_refund_no><![CDATA[r1]]></out_refund_no><refund_id>5000</refund_id><total_fee>888</total_fee><refund_fee>100</refund_fee><refund_status><![CDATA[SUCCESS]]></refund_status></root>
        """;

    private const string PaymentV3 = """{"mchid":"1900000109","out_trade_no":"o1","transaction_id":"42","trade_state":"SUCCESS","amount":{"total":888,"payer_total":880}}""";
    private const string RefundV3 = """{"mchid":"1900000109","out_trade_no":"o1","out_refund_no":"r1","refund_id":"5000","refund_status":"SUCCESS","amount":{"total":888,"refund":100}}""";

    private readonly WeChatStub stub = new();

    [Fact]
    public void Refund_notice_of_version_2_is_opened_with_the_accounts_key()
    {
        var notice = stub.NoticesV2.Read(WeChatStub.AccountV2(), OfV2(RefundV2, WeChatStub.ApiKey));

        Assert.Null(notice.Fault);
        Assert.Equal(("o1", "r1", Verdict.Refunded), (notice.Notice!.OrderNumber, notice.Notice.RefundNumber, notice.Notice.Verdict.Verdict));
        Assert.Contains("SUCCESS", stub.NoticesV2.Reply(true).Body, StringComparison.Ordinal);
        Assert.Contains("FAIL", stub.NoticesV2.Reply(false).Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fedcba9876543210fedcba9876543210", "1900000109", RefundV2, "not encrypted with the account's key")]
    [InlineData(WeChatStub.ApiKey, "1900000110", RefundV2, "of another merchant")]
    [InlineData(WeChatStub.ApiKey, "1900000109", "<root><out_trade_no>o1</out_trade_no></root>", "a field is missing or wrong")]
    [InlineData(WeChatStub.ApiKey, "1900000109", "<root><out_trade_no>o1", "not encrypted with the account's key")]
    public void Notice_of_version_2_that_is_signed_by_another_key_or_lacks_a_field_is_not_believed(string key, string mchId, string plain, string fault) =>
        Assert.Equal(new NoticeReading(null, fault), stub.NoticesV2.Read(WeChatStub.AccountV2(), OfV2(plain, key, mchId)));

    [Theory]
    [InlineData("")]
    [InlineData("<xml>")]
    [InlineData("{}")]
    [InlineData("<!DOCTYPE xml SYSTEM \"file:///etc/passwd\"><xml><return_code>SUCCESS</return_code></xml>")]
    [InlineData("<xml><return_code>FAIL</return_code></xml>")]
    public void Garbage_is_no_notice(string body)
    {
        Assert.Null(stub.NoticesV2.Read(WeChatStub.AccountV2(), new(new Dictionary<string, string>(), Encoding.UTF8.GetBytes(body), WeChatStub.Now)).Notice);
        Assert.Equal(new NoticeReading(null, "no signature"), stub.NoticesV3.Read(WeChatStub.AccountV3(), new(new Dictionary<string, string>(), Encoding.UTF8.GetBytes(body), WeChatStub.Now)));
        Assert.Null(stub.NoticesV3.Read(WeChatStub.AccountV3(), new(WeChatStub.Signature(body), Encoding.UTF8.GetBytes(body), WeChatStub.Now)).Notice);
    }

    [Theory]
    [InlineData("TRANSACTION.SUCCESS", PaymentV3, null, Verdict.Approved, 888)]
    [InlineData("REFUND.SUCCESS", RefundV3, "r1", Verdict.Refunded, 0)]
    public void Notice_of_version_3_is_verified_and_opened(string kind, string plain, string? refund, Verdict verdict, long paid)
    {
        var notice = Read(kind, plain);
        Assert.Null(notice.Fault);
        Assert.Equal(("o1", refund, verdict, paid), (notice.Notice!.OrderNumber, notice.Notice.RefundNumber, notice.Notice.Verdict.Verdict, notice.Notice.Verdict.PaidFen));
        Assert.Equal((200, 500), (stub.NoticesV3.Reply(true).Status, stub.NoticesV3.Reply(false).Status));
    }

    [Fact]
    public void Notice_of_version_3_that_is_replayed_later_is_not_believed() =>
        Assert.Equal(
            new NoticeReading(null, "too old, or from the future: replayed, or a clock is wrong"), Read("TRANSACTION.SUCCESS", PaymentV3, receivedAt: WeChatStub.Now.AddMinutes(6)));

    [Fact]
    public void Notice_of_version_3_that_is_signed_or_encrypted_with_another_key_is_not_believed()
    {
        using var other = RSA.Create(2048);
        Assert.Equal(new NoticeReading(null, "another signature"), Read("TRANSACTION.SUCCESS", PaymentV3, signer: other));
        Assert.Equal(new NoticeReading(null, "not encrypted with the account's key"), Read("TRANSACTION.SUCCESS", PaymentV3, key: "fedcba9876543210fedcba9876543210"));
    }

    [Fact]
    public void Notice_of_version_3_of_another_merchant_kind_or_shape_is_not_believed()
    {
        Assert.Equal(new NoticeReading(null, "of another merchant"), Read("TRANSACTION.SUCCESS", PaymentV3.Replace("1900000109", "1900000110", StringComparison.Ordinal)));
        Assert.Equal(new NoticeReading(null, "of another kind of event"), Read("COUPON.USE", PaymentV3));
        Assert.Equal(new NoticeReading(null, "a field is missing or wrong"), Read("TRANSACTION.SUCCESS", "{}"));
        Assert.Equal(new NoticeReading(null, "of another merchant"), Read("TRANSACTION.SUCCESS", PaymentV3, account: WeChatStub.AccountV3("1900000200")));
    }

    [Fact]
    public void Notice_whose_body_was_changed_after_signing_is_not_believed()
    {
        var request = OfV3("TRANSACTION.SUCCESS", PaymentV3);
        var body = request.Body.ToArray();
        body[^2] ^= 1;
        Assert.Equal(new NoticeReading(null, "another signature"), stub.NoticesV3.Read(WeChatStub.AccountV3(), request with { Body = body }));
    }

    public void Dispose() => stub.Dispose();

    private NoticeReading Read(string kind, string plain, DateTimeOffset? receivedAt = null, RSA? signer = null, string key = WeChatStub.ApiKey, ChannelAccount? account = null) =>
        stub.NoticesV3.Read(account ?? WeChatStub.AccountV3(), OfV3(kind, plain, signer, key) with { ReceivedAt = receivedAt ?? WeChatStub.Now });

    private static NoticeRequest OfV2(string plain, string key, string mchId = "1900000109")
    {
        using var aes = Aes.Create();
#pragma warning disable CA5351 // The channel's own rule.
        aes.Key = Encoding.ASCII.GetBytes(Convert.ToHexStringLower(MD5.HashData(Encoding.ASCII.GetBytes(key))));
#pragma warning restore CA5351
        var info = Convert.ToBase64String(aes.EncryptEcb(Encoding.UTF8.GetBytes(plain.Trim()), PaddingMode.PKCS7));
        return new(
            new Dictionary<string, string>(),
            Encoding.UTF8.GetBytes($"<xml><return_code>SUCCESS</return_code><appid>wx8888888888888888</appid><mch_id>{mchId}</mch_id><nonce_str>n</nonce_str><req_info><![CDATA[{info}]]></req_info></xml>"),
            WeChatStub.Now);
    }

    private static NoticeRequest OfV3(string kind, string plain, RSA? signer = null, string key = WeChatStub.ApiKey)
    {
        var bytes = Encoding.UTF8.GetBytes(plain);
        var tag = new byte[16];
        var sealedBytes = new byte[bytes.Length];
        using var aes = new AesGcm(Encoding.ASCII.GetBytes(key), tag.Length);
        aes.Encrypt("fdasflkja484"u8, bytes, sealedBytes, tag, "transaction"u8);
        var body = JsonSerializer.Serialize(new
        {
            id = "EV-2018022511223320873", create_time = "2015-05-20T13:29:35+08:00", resource_type = "encrypt-resource", event_type = kind, summary = "x",
            resource = new { original_type = "transaction", algorithm = "AEAD_AES_256_GCM", ciphertext = Convert.ToBase64String([.. sealedBytes, .. tag]), associated_data = "transaction", nonce = "fdasflkja484" },
        });
        return new(WeChatStub.Signature(body, signer: signer), Encoding.UTF8.GetBytes(body), WeChatStub.Now);
    }
}
