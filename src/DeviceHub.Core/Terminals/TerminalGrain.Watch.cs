namespace DeviceHub.Core.Terminals;

/// <summary>Who looks at this terminal. Nobody is kept longer than a minute without asking again, so a page that died costs nothing.</summary>
internal sealed partial class TerminalGrain
{
    /// <summary>By when each has to ask again. Null: nobody looks.</summary>
    private Dictionary<ITerminalObserver, long>? watchers;

    public Task<WatchResult> Watch(ITerminalObserver observer)
    {
        if (record is null)
        {
            return Task.FromResult(WatchResult.UnknownTerminal);
        }

        var others = Watchers();
        if (!others.Contains(observer) && others.Count >= options.Value.MaxWatchers)
        {
            return Task.FromResult(WatchResult.Full);
        }

        (watchers ??= [])[observer] = clock.GetTimestamp();
        TellSession();
        return Task.FromResult(connected && link is null ? WatchResult.NotHeard : WatchResult.Watching);
    }

    public Task Unwatch(ITerminalObserver observer)
    {
        if (watchers?.Remove(observer) is true)
        {
            TellSession();
        }

        return Task.CompletedTask;
    }

    private void TellSession()
    {
        if (connected)
        {
            link?.Watch(serialNumber, sessionEpoch, Watchers());
        }
    }

    private void TellWatchers()
    {
        if (watchers is null)
        {
            return;
        }

        foreach (var watcher in Watchers())
        {
            watcher.Changed();
        }
    }

    private List<ITerminalObserver> Watchers()
    {
        if (watchers is null)
        {
            return [];
        }

        foreach (var (watcher, since) in watchers)
        {
            if (clock.GetElapsedTime(since) > TerminalWatch.Lifetime)
            {
                watchers.Remove(watcher);
            }
        }

        List<ITerminalObserver> live = [.. watchers.Keys];
        watchers = live.Count == 0 ? null : watchers;
        return live;
    }
}
