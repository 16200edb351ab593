using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using DeviceHub.Protocol.Wire;
using Google.Protobuf.Reflection;

namespace DeviceHub.Protocol;

/// <summary>
/// What the protobuf library's JSON parser lets pass or reports with the value in its text: checked before it sees the payload, so
/// that an error names the field and never what was in it. A good payload costs no allocation here.
/// </summary>
internal static class JsonText
{
    /// <summary>Of objects and lists, unknown fields included.</summary>
    private const int MaxDepth = 16;

    /// <summary>The largest integer that every JSON parser reads exactly, this hub's too; a string may hold more.</summary>
    private const ulong MaxExact = 1UL << 53;

    private const string Unknown = "an unknown field";

    private static readonly JsonReaderOptions Options = new() { MaxDepth = MaxDepth };
    private static readonly UTF8Encoding StrictUtf8 = new(false, true);
    private static readonly JsonFields UplinkFields = new(Uplink.Descriptor);
    private static readonly JsonFields DownlinkFields = new(Downlink.Descriptor);

    /// <summary>Where and what is wrong; the path is put together on the way out, so that only bad payloads pay for it.</summary>
    private readonly record struct Fault(string Path, string Text)
    {
        public bool Ok => Text is null;

        public Fault Within(string name) => new(Path.Length == 0 ? name : $"{name}.{Path}", Text);
    }

    public static DecodeError Check(ReadOnlySpan<byte> json, MessageDescriptor type)
    {
        var reader = new Utf8JsonReader(json, Options);
        try
        {
            _ = StrictUtf8.GetCharCount(json);
            reader.Read();
            var fault = CheckObject(ref reader, type == Uplink.Descriptor ? UplinkFields : DownlinkFields);
            if (!fault.Ok)
            {
                return Bad(fault.Path + fault.Text);
            }

            return reader.Read() ? Bad("something follows the JSON object") : DecodeError.None;
        }
        catch (JsonException e)
        {
            return Bad(reader.CurrentDepth >= MaxDepth - 1
                ? $"JSON deeper than {MaxDepth}"
                : $"not JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine}");
        }
        catch (DecoderFallbackException e)
        {
            return Bad($"invalid UTF-8 at byte {e.Index}");
        }
        catch (InvalidOperationException)
        {
            return Bad("half a surrogate pair in a string");
        }
    }

    /// <param name="fields">Null: the object is the value of an unknown field.</param>
    private static Fault CheckObject(ref Utf8JsonReader reader, JsonFields? fields)
    {
        var seen = 0UL;
        HashSet<string>? seenUnknown = null;
        var choices = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var index = fields?.Find(ref reader) ?? -1;
            if (index >= 0 ? (seen & (1UL << index)) != 0 : !(seenUnknown ??= new(StringComparer.Ordinal)).Add(reader.GetString()!))
            {
                return new(index >= 0 ? fields![index].Name : Unknown, " is given twice");
            }

            seen |= index >= 0 ? 1UL << index : 0;
            var field = index >= 0 ? fields![index] : null;
            reader.Read();
            if (field?.IsChoice is true && reader.TokenType != JsonTokenType.Null && ++choices > 1)
            {
                return new(field.Name, " is one too many: only one of these may be given");
            }

            var fault = field?.IsList is true || (field is null && reader.TokenType == JsonTokenType.StartArray)
                ? CheckList(ref reader, field)
                : CheckValue(ref reader, field);
            if (!fault.Ok)
            {
                return fault.Within(field?.Name ?? Unknown);
            }
        }

