namespace DeviceHub.Protocol.Serial;

/// <summary>Why a link went down.</summary>
public enum LinkEnd
{
    /// <summary>No good frame for 5 s.</summary>
    Silence,

    /// <summary>The last send of a frame was not acknowledged.</summary>
    NotAcknowledged,

    /// <summary>Three bad frames in a row, above the first rate.</summary>
    BadFrames,

    /// <summary>The other end has begun anew.</summary>
    PeerRestarted,

    /// <summary>The hub ended it with a code, or said that it has no link.</summary>
    Closed,

    /// <summary>The hub does not take this terminal's HELLO; the code is the <see cref="HelloResult"/>.</summary>
    Refused,

    /// <summary>This end ended it.</summary>
    Ended,
}

/// <summary>
/// What a <see cref="SerialLink"/> does to the world around it, called from within its own methods and on their thread. It may call the link back.
/// </summary>
public interface ILinkHost
{
    /// <summary>Bytes for the line, in order with <see cref="ChangeRate"/>. They are not used after the call. What cannot be sent may be dropped: the link repeats.</summary>
    void Write(ReadOnlySpan<byte> bytes);

    /// <summary>The line's rate in baud, once everything written before has left.</summary>
    void ChangeRate(int baud);

    /// <summary>A payload, once and in order. False: there is no room; it is not acknowledged, and comes again.</summary>
    bool Deliver(ReadOnlySpan<byte> payload);

    /// <summary>
    /// The hub's end asks before it replies to the HELLO of a new boot id. False: no REPLY, the terminal stays without a link; what a bridge says that has no
    /// session of the hub for it yet.
    /// </summary>
    /// <param name="hello">Its largest payload is the one agreed.</param>
    bool Takes(LinkHello hello) => true;

    /// <summary>The link is up, with sequences from the start: a new session begins.</summary>
    void Up();

    /// <summary>The link is down: what was not acknowledged may or may not have arrived.</summary>
    /// <param name="end">Why.</param>
    /// <param name="code">Of <see cref="LinkEnd.Closed"/> and <see cref="LinkEnd.Refused"/>; else 0.</param>
    void Down(LinkEnd end, byte code);
}

/// <summary>What a link has seen since it was made.</summary>
/// <param name="Good">Good frames that came.</param>
/// <param name="Bad">Bad frames that came.</param>
/// <param name="Repeated">Sequenced frames that came again.</param>
/// <param name="Jumped">Sequenced frames that were not next.</param>
/// <param name="Resent">Sequenced frames that were sent again.</param>
/// <param name="Ignored">Good frames of an unknown type, of the own end, or out of place.</param>
public readonly record struct LinkCounts(long Good, long Bad, long Repeated, long Jumped, long Resent, long Ignored);
