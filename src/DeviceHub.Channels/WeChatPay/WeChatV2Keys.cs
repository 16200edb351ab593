using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using DeviceHub.Core.Merchants;

namespace DeviceHub.Channels.WeChatPay;

/// <summary>An account of version 2, read once: a changed account is another instance.</summary>
internal sealed class WeChatV2Keys
{
    private static readonly ConditionalWeakTable<ChannelAccount, WeChatV2Keys> Known = [];

    private WeChatV2Keys(ChannelAccount account)
    {
        MerchantNumber = WeChatFields.Required(account, "mchId");
        ApplicationId = WeChatFields.Required(account, "appId");
        SubMerchantNumber = account.Setting("subMchId");
        SubApplicationId = account.Setting("subAppId");
        IsHmac = account.Setting("signType") switch
        {
            null or "" or "HMAC-SHA256" => true,
            "MD5" => false,
            _ => throw new AccountFault("signType must be MD5 or HMAC-SHA256", "signType"),
        };
        ApiKey = Encoding.UTF8.GetBytes(WeChatFields.RequiredSecret(account, "apiKey"));
        Certificate = WeChatFields.ClientCertificate(WeChatFields.Required(account, "clientCertificate"), WeChatFields.RequiredSecret(account, "clientPrivateKey"));
    }

    /// <summary>For a signature alone: vectors.</summary>
    internal WeChatV2Keys(string apiKey, bool hmac)
    {
        (ApiKey, IsHmac) = (Encoding.UTF8.GetBytes(apiKey), hmac);
        (MerchantNumber, ApplicationId, Certificate) = ("", "", null!);
    }

    public string MerchantNumber { get; }

    public string ApplicationId { get; }

    public string? SubMerchantNumber { get; }

    public string? SubApplicationId { get; }

    public byte[] ApiKey { get; }

    public bool IsHmac { get; }

    /// <summary>For reversals and refunds.</summary>
    public X509Certificate2 Certificate { get; }

    public string SignType => IsHmac ? "HMAC-SHA256" : "MD5";

    /// <exception cref="AccountFault">It cannot be used as it stands.</exception>
    public static WeChatV2Keys Of(ChannelAccount account) => Known.GetValue(account, static a => new WeChatV2Keys(a));

    /// <summary>What is wrong with the certificate now; null: nothing.</summary>
    public string? CertificateFault(DateTimeOffset now) =>
        now >= Certificate.NotAfter ? $"the API certificate expired at {Certificate.NotAfter.ToUniversalTime():u}"
        : now < Certificate.NotBefore ? $"the API certificate is valid from {Certificate.NotBefore.ToUniversalTime():u} on"
        : null;
}
