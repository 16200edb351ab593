namespace DeviceHub.Gateways.Serial;

/// <summary>Why a port cannot be used, for operators and for the metric's tag.</summary>
public enum PortFault { Missing, Busy, Permission, NotAPort, Speed, Gone, Other }

/// <summary>A port that cannot be opened or went away; the message says it in words.</summary>
public sealed class PortException(PortFault fault, string message) : IOException(message)
{
    public PortFault Fault => fault;

    /// <summary>What a failed call on the file of a port means.</summary>
    internal static PortException Of(int error, string path) => error switch
    {
        Libc.NoEntry => new(PortFault.Missing, $"{path} is not there (not plugged in?)"),
        Libc.Busy => new(PortFault.Busy, $"{path} is busy: another program has it open"),
        Libc.NoAccess or Libc.NoPermission => new(PortFault.Permission, $"no permission to open {path}: the hub's user must be in the file's group (often dialout or input)"),
        Libc.NotATerminal when File.Exists(path) && !path.StartsWith("/dev/", StringComparison.Ordinal) => new(PortFault.NotAPort, $"{path} is a regular file, no port"),
        Libc.NotATerminal => new(PortFault.NotAPort, $"{path} is no such port"),
        Libc.IsFolder => new(PortFault.NotAPort, $"{path} is a folder, no port"),
        _ => new(PortFault.Other, $"{path}: {Libc.Words(error)}"),
    };
}
