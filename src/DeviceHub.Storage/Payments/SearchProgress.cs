using Microsoft.Extensions.Logging;

namespace DeviceHub.Storage;

/// <summary>What is searched does not show the whole ledger, and will not within a second or two.</summary>
/// <param name="Since">When that was found.</param>
/// <param name="Rows">Ledger rows that it does not show yet.</param>
public sealed record SearchBehind(DateTimeOffset Since, long Rows);

/// <summary>What is searched does not follow the ledger.</summary>
/// <param name="Since">When that was found.</param>
/// <param name="Why">What the last try said; the log has the first one whole.</param>
public sealed record SearchFailing(DateTimeOffset Since, string Why);

/// <summary>
/// How what is searched follows the ledger: whether it can, and how it catches up after it was far behind, as a file that is made anew is, which is told in the log at its beginning,
/// each 10 s and at its end. Readiness and the list of problems ask for it. One thread tells; any may ask.
/// </summary>
public sealed partial class SearchProgress(TimeProvider clock, ILogger<SearchProgress> logger)
{
    /// <summary>Ledger rows that take long: a file that is made anew, and not what comes in while a batch is written.</summary>
    internal const int Far = 100_000;

    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(10);

    private volatile SearchBehind? behind;
    private volatile SearchFailing? failing;
    private long began;
    private long told;
    private long taken;

    /// <summary>More ledger rows than this are far behind.</summary>
    internal long From { get; init; } = Far;

    /// <summary>Null: it shows the whole ledger, but for what came in within the last second or two.</summary>
    public SearchBehind? Behind => behind;

    /// <summary>Null: the last try to follow the ledger went well, or there was none yet.</summary>
    public SearchFailing? Failing => failing;

    /// <summary>A try did not go well. True: it is the first since one did.</summary>
    internal bool Fails(Exception e)
    {
        var first = failing is null;
        failing = failing is { } was ? was with { Why = e.Message } : new SearchFailing(clock.GetUtcNow(), e.Message);
        return first;
    }

    internal void Succeeds() => failing = null;

    /// <param name="lag">Ledger rows that are not shown yet.</param>
    /// <param name="more">That were written since it was called last.</param>
    internal void At(long lag, int more = 0)
    {
        var now = clock.GetTimestamp();
        if (behind is not { } was)
        {
            if (lag > From)
            {
                (behind, began, told, taken) = (new SearchBehind(clock.GetUtcNow(), lag), now, now, 0);
                LogBegins(lag);
            }

            return;
        }

        taken += more;
        var took = clock.GetElapsedTime(began, now).TotalSeconds;
        behind = lag > 0 ? was with { Rows = lag } : null;
        if (lag == 0)
        {
            LogDone(taken, took);
        }
        else if (clock.GetElapsedTime(told, now) >= TellEvery)
        {
            told = now;
            LogGoesOn(taken, took, lag, taken > 0 ? $"about {Math.Ceiling(took * lag / taken):0} s" : "nobody knows how long");
        }
    }

    [LoggerMessage(EventId = 1, EventName = "SearchCatchesUp", Level = LogLevel.Information, Message = "Searchable payments are {Lag} ledger rows behind and catch up; lists show what they have")]
    private partial void LogBegins(long lag);

    [LoggerMessage(EventId = 2, EventName = "SearchGoesOn", Level = LogLevel.Information,
        Message = "Searchable payments catch up: {Taken} ledger rows in {Seconds:0} s, {Lag} are left for {Left}")]
    private partial void LogGoesOn(long taken, double seconds, long lag, string left);

    [LoggerMessage(EventId = 3, EventName = "SearchCaughtUp", Level = LogLevel.Information, Message = "Searchable payments show the whole ledger: {Taken} ledger rows in {Seconds:0.0} s")]
    private partial void LogDone(long taken, double seconds);
}
