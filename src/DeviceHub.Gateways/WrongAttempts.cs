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

    /// <summary>Null, or why no activation code of this serial number and address is looked at now. Such a try does not make the wait longer.</summary>
    public Refusal? RefuseCodes(string serialNumber, EndPoint? remote)
    {
        if (!table.TryGetValue((serialNumber, RemoteAddress.Of(remote)), out var attempts) || attempts.Codes < options.Value.MaxWrongCodes)
        {
            return null;
        }

        var left = attempts.Last + TimeSpan.FromSeconds(options.Value.WrongMemorySeconds) - clock.GetUtcNow();
        if (left <= TimeSpan.Zero)
        {
            return null;
        }

        SessionMetrics.WrongAttempts.Add(1);
        return new Refusal(RefusalCode.Activation, "too many wrong activation codes for this serial number; wait", RetryAfter: left);
    }

    /// <summary>
    /// Waits as long as this wrong one deserves, counted from its arrival: how long the hub looked for a reason, which differs between a
    /// serial number that it knows and one that it does not, is not seen.
    /// </summary>
    /// <param name="arrived">Timestamp of the clock.</param>
    /// <param name="code">It was an activation code.</param>
    public async Task Delay(string serialNumber, EndPoint? remote, long arrived, bool code, CancellationToken ended)
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
            var codes = code ? 1 : 0;
            var first = new Attempts(1, codes, now);
            var attempts = table.AddOrUpdate(
                key, first, (_, old) => now - old.Last > memory ? first : new(Math.Min(old.Count + 1, 30), Math.Min(old.Codes + codes, settings.MaxWrongCodes), now));
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
