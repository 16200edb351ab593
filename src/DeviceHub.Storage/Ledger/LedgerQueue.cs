namespace DeviceHub.Storage;

/// <summary>Two bounded queues; results leave before accepts. Entries that were withdrawn are dropped as they are met.</summary>
internal sealed class LedgerQueue(int acceptLimit, int resultLimit)
{
    private readonly object sync = new();
    private readonly Queue<AcceptItem> accepts = new();
    private readonly Queue<AppendItem> results = new();
    private bool closed;

    public (int Accepts, int Results) Waiting
    {
        get
        {
            lock (sync)
            {
                return (accepts.Count, results.Count);
            }
        }
    }

    public bool TryAdd(AcceptItem item) => TryAdd(accepts, item, acceptLimit);

    public bool TryAdd(AppendItem item) => TryAdd(results, item, resultLimit);

    /// <summary>Waits for entries and takes up to <paramref name="limit"/>. False: closed and empty.</summary>
    public bool Take(List<LedgerItem> batch, int limit)
    {
        lock (sync)
        {
            while (accepts.Count + results.Count == 0)
            {
                if (closed)
                {
                    return false;
                }

                Monitor.Wait(sync);
            }

            Drain(results, batch, limit);
            Drain(accepts, batch, limit);
            return true;
        }
    }

    public void Close()
    {
        lock (sync)
        {
            closed = true;
            Monitor.PulseAll(sync);
        }
    }

    private static void Drain<T>(Queue<T> queue, List<LedgerItem> batch, int limit)
        where T : LedgerItem
    {
        while (batch.Count < limit && queue.TryDequeue(out var item))
        {
            if (item.TryTake())
            {
                batch.Add(item);
            }
        }
    }

    private bool TryAdd<T>(Queue<T> queue, T item, int limit)
    {
        lock (sync)
        {
            if (closed || queue.Count >= limit)
            {
                return false;
            }

            queue.Enqueue(item);
            if (accepts.Count + results.Count == 1)
            {
                Monitor.Pulse(sync);
            }

            return true;
        }
    }
}