        return default;
    }

    private static Fault CheckList(ref Utf8JsonReader reader, JsonField? field)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return default;
        }

        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return Wanted("a list");
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var fault = field is null && reader.TokenType == JsonTokenType.StartArray
                ? CheckList(ref reader, null)
                : field is not null && reader.TokenType == JsonTokenType.Null
                    ? Wanted("a list without null")
                    : CheckValue(ref reader, field);
            if (!fault.Ok)
            {
                return fault;
            }
        }

        return default;
    }

    private static Fault CheckValue(ref Utf8JsonReader reader, JsonField? field)
    {
        // A raw U+0000 is no JSON; an escaped one is found only in a string with escapes. Reading it also finds half surrogates.
        if (reader.TokenType == JsonTokenType.String && reader.ValueIsEscaped && reader.GetString()!.Contains('\0', StringComparison.Ordinal))
        {
            return new("", " holds U+0000");
        }

        if (reader.TokenType == JsonTokenType.StartObject && field is null or { Type: FieldType.Message })
        {
            return CheckObject(ref reader, field?.Children);
        }

        if (field is null || reader.TokenType == JsonTokenType.Null)
        {
            return default;
        }

        return field.Type switch
        {
            FieldType.Message => Wanted("an object"),
            FieldType.Bool => reader.TokenType is JsonTokenType.True or JsonTokenType.False ? default : Wanted("true or false"),
            FieldType.String => reader.TokenType == JsonTokenType.String ? default : Wanted("a string"),
            FieldType.Bytes => CheckBytes(ref reader),
            FieldType.Enum => CheckEnum(ref reader),
            _ => CheckInteger(ref reader, field.Type),
        };
    }

    private static Fault CheckBytes(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            return Wanted("a base64 string");
        }

        return Base64.IsValid(Unescaped(ref reader)) ? default : Wanted("base64");
    }

    private static Fault CheckEnum(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.String
            || (reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out _))
                ? default
                : Wanted("a name of its enum");

    private static Fault CheckInteger(ref Utf8JsonReader reader, FieldType type)
    {
        if (reader.TokenType is not (JsonTokenType.Number or JsonTokenType.String))
        {
            return Wanted("an integer");
        }

        var text = Unescaped(ref reader);
        var negative = text is [(byte)'-', ..];
        var digits = negative ? text[1..] : text;
        if (digits.IsEmpty || digits.ContainsAnyExceptInRange((byte)'0', (byte)'9') || (digits[0] == '0' && (digits.Length > 1 || negative)))
        {
            return Wanted("an integer in plain digits");
        }

        if (negative && type is FieldType.UInt32 or FieldType.UInt64)
        {
            return Wanted("an integer that is not negative");
        }

        var most = type switch
        {
            FieldType.UInt32 => uint.MaxValue,
            FieldType.UInt64 => ulong.MaxValue,
            FieldType.SInt32 => (ulong)int.MaxValue + (negative ? 1UL : 0),
            _ => (ulong)long.MaxValue + (negative ? 1UL : 0),
        };
        if (!Utf8Parser.TryParse(digits, out ulong value, out var read) || read != digits.Length || value > most)
        {
            return new("", " is too large a number");
        }

        return value > MaxExact && reader.TokenType == JsonTokenType.Number
            ? new("", " is too large for a JSON number: write it as a string")
            : default;
    }

    private static ReadOnlySpan<byte> Unescaped(ref Utf8JsonReader reader) =>
        reader.ValueIsEscaped ? Encoding.UTF8.GetBytes(reader.GetString()!) : reader.ValueSpan;

    private static Fault Wanted(string what) => new("", " must be " + what);

    private static DecodeError Bad(string detail) => new(DecodeFault.NotAMessage, detail);

    /// <summary>A message's fields by their names in UTF-8, both spellings.</summary>
    private sealed class JsonFields
    {
        private readonly JsonField[] fields;

        public JsonFields(MessageDescriptor type)
        {
            fields = [.. type.Fields.InDeclarationOrder().Select(f => new JsonField(f))];
            ArgumentOutOfRangeException.ThrowIfGreaterThan(fields.Length, 64, type.FullName);
        }

        public JsonField this[int index] => fields[index];

        /// <summary>The index of the field whose name the reader stands on, or -1.</summary>
        public int Find(ref Utf8JsonReader reader)
        {
            for (var i = 0; i < fields.Length; i++)
            {
                if (reader.ValueTextEquals(fields[i].ProtoName) || reader.ValueTextEquals(fields[i].JsonName))
                {
                    return i;
                }
            }

            return -1;
        }
    }

    private sealed class JsonField(FieldDescriptor field)
    {
        public string Name { get; } = field.Name;

        public byte[] ProtoName { get; } = Encoding.UTF8.GetBytes(field.Name);

        public byte[] JsonName { get; } = Encoding.UTF8.GetBytes(field.JsonName);

        public FieldType Type { get; } = field.FieldType;

        public bool IsList { get; } = field.IsRepeated;

        public bool IsChoice { get; } = field.RealContainingOneof is not null;

        public JsonFields? Children { get; } = field.FieldType == FieldType.Message ? new(field.MessageType) : null;
    }
}
