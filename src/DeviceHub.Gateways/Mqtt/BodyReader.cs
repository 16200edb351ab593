using System.Buffers.Binary;
using System.Text.Unicode;

namespace DeviceHub.Gateways.Mqtt;

/// <summary>
/// Reads a packet's body strictly and without allocating. After the first wrong byte <see cref="Failed"/> stays set and every read
/// gives a zero, so that callers check once at the end.
/// </summary>
internal ref struct BodyReader(ReadOnlySpan<byte> body)
{
    private ReadOnlySpan<byte> _rest = body;

    public bool Failed { get; private set; }

    public readonly bool AtEnd => _rest.IsEmpty;

    public readonly ReadOnlySpan<byte> Rest => _rest;

    public byte Byte() => Take(1) is [var value] ? value : (byte)0;

    public ushort UInt16() => Take(2) is { Length: 2 } bytes ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : (ushort)0;

    public uint UInt32() => Take(4) is { Length: 4 } bytes ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : 0;

    public int VariableByteInteger()
    {
        var value = 0;
        for (var shift = 0; shift < 28; shift += 7)
        {
            var digit = Byte();
            value |= (digit & 0x7F) << shift;
            if ((digit & 0x80) == 0)
            {
                return value;
            }
        }

        Failed = true;
        return 0;
    }

    public ReadOnlySpan<byte> Binary() => Take(UInt16());

    /// <summary>[MQTT-1.5.3-1] and [MQTT-1.5.3-2]: well-formed UTF-8 (so no surrogates) without U+0000.</summary>
    public ReadOnlySpan<byte> Text()
    {
        var text = Binary();
        if (text.Contains((byte)0) || !Utf8.IsValid(text))
        {
            Failed = true;
            return [];
        }

        return text;
    }

    public ReadOnlySpan<byte> Take(int count)
    {
        if (Failed || count > _rest.Length)
        {
            Failed = true;
            return [];
        }

        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
