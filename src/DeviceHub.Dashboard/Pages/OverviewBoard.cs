using DeviceHub.Core.Live;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Problems;
using DeviceHub.Core.Terminals;
using DeviceHub.Dashboard.Shared;
using Microsoft.Extensions.Options;

namespace DeviceHub.Dashboard.Pages;

/// <summary>What the overview shows, read once for all who look at it and not at all while nobody does.</summary>
internal sealed class OverviewBoard
{
    /// <summary>Problems on the page.</summary>
    public const int Problems = 12;

    /// <summary>Whole minutes whose mean is the payments a minute.</summary>
    public const int RateMinutes = 5;

    /// <summary>The searchable payments follow the ledger twice a second; read more often, they would mostly be the same.</summary>
    private static readonly TimeSpan MoneyApart = TimeSpan.FromMilliseconds(500);

    private readonly Dictionary<StatisticsSpan, SharedSnapshot<PaymentSeries>> series = [];

    public OverviewBoard(IPaymentStatistics statistics, IFleetPresence presence, ProblemList problems, IOptions<DashboardOptions> options, TimeProvider clock)
    {
        var zone = options.Value.Zone;
        Money = new(
            async () =>
            {
                var now = clock.GetUtcNow();
                return new OverviewMoney(await statistics.Series(StatisticsSpan.Hour, now), await statistics.Since(DayOf(now, zone)), await statistics.InDoubt());
            },
            MoneyApart,
            clock);

        // Sightings are written every two seconds, so it would be the same in between.
        Fleet = new(presence.Count, TimeSpan.FromSeconds(2), clock);
        Newest = new(() => problems.Newest(Problems), TimeSpan.FromSeconds(2), clock);
        foreach (var (span, apart) in new[] { (StatisticsSpan.Hour, 1), (StatisticsSpan.Day, 10), (StatisticsSpan.Week, 60) })
        {
            series[span] = new(() => statistics.Series(span, clock.GetUtcNow()), TimeSpan.FromSeconds(apart), clock);
        }
    }

    public SharedSnapshot<OverviewMoney> Money { get; }

    public SharedSnapshot<FleetCounts> Fleet { get; }

    public SharedSnapshot<IReadOnlyList<Problem>> Newest { get; }

    /// <summary>A chart moves as often as its finest point is worth it.</summary>
    public SharedSnapshot<PaymentSeries> Series(StatisticsSpan span) => series[span];

    /// <summary>When the day began in a zone.</summary>
    public static DateTimeOffset DayOf(DateTimeOffset now, TimeZoneInfo zone)
    {
        var midnight = TimeZoneInfo.ConvertTime(now, zone).Date;

        // Where the clocks are changed at midnight, the day begins an hour later.
        return new DateTimeOffset(midnight, zone.GetUtcOffset(zone.IsInvalidTime(midnight) ? midnight.AddHours(1) : midnight));
    }
}

/// <param name="Hour">By the minute; the last one is not over.</param>
/// <param name="Today">Since midnight in the hub's zone.</param>
/// <param name="InDoubt">Now, of whatever day.</param>
internal sealed record OverviewMoney(PaymentSeries Hour, PaymentCounts Today, long InDoubt)
{
    public PaymentCounts LastHour { get; } = Sum(Hour.Points);

    /// <summary>Accepted ones in a minute, the mean of the last whole minutes.</summary>
    public double Rate => Hour.Points.SkipLast(1).TakeLast(OverviewBoard.RateMinutes).Average(p => p.Accepted);

    private static PaymentCounts Sum(IEnumerable<PaymentCounts> points)
    {
        var sum = new PaymentCounts();
        foreach (var point in points)
        {
            sum.Add(point);
        }

        return sum;
    }
}
