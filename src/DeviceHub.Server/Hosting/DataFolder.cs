using System.Security.Cryptography;
using DeviceHub.Core;

namespace DeviceHub.Server.Hosting;

/// <summary>The folder of everything that outlives the process. One hub uses it at a time: a lock file says so.</summary>
internal sealed class DataFolder : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly FileStream held;

    private DataFolder(string path, FileStream held)
    {
        Path = path;
        this.held = held;
    }

    public string Path { get; }

    /// <summary>Makes the folder if it is missing and takes it.</summary>
    /// <exception cref="StartException">It cannot be made or written, or another hub uses it.</exception>
    public static DataFolder Open(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        try
        {
            if (!Directory.Exists(full))
            {
                Directory.CreateDirectory(full);
                if (!OperatingSystem.IsWindows())
                {
                    File.SetUnixFileMode(full, OwnerOnly | UnixFileMode.UserExecute);
                }
            }

            var held = new FileStream(System.IO.Path.Combine(full, "hub.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return new DataFolder(full, held);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StartException($"the data folder '{full}' cannot be written ({e.Message}); change its rights or Server:DataFolder", e);
        }
        catch (IOException e)
        {
            throw new StartException(
                $"the data folder '{full}' is in use by another hub, or cannot be written ({e.Message}); stop that one or change Server:DataFolder", e);
        }
    }

    /// <summary>The hub's master key; made at the first start, readable by its owner alone.</summary>
    public HubKeys LoadKeys()
    {
        var file = System.IO.Path.Combine(Path, "hub.key");
        if (!File.Exists(file))
        {
            WriteNew(file, RandomNumberGenerator.GetBytes(32));
        }

        var master = File.ReadAllBytes(file);
        return master.Length == 32
            ? new HubKeys(master)
            : throw new StartException($"'{file}' has {master.Length} bytes instead of 32; restore it from a backup: without it stored keys cannot be read");
    }

    public void Dispose() => held.Dispose();

    /// <summary>Whole or not at all: a crash must not leave half a key.</summary>
    private static void WriteNew(string file, byte[] content)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        using (var stream = new FileStream(file + ".new", options))
        {
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }

        File.Move(file + ".new", file);
    }
}
