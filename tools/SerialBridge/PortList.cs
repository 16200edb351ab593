using DeviceHub.Gateways.Serial;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace DeviceHub.Tools.SerialBridge;

/// <summary>What is wrong with a port, in the reader's language.</summary>
internal static class PortWords
{
    public static string Of(PortException fault, bool isOpen, SerialPortSettings port, Texts texts) => fault.Fault switch
    {
        PortFault.Missing => texts.Format("Missing", Where(port)),
        PortFault.Busy => texts.Format("Busy", Where(port)),
        PortFault.Permission => texts.Format("Permission", Where(port)),
        PortFault.NotAPort => texts.Format("NotAPort", Where(port)),
        PortFault.Gone => texts.Format("Gone", Where(port)),
        PortFault.Speed when isOpen => texts.Format("Speed", port.Baud),
        _ => fault.Message,
    };

    /// <summary>Why a scanner's terminal cannot log in; null: it has a key, or is given one when the bridge runs, or there is no scanner.</summary>
    public static string? KeyFault(SerialPortSettings port, PortKeys keys, Texts texts)
    {
        if (port.Mode == SerialMode.Framed)
        {
            return null;
        }

        try
        {
            return keys.Load(port.SerialNumber) is null && string.IsNullOrEmpty(port.ActivationCode) ? texts.Format("KeyMissing", port.SerialNumber) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return texts.Format("KeyUnreadable", port.SerialNumber, e.Message);
        }
    }

    public static string Where(SerialPortSettings port) => port.Path is { Length: > 0 } path ? path : "USB " + port.Usb;
}

/// <summary>The configured ports, one a line: what is at them, and whose the key is.</summary>
internal static class PortList
{
    public static void Write(IServiceProvider services, Texts texts, TextWriter to)
    {
        var keys = services.GetRequiredService<PortKeys>();
        foreach (var (name, port) in services.GetRequiredService<IOptions<SerialOptions>>().Value.Ports.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            to.WriteLine($"{name}  {PortWords.Where(port)}  {port.Mode}  {Key(port, keys, texts)}");
        }
    }

    private static string Key(SerialPortSettings port, PortKeys keys, Texts texts) =>
        port.Mode == SerialMode.Framed ? texts["KeyInTerminal"]
        : PortWords.KeyFault(port, keys, texts) is { } fault ? fault
        : keys.Load(port.SerialNumber) is not null ? texts.Format("KeyOfBridge", port.SerialNumber)
        : texts.Format("KeyToCome", port.SerialNumber);
}
