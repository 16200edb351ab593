using DeviceHub.Tools.Bench.Conformance;
using DeviceHub.Tools.Bench.Line;
using DeviceHub.Tools.Bench.Link;
using DeviceHub.Tools.Bench.Reports;

namespace DeviceHub.Tools.Bench.Plans;

internal enum LaneState { Waiting, Testing, Done }

/// <summary>What a lane shows; read by the screen while the lane works.</summary>
internal sealed class LaneView(string port)
{
    public string Port => port;

    public LaneState State { get; set; }

    public string Serial { get; set; } = "";

    /// <summary>What it waits for, or what is wrong with the port.</summary>
    public string Note { get; set; } = "";

    public string Step { get; set; } = "";

    public int StepNumber { get; set; }

    public TimeSpan Began { get; set; }

    /// <summary>What the operator is to do, or is asked; empty: nothing.</summary>
    public string Instruction { get; set; } = "";

    public Verdict Verdict { get; set; }

    public LatencyBook? RoundTrips { get; set; }

    /// <summary>Of the unit that is tested, or was tested last. Replaced, never changed.</summary>
    public IReadOnlyList<StepResult> Results { get; set; } = [];

    public int Passed { get; set; }

    public int Failed { get; set; }
}

/// <summary>What all lanes have in common.</summary>
/// <param name="Units">To be tested on each lane; 0: until it is stopped.</param>
/// <param name="Labels">Null: a unit is tested when it is plugged in; else when its label was scanned, too.</param>
/// <param name="MakeHands">What acts upon a unit where the plan has no command.</param>
/// <param name="MakeOperator">Who is asked.</param>
/// <param name="Report">What becomes of a report.</param>
internal sealed record LaneOptions(
    Plan Plan, int Baud, int Units, TerminalKeys Keys, ScannedLabels? Labels, Func<LaneView, IJig> MakeHands, Func<LaneView, IOperator> MakeOperator, Func<BenchReport, string?> Report, Texts Texts);

/// <summary>Labels that were scanned, each for one test.</summary>
internal sealed class ScannedLabels
{
    private readonly HashSet<string> labels = new(StringComparer.OrdinalIgnoreCase);

    public void Add(string label)
    {
        lock (labels)
        {
            labels.Add(label.Trim());
        }
    }

    public bool Take(string serialNumber)
    {
        lock (labels)
        {
            return labels.Remove(serialNumber);
        }
    }
}

/// <summary>One port: waits for a unit, tests it, shows the verdict until the unit is gone, and waits for the next.</summary>
internal sealed class Lane(string port, LaneOptions options, Action<LaneView, StepResult?> told)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    /// <summary>A unit that says nothing for so long is gone.</summary>
    private static readonly TimeSpan Gone = TimeSpan.FromSeconds(2);

    public LaneView View { get; } = new(port);

    /// <returns>The verdicts of the units.</returns>
    public async Task<IReadOnlyList<Verdict>> Work(CancellationToken stop)
    {
        var verdicts = new List<Verdict>();
        while (!stop.IsCancellationRequested && (options.Units == 0 || verdicts.Count < options.Units))
        {
            try
            {
                using var line = SerialLine.Open(port, options.Baud);
                using var link = new BenchLink(line, options.Baud);
                await WithPort(line, link, new BenchSession(link, options.Keys), verdicts, stop);
            }
            catch (PortException e)
            {
                if (options.Units > 0)
                {
                    throw;
                }

                // On a line the port comes with the unit.
                (View.State, View.Note, View.Instruction) = (LaneState.Waiting, File.Exists(port) ? e.Message : options.Texts["PlugIn"], "");
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return verdicts;
            }

            await Task.WhenAny(Task.Delay(Look * 5, stop));
        }

        return verdicts;
    }

    private async Task WithPort(SerialLine line, BenchLink link, BenchSession session, List<Verdict> verdicts, CancellationToken stop)
    {
        while (options.Units == 0 || verdicts.Count < options.Units)
        {
            (View.State, View.Serial, View.Note) = (LaneState.Waiting, "", options.Texts[options.Labels is null ? "PlugIn" : "PlugInAndScan"]);
            await Until(() => link.IsUp && session.Hello is not null && (options.Labels?.Take(link.Hello!.SerialNumber) ?? true), line, stop);
            using (var lost = CancellationTokenSource.CreateLinkedTokenSource(stop))
            {
                _ = line.Ended.ContinueWith(_ => lost.Cancel(), lost.Token, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
                verdicts.Add(await Test(link, session, lost.Token));
                await lost.CancelAsync();
            }

            if (line.Ended.IsCompleted && options.Units > 0)
            {
                throw new PortException($"{port}: lost during the test");
            }

            if (options.Units == 0 || verdicts.Count < options.Units)
            {
                await UntilGone(line, link, stop);
            }
        }
    }

    private async Task<Verdict> Test(BenchLink link, BenchSession session, CancellationToken stop)
    {
        var run = new PlanRun(options.Plan, link, session, options.Texts);
        (View.State, View.Serial, View.Began, View.Results, View.RoundTrips) = (LaneState.Testing, link.Hello!.SerialNumber, SerialLine.Now, [], run.RoundTrips);
        var report = await run.Run(
            options.MakeHands(View),
            options.MakeOperator(View),
            (number, title) => (View.StepNumber, View.Step, View.Instruction) = (number + 1, title, ""),
            result =>
            {
                View.Results = [.. View.Results, result];
                told(View, result);
            },
            stop);
        (View.State, View.Verdict, View.Instruction, View.Note) = (LaneState.Done, report.Verdict, "", options.Report(report) ?? "");
        View.Passed += report.Verdict == Verdict.Pass ? 1 : 0;
        View.Failed += report.Verdict == Verdict.Pass ? 0 : 1;
        told(View, null);
        return report.Verdict;
    }

    /// <summary>Unplugged, silent, or another unit.</summary>
    private static async Task UntilGone(SerialLine line, BenchLink link, CancellationToken stop)
    {
        var (tested, upAt) = (link.Hello!.SerialNumber, SerialLine.Now);
        await Until(
            () =>
            {
                upAt = link.IsUp ? SerialLine.Now : upAt;
                return SerialLine.Now - upAt > Gone || (link.IsUp && link.Hello!.SerialNumber != tested);
            },
            line,
            stop);
    }

    private static async Task Until(Func<bool> condition, SerialLine line, CancellationToken stop)
    {
        while (!condition())
        {
            if (line.Ended.IsCompleted)
            {
                throw new PortException($"{line.Path}: unplugged");
            }

            await Task.Delay(Look, stop);
        }
    }
}
