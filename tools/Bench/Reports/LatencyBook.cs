namespace DeviceHub.Tools.Bench.Reports;

/// <summary>Latencies of one kind, in memory that does not grow with a long soak. Thread-safe.</summary>
internal sealed class LatencyBook(string name)
{
    private const double Finest = 0.05;
    private const double Growth = 1.05;

    private static readonly double[] Shown = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

    /// <summary>Logarithmic: each bucket's bound is 5 % above the one before.</summary>
    private readonly int[] buckets = new int[320];
    private readonly int[] shown = new int[Shown.Length + 1];
    private double most;

    public int Count { get; private set; }

    public void Add(double ms)
    {
        lock (buckets)
        {
            Count++;
            most = Math.Max(most, ms);
            buckets[Math.Clamp((int)Math.Ceiling(Math.Log(Math.Max(ms, Finest) / Finest, Growth)), 0, buckets.Length - 1)]++;
            var bound = Array.FindIndex(Shown, b => ms <= b);
            shown[bound < 0 ? Shown.Length : bound]++;
        }
    }

    /// <param name="share">0 to 1.</param>
    public double Percentile(double share)
    {
        lock (buckets)
        {
            var wanted = Math.Max(1, (int)Math.Ceiling(Count * share));
            for (int i = 0, seen = 0; i < buckets.Length; i++)
            {
                seen += buckets[i];
                if (seen >= wanted)
                {
                    return Math.Min(most, Finest * Math.Pow(Growth, i));
                }
            }

            return 0;
        }
    }

    public Histogram ToHistogram()
    {
        lock (buckets)
        {
            return new(name, Shown, [.. shown], Rounded(Percentile(0.5)), Rounded(Percentile(0.99)), Rounded(most));
        }
    }

    private static double Rounded(double ms) => Math.Round(ms, 3);
}
