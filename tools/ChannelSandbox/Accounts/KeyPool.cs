using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace DeviceHub.Tools.ChannelSandbox.Accounts;

/// <summary>One RSA key in as many instances as threads use it at once: an instance is not promised to be safe for two.</summary>
internal sealed class KeyPool(Func<RSA> make)
{
    private readonly ConcurrentBag<RSA> free = [];

    private static readonly Lazy<KeyPool> Forger = new(() =>
    {
        using var key = RSA.Create(2048);
        return OfPem(key.ExportPkcs8PrivateKeyPem());
    });

    /// <summary>A key that nobody knows, of who pretends to be a channel.</summary>
    public static KeyPool Foreign => Forger.Value;

    public static KeyPool OfPem(string pem) => new(() =>
    {
        var key = RSA.Create();
        key.ImportFromPem(pem);
        return key;
    });

    public static KeyPool OfCertificate(string pem) => new(() =>
    {
        using var certificate = X509Certificate2.CreateFromPem(pem);
        return certificate.GetRSAPublicKey() ?? throw new InvalidDataException("a certificate has no RSA key");
    });

    /// <summary>SHA-256 with PKCS#1, in base64.</summary>
    public string Sign(ReadOnlySpan<byte> data)
    {
        var key = Take();
        Span<byte> signature = stackalloc byte[1024];
        var length = key.SignData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        free.Add(key);
        return Convert.ToBase64String(signature[..length]);
    }

    /// <summary>False also for what is no base64.</summary>
    public bool Verifies(ReadOnlySpan<byte> data, string base64)
    {
        Span<byte> signature = stackalloc byte[1024];
        if (!Convert.TryFromBase64String(base64, signature, out var length))
        {
            return false;
        }

        var key = Take();
        var good = key.VerifyData(data, signature[..length], HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        free.Add(key);
        return good;
    }

    private RSA Take() => free.TryTake(out var key) ? key : make();
}
