using System.Globalization;
using Microsoft.Extensions.Localization;
using Microsoft.Extensions.Options;

namespace DeviceHub.Dashboard.Shared;

/// <summary>Money, times and counts as the reader writes them, in the hub's time zone.</summary>
public sealed class Format(IOptions<DashboardOptions> options, IStringLocalizer<Words> words, TimeProvider clock)
{
    private readonly TimeZoneInfo zone = options.Value.Zone;

    public TimeZoneInfo Zone => zone;

    /// <summary>¥1,234.50.</summary>
    public static string Money(long fen) => (fen < 0 ? "-¥" : "¥") + Math.Abs(fen / 100m).ToString("#,##0.00", CultureInfo.InvariantCulture);

    /// <summary>1,234.</summary>
    public static string Count(long count) => count.ToString("#,##0", CultureInfo.InvariantCulture);

    /// <param name="ms">340 ms, 1.24 s, 2 min 5 s.</param>
    public string Took(double ms) => ms switch
    {
        < 1_000 => words["Milliseconds", Math.Round(ms)],
        < 60_000 => words["Seconds", (ms / 1000).ToString(ms < 10_000 ? "0.00" : "0.0", CultureInfo.InvariantCulture)],
        < 3_600_000 => words["Minutes", (long)ms / 60_000, (long)ms / 1000 % 60],
        _ => words["Hours", Count((long)ms / 3_600_000), (long)ms / 60_000 % 60],
    };

    /// <summary>98.3 %; a dash when there is nothing to divide by.</summary>
    public string Share(double? share) => share is { } s ? words["Percent", (s * 100).ToString(s is 0 or 1 ? "0" : "0.0", CultureInfo.InvariantCulture)] : "–";

    public DateTimeOffset Local(DateTimeOffset at) => TimeZoneInfo.ConvertTime(at, zone);

    /// <summary>The day, and the time to the second.</summary>
    public string DateTime(DateTimeOffset at) => Local(at).ToString(words["DateTimePattern"], CultureInfo.CurrentCulture);

    /// <summary>The time to the millisecond, for logs.</summary>
    public string Precise(DateTimeOffset at) => Local(at).ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);

    /// <summary>Today only the time, else with the day.</summary>
    public string Short(DateTimeOffset at) =>
        Local(at).Date == Local(clock.GetUtcNow()).Date ? Local(at).ToString("HH:mm:ss", CultureInfo.InvariantCulture) : Local(at).ToString(words["ShortPattern"], CultureInfo.CurrentCulture);

    /// <summary>4 minutes ago.</summary>
    public string Ago(DateTimeOffset at) => For(clock.GetUtcNow() - at) is { } time ? words["Ago", time] : words["JustNow"];

    /// <summary>4 minutes; null: less than 5 seconds.</summary>
    public string? For(TimeSpan time) => time.TotalSeconds switch
    {
        < 5 => null,
        < 90 => Plural("second", (long)time.TotalSeconds),
        < 90 * 60 => Plural("minute", (long)Math.Round(time.TotalMinutes)),
        < 36 * 3600 => Plural("hour", (long)Math.Round(time.TotalHours)),
        _ => Plural("day", (long)Math.Round(time.TotalDays)),
    };

    /// <summary>The words <c>NAME_one</c> or <c>NAME_other</c>, with the count as {0}.</summary>
    public string Plural(string name, long count) => Plural(words, name, count);

    /// <inheritdoc cref="Plural(string, long)"/>
    public static string Plural(IStringLocalizer words, string name, long count) => words[name + (count == 1 ? "_one" : "_other"), Count(count)];
}
