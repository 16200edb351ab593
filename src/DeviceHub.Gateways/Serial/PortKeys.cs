using DeviceHub.Core;
using DeviceHub.Protocol;

namespace DeviceHub.Gateways.Serial;

/// <summary>The keys of the terminals that ports are: a file each, which only the hub's user can read.</summary>
/// <param name="folder">Made when the first key is stored.</param>
public sealed class PortKeys(string folder)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Null: it has none yet.</summary>
    /// <exception cref="IOException">The file cannot be read, or is no key.</exception>
    public SecretBytes? Load(string serialNumber)
    {
        var path = PathOf(serialNumber);
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            return Convert.FromHexString(File.ReadAllText(path).Trim()) is { Length: Login.KeyBytes } key
                ? new SecretBytes(key)
                : throw new IOException($"{path} is not a key of {Login.KeyBytes} bytes in hexadecimal");
        }
        catch (FormatException)
        {
            throw new IOException($"{path} is not a key in hexadecimal");
        }
    }

    /// <summary>Durable when it returns, and read back.</summary>
    /// <exception cref="IOException">It cannot be stored.</exception>
    public void Store(string serialNumber, ReadOnlySpan<byte> key)
    {
        if (OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException("scanners' ports are served on Linux only");
        }

        Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
        var path = PathOf(serialNumber);
        var draft = path + ".new";
        File.Delete(draft);
        using (var file = new FileStream(draft, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
        {
            file.Write(System.Text.Encoding.ASCII.GetBytes(Convert.ToHexStringLower(key) + "\n"));
            file.Flush(flushToDisk: true);
        }

        File.Move(draft, path, overwrite: true);
        SyncFolder();
        if (!Load(serialNumber)!.Reveal().Span.SequenceEqual(key))
        {
            throw new IOException($"{path} does not hold what was written");
        }
    }

    /// <summary>A new name is on the disk only with its folder: a power cut could take the key after the hub had seen it proved.</summary>
    private void SyncFolder()
    {
        var fd = Libc.Open(folder, write: false);
        var synced = fd >= 0 && Libc.TrySync(fd);
        var error = Libc.LastError;
        if (fd >= 0)
        {
            Libc.Close(fd);
        }

        if (!synced)
        {
            throw new IOException($"{folder} cannot be written to the disk: {Libc.Words(error)}");
        }
    }

    private string PathOf(string serialNumber) => Path.Combine(folder, serialNumber + ".key");
}
