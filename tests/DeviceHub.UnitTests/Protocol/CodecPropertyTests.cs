using CsCheck;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace DeviceHub.UnitTests.Protocol;

/// <summary>Any message and any bytes. A failure prints the seed that repeats it.</summary>
public sealed class CodecPropertyTests
{
    private const int Tries = 1000;

    private static readonly Gen<string> Words = Gen.OneOf(
        Gen.String[Gen.Char["ABCXYZabcxyz0189_-"], 0, 40],
        Gen.String[Gen.Char["aZ \"\\/<>{}[]:,'\n\t\u0001\u007f\u00a0é付款码\u2028"], 0, 12],
        OneOf("😀", "a\\\"b c", "\\", "\\\\", "\" ", "CNY", "12345678", "AAECAwQFBgcI-1"));

    private static readonly Gen<ulong> Numbers = Gen.OneOf(Gen.ULong, Gen.ULong[0, 200_000], OneOf(0UL, 1UL, 1UL << 53, ulong.MaxValue));

    private static readonly Gen<byte[]> Blobs = Gen.OneOf(Gen.Byte.Array[0, 40], Gen.Byte.Array[16], Gen.Byte.Array[32], Gen.Byte.Array[8]);

    [Fact]
    public void Any_uplink_is_read_the_same_in_both_encodings() => Message(Uplink.Descriptor).Sample(message =>
    {
        var binary = MessageCodec.TryDecode(MessageCodec.Encode(message, WireEncoding.Protobuf), out Uplink? first, out var form);
        var text = MessageCodec.TryDecode(MessageCodec.Encode(message, WireEncoding.Json), out Uplink? second, out var other);
        return binary == text && message.Equals(first) && message.Equals(second) && form == WireEncoding.Protobuf && other == WireEncoding.Json;
    }, iter: Tries);

    [Fact]
    public void Any_downlink_is_read_the_same_in_both_encodings() => Message(Downlink.Descriptor).Sample(message =>
    {
        var binary = MessageCodec.TryDecode(MessageCodec.Encode(message, WireEncoding.Protobuf), out Downlink? first, out _);
        var text = MessageCodec.TryDecode(MessageCodec.Encode(message, WireEncoding.Json), out Downlink? second, out _);
        return binary == text && message.Equals(first) && message.Equals(second);
    }, iter: Tries);

    [Fact]
    public void Json_is_one_line_of_ascii_without_a_space_outside_of_strings() => Message(Uplink.Descriptor).Sample(message =>
    {
        var json = MessageCodec.Encode(message, WireEncoding.Json);
        var inString = false;
        for (var i = 0; i < json.Length; i++)
        {
            if (json[i] is < 0x20 or > 0x7E || (json[i] == ' ' && !inString))
            {
                return false;
            }

            if (json[i] == '\\')
            {
                // It takes the next byte with it.
                i++;
            }
            else
            {
                inString ^= json[i] == '"';
            }
        }

        return !inString;
    }, iter: Tries);

    [Fact]
    public void Any_bytes_are_answered_and_never_thrown_at() => Gen.Byte.Array[0, 300].Sample(Survives, iter: Tries);

    [Fact]
    public void Any_damage_to_a_message_is_answered_and_never_thrown_at() =>
        Gen.Select(Message(Uplink.Descriptor), Gen.Bool, Gen.Int[0, 4000], Gen.Byte, Gen.Int[0, 4000]).Sample((message, json, at, value, cut) =>
        {
            var bytes = MessageCodec.Encode(message, json ? WireEncoding.Json : WireEncoding.Protobuf);
            if (bytes.Length > 0)
            {
                bytes[at % bytes.Length] = value;
            }

            return Survives(bytes) && Survives(bytes[..(cut % (bytes.Length + 1))]);
        }, iter: Tries);

