using DeviceHub.Tools.Bench.Reports;

namespace DeviceHub.Tools.Bench.Conformance;

/// <summary>The catalogue, and running it: in order, each case for itself.</summary>
internal static class ConformanceRun
{
    /// <summary>Cases in a row without a link, after which the rest wait only shortly for one.</summary>
    private const int BlockedBeforeImpatience = 3;

    public static IReadOnlyList<ConformanceCase> Cases { get; } =
    [
        .. FrameCases.All, .. LinkCases.All, .. RateCases.All, .. LoginCases.All, .. SealCases.All, .. ConfigurationCases.All, .. PaymentCases.All,
        .. ChargeCases.All,
    ];

    /// <param name="began">A case begins.</param>
    /// <param name="ended">And has ended.</param>
    /// <returns>What was found, also when it was stopped before the end.</returns>
    public static async Task<IReadOnlyList<StepResult>> Run(
        IEnumerable<ConformanceCase> cases, Rig rig, Action<ConformanceCase> began, Action<StepResult> ended)
    {
        var results = new List<StepResult>();
        var blocked = 0;
        foreach (var one in cases)
        {
            if (rig.Cancellation.IsCancellationRequested)
            {
                break;
            }

            began(one);
            if (await Run(one, rig) is not { } result)
            {
                break;
            }

            blocked = result.Status == StepStatus.Skipped && !rig.IsThere ? blocked + 1 : 0;
            rig.IsImpatient = blocked >= BlockedBeforeImpatience;
            results.Add(result);
            ended(result);
        }

        return results;
    }

    /// <returns>Null: stopped.</returns>
    public static Task<StepResult?> Run(ConformanceCase one, Rig rig) => rig.Judge(one.Id, one.Demand, one.Section, () => one.Run(rig));
}
