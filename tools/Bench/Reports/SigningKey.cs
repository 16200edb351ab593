using System.Security.Cryptography;

namespace DeviceHub.Tools.Bench.Reports;

/// <summary>The bench's own key (ECDSA P-256), made at its first use and kept with mode 0600.</summary>
internal static class SigningKey
{
    public const string Algorithm = "ECDSA-P256-SHA256";

    private const string FileName = "bench.key";

    public static ECDsa LoadOrMake(BenchHome home)
    {
        if (LoadIfThere(home) is { } there)
        {
            return there;
        }

        var made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        home.WriteSecret(FileName, made.ExportPkcs8PrivateKeyPem() + "\n");
        return made;
    }

    public static ECDsa? LoadIfThere(BenchHome home) => home.ReadSecret(FileName) is { } pem ? FromPem(pem, home.SigningKeyFile) : null;

    /// <summary>A private or public key in PEM.</summary>
    public static ECDsa FromPem(string pem, string path)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            return key;
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            key.Dispose();
            throw new BadInputException($"{path}: no key in PEM");
        }
    }

    /// <summary>What people compare: the first 16 bytes of the SHA-256 of the public key.</summary>
    public static string Fingerprint(ReadOnlySpan<byte> publicKey) =>
        string.Join(':', Convert.ToHexStringLower(SHA256.HashData(publicKey).AsSpan(0, 16)).Chunk(4).Select(four => new string(four)));
}
