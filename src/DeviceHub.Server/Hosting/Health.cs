using System.Globalization;
using DeviceHub.Storage;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace DeviceHub.Server.Hosting;

/// <summary>Live: the process answers. Ready: the database can be written, the silo runs and the listeners are open; degraded, which is ready too: lists do not show all payments.</summary>
internal static class Health
{
    public static void AddHubHealth(this IServiceCollection services) =>
        services.AddSingleton<Readiness>().AddHealthChecks().AddCheck<Readiness>("ready");

    public static void MapHubHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false }).AllowAnonymous();
        routes.MapHealthChecks("/health/ready", new HealthCheckOptions { ResponseWriter = Tell }).AllowAnonymous();
    }

    /// <summary>One line: how it is, and why not when it is not.</summary>
    private static Task Tell(HttpContext http, HealthReport report)
    {
        http.Response.ContentType = "text/plain";
        return http.Response.WriteAsync(string.Join(": ", new[] { report.Status.ToString(), report.Entries.Values.Select(e => e.Description).FirstOrDefault(d => d is not null) }.OfType<string>()));
    }

    /// <summary>Anybody may ask, so the database is asked at most once in two seconds.</summary>
    private sealed class Readiness(WriteProbe probe, SearchProgress search, IHostApplicationLifetime lifetime, TimeProvider clock) : IHealthCheck, IDisposable
    {
        private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(2);
        private static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);

        private readonly SemaphoreSlim one = new(1, 1);
        private HealthCheckResult last = HealthCheckResult.Unhealthy("not asked yet");
        private DateTimeOffset at;

        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            // The silo and the listeners start before the application counts as started, and stop only after it counts as stopping.
            if (!lifetime.ApplicationStarted.IsCancellationRequested || lifetime.ApplicationStopping.IsCancellationRequested)
            {
                return HealthCheckResult.Unhealthy("starting or stopping");
            }

            await one.WaitAsync(cancellationToken);
            try
            {
                if (clock.GetUtcNow() - at >= Fresh)
                {
                    last = await CanWrite();
                    at = clock.GetUtcNow();
                }

                return last;
            }
            finally
            {
                one.Release();
            }
        }

        public void Dispose() => one.Dispose();

        private async Task<HealthCheckResult> CanWrite()
        {
            using var limit = new CancellationTokenSource(Limit, clock);
            return await probe.Fault(limit.Token) is { } fault ? HealthCheckResult.Unhealthy(fault)
                : search.Failing is { } failing ? HealthCheckResult.Degraded(
                    string.Create(CultureInfo.InvariantCulture, $"payments go on; lists do not follow them since {failing.Since:HH:mm:ss} UTC: the list of problems says why"))
                : search.Behind is { } behind ? HealthCheckResult.Degraded(
                    string.Create(CultureInfo.InvariantCulture, $"payments go on; lists do not show all of them yet: {behind.Rows:n0} ledger rows to go since {behind.Since:HH:mm:ss} UTC"))
                : HealthCheckResult.Healthy();
        }
    }
}
