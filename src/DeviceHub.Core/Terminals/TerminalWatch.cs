using Microsoft.Extensions.Logging;

namespace DeviceHub.Core.Terminals;

/// <summary>
/// Watches one terminal for a page, from its start until it is disposed: asks the terminal's grain again before it forgets, also after the grain
/// has moved. What it calls is called from other threads, and must only note what there was.
/// </summary>
public sealed partial class TerminalWatch : ITerminalObserver, IAsyncDisposable
{
    /// <summary>How long a watcher is remembered who does not ask again.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan AskAgain = Lifetime / 3;

    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(10);

    private readonly ITerminalGrain terminal;
    private readonly IGrainFactory grains;
    private readonly ILogger logger;
    private readonly Action<TerminalTalk> said;
    private readonly Action changed;
    private readonly TimeProvider clock;
    private readonly ITerminalObserver reference;
    private readonly ITimer timer;
    private int result;

    private TerminalWatch(IGrainFactory grains, TimeProvider clock, ILogger logger, string serialNumber, Action<TerminalTalk> said, Action changed)
    {
        (this.grains, this.clock, this.logger, this.said, this.changed) = (grains, clock, logger, said, changed);
        terminal = grains.GetGrain<ITerminalGrain>(serialNumber);

        // Orleans holds the object behind the reference weakly: the page that holds this one keeps it.
        reference = grains.CreateObjectReference<ITerminalObserver>(this);
        timer = clock.CreateTimer(_ => _ = Ask(), null, AskAgain, AskAgain);
    }

    /// <summary>What the terminal's grain said last; None: it could not be asked.</summary>
    public WatchResult Result => (WatchResult)Volatile.Read(ref result);

    public static async Task<TerminalWatch> Begin(
        IGrainFactory grains, TimeProvider clock, ILogger logger, string serialNumber, Action<TerminalTalk> said, Action changed)
    {
        var watch = new TerminalWatch(grains, clock, logger, serialNumber, said, changed);
        await watch.Ask();
        return watch;
    }

    public void Said(TerminalTalk talk) => said(talk);

    public void Changed() => changed();

    public async ValueTask DisposeAsync()
    {
        await timer.DisposeAsync();
        try
        {
            await terminal.Unwatch(reference);
        }
        catch (Exception e)
        {
            // It forgets this watcher by itself.
            LogNotAsked(e, terminal.GetPrimaryKeyString());
        }

        // What is on its way finds it still: Orleans logs an error for a message to nobody.
        ITimer? end = null;
        end = clock.CreateTimer(
            _ =>
            {
                grains.DeleteObjectReference<ITerminalObserver>(reference);
                end?.Dispose();
            },
            null,
            Linger,
            Timeout.InfiniteTimeSpan);
    }

    private async Task Ask()
    {
        var answer = WatchResult.None;
        try
        {
            answer = await terminal.Watch(reference);
        }
        catch (Exception e)
        {
            LogNotAsked(e, terminal.GetPrimaryKeyString());
        }

        if (Interlocked.Exchange(ref result, (int)answer) != (int)answer)
        {
            changed();
        }
    }

    [LoggerMessage(EventName = "TerminalNotWatched", Level = LogLevel.Warning, Message = "Terminal {SerialNumber} could not be watched for a page; it is tried again")]
    private partial void LogNotAsked(Exception e, string serialNumber);
}
