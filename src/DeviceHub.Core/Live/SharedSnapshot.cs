namespace DeviceHub.Core.Live;

/// <summary>
/// One answer for everybody who looks: however many ask, the same question is read again only so often, and never twice at a time. Nothing is read
/// while nobody asks.
/// </summary>
/// <param name="read">Reads the answer. It is not cancelled when one of those who wait goes away.</param>
/// <param name="apart">The shortest time from the beginning of one read to the next; a read that took long is followed by a pause of four times its length.</param>
public sealed class SharedSnapshot<T>(Func<Task<T>> read, TimeSpan apart, TimeProvider clock)
{
    private const int PauseOfItsLength = 4;

    private readonly Lock sync = new();

    /// <summary>The newest read that has begun, and the one that is still to begin.</summary>
    private Task<T>? begun;
    private Task<T>? next;
    private long beganAt;
    private TimeSpan pause;

    /// <summary>For a page's first content: what was read within the last moment, else as <see cref="Fresh"/>.</summary>
    public Task<T> Recent()
    {
        lock (sync)
        {
            return begun is { IsFaulted: false, IsCanceled: false } && clock.GetElapsedTime(beganAt) < Apart ? begun : next ??= Task.Run(ReadNext);
        }
    }

    /// <summary>After a change: an answer whose read begins after this call. It may wait for its turn.</summary>
    public Task<T> Fresh()
    {
        lock (sync)
        {
            return next ??= Task.Run(ReadNext);
        }
    }

    private TimeSpan Apart => pause > apart ? pause : apart;

    /// <summary>On no page's own thread: a page that is slow or goes away would keep the others waiting.</summary>
    private async Task<T> ReadNext()
    {
        Task<T> reading;
        if (begun is { } before)
        {
            // Those who asked have been told its fault.
            await Task.WhenAny(before);
            if (Apart - clock.GetElapsedTime(beganAt) is { Ticks: > 0 } wait)
            {
                await Task.Delay(wait, clock);
            }
        }

        lock (sync)
        {
            next = null;
            beganAt = clock.GetTimestamp();
            begun = reading = Measured();
        }

        return await reading;
    }

    private async Task<T> Measured()
    {
        await Task.Yield();
        try
        {
            return await read();
        }
        finally
        {
            pause = clock.GetElapsedTime(beganAt) * PauseOfItsLength;
        }
    }
}
