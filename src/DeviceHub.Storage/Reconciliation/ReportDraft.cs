using System.Text.Json;
using DeviceHub.Core.Reconciliation;

namespace DeviceHub.Storage;

/// <summary>Differences of one kind that a report only counts.</summary>
public sealed record LeftOut(long Count, long Fen);

/// <summary>What a run has found so far: rows in its workspace up to the options' limits, the rest as counts.</summary>
internal sealed class ReportDraft(BillWorkspace workspace, ReconciliationOptions options)
{
    private readonly SortedDictionary<DifferenceClass, long> kept = [];
    private readonly SortedDictionary<DifferenceClass, LeftOut> leftOut = [];

    public long Matched { get; private set; }

    public long MatchedFen { get; private set; }

    /// <summary>Null: every difference is kept.</summary>
    public string? LeftOutJson => leftOut.Count == 0 ? null : JsonSerializer.Serialize(leftOut, JsonSerializerOptions.Web);

    public void Add(Judgement judgement)
    {
        Matched += judgement.Matched;
        MatchedFen += judgement.MatchedFen;
        foreach (var difference in judgement.Differences)
        {
            var count = kept.GetValueOrDefault(difference.Class);
            if (count >= (difference.Class is DifferenceClass.NotOurs or DifferenceClass.SharedBill ? options.MaxNotOurs : options.MaxDifferences))
            {
                var counted = leftOut.GetValueOrDefault(difference.Class) ?? new LeftOut(0, 0);
                leftOut[difference.Class] = new LeftOut(counted.Count + 1, counted.Fen + difference.Fen);
            }
            else
            {
                kept[difference.Class] = count + 1;
                workspace.Add(difference);
            }
        }

        foreach (var stray in judgement.Strays)
        {
            workspace.Add(stray);
        }
    }
}
