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
        try
        {
            home.WriteSecret(FileName, made.ExportPkcs8PrivateKeyPem() + "\n");
            return made;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            made.Dispose();
            throw new BadInputException($"{home.SigningKeyFile}: the bench's key cannot be kept: {e.Message}");
        }
    }

    public static ECDsa? LoadIfThere(BenchHome home)
    {
        try
        {
            return home.ReadSecret(FileName) is { } pem ? FromPem(pem, home.SigningKeyFile) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{home.SigningKeyFile}: {e.Message}");
        }
    }

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
