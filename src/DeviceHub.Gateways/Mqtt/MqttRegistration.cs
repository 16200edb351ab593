using System.Net;
using System.Security.Authentication;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace DeviceHub.Gateways.Mqtt;

/// <summary>Registration of the MQTT endpoint. Call it after Orleans: what is registered last stops first.</summary>
public static class MqttRegistration
{
    internal const string HandshakeOver = "mqtt-handshake-over";

    /// <param name="dataFolder">Where <c>tls</c> is made, unless <see cref="MqttOptions.CertificateFolder"/> names another folder.</param>
    public static IServiceCollection AddMqttEndpoint(this IServiceCollection services, string dataFolder)
    {
        services.AddOptions<MqttOptions>().BindConfiguration(MqttOptions.Section).ValidateDataAnnotations()
            .Validate(o => IPAddress.TryParse(o.Address, out _) && IPAddress.TryParse(o.TlsAddress, out _), "Mqtt:Address and Mqtt:TlsAddress must be IP addresses")
            .Validate(o => o.MinKeepAliveSeconds <= o.MaxKeepAliveSeconds, "Mqtt:MinKeepAliveSeconds must not be above Mqtt:MaxKeepAliveSeconds")
            .ValidateOnStart();
        services.AddSingleton<MqttAddresses>();
        services.AddSingleton<MqttEndpoint>();
        services.AddHostedService(s => s.GetRequiredService<MqttEndpoint>());
        services.AddSingleton<IConfigureOptions<KestrelServerOptions>>(s => new Listeners(
            s.GetRequiredService<IOptions<MqttOptions>>(), s.GetRequiredService<MqttAddresses>(), s.GetService<TimeProvider>() ?? TimeProvider.System, dataFolder));
        return services;
    }

    private sealed class Listeners(IOptions<MqttOptions> options, MqttAddresses addresses, TimeProvider clock, string dataFolder) : IConfigureOptions<KestrelServerOptions>
    {
        public void Configure(KestrelServerOptions kestrel)
        {
            var mqtt = options.Value;
            if (mqtt.Port >= 0)
            {
                kestrel.Listen(IPAddress.Parse(mqtt.Address), mqtt.Port, listener =>
                {
                    addresses.Add(listener, tls: false);
                    listener.UseConnectionHandler<MqttEndpoint>();
                });
            }

            if (mqtt.TlsPort >= 0)
            {
                var folder = mqtt.CertificateFolder.Length > 0 ? mqtt.CertificateFolder : Path.Combine(dataFolder, "tls");
                var certificate = HubCertificate.LoadOrMake(folder, mqtt.CertificateNames, clock.GetUtcNow());
                kestrel.Listen(IPAddress.Parse(mqtt.TlsAddress), mqtt.TlsPort, listener =>
                {
                    addresses.Add(listener, tls: true);
                    Bound(listener, mqtt.MaxTlsHandshakes);
                    listener.UseHttps(https =>
                    {
                        https.ServerCertificate = certificate;
                        https.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
                        https.HandshakeTimeout = TimeSpan.FromSeconds(mqtt.TlsHandshakeSeconds);
                    });
                    listener.UseConnectionHandler<MqttEndpoint>();
                });
            }
        }

        /// <summary>Handshakes are the dearest thing that a stranger can ask for: no more than the limit are under way.</summary>
        private static void Bound(ListenOptions listener, int limit)
        {
            var under = 0;
            listener.Use(next => async connection =>
            {
                if (Interlocked.Increment(ref under) > limit)
                {
                    Interlocked.Decrement(ref under);
                    MqttMetrics.Refused("too-many-handshakes");
                    connection.Abort();
                    return;
                }

                var left = 0;
                connection.Items[HandshakeOver] = (Action)Leave;
                try
                {
                    await next(connection);
                }
                finally
                {
                    Leave();
                }

                void Leave()
                {
                    if (Interlocked.Exchange(ref left, 1) == 0)
                    {
                        Interlocked.Decrement(ref under);
                    }
                }
            });
        }
    }
}
