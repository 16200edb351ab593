using System.ComponentModel.DataAnnotations;

namespace DeviceHub.Gateways.Mqtt;

/// <summary>Where the hub listens for MQTT, and every limit of a connection. Section <c>Mqtt</c>.</summary>
public sealed class MqttOptions
{
    public const string Section = "Mqtt";

    /// <summary>IP address of the plain listener. Only loopback is safe without TLS.</summary>
    [Required] public string Address { get; set; } = "127.0.0.1";

    /// <summary>Port of the plain listener; 0: a free one; -1: none.</summary>
    [Range(-1, 65535)] public int Port { get; set; } = 1883;

    /// <summary>IP address of the TLS listener.</summary>
    [Required] public string TlsAddress { get; set; } = "0.0.0.0";

    /// <summary>Port of the TLS listener; 0: a free one; -1: none.</summary>
    [Range(-1, 65535)] public int TlsPort { get; set; } = 8883;

    /// <summary>DNS names and IP addresses that the hub's certificate names.</summary>
    [Required, MinLength(1)] public string[] CertificateNames { get; set; } = ["localhost", "127.0.0.1", "::1"];

    /// <summary>Folder of the hub's CA and certificate; empty: <c>tls</c> in <c>Server:DataFolder</c>.</summary>
    public string CertificateFolder { get; set; } = "";

    /// <summary>Seconds for a TLS handshake.</summary>
    [Range(1, 60)] public int TlsHandshakeSeconds { get; set; } = 10;

    /// <summary>TLS handshakes under way at once; more are closed.</summary>
    [Range(1, 100_000)] public int MaxTlsHandshakes { get; set; } = 1_000;

    /// <summary>Connections in all; more are closed.</summary>
    [Range(1, 1_000_000)] public int MaxConnections { get; set; } = 50_000;

    /// <summary>Connections of one address (of an IPv6 /64) that have not logged in, TLS handshakes included; more are closed.</summary>
    [Range(1, 1_000_000)] public int MaxConnectionsNotLoggedInPerAddress { get; set; } = 50;

    /// <summary>Seconds from the connection to a whole CONNECT.</summary>
    [Range(1, 60)] public int ConnectSeconds { get; set; } = 10;

    /// <summary>Seconds from the connection to a login.</summary>
    [Range(5, 300)] public int LoginSeconds { get; set; } = 30;

    /// <summary>Bytes of one packet until CONNECT was accepted.</summary>
    [Range(512, 65_536)] public int MaxPacketBytesBeforeConnect { get; set; } = 4_096;

    /// <summary>Bytes of one packet afterwards.</summary>
    [Range(512, 1_048_576)] public int MaxPacketBytes { get; set; } = 16_384;

    /// <summary>CONNECTs of one client id from one address that are answered at once.</summary>
    [Range(1, 1_000_000)] public int ConnectBurst { get; set; } = 3;

    /// <summary>Seconds that one CONNECT more waits for its answer, and after which one more is answered at once.</summary>
    [Range(0.001, 20)] public double ConnectIntervalSeconds { get; set; } = 5;

    /// <summary>Client ids and addresses whose CONNECTs are remembered.</summary>
    [Range(100, 10_000_000)] public int MaxConnectRecords { get; set; } = 50_000;

    /// <summary>Packets a second of one connection.</summary>
    [Range(1, 1_000_000_000)] public int PacketsPerSecond { get; set; } = 10;

    /// <summary>Packets that one connection may send at once.</summary>
    [Range(1, 1_000_000_000)] public int PacketBurst { get; set; } = 50;

    /// <summary>Bytes a second of one connection; it may send four seconds' worth at once.</summary>
    [Range(1_024, 1_000_000_000)] public int BytesPerSecond { get; set; } = 65_536;

    /// <summary>Publishes of one connection that are being handled (the Receive Maximum that CONNACK states).</summary>
    [Range(1, 1_000)] public int MaxInFlightIn { get; set; } = 16;

    /// <summary>
    /// Publishes to one connection that it has not acknowledged; a client may ask for fewer. A welcome with 20 unsettled payments fits, so that
    /// a login never waits for acknowledgements.
    /// </summary>
    [Range(1, 1_000)] public int MaxInFlightOut { get; set; } = 24;

    /// <summary>Seconds that a terminal has to acknowledge a publish.</summary>
    [Range(1, 600)] public int AcknowledgeSeconds { get; set; } = 30;

    /// <summary>Messages that wait to be sent to one connection.</summary>
    [Range(1, 100_000)] public int MaxQueuedMessages { get; set; } = 64;

    /// <summary>Bytes that wait to be sent to one connection.</summary>
    [Range(4_096, 16_777_216)] public int MaxQueuedBytes { get; set; } = 65_536;

    /// <summary>Seconds that sending may stand still before the connection is cut.</summary>
    [Range(1, 600)] public int SlowReaderSeconds { get; set; } = 20;

    /// <summary>Shortest keep-alive in seconds.</summary>
    [Range(1, 3_600)] public int MinKeepAliveSeconds { get; set; } = 15;

    /// <summary>Longest keep-alive in seconds; also for those that ask for none.</summary>
    [Range(1, 65_535)] public int MaxKeepAliveSeconds { get; set; } = 300;

    /// <summary>Topic filters in one SUBSCRIBE or UNSUBSCRIBE.</summary>
    [Range(1, 100)] public int MaxFilters { get; set; } = 8;

    /// <summary>Seconds that a stopping hub gives publishes that are being handled before it cuts the connections.</summary>
    [Range(0, 300)] public int DrainSeconds { get; set; } = 10;
}
