using System.Net;
using System.Net.Sockets;
using Orleans.Configuration;
using Orleans.Dashboard;

namespace DeviceHub.Server.Hosting;

/// <summary>One silo in this process, for itself alone: a free loopback port, no gateway, an identity that no other hub has.</summary>
internal static class SiloHosting
{
    /// <param name="profileGrains"><see cref="ServerOptions.ProfileGrains"/>.</param>
    public static void AddHubSilo(this WebApplicationBuilder builder, bool profileGrains)
    {
        var identity = "hub-" + Guid.NewGuid().ToString("N")[..12];
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(FreeLoopbackPort(), gatewayPort: 0, primarySiloEndpoint: null, serviceId: identity, clusterId: identity);

            // One silo owns the whole directory: a cache before it would only keep a million payments that are over, and be counted every second.
            silo.Configure<GrainDirectoryOptions>(directory => directory.CachingStrategy = GrainDirectoryOptions.CachingStrategyType.None);
            silo.AddDashboard(dashboard => dashboard.HideTrace = true);
            if (!profileGrains)
            {
                // It is passed by every call although nobody looks.
                var filter = silo.Services.Single(s => s.ServiceType == typeof(IIncomingGrainCallFilter) && s.ImplementationType?.Assembly == typeof(DashboardOptions).Assembly);
                silo.Services.Remove(filter);
            }
        });
    }

    /// <summary>The silo takes a number, not a socket, so the port is found by opening it for a moment.</summary>
    private static int FreeLoopbackPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
