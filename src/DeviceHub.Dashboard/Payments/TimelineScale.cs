using DeviceHub.Core.Payments;

namespace DeviceHub.Dashboard.Payments;

/// <summary>A wait that is drawn shorter than it was.</summary>
/// <param name="From">0 to 1 of the line.</param>
internal readonly record struct ScaleBreak(double From, double To, double Ms);

/// <summary>
/// Places the moments of a timeline on a line from 0 to 1. The line is true to time, but for waits that are much longer than all else: those are
/// cut to a fixed length each, so that 40 ms of work stay visible beside ten minutes of waiting.
/// </summary>
internal sealed class TimelineScale
{
    /// <summary>Nothing shorter is cut.</summary>
    private const double MinCutMs = 2_000;

    /// <summary>A wait this many times as long as all that is shorter is cut.</summary>
    private const double TimesTheRest = 3;

    /// <summary>Waits this many times as long as all the work beside them hide it.</summary>
    private const double HidesWork = 30;

    private const double CutLength = 0.09;

    /// <summary>All cuts together.</summary>
    private const double MaxCuts = 0.5;

    private readonly double[] moments;
    private readonly double[] places;

    /// <param name="momentsMs">Milliseconds since the scan.</param>
    public TimelineScale(IEnumerable<double> momentsMs)
    {
        moments = [.. momentsMs.Distinct().Order()];
        places = new double[moments.Length];
        var waits = moments.Skip(1).Zip(moments, (to, from) => to - from).ToArray();
        var cut = CutFrom(waits);
        var cuts = waits.Count(w => w >= cut);
        var linear = waits.Where(w => w < cut).Sum();
        var cutLength = cuts == 0 ? 0 : Math.Min(CutLength, MaxCuts / cuts);
        var breaks = new List<ScaleBreak>(cuts);
        for (var i = 0; i < waits.Length; i++)
        {
            var length = waits[i] >= cut ? cutLength : linear == 0 ? 0 : waits[i] / linear * (1 - (cuts * cutLength));
            places[i + 1] = places[i] + length;
            if (waits[i] >= cut && breaks is [.., var last] && last.To == places[i])
            {
                // One wait after the other is one to who looks.
                breaks[^1] = new(last.From, places[i + 1], last.Ms + waits[i]);
            }
            else if (waits[i] >= cut)
            {
                breaks.Add(new(places[i], places[i + 1], waits[i]));
            }
        }

        Breaks = breaks;
        MsPerLength = linear == 0 ? 0 : linear / (1 - (cuts * cutLength));
    }

    public IReadOnlyList<ScaleBreak> Breaks { get; }

    /// <summary>Of the parts that are true to time: milliseconds of the whole line's length.</summary>
    public double MsPerLength { get; }

    /// <param name="ms">Since the scan; what lies outside is at the line's end.</param>
    public double Place(double ms)
    {
        var after = Array.BinarySearch(moments, ms);
        if (after >= 0)
        {
            return places[after];
        }

        after = ~after;
        return after == 0 ? 0 : after == moments.Length ? places[^1]
            : places[after - 1] + ((ms - moments[after - 1]) / (moments[after] - moments[after - 1]) * (places[after] - places[after - 1]));
    }

    /// <summary>Round moments in the parts that are true to time, whole milliseconds, no nearer to each other than <paramref name="apart"/> of the line.</summary>
    public IReadOnlyList<double> Ticks(double apart)
    {
        var step = MsPerLength > 0 ? Math.Max(1, NiceStep(MsPerLength * apart)) : 0;
        var ticks = new List<double>();
        var last = double.NegativeInfinity;
        for (var i = 0; step > 0 && i + 1 < moments.Length; i++)
        {
            if (Breaks.Any(b => b.From <= places[i] && b.To >= places[i + 1]))
            {
                continue;
            }

            for (var at = Math.Ceiling(moments[i] / step) * step; at <= moments[i + 1]; at += step)
            {
                if (Place(at) - last >= apart * 0.9)
                {
                    ticks.Add(at);
                    last = Place(at);
                }
            }
        }

        return ticks;
    }

    /// <summary>Waits from this length on are cut; infinity: none is.</summary>
    private static double CutFrom(double[] waits)
    {
        var (shorter, cut) = (0.0, double.PositiveInfinity);
        foreach (var wait in waits.Order())
        {
            if (wait >= MinCutMs && shorter > 0 && wait > TimesTheRest * shorter)
            {
                cut = wait;
                break;
            }

            shorter += wait;
        }

        // Waits that double each time are none of them much longer than all before; together they still hide what is short.
        var work = waits.Where(w => w < MinCutMs).Sum();
        return work > 0 && shorter > HidesWork * work ? MinCutMs : cut;
    }

    private static double NiceStep(double atLeast)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(atLeast)));
        return power * (atLeast / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
    }
}

/// <summary>A step where it is drawn.</summary>
/// <param name="Number">In the list, from 1.</param>
/// <param name="Row">Within its lane, from 0: steps that would cover each other lie in rows.</param>
/// <param name="From">0 to 1 of the line.</param>
internal sealed record PlacedStep(TimelineStep Step, int Number, int Row, double From, double To);

/// <summary>A lane with its steps.</summary>
internal sealed record PlacedLane(TimelineLane Lane, int Index, int Rows, IReadOnlyList<PlacedStep> Steps);

/// <summary>A timeline laid out along a line, whichever way the line is drawn.</summary>
internal sealed class TimelineLayout
{
    /// <param name="now">What has not ended is drawn to here.</param>
    /// <param name="markLength">What a step's mark takes of the line: no two marks of a row are nearer.</param>
    public TimelineLayout(PaymentTimeline timeline, DateTimeOffset now, double markLength)
    {
        double Ms(DateTimeOffset at) => (at - timeline.ScannedAt).TotalMilliseconds;
        var running = timeline.Steps.Any(s => s.To is null);
        Scale = new TimelineScale(timeline.Steps.SelectMany(s => (double[])[Ms(s.From), Ms(s.To ?? s.From)]).Concat(running ? [Ms(now)] : []));
        var lanes = new List<PlacedLane>();
        for (var lane = 0; lane < timeline.Lanes.Count; lane++)
        {
            var (ends, placed) = (new List<double>(), new List<PlacedStep>());
            for (var i = 0; i < timeline.Steps.Count; i++)
            {
                var step = timeline.Steps[i];
                if (step.Lane == lane)
                {
                    var (from, to) = (Scale.Place(Ms(step.From)), Scale.Place(Ms(step.To ?? now)));
                    var row = ends.FindIndex(end => end <= from);
                    if (row < 0)
                    {
                        row = ends.Count;
                        ends.Add(0);
                    }

                    ends[row] = Math.Max(to, from + markLength) + (markLength / 8);
                    placed.Add(new(step, i + 1, row, from, to));
                }
            }

            lanes.Add(new(timeline.Lanes[lane], lane, Math.Max(1, ends.Count), placed));
        }

        Lanes = lanes;
    }

    public TimelineScale Scale { get; }

    public IReadOnlyList<PlacedLane> Lanes { get; }
}
