using System.Globalization;
using System.Text.Json;
using DeviceHub.Tools.ChannelSandbox.Bank;

namespace DeviceHub.Tools.ChannelSandbox.WeChat;

/// <summary>What v3 says of orders and refunds, and how its bodies are read.</summary>
internal static class V3Json
{
    /// <summary>Null: not there, empty, or no text.</summary>
    public static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;

    public static JsonElement? Object(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? value : null;

    /// <summary>A whole number in an object of the body; -1: it is none.</summary>
    public static long Number(JsonElement json, string inner, string name) =>
        Object(json, inner) is { } found && found.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : -1;

    public static string Time(long ms) => ChannelClock.Local(ms).ToString("yyyy-MM-ddTHH:mm:sszzz", CultureInfo.InvariantCulture);

    public static (string State, string Says) StateOf(Order order) => order.State switch
    {
        OrderState.Created => ("NOTPAY", "订单未支付"),
        OrderState.Waiting => ("USERPAYING", "用户支付中"),
        OrderState.Paid when order.RefundedFen > 0 => ("REFUND", "转入退款"),
        OrderState.Paid => ("SUCCESS", "支付成功"),
        OrderState.Refused => ("PAYERROR", "支付失败"),
        OrderState.Closed => ("CLOSED", "订单已关闭"),
        _ => ("REVOKED", "订单已撤销"),
    };

    public static void WriteOrder(V3Exchange exchange, Order order)
    {
        var json = exchange.Begin();
        json.WriteStartObject();
        exchange.WriteOwners(json, order);
        WriteOrder(json, order, exchange.IsPartner, order.Fen);
        json.WriteEndObject();
        json.Flush();
    }

    /// <summary>What follows the owners.</summary>
    public static void WriteOrder(Utf8JsonWriter json, Order order, bool partner, long fen)
    {
        var (state, says) = StateOf(order);
        json.WriteString("out_trade_no"u8, order.Key.Number);
        json.WriteString("trade_type"u8, "MICROPAY"u8);
        json.WriteString("trade_state"u8, state);
        json.WriteString("trade_state_desc"u8, says);
        if (order.WasCharged)
        {
            json.WriteString("transaction_id"u8, WeChatBook.TransactionId(order));
            json.WriteString("bank_type"u8, "OTHERS"u8);
            json.WriteString("success_time"u8, Time(order.ChargedAt));
            if (order.Attach is not null)
            {
                json.WriteString("attach"u8, order.Attach);
            }

            json.WriteStartObject("payer"u8);
            json.WriteString(partner ? "sp_openid"u8 : "openid"u8, WeChatBook.OpenId(order));
            json.WriteEndObject();
        }

        json.WriteStartObject("amount"u8);
        json.WriteNumber("total"u8, fen);
        if (order.WasCharged)
        {
            json.WriteNumber("payer_total"u8, fen);
            json.WriteString("payer_currency"u8, "CNY"u8);
        }

        json.WriteString("currency"u8, "CNY"u8);
        json.WriteEndObject();
    }

    public static void WriteReversal(V3Exchange exchange, string number)
    {
        var json = exchange.Begin();
        json.WriteStartObject();
        json.WriteString(exchange.IsPartner ? "sp_mchid"u8 : "mchid"u8, exchange.Merchant!.MchId);
        if (exchange.IsPartner)
        {
            json.WriteString("sub_mchid"u8, exchange.SubMerchant);
        }

        json.WriteString("out_trade_no"u8, number);
        json.WriteEndObject();
        json.Flush();
    }

    public static string StatusOf(Refund refund) => refund.State switch { RefundState.Done => "SUCCESS", RefundState.Failed => "CLOSED", _ => "PROCESSING" };

    public static void WriteRefund(V3Exchange exchange, Order order, Refund refund)
    {
        var json = exchange.Begin();
        json.WriteStartObject();
        json.WriteString("refund_id"u8, WeChatBook.RefundId(refund));
        json.WriteString("out_refund_no"u8, refund.Number);
        json.WriteString("transaction_id"u8, WeChatBook.TransactionId(order));
        json.WriteString("out_trade_no"u8, order.Key.Number);
        json.WriteString("channel"u8, "ORIGINAL"u8);
        json.WriteString("user_received_account"u8, "支付用户零钱"u8);
        json.WriteString("create_time"u8, Time(refund.At));
        if (refund.State == RefundState.Done)
        {
            json.WriteString("success_time"u8, Time(refund.EndedAt));
        }

        json.WriteString("status"u8, StatusOf(refund));
        json.WriteString("funds_account"u8, "AVAILABLE"u8);
        json.WriteStartObject("amount"u8);
        json.WriteNumber("total"u8, order.Fen);
        json.WriteNumber("refund"u8, refund.Fen);
        json.WriteNumber("payer_total"u8, order.Fen);
        json.WriteNumber("payer_refund"u8, refund.Fen);
        json.WriteNumber("settlement_refund"u8, refund.Fen);
        json.WriteNumber("settlement_total"u8, order.Fen);
        json.WriteNumber("discount_refund"u8, 0);
        json.WriteString("currency"u8, "CNY"u8);
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
    }
}
