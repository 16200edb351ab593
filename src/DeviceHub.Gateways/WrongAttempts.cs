using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Options;

namespace DeviceHub.Gateways;

/// <summary>
/// Delays for wrong credentials and activation codes, per serial number and address together: guessing gets slow, and nobody can
/// lock a terminal out from elsewhere. A right proof is never delayed.
/// </summary>
internal sealed class WrongAttempts(TimeProvider clock, IOptions<SessionOptions> options)
{
    private readonly ConcurrentDictionary<(string SerialNumber, IPAddress Address), Attempts> table = new();

    private readonly record struct Attempts(int Count, DateTimeOffset Last);

    /// <summary>Waits as long as this wrong one deserves.</summary>
    public async Task Delay(string serialNumber, EndPoint? remote, CancellationToken ended)
    {
        SessionMetrics.WrongAttempts.Add(1);
        var settings = options.Value;
        var now = clock.GetUtcNow();
        var longest = TimeSpan.FromSeconds(settings.WrongDelayMaxSeconds);
        var wait = longest;
        var key = (serialNumber, AddressOf(remote));
        if (table.ContainsKey(key) || HasRoom(now))
        {
            var memory = TimeSpan.FromSeconds(settings.WrongMemorySeconds);
            var attempts = table.AddOrUpdate(
                key, _ => new Attempts(1, now), (_, old) => now - old.Last > memory ? new(1, now) : new(Math.Min(old.Count + 1, 30), now));
            var ms = Math.Min(settings.WrongDelayMs * Math.Pow(2, attempts.Count - 1), longest.TotalMilliseconds);
            wait = TimeSpan.FromMilliseconds(ms);
        }

        await Task.Delay(wait, clock, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Forget(string serialNumber, EndPoint? remote)
    {
        if (!table.IsEmpty)
        {
            table.TryRemove((serialNumber, AddressOf(remote)), out _);
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

    private static IPAddress AddressOf(EndPoint? remote) => remote is IPEndPoint ip ? ip.Address : IPAddress.None;
}
