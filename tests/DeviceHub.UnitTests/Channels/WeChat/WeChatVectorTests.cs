using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using DeviceHub.Channels;
using DeviceHub.Channels.WeChatPay;

namespace DeviceHub.UnitTests.Channels.WeChat;

/// <summary>Signing and opening against what others published and against the openssl program.</summary>
public sealed class WeChatVectorTests
{
    /// <summary>WeChat's own sample key for version 3: it signs nothing real.</summary>
    private const string SampleKey = """
        -----BEGIN PRIVATE KEY-----
        MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQCm2mb6q8gMKH/3
        CNTbpJAIrbqiBiQGEOtjGcBrDYltsGynWgNscqT7WvfzU14FQbYcQUC5T4Wvva7m
        i3fIp3OgX8VqMDNA0qebnr38Pe6kqiLyZgFpJPXlSKDyPyqhRbVTbXssvSMQeVKc
        dXeVxoNNeoOlNFHgF/P0io6AmAVnz+hN8SiZKuOsth5/zUTLGvtkgxBcQooQrtXh
        RcpLT798OyIb9xeJ2HO3xRtMv2+perEzb4gMibI74UBz+2QEbnkubPE+2jU2rRZu
        dnNEz/BPOt3Qj/w2V6/G0VumGDh6+UeMU0jv4aupHztWITC4Akn0l7lBCNy3lgl8
        VFaJnkIxAgMBAAECggEAYGL8aESB7NwciDWW2UdoWUsa7GxFtSdjAz2mFXGdeTsY
        mVh7b9OOkRGM+Qio4LqEHDBp1mMk5E/cUJwy1zw8pGGO5nfvs7u9TT3XnHaefIs4
        YvUgTYAneIuLRkXNN5rQU+CD7mVYczTSz0Vgjqo9wa1LjUz7G0xbBmJgTdMEFGJs
        eJjy6AbJo0CGIwp6HJbTm4CmOUgXnnDAIbEGTIRImkZFH/rzneIeR7oZ77FVwxr1
        CZB2gfRCov/yRPbw8vnryYkmvQ7D/ze3j5097vRg/MoDGBSdoOwcmo75vyofr0AS
        zytMjmHYyifqkf5slPropSiJeGf4p/7gtKyF6dE/XQKBgQDVAlJ+4U5ZVGOuDc3+
        sAhz8CTzgFNlq9vKuSoFK6hOz2L+cwj+E7NXGkOe2DsHHZNy2Xqxk7caKhPEp1z9
        hhpMpyLVMoFt6CKemyoRBWDCQwLLwem9SZF/IAyovBkLiH36P42Jm26gUkNMKC/5
        Zhtqxf6RZgRQzbVudJi47vIRCwKBgQDIh0+v27Oo+DM3fhObH4I1NrXpWOEGH7OQ
        G1dEsMuFYF4hjGhg0kBEP3w9vVdl2+mRllZKTsx9oqjb8OibPLLIH8xsdbAB0WLf
        JvjLu4wl/ILUzN1RI03dWnnv2EnEeQn6c3hizvrJ9wR5U4ue9RPVnQooJ0hZF1PU
        uCL5fWK3MwKBgElReU/PAYbh80WP3t3Rfbdaa32dKBeQ5iCLR5lsA4zM+YgX1HqQ
        EWTj126vgvHaDkyz6vWAoL/Sx+cirHFfXWIRDX5Q2hgYlQH+6qXdMgbrxeSYpHnQ
        /tHBGFpkFELSAnrGsVMyOwvYBO4LzyeLK9i+ufcWJFoj1FVmsMLHDG8tAoGARdbi
        iQQCoYG4DMarO2aQ6cmhN6EN1h0qY7EyBqlwaIZ0okiNfdMcMOjPc41DKCWcRmlO
        qlihXcxN9TQFPzO3rH1urAOdBjUPs1qWYhZyrDQyuLyVBBJApyxAtajloDjrob+f
        mQIvVDHk7ACN6xG+E7K6+9salnTKbJapD618uQMCgYBNy6XUvzLkP/A1U/UZdtcx
        l8GwU/dturLxz4CyGbqDw4ubaYY2e13lnqHUqQgPtiSyH51nq3tdo8G0YAJdfkSv
        KvnfslW91fyEBUKnkdW1o3/1UFU/wprZ7ixVL/F42A4xDu7OFE8EnweJOZ0jWceE
        OdhCkaIGBCfRnlECRK8UyQ==
        -----END PRIVATE KEY-----
        """;

