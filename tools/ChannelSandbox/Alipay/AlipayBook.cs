using System.Globalization;
using DeviceHub.Tools.ChannelSandbox.Accounts;
using DeviceHub.Tools.ChannelSandbox.Bank;

namespace DeviceHub.Tools.ChannelSandbox.Alipay;

/// <summary>Who is known at Alipay, with keys, and how Alipay writes numbers and amounts.</summary>
internal sealed class AlipayBook(AlipayPlatform platform)
{
    private readonly Dictionary<string, (AlipayApplication Application, KeyPool Key)> applications =
        platform.Applications.ToDictionary(a => a.AppId, a => (a, KeyPool.OfPem(a.PublicKey)));

    /// <summary>Alipay's private key.</summary>
    public KeyPool Key { get; } = KeyPool.OfPem(platform.PrivateKey);

    public (AlipayApplication Application, KeyPool Key)? Find(string? appId) => appId is not null && applications.TryGetValue(appId, out var found) ? found : null;

    /// <summary>28 digits.</summary>
    public static string TradeNumber(Order order) => string.Create(CultureInfo.InvariantCulture, $"{ChannelClock.Local(order.CreatedAt):yyyyMMdd}22001{order.Sequence:d15}");

    public static string Buyer(Order order) => string.Create(CultureInfo.InvariantCulture, $"2088{(ulong)(order.Code % 1_000_000_000_000):d12}");

    public static string Yuan(long fen) => string.Create(CultureInfo.InvariantCulture, $"{(fen < 0 ? "-" : "")}{Math.Abs(fen) / 100}.{Math.Abs(fen) % 100:d2}");

    public static string Time(long ms) => ChannelClock.Local(ms).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>An amount of yuan with at most two decimals, 0.01 to 100000000; -1: it is none.</summary>
    public static long Fen(string? yuan) =>
        decimal.TryParse(yuan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount) && amount * 100 == Math.Truncate(amount * 100)
            && amount is >= 0.01m and <= 100_000_000m ? (long)(amount * 100) : -1;

    /// <summary>16 to 24 digits, beginning with 25 to 30; or fp and 35 characters, of a face.</summary>
    public static bool IsPaymentCode(string? code) => code is not null
        && ((code.Length is >= 16 and <= 24 && code.All(char.IsAsciiDigit) && int.Parse(code.AsSpan(0, 2), NumberStyles.None, CultureInfo.InvariantCulture) is >= 25 and <= 30)
            || (code.Length == 37 && code.StartsWith("fp", StringComparison.Ordinal)));

    /// <summary>1 to 64 letters, digits and underscores.</summary>
    public static bool IsOrderNumber(string? number) => number is { Length: > 0 and <= 64 } && number.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
