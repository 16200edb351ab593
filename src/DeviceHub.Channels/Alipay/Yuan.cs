using System.Globalization;

namespace DeviceHub.Channels.Alipay;

/// <summary>Alipay's edge: yuan as text there, fen as integers here. Nothing between them is a floating-point number.</summary>
internal static class Yuan
{
    /// <summary>12 digits of yuan: more than any bill's total, and far from the end of a long.</summary>
    private const int MaxDigits = 12;

    /// <summary>Two decimals, as Alipay wants them.</summary>
    public static string Write(long fen)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fen);
        return string.Create(CultureInfo.InvariantCulture, $"{fen / 100}.{fen % 100:00}");
    }

    /// <summary>Digits, and up to two decimals: no sign, no blank, no group, no exponent, no leading zero.</summary>
    public static bool TryRead(ReadOnlySpan<char> yuan, out long fen)
    {
        fen = 0;
        var dot = yuan.IndexOf('.');
        var whole = dot < 0 ? yuan : yuan[..dot];
        var decimals = dot < 0 ? default : yuan[(dot + 1)..];
        if (whole.Length is 0 or > MaxDigits || (whole.Length > 1 && whole[0] == '0') || (dot >= 0 && decimals.Length is 0 or > 2))
        {
            return false;
        }

        long value = 0;
        foreach (var c in whole)
        {
            if (!char.IsAsciiDigit(c))
            {
                return false;
            }

            value = (value * 10) + (c - '0');
        }

        for (var i = 0; i < 2; i++)
        {
            var c = i < decimals.Length ? decimals[i] : '0';
            if (!char.IsAsciiDigit(c))
            {
                return false;
            }

            value = (value * 10) + (c - '0');
        }

        fen = value;
        return true;
    }

    /// <summary>The same with a minus in front, as bills have it for what goes out.</summary>
    public static bool TryReadSigned(ReadOnlySpan<char> yuan, out long fen)
    {
        var negative = yuan.Length > 0 && yuan[0] == '-';
        if (!TryRead(negative ? yuan[1..] : yuan, out fen))
        {
            return false;
        }

        fen = negative ? -fen : fen;
        return true;
    }
}
