using System.ComponentModel.DataAnnotations;

namespace DeviceHub.Tools.SerialBridge;

/// <summary>Where the hub is. Section <c>Hub</c>.</summary>
internal sealed class RemoteHubOptions
{
    public const string Section = "Hub";

    /// <summary>Its name or address, as in its certificate.</summary>
    [Required, MinLength(1)] public string Host { get; set; } = "";

    [Range(1, 65_535)] public int Port { get; set; } = 8883;

    /// <summary>Without it payment codes can be read on the way, and the hub lets nobody activate.</summary>
    public bool Tls { get; set; } = true;

    /// <summary>The hub's <c>tls/ca.pem</c>: nothing else is trusted. Empty: what this machine trusts.</summary>
    public string CaFile { get; set; } = "";

    /// <summary>The hub is asked each so many seconds whether it is there, and is lost when it does not answer within <see cref="AnswerSeconds"/>.</summary>
    [Range(1, 100)] public int AskEverySeconds { get; set; } = 10;

    /// <summary>Seconds that the hub may take to answer CONNECT, SUBSCRIBE or PINGREQ.</summary>
    [Range(1, 60)] public int AnswerSeconds { get; set; } = 5;

    /// <summary>The longest wait before a connection is tried again, in seconds: 1, 2, 4, ...</summary>
    [Range(1, 600)] public int MaxBackOffSeconds { get; set; } = 60;

    /// <summary>Up to so many seconds, by chance, are added to a wait after the hub refused, so that a whole town does not come back at once.</summary>
    [Range(0, 300)] public int JitterSeconds { get; set; } = 30;
}
