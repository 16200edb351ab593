using System.Buffers;
using System.Text;
using MQTTnet.Protocol;

namespace DeviceHub.Gateways.Mqtt;

/// <summary>What each packet of a terminal does.</summary>
internal sealed partial class MqttConnection
{
    private readonly Lock _downGate = new();
    private Downlinks? _downlinks;
    private uint _maxDownBytes = uint.MaxValue;
    private bool _downAcknowledged;
    private string _downTopic = "";

    private long? OldestUnacknowledged
    {
        get
        {
            lock (_downGate)
            {
                return _downlinks?.OldestSent;
            }
        }
    }

    public int MaxMessageBytes => (int)Math.Min(int.MaxValue, _maxDownBytes - PacketBytes.PublishOverhead - _downTopic.Length);

    public bool TrySend(ReadOnlySpan<byte> payload)
    {
        if (IsCut || !CanReceive)
        {
            return false;
        }

        if (PacketBytes.PublishLength(_downTopic.Length, payload.Length, _v5, _downAcknowledged) > _maxDownBytes)
        {
            MqttMetrics.Ignored("larger-than-the-client-takes");
            return true;
        }

        bool sent;
        lock (_downGate)
        {
            if (!_downAcknowledged)
            {
                sent = WritePublish(payload, 0);
            }
            else if (_downlinks!.CanSend)
            {
                sent = WritePublish(payload, _downlinks.Take(_endpoint.Time.GetTimestamp()));
            }
            else
            {
                sent = _downlinks.TryWait(payload);
            }
        }

        if (!sent)
        {
            Cut(CutReason.SlowReader);
            return false;
        }

        FlushUnlessReading();
        return true;
    }

