using DeviceHub.Tools.Bench.Conformance;
using DeviceHub.Tools.Bench.Line;
using DeviceHub.Tools.Bench.Link;
using DeviceHub.Tools.Bench.Reports;

namespace DeviceHub.Tools.Bench.Plans;

/// <summary>A plan, for one unit that is there.</summary>
/// <param name="reach">The rig that reaches the unit, with these hands, until it is stopped.</param>
internal sealed class PlanRun(Plan plan, Func<IJig, CancellationToken, Rig> reach, string place, Texts texts)
{
    public LatencyBook RoundTrips { get; } = new("round trips");

    /// <param name="makeJig">What acts upon the unit when the plan has no command for it.</param>
    /// <param name="began">A step begins: its place from 0 and its title.</param>
    /// <param name="ended">And has ended.</param>
    public async Task<BenchReport> Run(IJig makeJig, IOperator people, Action<int, string> began, Action<StepResult> ended, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(TimeSpan.FromSeconds(plan.LimitSeconds));
        var rig = reach(new EitherJig(new CommandJig(plan.Jig, place), makeJig), limit.Token);
        var (startedAt, from, results) = (TimeProvider.System.GetLocalNow(), SerialLine.Now, new List<StepResult>());
        void Add(StepResult result)
        {
            results.Add(result);
            ended(result);
        }

        if (plan.Before is { } before)
        {
            Add(await Outside(rig, "before", before, Verdict.Incomplete));
        }

        for (var i = 0; i < plan.Steps.Count && !limit.IsCancellationRequested; i++)
        {
            var step = plan.Steps[i];
            var (id, title) = ($"{i + 1}", texts["Step_" + step.Kind.Name]);
            began(i, title);
            var result = await rig.Judge(id, title, null, () => step.Kind.Run(new StepContext(step, rig, people, RoundTrips, texts, plan.LimitSeconds)));
            if (result is not null)
            {
                Add(result);
            }
            else if (!stop.IsCancellationRequested)
            {
                Add(new StepResult(id, title, null, StepStatus.Failed, texts.Format("TooLong", plan.LimitSeconds), [], Math.Round((SerialLine.Now - from).TotalSeconds, 3)));
            }
        }

        var report = BenchReport.Of(rig, "test", plan.Name, startedAt, from, stop.IsCancellationRequested, results, RoundTrips.ToHistogram());
        if (plan.After is { } after)
        {
            // Over, stopped or unplugged: the relay lets go of the unit all the same.
            Add(await Outside(reach(new NoJig(), CancellationToken.None), "after", after, report.Verdict));
        }

        return report with { Steps = [.. results] };
    }

    private async Task<StepResult> Outside(Rig rig, string name, string command, Verdict verdict) =>
        await rig.Judge(name, command, null, async () =>
        {
            var variables = new Dictionary<string, string>
            {
                ["BENCH_PORT"] = place,
                ["BENCH_SERIAL"] = rig.SerialNumber,
                ["BENCH_VERDICT"] = verdict.ToString().ToUpperInvariant(),
            };
            var (code, line) = await CommandJig.Run(command, variables, rig.Cancellation);
            Rig.Assert(code == 0, $"the command ended with {code}: {line}");
        }) ?? new StepResult(name, command, null, StepStatus.Failed, texts["Stopped"], [], 0);
}
