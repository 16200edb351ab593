using DeviceHub.Core.Payments;

namespace DeviceHub.Storage;

internal sealed class PaymentStatistics(SearchPool pool) : IPaymentStatistics
{
    /// <summary>No question goes further back.</summary>
    private const int MostMinutes = 8 * 24 * 60;

    public async Task<PaymentSeries> Series(StatisticsSpan span, DateTimeOffset now)
    {
        var (length, step) = PaymentSeries.Of(span);
        var minutes = (long)step.TotalMinutes;
        var last = PaymentMinutes.MinuteOf(now) / minutes;
        var first = last - ((long)length.TotalMinutes / minutes) + 1;
        var points = await pool.Read((first, last, minutes), static (db, q) =>
        {
            var points = new PaymentCounts[q.last - q.first + 1];
            for (var i = 0; i < points.Length; i++)
            {
                points[i] = new PaymentCounts();
            }

            PaymentMinutes.Read(db, q.first * q.minutes, MostMinutes, (minute, counts) =>
            {
                // A payment may have been accepted after the question.
                points[Math.Min((minute / q.minutes) - q.first, points.Length - 1)].Add(counts);
            });
            return points;
        }).ConfigureAwait(false);
        return new PaymentSeries(DateTimeOffset.FromUnixTimeSeconds(first * minutes * 60), step, points);
    }

    public async Task<PaymentCounts> Since(DateTimeOffset from) => await pool.Read(PaymentMinutes.MinuteOf(from), static (db, minute) =>
    {
        var sum = new PaymentCounts();
        PaymentMinutes.Read(db, minute, MostMinutes, (_, counts) => sum.Add(counts));
        return sum;
    }).ConfigureAwait(false);

    public async Task<long> InDoubt() =>
        await pool.Read(0, static (db, _) => db.Prepare($"SELECT count(*) FROM payment WHERE stage = 4 AND {SqlText.NoTest}").Number()).ConfigureAwait(false);
}
