using System.ComponentModel.DataAnnotations;

namespace DeviceHub.Gateways.Serial;

/// <summary>What is at the other end of a port.</summary>
public enum SerialMode
{
    /// <summary>A terminal that speaks firmware-protocol/serial.md.</summary>
    Framed,
}

/// <summary>One port.</summary>
public sealed class SerialPortSettings
{
    /// <summary>The port's file, best a name that stays: <c>/dev/serial/by-id/...</c>.</summary>
    public string? Path { get; set; }

    /// <summary>Instead of a path: the USB device it belongs to, as <c>vendor:product</c> or <c>vendor:product:serial</c>, in hexadecimal.</summary>
    public string? Usb { get; set; }

    /// <summary>What is at its other end.</summary>
    public SerialMode Mode { get; set; } = SerialMode.Framed;

    /// <summary>The rate that a link begins at: 115,200 or 9,600.</summary>
    [Range(1_200, 4_000_000)] public int Baud { get; set; } = 115_200;

    /// <summary>The fastest rate that a terminal is granted; the first or less: none.</summary>
    [Range(0, 4_000_000)] public int MaxBaud { get; set; } = 921_600;

    /// <summary>DTR when the port is opened.</summary>
    public ModemLine Dtr { get; set; } = ModemLine.Untouched;

    /// <summary>RTS when the port is opened.</summary>
    public ModemLine Rts { get; set; } = ModemLine.Untouched;
}
