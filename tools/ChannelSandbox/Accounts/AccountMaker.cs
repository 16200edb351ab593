using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace DeviceHub.Tools.ChannelSandbox.Accounts;

/// <summary>Makes accounts with fresh keys: one direct and one service provider at each channel that knows the difference.</summary>
internal static class AccountMaker
{
    private const string Letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// <param name="keyBits">Of RSA keys; channels demand 2048.</param>
    public static AccountsFile Make(int keyBits)
    {
        using var wechatKey = RSA.Create(keyBits);
        var platform = new WeChatPlatform(
            wechatKey.ExportPkcs8PrivateKeyPem(), "PUB_KEY_ID_0" + Digits(27), Certificate(wechatKey, "CN=Tenpay.com sign certificate", server: false),
            [WeChat("1900000109", "wx8888888888888888", keyBits), WeChat("1900000200", "wx9999999999999999", keyBits, "1900000201")]);
        using var alipayKey = RSA.Create(keyBits);
        var alipay = new AlipayPlatform(alipayKey.ExportPkcs8PrivateKeyPem(), [Alipay("2021000000000001", "2088000000000001", keyBits), Alipay("2021000000000002", "2088000000000002", keyBits, "2088000000000003")]);
        using var noticeKey = RSA.Create(keyBits);
        var shouqianba = new ShouqianbaPlatform(noticeKey.ExportPkcs8PrivateKeyPem(), [new("91800000001", Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)), "2018000000000001", new Dictionary<string, int> { [Digits(8)] = 1000 })]);
        return new AccountsFile
        {
            WeChat = platform,
            Alipay = alipay,
            Shouqianba = shouqianba,
            Hub = [.. HubAccounts.Of(platform), .. HubAccounts.Of(alipay, alipayKey.ExportSubjectPublicKeyInfoPem()), .. HubAccounts.Of(shouqianba, noticeKey.ExportSubjectPublicKeyInfoPem())],
        };
    }

    /// <summary>Self-signed, for ten years: what counts is the key and the serial number.</summary>
    public static string Certificate(RSA key, string subject, bool server)
    {
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        if (server)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName("localhost");
            names.AddIpAddress(System.Net.IPAddress.Loopback);
            request.CertificateExtensions.Add(names.Build());
        }

        // 40 digits in hexadecimal, the first of them not 0, as the channels' serial numbers have.
        var serial = RandomNumberGenerator.GetBytes(20);
        serial[0] = (byte)((serial[0] & 0x3F) | 0x40);
        using var certificate = request.Create(
            request.SubjectName, X509SignatureGenerator.CreateForRSA(key, RSASignaturePadding.Pkcs1), TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddYears(10), serial);
        return certificate.ExportCertificatePem();
    }

    private static WeChatMerchant WeChat(string mchId, string appId, int keyBits, string? subMerchant = null)
    {
        using var key = RSA.Create(keyBits);
        var subs = new Dictionary<string, string>();
        if (subMerchant is not null)
        {
            subs[subMerchant] = "";
        }

        return new(mchId, [appId], Text(32), Text(32), Certificate(key, $"CN={mchId}, O=Sandbox", server: false), key.ExportPkcs8PrivateKeyPem(), subs);
    }

    private static AlipayApplication Alipay(string appId, string seller, int keyBits, string? authorizedBy = null)
    {
        using var key = RSA.Create(keyBits);
        var tokens = new Dictionary<string, string>();
        if (authorizedBy is not null)
        {
            tokens["2026" + Text(28)] = authorizedBy;
        }

        return new(appId, key.ExportSubjectPublicKeyInfoPem(), key.ExportPkcs8PrivateKeyPem(), seller, tokens);
    }

    private static string Text(int length) => RandomNumberGenerator.GetString(Letters, length);

    private static string Digits(int length) => RandomNumberGenerator.GetString("0123456789", length);

    public static string SerialNumber(string certificatePem)
    {
        using var certificate = X509Certificate2.CreateFromPem(certificatePem);
        return certificate.SerialNumber.ToUpper(CultureInfo.InvariantCulture);
    }
}
