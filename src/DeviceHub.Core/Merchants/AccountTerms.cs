using System.Text.Json.Serialization;
using DeviceHub.Core.Payments;

namespace DeviceHub.Core.Merchants;

/// <summary>When an account takes payments, and which it is to take before others. The routing core goes by these.</summary>
public sealed record AccountTerms
{
    public static readonly IReadOnlyList<Wallet> AllWallets = [Wallet.WeChat, Wallet.Alipay, Wallet.UnionPay];

    /// <summary>As people tell accounts apart.</summary>
    public string Name { get; init; } = "";

    /// <summary>A disabled account begins nothing; what was begun with it is finished with it.</summary>
    public bool Enabled { get; init; } = true;

    public IReadOnlyList<Wallet> Wallets { get; init; } = AllWallets;

    /// <summary>The lowest number goes first. 1 to 1000.</summary>
    public int Priority { get; init; } = 100;

    /// <summary>The share among accounts of one priority. 1 to 1000.</summary>
    public int Weight { get; init; } = 100;

    /// <summary>What the channel takes, in hundredths of a percent. 0 to 1000.</summary>
    public int FeeBasisPoints { get; init; }

    public long MinAmountFen { get; init; } = 1;

    /// <summary>Null: as much as the terminal may take.</summary>
    public long? MaxAmountFen { get; init; }

    /// <summary>Taken from midnight to midnight in the account's time zone; null: no limit. Payments that run count as taken until they are settled.</summary>
    public long? DayLimitFen { get; init; }

    /// <summary>Null: always open, and the day is China's.</summary>
    public AccountSchedule? Schedule { get; init; }

    [JsonIgnore]
    public TimeZoneInfo Zone => Schedule?.Zone ?? AccountSchedule.China;

    /// <summary>The account's calendar day.</summary>
    public DateOnly DayOf(DateTimeOffset at) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(at, Zone).DateTime);
}

/// <summary>Weekly opening windows.</summary>
/// <param name="TimeZone">IANA name.</param>
public sealed record AccountSchedule(string TimeZone, IReadOnlyList<OpeningWindow> Windows)
{
    public const string ChinaName = "Asia/Shanghai";

    /// <summary>China has one time zone and no summer time; a machine without time zone data knows it all the same.</summary>
    public static readonly TimeZoneInfo China = Find(ChinaName) ?? TimeZoneInfo.CreateCustomTimeZone(ChinaName, TimeSpan.FromHours(8), ChinaName, ChinaName);

    internal TimeZoneInfo Zone => Find(TimeZone) ?? China;

    /// <summary>Null: there is no such time zone.</summary>
    public static TimeZoneInfo? Find(string name) => TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) ? zone : null;

    public bool IsOpen(DateTimeOffset at)
    {
        var local = TimeZoneInfo.ConvertTime(at, Zone);
        var (day, time) = (local.DayOfWeek, TimeOnly.FromDateTime(local.DateTime));
        foreach (var window in Windows)
        {
            if (window.IsOpen(day, time))
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>One window on some days.</summary>
/// <param name="To">Not included. Not after <paramref name="From"/>: on the next day; the same as it: for 24 hours.</param>
public sealed record OpeningWindow(IReadOnlyList<DayOfWeek> Days, TimeOnly From, TimeOnly To)
{
    internal bool IsOpen(DayOfWeek day, TimeOnly time)
    {
        if (From < To)
        {
            return time >= From && time < To && Days.Contains(day);
        }

        var yesterday = (DayOfWeek)(((int)day + 6) % 7);
        return (time >= From && Days.Contains(day)) || (time < To && Days.Contains(yesterday));
    }
}
