using System.Text.Json;

namespace DeviceHub.Channels.Alipay;

/// <summary>
/// What is around an answer of Alipay: <c>{"alipay_trade_pay_response":{...},"sign":"..."}</c>. The signature is over the bytes of the inner
/// object exactly as they were received, so they are cut out and never written again.
/// </summary>
/// <param name="Response">From the brace that opens it to the one that closes it.</param>
/// <param name="IsError">It came as <c>error_response</c>: of the gateway, not of the method.</param>
/// <param name="Signature">Null: the answer is not signed, as the gateway does when it does not know the application.</param>
internal readonly record struct AlipayEnvelope(ReadOnlyMemory<byte> Response, bool IsError, string? Signature)
{
    /// <summary>Depth of objects and lists within the whole answer.</summary>
    private const int MaxDepth = 16;

    /// <summary>
    /// False for whatever is not one JSON object with exactly one answer, to the method or of the gateway, and at most one signature: of two,
    /// one could be the signed one and the other the one that is read.
    /// </summary>
    public static bool TryRead(ReadOnlyMemory<byte> body, string method, out AlipayEnvelope envelope)
    {
        envelope = default;
        ReadOnlyMemory<byte>? response = null;
        var isError = false;
        string? signature = null;
        var name = method.Replace('.', '_') + "_response";
        var reader = new Utf8JsonReader(body.Span, new JsonReaderOptions { MaxDepth = MaxDepth });
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isAnswer = reader.ValueTextEquals(name);
                var isFault = reader.ValueTextEquals("error_response"u8);
                var isSignature = reader.ValueTextEquals("sign"u8);
                reader.Read();
                if (isAnswer || isFault)
                {
                    if (response is not null || reader.TokenType != JsonTokenType.StartObject)
                    {
                        return false;
                    }

                    var start = (int)reader.TokenStartIndex;
                    reader.Skip();
                    response = body[start..(int)reader.BytesConsumed];
                    isError = isFault;
                }
                else if (isSignature)
                {
                    if (signature is not null || reader.TokenType != JsonTokenType.String)
                    {
                        return false;
                    }

                    signature = reader.GetString();
                }
                else
                {
                    reader.Skip();
                }
            }

            // What follows the object makes the reader throw.
            reader.Read();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }

        if (response is not { } found)
        {
            return false;
        }

        envelope = new AlipayEnvelope(found, isError, signature);
        return true;
    }

    /// <summary>The texts, numbers and truths right inside an object, numbers as they are written; null when it is none, or has a name twice.</summary>
    public static Dictionary<string, string>? Fields(ReadOnlySpan<byte> json)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return null;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString()!;
                reader.Read();
                var value = reader.TokenType switch
                {
                    JsonTokenType.String => reader.GetString()!,
                    JsonTokenType.Number => System.Text.Encoding.ASCII.GetString(reader.ValueSpan),
                    JsonTokenType.True => "true",
                    JsonTokenType.False => "false",
                    _ => null,
                };
                if (value is null)
                {
                    reader.Skip();
                }
                else if (!fields.TryAdd(name, value))
                {
                    return null;
                }
            }

            return fields;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
