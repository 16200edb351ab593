namespace DeviceHub.Gateways;

/// <summary>How a reason is said on a wire and in metrics.</summary>
internal static class CutReasons
{
    /// <summary>MQTT 5's code of DISCONNECT, and the code of a serial CLOSE.</summary>
    public static byte Code(this CutReason reason) => reason switch
    {
        CutReason.TakenOver => 0x8E,
        CutReason.Stopping => 0x8B,
        CutReason.Credentials => 0x87,
        CutReason.ProtocolError => 0x82,
        CutReason.TooLarge => 0x95,
        CutReason.TooFast => 0x96,
        CutReason.SlowReader => 0x97,
        CutReason.Administrative or CutReason.Resumed => 0x98,
        CutReason.KeepAlive => 0x8D,
        CutReason.HubLost => 0,
        _ => 0x83,
    };

    public static string Word(this CutReason reason) => reason switch
    {
        CutReason.TakenOver => "taken-over",
        CutReason.Stopping => "stopping",
        CutReason.Credentials => "credentials",
        CutReason.ProtocolError => "protocol-error",
        CutReason.TooLarge => "packet-too-large",
        CutReason.TooFast => "too-fast",
        CutReason.SlowReader => "slow-reader",
        CutReason.Administrative => "administrative",
        CutReason.Resumed => "resumed",
        CutReason.KeepAlive => "keep-alive",
        CutReason.HubLost => "hub-lost",
        _ => "fault",
    };
}