    private bool WritePublish(ReadOnlySpan<byte> payload, ushort id)
    {
        var most = PacketBytes.PublishOverhead + _downTopic.Length + payload.Length;
        byte[]? rented = null;
        var packet = most <= 1024 ? stackalloc byte[1024] : rented = ArrayPool<byte>.Shared.Rent(most);
        var length = PacketBytes.Publish(packet, _downTopic, payload, _v5, id);
        var written = _outbox.TryWrite(packet[..length]);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented, clearArray: true);
        }

        MqttMetrics.Sent.Add(1);
        return written;
    }

    private void Handle(in MqttFrame frame)
    {
        var body = frame.Body;
        if (body.IsSingleSegment)
        {
            Handle(frame, body.FirstSpan);
            return;
        }

        var length = (int)body.Length;
        var copy = ArrayPool<byte>.Shared.Rent(length);
        body.CopyTo(copy);
        Handle(frame, copy.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(copy, clearArray: true);
    }

    private void Handle(in MqttFrame frame, ReadOnlySpan<byte> body)
    {
        var acknowledges = frame.Type == MqttControlPacketType.PubAck;
        if (!_rate.Take(acknowledges ? 0 : 1, frame.TotalBytes, _lastRead, _endpoint.Time))
        {
            Cut(CutReason.TooFast);
            return;
        }

        switch (frame.Type)
        {
            case MqttControlPacketType.Publish:
                Publish(frame.Header, body);
                break;
            case MqttControlPacketType.PubAck:
                Acknowledge(body);
                break;
            case MqttControlPacketType.Subscribe:
                Subscribe(body);
                break;
            case MqttControlPacketType.Unsubscribe:
                Unsubscribe(body);
                break;
            case MqttControlPacketType.PingReq when body.IsEmpty:
                Write(PacketBytes.PingResp);
                break;
            case MqttControlPacketType.Disconnect:
                Disconnect(body);
                break;
            case MqttControlPacketType.Connect:
                Cut(0x82, "second-connect");
                break;
            case MqttControlPacketType.PingReq:
                Cut(0x81, "malformed");
                break;
            default:
                Cut(0x82, "unexpected-packet");
                break;
        }
    }

    private void Publish(byte header, ReadOnlySpan<byte> body)
    {
        var reader = new BodyReader(body);
        var topic = reader.Text();
        var qos = header >> 1 & 3;
        var id = qos > 0 ? reader.UInt16() : (ushort)0;
        byte? wrong = null;
        var properties = default(Properties);
        if (_v5)
        {
            wrong = Properties.Read(ref reader, Properties.OfPublish, out properties);
        }

        if (reader.Failed || wrong is not null || topic.IndexOfAny((byte)'#', (byte)'+') >= 0)
        {
            Cut(reader.Failed ? (byte)0x81 : wrong ?? 0x90, "malformed");
        }
        else if (qos == 2)
        {
            Cut(0x9B, "qos-2");
        }
        else if (qos == 1 && id == 0)
        {
            Cut(0x82, "packet-id-0");
        }
        else if (properties.HasTopicAlias)
        {
            Cut(0x94, "topic-alias");
        }
        else if (properties.HasSubscriptionIdentifier)
        {
            Cut(0x82, "protocol-error");
        }
        else if (topic.IsEmpty)
        {
            Cut(0x82, "no-topic");
        }
        else if (_v5 && (header & 1) != 0)
        {
            Cut(0x9A, "retain");
        }
        else
        {
            Admit(header, id, topic, reader.Rest);
        }
    }

    private void Admit(byte header, ushort id, ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload)
    {
        var unacknowledged = 0;
        if (id != 0 && _uplinks!.Contains(id, out unacknowledged))
        {
            if ((header & 0x08) != 0)
            {
                MqttMetrics.Ignored("repeat-in-flight");
            }
            else
            {
                Cut(0x82, "packet-id-in-use");
            }

            return;
        }

        if (_v5 && unacknowledged >= _options.MaxInFlightIn)
        {
            Cut(0x93, "receive-maximum");
            return;
        }

        if (!IsOwn(topic, "/up"u8))
        {
            if (!_v5 || id == 0)
            {
                Cut(0x87, "foreign-topic");
                return;
            }

            RefusePacket(0x87, "foreign-topic");
            _uplinks!.Refuse(id, 0x87);
            return;
        }

        if ((header & 1) != 0)
        {
            MqttMetrics.Ignored("retain");
        }

        MqttMetrics.Received.Add(1);
        _uplinks!.Start(_session!, id, payload);
    }

    private void Acknowledge(ReadOnlySpan<byte> body)
    {
        var reader = new BodyReader(body);
        var id = reader.UInt16();
        byte? wrong = null;
        if (_v5 && !reader.AtEnd)
        {
            reader.Byte();
            wrong = reader.AtEnd ? null : Properties.Read(ref reader, Properties.OfPubAck, out _);
        }

        if (reader.Failed || wrong is not null || !reader.AtEnd || id == 0)
        {
            Cut(wrong ?? 0x81, "malformed");
            return;
        }

        var written = true;
        lock (_downGate)
        {
            if (_downlinks is null || !_downlinks.Acknowledge(id))
            {
                MqttMetrics.Ignored("unknown-puback");
                return;
            }

            while (written && _downlinks.TryNext(out var payload))
            {
                written = WritePublish(payload, _downlinks.Take(_endpoint.Time.GetTimestamp()));
            }
        }

        if (!written)
        {
            Cut(CutReason.SlowReader);
        }
    }

    private void Disconnect(ReadOnlySpan<byte> body)
    {
        var reader = new BodyReader(body);
        byte? wrong = null;
        var properties = default(Properties);
        if (_v5 && !reader.AtEnd)
        {
            reader.Byte();
            wrong = reader.AtEnd ? null : Properties.Read(ref reader, Properties.OfDisconnect, out properties);
        }

        if (wrong is not null || reader.Failed || !reader.AtEnd)
        {
            Cut(wrong ?? 0x81, "malformed");
            return;
        }

        // 5.0, 3.14.2.2.2: who asked for no session in CONNECT cannot ask for one at the end.
        var raises = properties.SessionExpiry > 0 && !_askedForSession;
        Cut(0x82, raises ? "session-expiry" : "bye", refused: raises);
    }

    private bool IsOwn(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> end)
    {
        var start = "dh/v1/"u8;
        return topic.Length == start.Length + _serialNumber.Length + end.Length && topic.StartsWith(start) && topic.EndsWith(end)
            && Ascii.Equals(topic.Slice(start.Length, _serialNumber.Length), _serialNumber);
    }
}
