using System.Security.Cryptography;
using System.Text;
using DeviceHub.Core;
using Microsoft.AspNetCore.DataProtection;

namespace DeviceHub.Storage;

/// <summary>Terminal keys at rest. The serial number is sealed in, so that a row's key cannot be moved to another row.</summary>
internal sealed class KeyCipher(IDataProtectionProvider protection)
{
    private readonly IDataProtector protector = protection.CreateProtector("terminal keys");

    public byte[]? Seal(string serialNumber, SecretBytes? key)
    {
        if (key is null)
        {
            return null;
        }

        var name = Encoding.UTF8.GetBytes(serialNumber);
        byte[] plain = [(byte)name.Length, .. name, .. key.Reveal().Span];
        var sealedKey = protector.Protect(plain);
        CryptographicOperations.ZeroMemory(plain);
        return sealedKey;
    }

    /// <summary>Throws <see cref="CryptographicException"/> when the folder's protection keys are not those that sealed it.</summary>
    public SecretBytes? Open(string serialNumber, byte[]? sealedKey)
    {
        if (sealedKey is null)
        {
            return null;
        }

        var plain = protector.Unprotect(sealedKey);
        var length = plain[0];
        if (Encoding.UTF8.GetString(plain, 1, length) != serialNumber)
        {
            throw new CryptographicException($"the stored key of terminal {serialNumber} belongs to another terminal");
        }

        return new SecretBytes(plain[(1 + length)..]);
    }
}
