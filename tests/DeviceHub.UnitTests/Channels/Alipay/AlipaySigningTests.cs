using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using DeviceHub.Channels;
using DeviceHub.Channels.Alipay;
using DeviceHub.Core;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;

namespace DeviceHub.UnitTests.Channels.Alipay;

/// <summary>Against what others computed: the openssl program, a notice that Alipay really signed, and the certificates that Alipay publishes.</summary>
public sealed class AlipaySigningTests
{
    /// <summary>Of the published test data of Alipay's Node.js SDK (test/alipay.test.ts), with the public key that checks it.</summary>
    public const string PublishedKey = """
        -----BEGIN PUBLIC KEY-----
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqObrdC7hrgAVM98tK0nv3hSQRGGKT4lBsQjHiGjeYZjOPIPHR5knm2jnnz/YGIXIofVHkA/tAlBAd5DrY7YpvI4tP5EONLtZKC2ghBMx7McI2wRD0xiqzxOQr1FuhZGJ8/AUokBzJrzY+aGX2xcOrxFYRlFilvVLTXg4LWjR1tdPkO6+i7wQZAIVMClPkwVRZEbaERRHlKqTzv2gGv5rDU8gRoe1LeaN+6BlbTqHWkQcNCUNrA8C6l17XAXGKDsm/9TFWwO8EPHHHCaQdjtV5/FdcWIt+L8SR1ss7EXTjYDFtxcKVv9rEoY1lX8T4mX+GbXfZHraG5NCF1+XioL5JwIDAQAB
        -----END PUBLIC KEY-----
        """;

    public static readonly Dictionary<string, string> PublishedNotice = new()
    {
        ["gmt_create"] = "2019-08-15 15:56:22",
        ["charset"] = "utf-8",
        ["seller_email"] = "z97-yuquerevenue@service.aliyun.com",
        ["subject"] = "语雀空间 500人规模",
        ["sign"] = "QfTb8tqE1BMhS5qAnXtvsF3/jBkEvu9q9en0pdbBUDDjvKycZhQb7h8GDs4FKfi049PynaNuatxSgLb/nLWZpXyyh0LEWdK2S6Ri7nPwrVgOs08zugLO20vOQz44y3ti2Ncm8/wZts1Fr2gZ7pShnVX3d1B50hbsXnObT1r/U8ONNQjWXd0HIul4TG+Q3fm3svmSvFEy0WnzuhcyHPX5Gm4ELNctL6Qd5YniGJFNcc7kopHYtI/XD9YCKCH6Ct02rzUs9i11C9CsadtZn+WhxF26Dqt9sGEFajkJ8cxUTLi8+VCpLHsgPE8P0y095uQcDdK0YjCh4x7wVSov+lrmOQ==",
        ["buyer_id"] = "2088102534368455",
        ["invoice_amount"] = "0.10",
        ["notify_id"] = "2019081500222155624068450559358070",
        ["fund_bill_list"] = """[{"amount":"0.10","fundChannel":"ALIPAYACCOUNT"}]""",
        ["notify_type"] = "trade_status_sync",
        ["trade_status"] = "TRADE_SUCCESS",
        ["receipt_amount"] = "0.10",
        ["buyer_pay_amount"] = "0.10",
        ["sign_type"] = "RSA2",
        ["app_id"] = "2019073166072302",
        ["seller_id"] = "2088531891668739",
        ["gmt_payment"] = "2019-08-15 15:56:24",
        ["notify_time"] = "2019-08-15 15:56:25",
        ["version"] = "1.0",
        ["out_trade_no"] = "20190815155618536-564-57",
        ["total_amount"] = "0.10",
        ["trade_no"] = "2019081522001468450512505578",
        ["auth_app_id"] = "2019073166072302",
        ["buyer_logon_id"] = "xud***@126.com",
        ["point_amount"] = "0.00",
    };

    [Fact]
    public void Content_is_sorted_by_bytes_and_leaves_out_the_signature_and_what_is_empty()
    {
        Dictionary<string, string> parameters = new() { ["version"] = "1.0", ["a_z"] = "&=+ 中", ["a"] = "1", ["B"] = "2", ["sign"] = "x", ["empty"] = "", ["sign_type"] = "RSA2" };
        Assert.Equal("B=2&a=1&a_z=&=+ 中&sign_type=RSA2&version=1.0", AlipaySigning.Content(parameters));
    }

