using System.Globalization;

namespace DeviceHub.Channels.WeChatPay;

/// <summary>Small things that both versions write in the same way.</summary>
internal static class WeChatText
{
    private static readonly TimeSpan China = TimeSpan.FromHours(8);

    /// <summary>
    /// What the payer reads on the bill, without control characters and broken pairs, at most <paramref name="max"/> bytes of UTF-8, never
    /// cut inside a character.
    /// </summary>
    public static string Subject(string text, int max = 127)
    {
        var kept = new System.Text.StringBuilder(text.Length);
        var bytes = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (System.Text.Rune.IsControl(rune) || rune == System.Text.Rune.ReplacementChar || rune.Value is 0xFFFE or 0xFFFF)
            {
                continue;
            }

            bytes += rune.Utf8SequenceLength;
            if (bytes > max)
            {
                break;
            }

            kept.Append(rune);
        }

        return kept.ToString().Trim() is { Length: > 0 } subject ? subject : "payment";
    }

    /// <summary>
    /// When the order may no longer be paid, in China's time. WeChat takes nothing nearer than a minute; a payment code does not live longer either.
    /// </summary>
    public static string ExpireTime(DateTimeOffset expiresAt, DateTimeOffset now)
    {
        var earliest = now + TimeSpan.FromSeconds(62);
        return (expiresAt > earliest ? expiresAt : earliest).ToOffset(China).ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture);
    }

    /// <summary>Null: it is none.</summary>
    public static DateTimeOffset? BillTime(ReadOnlySpan<char> text) =>
        DateTime.TryParseExact(text, "yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out var local)
            ? new DateTimeOffset(local, China)
            : null;

    /// <summary>A person's id at WeChat, so that a complaint can be matched and nothing more.</summary>
    public static string? Payer(string? openId) => openId is { Length: > 8 } ? $"{openId[..4]}***{openId[^4..]}" : null;
}
