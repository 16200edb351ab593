using System.Collections.Immutable;

namespace DeviceHub.Core.Payments;

/// <summary>How long payments took from the scan to the result, counted by fixed steps, so that those of many minutes can be added.</summary>
public sealed class ResultTimes
{
    /// <summary>The steps' upper limits in milliseconds, the limit itself included. Columns of a table: they are never changed.</summary>
    public static readonly ImmutableArray<int> LimitsMs =
        [50, 100, 150, 200, 300, 400, 500, 700, 1000, 1500, 2000, 3000, 5000, 7000, 10_000, 15_000, 20_000, 30_000, 60_000];

    /// <summary>One for each limit, and one for what took longer than the last.</summary>
    public static readonly int Steps = LimitsMs.Length + 1;

    private readonly long[] counts = new long[Steps];

    /// <summary>Payments in it.</summary>
    public long Count { get; private set; }

    public long this[int step] => counts[step];

    public static int StepOf(long tookMs)
    {
        var at = LimitsMs.BinarySearch((int)Math.Clamp(tookMs, 0, int.MaxValue));
        return at < 0 ? ~at : at;
    }

    public void Add(int step, long payments)
    {
        counts[step] += payments;
        Count += payments;
    }

    public void Add(ResultTimes other)
    {
        for (var step = 0; step < Steps; step++)
        {
            Add(step, other.counts[step]);
        }
    }

    /// <summary>The time within which this share of the payments had their result, between a step's limits in proportion. What lies above the last limit is told as it.</summary>
    /// <param name="share">Above 0, to 1.</param>
    /// <returns>Milliseconds; null: there are no payments.</returns>
    public double? Quantile(double share)
    {
        if (Count == 0)
        {
            return null;
        }

        var wanted = share * Count;
        var below = 0L;
        for (var step = 0; step < LimitsMs.Length; step++)
        {
            if (below + counts[step] >= wanted)
            {
                var from = step == 0 ? 0 : LimitsMs[step - 1];
                return from + ((LimitsMs[step] - from) * (wanted - below) / counts[step]);
            }

            below += counts[step];
        }

        return LimitsMs[^1];
    }
}
