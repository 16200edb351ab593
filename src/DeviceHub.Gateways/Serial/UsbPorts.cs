using System.Globalization;

namespace DeviceHub.Gateways.Serial;

/// <summary>A USB device as options name it.</summary>
/// <param name="Vendor">idVendor.</param>
/// <param name="Product">idProduct.</param>
/// <param name="Serial">The device's own serial number; null: any.</param>
public readonly record struct UsbName(ushort Vendor, ushort Product, string? Serial);

/// <summary>Finds the file of a port by its USB device, in sysfs.</summary>
/// <param name="sysfs">Where sysfs is mounted.</param>
public sealed class UsbPorts(string sysfs = "/sys")
{
    private const int MaxDepth = 12;

    public static bool TryParse(string text, out UsbName name)
    {
        name = default;
        var parts = text.Split(':', 3);
        if (parts.Length < 2 || parts[0].Length != 4 || parts[1].Length != 4
            || !ushort.TryParse(parts[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var vendor)
            || !ushort.TryParse(parts[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var product))
        {
            return false;
        }

        name = new UsbName(vendor, product, parts.Length == 3 ? parts[2] : null);
        return true;
    }

    /// <summary>The files in /dev of a class (<c>tty</c>, <c>input</c>) that belong to the device, in the order of their names.</summary>
    public IReadOnlyList<string> Find(string device, string deviceClass)
    {
        var folder = Path.Combine(sysfs, "class", deviceClass);
        if (!TryParse(device, out var name) || !Directory.Exists(folder))
        {
            return [];
        }

        var found = new List<string>();
        foreach (var entry in Directory.EnumerateFileSystemEntries(folder).Order(StringComparer.Ordinal))
        {
            var own = Path.GetFileName(entry);
            if ((deviceClass != "input" || own.StartsWith("event", StringComparison.Ordinal)) && Belongs(entry, name))
            {
                found.Add(deviceClass == "input" ? $"/dev/input/{own}" : $"/dev/{own}");
            }
        }

        return found;
    }

    private static bool Belongs(string entry, UsbName name)
    {
        // A class's entry is a link into the tree of devices; the USB device is some folders above it.
        var folder = Directory.ResolveLinkTarget(entry, returnFinalTarget: true)?.FullName ?? entry;
        for (var depth = 0; depth < MaxDepth && folder is not null; depth++)
        {
            if (ReadLine(folder, "idVendor") is { } vendor && ReadLine(folder, "idProduct") is { } product)
            {
                return TryParse($"{vendor}:{product}", out var found) && (found.Vendor, found.Product) == (name.Vendor, name.Product)
                    && (name.Serial is null || name.Serial == ReadLine(folder, "serial"));
            }

            folder = Path.GetDirectoryName(folder);
        }

        return false;
    }

    private static string? ReadLine(string folder, string file)
    {
        try
        {
            var path = Path.Combine(folder, file);
            return File.Exists(path) ? File.ReadAllText(path).Trim() : null;
        }
        catch (IOException)
        {
            // It was unplugged while it was looked at.
            return null;
        }
    }
}
