using DeviceHub.Core.Problems;

namespace DeviceHub.Storage;

/// <summary>Lists of payments do not show all of them: they catch up, or cannot. From memory.</summary>
internal sealed class SearchProblem(SearchProgress progress) : IProblemSource
{
    public ValueTask<IReadOnlyList<Problem>> Newest(int limit) => new(
        progress.Failing is { } failing ? [new Problem(ProblemKind.SearchFailing, failing.Since, Serious: false, "", failing.Why)]
        : progress.Behind is { } behind ? [new Problem(ProblemKind.SearchBehind, behind.Since, Serious: false, "", Count: (int)Math.Min(behind.Rows, int.MaxValue))]
        : []);
}
