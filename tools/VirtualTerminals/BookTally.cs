namespace DeviceHub.Tools.VirtualTerminals;

/// <summary>A terminals' book in figures. The results and <see cref="Open"/> add up to <see cref="Payments"/>.</summary>
/// <param name="P50Ms">From scan to outcome, of the payments that have one; 0: none has.</param>
public sealed record BookTally(int Payments, int Approved, int Declined, int NotCharged, int Refunded, int Refused, int Open, double P50Ms, double P99Ms)
{
    public static BookTally Of(IReadOnlyCollection<BookEntry> entries)
    {
        var told = entries.CountBy(e => e.Told).ToDictionary();
        var latencies = entries.Where(e => e.OutcomeMs is not null).Select(e => e.OutcomeMs!.Value).Order().ToArray();
        return new BookTally(
            entries.Count,
            told.GetValueOrDefault(Told.Approved),
            told.GetValueOrDefault(Told.Declined),
            told.GetValueOrDefault(Told.NotCharged),
            told.GetValueOrDefault(Told.Refunded),
            told.GetValueOrDefault(Told.Refused),
            entries.Count(e => !e.IsSettled),
            Percentile(latencies, 0.50),
            Percentile(latencies, 0.99));
    }

    /// <summary>The smallest value that at least this share does not exceed.</summary>
    private static double Percentile(double[] ordered, double share) =>
        ordered.Length == 0 ? 0 : ordered[Math.Max(0, (int)Math.Ceiling(ordered.Length * share) - 1)];
}