    private const string SampleBody = """{"appid":"wxd678efh567hg6787","mchid":"1900007291","description":"Image形象店-深圳腾大-QQ公仔","out_trade_no":"1217752501201407033233368018","notify_url":"https://www.weixin.qq.com/wxpay/pay.php","amount":{"total":100,"currency":"CNY"},"payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}}""";

    [Theory]
    [InlineData(false, "9A0A8659F005D6984697E2CA0A9CF3B7")]
    [InlineData(true, "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6")]
    public void Example_of_version_2_signs_as_published(bool hmac, string sign)
    {
        var message = new WeChatV2Message()
            .Add("nonce_str", "ibuaiVcKdpRxkhJA").Add("appid", "wxd930ea5d5a258f4f").Add("mch_id", "10000100").Add("device_info", "1000").Add("body", "test").Add("attach", "");

        Assert.Equal(sign, message.Signature(new WeChatV2Keys("192006250b4c09247ec02edce69f6a2d", hmac)));
    }

    [Fact]
    public void Example_of_version_3_signs_as_published() => Assert.Equal(
        "jnks4dlrPw3ZX+ozVvSK39oa0t7OMBsg83BHAwd8BRdUFiVaQNTLTvci+wURgP1OQBbKYhFGvt7iqYpDSTQkp7Uq1sltaQKyncCyrA1g88m5bsKERQfPyT0ahSwKTYJ1CAn9QiJuSJRq1QsQs07eehbU/k9BCS51jTyc1Jpsi2H77HF9f/BnjXAOP3/sPObg6V5Ee4EzwLox684hhuMuIwHo7D8KFk3LIHOKDcNI4It1aCXydFWNpNK+SG86VUDe5kwoDpw4Ulqfu9z8OFDGbDs9TCxEv8iqQzbpxOlEVoOe2kalSYM5kApQb3nZcxdUtoE0liJGW3RGUNE0t4v01A==",
        WeChatV3Keys.Sign(
            RsaKey.FromPem(SampleKey), "POST", "/v3/pay/transactions/jsapi", 1554208460, "593BEC0C930BF1AFEB40B4A08C8FB242", Encoding.UTF8.GetBytes(SampleBody)));

    [Theory]
    [InlineData("""{"code_url":"weixin://wxpay/bizpayurl?pr=JyC91EIz1"}""", true)]
    [InlineData("""{"code_url":"weixin://wxpay/bizpayurl?pr=JyC91EIz2"}""", false)]
    public void Answer_of_version_3_in_the_documents_is_signed_by_its_public_key(string body, bool signed)
    {
        const string PublicKey = """
            -----BEGIN PUBLIC KEY-----
            MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAwXNI6sdlknHBnK8Fu2U6
            Cwor9qY747jP8KAfeBMeveEt1TqaHkLfaSD07trZLhGpfs8/AHqjhgSMO1O10YQW
            OrrJ4hjIWPKqxbgrYMkBQc+mwdiWp4W3ByCqxBRagCveCXRWCmuJYovl9H/bsDI0
            iGbpVtEOghJtfciisYSgxcLufUDTRkvwxjIBK1pCRjk33jJ5YTBWTHMRtMAOcFLN
            F6hdEYdX8SPsgHHeLZ5Lv2T/686w1xtgCHef/sd4uSfWmyzsalQdHG/e4IyYmrhx
            +O3VBoNDzE3nx23bFeV/RVNCG7cV6VhmYokJNHa/erIPkEmEFID6A5wQOXuxUkmJ
            WwIDAQAB
            -----END PUBLIC KEY-----
            """;
        const string Signature = "mfI1CPqvBrgcXfgXMFjdNIhBf27ACE2YyeWsWV9ZI7T7RU0vHvbQpu9Z32ogzc+k8ZC5n3kz7h70eWKjgqNdKQF0eRp8mVKlmfzMLBVHbssB9jEZEDXThOX1XFqX7s7ymia1hoHQxQagPGzkdWxtlZPZ4ZPvr1RiqkgAu6Is8MZgXXrRoBKqjmSdrP1N7uxzJ/cjfSiis9FiLjuADoqmQ1P7p2N876YPAol7Rn0+GswwAwxldbdLrmVSjfytfSBJFqTMHn4itojgxSWWN1byuckQt8hSTEv/Lg97QoeGniYP17T80pJeQyL3b+295FPHSO2AtvCgyIbKMZ0BALilAA==";

        Assert.Equal(signed, WeChatV3Keys.IsSigned(RsaKey.FromPem(PublicKey), "1722850421", "d824f2e086d3c1df967785d13fcd22ef", Encoding.UTF8.GetBytes(body), Signature));
    }

