using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Net;

namespace DeviceHub.Gateways.Mqtt;

/// <summary>
/// The certificate of the TLS listener under a CA of the hub's own, both made at the first start and kept in a folder as PEM, readable by
/// their owner alone. Terminals pin <c>ca.pem</c>. RSA-2048, a chain of one: the smallest TLS stacks can check it.
/// </summary>
internal static class HubCertificate
{
    private static readonly TimeSpan LeafLifetime = TimeSpan.FromDays(825);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    /// <summary>A clock at 1970 cannot be helped; one that was set at the factory is later than this.</summary>
    private static readonly DateTimeOffset CaFrom = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static X509Certificate2 LoadOrMake(string folder, IReadOnlyList<string> names, DateTimeOffset now)
    {
        Directory.CreateDirectory(folder);
        var leafFile = Path.Combine(folder, "hub.pem");
        if (File.Exists(leafFile))
        {
            var known = X509Certificate2.CreateFromPemFile(leafFile);
            if (known.NotAfter.ToUniversalTime() - now.UtcDateTime > RenewBefore && Names(known).SetEquals(names))
            {
                return Usable(known);
            }
        }

        using var ca = LoadOrMakeCa(folder);
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=DeviceHub", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
            {
                alternatives.AddIpAddress(address);
            }
            else
            {
                alternatives.AddDnsName(name);
            }
        }

        request.CertificateExtensions.Add(alternatives.Build());
        using var leaf = request.Create(ca, now.AddDays(-1), now + LeafLifetime, RandomNumberGenerator.GetBytes(16));
        using var whole = leaf.CopyWithPrivateKey(key);
        Write(leafFile, whole.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n");
        return Usable(whole);
    }

    private static X509Certificate2 LoadOrMakeCa(string folder)
    {
        var file = Path.Combine(folder, "ca-key.pem");
        if (!File.Exists(file))
        {
            using var key = RSA.Create(2048);
            var request = new CertificateRequest("CN=DeviceHub CA", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
            request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
            request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
            using var made = request.CreateSelfSigned(CaFrom, CaFrom.AddYears(30));
            Write(file, made.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n");
            File.WriteAllText(Path.Combine(folder, "ca.pem"), made.ExportCertificatePem() + "\n");
        }

        return X509Certificate2.CreateFromPemFile(file);
    }

    /// <summary>A key that came from PEM is not usable by every platform's TLS until it has been through PKCS#12.</summary>
    private static X509Certificate2 Usable(X509Certificate2 certificate) =>
        X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);

    private static HashSet<string> Names(X509Certificate2 certificate)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var extension in certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>())
        {
            names.UnionWith(extension.EnumerateDnsNames());
            names.UnionWith(extension.EnumerateIPAddresses().Select(a => a.ToString()));
        }

        return names;
    }

    /// <summary>Whole or not at all, and never readable by others, not even for a moment.</summary>
    private static void Write(string file, string pem)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var stream = new FileStream(file + ".new", options))
        {
            stream.Write(System.Text.Encoding.ASCII.GetBytes(pem));
            stream.Flush(flushToDisk: true);
        }

        File.Move(file + ".new", file, overwrite: true);
    }
}
