using System.Buffers.Binary;
using DeviceHub.Protocol.Serial;
using DeviceHub.Tools.Bench.Line;
using DeviceHub.Tools.Bench.Reports;

namespace DeviceHub.Tools.Bench.Link;

/// <summary>
/// The hub's end of the serial link for a bench: it does what firmware-protocol/serial.md says, and each of its habits can be switched off, or
/// done wrongly by hand, to see what the terminal makes of it. Thread-safe.
/// </summary>
internal sealed class BenchLink : IDisposable
{
    private const int UsbLatencyMs = 16;
    private const byte NothingTaken = 255;
    private const int LargestOwn = 4096;

    /// <summary>At a first rate below the usual one, so that the longest frame takes about a second.</summary>
    public const int LargestWhenSlow = 1024;

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    private readonly SerialLine line;
    private readonly int firstRate;
    private readonly Lock gate = new();
    private readonly FrameScanner scanner = new(FrameSize.LargestPayload);
    private readonly FrameWriter writer = new(FrameSize.LargestPayload + 1);
    private readonly Queue<Outgoing> outgoing = [];
    private readonly Timer ticking;
    private Outgoing? waiting;
    private byte nextSequence;
    private TimeSpan lastGood;
    private TimeSpan lastSent;
    private TimeSpan? changeRateAt;

    public BenchLink(SerialLine line, int firstRate)
    {
        this.line = line;
        this.firstRate = firstRate;
        line.Start(Receive);
        ticking = new Timer(_ => Tick(), null, TimeSpan.Zero, Step);
        _ = line.Ended.ContinueWith(_ => Drop(), TaskScheduler.Default);
    }

    private sealed record Outgoing(byte[] Payload, TaskCompletionSource<TimeSpan?> Done)
    {
        public byte[] Bytes { get; set; } = [];
        public byte Sequence { get; set; }
        public int Sends { get; set; }
        public TimeSpan FirstSent { get; set; }
        public TimeSpan LastSent { get; set; }
    }

    public HeardLog Heard { get; } = new();

    public LatencyBook Acknowledgements { get; } = new("link ACK");

    public LinkHabits Habits { get; set; } = new();

    public bool IsUp { get; private set; }

    /// <summary>Of the link that is up, or was up last.</summary>
    public LinkHello? Hello { get; private set; }

    public int LargestPayload { get; private set; } = FrameSize.SmallestLargestPayload;

    /// <summary>The sequence taken last.</summary>
    public byte LastTaken { get; private set; } = NothingTaken;

    /// <summary>The sequence that the next frame of this end gets.</summary>
    public byte NextSequence => nextSequence;

    public int Rate => line.Rate;

    public string Path => line.Path;

    /// <summary>What is done to the bytes of the line; null: nothing.</summary>
    public LineNoise? Noise
    {
        set => line.Noise = value;
    }

    /// <summary>How often this end had to send again.</summary>
    public int Resent { get; private set; }

    /// <summary>A payload, once and in order, on the thread that reads.</summary>
    public Func<byte[], Said?> Deliver { get; set; } = _ => null;

    /// <summary>The link came up: a new session begins.</summary>
    public Action CameUp { get; set; } = () => { };

    /// <summary>How long the terminal may take to acknowledge: 2 frame times, 16 ms and its stall.</summary>
    public TimeSpan Timeout => TimeSpan.FromMilliseconds((2 * FrameTimeMs) + UsbLatencyMs + (Hello?.StallMs ?? LinkHello.DefaultStallMs));

    private int OwnLargest => Math.Min(firstRate < 115_200 ? LargestWhenSlow : LargestOwn, Habits.LargestPayload);

    /// <summary>Of the longest frame, at the present rate.</summary>
    public int FrameTimeMs => ((FrameSize.OnLine(LargestPayload) * 10 * 1000) + line.Rate - 1) / line.Rate;

    /// <summary>Sends a payload and repeats it as the link does; how long its ACK took from its first send, or null if none came.</summary>
    public Task<TimeSpan?> Send(byte[] payload)
    {
        var done = new TaskCompletionSource<TimeSpan?>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate)
        {
            if (!IsUp)
            {
                return Task.FromResult<TimeSpan?>(null);
            }

            outgoing.Enqueue(new Outgoing(payload, done));
            SendNext();
        }

