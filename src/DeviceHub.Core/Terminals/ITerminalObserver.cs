namespace DeviceHub.Core.Terminals;

/// <summary>Who looks at one terminal: a page. Losing a call costs it some lines; nothing waits for it.</summary>
[Alias("dh.ITerminalObserver")]
public interface ITerminalObserver : IGrainObserver
{
    /// <summary>What terminal and hub have said to each other, a few times a second at most. Straight from the session.</summary>
    [Alias("Said")]
    void Said(TerminalTalk talk);

    /// <summary>Its snapshot has changed: read it again.</summary>
    [Alias("Changed")]
    void Changed();
}

/// <param name="Messages">In the order in which this session had them.</param>
/// <param name="LeftOut">Messages since the talk before that are not here: there were too many.</param>
[GenerateSerializer, Immutable, Alias("dh.TerminalTalk")]
public sealed record TerminalTalk(
    [property: Id(0)] long SessionEpoch,
    [property: Id(1)] IReadOnlyList<TerminalMessage> Messages,
    [property: Id(2)] long LeftOut);

/// <summary>One message as people may see it: no payment code, key, MAC or token is in it (I9).</summary>
/// <param name="Up">From the terminal to the hub.</param>
/// <param name="Kind">The body's name on the wire: <c>payment_request</c>; <c>unreadable</c> when it was none.</param>
/// <param name="Bytes">Of the payload as it was on the wire.</param>
/// <param name="Sealed">It came or went under the session's key.</param>
/// <param name="Json">The body in the wire's field names, cut at 4,000 characters.</param>
[GenerateSerializer, Immutable, Alias("dh.TerminalMessage")]
public sealed record TerminalMessage(
    [property: Id(0)] DateTimeOffset At,
    [property: Id(1)] bool Up,
    [property: Id(2)] string Kind,
    [property: Id(3)] int Bytes,
    [property: Id(4)] bool Sealed,
    [property: Id(5)] string Json);

/// <summary>What became of the wish to watch a terminal.</summary>
[GenerateSerializer, Alias("dh.WatchResult")]
public enum WatchResult
{
    None = 0,

    /// <summary>Messages come as soon as there are any.</summary>
    Watching = 1,

    /// <summary>Its session began before the grain that is asked: changes are told, messages only after its next login.</summary>
    NotHeard = 2,

    /// <summary>As many look at it as may.</summary>
    Full = 3,

    UnknownTerminal = 4,
}
