using System.Collections.Concurrent;
using System.Diagnostics;
using DeviceHub.Core.Payments;

namespace DeviceHub.Simulation;

/// <summary>What many seeds came to.</summary>
/// <param name="Failed">The smallest seed that failed among those that were run; null: none did.</param>
internal sealed record RunEnd(int Seeds, TimeSpan Took, IReadOnlyDictionary<string, int> Seen, SeedEnd? Failed);

/// <summary>Seeds on all cores, until one fails.</summary>
internal static class SimulationRun
{
    private const int Share = 64;

    /// <param name="count">At least 1.</param>
    public static RunEnd Run(int from, int count, Seams? seams = null, Action<int>? progress = null)
    {
        var options = new PaymentOptions();
        var failed = new ConcurrentQueue<SeedEnd>();
        var seen = new ConcurrentDictionary<string, int>();
        var ran = 0;
        var watch = Stopwatch.StartNew();
        Parallel.ForEach(Partitioner.Create(0, count, Share), (range, loop) =>
        {
            // By shares in order, so that what fails first is among the smallest seeds.
            for (var i = range.Item1; i < range.Item2 && !loop.ShouldExitCurrentIteration; i++)
            {
                var end = PaymentSimulation.Run(from + i, options, seams);
                var done = Interlocked.Increment(ref ran);
                foreach (var what in end.Seen)
                {
                    seen.AddOrUpdate(what, 1, static (_, n) => n + 1);
                }

                if (end.Fault is not null)
                {
                    failed.Enqueue(end);
                    loop.Break();
                    return;
                }

                progress?.Invoke(done);
            }
        });
        return new(ran, watch.Elapsed, seen, failed.MinBy(f => f.Seed));
    }
}
