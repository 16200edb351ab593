using System.Collections.Frozen;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace DeviceHub.Server.Hosting;

internal static class Telemetry
{
    /// <summary>
    /// How much there is, and what goes wrong. The others count each message and activation several times on its way within one process: a twentieth of
    /// the processor time of a payment, for figures that the hub's own have, and Orleans's dashboard when it profiles.
    /// </summary>
    private static readonly FrozenSet<string> OfOrleans = FrozenSet.Create(
        "orleans-catalog-activations",
        "orleans-catalog-activation-failed-to-activate",
        "orleans-app-requests-timedout",
        "orleans-messaging-expired",
        "orleans-messaging-rejected",
        "orleans-scheduler-long-running-turns",
        "orleans-watchdog-health-checks-failed");

    public static void AddHubTelemetry(this IServiceCollection services) =>
        services.AddOpenTelemetry().ConfigureResource(hub => hub.AddService("devicehub", autoGenerateServiceInstanceId: false)).WithMetrics(metrics => metrics
            .AddMeter("DeviceHub.*", "Microsoft.Orleans")
            .AddView(instrument => instrument.Meter.Name == "Microsoft.Orleans" && !OfOrleans.Contains(instrument.Name) ? MetricStreamConfiguration.Drop : null)
            .AddAspNetCoreInstrumentation()
            .AddRuntimeInstrumentation()

            // A scrape tells what is so now: the exporter would answer with figures of up to 300 ms ago.
            .AddPrometheusExporter(exporter => exporter.ScrapeResponseCacheDurationMilliseconds = 0));

    public static void AddHubLogging(this ILoggingBuilder logging)
    {
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            console.UseUtcTimestamp = true;
        });

        // What these frameworks say at Information is about themselves; an operator reads about terminals and payments.
        logging.AddFilter("Orleans", LogLevel.Warning);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("System", LogLevel.Warning);
        logging.AddFilter("Polly", LogLevel.Warning);

        // Anybody may ask for the health or with a wrong key as often as they like; they are told, and wrong keys are counted.
        logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);
        logging.AddFilter("DeviceHub.Server.ApiKeys.ApiKeyAuthentication", LogLevel.Warning);

        // At a first start these two warn that keys are not encrypted (their folder is the owner's alone), and that a thread has not run since the machine started.
        logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        logging.AddFilter("Orleans.Runtime.Watchdog", LogLevel.Error);

        // It warns at every start that the server's garbage collector is off. So it shall be: measured, a heap a core doubles what an idle terminal costs.
        logging.AddFilter("Orleans.Runtime.Silo", LogLevel.Error);
    }
}
