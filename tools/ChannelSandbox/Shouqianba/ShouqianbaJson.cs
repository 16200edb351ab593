using System.Globalization;
using System.Text.Json;
using DeviceHub.Tools.ChannelSandbox.Bank;

namespace DeviceHub.Tools.ChannelSandbox.Shouqianba;

/// <summary>What Shouqianba says of an order.</summary>
internal static class ShouqianbaJson
{
    /// <summary>16 digits.</summary>
    public static string Sn(Order order) => string.Create(CultureInfo.InvariantCulture, $"7894{order.Sequence:d12}");

    public static string StatusOf(Order order) => order.State switch
    {
        OrderState.Created or OrderState.Waiting => "CREATED",
        OrderState.Paid when order.RefundedFen == 0 => "PAID",
        OrderState.Paid => order.NetFen == 0 ? "REFUNDED" : "PARTIAL_REFUNDED",
        OrderState.Revoked => "CANCELED",
        _ => "PAY_CANCELED",
    };

    /// <param name="biz">The business result that it is said with: an error leaves the order's state open.</param>
    public static void WriteOrder(Utf8JsonWriter json, Order order, string biz)
    {
        var open = biz is "PAY_FAIL_ERROR" or "CANCEL_ERROR" or "REFUND_ERROR";
        json.WriteStartObject("data"u8);
        WriteFields(json, order, open ? biz.Replace("_FAIL", "", StringComparison.Ordinal) : StatusOf(order), open, order.Fen);
        json.WriteEndObject();
    }

    public static void WriteFields(Utf8JsonWriter json, Order order, string status, bool open, long fen)
    {
        var net = order.WasCharged ? order.NetFen + fen - order.Fen : fen;
        json.WriteString("sn"u8, Sn(order));
        json.WriteString("client_sn"u8, order.Key.Number);
        json.WriteString("terminal_sn"u8, order.Device);
        json.WriteString("ctime"u8, Number(order.CreatedAt));
        json.WriteString("status"u8, open ? "FAIL_ERROR" : order.State switch { OrderState.Created or OrderState.Waiting => "IN_PROG", OrderState.Paid or OrderState.Revoked => "SUCCESS", _ => "FAIL_CANCELED" });
        json.WriteString("order_status"u8, status);
        json.WriteString("payway"u8, order.Application);
        json.WriteString("sub_payway"u8, "1"u8);
        json.WriteString("total_amount"u8, Number(fen));
        json.WriteString("net_amount"u8, Number(net));
        json.WriteString("subject"u8, order.Subject);
        if (order.Attach is not null)
        {
            json.WriteString("reflect"u8, order.Attach);
        }

        if (order.WasCharged && !open)
        {
            json.WriteString("trade_no"u8, string.Create(CultureInfo.InvariantCulture, $"4003262001{ChannelClock.Local(order.ChargedAt):yyyyMMdd}{order.Sequence:d10}"));
            json.WriteString("payer_uid"u8, string.Create(CultureInfo.InvariantCulture, $"o{(ulong)order.Code:x16}"));
            json.WriteString("finish_time"u8, Number(order.ChargedAt));
            json.WriteString("channel_finish_time"u8, Number(order.ChargedAt));
        }
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
