using Microsoft.Extensions.Options;

namespace DeviceHub.Storage;

/// <summary>Section <c>Storage</c>.</summary>
public sealed class StorageOptions
{
    public const string Section = "Storage";

    /// <summary>The database's name under the data folder; no path. What is searched is beside it, in a file with <c>-search</c> in its name.</summary>
    public string FileName { get; set; } = "hub.db";

    /// <summary>New payments that may wait for the disk; more are answered "not written". 1 to 1,000,000.</summary>
    public int AcceptQueue { get; set; } = 10_000;

    /// <summary>Results that may wait for the disk. 1 to 1,000,000.</summary>
    public int ResultQueue { get; set; } = 50_000;

    /// <summary>Entries of one commit, at most. 1 to 100,000.</summary>
    public int BatchSize { get; set; } = 2_000;

    /// <summary>Payments whose keys are written together; so many wait in memory, and are read from the ledger again at a start. 1 to 20,000: a start reads up to twice as many.</summary>
    public int KeyBatch { get; set; } = 4_096;

    /// <summary>Bytes of free disk below which new payments are refused, so that running ones can be settled. 0: never refused.</summary>
    public long ReserveBytes { get; set; } = 256L * 1024 * 1024;

    /// <summary>How often free disk space is looked at. 10 ms to 1 min.</summary>
    public TimeSpan DiskCheckInterval { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a commit waits for a lock that another program holds on the file. 0 to 10 s.</summary>
    public TimeSpan LockWait { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long the ledger tries to read itself again after a failed commit before it answers "unknown". 10 ms to 1 min.</summary>
    public TimeSpan RecoveryTime { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Reads at one time, and as many more of what is searched. 1 to 64.</summary>
    public int ReadPoolSize { get; set; } = 4;

    /// <summary>A read that takes longer is broken off; also the longest wait for a place in the pool. 10 ms to 2 s.</summary>
    public TimeSpan ReadTimeLimit { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How often sightings of terminals are written. 10 ms to 1 min.</summary>
    public TimeSpan LastSeenInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long heartbeats are kept for charts. 1 h to 90 days.</summary>
    public TimeSpan HeartbeatKeep { get; set; } = TimeSpan.FromDays(2);

    /// <summary>Terminals whose sightings may wait; sightings of others are dropped and counted. 1 to 10,000,000.</summary>
    public int LastSeenQueue { get; set; } = 100_000;

    /// <summary>How often the searchable payments follow the ledger. 1 ms to 1 min.</summary>
    public TimeSpan ProjectionInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Ledger rows that the searchable payments take in one transaction, and ten times as many while they are far behind: what changes twice among them is written once. 1 to 100,000.</summary>
    public int ProjectionBatch { get; set; } = 5_000;

    /// <summary>How many days the payments counted by the minute are kept. 8 to 3,650.</summary>
    public int MinuteDays { get; set; } = 400;

    /// <summary>How often the write-ahead log's size is looked at. 10 ms to 1 min.</summary>
    public TimeSpan CheckpointInterval { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Bytes of write-ahead log, of each of the two files, from which it is copied back. 64 KiB to 1 GiB.</summary>
    public long CheckpointBytes { get; set; } = 32L * 1024 * 1024;

    /// <summary>Bytes of pages that each of the two connections that write payments keeps in memory: the ledger's and that of what is searched. 1 MiB to 1 GiB.</summary>
    public long PageCacheBytes { get; set; } = 16L * 1024 * 1024;

    /// <summary>Days that rows of the audit log are kept. 180 to 36,500; 0: for ever.</summary>
    public int AuditDays { get; set; } = 3_650;

    /// <summary>Days that charges from the till are kept after their end; their payments stay. 180 to 36,500; 0: for ever.</summary>
    public int ChargeDays { get; set; } = 1_827;
}

internal sealed class StorageOptionsValidator : IValidateOptions<StorageOptions>
{
    public ValidateOptionsResult Validate(string? name, StorageOptions o)
    {
        var errors = new List<string>();
        if (string.IsNullOrWhiteSpace(o.FileName) || Path.GetFileName(o.FileName) != o.FileName)
        {
            errors.Add($"{StorageOptions.Section}:FileName '{o.FileName}' must be a file name without a folder");
        }

        Within(errors, nameof(o.AcceptQueue), o.AcceptQueue, 1, 1_000_000);
        Within(errors, nameof(o.ResultQueue), o.ResultQueue, 1, 1_000_000);
        Within(errors, nameof(o.BatchSize), o.BatchSize, 1, 100_000);
        Within(errors, nameof(o.KeyBatch), o.KeyBatch, 1, 20_000);
        Within(errors, nameof(o.ReserveBytes), o.ReserveBytes, 0, long.MaxValue);
        Within(errors, nameof(o.ReadPoolSize), o.ReadPoolSize, 1, 64);
        Within(errors, nameof(o.LastSeenQueue), o.LastSeenQueue, 1, 10_000_000);
        Within(errors, nameof(o.ProjectionBatch), o.ProjectionBatch, 1, 100_000);
        Within(errors, nameof(o.MinuteDays), o.MinuteDays, 8, 3_650);
        Within(errors, nameof(o.CheckpointBytes), o.CheckpointBytes, 64 * 1024, 1L << 30);
        Within(errors, nameof(o.PageCacheBytes), o.PageCacheBytes, 1L << 20, 1L << 30);
        Within(errors, nameof(o.DiskCheckInterval), o.DiskCheckInterval, 10, 60_000);
        Within(errors, nameof(o.LockWait), o.LockWait, 0, 10_000);
        Within(errors, nameof(o.RecoveryTime), o.RecoveryTime, 10, 60_000);
        Within(errors, nameof(o.ReadTimeLimit), o.ReadTimeLimit, 10, 2_000);
        Within(errors, nameof(o.LastSeenInterval), o.LastSeenInterval, 10, 60_000);
        if (o.HeartbeatKeep < TimeSpan.FromHours(1) || o.HeartbeatKeep > TimeSpan.FromDays(90))
        {
            errors.Add($"{StorageOptions.Section}:HeartbeatKeep is {o.HeartbeatKeep}; it must be 1 hour to 90 days");
        }

        Days(errors, nameof(o.AuditDays), o.AuditDays);
        Days(errors, nameof(o.ChargeDays), o.ChargeDays);
        Within(errors, nameof(o.ProjectionInterval), o.ProjectionInterval, 1, 60_000);
        Within(errors, nameof(o.CheckpointInterval), o.CheckpointInterval, 10, 60_000);
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    /// <summary>Less than half a year would be a slip of the hand, and what is deleted does not come back.</summary>
    private static void Days(List<string> errors, string option, int value)
    {
        if (value is not 0 and (< 180 or > 36_500))
        {
            errors.Add($"{StorageOptions.Section}:{option} is {value}; it must be 180 to 36500, or 0 for ever");
        }
    }

    private static void Within(List<string> errors, string option, long value, long least, long most)
    {
        if (value < least || value > most)
        {
            errors.Add($"{StorageOptions.Section}:{option} is {value}; it must be {least} to {most}");
        }
    }

    private static void Within(List<string> errors, string option, TimeSpan value, int leastMs, int mostMs)
    {
        if (value.TotalMilliseconds < leastMs || value.TotalMilliseconds > mostMs)
        {
            errors.Add($"{StorageOptions.Section}:{option} is {value}; it must be {leastMs} to {mostMs} ms");
        }
    }
}
