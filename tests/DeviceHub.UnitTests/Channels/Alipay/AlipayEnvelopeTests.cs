using System.Text;
using System.Text.Json;
using CsCheck;
using DeviceHub.Channels.Alipay;

namespace DeviceHub.UnitTests.Channels.Alipay;

public sealed class AlipayEnvelopeTests
{
    private const string Method = "alipay.trade.query";

    private static readonly Gen<string> Text = Gen.OneOf(
        Gen.Char["abc\"\\{}[]:,/ \n\t\u0001中é\ud83d\ude00"].Array[0, 12].Select(c => new string(c)),
        Constant("}", "{", "\\\"", "sign", "alipay_trade_query_response", "\"sign\":\"x\"", "error_response"));

    private static readonly Gen<string> Value = Gen.Recursive<string>((depth, inner) => depth > 3
        ? Text.Select(t => JsonSerializer.Serialize(t))
        : Gen.OneOf(
            Text.Select(t => JsonSerializer.Serialize(t)),
            Constant("1.50", "-3e+7", "true", "null", "\"\\u007d\\/\\\"\""),
            inner.Array[0, 3].Select(a => "[" + string.Join(" ,", a) + "]"),
            Members(inner)));

    private static readonly Gen<string> Space = Constant("", " ", "\r\n\t");

    [Fact]
    public void Whatever_stands_in_an_answer_its_bytes_are_cut_out_as_they_came() =>
        Gen.Select(Members(Value), Members(Value), Space, Gen.Bool, Gen.Bool).Sample((inner, other, space, signFirst, isError) =>
        {
            var name = isError ? "error_response" : "alipay_trade_query_response";
            var sign = $"\"sign\"{space}:{space}\"c2ln\"";
            var answer = $"\"{name}\"{space}:{space}{inner}";
            var more = $"\"alipay_cert_sn\":{other}";
            var body = Encoding.UTF8.GetBytes(space + "{" + space + (signFirst ? $"{sign},{more}{space},{answer}" : $"{answer}{space},{more},{sign}") + space + "}" + space);

            Assert.True(AlipayEnvelope.TryRead(body, Method, out var envelope));
            Assert.Equal(inner, Encoding.UTF8.GetString(envelope.Response.Span));
            Assert.Equal(("c2ln", isError), (envelope.Signature, envelope.IsError));
        });

    [Fact]
    public void Whatever_is_cut_off_or_changed_nothing_throws() =>
        Gen.Select(Members(Value), Gen.Int[0, 400], Gen.Int[0, 400], Gen.Byte).Sample((inner, cut, at, b) =>
        {
            var body = Encoding.UTF8.GetBytes($$"""{"alipay_trade_query_response":{{inner}},"sign":"c2ln"}""");
            var half = body[..Math.Min(cut, body.Length)];
            Assert.True(half.Length == body.Length || !AlipayEnvelope.TryRead(half, Method, out _));
            body[at % body.Length] = b;
            if (AlipayEnvelope.TryRead(body, Method, out var envelope))
            {
                _ = AlipayEnvelope.Fields(envelope.Response.Span);
            }
        });

    [Theory]
    [InlineData("""{"alipay_trade_query_response":{},"alipay_trade_query_response":{"code":"10000"},"sign":"x"}""")]
    [InlineData("""{"alipay_trade_query_response":{},"error_response":{},"sign":"x"}""")]
    [InlineData("""{"alipay_trade_query_response":{},"sign":"x","sign":"y"}""")]
    [InlineData("""{"alipay_trade_query_response":{},"sign":5}""")]
    [InlineData("""{"alipay_trade_query_response":[],"sign":"x"}""")]
    [InlineData("""{"sign":"x"}""")]
    [InlineData("""["alipay_trade_query_response",{}]""")]
    [InlineData("""{"x":{"alipay_trade_query_response":{},"sign":"x"}}""")]
    [InlineData("""{"alipay_trade_query_response":{}}x""")]
    [InlineData("""{"alipay_trade_query_response":{},}""")]
    [InlineData("")]
    public void What_has_not_exactly_one_answer_and_one_signature_is_refused(string body) =>
        Assert.False(AlipayEnvelope.TryRead(Encoding.UTF8.GetBytes(body), Method, out _));

    [Fact]
    public void Fields_are_the_texts_and_numbers_right_inside()
    {
        var fields = AlipayEnvelope.Fields("""{"a":"1\/2","n":88.880,"t":true,"z":null,"list":[{"a":"x"}],"o":{"a":"y"}}"""u8)!;
        Assert.Equal([("a", "1/2"), ("n", "88.880"), ("t", "true")], fields.Select(f => (f.Key, f.Value)));
    }

    private static Gen<string> Constant(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    private static Gen<string> Members(Gen<string> value) =>
        Gen.Select(Text, value).Array[0, 4].Select(m => "{" + string.Join(',', m.Select((p, i) => JsonSerializer.Serialize(p.Item1 + i) + ":" + p.Item2)) + "}");
}
