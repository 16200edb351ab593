using System.Buffers;
using System.Net;
using DeviceHub.Protocol;
using Microsoft.Extensions.Logging;
using MQTTnet.Protocol;

namespace DeviceHub.Gateways.Mqtt;

/// <summary>CONNECT: who may open a session.</summary>
internal sealed partial class MqttConnection
{
    private const int RefusalBytes = 5;

    private int _maxInFlightOut;
    private bool _askedForSession;

    private async ValueTask ConnectAsync(MqttFrame frame)
    {
        if (frame.Type != MqttControlPacketType.Connect)
        {
            Cut(0x82, "no-connect");
            return;
        }

        var connect = ConnectPacket.Read(frame.Body.IsSingleSegment ? frame.Body.FirstSpan : frame.Body.ToArray(), out var version, out var error);
        if (connect is null)
        {
            // 3.1.1 has no answer to a malformed CONNECT; of a version that we do not know, its answer is understood by all.
            Refuse(version == 5 || (version > 5 && error == 0x84), error, error == 0x84 ? "version" : "malformed", answer: version == 5 || error == 0x84);
            return;
        }

        _v5 = connect.V5;
        if (Judge(connect) is { } refusal)
        {
            Refuse(_v5, refusal.Code, refusal.Word, answer: connect.Properties.MaximumPacketSize >= RefusalBytes);
            return;
        }

        // A CONNECT has come whole: its own deadline no longer applies, the login's does.
        var asked = connect.KeepAliveSeconds == 0 ? _options.MaxKeepAliveSeconds : connect.KeepAliveSeconds;
        _keepAliveSeconds = Math.Clamp(asked, _options.MinKeepAliveSeconds, _options.MaxKeepAliveSeconds);
        await PaceAsync(connect.ClientId);
        if (_endpoint.IsStopping)
        {
            Refuse(_v5, 0x88, "stopping");
            return;
        }

        if (!IsCut && connect.Password is { } token && !await TokenIsRightAsync(connect.ClientId, token))
        {
            Refuse(_v5, 0x86, "credentials");
            return;
        }

        if (!IsCut)
        {
            Open(connect);
        }
    }

    /// <summary>Whoever connects too often waits, and keeps its place meanwhile; it is not refused, since the next may be the right one.</summary>
    private async ValueTask PaceAsync(string clientId)
    {
        var wait = _endpoint.Admission.Pace(clientId, Remote);
        if (wait > TimeSpan.Zero)
        {
            MqttMetrics.Paced.Add(1);
            if (_endpoint.Admission.MayTell("connect-rate", Remote))
            {
                LogPaced(_endpoint.Log, clientId, Remote, wait.TotalSeconds);
            }

            await Task.Delay(wait, _endpoint.Time, _endpoint.Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async ValueTask<bool> TokenIsRightAsync(string serialNumber, string token)
    {
        try
        {
            return await _endpoint.Sessions.CheckToken(serialNumber, token, this).AsTask().WaitAsync(_endpoint.Stopping);
        }
        catch (OperationCanceledException)
        {
            Refuse(_v5, 0x88, "stopping");
            return false;
        }
        catch (Exception error)
        {
            LogFault(_endpoint.Log, error, serialNumber);
            Refuse(_v5, 0x88, "fault");
            return false;
        }
    }

    private void Open(ConnectPacket connect)
    {
        if (connect.HasWill)
        {
            MqttMetrics.Ignored("will");
        }

        _serialNumber = connect.ClientId;
        _wire = IsBridged(connect) ? "serial" : "mqtt";
        _downTopic = DownTopic(_serialNumber);
        _maxInFlightOut = Math.Min(_options.MaxInFlightOut, connect.Properties.ReceiveMaximum);
        _maxDownBytes = connect.Properties.MaximumPacketSize;
        _askedForSession = connect.Properties.SessionExpiry > 0;
        _uplinks = new Uplinks(this, _options.MaxInFlightIn);
        Write(_v5
            ? PacketBytes.ConnAckAccepted(_options, connect.KeepAliveSeconds == _keepAliveSeconds ? null : (ushort)_keepAliveSeconds)
            : PacketBytes.ConnAck(v5: false, 0));
        _session = _endpoint.Sessions.Open(_serialNumber, connect.Password, this);
    }

    private (byte Code, string Word)? Judge(ConnectPacket connect)
    {
        if (_endpoint.IsStopping)
        {
            return (0x88, "stopping");
        }

        if (!Names.IsSerialNumber(connect.ClientId))
        {
            return (0x85, "client-id");
        }

        if (connect.UserName is { } name && name != connect.ClientId && !IsBridged(connect))
        {
            return (0x86, "user-name");
        }

        if (connect.Properties.HasAuthenticationMethod)
        {
            return (0x8C, "authentication-method");
        }

        if (connect.V5 && connect.HasWill)
        {
            return (connect.WillQos == 2 ? (byte)0x9B : connect.WillRetain ? (byte)0x9A : (byte)0x87, "will");
        }

        // What is too large for the client is dropped: it must take the smallest message that every terminal takes, or it is paid and never told.
        return connect.Properties.MaximumPacketSize < PacketBytes.PublishOverhead + DownTopic(connect.ClientId).Length + TerminalSession.SmallestMax
            ? (0x95, "client-packet-size")
            : null;
    }

    /// <summary>A bridge carries a terminal on a serial line: its proof is one for that wire. It gains nothing else by saying so.</summary>
    private static bool IsBridged(ConnectPacket connect) => connect.UserName == "serial/" + connect.ClientId;

    private static string DownTopic(string serialNumber) => $"dh/v1/{serialNumber}/down";

    private void Refuse(bool v5, byte code, string word, bool answer = true)
    {
        if (answer && !IsCut)
        {
            Write(PacketBytes.ConnAck(v5, v5 ? code : ReturnCode(code)));
            _outbox.Flush();
        }

        Cut(code, word);
    }

    private static byte ReturnCode(byte code) => code switch
    {
        0x84 => 1,
        0x85 => 2,
        0x86 => 4,
        0x87 or 0x8C => 5,
        _ => 3,
    };

    [LoggerMessage(5, LogLevel.Information, "{SerialNumber} connects too often from {Remote}; from there its CONNECT is answered after {Seconds} s", EventName = "MqttPaced")]
    private static partial void LogPaced(ILogger log, string serialNumber, EndPoint? remote, double seconds);
}
