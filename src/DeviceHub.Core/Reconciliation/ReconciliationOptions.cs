using System.ComponentModel.DataAnnotations;

namespace DeviceHub.Core.Reconciliation;

/// <summary>Section <c>Reconciliation</c>.</summary>
public sealed class ReconciliationOptions
{
    public const string Section = "Reconciliation";

    /// <summary>Whether the bills of yesterday are reconciled by themselves; on demand they always are.</summary>
    public bool Daily { get; set; } = true;

    /// <summary>When yesterday's bills are fetched, by China's clock. WeChat has them from 10:00.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "23:59:59")]
    public TimeSpan DailyAt { get; set; } = new(10, 30, 0);

    /// <summary>How many days back the daily runs make up for what was missed while the hub was off.</summary>
    [Range(1, 60)]
    public int CatchUpDays { get; set; } = 7;

    /// <summary>How long after the channel had no bill yet, or after a fault of the hub, it is tried again.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan RetryEvery { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How often a run is tried; what the channel then still has no bill of counts as a day without payments.</summary>
    [Range(1, 100)]
    public int MaxTries { get; set; } = 12;

    /// <summary>The longest that one try may take, download included.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "12:00:00")]
    public TimeSpan RunDeadline { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Bills that are worked on at once; of one account always one.</summary>
    [Range(1, 16)]
    public int Concurrency { get; set; } = 1;

    /// <summary>How often due runs and approved proposals are looked for.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan LookEvery { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long after its attempt began a channel may book a charge: so near midnight it is looked for in the bill of the next day.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "12:00:00")]
    public TimeSpan MidnightMargin { get; set; } = TimeSpan.FromHours(2);

    /// <summary>Rows of one bill; a longer one is refused.</summary>
    [Range(1, 100_000_000)]
    public int MaxBillRows { get; set; } = 20_000_000;

    /// <summary>Differences of one kind that a report keeps; more are only counted.</summary>
    [Range(1, 1_000_000)]
    public int MaxDifferences { get; set; } = 100_000;

    /// <summary>Orders of other systems, and of other accounts that share the bill, that a report keeps, each; more are only counted.</summary>
    [Range(0, 1_000_000)]
    public int MaxNotOurs { get; set; } = 1_000;

    /// <summary>Proposed refunds below this many fen are approved by this rule; 0: a person approves each.</summary>
    [Range(0, 100_000_000)]
    public long ApproveBelowFen { get; set; }
}
