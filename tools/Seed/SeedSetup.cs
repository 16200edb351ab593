namespace DeviceHub.Tools.Seed;

/// <summary>What a folder is filled with.</summary>
/// <param name="Folder">Of a hub that is not running.</param>
/// <param name="Until">The time of the last payment and sighting.</param>
internal sealed record SeedSetup(string Folder, int Terminals, int Payments, int Weeks, int Seed, DateTimeOffset Until)
{
    public DateTimeOffset From => Until - TimeSpan.FromDays(7 * Weeks);
}

/// <summary>The folder cannot be filled, in words for its owner.</summary>
internal sealed class SeedException(string message) : Exception(message);
