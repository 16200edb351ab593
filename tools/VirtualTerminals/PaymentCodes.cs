using System.Globalization;
using System.Security.Cryptography;

namespace DeviceHub.Tools.VirtualTerminals;

/// <summary>Customers' codes and amounts, as a till sees them.</summary>
public static class PaymentCodes
{
    /// <summary>
    /// Last two digits of amounts that make the Sandbox do something else than approve at once, of those that are settled within a minute
    /// at its usual waits.
    /// </summary>
    public static IReadOnlyList<int> SpecialEndings { get; } = [1, 2, 10, 11, 20, 21, 23, 24, 30, 50];

    /// <summary>A code of WeChat, Alipay or UnionPay that nobody had before.</summary>
    public static string Random()
    {
        var digits = RandomNumberGenerator.GetInt32(0, 1_000_000_000).ToString("d9", CultureInfo.InvariantCulture)
            + RandomNumberGenerator.GetInt32(0, 100_000_000).ToString("d8", CultureInfo.InvariantCulture);
        return RandomNumberGenerator.GetInt32(0, 10) switch
        {
            < 5 => "13" + digits[..16],
            < 9 => "28" + digits[..16],
            _ => "62" + digits,
        };
    }

    /// <summary>1 to 300 yuan; a share of them hits one of the Sandbox's rules.</summary>
    public static long Amount(double specialShare, IReadOnlyList<int> endings) => (System.Random.Shared.Next(1, 300) * 100L)
        + (System.Random.Shared.NextDouble() < specialShare ? endings[System.Random.Shared.Next(endings.Count)] : System.Random.Shared.Next(60, 100));
}
