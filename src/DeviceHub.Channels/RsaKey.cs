using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace DeviceHub.Channels;

/// <summary>
/// A key for RSA with SHA-256 (PKCS #1 v1.5) that many calls use at once. .NET does not promise that one RSA object may be used by two threads, so each call takes
/// one of its own and puts it back.
/// </summary>
internal sealed class RsaKey
{
    private readonly RSAParameters parameters;

    /// <summary>
    /// More than there are processors: a thread that is set aside in the middle of a signature keeps its object, and one that is made for a call costs
    /// four signatures.
    /// </summary>
    private readonly RSA?[] idle = new RSA?[16];

    private RsaKey(RSA first, bool isPrivate)
    {
        parameters = first.ExportParameters(isPrivate);
        idle[0] = first;
    }

    public static RsaKey FromPem(string pem)
    {
        var rsa = RSA.Create();
        rsa.ImportFromPem(pem);
        return new RsaKey(rsa, pem.Contains("PRIVATE KEY", StringComparison.Ordinal));
    }

    public static RsaKey Of(X509Certificate2 certificate) =>
        new(certificate.GetRSAPublicKey() ?? throw new CryptographicException("not an RSA certificate"), isPrivate: false);

    /// <summary>Whether this is the other half of a public key.</summary>
    public bool IsPairOf(RSA publicKey) => publicKey.ExportParameters(false).Modulus.AsSpan().SequenceEqual(parameters.Modulus);

    /// <returns>In base64.</returns>
    public string Sign(byte[] data)
    {
        var rsa = Take();
        try
        {
            return Convert.ToBase64String(rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        }
        finally
        {
            Put(rsa);
        }
    }

    /// <summary>False also for a signature that is no base64, or longer than any key's.</summary>
    public bool IsSigned(ReadOnlySpan<byte> data, string signature)
    {
        Span<byte> bytes = stackalloc byte[1024];
        if (!Convert.TryFromBase64String(signature, bytes, out var length))
        {
            return false;
        }

        var rsa = Take();
        try
        {
            return rsa.VerifyData(data, bytes[..length], HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }
        finally
        {
            Put(rsa);
        }
    }

    private RSA Take()
    {
        for (var i = 0; i < idle.Length; i++)
        {
            if (Volatile.Read(ref idle[i]) is not null && Interlocked.Exchange(ref idle[i], null) is { } rsa)
            {
                return rsa;
            }
        }

        return RSA.Create(parameters);
    }

    private void Put(RSA rsa)
    {
        for (var i = 0; i < idle.Length; i++)
        {
            if (Volatile.Read(ref idle[i]) is null && Interlocked.CompareExchange(ref idle[i], rsa, null) is null)
            {
                return;
            }
        }

        rsa.Dispose();
    }
}
