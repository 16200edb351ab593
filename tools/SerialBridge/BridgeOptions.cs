using System.ComponentModel.DataAnnotations;

namespace DeviceHub.Tools.SerialBridge;

/// <summary>The bridge's own. Section <c>Bridge</c>.</summary>
internal sealed class BridgeOptions
{
    public const string Section = "Bridge";

    /// <summary>
    /// Where the keys of plain scanners are kept, which are the bridge's own: a file each, that its user alone can read. As it stands: what a systemd unit's
    /// StateDirectory names, else <c>keys</c> in the folder in which the bridge is started.
    /// </summary>
    [Required, MinLength(1)]
    public string KeyFolder { get; set; } = Environment.GetEnvironmentVariable("STATE_DIRECTORY") is { Length: > 0 } state ? state : "keys";
}
