using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using DeviceHub.Core;

namespace DeviceHub.Channels.Remote;

/// <summary>
/// The signatures of <c>routing-core.openapi.json</c>: HMAC-SHA256, lower case hexadecimal, under the account's secret in UTF-8. A request's is over
/// method, path as sent, time (Unix seconds), nonce, each ended by a line feed, and the body; an answer's over the request's nonce, the
/// status, each ended by a line feed, and the body. So an answer fits one request and no other.
/// </summary>
internal static class RemoteSigning
{
    public const string Account = "DeviceHub-Account";
    public const string Timestamp = "DeviceHub-Timestamp";
    public const string Nonce = "DeviceHub-Nonce";
    public const string Signature = "DeviceHub-Signature";

    public static string OfRequest(SecretText secret, HttpMethod method, string path, long unixSeconds, string nonce, ReadOnlySpan<byte> body) =>
        Convert.ToHexStringLower(Hmac(secret, string.Create(CultureInfo.InvariantCulture, $"{method}\n{path}\n{unixSeconds}\n{nonce}\n"), body));

    /// <summary>Compared in constant time.</summary>
    public static bool IsOfAnswer(SecretText secret, string nonce, int status, ReadOnlySpan<byte> body, string? signature)
    {
        Span<byte> given = stackalloc byte[32];
        return signature is { Length: 64 } && Convert.FromHexString(signature, given, out _, out var written) == System.Buffers.OperationStatus.Done && written == 32
            && CryptographicOperations.FixedTimeEquals(given, Hmac(secret, string.Create(CultureInfo.InvariantCulture, $"{nonce}\n{status}\n"), body));
    }

    private static byte[] Hmac(SecretText secret, string head, ReadOnlySpan<byte> body)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret.Reveal()));
        hmac.AppendData(Encoding.UTF8.GetBytes(head));
        hmac.AppendData(body);
        return hmac.GetHashAndReset();
    }
}
