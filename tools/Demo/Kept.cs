using System.Text.Json;

namespace DeviceHub.Tools.Demo;

/// <summary>What the demo must remember with a data folder that is kept: how it gets at the hub, and its terminals' keys. Secret.</summary>
internal sealed record Kept(string ApiKey, string StoreId, Dictionary<string, byte[]> Keys, string? Password = null)
{
    private const string FileName = "demo.json";

    public static Kept? Load(string folder)
    {
        var file = Path.Combine(folder, FileName);
        return File.Exists(file) ? JsonSerializer.Deserialize<Kept>(File.ReadAllBytes(file)) : null;
    }

    public void Save(string folder)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var stream = new FileStream(Path.Combine(folder, FileName), options);
        JsonSerializer.Serialize(stream, this);
    }
}
