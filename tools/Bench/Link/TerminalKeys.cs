using DeviceHub.Protocol;

namespace DeviceHub.Tools.Bench.Link;

/// <summary>The keys of terminals that this bench knows: one that was given for all, and those that it gave at an activation.</summary>
internal sealed class TerminalKeys(BenchHome home, byte[]? given)
{
    private readonly Dictionary<string, byte[]> offered = new(StringComparer.Ordinal);

    /// <summary>One that was offered in this run counts more than the given one: the unit has been made new since.</summary>
    /// <exception cref="IOException">The file of its key is damaged; in words.</exception>
    public byte[]? Find(string serialNumber)
    {
        try
        {
            return offered.GetValueOrDefault(serialNumber) ?? given ?? (home.ReadSecret(FileOf(serialNumber)) is { } hex ? Convert.FromHexString(hex.Trim()) : null);
        }
        catch (FormatException)
        {
            throw new IOException($"{FileOf(serialNumber)} in the bench's folder is damaged; say the unit's key with --key");
        }
    }

    /// <summary>Kept before it is offered: a cut right after the offer loses nothing.</summary>
    public void Keep(string serialNumber, byte[] key)
    {
        offered[serialNumber] = key;
        home.WriteSecret(FileOf(serialNumber), Convert.ToHexStringLower(key) + "\n");
    }

    /// <summary>64 hex digits, or a file that holds them.</summary>
    public static byte[]? Parse(string? text)
    {
        if (text is null)
        {
            return null;
        }

        try
        {
            var key = Convert.FromHexString((File.Exists(text) ? File.ReadAllText(text) : text).Trim());
            return key.Length == Login.KeyBytes ? key : throw new BadInputException($"--key: {key.Length} bytes; a terminal's key has {Login.KeyBytes}");
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new BadInputException("--key: neither 64 hex digits nor a file that holds them");
        }
    }

    /// <summary>A serial number is in a path: nothing but its own characters may be in it.</summary>
    private static string FileOf(string serialNumber) =>
        Names.IsSerialNumber(serialNumber) ? $"keys/{serialNumber}.key" : throw new ArgumentException("no serial number", nameof(serialNumber));
}
