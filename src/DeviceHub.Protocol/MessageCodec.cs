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
    private static readonly JsonParser Json = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true).WithRecursionLimit(32));
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

    /// <summary>Writes one message; JSON is one line of ASCII without a space outside of strings.</summary>
    public static void Encode(IMessage message, WireEncoding encoding, IBufferWriter<byte> to)
    {
        if (encoding == WireEncoding.Protobuf)
        {
            message.WriteTo(to);
            return;
        }

        WriteCompact(Formatter.Format(message), to);
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

    /// <summary>Modems pass ASCII only, and every byte of 512 counts. The formatter writes nothing but ASCII outside of strings.</summary>
    private static void WriteCompact(string json, IBufferWriter<byte> to)
    {
        const int MostOfOne = 6;
        var span = to.GetSpan(json.Length + MostOfOne);
        var at = 0;
        var inString = false;
        for (var i = 0; i < json.Length; i++)
        {
            if (span.Length - at < MostOfOne)
            {
                to.Advance(at);
                at = 0;
                span = to.GetSpan(json.Length - i + MostOfOne);
            }

            var c = json[i];
            if (c is >= ' ' and <= '~')
            {
                inString ^= c == '"' && !IsEscaped(json, i);
                if (c != ' ' || inString)
                {
                    span[at++] = (byte)c;
                }
            }
            else
            {
                "\\u"u8.CopyTo(span[at..]);
                ((int)c).TryFormat(span[(at + 2)..], out _, "x4", CultureInfo.InvariantCulture);
                at += MostOfOne;
            }
        }

        to.Advance(at);
    }

    private static bool IsEscaped(string json, int at)
    {
        var backslashes = 0;
        while (at > backslashes && json[at - backslashes - 1] == '\\')
        {
            backslashes++;
        }

        return backslashes % 2 == 1;
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
