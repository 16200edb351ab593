using System.Buffers;
using System.Collections.Frozen;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace DeviceHub.Protocol;

/// <summary>
/// A message as people may see it, in pages and logs (I9). What may be shown is listed here, field by field; every other field, and one that is
/// added to the protocol and that nobody has judged, is masked. The generated types print themselves by it.
/// </summary>
public static class ShownMessage
{
    /// <summary>Characters of one message; the rest is cut off.</summary>
    public const int MaxLength = 4_000;

    private const string Mask = "****";

    /// <summary>By message, without the package. A field that is a message of its own is judged there.</summary>
    private static readonly FrozenDictionary<string, FrozenSet<string>> Shown = new Dictionary<string, string>
    {
        ["Hello"] = "protocol_version hardware_id boot_reason firmware max_message_bytes text_encoding text_columns capabilities open_request_ids model",
        ["Heartbeat"] = "uptime_s firmware configuration_version signal_dbm battery_percent power reset_reason reconnects modem place connect_times unsettled",
        ["ReconnectCause"] = "cause count",
        ["Modem"] = "imei iccid sim_slot bearer",
        ["Place"] = "cell ip gps",
        ["Place.Cell"] = "mcc mnc area cell_id",
        ["Place.Gps"] = "latitude_e7 longitude_e7 accuracy_m",
        ["ConnectTimes"] = "attach_ms dns_ms tls_ms login_ms",
        ["ConfigurationReport"] = "version hash result detail",
        ["PaymentRequest"] =
            "request_id amount_fen currency order_number age_ms time_to_live_ms wall_time_ms repeat_of repeat_confirmed charge_id",
        ["PaymentQuery"] = "request_id",
        ["PaymentCancel"] = "request_id",
        ["OutcomeShown"] = "request_id revision",
        ["Collecting"] = "charge_id",
        ["CollectEnded"] = "charge_id reason",
        ["Sealed"] = "sequence",
        ["Offer"] = "merchant_name store_name",
        ["Welcome"] =
            "hub_time_ms session_epoch request_epoch heartbeat_interval_s configuration_version configuration_hash unsettled max_amount_fen",
        ["Synced"] = "unsettled",
        ["ConfigurationChunk"] = "version index entries",
        ["ConfigurationEntry"] = "key flag number text",
        ["ConfigurationCommit"] = "version chunks hash",
        ["Accepted"] = "request_id state",
        ["InDoubt"] = "request_id amount_fen text",
        ["Outcome"] =
            "request_id result revision amount_fen paid_fen discount_fen wallet channel_transaction payer merchant_name order_number hub_time_ms "
            + "sent_time_ms age_ms late text speech reason paid_by",
        ["Text"] = "id arguments text",
        ["Speech"] = "clips text",
        ["Collect"] = "charge_id amount_fen order_number sent_time_ms time_to_live_ms",
        ["CollectCancel"] = "charge_id",
        ["Refusal"] = "code request_id text detail retry_after_ms other_request_id",
        ["Uplink"] =
            "hello proof activate heartbeat configuration_report payment_request payment_query payment_cancel outcome_shown sealed collecting collect_ended",
        ["Downlink"] =
            "challenge offer welcome synced configuration_chunk configuration_commit accepted in_doubt outcome refusal sealed collect collect_cancel",
    }.ToFrozenDictionary(m => m.Key, m => m.Value.Split(' ').ToFrozenSet(StringComparer.Ordinal), StringComparer.Ordinal);

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    static ShownMessage() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    /// <summary>Whether this field's value is shown as it is.</summary>
    public static bool Shows(FieldDescriptor field) =>
        Shown.TryGetValue(NameOf(field.ContainingType), out var fields) && fields.Contains(field.Name);

    /// <summary>An uplink's or downlink's body and its name on the wire.</summary>
    public static (string Kind, IMessage Body) BodyOf(IMessage message)
    {
        var field = message.Descriptor.Oneofs[0].Accessor.GetCaseFieldDescriptor(message);
        return field is null ? ("none", message) : (field.Name, (IMessage)field.Accessor.GetValue(message));
    }

    /// <summary>One line of JSON in the wire's field names, for people: texts in readable characters, hashes in hex, and masks.</summary>
    public static string Write(IMessage message)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            Write(message, json);
        }

        var text = Encoding.UTF8.GetString(buffer.WrittenSpan);
        return text.Length <= MaxLength ? text : text[..(MaxLength - 1)] + "…";
    }

    private static string NameOf(MessageDescriptor type) =>
        type.ContainingType is { } outer ? NameOf(outer) + "." + type.Name : type.Name;

    private static void Write(IMessage message, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            if (!IsSet(field, message))
            {
                continue;
            }

            json.WritePropertyName(field.Name);
            var value = field.Accessor.GetValue(message);
            if (!Shows(field))
            {
                json.WriteStringValue(Masked(field, value));
            }
            else if (field.IsRepeated)
            {
                json.WriteStartArray();
                foreach (var item in (System.Collections.IEnumerable)value)
                {
                    Write(field, item, json);
                }

                json.WriteEndArray();
            }
            else
            {
                Write(field, value, json);
            }
        }

        json.WriteEndObject();
    }

    private static bool IsSet(FieldDescriptor field, IMessage message)
    {
        if (field.RealContainingOneof is { } choice)
        {
            return choice.Accessor.GetCaseFieldDescriptor(message) == field;
        }

        return field.Accessor.GetValue(message) switch
        {
            null or "" or false or 0 or 0U or 0L or 0UL => false,
            ByteString bytes => bytes.Length > 0,
            System.Collections.ICollection items => items.Count > 0,
            Enum value => Convert.ToInt32(value, null) != 0,
            _ => true,
        };
    }

    private static void Write(FieldDescriptor field, object value, Utf8JsonWriter json)
    {
        switch (value)
        {
            case IMessage message:
                Write(message, json);
                break;
            case bool flag:
                json.WriteBooleanValue(flag);
                break;
            case string text:
                json.WriteStringValue(text);
                break;
            case ByteString bytes:
                json.WriteStringValue(field.Name == "text" ? Readable(bytes.Span) : Convert.ToHexStringLower(bytes.Span));
                break;
            case Enum:
                var number = Convert.ToInt32(value, null);
                json.WriteStringValue(field.EnumType.FindValueByNumber(number)?.Name ?? number.ToString(System.Globalization.CultureInfo.InvariantCulture));
                break;
            case int or uint or long:
                json.WriteNumberValue(Convert.ToInt64(value, null));
                break;
            case ulong large:
                json.WriteNumberValue(large);
                break;
            default:
                throw new NotSupportedException($"{field.FullName} is of a kind that no message had");
        }
    }

    /// <summary>Of a payment code the last four digits, as everywhere; of all else only that it was there.</summary>
    private static string Masked(FieldDescriptor field, object value) => value switch
    {
        string { Length: >= 8 } code when field.Name == "payment_code" => Mask + code[^4..],
        ByteString bytes => $"{Mask} {bytes.Length} bytes",
        _ => Mask,
    };

    /// <summary>Texts go out in the encoding that the terminal asked for: what is not UTF-8 is one of China's.</summary>
    private static string Readable(ReadOnlySpan<byte> bytes) => System.Text.Unicode.Utf8.IsValid(bytes)
        ? Encoding.UTF8.GetString(bytes)
        : Encoding.GetEncoding("GB18030").GetString(bytes);
}
