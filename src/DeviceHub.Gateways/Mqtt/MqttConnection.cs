using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;
using MQTTnet.Protocol;

namespace DeviceHub.Gateways.Mqtt;

/// <summary>One MQTT connection: the loop that reads, and the wire that its session sends on.</summary>
internal sealed partial class MqttConnection : IWire
{
    private static readonly TimeSpan RefusalLinger = TimeSpan.FromMilliseconds(300);

    private readonly MqttEndpoint _endpoint;
    private readonly ConnectionContext _transport;
    private readonly MqttOptions _options;
    private readonly Outbox _outbox;
    private readonly RateLimit _rate;
    private readonly MqttPlace _place;
    private readonly long _opened;
    private readonly Lock _cutting = new();

    /// <summary>When the loop last got bytes, and when the last of them completed a packet: a packet that trickles in is no sign of life.</summary>
    private long _lastRead;
    private long _lastPacket;

    /// <summary>0: the connection is not cut.</summary>
    private long _cutAt;
    private bool _refusalTold;
    private volatile bool _canReceive;
    private volatile bool _reading;

    /// <summary>The loop waits for the hub itself: the terminal's silence is none meanwhile.</summary>
    private volatile bool _stalled;
    private bool _v5;
    private int _keepAliveSeconds;
    private string _serialNumber = "";
    private string _wire = "mqtt";
    private ITerminalSession? _session;
    private Uplinks? _uplinks;

    public MqttConnection(MqttEndpoint endpoint, ConnectionContext transport, MqttPlace place)
    {
        _endpoint = endpoint;
        _transport = transport;
        _place = place;
        _options = endpoint.Options;
        _outbox = new Outbox(transport.Transport.Output, _options.MaxQueuedMessages, _options.MaxQueuedBytes, endpoint.Time);
        _opened = _lastRead = _lastPacket = endpoint.Time.GetTimestamp();
        _rate = new RateLimit(_options, _opened);
        Secure = transport.Features.Get<ITlsHandshakeFeature>() is not null
            || (IsLoopback(transport.RemoteEndPoint) && IsLoopback(transport.LocalEndPoint));
    }

    public string Name => _wire;

    public EndPoint? Remote => _transport.RemoteEndPoint;

    public bool Secure { get; }

    public bool CanReceive => _canReceive;

    public bool IsCut => Volatile.Read(ref _cutAt) != 0;

    /// <summary>Publishes that the session is handling.</summary>
    public int Handling => _uplinks?.Count ?? 0;

    public void LoggedIn() => _place.LoggedIn();

    public void Cut(CutReason reason)
    {
        if (reason is CutReason.Credentials or CutReason.Administrative)
        {
            _ = CutSoon(reason);
            return;
        }

        Cut(reason.Code(), reason.Word());
    }

    public void TransportClosed() => _endpoint.Forget(this);

    public async Task RunAsync()
    {
        try
        {
            await ReadAsync(_transport.Transport.Input);
        }
        catch (Exception error) when (error is ConnectionResetException or ConnectionAbortedException or IOException or OperationCanceledException)
        {
            // The other side is gone; there is nobody to tell.
        }
        finally
        {
            // Whoever cuts it may still be writing why.
            lock (_cutting)
            {
                BeginCut();
                _outbox.Close([]);
            }

            if (_session is { } session)
            {
                await session.DisposeAsync();
            }
        }
    }

    private async Task ReadAsync(PipeReader input)
    {
        while (!IsCut)
        {
            var result = await input.ReadAsync();
            _lastRead = _endpoint.Time.GetTimestamp();
            var rest = result.Buffer;
            _reading = true;
            while (!IsCut)
            {
                var limit = _session is null ? _options.MaxPacketBytesBeforeConnect : _options.MaxPacketBytes;
                var found = MqttFrame.TryRead(rest, limit, out var frame);
                if (found != FrameResult.Whole)
                {
                    Judge(found);
                    break;
                }

                _lastPacket = _lastRead;
                if (_session is null)
                {
                    _stalled = true;
                    await ConnectAsync(frame);
                    GoOn();
                }
                else
                {
                    if (WaitsForRoom(frame))
                    {
                        _stalled = true;
                        StopReading();
                        await _uplinks!.RoomAsync();
                        _reading = true;
                        GoOn();
                    }

                    Handle(frame);
                }

                rest = rest.Slice(frame.End);
            }

            StopReading();
            if (result.IsCompleted && !rest.IsEmpty && !IsCut)
            {
                Cut(0x81, "half-packet");
            }

            input.AdvanceTo(rest.Start, rest.End);
            if (result.IsCompleted)
            {
                return;
            }
        }
    }

    /// <summary>Client libraries drop what they have not handed on when a DISCONNECT comes: the refusal before it gets a moment.</summary>
    private async Task CutSoon(CutReason reason)
    {
        await Task.Delay(RefusalLinger, _endpoint.Time);
        Cut(reason.Code(), reason.Word());
    }

    /// <summary>
    /// A publish waits while the session handles as many as it may; a client of 5.0 was told that number, and is cut when it does not keep to it.
    /// Everything else is answered meanwhile.
    /// </summary>
    private bool WaitsForRoom(in MqttFrame frame) =>
        frame.Type == MqttControlPacketType.Publish && !(_v5 && (frame.Flags & 0x06) != 0) && _uplinks!.Full;

    private void GoOn()
    {
        _lastRead = _lastPacket = _endpoint.Time.GetTimestamp();
        _stalled = false;
    }

