namespace DeviceHub.Protocol.Serial;

/// <summary>
/// One end of the serial link of firmware-protocol/serial.md: what both ends do alike. No clock and no I/O: bytes and the time come in, bytes go to the
/// host. Times are milliseconds of any clock that only grows. After <see cref="Receive"/> and whenever <see cref="NextTick"/> is reached the caller
/// calls <see cref="Tick"/>; then, if <see cref="CanSend"/>, it may send its next payload. Not thread-safe.
/// </summary>
public abstract class SerialLink
{
    /// <summary>Without a good frame for so long a link is down.</summary>
    public const int SilenceMs = 5_000;

    /// <summary>An end that has sent nothing for so long sends an ACK.</summary>
    public const int IdleMs = 1_000;

    /// <summary>Sends of one frame before the link is down.</summary>
    public const int MaxSends = 5;

    /// <summary>Bad frames in a row, above the first rate, before the link is down.</summary>
    public const int MaxBadInRow = 3;

    private const int UsbLatencyMs = 16;
    private const byte NothingTaken = 255;

    private readonly FrameReader reader;
    private readonly FrameWriter writer;

    /// <summary>The sequenced frame that waits for its acknowledgement, as it is on the line; length 0: none.</summary>
    private readonly byte[] waiting;
    private readonly byte[] control = new byte[FrameSize.OnLine(LinkHello.MaxBytes)];
    private readonly int ownLargest;
    private int waitingLength;
    private byte waitingSequence;
    private int sends;
    private long sentAt;
    private long lastSentAt;
    private byte nextSequence;
    private int badInRow;
    private LinkCounts counts;

    /// <summary>Grows whenever the link goes up or down, so that what began in one life does not end in the next.</summary>
    private int life;

