using System.Diagnostics;
using HdrHistogram;

namespace DeviceHub.Tools.LoadBench.Driver;

/// <summary>What the driver's thread counts; reset at the start of a measured run.</summary>
internal sealed class Tally
{
    private readonly LongHistogram latency = new(1, 60_000_000, 3);

    public int Ready { get; set; }

    public long Requests { get; private set; }

    public long Heartbeats { get; set; }

    public long Failures { get; private set; }

    public string? FirstFailure { get; private set; }

    public double P50Ms => Percentile(50);

    public double P99Ms => Percentile(99);

    public void Answered(long ticks)
    {
        Requests++;
        latency.RecordValue(Math.Clamp(ticks * 1_000_000 / Stopwatch.Frequency, 1, 60_000_000));
    }

    public void Fail(string what)
    {
        Failures++;
        FirstFailure ??= what;
    }

    public void Reset()
    {
        latency.Reset();
        Requests = 0;
        Heartbeats = 0;
    }

    private double Percentile(double percent) => Requests == 0 ? 0 : Math.Round(latency.GetValueAtPercentile(percent) / 1000.0, 3);
}