        return done.Task;
    }

    /// <summary>A whole frame as it is on the line, whatever this end would do.</summary>
    public byte[] Frame(FrameType type, byte sequence, ReadOnlySpan<byte> payload)
    {
        lock (gate)
        {
            var bytes = new byte[FrameSize.OnLine(payload.Length)];
            return bytes[..writer.Write(bytes, type, sequence, payload)];
        }
    }

    /// <summary>Bytes as they are, without a word to the rest of this end.</summary>
    public void SendRaw(ReadOnlySpan<byte> bytes)
    {
        lock (gate)
        {
            Write(bytes);
        }
    }

    /// <summary>Forgets the link without a word, and goes back to the first rate.</summary>
    public void Drop()
    {
        lock (gate)
        {
            GoDown();
        }
    }

    /// <summary>Ends the link with a code; 0: the terminal is to begin anew at once.</summary>
    public void Close(byte code)
    {
        lock (gate)
        {
            Write(Frame(FrameType.Close, 0, [code]));
            GoDown();
        }
    }

    /// <summary>CLOSE 0, and what was heard until then is read. The boot id that was replied to last; 0: none yet.</summary>
    public uint BeginAnew()
    {
        lock (gate)
        {
            Close(0);
            Heard.Forget();
            return Hello?.BootId ?? 0;
        }
    }

    public void Dispose()
    {
        ticking.Dispose();
        line.Dispose();
        lock (gate)
        {
            GoDown();
        }
    }

    private void Receive(ReadOnlyMemory<byte> bytes, TimeSpan at)
    {
        lock (gate)
        {
            foreach (var frame in scanner.Take(bytes, at))
            {
                var said = frame.IsGood ? Take(frame) : null;
                Heard.Add(new Heard(frame, said, line.Rate, IsUp ? Hello!.BootId : 0, scanner.LastRaw));
            }
        }
    }

    private Said? Take(ScannedFrame frame)
    {
        lastGood = frame.At;
        switch (frame.Type)
        {
            case FrameType.Hello:
                TakeHello(frame);
                break;
            case FrameType.Baud when IsUp && Habits.TakesBaud && IsNew(frame):
                changeRateAt = frame.At + TimeSpan.FromMilliseconds(20);
                break;
            case FrameType.Data when IsUp && IsNew(frame):
                return Deliver(frame.Payload);
            case FrameType.Ack when waiting is { } sent && frame.Sequence == sent.Sequence:
                waiting = null;
                Acknowledgements.Add((frame.At - sent.LastSent).TotalMilliseconds);
                sent.Done.TrySetResult(frame.At - sent.FirstSent);
                SendNext();
                break;
        }

        return null;
    }

    /// <summary>Of a sequenced frame: true if it is the next one. Repeats are acknowledged again; what is not acknowledged is not taken.</summary>
    private bool IsNew(ScannedFrame frame)
    {
        var isNext = frame.Sequence == (byte)(LastTaken + 1);
        if (!Habits.Acknowledges || (!isNext && frame.Sequence != LastTaken))
        {
            return false;
        }

        LastTaken = frame.Sequence;
        Write(Frame(FrameType.HubAck, frame.Sequence, []));
        return isNext;
    }

    private void TakeHello(ScannedFrame frame)
    {
        var result = LinkHello.TryRead(frame.Payload, out var hello, out var bootId);
        if (!Habits.Replies)
        {
            return;
        }

        if (result != HelloResult.Linked)
        {
            Reply(bootId, result, 0);
            return;
        }

        var granted = hello!.Rates.FirstOrDefault(rate => rate <= Habits.GrantUpTo && rate > firstRate);
        if (IsUp && bootId == Hello?.BootId)
        {
            Reply(bootId, result, granted);
            return;
        }

        GoDown();
        (Hello, IsUp, nextSequence, LastTaken, lastGood) = (hello, true, 0, NothingTaken, frame.At);
        LargestPayload = Math.Min(hello.LargestPayload, OwnLargest);
        Reply(bootId, result, granted);
        CameUp();
    }

    private void Reply(uint bootId, HelloResult result, int rate)
    {
        Span<byte> payload = stackalloc byte[LinkReply.Bytes];
        new LinkReply(bootId, result, OwnLargest, rate).Write(payload);
        Write(Frame(FrameType.Reply, 0, payload));
    }

    /// <summary>While a line is slow to take bytes no tick waits for its turn: each would hold a thread, and soon there were none to read with.</summary>
    private void Tick()
    {
        if (!gate.TryEnter())
        {
            return;
        }

        try
        {
            DoWhatIsDue(SerialLine.Now);
        }
        finally
        {
            gate.Exit();
        }
    }

    private void DoWhatIsDue(TimeSpan now)
    {
        if (changeRateAt is { } change && now >= change)
        {
            changeRateAt = null;
            SetRate(Habits.RateIs(Hello?.Rates.FirstOrDefault(rate => rate <= Habits.GrantUpTo && rate > firstRate) ?? 0, firstRate));
        }

        if (!IsUp)
        {
            if (Habits.Calls && now - lastSent >= TimeSpan.FromMilliseconds(SerialLink.IdleMs))
            {
                Write(Frame(FrameType.Close, 0, [0]));
            }
        }
        else if (now - lastGood >= TimeSpan.FromMilliseconds(SerialLink.SilenceMs))
        {
            Close(0);
        }
        else
        {
            Repeat(now);
        }
    }

    private void Repeat(TimeSpan now)
    {
        if (waiting is { } sent && now - sent.LastSent >= Timeout)
        {
            if (sent.Sends >= SerialLink.MaxSends)
            {
                Close(0);
                return;
            }

            Resent++;
            SendAgain(sent, now);
        }
        else if (Habits.Idles && now - lastSent >= TimeSpan.FromMilliseconds(SerialLink.IdleMs))
        {
            Write(Frame(FrameType.HubAck, LastTaken, []));
        }
    }

    private void SendNext()
    {
        if (waiting is null && outgoing.TryDequeue(out var next))
        {
            next.Sequence = nextSequence++;
            next.Bytes = Frame(FrameType.HubData, next.Sequence, next.Payload);
            next.FirstSent = SerialLine.Now;
            waiting = next;
            SendAgain(next, next.FirstSent);
        }
    }

    private void SendAgain(Outgoing sent, TimeSpan now)
    {
        sent.Sends++;
        sent.LastSent = now;
        Write(sent.Bytes);
    }

    private void GoDown()
    {
        IsUp = false;
        waiting?.Done.TrySetResult(null);
        waiting = null;
        changeRateAt = null;
        while (outgoing.TryDequeue(out var unsent))
        {
            unsent.Done.TrySetResult(null);
        }

        LargestPayload = FrameSize.SmallestLargestPayload;
        SetRate(firstRate);
    }

    private void SetRate(int baud)
    {
        if (line.Rate != baud && !line.Ended.IsCompleted)
        {
            line.Rate = baud;
        }
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        lastSent = SerialLine.Now;
        line.Write(bytes);
    }
}
