using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DeviceHub.Channels.Http;
using DeviceHub.Core.Merchants;

namespace DeviceHub.Channels.WeChatPay;

/// <summary>What an account at WeChat Pay is made of, and how its keys are read.</summary>
internal static class WeChatFields
{
    private const string MerchantNumber = @"^\d{8,10}$";
    private const string ApplicationId = "^w[wx][0-9A-Za-z]{10,30}$";

    /// <summary>Of both versions.</summary>
    private static readonly AccountField[] Numbers =
    [
        new("mchId", AccountFieldKind.Text, true, "Merchant number, 10 digits; under a service provider the provider's.", @"^\d{10}$", 10, Identifies: true),
        new("appId", AccountFieldKind.Text, true, "Application id (wx...) that is bound to the merchant number.", ApplicationId, 32),
        new("subMchId", AccountFieldKind.Text, false, "Under a service provider: the sub-merchant's number.", MerchantNumber, 10, Identifies: true),
        new("subAppId", AccountFieldKind.Text, false, "Under a service provider: the sub-merchant's own application id, if it has one.", ApplicationId, 32),
        ChannelAddress.Field,
    ];

    public static readonly IReadOnlyList<AccountField> V2 =
    [
        .. Numbers,
        new("signType", AccountFieldKind.Text, false, "How messages are signed: HMAC-SHA256 (the default) or MD5.", "^(MD5|HMAC-SHA256)$", 11),
        new("apiKey", AccountFieldKind.Secret, true, "API key of version 2, 32 characters: merchant platform, Account, API security.", "^[0-9A-Za-z]{32}$", 32),
        new("clientCertificate", AccountFieldKind.Certificate, true, "API certificate (apiclient_cert.pem); reversals and refunds need it.", MaxLength: 16 * 1024),
        new("clientPrivateKey", AccountFieldKind.PrivateKey, true, "Key of the API certificate (apiclient_key.pem).", MaxLength: 16 * 1024),
    ];

    public static readonly IReadOnlyList<AccountField> V3 =
    [
        .. Numbers,
        new("certificateSerial", AccountFieldKind.Text, true, "Serial number of the API certificate, in hexadecimal.", "^[0-9A-Fa-f]{16,40}$", 40),
        new("privateKey", AccountFieldKind.PrivateKey, true, "Key of the API certificate (apiclient_key.pem); requests are signed with it.", MaxLength: 16 * 1024),
        new("apiV3Key", AccountFieldKind.Secret, true, "API key of version 3, 32 characters; notices are encrypted with it.", "^[0-9A-Za-z]{32}$", 32),
        new("platformPublicKeyId", AccountFieldKind.Text, false, "Id of WeChat Pay's public key (PUB_KEY_ID_...), when the merchant checks by it.", "^PUB_KEY_ID_[0-9A-Za-z]{10,60}$", 80),
        new("platformPublicKey", AccountFieldKind.PublicKey, false, "WeChat Pay's public key (pub_key.pem), with its id.", MaxLength: 16 * 1024),
        new("platformCertificate", AccountFieldKind.Certificate, false, "WeChat Pay's platform certificate, for merchants without the public key; several one after another while they change.", MaxLength: 64 * 1024),
        new("storeCode", AccountFieldKind.Text, false, "The store as WeChat's scene knows it (store_info.out_id); left out, the terminal's serial number is sent.", "^[0-9A-Za-z_-]{1,32}$", 32),
    ];

    /// <summary>Of either version: a merchant has one bill.</summary>
    public static bool IsOneMerchant(ChannelAccount account, ChannelAccount other) =>
        other.Channel is WeChatV2Channel.ChannelName or WeChatV3Channel.ChannelName
        && new[] { "mchId", "subMchId", ChannelAddress.BaseUrl }.All(field => account.Setting(field) == other.Setting(field));

    /// <exception cref="AccountFault">Nothing may be sent there.</exception>
    public static Uri AddressOf(ChannelAccount account, ChannelHttp http, WeChatPayOptions options)
    {
        var (url, fault) = http.AddressOf(account, options.Url);
        return url ?? throw new AccountFault(fault!);
    }

    /// <summary>Fails with words for an operator, which never hold the text that was given.</summary>
    public static T Read<T>(string field, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or FormatException)
        {
            throw new AccountFault($"{field} is not what it should be: it cannot be read as PEM of that kind", field);
        }
    }

    public static string Required(ChannelAccount account, string field) =>
        account.Setting(field) is { Length: > 0 } value ? value : throw new AccountFault($"{field} is missing", field);

    public static string RequiredSecret(ChannelAccount account, string field) =>
        account.Secret(field)?.Reveal() is { Length: > 0 } value ? value : throw new AccountFault($"{field} is missing", field);

    /// <summary>What reading an account's keys finds; null: nothing.</summary>
    public static (string Field, string Says)? WholeFault(Action readKeys)
    {
        try
        {
            readKeys();
            return null;
        }
        catch (AccountFault e) when (e.Field is { } field)
        {
            return (field, e.Message);
        }
    }

    /// <summary>With its key, so that TLS can prove it.</summary>
    public static X509Certificate2 ClientCertificate(string certificate, string privateKey)
    {
        X509Certificate2 pair;
        try
        {
            pair = X509Certificate2.CreateFromPem(certificate, privateKey);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new AccountFault("clientCertificate is not the certificate of clientPrivateKey, or one of the two cannot be read", "clientCertificate");
        }

        if (!OperatingSystem.IsWindows())
        {
            return pair;
        }

        // Windows' TLS takes no key that lives in memory only.
        using (pair)
        {
            return X509CertificateLoader.LoadPkcs12(pair.Export(X509ContentType.Pkcs12), null);
        }
    }
}

/// <summary>An account that cannot be used as it stands; the message says why and holds nothing secret.</summary>
/// <param name="of">The field; null: it is none of the account's.</param>
internal sealed class AccountFault(string message, string? of = null) : Exception(message)
{
    public string? Field => of;
}
