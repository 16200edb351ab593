using DeviceHub.Tools.Bench.Codes;
using DeviceHub.Tools.Bench.Conformance;
using DeviceHub.Tools.Bench.Hub;
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

    /// <summary>What the operator is to scan, from the screen or from paper; null: nothing, or any code.</summary>
    public DrawnCode? Code { get; set; }

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

/// <summary>A place where units are tested: a port, or a hub.</summary>
internal abstract class Lane(string place, LaneOptions options, Action<LaneView, StepResult?> told)
{
    public LaneView View { get; } = new(place);

    protected LaneOptions Options => options;

    /// <returns>The verdicts of the units.</returns>
    public abstract Task<IReadOnlyList<Verdict>> Work(CancellationToken stop);

    protected async Task<Verdict> Test(string serialNumber, Func<IJig, CancellationToken, Rig> reach, CancellationToken stop)
    {
        var run = new PlanRun(options.Plan, reach, place, options.Texts);
        (View.State, View.Serial, View.Began, View.Results, View.RoundTrips) = (LaneState.Testing, serialNumber, SerialLine.Now, [], run.RoundTrips);
        var report = await run.Run(
            options.MakeHands(View),
            options.MakeOperator(View),
            (number, title) => (View.StepNumber, View.Step, View.Instruction, View.Code) = (number + 1, title, "", null),
            result =>
            {
                View.Results = [.. View.Results, result];
                told(View, result);
            },
            stop);
        (View.State, View.Verdict, View.Instruction, View.Code, View.Note) = (LaneState.Done, report.Verdict, "", null, options.Report(report) ?? "");
        View.Passed += report.Verdict == Verdict.Pass ? 1 : 0;
        View.Failed += report.Verdict == Verdict.Pass ? 0 : 1;
        told(View, null);
        return report.Verdict;
    }
}

/// <summary>One port: waits for a unit, tests it, shows the verdict until the unit is gone, and waits for the next.</summary>
internal sealed class PortLane(string port, LaneOptions options, Action<LaneView, StepResult?> told) : Lane(port, options, told)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    /// <summary>A unit that says nothing for so long is gone.</summary>
    private static readonly TimeSpan Gone = TimeSpan.FromSeconds(2);

    public override async Task<IReadOnlyList<Verdict>> Work(CancellationToken stop)
    {
        var verdicts = new List<Verdict>();
        while (!stop.IsCancellationRequested && (Options.Units == 0 || verdicts.Count < Options.Units))
        {
            try
            {
                using var line = SerialLine.Open(View.Port, Options.Baud);
                using var link = new BenchLink(line, Options.Baud);
                await WithPort(line, link, new BenchSession(link, Options.Keys), verdicts, stop);
            }
            catch (PortException e)
            {
                if (Options.Units > 0)
                {
                    throw;
                }

                // On a line the port comes with the unit.
                (View.State, View.Note, View.Instruction) = (LaneState.Waiting, File.Exists(View.Port) ? e.Phrase.In(Options.Texts) : Options.Texts["PlugIn"], "");
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
        while (Options.Units == 0 || verdicts.Count < Options.Units)
        {
            (View.State, View.Serial, View.Note) = (LaneState.Waiting, "", Options.Texts[Options.Labels is null ? "PlugIn" : "PlugInAndScan"]);
            await Until(() => link.IsUp && session.Hello is not null && (Options.Labels?.Take(link.Hello!.SerialNumber) ?? true), line, stop);
            using (var lost = CancellationTokenSource.CreateLinkedTokenSource(stop))
            {
                _ = line.Ended.ContinueWith(_ => lost.Cancel(), lost.Token, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
                verdicts.Add(await Test(link.Hello!.SerialNumber, (hands, stopped) => new LineRig(link, session, hands, Options.Texts, stopped), lost.Token));
                await lost.CancelAsync();
            }

            // Ctrl-C reaches what makes the line too, as a socat: then it was stopped.
            stop.ThrowIfCancellationRequested();
            if (line.Ended.IsCompleted && Options.Units > 0)
            {
                throw new PortException($"{View.Port}: lost during the test: {await line.Ended}");
            }

            if (Options.Units == 0 || verdicts.Count < Options.Units)
            {
                await UntilGone(line, link, stop);
            }
        }
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
            stop.ThrowIfCancellationRequested();
            if (line.Ended.IsCompleted)
            {
                throw new PortException($"{line.Path}: lost: {await line.Ended}");
            }

            await Task.Delay(Look, stop);
        }
    }
}

/// <summary>One terminal that is logged in at a hub.</summary>
internal sealed class HubLane(HubTarget hub, LaneOptions options, Action<LaneView, StepResult?> told) : Lane(hub.Address.ToString(), options, told)
{
    public override async Task<IReadOnlyList<Verdict>> Work(CancellationToken stop) =>
        [await hub.Reach((reach, stopped) => Test(hub.SerialNumber, reach, stopped), Options.Texts, stop)];
}
