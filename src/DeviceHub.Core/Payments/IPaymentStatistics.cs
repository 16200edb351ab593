namespace DeviceHub.Core.Payments;

/// <summary>
/// Payments counted by the minute in which they were accepted, as their searchable rows stand now: a result that comes late changes its old minute, so
/// the numbers are those of the list of the same time. At most some 340 points, each read bounded.
/// </summary>
public interface IPaymentStatistics
{
    /// <summary>From the oldest point to the one of <paramref name="now"/>, without gaps.</summary>
    Task<PaymentSeries> Series(StatisticsSpan span, DateTimeOffset now);

    /// <summary>All of the minutes from the one of <paramref name="from"/> on; at most 8 days back.</summary>
    Task<PaymentCounts> Since(DateTimeOffset from);

    /// <summary>Payments that are in doubt now, of whatever time; tests are not among them.</summary>
    Task<long> InDoubt();
}

/// <summary>How far back a series goes, and how fine it is.</summary>
public enum StatisticsSpan
{
    /// <summary>By the minute.</summary>
    Hour,

    /// <summary>By 5 minutes.</summary>
    Day,

    /// <summary>By 30 minutes.</summary>
    Week,
}

/// <param name="From">The beginning of the first point; a whole multiple of <paramref name="Step"/> since 1970.</param>
/// <param name="Points">The last one is not over.</param>
public sealed record PaymentSeries(DateTimeOffset From, TimeSpan Step, IReadOnlyList<PaymentCounts> Points)
{
    public DateTimeOffset TimeOf(int point) => From + (Step * point);

    public static (TimeSpan Length, TimeSpan Step) Of(StatisticsSpan span) => span switch
    {
        StatisticsSpan.Hour => (TimeSpan.FromHours(1), TimeSpan.FromMinutes(1)),
        StatisticsSpan.Day => (TimeSpan.FromDays(1), TimeSpan.FromMinutes(5)),
        _ => (TimeSpan.FromDays(7), TimeSpan.FromMinutes(30)),
    };
}

/// <summary>What became of the payments that were accepted in some time.</summary>
public sealed class PaymentCounts
{
    public long Accepted { get; set; }

    public long Approved { get; set; }

    public long Declined { get; set; }

    public long NotCharged { get; set; }

    /// <summary>Charged late, and given back by the hub.</summary>
    public long Refunded { get; set; }

    /// <summary>Nobody knows yet.</summary>
    public long InDoubt { get; set; }

    /// <summary>Of the approved ones; what people gave back later is in it.</summary>
    public long ApprovedFen { get; set; }

    public ResultTimes Times { get; } = new();

    /// <summary>Those that have a result.</summary>
    public long Ended => Approved + Declined + NotCharged + Refunded;

    /// <summary>Those that run, and are not in doubt.</summary>
    public long Running => Accepted - Ended - InDoubt;

    /// <summary>Approved ones of those that have a result, 0 to 1; null: none has.</summary>
    public double? SuccessShare => Ended == 0 ? null : (double)Approved / Ended;

    public void Add(PaymentCounts other)
    {
        Accepted += other.Accepted;
        Approved += other.Approved;
        Declined += other.Declined;
        NotCharged += other.NotCharged;
        Refunded += other.Refunded;
        InDoubt += other.InDoubt;
        ApprovedFen += other.ApprovedFen;
        Times.Add(other.Times);
    }
}
