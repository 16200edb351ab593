using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using DeviceHub.Core.Merchants;

namespace DeviceHub.Channels.WeChatPay;

/// <summary>An account of version 3, read once: a changed account is another instance.</summary>
internal sealed class WeChatV3Keys
{
    private static readonly ConditionalWeakTable<ChannelAccount, WeChatV3Keys> Known = [];

    private readonly RsaKey signing;
    private readonly byte[] apiKey;

    /// <summary>WeChat Pay's keys by what <c>Wechatpay-Serial</c> calls them: the public key's id, or a platform certificate's number.</summary>
    private readonly Dictionary<string, RsaKey> platform = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>When the last of the platform certificates expires.</summary>
    private readonly DateTime platformUntil;

    private WeChatV3Keys(ChannelAccount account)
    {
        MerchantNumber = WeChatFields.Required(account, "mchId");
        ApplicationId = WeChatFields.Required(account, "appId");
        SubMerchantNumber = account.Setting("subMchId");
        SubApplicationId = account.Setting("subAppId");
        StoreCode = account.Setting("storeCode");
        SerialNumber = WeChatFields.Required(account, "certificateSerial").ToUpperInvariant();
        var privateKey = WeChatFields.RequiredSecret(account, "privateKey");
        signing = WeChatFields.Read("privateKey", () => RsaKey.FromPem(privateKey));
        apiKey = Encoding.UTF8.GetBytes(WeChatFields.RequiredSecret(account, "apiV3Key"));
        if (apiKey.Length != 32)
        {
            throw new AccountFault("apiV3Key must have 32 characters", "apiV3Key");
        }

        if (account.Setting("platformPublicKey") is { Length: > 0 } publicKey)
        {
            PublicKeyId = WeChatFields.Required(account, "platformPublicKeyId");
            platform.Add(PublicKeyId, WeChatFields.Read("platformPublicKey", () => RsaKey.FromPem(publicKey)));
        }

        if (account.Setting("platformCertificate") is { Length: > 0 } pem)
        {
            var certificates = new X509Certificate2Collection();
            WeChatFields.Read("platformCertificate", () => { certificates.ImportFromPem(pem); return 0; });
            foreach (var certificate in certificates)
            {
                using (certificate)
                {
                    platform.TryAdd(certificate.SerialNumber, WeChatFields.Read("platformCertificate", () => RsaKey.Of(certificate)));
                    platformUntil = certificate.NotAfter > platformUntil ? certificate.NotAfter : platformUntil;
                }
            }
        }

        if (platform.Count == 0)
        {
            throw new AccountFault("platformPublicKey with platformPublicKeyId, or platformCertificate, is missing: no answer could be checked", "platformPublicKey");
        }
    }

    public string MerchantNumber { get; }

    public string ApplicationId { get; }

    public string? SubMerchantNumber { get; }

    public string? SubApplicationId { get; }

    public string? StoreCode { get; }

    /// <summary>Of the API certificate.</summary>
    public string SerialNumber { get; }

    /// <summary>With which key WeChat shall sign; null: with a platform certificate's.</summary>
    public string? PublicKeyId { get; }

    /// <exception cref="AccountFault">It cannot be used as it stands.</exception>
    public static WeChatV3Keys Of(ChannelAccount account) => Known.GetValue(account, static a => new WeChatV3Keys(a));

    /// <summary>Why no answer could be checked any more; null: it can.</summary>
    public string? PlatformFault(DateTimeOffset now) =>
        PublicKeyId is null && now >= platformUntil ? $"the platform certificate expired at {platformUntil.ToUniversalTime():u}: no answer could be checked" : null;

    /// <summary>What goes into <c>Authorization</c> behind its scheme.</summary>
    public string Authorization(string method, string pathAndQuery, long timestamp, string nonce, ReadOnlySpan<byte> body) => string.Concat(
        $"mchid=\"{MerchantNumber}\",nonce_str=\"{nonce}\",signature=\"{Sign(signing, method, pathAndQuery, timestamp, nonce, body)}\",",
        $"timestamp=\"{timestamp}\",serial_no=\"{SerialNumber}\"");

    /// <summary>Five lines: method, path with query, time, nonce, body; each ends with a line feed.</summary>
    internal static string Sign(RsaKey key, string method, string pathAndQuery, long timestamp, string nonce, ReadOnlySpan<byte> body) =>
        key.Sign(Lines($"{method}\n{pathAndQuery}\n{timestamp}\n{nonce}\n", body));

    /// <summary>Three lines: time, nonce, body.</summary>
    internal static bool IsSigned(RsaKey key, string timestamp, string nonce, ReadOnlySpan<byte> body, string signature) =>
        key.IsSigned(Lines($"{timestamp}\n{nonce}\n", body), signature);

    /// <summary>Why it is not WeChat Pay's; null: it is.</summary>
    /// <param name="header">A header by its name in lower case.</param>
    public string? SignatureFault(Func<string, string?> header, ReadOnlySpan<byte> body)
    {
        if (header("wechatpay-signature") is not { } signature || header("wechatpay-timestamp") is not { } timestamp || header("wechatpay-nonce") is not { } nonce
            || header("wechatpay-serial") is not { } serial)
        {
            return "no signature";
        }

        // WeChat sends wrong signatures on purpose now and then, to see that they are refused.
        return !platform.TryGetValue(serial, out var key) ? "signed with a key that the account does not know"
            : IsSigned(key, timestamp, nonce, body, signature) ? null
            : "another signature";
    }

    /// <summary>What a notice holds; null: it was not encrypted with the account's key.</summary>
    public byte[]? Open(string ciphertext, string nonce, string? associatedData) => Open(apiKey, ciphertext, nonce, associatedData);

    internal static byte[]? Open(byte[] key, string ciphertext, string nonce, string? associatedData)
    {
        const int TagSize = 16;
        try
        {
            var bytes = Convert.FromBase64String(ciphertext);
            var nonceBytes = Encoding.UTF8.GetBytes(nonce);
            if (bytes.Length < TagSize || nonceBytes.Length != AesGcm.NonceByteSizes.MaxSize)
            {
                return null;
            }

            var plain = new byte[bytes.Length - TagSize];
            using var aes = new AesGcm(key, TagSize);
            aes.Decrypt(nonceBytes, bytes.AsSpan(0, plain.Length), bytes.AsSpan(plain.Length), plain, Encoding.UTF8.GetBytes(associatedData ?? ""));
            return plain;
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            return null;
        }
    }

    private static byte[] Lines(string head, ReadOnlySpan<byte> body)
    {
        var size = Encoding.UTF8.GetByteCount(head);
        var lines = new byte[size + body.Length + 1];
        Encoding.UTF8.GetBytes(head, lines);
        body.CopyTo(lines.AsSpan(size));
        lines[^1] = (byte)'\n';
        return lines;
    }
}