    [Theory]
    [InlineData("FsdXzxryWfKwvLJKf8LG/ToRPTRh8RN9wROC", "Hello World")]
    [InlineData("FsdXzxryWfKwvLJKf8LG/ToRPTRh8RN9wROD", null)]
    [InlineData("invalid cipher", null)]
    [InlineData("SGVsbG8=", null)]
    public void Resource_of_version_3_opens_as_published(string ciphertext, string? plain)
    {
        var opened = WeChatV3Keys.Open("testAPIv3Key0000"u8.ToArray(), ciphertext, "wCq51qZv4Yfg", "Dl56FrqWQJF1t9LtC3vEUsniZKvbqdR8");

        Assert.Equal(plain, opened is null ? null : Encoding.UTF8.GetString(opened));
    }

    /// <summary>openssl signs what ours must verify, verifies what ours signed, and encrypts what ours must open.</summary>
    [Fact]
    public void Signatures_and_notices_agree_with_the_openssl_program()
    {
        var folder = Directory.CreateTempSubdirectory("dh-openssl").FullName;
        try
        {
            using var rsa = RSA.Create(2048);
            var at = (string name) => Path.Combine(folder, name);
            File.WriteAllText(at("key.pem"), rsa.ExportPkcs8PrivateKeyPem());
            File.WriteAllText(at("pub.pem"), rsa.ExportSubjectPublicKeyInfoPem());

            var ours = WeChatV3Keys.Sign(RsaKey.FromPem(rsa.ExportRSAPrivateKeyPem()), "GET", "/v3/certificates", 1554208460, "593BEC0C930BF1AFEB40B4A08C8FB242", default);
            File.WriteAllText(at("asked"), "GET\n/v3/certificates\n1554208460\n593BEC0C930BF1AFEB40B4A08C8FB242\n\n");
            File.WriteAllBytes(at("sig"), Convert.FromBase64String(ours));
            Assert.Contains("Verified OK", OpenSsl($"dgst -sha256 -verify {at("pub.pem")} -signature {at("sig")} {at("asked")}"), StringComparison.Ordinal);

            File.WriteAllText(at("answered"), "1722850421\nabc\n{}\n");
            OpenSsl($"dgst -sha256 -sign {at("key.pem")} -out {at("theirs")} {at("answered")}");
            Assert.True(WeChatV3Keys.IsSigned(RsaKey.FromPem(rsa.ExportSubjectPublicKeyInfoPem()), "1722850421", "abc", "{}"u8, Convert.ToBase64String(File.ReadAllBytes(at("theirs")))));

            // Version 2: the AES key is the text of the API key's MD5.
            var key = Convert.ToHexStringLower(Encoding.ASCII.GetBytes(OpenSsl($"dgst -md5 -r {Write("apikey", WeChatStub.ApiKey)}")[..32]));
            OpenSsl($"enc -aes-256-ecb -K {key} -in {Write("plain", "<root>refund</root>")} -out {at("sealed")}");
            Assert.Equal("<root>refund</root>", Encoding.UTF8.GetString(WeChatV2Notices.Open(Convert.ToBase64String(File.ReadAllBytes(at("sealed"))), Encoding.ASCII.GetBytes(WeChatStub.ApiKey))!));

            string Write(string name, string text)
            {
                File.WriteAllText(at(name), text);
                return at(name);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Key_is_used_by_many_calls_at_once()
    {
        var key = RsaKey.FromPem(SampleKey);
        var expected = key.Sign("money"u8.ToArray());

        var all = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() => key.Sign("money"u8.ToArray()))));

        Assert.All(all, signed => Assert.Equal(expected, signed));
    }

    private static string OpenSsl(string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("openssl", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEnd();
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"openssl {arguments}: {error}");
        return output;
    }
}
