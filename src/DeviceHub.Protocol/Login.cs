using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace DeviceHub.Protocol;

/// <summary>The exact bytes that login is made of; specified in firmware-protocol/README.md, "Login".</summary>
public static class Login
{
    public const int NonceBytes = 16;
    public const int KeyBytes = 32;
    public const int ProofBytes = 32;

    /// <summary>Bytes of the HMAC that a token carries, as twice as many hexadecimal digits.</summary>
    public const int TokenMacBytes = 16;

    /// <summary>What a proof is an HMAC-SHA256 of, under the terminal's key.</summary>
    /// <param name="wire"><c>mqtt</c> or <c>serial</c>.</param>
    public static byte[] ProofInput(string wire, string serialNumber, string hardwareId, ReadOnlySpan<byte> hubNonce, ReadOnlySpan<byte> terminalNonce) =>
        [.. Text("devicehub/v1/proof"), 0, .. Text(wire), 0, .. Text(serialNumber), 0, .. Text(hardwareId), 0, .. hubNonce, .. terminalNonce];

    /// <summary>What the session's key is the HMAC-SHA256 of, under the terminal's key.</summary>
    public static byte[] SealInput(string serialNumber, ReadOnlySpan<byte> hubNonce, ReadOnlySpan<byte> terminalNonce) =>
        [.. Text("devicehub/v1/seal"), 0, .. Text(serialNumber), 0, .. hubNonce, .. terminalNonce];

    /// <summary>What a token's MAC is made of.</summary>
    public static byte[] TokenInput(string serialNumber, long unixSeconds) =>
        Text(string.Create(CultureInfo.InvariantCulture, $"devicehub/v1/token|{serialNumber}|{unixSeconds}"));

    /// <summary><c>t1.{seconds}.{32 hex digits}</c>: an MQTT password for clients that cannot answer a challenge.</summary>
    public static string Token(ReadOnlySpan<byte> key, string serialNumber, long unixSeconds)
    {
        var mac = HMACSHA256.HashData(key, TokenInput(serialNumber, unixSeconds));
        return string.Create(CultureInfo.InvariantCulture, $"t1.{unixSeconds}.{Convert.ToHexStringLower(mac.AsSpan(0, TokenMacBytes))}");
    }

    /// <summary>Reads a token's parts without judging its MAC.</summary>
    public static bool TryParseToken(string token, out long unixSeconds, out byte[] mac)
    {
        unixSeconds = 0;
        mac = [];
        var parts = token.Length <= 64 ? token.Split('.') : [];
        if (parts is not ["t1", { Length: > 0 and <= 12 }, { Length: TokenMacBytes * 2 }]
            || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out unixSeconds))
        {
            return false;
        }

        mac = new byte[TokenMacBytes];
        return Convert.FromHexString(parts[2], mac, out _, out _) == System.Buffers.OperationStatus.Done;
    }

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);
}
