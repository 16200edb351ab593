using System.Globalization;
using System.Text;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Serial;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tools.Bench.Link;
using Google.Protobuf;

namespace DeviceHub.Tools.Bench.Line;

/// <summary>What went over a line as a line of text each; keys, activation codes and payment codes are masked.</summary>
/// <param name="Kind">What a filter names: a type, a message's name, <c>bad</c> or <c>text</c>.</param>
internal sealed record TrafficLine(bool FromTerminal, TimeSpan At, string Type, string Kind, string Text);

/// <summary>Takes bytes of both directions, however they are cut.</summary>
internal sealed class TrafficText
{
    private static readonly JsonFormatter Json = new(JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(true));

    private readonly FrameScanner up = new(FrameSize.LargestPayload);
    private readonly FrameScanner down = new(FrameSize.LargestPayload);

    public IEnumerable<TrafficLine> Take(LineBytes bytes)
    {
        var scanner = bytes.FromTerminal ? up : down;
        return scanner.Take(bytes.Bytes, bytes.At).Select(frame => Line(bytes.FromTerminal, frame, scanner.LastRaw));
    }

    /// <summary>A filter: words that must fit, or with a minus must not.</summary>
    public static Func<TrafficLine, bool> Filter(string? text)
    {
        var words = (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var (without, wanted) = (words.Where(w => w[0] == '-').Select(w => w[1..]).ToList(), words.Where(w => w[0] != '-').ToList());
        bool Fits(TrafficLine line, string word) =>
            line.Type.Equals(word, StringComparison.OrdinalIgnoreCase) || line.Kind.Equals(word, StringComparison.OrdinalIgnoreCase);
        return line => !without.Exists(w => Fits(line, w)) && (wanted.Count == 0 || wanted.Exists(w => Fits(line, w)));
    }

    private static TrafficLine Line(bool fromTerminal, ScannedFrame frame, byte[] raw)
    {
        if (!frame.IsGood)
        {
            return raw.All(b => b is >= 0x20 and < 0x7F or 0x09 or 0x0A or 0x0D or 0x1B)
                ? new(fromTerminal, frame.Began, "TEXT", "text", Printable(Encoding.ASCII.GetString(raw)))
                : new(fromTerminal, frame.Began, "BAD", "bad", $"{frame.Fault}, {raw.Length} bytes: {Convert.ToHexStringLower(raw.AsSpan(0, Math.Min(raw.Length, 40)))}");
        }

        // A line that is listened to with one wire carries both ends' frames: the type says whose it is.
        var fromHub = ((byte)frame.Type & 0x80) != 0;
        var name = frame.Type switch
        {
            FrameType.HubData => "DATA",
            FrameType.HubAck => "ACK",
            _ when Enum.IsDefined(frame.Type) => frame.Type.ToString().ToUpperInvariant(),
            _ => $"0x{(byte)frame.Type:X2}",
        };
        var (kind, text) = frame.Type switch
        {
            FrameType.Hello => ("hello", Hello(frame.Payload)),
            FrameType.Reply => ("reply", LinkReply.TryRead(frame.Payload, out var reply) ? $"boot {reply.BootId:x8} {reply.Result} payload {reply.LargestPayload} rate {reply.Rate}" : "?"),
            FrameType.Close => ("close", frame.Payload.Length > 0 ? $"code 0x{frame.Payload[0]:X2}" : "?"),
            FrameType.Baud => ("baud", frame.Payload.Length >= 4 ? BitConverter.ToUInt32(frame.Payload).ToString(CultureInfo.InvariantCulture) : "?"),
            FrameType.Data => Message<Uplink>(frame.Payload),
            FrameType.HubData => Message<Downlink>(frame.Payload),
            _ => (name.ToLowerInvariant(), ""),
        };
        return new(!fromHub, frame.Began, name, kind, string.Create(CultureInfo.InvariantCulture, $"{frame.Sequence,3}  {text}"));
    }

    private static string Hello(byte[] payload) => LinkHello.TryRead(payload, out var hello, out var bootId) == HelloResult.Linked
        ? $"{hello!.SerialNumber} boot {bootId:x8} payload {hello.LargestPayload} stall {hello.StallMs} ms rates {(hello.Rates.Count == 0 ? "-" : string.Join(' ', hello.Rates))}"
        : $"a field is wrong: {Convert.ToHexStringLower(payload)}";

    private static (string Kind, string Text) Message<T>(byte[] payload)
        where T : class, IMessage<T>, new()
    {
        var error = Decode<T>(payload, out var message);
        if (!error.Ok)
        {
            return ("malformed", $"{payload.Length} bytes: {error.Detail}");
        }

        var seal = "";
        if (SealOf(message!) is { } sealing)
        {
            seal = string.Create(CultureInfo.InvariantCulture, $"sealed#{sealing.Sequence} ");
            error = Decode<T>(sealing.Body.Span, out message);
            if (!error.Ok)
            {
                return ("malformed", seal + error.Detail);
            }
        }

        Mask(message!);
        var json = Json.Format(message);
        var kind = json.Split('"') is { Length: > 1 } parts ? parts[1] : "empty";
        return (kind, seal + Printable(json));
    }

    private static DecodeError Decode<T>(ReadOnlySpan<byte> payload, out T? message)
        where T : class, IMessage<T>, new()
    {
        if (typeof(T) == typeof(Uplink))
        {
            var error = MessageCodec.TryDecode(payload, out Uplink? up, out _);
            message = up as T;
            return error;
        }

        var other = MessageCodec.TryDecode(payload, out Downlink? down, out _);
        message = down as T;
        return other;
    }

    private static Sealed? SealOf(IMessage message) => (message as Uplink)?.Sealed ?? (message as Downlink)?.Sealed;

    private static void Mask(IMessage message)
    {
        switch (message)
        {
            case Uplink { PaymentRequest: { } request }:
                request.PaymentCode = request.PaymentCode.Length > 4 ? $"...{request.PaymentCode[^4..]}" : "...";
                break;
            case Uplink { Activate: { } activate }:
                activate.ActivationCode = "...";
                break;
            case Downlink { Offer: { } offer }:
                offer.TerminalKey = ByteString.Empty;
                break;
        }
    }

    private static string Printable(string text) => string.Concat(text.Trim().Select(c => char.IsControl(c) ? '.' : c));
}
