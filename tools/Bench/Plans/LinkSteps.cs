using DeviceHub.Tools.Bench.Conformance;
using DeviceHub.Tools.Bench.Line;
using DeviceHub.Tools.Bench.Link;
using DeviceHub.Tools.Bench.Reports;
using static DeviceHub.Tools.Bench.Conformance.Rig;
using Up = DeviceHub.Protocol.Wire.Uplink.BodyOneofCase;

namespace DeviceHub.Tools.Bench.Plans;

/// <summary>What the line and the link on it can bear.</summary>
internal static class LinkSteps
{
    public static async Task RoundTrips(StepContext on)
    {
        await on.Line.Linked();
        await Trips(on, (int)on.Step.Number("count"), (int)on.Step.Number("bytes"), on.Step.Number("p99-ms"));
    }

    public static async Task Baud(StepContext on)
    {
        await on.Line.Linked();
        var rates = on.Line.Link.Hello!.Rates.ToList();
        if (rates.Count == 0)
        {
            throw new CaseBlockedException("HELLO names no faster rate");
        }

        foreach (var rate in rates)
        {
            await on.Line.Linked(habits: new LinkHabits { GrantUpTo = rate });
            Assert(on.Line.Link.Rate == rate, $"{rate} baud was granted, and the line is at {on.Line.Link.Rate}");
            await Trips(on, (int)on.Step.Number("count"), 256, on.Step.Number("p99-ms"), $" at {rate} baud");
        }
    }

    /// <summary>Every payload must come through a bad line once and in order, or the link must say that it is down, and come back.</summary>
    public static async Task Noise(StepContext on)
    {
        await on.Line.Linked();
        var noise = new LineNoise(
            new NoiseLevel(on.Step.Number("flip"), on.Step.Number("drop"), on.Step.Number("repeat"), (int)on.Step.Number("delay-ms")), (int)on.Step.Number("seed"));
        var (count, lost, resent) = ((int)on.Step.Number("count"), 0, on.Line.Link.Resent);
        on.Line.Link.Noise = noise;
        try
        {
            for (var i = 0; i < count; i++)
            {
                if (await on.Line.Link.Send(FrameCases.ProbeOf(200)) is null)
                {
                    lost++;
                    await on.Line.Next(h => h.Has(Up.Hello), Ms(20_000));
                }
            }
        }
        finally
        {
            on.Line.Link.Noise = null;
        }

        on.Line.Measure("bytes that the bench spoiled", noise.Flipped + noise.Dropped + noise.Repeated, "");
        on.Line.Measure("frames sent again", on.Line.Link.Resent - resent, "");
        on.Line.Measure("times the link was lost", lost, "", atMost: Math.Ceiling(count * 0.1));
        await on.Line.Linked();
    }

    public static async Task Conformance(StepContext on)
    {
        var cases = ConformanceRun.Cases.Where(c => on.Step.List("cases").Any(prefix => c.Id.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))).ToList();
        var results = new List<StepResult>();
        foreach (var one in cases)
        {
            results.Add(await ConformanceRun.Run(one, on.Rig) ?? throw new OperationCanceledException(on.Rig.Cancellation));
        }

        on.Rig.Forget();
        on.Rig.Measure("cases passed", results.Count(r => r.Status == StepStatus.Passed), "");
        on.Rig.Measure("cases not run", results.Count(r => r.Status == StepStatus.Skipped), "");
        foreach (var skipped in results.Where(r => r.Status == StepStatus.Skipped).GroupBy(r => r.Detail, r => r.Id))
        {
            on.Rig.LeaveOut($"{string.Join(", ", skipped)}: {skipped.Key}");
        }

        var failed = results.Where(r => r.Status == StepStatus.Failed).ToList();
        Assert(failed.Count == 0, string.Join("; ", failed.Select(f => $"{f.Id} {f.Title}: {f.Detail}")));
        if (results.All(r => r.Status == StepStatus.Skipped))
        {
            throw new CaseBlockedException("no case was run");
        }
    }

    public static async Task Soak(StepContext on)
    {
        var (hours, every) = (on.Step.Number("hours"), Ms(on.Step.Number("every-ms")));
        await on.Line.LoggedIn();
        var (until, sent, lost, book) = (Now + TimeSpan.FromHours(hours), 0, 0, new LatencyBook("soak"));
        using var timer = new PeriodicTimer(every);
        while (Now < until && await timer.WaitForNextTickAsync(on.Line.Cancellation))
        {
            sent++;
            if (await on.Line.Link.Send(FrameCases.ProbeOf(64)) is { } took)
            {
                book.Add(took.TotalMilliseconds);
                on.Latencies.Add(took.TotalMilliseconds);
            }
            else
            {
                lost++;
                await on.Line.Next(h => h.Has(Up.Heartbeat), Ms(40_000));
            }
        }

        on.Line.Measure("round trips", sent - lost, "");
        on.Line.Measure("times the link was lost", lost, "", atMost: on.Step.Number("lost"));
        on.Line.Measure("p99 of the round trips", book.Percentile(0.99), "ms", atMost: on.Step.Number("p99-ms"));
    }

    private static async Task Trips(StepContext on, int count, int bytes, double p99Ms, Phrase? where = null)
    {
        var (book, resent) = (new LatencyBook("round trips"), on.Line.Link.Resent);
        for (var i = 0; i < count; i++)
        {
            var took = await on.Line.Link.Send(FrameCases.ProbeOf(bytes)) ?? throw new CaseFailedException($"round trip {i + 1} of {count}{where} was not acknowledged");
            book.Add(took.TotalMilliseconds);
            on.Latencies.Add(took.TotalMilliseconds);
        }

        on.Line.Measure($"frames sent again{where}", on.Line.Link.Resent - resent, "");
        on.Line.Measure($"p50{where}", book.Percentile(0.5), "ms");
        on.Line.Measure($"p99{where}", book.Percentile(0.99), "ms", atMost: p99Ms);
    }
}
