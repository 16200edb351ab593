namespace DeviceHub.Storage;

/// <summary>
/// One writer at a time, first come first served, for the whole process: SQLite's own lock is polled and starves slow writers. Hold
/// it only while the database works.
/// </summary>
internal sealed class WriteGate
{
    private readonly Lock sync = new();
    private readonly Queue<Waiter> waiters = new();
    private bool held;

    public ValueTask<Lease> Enter(CancellationToken cancellationToken = default) =>
        Queue() is { } waiter ? new(Wait(waiter, cancellationToken)) : new(new Lease(this));

    /// <summary>For a thread of its own: it is woken by whoever leaves, without a pool thread between them.</summary>
    public Lease EnterBlocking()
    {
        Queue()?.Task.Wait();
        return new Lease(this);
    }

    /// <summary>Null: the gate was free and is held now.</summary>
    private Waiter? Queue()
    {
        lock (sync)
        {
            if (!held)
            {
                held = true;
                return null;
            }

            var waiter = new Waiter();
            waiters.Enqueue(waiter);
            return waiter;
        }
    }

    private async Task<Lease> Wait(Waiter waiter, CancellationToken cancellationToken)
    {
        using (cancellationToken.UnsafeRegister(static (w, token) => ((Waiter)w!).TrySetCanceled(token), waiter))
        {
            await waiter.Task.ConfigureAwait(false);
        }

        return new Lease(this);
    }

    private void Leave()
    {
        lock (sync)
        {
            while (waiters.TryDequeue(out var next))
            {
                if (next.TrySetResult())
                {
                    return;
                }
            }

            held = false;
        }
    }

    private sealed class Waiter() : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Dispose once.</summary>
    public readonly struct Lease(WriteGate gate) : IDisposable
    {
        public void Dispose() => gate?.Leave();
    }
}
