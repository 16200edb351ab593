using DeviceHub.Core.Terminals;

namespace DeviceHub.Gateways;

/// <summary>For who looks at this terminal: its messages, as people may see them.</summary>
internal sealed partial class TerminalSession
{
    /// <summary>Null: nobody looks, and a message costs one look at this field.</summary>
    private SessionTalk? talk;

    public void Watch(IReadOnlyList<ITerminalObserver> watchers)
    {
        lock (gate)
        {
            if (watchers.Count > 0 && state != SessionState.Ended)
            {
                talk ??= new SessionTalk(epoch, sessions.Clock, sessions.Options.WatchedMessagesPerSecond, EndTalk);
                talk.Tell(watchers);
                return;
            }
        }

        EndTalk();
    }

    private void EndTalk()
    {
        SessionTalk? ended;
        lock (gate)
        {
            (ended, talk) = (talk, null);
        }

        ended?.Flush();
        ended?.Dispose();
    }
}
