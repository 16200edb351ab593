using System.Diagnostics.Metrics;
using DeviceHub.Server.Hosting;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.ApiKeys;

/// <summary>
/// Answers to wrong passwords and keys are counted, and come no sooner than an option says: guessing is slow, and how long an answer took
/// does not tell which user names exist.
/// </summary>
internal sealed class WrongCredentials(TimeProvider clock, IOptions<ServerOptions> options)
{
    private static readonly Meter Meter = new("DeviceHub.Server");
    private static readonly Counter<long> Counted = Meter.CreateCounter<long>("server.wrong_credentials", description: "Wrong passwords, second factors' codes and API keys, by kind");

    /// <summary>When a request with credentials came, for <see cref="Hold"/>.</summary>
    public long Arrived() => clock.GetTimestamp();

    /// <param name="kind"><c>password</c>, <c>code</c> (of a second factor) or <c>api-key</c>.</param>
    public async Task Hold(string kind, long arrived, CancellationToken ended)
    {
        Counted.Add(1, new KeyValuePair<string, object?>("kind", kind));
        var left = options.Value.WrongCredentialsDelay - clock.GetElapsedTime(arrived);
        if (left > TimeSpan.Zero)
        {
            await Task.Delay(left, clock, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
