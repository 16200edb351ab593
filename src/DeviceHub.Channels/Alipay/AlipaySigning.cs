using System.Security.Cryptography;
using System.Text;

namespace DeviceHub.Channels.Alipay;

/// <summary>RSA2: SHA-256 with RSA (PKCS #1 v1.5) over a text, in base64.</summary>
internal static class AlipaySigning
{
    /// <summary>
    /// What requests and notices are signed over: all parameters but those without a value and <c>sign</c> itself, in the order of their names'
    /// bytes, not encoded. Of a request <c>sign_type</c> stays in; of a notice its caller takes it out.
    /// </summary>
    public static string Content(IEnumerable<KeyValuePair<string, string>> parameters) =>
        string.Join('&', parameters
            .Where(p => p.Value.Length > 0 && p.Key != "sign")
            .OrderBy(p => p.Key, StringComparer.Ordinal)
            .Select(p => $"{p.Key}={p.Value}"));

    public static string Sign(RSA key, string content)
    {
        lock (key)
        {
            return Convert.ToBase64String(key.SignData(Encoding.UTF8.GetBytes(content), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        }
    }

    /// <summary>False also for a signature that is no base64.</summary>
    public static bool Verify(RSA key, ReadOnlySpan<byte> content, string signature)
    {
        var bytes = new byte[(signature.Length / 4 * 3) + 3];
        if (!Convert.TryFromBase64String(signature, bytes, out var length))
        {
            return false;
        }

        // .NET does not promise that a key can be used by two threads at once.
        lock (key)
        {
            return key.VerifyData(content, bytes.AsSpan(0, length), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }
    }
}
