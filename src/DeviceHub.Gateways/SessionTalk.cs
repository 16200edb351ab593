using DeviceHub.Core.Terminals;
using DeviceHub.Protocol;
using Google.Protobuf;

namespace DeviceHub.Gateways;

/// <summary>
/// What a session that somebody looks at has said and heard, told four times a second at most. Bounded by messages a second: a terminal that
/// floods is shown in part, and those left out are counted without being written out.
/// </summary>
internal sealed class SessionTalk : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    private readonly Lock sync = new();
    private readonly long sessionEpoch;
    private readonly TimeProvider clock;
    private readonly int messagesPerSecond;
    private readonly ITimer timer;
    private IReadOnlyList<ITerminalObserver> watchers = [];
    private List<TerminalMessage> waiting = [];
    private long leftOut;
    private long asked;
    private long second;
    private int inSecond;

    /// <param name="forgotten">Nobody has asked for a lifetime.</param>
    public SessionTalk(long sessionEpoch, TimeProvider clock, int messagesPerSecond, Action forgotten)
    {
        (this.sessionEpoch, this.clock, this.messagesPerSecond, asked) = (sessionEpoch, clock, messagesPerSecond, clock.GetTimestamp());
        timer = clock.CreateTimer(
            _ =>
            {
                if (clock.GetElapsedTime(Volatile.Read(ref asked)) > TerminalWatch.Lifetime)
                {
                    forgotten();
                }
                else
                {
                    Flush();
                }
            },
            null,
            Pause,
            Pause);
    }

    /// <summary>Who is told from now on, for a lifetime.</summary>
    public void Tell(IReadOnlyList<ITerminalObserver> those)
    {
        lock (sync)
        {
            watchers = those;
            Volatile.Write(ref asked, clock.GetTimestamp());
        }
    }

    public void Add(bool up, IMessage message, int bytes, bool isSealed)
    {
        var (kind, body) = ShownMessage.BodyOf(message);
        Add(up, kind, body, bytes, isSealed, "");
    }

    /// <param name="fault">Why it is no message; holds no contents of it.</param>
    public void AddUnreadable(int bytes, bool isSealed, string fault) => Add(up: true, "unreadable", null, bytes, isSealed, fault);

    public void Flush()
    {
        IReadOnlyList<ITerminalObserver> those;
        TerminalTalk talk;
        lock (sync)
        {
            if (waiting.Count == 0 && leftOut == 0)
            {
                return;
            }

            those = watchers;
            talk = new TerminalTalk(sessionEpoch, waiting, leftOut);
            (waiting, leftOut) = ([], 0);
        }

        foreach (var watcher in those)
        {
            watcher.Said(talk);
        }
    }

    public void Dispose() => timer.Dispose();

    private void Add(bool up, string kind, IMessage? body, int bytes, bool isSealed, string fault)
    {
        lock (sync)
        {
            var at = clock.GetUtcNow();
            if (at.ToUnixTimeSeconds() != second)
            {
                (second, inSecond) = (at.ToUnixTimeSeconds(), 0);
            }

            if (inSecond++ < messagesPerSecond)
            {
                waiting.Add(new TerminalMessage(at, up, kind, bytes, isSealed, body is null ? fault : ShownMessage.Write(body)));
            }
            else
            {
                leftOut++;
            }
        }
    }
}
