using System.Buffers.Binary;
using System.Text;
using DeviceHub.Tools.LoadBench.Driver;

namespace DeviceHub.Tools.LoadBench.Pages;

/// <summary>
/// What a live page and the hub say to each other: SignalR's messages in MessagePack, each behind its length. Only what pages need: an invocation is
/// an array of its kind, headers, id, target, arguments and streams.
/// </summary>
internal static class BlazorPack
{
    public const int Invocation = 1;
    public const int Completion = 3;
    public const int Ping = 6;
    public const int Close = 7;

    public static readonly byte[] Handshake = "{\"protocol\":\"blazorpack\",\"version\":1}\u001e"u8.ToArray();

    /// <param name="id">Null: nobody waits for an answer.</param>
    /// <param name="arguments">Texts, numbers, truths and nulls.</param>
    public static byte[] Invoke(string? id, string target, params ReadOnlySpan<object?> arguments)
    {
        var body = new List<byte>(128) { 0x96, Invocation, 0x80 };
        Write(body, id);
        Write(body, target);
        body.Add((byte)(0x90 | arguments.Length));
        foreach (var argument in arguments)
        {
            Write(body, argument);
        }

        body.Add(0x90);
        var message = new List<byte>(body.Count + 5);
        for (var length = body.Count; ; length >>= 7)
        {
            message.Add((byte)(length > 0x7f ? (length & 0x7f) | 0x80 : length));
            if (length <= 0x7f)
            {
                break;
            }
        }

        message.AddRange(body);
        return [.. message];
    }

    /// <summary>Takes the next whole message off the front; false: there is none.</summary>
    public static bool Next(ref ReadOnlySpan<byte> input, out PackReader message)
    {
        var (length, at) = (0, 0);
        for (var shift = 0; at < input.Length; shift += 7)
        {
            length |= (input[at] & 0x7f) << shift;
            if ((input[at++] & 0x80) == 0)
            {
                message = new PackReader(input.Slice(at, length));
                input = input[(at + length)..];
                return true;
            }
        }

        message = default;
        return false;
    }

    private static void Write(List<byte> to, object? value)
    {
        switch (value)
        {
            case null:
                to.Add(0xc0);
                break;
            case bool truth:
                to.Add((byte)(truth ? 0xc3 : 0xc2));
                break;
            case long number:
                to.Add(0xd3);
                Span<byte> eight = stackalloc byte[8];
                BinaryPrimitives.WriteInt64BigEndian(eight, number);
                to.AddRange(eight);
                break;
            case string text:
                var utf8 = Encoding.UTF8.GetBytes(text);
                to.Add(0xdb);
                Span<byte> four = stackalloc byte[4];
                BinaryPrimitives.WriteInt32BigEndian(four, utf8.Length);
                to.AddRange(four);
                to.AddRange(utf8);
                break;
            default:
                throw new BenchException($"a page does not send a {value.GetType().Name}");
        }
    }
}

/// <summary>Reads MessagePack from its front.</summary>
internal ref struct PackReader(ReadOnlySpan<byte> rest)
{
    private ReadOnlySpan<byte> rest = rest;

    public int Array()
    {
        var kind = Take(1)[0];
        return kind switch
        {
            >= 0x90 and <= 0x9f => kind & 0x0f,
            0xdc => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
            _ => throw new BenchException($"the hub sent 0x{kind:x2} for an array"),
        };
    }

    public long Number()
    {
        var kind = Take(1)[0];
        return kind switch
        {
            <= 0x7f => kind,
            >= 0xe0 => (sbyte)kind,
            0xcc => Take(1)[0],
            0xcd => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
            0xce => BinaryPrimitives.ReadUInt32BigEndian(Take(4)),
            0xcf or 0xd3 => BinaryPrimitives.ReadInt64BigEndian(Take(8)),
            0xd0 => (sbyte)Take(1)[0],
            0xd1 => BinaryPrimitives.ReadInt16BigEndian(Take(2)),
            0xd2 => BinaryPrimitives.ReadInt32BigEndian(Take(4)),
            _ => throw new BenchException($"the hub sent 0x{kind:x2} for a number"),
        };
    }

    /// <summary>The bytes of a text or of bytes; none of nothing.</summary>
    public ReadOnlySpan<byte> Bytes()
    {
        var kind = Take(1)[0];
        return kind switch
        {
            0xc0 => [],
            >= 0xa0 and <= 0xbf => Take(kind & 0x1f),
            0xc4 or 0xd9 => Take(Take(1)[0]),
            0xc5 or 0xda => Take(BinaryPrimitives.ReadUInt16BigEndian(Take(2))),
            0xc6 or 0xdb => Take((int)BinaryPrimitives.ReadUInt32BigEndian(Take(4))),
            _ => throw new BenchException($"the hub sent 0x{kind:x2} for a text"),
        };
    }

    public string Text() => Encoding.UTF8.GetString(Bytes());

    /// <summary>The map of headers, which the hub leaves empty.</summary>
    public void NoHeaders()
    {
        if (Take(1)[0] != 0x80)
        {
            throw new BenchException("the hub sent headers");
        }
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        var taken = rest[..count];
        rest = rest[count..];
        return taken;
    }
}
