using System.Globalization;

namespace DeviceHub.Core.Reconciliation;

/// <summary>A day of the channels' books: from midnight to midnight in China, which has had one offset and no summer time since 1991.</summary>
public static class BillDay
{
    public static readonly TimeSpan China = TimeSpan.FromHours(8);

    public static DateOnly Of(DateTimeOffset at) => DateOnly.FromDateTime(at.ToOffset(China).DateTime);

    public static DateTimeOffset Start(DateOnly day) => new(day.ToDateTime(TimeOnly.MinValue), China);

    public static DateTimeOffset End(DateOnly day) => Start(day.AddDays(1));
}

/// <summary>
/// The order numbers that this hub gives its attempts (<see cref="Payments.PaymentDecisions.ChannelOrderNumber"/>): <c>d</c>, the time in
/// milliseconds as 11 hexadecimal digits, 18 more. Whose they are and when their attempt began is seen without a look into any book.
/// </summary>
public static class OwnOrder
{
    private const int Length = 30;
    private const int TimeDigits = 11;

    /// <summary>When the attempt began; null: the number is of another system on the same account.</summary>
    public static DateTimeOffset? StartOf(string number)
    {
        if (number.Length != Length || number[0] != 'd')
        {
            return null;
        }

        foreach (var c in number.AsSpan(1))
        {
            if (!char.IsAsciiHexDigitLower(c) && !char.IsAsciiDigit(c))
            {
                return null;
            }
        }

        // Eleven digits reach the year 2527.
        return DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(number.AsSpan(1, TimeDigits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
    }

    /// <summary>No number of an attempt that began at this time or later sorts before it.</summary>
    public static string FirstOf(DateTimeOffset at) => string.Create(CultureInfo.InvariantCulture, $"d{at.ToUnixTimeMilliseconds():x11}");
}
