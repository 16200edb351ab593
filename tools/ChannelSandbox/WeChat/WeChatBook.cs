using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using DeviceHub.Tools.ChannelSandbox.Accounts;
using DeviceHub.Tools.ChannelSandbox.Bank;

namespace DeviceHub.Tools.ChannelSandbox.WeChat;

/// <summary>A WeChat merchant with its keys ready for use.</summary>
internal sealed class Merchant
{
    public Merchant(WeChatMerchant account)
    {
        using var certificate = X509Certificate2.CreateFromPem(account.Certificate);
        (Account, Serial, Thumbprint) = (account, certificate.SerialNumber.ToUpper(CultureInfo.InvariantCulture), certificate.Thumbprint);
        ApiKey = System.Text.Encoding.UTF8.GetBytes(account.ApiKey);
        Key = KeyPool.OfCertificate(account.Certificate);
        Scopes = account.SubMerchants.Keys.ToDictionary(sub => sub, sub => $"{account.MchId}/{sub}");
    }

    public WeChatMerchant Account { get; }

    public byte[] ApiKey { get; }

    /// <summary>Of the API certificate, upper-case hexadecimal.</summary>
    public string Serial { get; }

    public string Thumbprint { get; }

    /// <summary>Public: what the merchant signs is verified with it.</summary>
    public KeyPool Key { get; }

    public string MchId => Account.MchId;

    public bool IsPartner => Account.SubMerchants.Count > 0;

    private Dictionary<string, string> Scopes { get; }

    /// <summary>Whose orders they are; null: the sub-merchant is not one of this service provider, or is missing.</summary>
    public string? Scope(string? subMerchant) =>
        IsPartner ? subMerchant is not null && Scopes.TryGetValue(subMerchant, out var scope) ? scope : null : subMerchant is null ? MchId : null;
}

/// <summary>What both of WeChat's dialects know: merchants, the platform's key, and how numbers are written.</summary>
internal sealed class WeChatBook
{
    private static readonly System.Buffers.SearchValues<char> NumberLetters = System.Buffers.SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-*");

    private readonly Dictionary<string, Merchant> merchants;

    public WeChatBook(WeChatPlatform platform)
    {
        merchants = platform.Merchants.ToDictionary(m => m.MchId, m => new Merchant(m));
        Key = KeyPool.OfPem(platform.PrivateKey);
        PublicKeyId = platform.PublicKeyId;
        Certificate = platform.Certificate;
        CertificateSerial = AccountMaker.SerialNumber(platform.Certificate);
    }

    /// <summary>The platform's private key.</summary>
    public KeyPool Key { get; }

    public string PublicKeyId { get; }

    public string Certificate { get; }

    public string CertificateSerial { get; }

    public IEnumerable<Merchant> Merchants => merchants.Values;

    public Merchant? Find(string? mchId) => mchId is not null && merchants.TryGetValue(mchId, out var merchant) ? merchant : null;

    /// <summary>1 to 32 digits, letters and _-*.</summary>
    public static bool IsOrderNumber(string? number) => number is { Length: > 0 and <= 32 } && !number.AsSpan().ContainsAnyExcept(NumberLetters);

    /// <summary>1 to 64 digits, letters and _-|*@.</summary>
    public static bool IsRefundNumber(string? number) =>
        number is { Length: > 0 and <= 64 } && number.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '|' or '*' or '@');

    /// <summary>18 digits, beginning with 10 to 15.</summary>
    public static bool IsPaymentCode(ReadOnlySpan<byte> code) =>
        code.Length == 18 && code[0] == '1' && code[1] is >= (byte)'0' and <= (byte)'5' && !code.ContainsAnyExceptInRange((byte)'0', (byte)'9');

    /// <summary>28 digits.</summary>
    public static string TransactionId(Order order) => string.Create(CultureInfo.InvariantCulture, $"4200000{ChannelClock.Local(order.CreatedAt):yyyyMMdd}{order.Sequence:d13}");

    public static string RefundId(Refund refund) => string.Create(CultureInfo.InvariantCulture, $"5030000{ChannelClock.Local(refund.At):yyyyMMdd}{refund.Sequence:d13}");

    public static string OpenId(Order order) => string.Create(CultureInfo.InvariantCulture, $"o{(ulong)order.Code:x16}sandbox1234");
}
