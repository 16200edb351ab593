using System.Globalization;

namespace DeviceHub.Tools.Bench.Ports;

/// <summary>A serial port of this machine, as the kernel tells of it.</summary>
/// <param name="Path">As in <c>/dev/ttyUSB0</c>.</param>
/// <param name="ById">The name under <c>/dev/serial/by-id</c>, which stays when the cable is plugged in elsewhere; null: none.</param>
/// <param name="Driver">The kernel driver; null: not known.</param>
/// <param name="Usb">Null: no USB device.</param>
internal sealed record PortInfo(string Path, string? ById, string? Driver, UsbInfo? Usb)
{
    /// <summary>What the first rate probably is, in words.</summary>
    public string SpeedGuess => this switch
    {
        { Driver: "cdc_acm" } => "any: USB throughout (CDC)",
        { Driver: "ftdi_sio" or "cp210x" or "ch341" or "pl2303" } => Usb?.Product is { } name && name.Contains("scan", StringComparison.OrdinalIgnoreCase)
            ? "115200, else 9600"
            : "115200, up to " + Fastest(Driver),
        { Usb: null } => "115200",
        _ => "115200, else 9600",
    };

    private static string Fastest(string driver) => driver switch
    {
        "ftdi_sio" => "3000000",
        "pl2303" => "1228800",
        "ch341" => "2000000",
        _ => "921600",
    };
}

/// <summary>Of the USB device that a port belongs to.</summary>
/// <param name="Vendor">Four hex digits.</param>
/// <param name="ProductId">Four hex digits.</param>
/// <param name="SerialNumber">The adapter's or terminal's own; empty: none.</param>
/// <param name="Product">As the device calls itself; empty: not at all.</param>
/// <param name="Maker">As the device calls its maker; empty: not at all.</param>
internal sealed record UsbInfo(string Vendor, string ProductId, string SerialNumber, string Product, string Maker);

/// <summary>Reads the ports of Linux from sysfs. The roots are other ones in tests.</summary>
internal sealed class PortList(string sys = "/sys", string dev = "/dev")
{
    public IReadOnlyList<PortInfo> Read()
    {
        var classFolder = Path.Combine(sys, "class/tty");
        if (!Directory.Exists(classFolder))
        {
            return [];
        }

        var byId = ByIdNames();
        return
        [
            .. Directory.EnumerateFileSystemEntries(classFolder)
                .Select(Path.GetFileName)
                .OfType<string>()
                .Select(name => Read(name, byId))
                .OfType<PortInfo>()
                .OrderBy(port => port.Usb is null)
                .ThenBy(port => port.Path, StringComparer.Ordinal),
        ];
    }

    private PortInfo? Read(string name, IReadOnlyDictionary<string, string> byId)
    {
        // Consoles and pseudo-terminals have no device below them.
        var device = RealPath(Path.Combine(sys, "class/tty", name, "device"));
        if (device is null || (name.StartsWith("ttyS", StringComparison.Ordinal) && !IsRealUart(name)))
        {
            return null;
        }

        var path = Path.Combine(dev, name);
        var driver = RealPath(Path.Combine(device, "driver")) ?? RealPath(Path.Combine(device, "../driver"));
        return new PortInfo(path, byId.GetValueOrDefault(name), driver is null ? null : Path.GetFileName(driver), UsbAbove(device));
    }

    /// <summary>The kernel makes ttyS0 to ttyS31 whether they are there or not; those that are not have type 0.</summary>
    private bool IsRealUart(string name) => Text(Path.Combine(sys, "class/tty", name), "type") is { Length: > 0 } type && type != "0";

    private UsbInfo? UsbAbove(string device)
    {
        for (var folder = device; folder is not null && folder.Length > sys.Length; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "idVendor")))
            {
                return new UsbInfo(
                    Text(folder, "idVendor"), Text(folder, "idProduct"), Text(folder, "serial"), Text(folder, "product"), Text(folder, "manufacturer"));
            }
        }

        return null;
    }

    private Dictionary<string, string> ByIdNames()
    {
        var folder = Path.Combine(dev, "serial/by-id");
        return Directory.Exists(folder)
            ? Directory.EnumerateFileSystemEntries(folder)
                .Select(link => (Name: Path.GetFileName(link), Target: new FileInfo(link).LinkTarget))
                .Where(link => link.Target is not null)
                .GroupBy(link => Path.GetFileName(link.Target!), StringComparer.Ordinal)
                .ToDictionary(links => links.Key, links => links.First().Name, StringComparer.Ordinal)
            : [];
    }

    /// <summary>A name that a device gives itself can hold anything.</summary>
    private static string Text(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        try
        {
            return File.Exists(path) ? string.Concat(File.ReadAllText(path).Trim().Select(c => char.IsControl(c) ? '?' : c)) : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static string? RealPath(string path) =>
        !Directory.Exists(path) ? null
        : new DirectoryInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path);

    public static string Ids(UsbInfo usb) => string.Create(CultureInfo.InvariantCulture, $"{usb.Vendor}:{usb.ProductId}");
}
