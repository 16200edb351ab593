using System.Collections.Concurrent;
using System.Net;
using DeviceHub.Core;
using Microsoft.Extensions.Options;

namespace DeviceHub.Gateways;

/// <summary>
/// Delays for wrong credentials and activation codes, per serial number and address together: guessing gets slow, and nobody can
/// lock a terminal out from elsewhere. A right proof is never delayed; after a number of wrong codes no other is looked at for a while.
/// </summary>
internal sealed class WrongAttempts(TimeProvider clock, IOptions<SessionOptions> options)
{
    private readonly ConcurrentDictionary<(string SerialNumber, IPAddress Address), Attempts> table = new();

    private readonly record struct Attempts(int Count, int Codes, DateTimeOffset Last);

    /// <summary>
    /// Null: one activation code of this serial number and address may be looked at now. It counts as a wrong one from here on, so that many tries at
    /// once are no more than the limit; <see cref="GiveBack"/> when it was none. Else why not; such a try does not make the wait longer.
    /// </summary>
    public Refusal? TakeCode(string serialNumber, EndPoint? remote)
    {
        var key = (serialNumber, RemoteAddress.Of(remote));
        var now = clock.GetUtcNow();
        var memory = TimeSpan.FromSeconds(options.Value.WrongMemorySeconds);
        while (true)
        {
            if (!table.TryGetValue(key, out var old))
            {
                // Without room it is not counted: it gets the longest delay instead.
                if (!HasRoom(now) || table.TryAdd(key, new(0, 1, now)))
                {
                    return null;
                }

                continue;
            }

            var left = old.Last + memory - now;
            if (left > TimeSpan.Zero && old.Codes >= options.Value.MaxWrongCodes)
            {
                SessionMetrics.WrongAttempts.Add(1);
                return new Refusal(RefusalCode.Activation, "too many wrong activation codes for this serial number; wait", RetryAfter: left);
            }

            if (table.TryUpdate(key, left > TimeSpan.Zero ? new(old.Count, old.Codes + 1, now) : new(0, 1, now), old))
            {
                return null;
            }
        }
    }

    /// <summary>The code that was taken was right, or nobody has looked at it.</summary>
    public void GiveBack(string serialNumber, EndPoint? remote)
    {
        var key = (serialNumber, RemoteAddress.Of(remote));
        while (table.TryGetValue(key, out var old) && !table.TryUpdate(key, old with { Codes = Math.Max(old.Codes - 1, 0) }, old))
        {
        }
    }

    /// <summary>
    /// Waits as long as this wrong one deserves, counted from its arrival: how long the hub looked for a reason, which differs between a
    /// serial number that it knows and one that it does not, is not seen.
    /// </summary>
    /// <param name="arrived">Timestamp of the clock.</param>
    public async Task Delay(string serialNumber, EndPoint? remote, long arrived, CancellationToken ended)
    {
        SessionMetrics.WrongAttempts.Add(1);
        var settings = options.Value;
        var now = clock.GetUtcNow();
        var longest = TimeSpan.FromSeconds(settings.WrongDelayMaxSeconds);
        var wait = longest;
        var key = (serialNumber, RemoteAddress.Of(remote));
        if (table.ContainsKey(key) || HasRoom(now))
        {
            var memory = TimeSpan.FromSeconds(settings.WrongMemorySeconds);
            var first = new Attempts(1, 0, now);
            var attempts = table.AddOrUpdate(key, first, (_, old) => now - old.Last > memory ? first : new(Math.Min(old.Count + 1, 30), old.Codes, now));
            var ms = Math.Min(settings.WrongDelayMs * Math.Pow(2, attempts.Count - 1), longest.TotalMilliseconds);
            wait = TimeSpan.FromMilliseconds(ms);
        }

        var left = wait - clock.GetElapsedTime(arrived);
        await Task.Delay(left > TimeSpan.Zero ? left : TimeSpan.Zero, clock, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Forget(string serialNumber, EndPoint? remote)
    {
        if (!table.IsEmpty)
        {
            table.TryRemove((serialNumber, RemoteAddress.Of(remote)), out _);
        }
    }

    private bool HasRoom(DateTimeOffset now)
    {
        if (table.Count < options.Value.WrongMemory)
        {
            return true;
        }

        var memory = TimeSpan.FromSeconds(options.Value.WrongMemorySeconds);
        foreach (var (key, attempts) in table)
        {
            if (now - attempts.Last > memory)
            {
                table.TryRemove(key, out _);
            }
        }

        return table.Count < options.Value.WrongMemory;
    }
}
