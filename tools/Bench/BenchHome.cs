using System.Text;

namespace DeviceHub.Tools.Bench;

/// <summary>The folder of this bench: its signing key and the keys that it gave to terminals. Only its owner can read them.</summary>
internal sealed class BenchHome(string folder)
{
    public const string Variable = "DEVICEHUB_BENCH_HOME";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static BenchHome Default => new(
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } chosen
            ? chosen
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.Create), "devicehub-bench"));

    public string SigningKeyFile => Path.Combine(folder, "bench.key");

    public string? ReadSecret(string name)
    {
        var path = Path.Combine(folder, name);
        return File.Exists(path) ? File.ReadAllText(path) : null;
    }

    /// <summary>Written beside, and then put in place whole, so that a cut leaves the old or the new.</summary>
    public void WriteSecret(string name, string text)
    {
        var path = Path.Combine(folder, name);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (OperatingSystem.IsWindows())
        {
            // The user's own folder of application data is closed to others there.
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        }
        else
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!, OwnerOnly | UnixFileMode.UserExecute);
            options.UnixCreateMode = OwnerOnly;
        }

        var beside = path + ".new";
        File.Delete(beside);
        using (var file = new FileStream(beside, options))
        {
            file.Write(Encoding.UTF8.GetBytes(text));
            file.Flush(flushToDisk: true);
        }

        File.Move(beside, path, overwrite: true);
    }
}
