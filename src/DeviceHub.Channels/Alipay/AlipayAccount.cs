using DeviceHub.Channels.Http;
using DeviceHub.Core.Merchants;

namespace DeviceHub.Channels.Alipay;

/// <summary>What an account at Alipay is made of.</summary>
internal static class AlipayAccount
{
    public const string AppId = "appId";
    public const string PrivateKey = "privateKey";
    public const string PublicKey = "alipayPublicKey";
    public const string AppCertificate = "appCertificate";
    public const string AlipayCertificate = "alipayCertificate";
    public const string RootCertificate = "alipayRootCertificate";
    public const string AppAuthToken = "appAuthToken";
    public const string StoreId = "storeId";

    private const int MaxPem = 32 * 1024;

    public static IReadOnlyList<AccountField> Fields { get; } =
    [
        new(AppId, AccountFieldKind.Text, true, "The application's APPID, 16 digits, from open.alipay.com; of a service provider, its own.", "[0-9]{16}", Identifies: true),
        new(PrivateKey, AccountFieldKind.PrivateKey, true, "The application's RSA2 private key (2048 bits), the one whose public key or certificate request was given to Alipay.", MaxLength: MaxPem),
        new(PublicKey, AccountFieldKind.PublicKey, false, "Alipay's public key (支付宝公钥) as open.alipay.com shows it for the application. Not for applications with certificates.", MaxLength: MaxPem),
        new(AppCertificate, AccountFieldKind.Certificate, false, "Of applications with certificates: appCertPublicKey_*.crt.", MaxLength: MaxPem),
        new(AlipayCertificate, AccountFieldKind.Certificate, false, "Of applications with certificates: alipayCertPublicKey_RSA2.crt.", MaxLength: MaxPem),
        new(RootCertificate, AccountFieldKind.Certificate, false, "Of applications with certificates: alipayRootCert.crt, whole.", MaxLength: MaxPem),
        new(AppAuthToken, AccountFieldKind.Secret, false, "Of a service provider: the app_auth_token with which the merchant authorised it. A new one must be of the same merchant.", "[0-9A-Za-z]{1,40}", 40, Identifies: true),
        new(StoreId, AccountFieldKind.Text, false, "The merchant's own number of the store, shown in Alipay's bills.", "[0-9A-Za-z_-]{1,32}", 32),
        ChannelAddress.Field,
    ];
}
