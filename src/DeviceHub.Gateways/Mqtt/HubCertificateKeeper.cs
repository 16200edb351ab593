using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using DeviceHub.Core.Problems;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Gateways.Mqtt;

/// <summary>
/// The certificate that handshakes get. It is looked at once a day, so that a hub that runs for years renews it without a stop; sessions go on
/// under the one that they began with.
/// </summary>
internal sealed partial class HubCertificateKeeper(string folder, IReadOnlyList<string> names, TimeProvider clock, ILogger<HubCertificateKeeper> logger)
    : IDisposable, IProblemSource
{
    private static readonly TimeSpan Every = TimeSpan.FromDays(1);

    /// <summary>It should have been renewed long before.</summary>
    private static readonly TimeSpan NearItsEnd = TimeSpan.FromDays(60);

    private X509Certificate2? certificate;
    private volatile SslServerAuthenticationOptions? handshakes;
    private ITimer? timer;

    /// <summary>For a handshake that begins now. The certificate's context is shared: what is made once for it is not made at each handshake.</summary>
    public SslServerAuthenticationOptions Handshakes => handshakes ?? throw new InvalidOperationException("the certificate has not been opened");

    /// <exception cref="HubCertificateException">There is none and none can be made; its message says what to do.</exception>
    public void Open()
    {
        Take(HubCertificate.LoadOrMake(folder, names, clock.GetUtcNow()));
        timer = clock.CreateTimer(_ => Look(), null, Every, Every);
    }

    public ValueTask<IReadOnlyList<Problem>> Newest(int limit)
    {
        IReadOnlyList<Problem> ends = certificate is { } used && used.NotAfter.ToUniversalTime() is var end && end - clock.GetUtcNow().UtcDateTime < NearItsEnd
            ? [new Problem(ProblemKind.CertificateEnds, new DateTimeOffset(end), Serious: true, "")]
            : [];
        return new(ends);
    }

    public void Dispose() => timer?.Dispose();

    private void Look()
    {
        var end = certificate!.NotAfter.ToUniversalTime();
        try
        {
            if (!HubCertificate.IsDue(certificate, clock.GetUtcNow()))
            {
                return;
            }

            var next = HubCertificate.LoadOrMake(folder, names, clock.GetUtcNow());
            if (next.Thumbprint == certificate.Thumbprint)
            {
                next.Dispose();
                LogNotRenewed(end, "ca-key.pem is not there to sign another; put it back for a day", null);
                return;
            }

            Take(next);
            LogRenewed(folder);
        }
        catch (Exception e)
        {
            // A timer's callback: what leaves it ends the process. A renewal that fails is tried again a day later, many times before the end.
            LogNotRenewed(end, e.Message, e is HubCertificateException ? null : e);
        }
    }

    private void Take(X509Certificate2 next)
    {
        // The one before is not disposed: handshakes that have begun use it.
        certificate = next;
        handshakes = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(next, additionalCertificates: null, offline: true),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        };
    }

    [LoggerMessage(EventName = "HubCertificateRenewed", Level = LogLevel.Information, Message = "The certificate of the TLS listener was renewed in {Folder}; new connections get the new one")]
    private partial void LogRenewed(string folder);

    [LoggerMessage(EventName = "HubCertificateNotRenewed", Level = LogLevel.Warning,
        Message = "The certificate of the TLS listener ends on {End:yyyy-MM-dd} and could not be renewed: {Why}. It is tried again in a day; after that date no terminal connects with TLS")]
    private partial void LogNotRenewed(DateTime end, string why, Exception? e);
}
