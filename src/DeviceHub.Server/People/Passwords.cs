using System.Security.Cryptography;
using DeviceHub.Storage;
using Microsoft.AspNetCore.Identity;

namespace DeviceHub.Server.People;

/// <summary>Which passwords are taken, and their slow hashes: no more at once than the machine has processors, so that payments keep some.</summary>
internal sealed class Passwords(IPasswordHasher<HubUser> hasher) : IDisposable
{
    public const int MinLength = 12;
    public const int MaxLength = 256;

    /// <summary>No letters that look like others.</summary>
    private const string Alphabet = "abcdefghjkmnpqrstuvwxyz23456789";
    private const int MinDifferent = 5;

    private static readonly HubUser Nobody = new() { Role = "" };

    private readonly SemaphoreSlim places = new(Math.Max(1, Environment.ProcessorCount / 2));
    private readonly string decoy = hasher.HashPassword(Nobody, Generate());

    /// <summary>100 random bits nearly, which nobody has to remember.</summary>
    public static string Generate() => RandomNumberGenerator.GetString(Alphabet, 20);

    public static bool IsGood(string password, string userName) =>
        password.Length is >= MinLength and <= MaxLength && password.Distinct().Count() >= MinDifferent && !password.Equals(userName, StringComparison.OrdinalIgnoreCase);

    public async Task<string> Hash(string password, CancellationToken stop)
    {
        await places.WaitAsync(stop);
        try
        {
            return hasher.HashPassword(Nobody, password);
        }
        finally
        {
            places.Release();
        }
    }

    /// <param name="hash">Null: nobody's; it takes as long, and is never right.</param>
    public async Task<bool> IsRight(string? hash, string password, CancellationToken stop)
    {
        await places.WaitAsync(stop);
        try
        {
            return hasher.VerifyHashedPassword(Nobody, hash ?? decoy, password) != PasswordVerificationResult.Failed & hash is not null;
        }
        finally
        {
            places.Release();
        }
    }

    public void Dispose() => places.Dispose();
}
