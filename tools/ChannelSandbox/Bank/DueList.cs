namespace DeviceHub.Tools.ChannelSandbox.Bank;

/// <summary>Orders that something becomes of later. What is due is done here, or by the first call that looks at the order.</summary>
internal sealed class DueList(ChannelClock clock, Action<Order> settle)
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    private readonly PriorityQueue<Order, long> waiting = new();

    /// <summary>Looks until it is cancelled.</summary>
    public async Task Run(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(Step, clock.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellation))
            {
                while (Next() is { } order)
                {
                    settle(order);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    public void Add(Order order)
    {
        var at = order.DueAt;
        if (at != 0)
        {
            lock (waiting)
            {
                waiting.Enqueue(order, at);
            }
        }
    }

    private Order? Next()
    {
        lock (waiting)
        {
            return waiting.TryPeek(out var order, out var at) && at <= clock.NowMs ? waiting.Dequeue() : null;
        }
    }
}
