using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace DeviceHub.Core.Live;

/// <summary>
/// Tells open pages that something has changed, and not what: they read again, at their own pace. Nothing is kept, and a change that nobody
/// watches costs one read. It reaches the pages of this process.
/// </summary>
public sealed class LiveFeed
{
    /// <summary>Any payment's row.</summary>
    public const string Payments = "payments";

    /// <summary>Any terminal's row or presence.</summary>
    public const string Terminals = "terminals";

    private readonly ConcurrentDictionary<string, ImmutableArray<Action>> watchers = new(StringComparer.Ordinal);
    private int count;

    /// <summary>Somebody looks; who would have to compute a topic asks first.</summary>
    public bool IsWatched => Volatile.Read(ref count) != 0;

    public static string Payment(string serialNumber, string requestId) => $"payment:{serialNumber}/{requestId}";

    public static string Terminal(string serialNumber) => "terminal:" + serialNumber;

    /// <param name="changed">Called on the thread that commits: it must only note that there was something.</param>
    /// <returns>Ends it when disposed.</returns>
    public IDisposable Watch(string topic, Action changed)
    {
        watchers.AddOrUpdate(topic, [changed], (_, all) => all.Add(changed));
        Interlocked.Increment(ref count);
        return new Watching(this, topic, changed);
    }

    public void Changed(string topic)
    {
        if (IsWatched && watchers.TryGetValue(topic, out var all))
        {
            foreach (var changed in all)
            {
                changed();
            }
        }
    }

    private void End(string topic, Action changed)
    {
        while (watchers.TryGetValue(topic, out var all))
        {
            var rest = all.Remove(changed);
            if (rest.IsEmpty ? watchers.TryRemove(KeyValuePair.Create(topic, all)) : watchers.TryUpdate(topic, rest, all))
            {
                break;
            }
        }

        Interlocked.Decrement(ref count);
    }

    private sealed class Watching(LiveFeed feed, string topic, Action changed) : IDisposable
    {
        private int ended;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref ended, 1) == 0)
            {
                feed.End(topic, changed);
            }
        }
    }
}
