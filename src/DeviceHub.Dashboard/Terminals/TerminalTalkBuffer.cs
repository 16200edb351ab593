using DeviceHub.Core.Terminals;

namespace DeviceHub.Dashboard.Terminals;

/// <summary>The last messages of the terminal that a page shows. Filled from other threads.</summary>
public sealed class TerminalTalkBuffer
{
    /// <summary>Messages that are kept; the oldest go.</summary>
    public const int Capacity = 500;

    private readonly Lock sync = new();
    private readonly Queue<Line> lines = new();
    private long count;
    private long leftOut;

    /// <param name="Number">Grows with each message.</param>
    public sealed record Line(long Number, TerminalMessage Message);

    /// <summary>There is something new. Called by whoever fills it.</summary>
    public event Action? Changed;

    /// <summary>Messages that were too many to be shown.</summary>
    public long LeftOut => Volatile.Read(ref leftOut);

    public void Add(TerminalTalk talk)
    {
        lock (sync)
        {
            leftOut += talk.LeftOut;
            foreach (var message in talk.Messages)
            {
                lines.Enqueue(new(++count, message));
                if (lines.Count > Capacity)
                {
                    lines.Dequeue();
                }
            }
        }

        Changed?.Invoke();
    }

    /// <summary>Newest first.</summary>
    public IReadOnlyList<Line> Lines()
    {
        lock (sync)
        {
            return [.. lines.Reverse()];
        }
    }

    public void Clear()
    {
        lock (sync)
        {
            lines.Clear();
            leftOut = 0;
        }
    }
}
