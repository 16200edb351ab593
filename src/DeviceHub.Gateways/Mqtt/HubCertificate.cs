using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace DeviceHub.Gateways.Mqtt;

/// <summary>
/// The certificate of the TLS listener under a CA of the hub's own, both made at the first start and kept in a folder as PEM, readable by
/// their owner alone. Terminals pin <c>ca.pem</c>. RSA-2048, a chain of one: the smallest TLS stacks can check it.
/// The keys are not encrypted: a hub starts with nobody there, so what opened them would lie beside them. <c>ca-key.pem</c> is needed only
/// to renew the leaf, and may be kept elsewhere until then.
/// </summary>
internal static class HubCertificate
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly TimeSpan LeafLifetime = TimeSpan.FromDays(825);

    /// <summary>It is looked at each day (<see cref="HubCertificateKeeper"/>): the rest is for what may have to be put right by a person.</summary>
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(90);

    /// <summary>Of the CA and of every leaf. A clock at 1970 cannot be helped; one that was set at the factory is later than this.</summary>
    private static readonly DateTimeOffset From = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <exception cref="HubCertificateException">The CA, which terminals have pinned, cannot be used; its message says what to do.</exception>
    public static X509Certificate2 LoadOrMake(string folder, IReadOnlyList<string> names, DateTimeOffset now)
    {
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder);
            Restrict(folder, OwnerOnly | UnixFileMode.UserExecute);
        }

        var leafFile = Path.Combine(folder, "hub.pem");
        using var ca = LoadOrMakeCa(folder);
        if (ReadLeaf(leafFile) is { } known)
        {
            // Without the CA's key one that is good is used to its end: a hub that does not start serves nobody.
            if (Names(known).SetEquals(names) && IsIssuedBy(ca, known, now) && (!IsDue(known, now) || !ca.HasPrivateKey))
            {
                return Usable(known);
            }

            known.Dispose();
        }

        return ca.HasPrivateKey
            ? MakeLeaf(leafFile, ca, names, now)
            : throw new HubCertificateException(
                $"'{leafFile}' must be made anew, and '{Path.Combine(folder, "ca-key.pem")}' is not there to sign it; put it back for one start");
    }

    /// <summary>Another should take its place: it ends soon, or was made by a clock that was far ahead.</summary>
    public static bool IsDue(X509Certificate2 leaf, DateTimeOffset now) =>
        leaf.NotAfter.ToUniversalTime() - now.UtcDateTime is var left && (left <= RenewBefore || left > LeafLifetime + TimeSpan.FromDays(1));

    private static X509Certificate2 MakeLeaf(string file, X509Certificate2 ca, IReadOnlyList<string> names, DateTimeOffset now)
    {
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
        using var leaf = request.Create(ca, ca.NotBefore, now + LeafLifetime, RandomNumberGenerator.GetBytes(16));
        using var whole = leaf.CopyWithPrivateKey(key);
        Write(file, whole.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n");
        return Usable(whole);
    }

    /// <summary>A new CA is made only where there has never been one: terminals that pinned it would be lost.</summary>
    private static X509Certificate2 LoadOrMakeCa(string folder)
    {
        var keyFile = Path.Combine(folder, "ca-key.pem");
        var publicFile = Path.Combine(folder, "ca.pem");
        try
        {
            if (!File.Exists(keyFile))
            {
                if (File.Exists(publicFile))
                {
                    return X509CertificateLoader.LoadCertificateFromFile(publicFile);
                }

                MakeCa(keyFile);
            }

            Restrict(keyFile, OwnerOnly);
            var ca = X509Certificate2.CreateFromPemFile(keyFile);
            var pem = ca.ExportCertificatePem() + "\n";
            if (!File.Exists(publicFile) || File.ReadAllText(publicFile) != pem)
            {
                Write(publicFile, pem, UnixFileMode.GroupRead | UnixFileMode.OtherRead);
            }

            return ca;
        }
        catch (Exception e) when (e is CryptographicException or UnauthorizedAccessException)
        {
            throw new HubCertificateException(
                $"the hub's CA in '{folder}' cannot be read ({e.Message}); restore ca-key.pem and ca.pem from a backup. To begin with a new CA, which every terminal must then pin anew, remove both", e);
        }
    }

    private static void MakeCa(string file)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=DeviceHub CA", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using var made = request.CreateSelfSigned(From, From.AddYears(30));
        Write(file, made.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    /// <summary>Null: none, or half of one. It is no loss: the CA makes another.</summary>
    private static X509Certificate2? ReadLeaf(string file)
    {
        if (!File.Exists(file))
        {
            return null;
        }

        try
        {
            Restrict(file, OwnerOnly);
            return X509Certificate2.CreateFromPemFile(file);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static bool IsIssuedBy(X509Certificate2 ca, X509Certificate2 leaf, DateTimeOffset now)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(ca);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = now.UtcDateTime;
        return chain.Build(leaf);
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

    /// <summary>Whole or not at all, and never readable by more than it should be, not even for a moment.</summary>
    private static void Write(string file, string pem, UnixFileMode others = UnixFileMode.None)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly | others;
        }

        // What a start that was killed has left behind.
        File.Delete(file + ".new");
        using (var stream = new FileStream(file + ".new", options))
        {
            stream.Write(Encoding.ASCII.GetBytes(pem));
            stream.Flush(flushToDisk: true);
        }

        File.Move(file + ".new", file, overwrite: true);
    }

    /// <summary>A copy or a restored backup may have come with wider rights.</summary>
    private static void Restrict(string path, UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows() || File.GetUnixFileMode(path) == mode)
        {
            return;
        }

        try
        {
            File.SetUnixFileMode(path, mode);
        }
        catch (UnauthorizedAccessException)
        {
            // It belongs to somebody else, who gave the hub what rights it has.
        }
    }
}

/// <summary>The hub's CA or certificate cannot be used, and making another by itself would do harm.</summary>
public sealed class HubCertificateException(string message, Exception? inner = null) : Exception(message, inner);
