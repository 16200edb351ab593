using System.Net;
using DeviceHub.Protocol.Serial;

namespace DeviceHub.Gateways;

/// <summary>
/// A connection as <see cref="TerminalSession"/> sees it, MQTT or serial. Sending never waits: what the transport does not
/// take at once is kept within bounds, and one that is full cuts the connection.
/// </summary>
public interface IWire
{
    /// <summary>
    /// For proofs, in lower case: <c>mqtt</c> or <c>serial</c>, whichever the terminal itself speaks. A proof for one wire is worth nothing on another.
    /// </summary>
    string Name { get; }

    EndPoint? Remote { get; }

    /// <summary>TLS, or both ends on loopback.</summary>
    bool Secure { get; }

    /// <summary>The terminal can receive: on MQTT, it is subscribed to its <c>down</c>.</summary>
    bool CanReceive { get; }

    /// <summary>The largest payload that the other side takes, at least 512 bytes; whatever is larger is lost.</summary>
    int MaxMessageBytes { get; }

    /// <summary>Queues one downlink payload. The memory is not used after the call returns. False: cut, or being cut.</summary>
    bool TrySend(ReadOnlySpan<byte> payload);

    /// <summary>
    /// The session tells the wire, once, that the terminal has proved who it is: from now on it does not count against its address,
    /// and the deadline for logging in no longer applies to it.
    /// </summary>
    void LoggedIn();

    /// <summary>
    /// Ends the connection, from any thread, without waiting: at once, but a refused login (Credentials, Administrative) is given a moment to
    /// read its refusal. The first reason counts.
    /// </summary>
    void Cut(CutReason reason);
}

/// <summary>Why the hub ended a connection. MQTT 5 says it with the reason code in the remark.</summary>
public enum CutReason
{
    /// <summary>0x8E</summary>
    TakenOver,

    /// <summary>0x8B</summary>
    Stopping,

    /// <summary>0x87, after the delay for wrong credentials.</summary>
    Credentials,

    /// <summary>0x82 or 0x81</summary>
    ProtocolError,

    /// <summary>0x95</summary>
    TooLarge,

    /// <summary>0x96</summary>
    TooFast,

    /// <summary>0x97: the terminal does not read or does not acknowledge.</summary>
    SlowReader,

    /// <summary>0x98: an administrator retired it.</summary>
    Administrative,

    /// <summary>0x98: it was told that it is suspended, and is no more.</summary>
    Resumed,

    /// <summary>0x8D</summary>
    KeepAlive,

    /// <summary>0x83: a fault of ours, logged.</summary>
    Fault,

    /// <summary>0, on a serial line only: a bridge has lost its hub. The terminal says HELLO at once.</summary>
    HubLost,
}

/// <summary>
/// The terminal's side of the hub on one connection, made when the transport has taken the connection (MQTT: after CONNECT was
/// accepted) and used by that connection alone.
/// </summary>
public interface ITerminalSession : IAsyncDisposable
{
    /// <summary>
    /// One uplink payload. Called in the order of arrival, at most the wire's in-flight limit at once; when the task completes the
    /// transport frees (MQTT: acknowledges) the message. It never throws for bad bytes. The memory is valid until completion.
    /// </summary>
    ValueTask Receive(ReadOnlyMemory<byte> payload);

    /// <summary>MQTT: the terminal has subscribed to its <c>down</c>.</summary>
    void ReceiverReady();
}

/// <summary>Makes sessions, and judges a token before one is made.</summary>
public interface ITerminalSessions
{
    /// <summary>Judges CONNECT's password. False: wrong, after the delay that wrong ones get.</summary>
    ValueTask<bool> CheckToken(string serialNumber, string token, IWire wire);

    /// <summary>
    /// Serial: asked at each HELLO of a new boot id, before the REPLY. False: no link now, the terminal says HELLO again. A hub always takes it; a bridge
    /// that has no connection to its hub for this terminal yet makes one.
    /// </summary>
    /// <param name="hello">With the largest payload agreed, and the serial number, which nobody has proved yet.</param>
    /// <param name="port">As <see cref="IWire.Remote"/> of the wire that <see cref="Open"/> gets when the link is up.</param>
    bool Takes(LinkHello hello, EndPoint port) => true;

    /// <param name="token">Judged right before; null: the session logs in by challenge or activates.</param>
    ITerminalSession Open(string serialNumber, string? token, IWire wire);
}
