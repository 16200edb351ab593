using DeviceHub.Core.People;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DeviceHub.Core.Terminals;

/// <summary>What people do to terminals, by pages and API. Their grains write the audit log's rows with what they change (I12).</summary>
public sealed partial class TerminalDesk(IGrainFactory grains, IOptions<TerminalOptions> options, ILogger<TerminalDesk> logger)
{
    /// <summary>Of one request for many: more would only wait for the write gate.</summary>
    private const int AtOnce = 8;

    /// <summary>A terminal as it is now. Null: there is none, or the text cannot be a serial number; that wakes no grain.</summary>
    public async Task<TerminalSnapshot?> Find(string serialNumber) =>
        TerminalRecord.IsSerialNumber(serialNumber)
            ? await grains.GetGrain<ITerminalGrain>(serialNumber).Snapshot()
            : null;

    /// <summary>Refuses new payments of a terminal; those that run go on.</summary>
    public Task<DeskAnswer> Suspend(string serialNumber, Actor by) => ChangeStatus(serialNumber, TerminalDeed.Suspend, by);

    /// <summary>Takes payments of a suspended terminal again.</summary>
    public Task<DeskAnswer> Resume(string serialNumber, Actor by) => ChangeStatus(serialNumber, TerminalDeed.Resume, by);

    /// <summary>Does it to all of them, a few at a time, and says what became of each; one that fails does not stop the others.</summary>
    /// <param name="serialNumbers">At most <see cref="TerminalOptions.MaxBulk"/>; one that is named twice is done once.</param>
    /// <param name="progress">Is told how many are done or failed, on any thread.</param>
    /// <param name="cancellation">Those that were not begun are failed then.</param>
    /// <exception cref="ArgumentException">There are too many.</exception>
    public async Task<BulkAnswer> All(
        TerminalDeed deed, IReadOnlyCollection<string> serialNumbers, Actor by, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        var wanted = serialNumbers.Distinct(StringComparer.Ordinal).ToList();
        if (wanted.Count > options.Value.MaxBulk)
        {
            throw new ArgumentException($"at most {options.Value.MaxBulk} terminals at once", nameof(serialNumbers));
        }

        var failed = new List<BulkFault>();
        var (next, done, gate) = (-1, 0, new Lock());
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Work()));
        return new BulkAnswer(done, [.. failed.OrderBy(f => f.SerialNumber, StringComparer.Ordinal)]);

        async Task Work()
        {
            for (int i; (i = Interlocked.Increment(ref next)) < wanted.Count;)
            {
                var fault = cancellation.IsCancellationRequested ? "it was stopped before this one" : await Try(wanted[i]);
                int told;
                lock (gate)
                {
                    if (fault is null)
                    {
                        done++;
                    }
                    else
                    {
                        failed.Add(new BulkFault(wanted[i], fault));
                    }

                    told = done + failed.Count;
                }

                progress?.Report(told);
            }
        }

        async Task<string?> Try(string serialNumber)
        {
            try
            {
                var answer = await ChangeStatus(serialNumber, deed, by);
                return !answer.Found ? "there is no such terminal" : answer.Refusal?.Detail;
            }
            catch (Exception e)
            {
                // Full disk, a grain that does not answer: it may be so for this one alone.
                LogFailed(e, deed, serialNumber);
                return "the hub could not do it now; its log has more";
            }
        }
    }

    /// <summary>Checks and stores the desired configuration; it is pushed at once while the terminal is connected. Null: no such terminal.</summary>
    /// <param name="after">The version that it was made from: another one refuses it with ChangedMeanwhile. Null: whatever there is.</param>
    public async Task<SetConfigurationAnswer?> SetConfiguration(string serialNumber, string json, Actor by, long? after = null)
    {
        if (await Find(serialNumber) is null)
        {
            return null;
        }

        var grain = grains.GetGrain<ITerminalGrain>(serialNumber);
        return await (after is { } version ? grain.SetConfigurationAfter(json, version, by) : grain.SetConfiguration(json, by));
    }

    /// <summary>Its own limit of one payment in fen; null: the hub's.</summary>
    public Task<DeskAnswer> SetLimit(string serialNumber, long? maxAmountFen, Actor by) => Change(serialNumber, grain => grain.SetMaxAmount(maxAmountFen, by));

    private Task<DeskAnswer> ChangeStatus(string serialNumber, TerminalDeed deed, Actor by) =>
        Change(serialNumber, grain => deed == TerminalDeed.Suspend ? grain.Suspend(by) : grain.Resume(by));

    private async Task<DeskAnswer> Change(string serialNumber, Func<ITerminalGrain, Task<Refusal?>> change) =>
        await Find(serialNumber) is null ? DeskAnswer.NotFound : new DeskAnswer(true, await change(grains.GetGrain<ITerminalGrain>(serialNumber)));

    [LoggerMessage(EventName = "TerminalNotChanged", Level = LogLevel.Warning, Message = "{Deed} of terminal {SerialNumber}, one of many, failed")]
    private partial void LogFailed(Exception e, TerminalDeed deed, string serialNumber);
}

/// <summary>What can be done to many terminals.</summary>
public enum TerminalDeed
{
    Suspend = 1,
    Resume = 2,
}

/// <param name="Found">False: there is no such terminal.</param>
/// <param name="Refusal">Why it was not done; null: it was.</param>
public sealed record DeskAnswer(bool Found, Refusal? Refusal)
{
    public static readonly DeskAnswer NotFound = new(false, null);
}

/// <param name="Failed">By serial number.</param>
public sealed record BulkAnswer(int Done, IReadOnlyList<BulkFault> Failed);

/// <param name="Why">In plain English.</param>
public sealed record BulkFault(string SerialNumber, string Why);
