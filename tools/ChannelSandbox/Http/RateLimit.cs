using System.Collections.Concurrent;
using DeviceHub.Tools.ChannelSandbox.Bank;

namespace DeviceHub.Tools.ChannelSandbox.Http;

/// <summary>Calls a second and merchant, counted by the second.</summary>
internal sealed class RateLimit(SandboxOptions options, ChannelClock clock)
{
    private readonly ConcurrentDictionary<string, (long Second, int Calls)> counts = new();

    /// <summary>Counts this call.</summary>
    public bool IsOver(string merchant)
    {
        if (options.RateLimit == 0)
        {
            return false;
        }

        var second = clock.Time.GetUtcNow().ToUnixTimeSeconds();
        return counts.AddOrUpdate(merchant, (second, 1), (_, was) => was.Second == second ? (second, was.Calls + 1) : (second, 1)).Calls > options.RateLimit;
    }
}
