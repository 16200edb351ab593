using System.Buffers;
using System.Globalization;
using System.Text;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;

namespace DeviceHub.Protocol;

/// <summary>The two forms of the same message. The hub answers in the one that the terminal's hello came in.</summary>
public enum WireEncoding { Protobuf, Json }

/// <summary>Why bytes are no message that may be acted upon. <see cref="Detail"/> is ASCII, for an engineer, and holds no contents.</summary>
public readonly record struct DecodeError(DecodeFault Fault, string Detail)
{
    public static readonly DecodeError None = new(DecodeFault.None, "");

    public bool Ok => Fault == DecodeFault.None;
}

public enum DecodeFault
{
    None,

    /// <summary>Empty, longer than the limit, or not protobuf or JSON.</summary>
    NotAMessage,

    /// <summary>No body, or one that this version does not know.</summary>
    NoBody,

    /// <summary>A field is missing, too long, out of range, or has a value of 0 where one is needed.</summary>
    Field,
}

/// <summary>
/// Bytes to messages and back. Decoding never throws for bad bytes, ignores unknown fields in both encodings and applies
/// <see cref="MessageRules"/>. A payload whose first byte is <c>{</c> is JSON; no protobuf message here begins with it.
/// </summary>
public static class MessageCodec
{
    /// <summary>Bytes of the largest message, both ways.</summary>
    public const int MaxBytes = 16 * 1024;

    private static readonly MessageParser<Uplink> UplinkParser = Uplink.Parser.WithDiscardUnknownFields(true);
    private static readonly MessageParser<Downlink> DownlinkParser = Downlink.Parser.WithDiscardUnknownFields(true);
    private static readonly JsonParser Json = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true).WithRecursionLimit(8));
    private static readonly JsonFormatter Formatter = new(JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(true));

    public static DecodeError TryDecode(ReadOnlySpan<byte> payload, out Uplink? message, out WireEncoding encoding)
    {
        var error = TryParse(payload, UplinkParser, out message, out encoding);
        return error.Ok ? MessageRules.Check(message!) : error;
    }

    public static DecodeError TryDecode(ReadOnlySpan<byte> payload, out Downlink? message, out WireEncoding encoding)
    {
        var error = TryParse(payload, DownlinkParser, out message, out encoding);
        return error.Ok ? MessageRules.Check(message!) : error;
    }

    /// <summary>Writes one message; JSON is one line of ASCII.</summary>
    public static void Encode(IMessage message, WireEncoding encoding, IBufferWriter<byte> to)
    {
        if (encoding == WireEncoding.Protobuf)
        {
            message.WriteTo(to);
            return;
        }

        var json = Formatter.Format(message);
        var at = 0;
        var span = to.GetSpan(json.Length + 64);
        foreach (var c in json)
        {
            if (span.Length - at < 8)
            {
                to.Advance(at);
                at = 0;
                span = to.GetSpan(json.Length + 64);
            }

            if (c is >= ' ' and <= '~')
            {
                span[at++] = (byte)c;
            }
            else
            {
                // Modems pass ASCII only; outside of strings JsonFormatter writes nothing else.
                at += Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"), span[at..]);
            }
        }

        to.Advance(at);
    }

    public static byte[] Encode(IMessage message, WireEncoding encoding)
    {
        if (encoding == WireEncoding.Protobuf)
        {
            return message.ToByteArray();
        }

        var buffer = new ArrayBufferWriter<byte>(256);
        Encode(message, encoding, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    private static DecodeError TryParse<T>(ReadOnlySpan<byte> payload, MessageParser<T> parser, out T? message, out WireEncoding encoding)
        where T : class, IMessage<T>, new()
    {
        message = null;
        encoding = payload.Length > 0 && payload[0] == (byte)'{' ? WireEncoding.Json : WireEncoding.Protobuf;
        if (payload.Length is 0 or > MaxBytes)
        {
            return new(DecodeFault.NotAMessage, payload.Length == 0 ? "empty payload" : $"payload of {payload.Length} bytes; at most {MaxBytes}");
        }

        try
        {
            if (encoding == WireEncoding.Protobuf)
            {
                message = parser.ParseFrom(payload);
                return DecodeError.None;
            }

            var error = JsonText.Check(payload, new T().Descriptor);
            if (error.Ok)
            {
                message = Json.Parse<T>(Encoding.UTF8.GetString(payload));
            }

            return error;
        }
        catch (InvalidProtocolBufferException e) when (encoding == WireEncoding.Protobuf)
        {
            // What the library says of protobuf is about its form, never about a value.
            return new(DecodeFault.NotAMessage, Ascii($"not protobuf: {e.Message}"));
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or FormatException or OverflowException or ArgumentException)
        {
            return new(DecodeFault.NotAMessage, $"the {encoding} does not fit {typeof(T).Name}");
        }
    }

    private static string Ascii(string text)
    {
        var length = Math.Min(text.Length, 120);
        return string.Create(length, text, static (span, t) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = t[i] is >= ' ' and <= '~' ? t[i] : '?';
            }
        });
    }
}
