using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace DeviceHub.Core;

/// <summary>
/// What is derived from the hub's one master key (32 random bytes, kept in the data folder): fingerprints of payment codes and
/// activation codes, and the check part of request-id epochs. Losing the key makes old epochs unknown and codes unfindable.
/// </summary>
public sealed class HubKeys
{
    /// <summary>Characters of an epoch; in a request id a hyphen follows.</summary>
    private const int EpochLength = 12;

    /// <summary>Milliseconds since this moment fit an epoch's 5 bytes for 34 years.</summary>
    private static readonly DateTimeOffset EpochZero = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly byte[] codeKey;
    private readonly byte[] activationKey;
    private readonly byte[] epochKey;

    public HubKeys(ReadOnlySpan<byte> master)
    {
        if (master.Length != 32)
        {
            throw new ArgumentException("the hub's master key must be 32 bytes", nameof(master));
        }

        codeKey = Derive(master, "payment code");
        activationKey = Derive(master, "activation code");
        epochKey = Derive(master, "request epoch");
    }

    /// <summary>HMAC-SHA256 of a payment code, base64; the only trace of the code that is stored beside its last four digits.</summary>
    public string Fingerprint(Payments.PaymentCode code) =>
        Convert.ToBase64String(HMACSHA256.HashData(codeKey, Encoding.ASCII.GetBytes(code.Reveal())));

    /// <summary>HMAC-SHA256 of a normalised activation code, base64; what the store looks it up by.</summary>
    public string ActivationFingerprint(string normalisedCode) =>
        Convert.ToBase64String(HMACSHA256.HashData(activationKey, Encoding.UTF8.GetBytes(normalisedCode)));

    /// <summary>
    /// A request-id epoch: 12 characters of base64url over 5 bytes of milliseconds and 4 bytes of MAC over them and the serial
    /// number. The hub can tell its own epochs from others without keeping a list, also after a restart.
    /// </summary>
    public string RequestEpoch(string serialNumber, DateTimeOffset at)
    {
        Span<byte> epoch = stackalloc byte[9];
        var ms = (long)(at - EpochZero).TotalMilliseconds;
        Span<byte> wide = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(wide, ms);
        wide[3..].CopyTo(epoch);
        Check(serialNumber, epoch[..5], epoch[5..]);
        return Convert.ToBase64String(epoch).Replace('+', '-').Replace('/', '_');
    }

    /// <summary>What a request id begins with: its epoch; of an id without one (a test's), as many characters.</summary>
    public static string EpochOf(string requestId) => requestId.Length > EpochLength ? requestId[..EpochLength] : requestId;

    /// <summary>Whether this hub once gave the epoch that a request id begins with to this terminal.</summary>
    public bool GaveEpoch(string serialNumber, ReadOnlySpan<char> requestId)
    {
        if (requestId.Length < EpochLength + 2 || requestId[EpochLength] != '-')
        {
            return false;
        }

        Span<byte> epoch = stackalloc byte[9];
        Span<char> base64 = stackalloc char[EpochLength];
        for (var i = 0; i < base64.Length; i++)
        {
            base64[i] = requestId[i] switch { '-' => '+', '_' => '/', var c => c };
        }

        if (!Convert.TryFromBase64Chars(base64, epoch, out var written) || written != epoch.Length)
        {
            return false;
        }

        Span<byte> expected = stackalloc byte[4];
        Check(serialNumber, epoch[..5], expected);
        return CryptographicOperations.FixedTimeEquals(expected, epoch[5..]);
    }

    private void Check(string serialNumber, ReadOnlySpan<byte> time, Span<byte> check)
    {
        Span<byte> input = stackalloc byte[5 + 64];
        time.CopyTo(input);
        var length = 5 + Encoding.ASCII.GetBytes(serialNumber.AsSpan(0, Math.Min(serialNumber.Length, 64)), input[5..]);
        Span<byte> mac = stackalloc byte[32];
        HMACSHA256.HashData(epochKey, input[..length], mac);
        mac[..check.Length].CopyTo(check);
    }

    private static byte[] Derive(ReadOnlySpan<byte> master, string purpose)
    {
        var key = new byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, master, key, default, Encoding.ASCII.GetBytes("devicehub " + purpose));
        return key;
    }
}