    private protected SerialLink(ILinkHost host, int firstRate, int ownLargest)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(ownLargest, FrameSize.SmallestLargestPayload);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ownLargest, FrameSize.LargestPayload);
        Host = host;
        FirstRate = firstRate;
        Rate = firstRate;

        // The longest frame takes about a second, so that silence and waiting are told apart.
        this.ownLargest = firstRate < 115_200 ? Math.Min(ownLargest, 1_024) : ownLargest;
        LargestPayload = FrameSize.SmallestLargestPayload;
        reader = new FrameReader(this.ownLargest) { Largest = LargestPayload };
        writer = new FrameWriter(this.ownLargest);
        waiting = new byte[FrameSize.OnLine(this.ownLargest)];
    }

    public bool IsUp { get; private set; }

    /// <summary>In baud.</summary>
    public int Rate { get; private set; }

    /// <summary>The largest payload that both ends take, in bytes.</summary>
    public int LargestPayload { get; private set; }

    public LinkCounts Counts => counts;

    /// <summary>The time-out of an acknowledgement.</summary>
    public int TimeoutMs => (2 * (int)LineTimeMs(FrameSize.OnLine(LargestPayload))) + UsbLatencyMs + StallMs;

    /// <summary>The link is up and no frame waits for its acknowledgement.</summary>
    public bool CanSend => IsUp && waitingLength == 0 && !Held;

    /// <summary>When <see cref="Tick"/> is wanted at the latest.</summary>
    public long NextTick => !IsUp ? NextGreeting
        : Math.Min(
            Math.Min(LastGoodAt + SilenceMs, HeldUntil > 0 ? HeldUntil : lastSentAt + IdleMs),
            waitingLength > 0 ? Math.Max(sentAt + TimeoutMs, HeldUntil) : long.MaxValue);

    private protected ILinkHost Host { get; }

    private protected int FirstRate { get; }

    private protected int OwnLargest => ownLargest;

    /// <summary>The terminal's stated stall.</summary>
    private protected int StallMs { get; set; } = LinkHello.DefaultStallMs;

    private protected long LastGoodAt { get; private set; }

    /// <summary>Nothing is sent before, since the rate is being changed; 0: nothing is held.</summary>
    private protected long HeldUntil { get; set; }

    /// <summary>The sequence taken last.</summary>
    private protected byte LastTaken { get; private set; }

    /// <summary>When the next HELLO or CLOSE is due while the link is down.</summary>
    private protected long NextGreeting { get; set; } = long.MaxValue;

    private protected bool NothingTakenYet => LastTaken == NothingTaken;

    private bool Held => HeldUntil > 0;

    private protected abstract FrameType DataOut { get; }

    private protected abstract FrameType AckOut { get; }

    private protected abstract FrameType DataIn { get; }

    private protected abstract FrameType AckIn { get; }

    /// <summary>Bytes that came over the line.</summary>
    public void Receive(ReadOnlySpan<byte> bytes, long nowMs)
    {
        while (true)
        {
            if (reader.TryRead(ref bytes, out var frame, out var fault))
            {
                counts = counts with { Good = counts.Good + 1 };
                badInRow = 0;
                LastGoodAt = nowMs;
                Heard();
                Take(frame, nowMs);
            }
            else if (fault == FrameFault.None)
            {
                return;
            }
            else
            {
                counts = counts with { Bad = counts.Bad + 1 };
                if (IsUp && Rate != FirstRate && ++badInRow >= MaxBadInRow)
                {
                    GoDown(LinkEnd.BadFrames, 0, nowMs);
                }
            }
        }
    }

    /// <summary>Sends a payload. False: nothing was taken, since the link is down, a frame waits, or the payload is too large.</summary>
    public bool TrySend(ReadOnlySpan<byte> payload, long nowMs)
    {
        if (!CanSend || payload.Length > LargestPayload)
        {
            return false;
        }

        SendSequenced(DataOut, payload, nowMs);
        return true;
    }

    /// <summary>Does what is due.</summary>
    public void Tick(long nowMs)
    {
        if (Held && nowMs >= HeldUntil)
        {
            HeldUntil = 0;
            Release(nowMs);
        }

        if (!IsUp)
        {
            if (nowMs >= NextGreeting)
            {
                Greet(nowMs);
            }
        }
        else if (nowMs - LastGoodAt >= SilenceMs)
        {
            GoDown(LinkEnd.Silence, 0, nowMs);
        }
        else if (!Held)
        {
            Repeat(nowMs);
        }
    }

    /// <summary>How long so many bytes take on the line, rounded up.</summary>
    private protected long LineTimeMs(int bytes) => ((bytes * 10L * 1000) + Rate - 1) / Rate;

    private protected abstract void TakeOther(Frame frame, long nowMs);

    /// <summary>A good frame came.</summary>
    private protected abstract void Heard();

    /// <summary>HELLO or CLOSE is due.</summary>
    private protected abstract void Greet(long nowMs);

    /// <summary>What was held for the rate's change may go on.</summary>
    private protected abstract void Release(long nowMs);

    /// <summary>The link went down, and the rate is the first again: what the end does before its host hears of it.</summary>
    /// <param name="end">Why.</param>
    /// <param name="atRate">The rate at which it went down.</param>
    /// <param name="nowMs">The time.</param>
    private protected abstract void Fall(LinkEnd end, int atRate, long nowMs);

    /// <summary>Sequences from the start, with what both ends take.</summary>
    private protected void GoUp(int otherLargest, long nowMs)
    {
        nextSequence = 0;
        LastTaken = NothingTaken;
        waitingLength = 0;
        badInRow = 0;
        HeldUntil = 0;
        LargestPayload = Math.Min(ownLargest, otherLargest);
        reader.Largest = LargestPayload;
        LastGoodAt = nowMs;
        lastSentAt = nowMs;
        life++;
        IsUp = true;
    }

    private protected void GoDown(LinkEnd end, byte code, long nowMs)
    {
        var atRate = Rate;
        life++;
        IsUp = false;
        waitingLength = 0;
        HeldUntil = 0;
        LargestPayload = FrameSize.SmallestLargestPayload;
        reader.Largest = LargestPayload;
        SetRate(FirstRate);
        Fall(end, atRate, nowMs);
        Host.Down(end, code);
    }

    private protected void SetRate(int baud)
    {
        if (baud != Rate)
        {
            Rate = baud;
            badInRow = 0;
            reader.Reset();
            Host.ChangeRate(baud);
        }
    }

    private protected void SendControl(FrameType type, byte sequence, ReadOnlySpan<byte> payload, long nowMs)
    {
        var length = writer.Write(control, type, sequence, payload);
        lastSentAt = nowMs;
        Host.Write(control.AsSpan(0, length));
    }

    private protected void SendSequenced(FrameType type, ReadOnlySpan<byte> payload, long nowMs)
    {
        waitingSequence = nextSequence++;
        waitingLength = writer.Write(waiting, type, waitingSequence, payload);
        sends = 0;
        SendWaiting(nowMs);
    }

    private protected void SendAck(long nowMs) => SendControl(AckOut, LastTaken, [], nowMs);

    /// <summary>Of a sequenced frame: true if it is the next one, which is for the caller to take.</summary>
    private protected bool IsNext(byte sequence, long nowMs)
    {
        if (sequence == (byte)(LastTaken + 1))
        {
            return true;
        }

        if (sequence == LastTaken)
        {
            counts = counts with { Repeated = counts.Repeated + 1 };
            SendAck(nowMs);
        }
        else
        {
            counts = counts with { Jumped = counts.Jumped + 1 };
        }

        return false;
    }

    private protected void Taken(byte sequence, long nowMs)
    {
        LastTaken = sequence;
        SendAck(nowMs);
    }

    private protected void Ignore() => counts = counts with { Ignored = counts.Ignored + 1 };

    /// <summary>The frame that waited was acknowledged.</summary>
    private protected abstract void Acknowledged(long nowMs);

    private void Take(Frame frame, long nowMs)
    {
        if (IsUp && frame.Type == DataIn)
        {
            var began = life;
            if (IsNext(frame.Sequence, nowMs) && Host.Deliver(frame.Payload) && life == began)
            {
                Taken(frame.Sequence, nowMs);
            }
        }
        else if (IsUp && frame.Type == AckIn)
        {
            if (waitingLength > 0 && frame.Sequence == waitingSequence)
            {
                waitingLength = 0;
                Acknowledged(nowMs);
            }
        }
        else
        {
            TakeOther(frame, nowMs);
        }
    }

    private void Repeat(long nowMs)
    {
        if (waitingLength > 0 && nowMs - sentAt >= TimeoutMs)
        {
            if (sends >= MaxSends)
            {
                GoDown(LinkEnd.NotAcknowledged, 0, nowMs);
                return;
            }

            counts = counts with { Resent = counts.Resent + 1 };
            SendWaiting(nowMs);
        }
        else if (nowMs - lastSentAt >= IdleMs)
        {
            SendAck(nowMs);
        }
    }

    private void SendWaiting(long nowMs)
    {
        sends++;
        sentAt = nowMs;
        lastSentAt = nowMs;
        Host.Write(waiting.AsSpan(0, waitingLength));
    }
}