    [Fact]
    public void Unknown_fields_are_ignored_in_both_encodings_at_every_depth_that_is_allowed()
    {
        var deep = string.Concat(Enumerable.Repeat("{\"x\":[", 7)) + "null" + string.Concat(Enumerable.Repeat("]}", 7));
        var json = "{\"payment_query\":{\"y\":" + deep + ",\"request_id\":\"AAAAAAAA\"},\"z\":[1,{\"a\":\"b\"}]}";
        Assert.Equal("", MessageCodec.TryDecode(System.Text.Encoding.UTF8.GetBytes(json), out Uplink? fromJson, out _).Detail);
        var binary = Convert.FromHexString("3a100a084141414141414141f806019a0700d20200");
        Assert.Equal("", MessageCodec.TryDecode(binary, out Uplink? fromBinary, out _).Detail);
        Assert.Equal(fromJson, fromBinary);
    }

    [Theory]
    [InlineData("1250"), InlineData("\"1250\"")]
    public void Integers_of_64_bits_are_read_as_numbers_and_as_strings(string amount)
    {
        var json = "{\"payment_request\":{\"request_id\":\"AAECAwQFBgcI-1\",\"amountFen\":" + amount + ",\"payment_code\":\"130000000000001250\",\"timeToLiveMs\":30000}}";
        Assert.True(MessageCodec.TryDecode(System.Text.Encoding.UTF8.GetBytes(json), out Uplink? message, out _).Ok);
        Assert.Equal(1250UL, message!.PaymentRequest.AmountFen);
    }

    private static bool Survives(byte[] bytes)
    {
        var up = MessageCodec.TryDecode(bytes, out Uplink? _, out _);
        var down = MessageCodec.TryDecode(bytes, out Downlink? _, out _);
        return Reads(up) && Reads(down);

        static bool Reads(DecodeError error) => error.Detail.Length <= 250 && error.Detail.All(c => c is >= ' ' and <= '~') && error.Ok == (error.Detail.Length == 0);
    }

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static Gen<IMessage> Message(MessageDescriptor type)
    {
        var choice = type.Oneofs.FirstOrDefault(o => !o.IsSynthetic);
        var plain = type.Fields.InDeclarationOrder().Where(f => f.ContainingOneof is null).Select(Setter).ToArray();
        var choices = choice?.Fields.Select(Setter).ToArray();
        return Gen.Select(Gen.Int[0, int.MaxValue], Gen.Int[0, 255], (seed, pick) => (seed, pick)).SelectMany(s =>
        {
            var chosen = choices is null ? plain : [.. plain, choices[s.pick % choices.Length]];
            return chosen.Aggregate(Gen.Const(() => type.Parser.ParseFrom([])), (message, set) => message.SelectMany(m => set(m)));
        });
    }

    private static Func<IMessage, Gen<IMessage>> Setter(FieldDescriptor field)
    {
        var values = field.FieldType == FieldType.Message ? null : Scalar(field);
        return message => field switch
        {
            { IsRepeated: true } => Values().Array[0, 3].Select(items =>
            {
                var list = (System.Collections.IList)field.Accessor.GetValue(message);
                foreach (var item in items)
                {
                    list.Add(item);
                }

                return message;
            }),
            { ContainingOneof: not null } => Values().Select(v => With(message, v)),
            _ => Gen.Select(Gen.Bool, Values()).Select((given, v) => given ? With(message, v) : message),
        };

        Gen<object> Values() => values ?? Message(field.MessageType).Select(m => (object)m);

        IMessage With(IMessage message, object value)
        {
            field.Accessor.SetValue(message, value);
            return message;
        }
    }

    private static Gen<object> Scalar(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.String => Words.Select(w => (object)w),
        FieldType.Bytes => Blobs.Select(b => (object)ByteString.CopyFrom(b)),
        FieldType.Bool => Gen.Bool.Select(b => (object)b),
        FieldType.UInt32 => Gen.OneOf(Gen.UInt, Gen.UInt[0, 300]).Select(n => (object)n),
        FieldType.UInt64 => Numbers.Select(n => (object)n),
        FieldType.SInt32 => Gen.Int.Select(n => (object)n),
        FieldType.SInt64 => Gen.Long.Select(n => (object)n),
        FieldType.Enum => Gen.Int[0, field.EnumType.Values.Count - 1].Select(n => Enum.ToObject(field.EnumType.ClrType, n)),
        _ => throw new NotSupportedException(field.FullName),
    };
}
