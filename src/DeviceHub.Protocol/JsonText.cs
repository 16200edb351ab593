using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using Google.Protobuf.Reflection;

namespace DeviceHub.Protocol;

/// <summary>
/// What the protobuf library's JSON parser lets pass or reports with the value in its text: checked before it sees the payload, so
/// that an error names the field and never what was in it.
/// </summary>
internal static class JsonText
{
    /// <summary>Of objects and lists, unknown fields included.</summary>
    private const int MaxDepth = 16;

    private static readonly JsonReaderOptions Options = new() { MaxDepth = MaxDepth };
    private static readonly UTF8Encoding StrictUtf8 = new(false, true);

    public static DecodeError Check(ReadOnlySpan<byte> json, MessageDescriptor type)
    {
        var depth = 0;
        try
        {
            _ = StrictUtf8.GetCharCount(json);
            var reader = new Utf8JsonReader(json, Options);
            reader.Read();
            var error = CheckObject(ref reader, type, "", ref depth);
            if (error.Ok && reader.Read())
            {
                return Bad("something follows the JSON object");
            }

            return error;
        }
        catch (JsonException e)
        {
            var deep = depth >= MaxDepth;
            return Bad(
                deep ? $"JSON deeper than {MaxDepth}" : $"not JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine}");
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

    private static DecodeError CheckObject(ref Utf8JsonReader reader, MessageDescriptor? type, string path, ref int depth)
    {
        depth++;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.GetString()!;
            var field = type is null ? null : Find(type, name);
            var where = path.Length == 0 ? field?.Name ?? "an unknown field" : $"{path}.{field?.Name ?? "an unknown field"}";
            if (!seen.Add(field?.Name ?? name))
            {
                return Bad(where + " is given twice");
            }

            reader.Read();
            var error = reader.TokenType == JsonTokenType.StartArray && field is null or { IsRepeated: true }
                ? CheckArray(ref reader, field, where, ref depth)
                : CheckValue(ref reader, field, where, ref depth);
            if (!error.Ok)
            {
                return error;
            }
        }

        depth--;
        return DecodeError.None;
    }

    private static DecodeError CheckArray(ref Utf8JsonReader reader, FieldDescriptor? field, string path, ref int depth)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return DecodeError.None;
        }

        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return field is null ? CheckValue(ref reader, null, path, ref depth) : WrongType(path, "a list");
        }

        depth++;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var error = field is null && reader.TokenType == JsonTokenType.StartArray
                ? CheckArray(ref reader, null, path, ref depth)
                : field is not null && reader.TokenType == JsonTokenType.Null
                    ? WrongType(path, "a list without null")
                    : CheckValue(ref reader, field, path, ref depth);
            if (!error.Ok)
            {
                return error;
            }
        }

        depth--;
        return DecodeError.None;
    }

    private static DecodeError CheckValue(ref Utf8JsonReader reader, FieldDescriptor? field, string path, ref int depth)
    {
        if (reader.TokenType == JsonTokenType.String && reader.GetString()!.Contains('\0', StringComparison.Ordinal))
        {
            return Bad(path + " holds U+0000");
        }

        if (reader.TokenType == JsonTokenType.StartObject && field is null or { FieldType: FieldType.Message })
        {
            return CheckObject(ref reader, field?.MessageType, path, ref depth);
        }

        if (field is null || reader.TokenType == JsonTokenType.Null)
        {
            return DecodeError.None;
        }

        return field.FieldType switch
        {
            FieldType.Message => WrongType(path, "an object"),
            FieldType.Bool => reader.TokenType is JsonTokenType.True or JsonTokenType.False ? DecodeError.None : WrongType(path, "true or false"),
            FieldType.String => reader.TokenType == JsonTokenType.String ? DecodeError.None : WrongType(path, "a string"),
            FieldType.Bytes => CheckBytes(ref reader, path),
            FieldType.Enum => CheckEnum(ref reader, path),
            _ => CheckInteger(ref reader, field.FieldType, path),
        };
    }

    private static DecodeError CheckBytes(ref Utf8JsonReader reader, string path)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            return WrongType(path, "a base64 string");
        }

        // The mapping allows base64url too; both with or without padding is what the parser takes.
        var text = reader.GetString()!.Replace('-', '+').Replace('_', '/').TrimEnd('=');
        text = text.PadRight((text.Length + 3) / 4 * 4, '=');
        return Convert.TryFromBase64String(text, new byte[text.Length], out _) ? DecodeError.None : WrongType(path, "base64");
    }

    private static DecodeError CheckEnum(ref Utf8JsonReader reader, string path) =>
        reader.TokenType == JsonTokenType.String
            || (reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out _))
                ? DecodeError.None
                : WrongType(path, "a name of its enum");

    private static DecodeError CheckInteger(ref Utf8JsonReader reader, FieldType type, string path)
    {
        if (reader.TokenType is not (JsonTokenType.Number or JsonTokenType.String))
        {
            return WrongType(path, "an integer");
        }

        var text = reader.TokenType == JsonTokenType.String ? reader.GetString()! : Encoding.ASCII.GetString(reader.ValueSpan);
        if (!IsInteger(text))
        {
            return WrongType(path, "an integer in plain digits");
        }

        (BigInteger low, BigInteger high) = type switch
        {
            FieldType.UInt32 => (BigInteger.Zero, (BigInteger)uint.MaxValue),
            FieldType.UInt64 => (BigInteger.Zero, ulong.MaxValue),
            FieldType.SInt32 => (int.MinValue, int.MaxValue),
            _ => (long.MinValue, long.MaxValue),
        };
        var value = text.Length > 24 ? high + 1 : BigInteger.Parse(text, CultureInfo.InvariantCulture);
        if (value < 0 && low.IsZero)
        {
            return WrongType(path, "an integer that is not negative");
        }

        return value < low || value > high ? Bad(path + " is too large a number") : DecodeError.None;
    }

    private static bool IsInteger(string text)
    {
        var digits = text.AsSpan(text.StartsWith('-') ? 1 : 0);
        return digits.Length > 0 && !digits.ContainsAnyExceptInRange('0', '9') && (digits[0] != '0' || digits.Length == 1);
    }

    private static FieldDescriptor? Find(MessageDescriptor type, string name)
    {
        foreach (var field in type.Fields.InDeclarationOrder())
        {
            if (field.Name == name || field.JsonName == name)
            {
                return field;
            }
        }

        return null;
    }

    private static DecodeError WrongType(string path, string wanted) =>
        Bad($"{path} must be {wanted}");

    private static DecodeError Bad(string detail) => new(DecodeFault.NotAMessage, detail);
}
