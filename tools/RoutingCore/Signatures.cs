using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace DeviceHub.Tools.RoutingCore;

/// <summary>Whether a request comes from the account, now and for the first time; and the signature of answers.</summary>
internal sealed class Signatures(CoreOptions options, TimeProvider clock)
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(5);
    private const int MaxNonces = 1_000_000;

    private readonly ConcurrentDictionary<string, DateTimeOffset> nonces = new(StringComparer.Ordinal);
    private readonly byte[] key = Encoding.UTF8.GetBytes(options.Secret);
    private DateTimeOffset swept = clock.GetUtcNow();

    /// <summary>Null: it is the account's. Else why not; then nothing is done and nothing is signed.</summary>
    public string? Fault(HttpRequest request, byte[] body)
    {
        string Header(string name) => request.Headers[name].ToString();

        var (nonce, timestamp, now) = (Header("DeviceHub-Nonce"), Header("DeviceHub-Timestamp"), clock.GetUtcNow());
        if (Header("DeviceHub-Account") != options.Account)
        {
            return "unknown-account";
        }

        if (!long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || Math.Abs(now.ToUnixTimeSeconds() - seconds) > Window.TotalSeconds)
        {
            return "clock";
        }

        if (nonce.Length is < 16 or > 64 || !Same(Header("DeviceHub-Signature"), Sign($"{request.Method}\n{request.Path}\n{timestamp}\n{nonce}\n", body)))
        {
            return "signature";
        }

        Sweep(now);
        return nonces.Count >= MaxNonces ? "busy" : nonces.TryAdd(nonce, now) ? null : "replay";
    }

    public string OfAnswer(string nonce, int status, byte[] body) => Sign(string.Create(CultureInfo.InvariantCulture, $"{nonce}\n{status}\n"), body);

    private static bool Same(string given, string right) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(given), Encoding.ASCII.GetBytes(right));

    private string Sign(string head, byte[] body)
    {
        byte[] signed = [.. Encoding.UTF8.GetBytes(head), .. body];
        return Convert.ToHexStringLower(HMACSHA256.HashData(key, signed));
    }

    /// <summary>A nonce is remembered for as long as its time could be in the window, on both sides of now.</summary>
    private void Sweep(DateTimeOffset now)
    {
        if (now - swept < Window)
        {
            return;
        }

        swept = now;
        foreach (var (nonce, at) in nonces)
        {
            if (now - at > 2 * Window)
            {
                nonces.TryRemove(nonce, out _);
            }
        }
    }
}
