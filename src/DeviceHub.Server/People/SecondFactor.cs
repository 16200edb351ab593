using System.Security.Cryptography;
using System.Text;
using DeviceHub.Core.People;
using DeviceHub.Storage;
using Microsoft.AspNetCore.DataProtection;

namespace DeviceHub.Server.People;

/// <summary>A person's second factor as the row keeps it: the app's key sealed, recovery codes as hashes.</summary>
internal sealed class SecondFactor(IDataProtectionProvider protection)
{
    public const int RecoveryCodeCount = 10;
    private const int RecoveryCodeLength = 15;

    private readonly IDataProtector protector = protection.CreateProtector("second-factor");

    /// <summary>Null: the code is not of this key now; nothing has changed.</summary>
    public IReadOnlyList<string>? TurnOn(HubUser user, byte[] key, string code, DateTimeOffset now)
    {
        if (Totp.Match(key, Digits(code), now, 0) is not { } step)
        {
            return null;
        }

        var codes = Enumerable.Range(0, RecoveryCodeCount).Select(_ => RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz23456789", RecoveryCodeLength)).ToList();
        (user.SecondFactorKey, user.SecondFactorStep) = (Convert.ToBase64String(protector.Protect(key)), step);
        user.RecoveryCodes = string.Join(' ', codes.Select(Hash));
        return [.. codes.Select(c => $"{c[..5]}-{c[5..10]}-{c[10..]}")];
    }

    public static void TurnOff(HubUser user) => (user.SecondFactorKey, user.SecondFactorStep, user.RecoveryCodes) = (null, 0, null);

    /// <summary>Takes a code of the app or of recovery, which from then on is used; false: it is neither.</summary>
    public bool Take(HubUser user, string code, DateTimeOffset now)
    {
        if (user.SecondFactorKey is null)
        {
            return false;
        }

        var key = protector.Unprotect(Convert.FromBase64String(user.SecondFactorKey));
        if (Totp.Match(key, Digits(code), now, user.SecondFactorStep) is { } step)
        {
            user.SecondFactorStep = step;
            return true;
        }

        var hash = Hash(code.Replace("-", "", StringComparison.Ordinal).Trim().ToLowerInvariant());
        var left = (user.RecoveryCodes ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        user.RecoveryCodes = string.Join(' ', left.Where(h => h != hash));
        return left.Contains(hash);
    }

    /// <summary>Apps show them in groups.</summary>
    private static string Digits(string code) => code.Replace(" ", "", StringComparison.Ordinal);

    private static string Hash(string code) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(code)));
}