    private void StopReading()
    {
        _reading = false;
        _outbox.Flush();
    }

    private void Judge(FrameResult found)
    {
        if (found == FrameResult.TooLarge)
        {
            Cut(0x95, "packet-too-large");
        }
        else if (found == FrameResult.Malformed)
        {
            Cut(0x81, "malformed");
        }
    }

    /// <summary>Queues a packet that the transport itself answers with; a full queue ends the connection.</summary>
    public void Write(ReadOnlySpan<byte> packet)
    {
        if (!_outbox.TryWrite(packet))
        {
            Cut(CutReason.SlowReader);
        }
    }

    public void FlushUnlessReading()
    {
        if (!_reading)
        {
            _outbox.Flush();
        }
    }

    public void SessionFaulted(Exception error)
    {
        LogFault(_endpoint.Log, error, _serialNumber);
        Cut(CutReason.Fault);
    }

    /// <summary>Called once a second by the endpoint, for every deadline of the connection.</summary>
    public void Tick()
    {
        var time = _endpoint.Time;
        if (IsCut)
        {
            if (time.GetElapsedTime(Volatile.Read(ref _cutAt)) > TimeSpan.FromSeconds(1))
            {
                _transport.Abort();
            }

            return;
        }

        var age = time.GetElapsedTime(_opened);
        if (_session is null && _keepAliveSeconds == 0 && age > TimeSpan.FromSeconds(_options.ConnectSeconds))
        {
            Cut(0x82, "no-connect");
        }
        else if (!_place.IsLoggedIn && age > TimeSpan.FromSeconds(_options.LoginSeconds))
        {
            Cut(0x87, "no-login");
        }
        else if (_keepAliveSeconds > 0 && !_stalled && time.GetElapsedTime(_lastPacket) > TimeSpan.FromSeconds(_keepAliveSeconds * 1.5))
        {
            Cut(CutReason.KeepAlive);
        }
        else if (_outbox.StandingStill is { } still && still > TimeSpan.FromSeconds(_options.SlowReaderSeconds))
        {
            Cut(CutReason.SlowReader);
        }
        else if (OldestUnacknowledged is { } sent && time.GetElapsedTime(sent) > TimeSpan.FromSeconds(_options.AcknowledgeSeconds))
        {
            Cut(0x97, "never-acknowledges");
        }
    }

    /// <summary>The first cut counts. 5.0 hears the reason if the transport takes it at once; nobody waits for it.</summary>
    private void Cut(byte reason, string word, bool refused = true)
    {
        bool clear;
        lock (_cutting)
        {
            if (!BeginCut())
            {
                return;
            }

            if (refused)
            {
                MqttMetrics.Refused(word);
                TellCut(reason, word);
            }

            ReadOnlySpan<byte> last = _v5 && _session is not null ? PacketBytes.Disconnect(reason) : [];
            clear = _outbox.Close(refused ? last : []);
        }

        if (!clear)
        {
            _transport.Abort();
        }

        _transport.Transport.Input.CancelPendingRead();
        _uplinks?.Release();
    }

    private void TellCut(byte reason, string word)
    {
        if (_place.IsLoggedIn)
        {
            LogCut(_endpoint.Log, _serialNumber, Remote, word, reason);
        }
        else if (MayTell(word))
        {
            LogStrangerCut(_endpoint.Log, _serialNumber, Remote, word, reason);
        }
    }

    /// <summary>Of a terminal all is told. Strangers come as often as they like and would fill the log: of them, what their address has not had told.</summary>
    private bool MayTell(string word) => _place.IsLoggedIn || _endpoint.Admission.MayTell(word, Remote);

    /// <summary>False: it was cut before.</summary>
    private bool BeginCut() => Interlocked.CompareExchange(ref _cutAt, Math.Max(1, _endpoint.Time.GetTimestamp()), 0) == 0;

    /// <summary>A refusal that the connection outlives: counted each time, logged once a connection at most.</summary>
    private void RefusePacket(byte code, string word)
    {
        MqttMetrics.Refused(word);
        if (!_refusalTold && MayTell(word))
        {
            _refusalTold = true;
            LogRefusedPacket(_endpoint.Log, _serialNumber, Remote, word, code);
        }
    }

    private static bool IsLoopback(EndPoint? endpoint) => endpoint is IPEndPoint { Address: { } address }
        && IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);

    [LoggerMessage(1, LogLevel.Information, "Ended the connection of {SerialNumber} from {Remote}: {Reason} (0x{Code:X2})", EventName = "MqttCut")]
    private static partial void LogCut(ILogger log, string serialNumber, EndPoint? remote, string reason, byte code);

    [LoggerMessage(
        7, LogLevel.Information, "Ended the connection of {SerialNumber} from {Remote}, which has not logged in: {Reason} (0x{Code:X2}); more of the kind from there are only counted for a minute",
        EventName = "MqttStrangerCut")]
    private static partial void LogStrangerCut(ILogger log, string serialNumber, EndPoint? remote, string reason, byte code);

    [LoggerMessage(6, LogLevel.Information, "Refused a packet of {SerialNumber} from {Remote}: {Reason} (0x{Code:X2}); more refusals of this connection are only counted", EventName = "MqttPacketRefused")]
    private static partial void LogRefusedPacket(ILogger log, string serialNumber, EndPoint? remote, string reason, byte code);

    [LoggerMessage(2, LogLevel.Error, "The session of {SerialNumber} failed; its connection ends", EventName = "MqttSessionFault")]
    private static partial void LogFault(ILogger log, Exception error, string serialNumber);
}
