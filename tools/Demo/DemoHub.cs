using System.Globalization;
using System.Net;
using System.Net.Sockets;
using DeviceHub.Core.Payments;
using DeviceHub.Server.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Tools.Demo;

/// <summary>The real hub in this process with everything embedded, on the usual ports where they are free, with a Sandbox that waits little.</summary>
internal sealed class DemoHub : IAsyncDisposable
{
    /// <summary>A model that needs no seals.</summary>
    public const string Unsealed = "plain-scanner";

    private readonly WebApplication app;

    private DemoHub(WebApplication app, HubStart facts) => (this.app, Facts) = (app, facts);

    public HubStart Facts { get; }

    public IServiceProvider Services => app.Services;

    /// <param name="terminals">How many will connect from this machine at once.</param>
    public static async Task<DemoHub> Start(string dataFolder, int terminals, ILoggerProvider log)
    {
        string[] arguments =
        [
            $"--Server:DataFolder={dataFolder}",
            $"--Server:Urls=http://127.0.0.1:{UsualOrFree(5080)}",
            $"--Mqtt:Port={UsualOrFree(1883)}",
            "--Mqtt:TlsAddress=127.0.0.1",
            $"--Mqtt:TlsPort={UsualOrFree(8883)}",
            string.Create(CultureInfo.InvariantCulture, $"--Mqtt:MaxConnectionsNotLoggedInPerAddress={Math.Max(50, terminals)}"),
            "--Terminals:HeartbeatIntervalSeconds=30",
            $"--Terminals:Models:{Unsealed}:Seals=false",
            $"--Terminals:Models:{Unsealed}:AllowUnsealedInProduction=true",
            "--Sandbox:PasswordAfter=00:00:02",
            "--Sandbox:TimeoutAfter=00:00:02",
            "--Sandbox:SlowAfter=00:00:01",
            "--Sandbox:DelayedAfter=00:00:04",
            "--Sandbox:LateAfter=00:00:06",
        ];
        HubStart? facts = null;
        var app = HubApplication.Build(
            arguments,
            builder =>
            {
                builder.Logging.ClearProviders().AddProvider(log);
                builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
                builder.Services.PostConfigure<PaymentOptions>(Shorten);
            },
            start => facts = start);
        try
        {
            await app.StartAsync();
            return new DemoHub(app, facts!);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }

    /// <summary>In proportion to the Sandbox's waits, so that the strangest of its payments is over in half a minute.</summary>
    private static void Shorten(PaymentOptions payments)
    {
        payments.PayDeadline = payments.QueryDeadline = TimeSpan.FromSeconds(3);
        payments.QueryWaits = [TimeSpan.Zero, TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)];
        payments.PendingWait = TimeSpan.FromSeconds(1);
        payments.PendingLimit = TimeSpan.FromSeconds(15);
        payments.UnknownLimit = TimeSpan.FromSeconds(4);
        payments.ReverseNotBefore = TimeSpan.FromSeconds(2);
        payments.CodeLifetime = TimeSpan.FromSeconds(4);
        payments.NotFoundMargin = TimeSpan.FromSeconds(1);
        payments.LateChecks = [TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(15)];
        payments.SweepGrace = TimeSpan.FromSeconds(2);
    }

    private static int UsualOrFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return port;
        }
        catch (SocketException)
        {
            return 0;
        }
    }

    /// <summary>Ctrl-C is the demo's own to hear: the hub stops after the terminals have settled.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
