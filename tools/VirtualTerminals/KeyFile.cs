using System.Text.Json;

namespace DeviceHub.Tools.VirtualTerminals;

/// <summary>Terminals' keys by serial number in a file that its owner alone may read; a terminal in the field has them in its flash.</summary>
public static class KeyFile
{
    /// <exception cref="InvalidDataException">It holds no keys.</exception>
    public static Dictionary<string, byte[]> Load(FileInfo? file)
    {
        try
        {
            return file is { Exists: true } ? JsonSerializer.Deserialize<Dictionary<string, byte[]>>(File.ReadAllText(file.FullName)) ?? [] : [];
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{file} is no file of terminals' keys ({e.Message})", e);
        }
    }

    /// <param name="keys">A later one of the same terminal replaces an earlier one.</param>
    public static void Save(FileInfo? file, IEnumerable<KeyValuePair<string, byte[]>> keys)
    {
        if (file is null)
        {
            return;
        }

        var all = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var (serialNumber, key) in keys)
        {
            all[serialNumber] = key;
        }

        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var stream = new FileStream(file.FullName, options);
        JsonSerializer.Serialize(stream, all);
    }
}
