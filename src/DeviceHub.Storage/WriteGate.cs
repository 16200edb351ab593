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

    public ValueTask<Lease> Enter(CancellationToken cancellationToken = default)
    {
        lock (sync)
        {
            if (!held)
            {
                held = true;
                return new(new Lease(this));
            }

            var waiter = new Waiter();
            waiters.Enqueue(waiter);
            return new(Wait(waiter, cancellationToken));
        }
    }

    /// <summary>For a thread of its own.</summary>
    public Lease EnterBlocking()
    {
        var entering = Enter();
        return entering.IsCompletedSuccessfully ? entering.Result : entering.AsTask().GetAwaiter().GetResult();
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
