using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.Hosting;

/// <summary>Opens the addresses of pages and API and remembers them: with port 0 the real port is known only after the start.</summary>
internal sealed class HttpListeners(IOptions<ServerOptions> options) : IConfigureOptions<KestrelServerOptions>
{
    private readonly List<(string Scheme, ListenOptions Listener)> listeners = [];

    /// <summary>Where pages and API listen, once the server has started.</summary>
    public IReadOnlyList<Uri> Addresses =>
        [.. listeners.Select(l => new UriBuilder(l.Scheme, Host(l.Listener), l.Listener.IPEndPoint!.Port).Uri)];

    public void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = options.Value.MaxBodyBytes;
        kestrel.Limits.MaxConcurrentConnections = options.Value.MaxConnections;
        kestrel.Limits.MaxConcurrentUpgradedConnections = 100;
        kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        foreach (var url in options.Value.ParsedUrls())
        {
            kestrel.Listen(ServerOptions.AddressOf(url!)!, url!.Port, listener =>
            {
                listeners.Add((url.Scheme, listener));
                if (url.Scheme == "https")
                {
                    var certificate = Load(options.Value);
                    listener.UseHttps(https =>
                    {
                        https.ServerCertificate = certificate;
                        https.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
                    });
                }
            });
        }
    }

    private static string Host(ListenOptions listener) =>
        listener.IPEndPoint!.Address is { AddressFamily: System.Net.Sockets.AddressFamily.InterNetworkV6 } v6 ? $"[{v6}]" : listener.IPEndPoint.Address.ToString();

    private static X509Certificate2 Load(ServerOptions options)
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(options.CertificateFile!, options.CertificateKeyFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            throw new StartException($"Server:CertificateFile '{options.CertificateFile}' with its key cannot be read: {e.Message}", e);
        }
    }
}
