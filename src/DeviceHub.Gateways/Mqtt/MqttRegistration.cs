using System.Net;
using DeviceHub.Core;
using DeviceHub.Core.Problems;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DeviceHub.Gateways.Mqtt;

/// <summary>Registration of the MQTT endpoint. Call it after Orleans: what is registered last stops first.</summary>
public static class MqttRegistration
{
    /// <param name="dataFolder">Where <c>tls</c> is made, unless <see cref="MqttOptions.CertificateFolder"/> names another folder.</param>
    public static IServiceCollection AddMqttEndpoint(this IServiceCollection services, string dataFolder)
    {
        services.AddOptionsSection<MqttOptions>(MqttOptions.Section)
            .Validate(o => IPAddress.TryParse(o.Address, out _) && IPAddress.TryParse(o.TlsAddress, out _), "Mqtt:Address and Mqtt:TlsAddress must be IP addresses")
            .Validate(o => o.MinKeepAliveSeconds <= o.MaxKeepAliveSeconds, "Mqtt:MinKeepAliveSeconds must not be above Mqtt:MaxKeepAliveSeconds");
        services.AddSingleton<MqttAddresses>();

        // What a client sends while its earlier packets are worked on stays in the kernel, not in the process: 64 KiB a connection, not 1 MiB.
        services.Configure<SocketTransportOptions>(sockets => sockets.MaxReadBufferSize = 64 * 1024);
        services.AddSingleton<MqttEndpoint>();
        services.AddHostedService(s => s.GetRequiredService<MqttEndpoint>());
        services.AddSingleton(s =>
        {
            var mqtt = s.GetRequiredService<IOptions<MqttOptions>>().Value;
            return new HubCertificateKeeper(
                mqtt.CertificateFolder.Length > 0 ? mqtt.CertificateFolder : Path.Combine(dataFolder, "tls"), mqtt.CertificateNames,
                s.GetService<TimeProvider>() ?? TimeProvider.System, s.GetRequiredService<ILogger<HubCertificateKeeper>>());
        });
        services.AddSingleton<IProblemSource>(s => s.GetRequiredService<HubCertificateKeeper>());
        services.AddSingleton<IConfigureOptions<KestrelServerOptions>, Listeners>();
        return services;
    }

    private sealed class Listeners(IOptions<MqttOptions> options, MqttAddresses addresses, HubCertificateKeeper certificate) : IConfigureOptions<KestrelServerOptions>
    {
        public void Configure(KestrelServerOptions kestrel)
        {
            var mqtt = options.Value;
            if (mqtt.Port >= 0)
            {
                kestrel.Listen(IPAddress.Parse(mqtt.Address), mqtt.Port, listener =>
                {
                    addresses.Add(listener, tls: false);
                    Enter(listener, tls: false);
                    listener.UseConnectionHandler<MqttEndpoint>();
                });
            }

            if (mqtt.TlsPort >= 0)
            {
                certificate.Open();
                kestrel.Listen(IPAddress.Parse(mqtt.TlsAddress), mqtt.TlsPort, listener =>
                {
                    addresses.Add(listener, tls: true);
                    Enter(listener, tls: true);

                    // No ALPN: with HTTP's names Kestrel would refuse a client that offers "mqtt".
                    listener.Protocols = HttpProtocols.None;
                    listener.UseHttps(new TlsHandshakeCallbackOptions
                    {
                        OnConnection = _ => new(certificate.Handshakes),
                        HandshakeTimeout = TimeSpan.FromSeconds(mqtt.TlsHandshakeSeconds),
                    });
                    listener.UseConnectionHandler<MqttEndpoint>();
                });
            }
        }

        private static void Enter(ListenOptions listener, bool tls)
        {
            var endpoint = listener.ApplicationServices.GetRequiredService<MqttEndpoint>();
            listener.Use(next => connection => endpoint.EnterAsync(connection, next, tls));
        }
    }
}
