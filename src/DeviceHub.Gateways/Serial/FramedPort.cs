using System.Net;
using DeviceHub.Protocol.Serial;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Gateways.Serial;

/// <summary>A port with a terminal of firmware-protocol/serial.md: the hub's end of its link, and a session for each life of it.</summary>
internal sealed partial class FramedPort : IServedPort, ILinkHost, IWireOwner
{
    private const int ReadBytes = 4_096;

    /// <summary>A refusal before a CLOSE is given so long to be acknowledged.</summary>
    private const int LingerMs = 1_000;

    /// <summary>So many bytes or bad frames without a good one look like another speed.</summary>
    private const int SuspectBytes = 2_000, SuspectFrames = 20;

    private readonly SerialEndpoint endpoint;
    private readonly SerialOptions options;
    private readonly SerialLoop loop;
    private readonly Tty tty;
    private readonly PortOutput output;
    private readonly HubLink link;
    private readonly byte[] buffer = new byte[ReadBytes];
    private readonly TaskCompletionSource<PortException?> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SerialWire? wire;
    private long linkedAt;
    private long closeAt = long.MaxValue;
    private byte closeCode;
    private double allowance;
    private long allowanceAt;
    private long bytesRead;
    private long badTold;
    private volatile PortException? suspicion;
    private PortException? rateTold;

    public FramedPort(SerialEndpoint endpoint, string name, SerialPortSettings settings, Tty tty)
    {
        this.endpoint = endpoint;
        this.tty = tty;
        Name = name;
        Remote = new PortEndPoint(name);
        options = endpoint.Options;
        loop = endpoint.Loop;
        output = new PortOutput(tty, 4 * FrameSize.OnLine(options.MaxPayloadBytes));
        link = new HubLink(this, settings.Baud, settings.MaxBaud, options.MaxPayloadBytes);
    }

    public string Name { get; }

    /// <summary>The same object for every wire of this port.</summary>
    public EndPoint Remote { get; }

    public int Descriptor => tty.Descriptor;

    public bool WantsToWrite => output.WantsToWrite;

    public long NextTick => Math.Min(Math.Min(link.NextTick, output.NextTick), Math.Min(closeAt, LoginDeadline));

    public Task<PortException?> Ending => ended.Task;

    public PortException? Suspicion => suspicion;

    public int Handling => wire?.Handling ?? 0;

    private long LoginDeadline => wire is { IsLoggedIn: false } && closeAt == long.MaxValue ? linkedAt + (options.LoginSeconds * 1000L) : long.MaxValue;

    public void Begin(long nowMs) => link.Open(nowMs);

    public void Readable(long nowMs)
    {
        var read = tty.Read(buffer);
        bytesRead += read;
        link.Receive(buffer.AsSpan(0, read), nowMs);
        SuspectSpeed();
        PumpNow(nowMs);
    }

    public void Writable(long nowMs) => Flush(nowMs);

    public void Tick(long nowMs)
    {
        Flush(nowMs);
        if (nowMs >= LoginDeadline)
        {
            wire!.Cut(CutReason.Credentials);
        }

        if (nowMs >= closeAt)
        {
            CloseLink(nowMs);
        }

        link.Tick(nowMs);
        PumpNow(nowMs);
    }

    public void Ended(PortException? why)
    {
        EndWire(why is null ? "stopped" : why.Fault.ToString());
        tty.Dispose();
        ended.TrySetResult(why);
    }

    public void Pump(SerialWire of) => loop.Post(() =>
    {
        if (of == wire)
        {
            PumpNow(loop.NowMs);
        }
    });

    /// <summary>A refusal that waits is given a moment.</summary>
    public void EndSession(SerialWire of, CutReason reason) => loop.Post(() =>
    {
        if (of == wire)
        {
            LogCut(endpoint.Log, of.SerialNumber, Name, reason.Word(), reason.Code());
            closeCode = reason.Code();
            closeAt = reason is CutReason.Credentials or CutReason.Administrative ? loop.NowMs + LingerMs : 0;
            PumpNow(loop.NowMs);
        }
    });

    public void Stop() => loop.Post(() => wire?.Cut(CutReason.Stopping));

    public void Faulted(SerialWire of, Exception error)
    {
        LogFault(endpoint.Log, error, of.SerialNumber, Name);
        of.Cut(CutReason.Fault);
    }

    void ILinkHost.Write(ReadOnlySpan<byte> bytes)
    {
        if (!output.Write(bytes, loop.NowMs))
        {
            SerialMetrics.Dropped(Name, bytes.Length);
        }
    }

    void ILinkHost.ChangeRate(int baud) => output.ChangeRate(baud, loop.NowMs);

