using System.Net;
using DeviceHub.Core;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Serial;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Gateways.Serial;

/// <summary>A port with a plain scanner, on a line or a keyboard: the terminal of <see cref="ScannerTerminal"/>, with a session like any other.</summary>
internal sealed partial class ScannerPort : IServedPort, IWireOwner, IScannerHost
{
    private const int ReadBytes = 1_024;
    private const int FirstBackOffMs = 1_000, LastBackOffMs = 60_000;

    private readonly SerialEndpoint endpoint;
    private readonly SerialLoop loop;
    private readonly SerialPortSettings settings;
    private readonly IPortDevice device;
    private readonly ScanReader reader;
    private readonly ScannerTerminal terminal;
    private readonly string name;
    private readonly byte[] buffer = new byte[ReadBytes];
    private readonly TaskCompletionSource<PortException?> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SerialWire? wire;
    private long connectAt;
    private int backOffMs = FirstBackOffMs;
    private string? told;
    private bool stopping;

    /// <summary>Of the present session, for a bridge, which asks by the boot id of a HELLO.</summary>
    private uint boot;

    public ScannerPort(SerialEndpoint endpoint, string name, SerialPortSettings settings, IPortDevice device)
    {
        this.endpoint = endpoint;
        this.name = name;
        this.settings = settings;
        this.device = device;
        loop = endpoint.Loop;
        Remote = new PortEndPoint(name);
        _ = Escapes.TryRead(settings.Prefix, out var prefix);
        _ = Escapes.TryRead(settings.Suffix, out var suffix);
        reader = new ScanReader(prefix, suffix, settings.SymbologyIdentifiers);
        terminal = new ScannerTerminal(settings.SerialNumber, settings.ActivationCode, settings.DuplicateWindowMs, this);
    }

    public EndPoint Remote { get; }

    public int Descriptor => device.Descriptor;

    public bool WantsToWrite => false;

    public long NextTick => wire is null ? connectAt : terminal.NextTick;

    public Task<PortException?> Ending => ended.Task;

    public int Handling => wire?.Handling ?? 0;

    public void Begin(long nowMs) => Connect(nowMs);

    public void Readable(long nowMs)
    {
        var read = device.Read(buffer);
        device.Decode(buffer.AsSpan(0, read), character =>
        {
            if (!reader.TryTake(character, nowMs, out var code, out var fault))
            {
                return;
            }

            if (fault == ScanFault.None)
            {
                terminal.Scanned(code, nowMs);
            }
            else
            {
                Count(fault switch { ScanFault.TooLong => "too-long", ScanFault.Prefix => "prefix", _ => "control-character" });
            }
        });
    }

    public void Writable(long nowMs)
    {
    }

    public void Tick(long nowMs)
    {
        if (wire is null && nowMs >= connectAt)
        {
            Connect(nowMs);
        }

        terminal.Tick(nowMs);
    }

    public void Ended(PortException? why)
    {
        Disconnect();
        device.Dispose();
        ended.TrySetResult(why);
    }

    public void Stop() => loop.Post(() =>
    {
        stopping = true;
        wire?.Cut(CutReason.Stopping);
    });

    public void Pump(SerialWire of) => loop.Post(() =>
    {
        while (of == wire && of.Next() is { } payload)
        {
            of.Sent();
            if (MessageCodec.TryDecode(payload, out Downlink? message, out _).Ok)
            {
                SerialMetrics.Sent.Add(1);
                Take(message!);
            }
        }
    });

    public void EndSession(SerialWire of, CutReason reason) => loop.Post(() =>
    {
        if (of == wire)
        {
            Tell($"the session ended: {reason.Word()}");
            Disconnect();
        }
    });

    public void Faulted(SerialWire of, Exception error)
    {
        LogFault(endpoint.Log, error, settings.SerialNumber, name);
        of.Cut(CutReason.Fault);
    }

    public void Send(Uplink message)
    {
        if (wire is { } to)
        {
            SerialMetrics.Received.Add(1);
            to.Take(message.ToByteArray());
        }
    }

    public SecretBytes? LoadKey() => endpoint.Keys.Load(settings.SerialNumber);

    public void StoreKey(ReadOnlySpan<byte> key) => endpoint.Keys.Store(settings.SerialNumber, key);

    public bool IsWallet(string code) => endpoint.Wallets?.Of(code) is null or not Core.Payments.Wallet.None;

    public void ForgetPartOfCode() => reader.Forget();

    public void Count(string what) => SerialMetrics.Code(name, what);

    public void Tell(string words)
    {
        if (told != words)
        {
            told = words;
            LogTold(endpoint.Log, settings.SerialNumber, name, words);
        }
    }

    /// <summary>A key that cannot be read or written ends the session, which is tried again.</summary>
    private void Take(Downlink message)
    {
        try
        {
            if (message.BodyCase == Downlink.BodyOneofCase.Synced)
            {
                backOffMs = FirstBackOffMs;
                Tell("ready");
            }

            terminal.Received(message, loop.NowMs);
        }
        catch (Exception e) when (e is IOException and not PortException or UnauthorizedAccessException)
        {
            Tell($"its key: {e.Message}");
            wire?.Cut(CutReason.Fault);
        }
    }

    private void Connect(long nowMs)
    {
        boot = boot == 0 ? (uint)Random.Shared.Next(1, int.MaxValue) : boot;
        if (stopping)
        {
            connectAt = long.MaxValue;
            return;
        }

        if (!endpoint.Sessions.Takes(new LinkHello(boot, FrameSize.LargestPayload, 0, settings.SerialNumber, []), Remote))
        {
            // A bridge that has no hub for it yet makes a connection, and is asked again as by a terminal's HELLO.
            connectAt = nowMs + FirstBackOffMs;
            return;
        }

        wire = new SerialWire(this, settings.SerialNumber, endpoint.Options.MaxPayloadBytes, endpoint.Options, endpoint.Sessions);
        endpoint.Run(wire);
        terminal.Connected(nowMs);
    }

    private void Disconnect()
    {
        if (wire is { } was)
        {
            wire = null;
            boot = 0;
            was.Close();
            terminal.Disconnected();
            BackOff(loop.NowMs);
        }
    }

    private void BackOff(long nowMs)
    {
        connectAt = nowMs + backOffMs;
        backOffMs = Math.Min(backOffMs * 2, LastBackOffMs);
    }

    [LoggerMessage(1, LogLevel.Information, "{SerialNumber}, the scanner on port {Port}: {Words}", EventName = "ScannerTold")]
    private static partial void LogTold(ILogger log, string serialNumber, string port, string words);

    [LoggerMessage(2, LogLevel.Error, "The session of {SerialNumber}, the scanner on port {Port}, failed", EventName = "ScannerSessionFault")]
    private static partial void LogFault(ILogger log, Exception error, string serialNumber, string port);
}
