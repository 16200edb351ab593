using System.Globalization;
using DeviceHub.Tools.ChannelSandbox.Bank;

namespace DeviceHub.Tools.ChannelSandbox.WeChat;

/// <summary>What a v2 answer says of an order.</summary>
internal static class WeChatV2Replies
{
    public static void Paid(V2Exchange exchange, Order order)
    {
        exchange.Accept();
        Money(exchange.Answer, order);
    }

    public static void State(V2Exchange exchange, Order order)
    {
        exchange.Accept();
        var answer = exchange.Answer;
        var (state, says) = order.State switch
        {
            OrderState.Created => ("NOTPAY", "订单未支付"),
            OrderState.Waiting => ("USERPAYING", "需要用户输入支付密码"),
            OrderState.Paid when order.RefundedFen > 0 => ("REFUND", "订单发生过退款，退款详情请查询退款单"),
            OrderState.Paid => ("SUCCESS", "支付成功"),
            OrderState.Refused => ("PAYERROR", "支付失败，请撤销订单重新发起支付"),
            OrderState.Closed => ("CLOSED", "订单已关闭"),
            _ => ("REVOKED", "订单已撤销"),
        };
        answer.Add("trade_state"u8, state);
        answer.Add("trade_state_desc"u8, says);
        if (order.WasCharged)
        {
            Money(answer, order);
        }
        else
        {
            answer.Add("out_trade_no"u8, order.Key.Number);
            answer.Add("total_fee"u8, order.Fen);
            answer.Add("trade_type"u8, "MICROPAY"u8);
            answer.Add("device_info"u8, order.Device);
        }
    }

    /// <param name="moreFen">Added to the truth.</param>
    public static void Money(FieldSet answer, Order order, int moreFen = 0)
    {
        answer.Add("openid"u8, WeChatBook.OpenId(order));
        answer.Add("is_subscribe"u8, "N"u8);
        answer.Add("trade_type"u8, "MICROPAY"u8);
        answer.Add("bank_type"u8, "OTHERS"u8);
        answer.Add("fee_type"u8, "CNY"u8);
        answer.Add("total_fee"u8, order.Fen + moreFen);
        answer.Add("cash_fee"u8, order.Fen + moreFen);
        answer.Add("cash_fee_type"u8, "CNY"u8);
        answer.Add("transaction_id"u8, WeChatBook.TransactionId(order));
        answer.Add("out_trade_no"u8, order.Key.Number);
        answer.Add("attach"u8, order.Attach);
        answer.Add("device_info"u8, order.Device);
        answer.Add("time_end"u8, Time(order.ChargedAt));
    }

    /// <summary>In China.</summary>
    private static string Time(long ms) => ChannelClock.Local(ms).ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture);
}