    [Fact]
    public async Task Openssl_accepts_our_signature_and_we_accept_openssls()
    {
        var key = RsaKey.FromPem(AlipayStub.ApplicationKey.ExportPkcs8PrivateKeyPem());
        var content = "app_id=2021000000000001&biz_content={\"subject\":\"收款\"}&charset=utf-8&sign_type=RSA2";
        var folder = Directory.CreateTempSubdirectory("dh-alipay-");
        try
        {
            string File(string name) => Path.Combine(folder.FullName, name);
            await System.IO.File.WriteAllTextAsync(File("content"), content);
            await System.IO.File.WriteAllTextAsync(File("private.pem"), AlipayStub.ApplicationKey.ExportPkcs8PrivateKeyPem());
            await System.IO.File.WriteAllTextAsync(File("public.pem"), AlipayStub.ApplicationKey.ExportSubjectPublicKeyInfoPem());
            await System.IO.File.WriteAllBytesAsync(File("ours"), Convert.FromBase64String(key.Sign(Encoding.UTF8.GetBytes(content))));

            Assert.Equal("Verified OK\n", await OpenSsl("dgst", "-sha256", "-verify", File("public.pem"), "-signature", File("ours"), File("content")));
            await OpenSsl("dgst", "-sha256", "-sign", File("private.pem"), "-out", File("theirs"), File("content"));
            var theirs = Convert.ToBase64String(await System.IO.File.ReadAllBytesAsync(File("theirs")));
            Assert.True(key.IsSigned(Encoding.UTF8.GetBytes(content), theirs));
            Assert.False(key.IsSigned(Encoding.UTF8.GetBytes(content + " "), theirs));
        }
        finally
        {
            folder.Delete(true);
        }
    }

    [Fact]
    public void Notice_that_Alipay_signed_is_believed_and_none_of_its_fields_may_be_another()
    {
        var key = RsaKey.FromPem(PublishedKey);
        Assert.True(Check(PublishedNotice));
        foreach (var name in PublishedNotice.Keys.Where(k => k is not ("sign" or "sign_type")))
        {
            Assert.False(Check(new Dictionary<string, string>(PublishedNotice) { [name] = PublishedNotice[name] + "0" }), name);
        }

        bool Check(Dictionary<string, string> notice) => key.IsSigned(
            Encoding.UTF8.GetBytes(AlipaySigning.Content(notice.Where(f => f.Key != "sign_type"))), notice["sign"]);
    }

    [Fact]
    public void Certificates_have_the_numbers_that_Alipay_gives_them()
    {
        using var application = X509Certificate2.CreateFromPem(Pem("alipay-application"));
        using var server = X509Certificate2.CreateFromPem(Pem("alipay-server"));
        Assert.Equal("866efef280dec9137a87d047ac446315", AlipayKeys.CertificateNumber(application));
        Assert.Equal("7513daaaa48aa3ba2e4018d84402479c", AlipayKeys.CertificateNumber(server));
        Assert.Equal("687b59193f3f462dd5336e5abf83c5d8_02941eef3187dddf3d3b83462e1dfcf6", AlipayKeys.RootNumber(Pem("alipay-root")));
    }

    [Fact]
    public async Task Account_with_certificates_sends_their_numbers_and_believes_the_certified_key()
    {
        var stub = new AlipayStub(_ => AlipayStub.Paid()) { Account = Certified(days: 1, AlipayStub.ApplicationKey) };

        Assert.Equal(Verdict.Approved, (await stub.Pay()).Verdict);
        var form = AlipayStub.Form(Assert.Single(stub.Handler.Requests));
        Assert.Equal(32, form["app_cert_sn"].Length);
        Assert.Equal("687b59193f3f462dd5336e5abf83c5d8_02941eef3187dddf3d3b83462e1dfcf6", form["alipay_root_cert_sn"]);
    }

