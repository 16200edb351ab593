using System.Buffers.Binary;
using System.Diagnostics;

namespace DeviceHub.Tools.LoadBench.Driver;

/// <summary>What a client does once it is ready.</summary>
internal enum Work { Idle, Requests, Heartbeats }

/// <summary>
/// One MQTT connection of the driver: connects, subscribes, logs in as its kind demands, and then sends one request after another,
/// each as soon as the answer to the one before it is there. It belongs to one thread.
/// </summary>
internal abstract class LoadClient(string serialNumber, Tally tally)
{
    /// <summary>Heartbeats that wait for their acknowledgement at once.</summary>
    private const int HeartbeatWindow = 4;

    private byte[] carry = [];
    private int carried;
    private ushort packetId;
    private long sentAt;
    private int heartbeatsOut;

    public string SerialNumber { get; } = serialNumber;

    /// <summary>How bytes leave: the driver's socket, or a TLS stream. False: the connection is gone.</summary>
    public Func<ReadOnlyMemory<byte>, bool> Output { get; set; } = _ => false;

    public bool Ready { get; private set; }

    public bool Closed { get; private set; }

    /// <summary>A request is out and not answered.</summary>
    public bool Waiting { get; private set; }

    public bool Drained => !Waiting && heartbeatsOut == 0;

    public Work Work { get; private set; }

    protected Tally Tally { get; } = tally;

    protected string Up { get; } = $"dh/v1/{serialNumber}/up";

    public void Start() => Send(Packets.Connect(SerialNumber));

    public void SetWork(Work work)
    {
        Work = work;
        if (!Ready || Closed)
        {
            return;
        }

        if (work == Work.Requests && !Waiting)
        {
            Request();
        }

        while (Work == Work.Heartbeats && heartbeatsOut < HeartbeatWindow)
        {
            Beat();
        }
    }

    public void HasClosed(string why)
    {
        if (!Closed)
        {
            Closed = true;
            Tally.Fail($"{SerialNumber}: {why}{(Ready ? "" : " before it was ready")}");
        }
    }

    public void Feed(ReadOnlySpan<byte> bytes)
    {
        if (carried > 0)
        {
            if (carry.Length < carried + bytes.Length)
            {
                Array.Resize(ref carry, carried + bytes.Length);
            }

            bytes.CopyTo(carry.AsSpan(carried));
            bytes = carry.AsSpan(0, carried + bytes.Length);
        }

        while (Packets.Next(bytes, out var body) is > 0 and var length)
        {
            Take(bytes[0], body);
            bytes = bytes[length..];
        }

        if (carry.Length < bytes.Length)
        {
            Array.Resize(ref carry, bytes.Length);
        }

        bytes.CopyTo(carry);
        carried = bytes.Length;
        if (carried == 0)
        {
            carry = [];
        }
    }

    /// <summary>Subscribed: what must happen before requests.</summary>
    protected abstract void LogIn();

    /// <summary>The next request, with whatever goes before it: PUBLISH packets back to back.</summary>
    protected abstract Memory<byte> NextRequest();

    protected abstract byte[] Heartbeat { get; }

    /// <summary>A downlink. True: it answers the request that is out.</summary>
    protected abstract bool Answers(ReadOnlySpan<byte> payload);

    protected void BecomeReady()
    {
        Ready = true;
        Tally.Ready++;
        SetWork(Work);
    }

    protected void Publish(ReadOnlySpan<byte> payload)
    {
        var packet = Packets.Publish(Up, payload);
        Packets.SetPublishId(packet, NextId());
        Send(packet);
    }

    protected ushort NextId() => ++packetId == 0 ? packetId = 1 : packetId;

    private void Take(byte header, ReadOnlySpan<byte> body)
    {
        switch (header >> 4)
        {
            case 2 when body is [_, 0, ..]:
                Send(Packets.Subscribe($"dh/v1/{SerialNumber}/down"));
                break;
            case 9 when body[^1] <= 1:
                LogIn();
                break;
            case 3:
                var payload = Packets.Payload(header, body, out var id);
                if (id != 0)
                {
                    var ack = new byte[] { 0x40, 2, 0, 0 };
                    BinaryPrimitives.WriteUInt16BigEndian(ack.AsSpan(2), id);
                    Send(ack);
                }

                if (Answers(payload))
                {
                    Answered();
                }

                break;
            case 4:
                if (heartbeatsOut > 0)
                {
                    heartbeatsOut--;
                    Tally.Heartbeats++;
                    SetWork(Work);
                }

                break;
            default:
                HasClosed($"was answered with packet {header:x2} {Convert.ToHexStringLower(body[..Math.Min(8, body.Length)])}");
                break;
        }
    }

    private void Answered()
    {
        if (Waiting)
        {
            Waiting = false;
            Tally.Answered(Stopwatch.GetTimestamp() - sentAt);
        }

        if (Work == Work.Requests)
        {
            Request();
        }
    }

    private void Request()
    {
        var packets = NextRequest();
        for (var rest = packets.Span; Packets.Next(rest, out _) is > 0 and var length; rest = rest[length..])
        {
            Packets.SetPublishId(rest, NextId());
        }

        Waiting = true;
        sentAt = Stopwatch.GetTimestamp();
        Send(packets);
    }

    private void Beat()
    {
        Packets.SetPublishId(Heartbeat, NextId());
        heartbeatsOut++;
        Send(Heartbeat);
    }

    private void Send(ReadOnlyMemory<byte> bytes)
    {
        if (!Closed && !Output(bytes))
        {
            HasClosed("could not send");
        }
    }
}
