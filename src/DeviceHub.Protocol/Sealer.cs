using System.Buffers.Binary;
using System.Security.Cryptography;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;

namespace DeviceHub.Protocol;

public enum SealFault { None, WrongMac, Replayed }

/// <summary>Which way a sealed message goes. The byte is part of the MAC, so that none can be sent back as its own answer.</summary>
public enum SealDirection : byte { Up = 0x55, Down = 0x44 }

/// <summary>
/// Seals or opens the messages of one direction of one session. The MAC is the first 8 bytes of
/// HMAC-SHA256(session key, direction ‖ sequence, 8 bytes big-endian ‖ body). Not thread-safe.
/// </summary>
public sealed class Sealer(ReadOnlyMemory<byte> sessionKey, SealDirection direction)
{
    public const int MacBytes = 8;

    private ulong last;

    public Sealed Seal(ByteString body)
    {
        var sequence = ++last;
        Span<byte> mac = stackalloc byte[MacBytes];
        Mac(sequence, body.Span, mac);
        return new Sealed { Body = body, Sequence = sequence, Mac = ByteString.CopyFrom(mac) };
    }

    /// <summary>Checks MAC and sequence. Gaps are allowed, since messages get lost; what went before is not.</summary>
    public SealFault Open(Sealed message)
    {
        Span<byte> mac = stackalloc byte[MacBytes];
        Mac(message.Sequence, message.Body.Span, mac);
        if (!CryptographicOperations.FixedTimeEquals(mac, message.Mac.Span))
        {
            return SealFault.WrongMac;
        }

        if (message.Sequence <= last)
        {
            return SealFault.Replayed;
        }

        last = message.Sequence;
        return SealFault.None;
    }

    private void Mac(ulong sequence, ReadOnlySpan<byte> body, Span<byte> mac)
    {
        Span<byte> input = body.Length <= 1015 ? stackalloc byte[9 + body.Length] : new byte[9 + body.Length];
        input[0] = (byte)direction;
        BinaryPrimitives.WriteUInt64BigEndian(input[1..], sequence);
        body.CopyTo(input[9..]);
        Span<byte> whole = stackalloc byte[32];
        HMACSHA256.HashData(sessionKey.Span, input, whole);
        whole[..MacBytes].CopyTo(mac);
    }
}
