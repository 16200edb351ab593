using System.Text.Json;
using System.Text.Json.Serialization;

namespace DeviceHub.Channels.WeChatPay;

/// <summary>What version 3 answers and tells; a field that is not read is not here.</summary>
internal sealed record WeChatV3Order(
    string? Appid, string? Mchid, string? SpAppid, string? SpMchid, string? SubMchid, string? OutTradeNo, string? TransactionId, string? TradeState,
    WeChatV3Amount? Amount, WeChatV3Payer? Payer, string? Code, string? Message);

internal sealed record WeChatV3Amount(long? Total, long? PayerTotal, string? Currency, long? Refund);

internal sealed record WeChatV3Payer(string? Openid, string? SpOpenid);

/// <param name="Status">Of an answer.</param>
/// <param name="RefundStatus">Of a notice.</param>
internal sealed record WeChatV3Refund(
    string? Mchid, string? SpMchid, string? SubMchid, string? OutTradeNo, string? OutRefundNo, string? RefundId, string? Status, string? RefundStatus, WeChatV3Amount? Amount,
    string? Code, string? Message);

internal sealed record WeChatV3Bill(string? HashType, string? HashValue, string? DownloadUrl, string? Code, string? Message);

internal sealed record WeChatV3Notice(string? EventType, WeChatV3Resource? Resource);

internal sealed record WeChatV3Resource(string? Algorithm, string? Ciphertext, string? AssociatedData, string? Nonce);

/// <summary>Names as WeChat has them; a field twice is garbage, numbers are digits and not texts.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, AllowDuplicateProperties = false, MaxDepth = 16, NumberHandling = JsonNumberHandling.Strict)]
[JsonSerializable(typeof(WeChatV3Order))]
[JsonSerializable(typeof(WeChatV3Refund))]
[JsonSerializable(typeof(WeChatV3Bill))]
[JsonSerializable(typeof(WeChatV3Notice))]
internal sealed partial class WeChatV3Json : JsonSerializerContext
{
    /// <summary>Null: it is not that. An empty body is an object without fields.</summary>
    public static T? Read<T>(ReadOnlySpan<byte> body, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(body.IsEmpty ? "{}"u8 : body, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
