using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace DeviceHub.Core.People;

/// <summary>Codes of an authenticator app: RFC 6238 with SHA-1, six digits and steps of 30 s, which is what every app speaks.</summary>
public static class Totp
{
    public const int KeyBytes = 20;
    public const int Digits = 6;
    public const int StepSeconds = 30;

    /// <summary>Steps before and after now whose codes are taken: a telephone's clock may be that wrong.</summary>
    public const int Window = 1;

    private const string Base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    public static long StepAt(DateTimeOffset now) => Math.DivRem(now.ToUnixTimeSeconds(), StepSeconds).Quotient;

    /// <summary>HMAC-SHA1 is what RFC 6238 and the apps mean; its known weakness is none here.</summary>
    public static string Code(ReadOnlySpan<byte> key, long step)
    {
        Span<byte> counter = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
        Span<byte> mac = stackalloc byte[HMACSHA1.HashSizeInBytes];
#pragma warning disable CA5350
        HMACSHA1.HashData(key, counter, mac);
#pragma warning restore CA5350
        var number = BinaryPrimitives.ReadUInt32BigEndian(mac[(mac[^1] & 15)..]) & 0x7FFF_FFFF;
        return (number % 1_000_000).ToString("D6", CultureInfo.InvariantCulture);
    }

    /// <summary>The step whose code this is; null: of none near now, or of one that was used. Every near step is compared, in constant time.</summary>
    /// <param name="lastStep">The step of the last code that was taken; no code of it or before is taken again.</param>
    public static long? Match(ReadOnlySpan<byte> key, string code, DateTimeOffset now, long lastStep)
    {
        Span<byte> typed = stackalloc byte[Digits];
        typed.Clear();
        var whole = code.Length == Digits && Encoding.ASCII.TryGetBytes(code, typed, out _);
        long? found = null;
        for (var step = StepAt(now) - Window; step <= StepAt(now) + Window; step++)
        {
            var same = CryptographicOperations.FixedTimeEquals(typed, Encoding.ASCII.GetBytes(Code(key, step)));
            found = same & whole & (step > lastStep) ? step : found;
        }

        return found;
    }

    /// <summary>The key as a person types it into an app: RFC 4648 without padding.</summary>
    public static string ToBase32(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder((bytes.Length * 8 / 5) + 1);
        var (bits, count) = (0, 0);
        foreach (var value in bytes)
        {
            (bits, count) = ((bits << 8) | value, count + 8);
            for (; count >= 5; count -= 5)
            {
                text.Append(Base32[(bits >> (count - 5)) & 31]);
            }

            bits &= (1 << count) - 1;
        }

        return count == 0 ? text.ToString() : text.Append(Base32[(bits << (5 - count)) & 31]).ToString();
    }

    /// <summary>Null: it is no base 32 of a key. Spaces do not matter, nor does the case.</summary>
    public static byte[]? FromBase32(string text)
    {
        var key = new byte[KeyBytes];
        var (bits, count, at) = (0, 0, 0);
        foreach (var c in text.Where(c => c != ' '))
        {
            var value = Base32.IndexOf(char.ToUpperInvariant(c), StringComparison.Ordinal);
            if (value < 0 || at == KeyBytes)
            {
                return null;
            }

            (bits, count) = ((bits << 5) | value, count + 5);
            if (count >= 8)
            {
                key[at++] = (byte)(bits >> (count - 8));
                (bits, count) = (bits & ((1 << (count - 8)) - 1), count - 8);
            }
        }

        return at == KeyBytes ? key : null;
    }

    /// <summary>What the QR image for an app says.</summary>
    public static string Address(string hub, string userName, string key) =>
        $"otpauth://totp/{Uri.EscapeDataString(hub)}:{Uri.EscapeDataString(userName)}?secret={key}&issuer={Uri.EscapeDataString(hub)}&digits={Digits}&period={StepSeconds}";
}
