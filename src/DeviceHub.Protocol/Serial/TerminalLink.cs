using System.Buffers.Binary;

namespace DeviceHub.Protocol.Serial;

/// <summary>The terminal's end of a serial link.</summary>
/// <param name="host">What is around it.</param>
/// <param name="firstRate">115,200 or 9,600 baud.</param>
/// <param name="hello">What it says of itself; the boot id is replaced.</param>
/// <param name="bootIds">A random number, not 0, at each call.</param>
public sealed class TerminalLink(ILinkHost host, int firstRate, LinkHello hello, Func<uint> bootIds) : SerialLink(host, firstRate, hello.LargestPayload)
{
    private const int LeastBetweenHellosMs = 250;
    private const int RefusedMs = 30_000;
    private const int QuietMs = 100;

    private LinkHello hello = hello;
    private long lastHelloAt;

    /// <summary>The rate that was granted and is not there yet; 0: none.</summary>
    private int coming;

    /// <summary>No CLOSE leads to a HELLO before its time.</summary>
    private bool waits;

    private protected override FrameType DataOut => FrameType.Data;

    private protected override FrameType AckOut => FrameType.Ack;

    private protected override FrameType DataIn => FrameType.HubData;

    private protected override FrameType AckIn => FrameType.HubAck;

    /// <summary>Begins anew, with a new boot id: at boot, when the session is to begin anew, and after the back-off that a CLOSE with a code asks for.</summary>
    public void Start(long nowMs)
    {
        if (IsUp)
        {
            GoDown(LinkEnd.Ended, 0, nowMs);
        }
        else
        {
            Begin(nowMs);
        }
    }

    private protected override void Greet(long nowMs)
    {
        waits = false;
        lastHelloAt = nowMs;
        NextGreeting = nowMs + IdleMs;
        Span<byte> payload = stackalloc byte[LinkHello.MaxBytes];
        SendControl(FrameType.Hello, 0, payload[..hello.Write(payload)], nowMs);
    }

    private protected override void Fall(LinkEnd end, int atRate, long nowMs)
    {
        coming = 0;
        if (end == LinkEnd.Closed)
        {
            waits = true;
            NextGreeting = long.MaxValue;
        }
        else
        {
            Begin(nowMs);
        }
    }

    private protected override void TakeOther(Frame frame, long nowMs)
    {
        if (frame.Type == FrameType.Reply && LinkReply.TryRead(frame.Payload, out var reply))
        {
            TakeReply(reply, nowMs);
        }
        else if (frame.Type == FrameType.Close && frame.Payload.Length > 0)
        {
            TakeClose(frame.Payload[0], nowMs);
        }
        else
        {
            Ignore();
        }
    }

    private protected override void Heard()
    {
    }

    private protected override void Release(long nowMs) => SendAck(nowMs);

    private protected override void Acknowledged(long nowMs)
    {
        if (coming != 0)
        {
            SetRate(coming);
            coming = 0;
            HeldUntil = nowMs + QuietMs;
        }
    }

    private void Begin(long nowMs)
    {
        hello = hello with { BootId = bootIds(), LargestPayload = OwnLargest };
        Greet(nowMs);
    }

    private void TakeReply(LinkReply reply, long nowMs)
    {
        if (IsUp)
        {
            if (reply.Result == HelloResult.Linked && reply.BootId != hello.BootId)
            {
                // The hub heard an old HELLO, and is linked with a terminal that is no more.
                GoDown(LinkEnd.PeerRestarted, 0, nowMs);
            }
        }
        else if (reply.BootId != hello.BootId || waits)
        {
            Ignore();
        }
        else if (reply.Result != HelloResult.Linked)
        {
            waits = true;
            NextGreeting = nowMs + RefusedMs;
            Host.Down(LinkEnd.Refused, (byte)reply.Result);
        }
        else
        {
            StallMs = hello.StallMs;
            GoUp(reply.LargestPayload, nowMs);
            coming = hello.Rates.Contains(reply.Rate) ? reply.Rate : 0;
            if (coming != 0)
            {
                Span<byte> rate = stackalloc byte[sizeof(uint)];
                BinaryPrimitives.WriteUInt32LittleEndian(rate, (uint)coming);
                SendSequenced(FrameType.Baud, rate, nowMs);
            }

            Host.Up();
        }
    }

    private void TakeClose(byte code, long nowMs)
    {
        if (IsUp)
        {
            GoDown(code == 0 ? LinkEnd.PeerRestarted : LinkEnd.Closed, code, nowMs);
        }
        else if (code == 0 && !waits && nowMs - lastHelloAt >= LeastBetweenHellosMs)
        {
            Greet(nowMs);
        }
    }
}
