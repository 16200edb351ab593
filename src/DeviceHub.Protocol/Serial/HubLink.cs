using System.Buffers.Binary;

namespace DeviceHub.Protocol.Serial;

/// <summary>The hub's end of a serial link: of a hub, a bridge or a bench.</summary>
/// <param name="host">What is around it.</param>
/// <param name="firstRate">115,200 or 9,600 baud.</param>
/// <param name="maxRate">The fastest rate that is granted, in baud; the first or less: none.</param>
/// <param name="largestPayload">That this end takes: 512 to 16,384 bytes.</param>
public sealed class HubLink(ILinkHost host, int firstRate, int maxRate, int largestPayload) : SerialLink(host, firstRate, largestPayload)
{
    private const int SwitchAfterMs = 20;
    private const int QuietMs = 200;

    /// <summary>Rates that did not work on this line.</summary>
    private readonly HashSet<int> failed = [];
    private int granted;
    private bool switching;
    private bool heardAtRate;

    /// <summary>Of the link that is up; null: down.</summary>
    public LinkHello? Hello { get; private set; }

    private protected override FrameType DataOut => FrameType.HubData;

    private protected override FrameType AckOut => FrameType.HubAck;

    private protected override FrameType DataIn => FrameType.Data;

    private protected override FrameType AckIn => FrameType.Ack;

    /// <summary>The line is open: calls the terminal.</summary>
    public void Open(long nowMs) => Greet(nowMs);

    /// <summary>Ends the link; its session is over. Does nothing when it is down.</summary>
    /// <param name="code">MQTT 5's code of DISCONNECT; 0: the terminal says HELLO at once.</param>
    /// <param name="nowMs">The time.</param>
    public void Close(byte code, long nowMs)
    {
        if (IsUp)
        {
            SendControl(FrameType.Close, 0, [code], nowMs);
            GoDown(LinkEnd.Ended, code, nowMs);
        }
    }

    private protected override void Greet(long nowMs)
    {
        SendControl(FrameType.Close, 0, [0], nowMs);
        NextGreeting = nowMs + IdleMs;
    }

    private protected override void Fall(LinkEnd end, int atRate, long nowMs)
    {
        if (atRate != FirstRate && (end == LinkEnd.BadFrames || !heardAtRate))
        {
            failed.Add(atRate);
        }

        Hello = null;
        switching = false;
        if (end is LinkEnd.Ended or LinkEnd.PeerRestarted)
        {
            NextGreeting = nowMs + IdleMs;
        }
        else
        {
            Greet(nowMs);
        }
    }

    private protected override void TakeOther(Frame frame, long nowMs)
    {
        if (frame.Type == FrameType.Hello)
        {
            TakeHello(frame.Payload, nowMs);
        }
        else if (IsUp && frame.Type == FrameType.Baud)
        {
            TakeBaud(frame, nowMs);
        }
        else
        {
            Ignore();
        }
    }

    private protected override void Heard()
    {
        if (Rate != FirstRate)
        {
            heardAtRate = true;
            HeldUntil = 0;
        }
    }

    private protected override void Release(long nowMs)
    {
        if (switching)
        {
            switching = false;
            heardAtRate = false;
            SetRate(granted);
            HeldUntil = nowMs + QuietMs;
        }
    }

    private protected override void Acknowledged(long nowMs)
    {
    }

    private void TakeHello(ReadOnlySpan<byte> payload, long nowMs)
    {
        var result = LinkHello.TryRead(payload, out var hello, out var bootId);
        if (result == HelloResult.Linked && bootId != Hello?.BootId)
        {
            if (IsUp)
            {
                GoDown(LinkEnd.PeerRestarted, 0, nowMs);
            }

            if (!Host.Takes(hello! with { LargestPayload = Math.Min(OwnLargest, hello.LargestPayload) }))
            {
                return;
            }

            granted = hello!.Rates.FirstOrDefault(rate => rate > FirstRate && rate <= maxRate && !failed.Contains(rate));
            Hello = hello;
            StallMs = hello.StallMs;
            GoUp(hello.LargestPayload, nowMs);
            Reply(bootId, result, nowMs);
            Host.Up();
            return;
        }

        Reply(bootId, result, nowMs);
    }

    private void Reply(uint bootId, HelloResult result, long nowMs)
    {
        Span<byte> reply = stackalloc byte[LinkReply.Bytes];
        new LinkReply(bootId, result, OwnLargest, result == HelloResult.Linked ? granted : 0).Write(reply);
        SendControl(FrameType.Reply, 0, reply, nowMs);
    }

    private void TakeBaud(Frame frame, long nowMs)
    {
        var first = NothingTakenYet && frame.Sequence == 0;
        if (!first && frame.Sequence != LastTaken)
        {
            Ignore();
            return;
        }

        if (granted == 0 || frame.Payload.Length < sizeof(uint) || BinaryPrimitives.ReadUInt32LittleEndian(frame.Payload) != granted)
        {
            Ignore();
        }
        else if (IsNext(frame.Sequence, nowMs))
        {
            Taken(frame.Sequence, nowMs);
            switching = true;
            HeldUntil = nowMs + LineTimeMs(FrameSize.OnLine(0)) + SwitchAfterMs;
        }
    }
}