    [Fact]
    public async Task Account_with_an_expired_certificate_charges_nothing_and_still_ends_what_was_begun()
    {
        var stub = new AlipayStub(method => method switch
        {
            "alipay.trade.query" => AlipayStub.Paid(more: ",\"trade_status\":\"TRADE_SUCCESS\""),
            "alipay.trade.cancel" => $$"""{"code":"10000","msg":"Success","out_trade_no":"{{AlipayStub.Order}}","retry_flag":"N","action":"refund"}""",
            _ => AlipayStub.Failed("40004", "ACQ.SYSTEM_ERROR"),
        })
        {
            Account = Certified(days: 1, AlipayStub.ApplicationKey),
        };
        stub.Clock.Advance(TimeSpan.FromDays(2));
        Assert.Equal(new ChannelVerdict(Verdict.Rerouteable, "account", "a certificate expired at 2026-11-26 16:30Z"), await stub.Pay());
        Assert.Empty(stub.Handler.Requests);

        Assert.Equal(Verdict.Approved, (await stub.Channel.Query(stub.Reference, default)).Verdict);
        Assert.Equal(Verdict.Reversed, (await stub.Channel.Reverse(stub.Reference, default)).Verdict);
        Assert.Equal(2, stub.Handler.Requests.Count);

        // The key of the certificate is the account's still: what another key signed is believed no more than before.
        var forged = new AlipayStub(raw: request => ScriptedHandler.Bytes(Encoding.UTF8.GetBytes(
            $$"""{"alipay_trade_query_response":{{AlipayStub.Paid(more: ",\"trade_status\":\"TRADE_SUCCESS\"")}},"sign":"{{AlipayStub.Sign("another text")}}"}""")))
        {
            Account = stub.Account,
        };
        forged.Clock.Advance(TimeSpan.FromDays(2));
        var said = await forged.Channel.Query(forged.Reference, default);
        Assert.Equal((Verdict.Unknown, "bad-signature"), (said.Verdict, said.Code));
    }

    [Fact]
    public async Task Test_of_an_account_names_its_expired_certificate_whatever_Alipay_answers()
    {
        foreach (var subCode in new[] { "ACQ.TRADE_NOT_EXIST", "isv.app-cert-expired" })
        {
            var stub = new AlipayStub(_ => AlipayStub.Failed("40004", subCode)) { Account = Certified(days: 1, AlipayStub.ApplicationKey) };
            stub.Clock.Advance(TimeSpan.FromDays(2));
            var check = await stub.Channel.Test(stub.Account, default);
            Assert.False(check.Works);
            Assert.Contains("a certificate expired at 2026-11-26 16:30Z", check.Says, StringComparison.Ordinal);
            Assert.Single(stub.Handler.Requests);
        }
    }

    [Fact]
    public async Task Certificate_of_another_key_sends_nothing_and_is_named()
    {
        var stub = new AlipayStub(_ => AlipayStub.Paid()) { Account = Certified(days: 1, AlipayStub.AlipayKey) };
        Assert.Equal("appCertificate is not the certificate of privateKey", (await stub.Pay()).Text);
        var said = await stub.Channel.Query(stub.Reference, default);
        Assert.Equal((Verdict.Unknown, "account"), (said.Verdict, said.Code));
        Assert.Empty(stub.Handler.Requests);
    }

    internal static ChannelAccount Certified(int days, RSA application)
    {
        var from = new DateTimeOffset(2026, 11, 25, 16, 30, 0, TimeSpan.Zero);
        string Certificate(RSA key)
        {
            using var certificate = new CertificateRequest("CN=dh, O=\"a, b\", C=CN", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(from, from.AddDays(days));
            return certificate.ExportCertificatePem();
        }

        return new ChannelAccount
        {
            Id = "a2",
            MerchantId = "m1",
            Channel = "alipay",
            Settings = new Dictionary<string, string>
            {
                ["appId"] = AlipayStub.AppId,
                ["appCertificate"] = Certificate(application),
                ["alipayCertificate"] = Certificate(AlipayStub.AlipayKey),
                ["alipayRootCertificate"] = Pem("alipay-root"),
            },
            Secrets = new Dictionary<string, SecretText> { ["privateKey"] = new(AlipayStub.ApplicationKey.ExportRSAPrivateKeyPem()) },
        };
    }

    private static string Pem(string name) => System.IO.File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Channels", "Alipay", name + ".golden.pem"));

    private static async Task<string> OpenSsl(params string[] arguments)
    {
        using var openssl = Process.Start(new ProcessStartInfo("openssl", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = await openssl.StandardOutput.ReadToEndAsync();
        var error = await openssl.StandardError.ReadToEndAsync();
        await openssl.WaitForExitAsync();
        Assert.True(openssl.ExitCode == 0, error);
        return output;
    }
}