    bool ILinkHost.Deliver(ReadOnlySpan<byte> payload)
    {
        if (wire is not { HasRoom: true } to || closeAt != long.MaxValue)
        {
            return false;
        }

        var now = loop.NowMs;
        allowance = Math.Min(options.MessageBurst, allowance + ((now - allowanceAt) * options.MessagesPerSecond / 1000.0)) - 1;
        allowanceAt = now;
        if (allowance < 0)
        {
            to.Cut(CutReason.TooFast);
            return false;
        }

        SerialMetrics.Received.Add(1);
        to.Take(payload);
        return true;
    }

    bool ILinkHost.Takes(LinkHello hello) => endpoint.Sessions.Takes(hello, Remote);

    void ILinkHost.Up()
    {
        var hello = link.Hello!;
        linkedAt = loop.NowMs;
        closeAt = long.MaxValue;
        allowance = options.MessageBurst;
        allowanceAt = linkedAt;
        wire = new SerialWire(this, hello.SerialNumber, link.LargestPayload, options, endpoint.Sessions);
        SerialMetrics.Links.Add(1);
        LogUp(endpoint.Log, hello.SerialNumber, Name, link.LargestPayload);
        endpoint.Run(wire);
    }

    void ILinkHost.Down(LinkEnd end, byte code) => EndWire(end.ToString());

    private void EndWire(string reason)
    {
        closeAt = long.MaxValue;
        if (wire is { } was)
        {
            wire = null;
            was.Close();
            SerialMetrics.Links.Add(-1);
            SerialMetrics.Down(Name, reason);
            LogDown(endpoint.Log, was.SerialNumber, Name, reason);
        }
    }

    private void PumpNow(long nowMs)
    {
        while (wire?.Next() is { } payload && link.TrySend(payload, nowMs))
        {
            SerialMetrics.Sent.Add(1);
            wire.Sent();
        }

        if (closeAt == 0 || (closeAt != long.MaxValue && link.CanSend && wire?.Next() is null))
        {
            CloseLink(nowMs);
        }
    }

    private void Flush(long nowMs)
    {
        output.Flush(nowMs);
        if (output.RateRefused is { } refused && refused != rateTold)
        {
            rateTold = refused;
            SerialMetrics.PortFault(Name, PortFault.Speed);
            LogRate(endpoint.Log, Name, refused.Message);
        }
    }

    private void CloseLink(long nowMs)
    {
        closeAt = long.MaxValue;
        link.Close(closeCode, nowMs);
    }

    private void SuspectSpeed()
    {
        var counts = link.Counts;
        if (counts.Bad > badTold)
        {
            SerialMetrics.Bad(Name, counts.Bad - badTold);
            badTold = counts.Bad;
        }

        if (counts.Good > 0)
        {
            suspicion = null;
        }
        else if (suspicion is null && (bytesRead > SuspectBytes || counts.Bad > SuspectFrames))
        {
            suspicion = new PortException(PortFault.Speed, $"bytes come, but no frame of the protocol. Does the terminal speak at another rate than {link.Rate} baud?");
            SerialMetrics.PortFault(Name, PortFault.Speed);
            LogSpeed(endpoint.Log, Name, suspicion.Message);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "{SerialNumber} is linked on port {Port}, with payloads of at most {Bytes} bytes", EventName = "SerialUp")]
    private static partial void LogUp(ILogger log, string serialNumber, string port, int bytes);

    [LoggerMessage(2, LogLevel.Information, "The link of {SerialNumber} on port {Port} is down: {Reason}", EventName = "SerialDown")]
    private static partial void LogDown(ILogger log, string serialNumber, string port, string reason);

    [LoggerMessage(3, LogLevel.Information, "Ended the link of {SerialNumber} on port {Port}: {Reason} (0x{Code:X2})", EventName = "SerialCut")]
    private static partial void LogCut(ILogger log, string serialNumber, string port, string reason, byte code);

    [LoggerMessage(4, LogLevel.Error, "The session of {SerialNumber} on port {Port} failed; its link ends", EventName = "SerialSessionFault")]
    private static partial void LogFault(ILogger log, Exception error, string serialNumber, string port);

    [LoggerMessage(5, LogLevel.Warning, "Port {Port}: {Words}", EventName = "SerialSpeed")]
    private static partial void LogSpeed(ILogger log, string port, string words);

    [LoggerMessage(6, LogLevel.Warning, "Port {Port}: {Reason}; its link goes back to the rate that it began at", EventName = "SerialRate")]
    private static partial void LogRate(ILogger log, string port, string reason);
}
