namespace DeviceHub.Gateways.Mqtt;

/// <summary>SUBSCRIBE and UNSUBSCRIBE: a terminal has one topic to listen to.</summary>
internal sealed partial class MqttConnection
{
    private const byte NoLocal = 0x04;

    private void Subscribe(ReadOnlySpan<byte> body)
    {
        var reader = new BodyReader(body);
        if (!TryReadHead(ref reader, Properties.OfSubscribe, out var id, out var properties))
        {
            return;
        }

        if (properties.HasSubscriptionIdentifier)
        {
            Cut(0xA1, "subscription-identifier");
            return;
        }

        Span<byte> codes = stackalloc byte[_options.MaxFilters];
        var count = 0;
        var granted = false;
        while (!reader.AtEnd)
        {
            var filter = reader.Text();
            var options = reader.Byte();
            if ((reader.Failed || filter.IsEmpty ? 0x81 : OptionsFault(filter, options)) is { } fault)
            {
                Cut(fault, "malformed");
                return;
            }

            if (count == codes.Length)
            {
                Cut(0x97, "too-many-filters");
                return;
            }

            var code = Grant(filter, options);
            granted |= code < 0x80;
            codes[count++] = _v5 || code < 0x80 ? code : (byte)0x80;
        }

        Write(PacketBytes.Acknowledge(0x90, _v5, id, codes[..count]));
        if (granted && !_canReceive)
        {
            _canReceive = true;
            _session!.ReceiverReady();
        }
    }

    private void Unsubscribe(ReadOnlySpan<byte> body)
    {
        var reader = new BodyReader(body);
        if (!TryReadHead(ref reader, Properties.OfUnsubscribe, out var id, out _))
        {
            return;
        }

        Span<byte> codes = stackalloc byte[_options.MaxFilters];
        var count = 0;
        while (!reader.AtEnd)
        {
            var filter = reader.Text();
            if (reader.Failed || filter.IsEmpty)
            {
                Cut(0x81, "malformed");
                return;
            }

            if (count == codes.Length)
            {
                Cut(0x97, "too-many-filters");
                return;
            }

            var own = _canReceive && IsOwn(filter, "/down"u8);
            _canReceive &= !own;
            codes[count++] = own ? (byte)0 : (byte)0x11;
        }

        Write(PacketBytes.Acknowledge(0xB0, _v5, id, _v5 ? codes[..count] : []));
    }

    /// <summary>Packet id and properties, and that a filter follows. False: the connection has been cut.</summary>
    private bool TryReadHead(ref BodyReader reader, ulong allowed, out ushort id, out Properties properties)
    {
        id = reader.UInt16();
        properties = default;
        var wrong = _v5 ? Properties.Read(ref reader, allowed, out properties) : null;
        if (reader.Failed || wrong is not null)
        {
            Cut(wrong ?? 0x81, "malformed");
            return false;
        }

        if (id == 0 || reader.AtEnd)
        {
            Cut(0x82, id == 0 ? "packet-id-0" : "no-filter");
            return false;
        }

        return true;
    }

    /// <summary>Null: legal. A reserved bit is malformed, a value that must not be is a protocol error; 3.1.1 has no such difference.</summary>
    private byte? OptionsFault(ReadOnlySpan<byte> filter, byte options)
    {
        if ((options & (_v5 ? 0xC0 : 0xFC)) != 0)
        {
            return 0x81;
        }

        return (options & 3) == 3 || (options >> 4 & 3) == 3 || ((options & NoLocal) != 0 && IsShared(filter)) ? 0x82 : null;
    }

    private static bool IsShared(ReadOnlySpan<byte> filter) => filter.StartsWith("$share/"u8);

    private byte Grant(ReadOnlySpan<byte> filter, byte options)
    {
        if (IsOwn(filter, "/down"u8))
        {
            lock (_downGate)
            {
                _downAcknowledged = (options & 3) > 0;
                _downlinks ??= _downAcknowledged ? new Downlinks(_maxInFlightOut, _options.MaxQueuedMessages, _options.MaxQueuedBytes) : null;
            }

            return _downAcknowledged ? (byte)1 : (byte)0;
        }

        var wild = filter.IndexOfAny((byte)'#', (byte)'+') >= 0;
        var (code, word) = IsShared(filter) ? ((byte)0x9E, "shared-subscription") : wild ? ((byte)0xA2, "wildcard") : ((byte)0x87, "foreign-topic");
        RefusePacket(code, word);
        return code;
    }
}
