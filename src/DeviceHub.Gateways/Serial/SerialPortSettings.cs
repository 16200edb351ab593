using System.ComponentModel.DataAnnotations;

namespace DeviceHub.Gateways.Serial;

/// <summary>What is at the other end of a port.</summary>
public enum SerialMode
{
    /// <summary>A terminal that speaks firmware-protocol/serial.md.</summary>
    Framed,

    /// <summary>A scanner that prints the code and a line end: the hub is the terminal.</summary>
    Line,

    /// <summary>A scanner that is a USB keyboard: the hub is the terminal, and nobody else gets its keys.</summary>
    Keyboard,
}

/// <summary>One port.</summary>
public sealed class SerialPortSettings
{
    /// <summary>The port's file, best a name that stays: <c>/dev/serial/by-id/...</c>.</summary>
    public string? Path { get; set; }

    /// <summary>Instead of a path: the USB device it belongs to, as <c>vendor:product</c> or <c>vendor:product:serial</c>, in hexadecimal.</summary>
    public string? Usb { get; set; }

    /// <summary>What is at its other end.</summary>
    [EnumDataType(typeof(SerialMode))] public SerialMode Mode { get; set; } = SerialMode.Framed;

    /// <summary>In framed mode the rate that a link begins at, 115,200 or 9,600; in line mode the scanner's.</summary>
    [Range(1_200, 4_000_000)] public int Baud { get; set; } = 115_200;

    /// <summary>The fastest rate that a terminal is granted; the first or less: none.</summary>
    [Range(0, 4_000_000)] public int MaxBaud { get; set; } = 921_600;

    /// <summary>DTR when the port is opened.</summary>
    [EnumDataType(typeof(ModemLine))] public ModemLine Dtr { get; set; } = ModemLine.Untouched;

    /// <summary>RTS when the port is opened.</summary>
    [EnumDataType(typeof(ModemLine))] public ModemLine Rts { get; set; } = ModemLine.Untouched;

    /// <summary>Line and keyboard mode: the terminal that this port is.</summary>
    public string SerialNumber { get; set; } = "";

    /// <summary>Line and keyboard mode: activates the terminal at the first start; its key is then kept in the data folder.</summary>
    public string? ActivationCode { get; set; }

    /// <summary>Line and keyboard mode: what the scanner prints before a code; control characters as <c>\xHH</c>.</summary>
    public string Prefix { get; set; } = "";

    /// <summary>What it prints after a code, which ends there; CR and LF always end one.</summary>
    public string Suffix { get; set; } = "";

    /// <summary>Takes an AIM symbology identifier (<c>]Q1</c>) off a code.</summary>
    public bool SymbologyIdentifiers { get; set; } = true;

    /// <summary>A code that answered a charge is thrown away when it is read again within so many milliseconds.</summary>
    [Range(0, 60_000)] public int DuplicateWindowMs { get; set; } = 5_000;
}
