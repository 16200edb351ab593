using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace DeviceHub.Tools.LoadBench.Driver;

/// <summary>
/// Clients over TLS, for connecting and idling. Handshakes need the runtime's streams, so this is not the lean driver, and it shares the
/// processors with the server: its own share is reported beside the rate.
/// </summary>
internal sealed class TlsLoad : IDisposable
{
    private readonly List<SslStream> streams = [];
    private readonly Lock gate = new();
    private string? pinned;

    public async Task<TimeSpan> OpenAll(int port, IReadOnlyList<LoadClient> all, int atOnce, TimeSpan limit)
    {
        using var giveUp = new CancellationTokenSource(limit);
        var from = Stopwatch.GetTimestamp();
        try
        {
            await Parallel.ForEachAsync(all, new ParallelOptions { MaxDegreeOfParallelism = atOnce, CancellationToken = giveUp.Token }, async (client, cancellation) =>
            {
                var stream = await Handshake(port, cancellation);
                using var pending = new MemoryStream();
                client.Output = bytes =>
                {
                    pending.Write(bytes.Span);
                    return true;
                };
                client.Start();
                var buffer = new byte[4096];
                while (true)
                {
                    await stream.WriteAsync(pending.GetBuffer().AsMemory(0, (int)pending.Length), cancellation);
                    pending.SetLength(0);
                    if (client.Ready)
                    {
                        return;
                    }

                    var n = await stream.ReadAsync(buffer, cancellation);
                    if (n == 0)
                    {
                        throw new BenchException($"{client.SerialNumber} was closed before it was ready");
                    }

                    lock (gate)
                    {
                        client.Feed(buffer.AsSpan(0, n));
                    }
                }
            });
        }
        catch (OperationCanceledException)
        {
            throw new BenchException($"only {all.Count(c => c.Ready)} of {all.Count} clients became ready over TLS within {limit.TotalSeconds} s");
        }

        return Stopwatch.GetElapsedTime(from);
    }

    public void Dispose() => streams.ForEach(s => s.Dispose());

    private async Task<SslStream> Handshake(int port, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), cancellation);
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        lock (gate)
        {
            streams.Add(stream);
        }

        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                EnabledSslProtocols = SslProtocols.Tls12,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => IsTheHubs(certificate),
            },
            cancellation);
        return stream;
    }

    /// <summary>The hub's own CA is unknown to this machine: the first certificate is trusted, and all others must be the same.</summary>
    private bool IsTheHubs(X509Certificate? certificate)
    {
        var hash = certificate?.GetCertHashString();
        return hash is not null && hash == (Interlocked.CompareExchange(ref pinned, hash, null) ?? hash);
    }
}
