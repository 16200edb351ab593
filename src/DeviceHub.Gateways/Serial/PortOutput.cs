namespace DeviceHub.Gateways.Serial;

/// <summary>
/// What is to go out on a port: bytes that the kernel does not take yet, bounded, and at most one change of the rate among them, which waits until what
/// stands before it has left. All calls are the loop's.
/// </summary>
internal sealed class PortOutput(Tty tty, int maxBytes)
{
    private const int LookAgainMs = 5;

    /// <summary>A line that takes nothing does not keep the rate from being changed for ever.</summary>
    private const int LongestDrainMs = 500;

    private readonly byte[] bytes = new byte[maxBytes];
    private int length;
    private int rateAt;
    private int rate;
    private long rateAsked;

    public bool WantsToWrite => length > 0 && (rate == 0 || rateAt > 0);

    /// <summary>When <see cref="Flush"/> is wanted for a change of the rate.</summary>
    public long NextTick { get; private set; } = long.MaxValue;

    /// <summary>Why the line is not at the rate that was asked for last; null: it is.</summary>
    public PortException? RateRefused { get; private set; }

    /// <summary>False: there was no room, and they are dropped.</summary>
    public bool Write(ReadOnlySpan<byte> more, long nowMs)
    {
        if (length + more.Length > bytes.Length)
        {
            return false;
        }

        more.CopyTo(bytes.AsSpan(length));
        length += more.Length;
        Flush(nowMs);
        return true;
    }

    public void ChangeRate(int baud, long nowMs)
    {
        if (rate == 0)
        {
            rateAt = length;
            rateAsked = nowMs;
        }

        rate = baud;
        Flush(nowMs);
    }

    public void Flush(long nowMs)
    {
        Send(rate == 0 ? length : rateAt);
        if (rate == 0 || (rateAt > 0 && nowMs - rateAsked < LongestDrainMs))
        {
            NextTick = rate == 0 ? long.MaxValue : nowMs + LookAgainMs;
            return;
        }

        if (tty.Unsent > 0 && nowMs - rateAsked < LongestDrainMs)
        {
            NextTick = nowMs + LookAgainMs;
            return;
        }

        Forget(rateAt);
        var baud = rate;
        rate = 0;
        NextTick = long.MaxValue;
        SetRate(baud);
        Send(length);
    }

    private void SetRate(int baud)
    {
        try
        {
            tty.SetRate(baud);
            RateRefused = null;
        }
        catch (PortException e) when (e.Fault == PortFault.Speed)
        {
            // Nothing is heard now, so the link goes down, back to its first rate, and is not granted this one again.
            RateRefused = e;
        }
    }

    private void Send(int upTo)
    {
        if (upTo > 0)
        {
            Forget(tty.Write(bytes.AsSpan(0, upTo)));
        }
    }

    private void Forget(int count)
    {
        bytes.AsSpan(count, length - count).CopyTo(bytes);
        length -= count;
        rateAt = Math.Max(0, rateAt - count);
    }
}
