using System.Security.Cryptography;
using System.Text;
using DeviceHub.Core;
using Microsoft.AspNetCore.DataProtection;

namespace DeviceHub.Storage;

/// <summary>Accounts' secrets at rest. Account and field are sealed in, so that a row's secret can be moved neither to another account nor to another field.</summary>
internal sealed class AccountCipher(IDataProtectionProvider protection)
{
    private readonly IDataProtector protector = protection.CreateProtector("channel account secrets");

    public byte[] Seal(string account, string field, SecretText secret)
    {
        var plain = Encoding.UTF8.GetBytes($"{Place(account, field)}{secret.Reveal()}");
        var sealedSecret = protector.Protect(plain);
        CryptographicOperations.ZeroMemory(plain);
        return sealedSecret;
    }

    /// <summary>Throws <see cref="CryptographicException"/> when the folder's protection keys are not those that sealed it, or it was moved.</summary>
    public SecretText Open(string account, string field, byte[] sealedSecret)
    {
        var plain = protector.Unprotect(sealedSecret);
        var text = Encoding.UTF8.GetString(plain);
        CryptographicOperations.ZeroMemory(plain);
        var place = Place(account, field);
        return text.StartsWith(place, StringComparison.Ordinal)
            ? new SecretText(text[place.Length..])
            : throw new CryptographicException($"the stored {field} of channel account {account} belongs elsewhere");
    }

    /// <summary>Neither has a line end in it.</summary>
    private static string Place(string account, string field) => $"{account}\n{field}\n";
}
