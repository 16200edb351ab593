using System.ComponentModel.DataAnnotations;
using DeviceHub.Protocol;

namespace DeviceHub.Gateways.Serial;

/// <summary>The serial ports of this machine that terminals are on, and every limit of one. Section <c>Serial</c>.</summary>
public sealed class SerialOptions
{
    public const string Section = "Serial";

    /// <summary>Ports by a name of the operator's, <c>[A-Za-z0-9_-]{1,32}</c>. At most 256.</summary>
    [Required, MaxLength(256)]
    public Dictionary<string, SerialPortSettings> Ports { get; set; } = new(StringComparer.Ordinal);

    /// <summary>The first wait before a port that cannot be used is tried again, in milliseconds; doubles.</summary>
    [Range(10, 60_000)] public int RetryMs { get; set; } = 250;

    /// <summary>The longest such wait.</summary>
    [Range(10, 600_000)] public int RetryMaxMs { get; set; } = 2_000;

    /// <summary>The largest payload that the hub states in its REPLY, in bytes; at a first rate of 9,600 it is 1,024 at most.</summary>
    [Range(512, 16_384)] public int MaxPayloadBytes { get; set; } = 4_096;

    /// <summary>Seconds from a link to a login.</summary>
    [Range(5, 300)] public int LoginSeconds { get; set; } = 30;

    /// <summary>Messages a second of one terminal.</summary>
    [Range(1, 1_000_000)] public int MessagesPerSecond { get; set; } = 10;

    /// <summary>Messages that one terminal may send at once.</summary>
    [Range(1, 1_000_000)] public int MessageBurst { get; set; } = 50;

    /// <summary>Messages of one terminal that are being handled; more are not acknowledged, and come again.</summary>
    [Range(1, 1_000)] public int MaxInFlight { get; set; } = 16;

    /// <summary>Messages that wait to be sent to one terminal.</summary>
    [Range(1, 100_000)] public int MaxQueuedMessages { get; set; } = 64;

    /// <summary>Bytes that wait to be sent to one terminal.</summary>
    [Range(4_096, 16_777_216)] public int MaxQueuedBytes { get; set; } = 65_536;

    /// <summary>Seconds that a stopping hub gives messages that are being handled before it closes the links.</summary>
    [Range(0, 300)] public int DrainSeconds { get; set; } = 10;

    /// <summary>Null: right; else what is wrong, with the option's name.</summary>
    internal string? Fault() => RetryMaxMs < RetryMs ? "Serial:RetryMaxMs must not be below Serial:RetryMs"
        : Ports.Select(port => Fault(port.Key, port.Value)).FirstOrDefault(fault => fault is not null)
            ?? Ports.Where(port => port.Value.Mode != SerialMode.Framed).GroupBy(port => port.Value.SerialNumber).Where(same => same.Count() > 1)
                .Select(same => $"{Section}:Ports: {string.Join(" and ", same.Select(port => port.Key))} are both SerialNumber {same.Key}; a scanner's port is a terminal of its own")
                .FirstOrDefault();

    private static string? Fault(string name, SerialPortSettings port)
    {
        var option = $"{Section}:Ports:{name}";
        if (name.Length is 0 or > 32 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
        {
            return $"{Section}:Ports: '{name}' is no name of a port: 1 to 32 of A-Z, a-z, 0-9, _ and -";
        }

        if (string.IsNullOrEmpty(port.Path) == string.IsNullOrEmpty(port.Usb))
        {
            return $"{option} needs either Path or Usb";
        }

        if (port.Usb is { Length: > 0 } usb && !UsbPorts.TryParse(usb, out _))
        {
            return $"{option}:Usb must be VENDOR:PRODUCT or VENDOR:PRODUCT:SERIAL, the first two in 4 hexadecimal digits";
        }

        var faults = new List<ValidationResult>();
        if (!Validator.TryValidateObject(port, new ValidationContext(port), faults, validateAllProperties: true))
        {
            return $"{option}:{faults[0].MemberNames.First()} is not right: {faults[0].ErrorMessage}";
        }

        return port.Mode == SerialMode.Framed
            ? (port.Baud is not (9_600 or 115_200) ? $"{option}:Baud must be 115200 or 9600 in framed mode" : null)
            : !Names.IsSerialNumber(port.SerialNumber) ? $"{option}:SerialNumber must be 4 to 32 of A-Z, a-z, 0-9, _ and -: in line and keyboard mode the port is the terminal"
            : !Escapes.TryRead(port.Prefix, out _) || !Escapes.TryRead(port.Suffix, out _) ? $"{option}:Prefix and Suffix are ASCII, control characters as \\xHH"
            : null;
    }
}
