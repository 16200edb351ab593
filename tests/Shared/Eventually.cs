using System.Diagnostics;

namespace DeviceHub.Tests;

/// <summary>
/// The one place where tests wait: for what real processes and sockets do. It looks every 20 ms and fails with what was last seen.
/// </summary>
public static class Eventually
{
    public static readonly TimeSpan DefaultLimit = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20);

    /// <summary>How long one look may take beyond the limit: one that never ends must not hold up all tests.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(30);

    /// <summary>Until the condition holds; fails after the limit.</summary>
    public static Task Holds(Func<bool> condition, string what, TimeSpan? limit = null) =>
        Becomes(() => Task.FromResult(condition()), seen => seen, what, limit);

    /// <summary>Until the condition holds; fails after the limit.</summary>
    public static Task Holds(Func<Task<bool>> condition, string what, TimeSpan? limit = null) =>
        Becomes(condition, seen => seen, what, limit);

    /// <summary>Until so much time has gone by: the seeded moment of a kill.</summary>
    public static Task Passes(TimeSpan time) => Task.Delay(time);

    /// <summary>Until the value is good; returns it. An exception of the look counts as "not yet" and is told at the end.</summary>
    public static async Task<T> Becomes<T>(Func<Task<T>> look, Func<T, bool> good, string what, TimeSpan? limit = null)
    {
        var within = limit ?? DefaultLimit;
        var from = Stopwatch.GetTimestamp();
        object? last = null;
        do
        {
            try
            {
                var seen = await look().WaitAsync(within + Look);
                if (good(seen))
                {
                    return seen;
                }

                last = seen;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                last = $"{e.GetType().Name}: {e.Message}";
            }

            await Task.Delay(Step);
        }
        while (Stopwatch.GetElapsedTime(from) < within);

        throw new TimeoutException($"not within {within.TotalSeconds} s: {what}; last seen: {last}");
    }
}
