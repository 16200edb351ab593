using DeviceHub.Tools.ChannelSandbox.Faults;

namespace DeviceHub.Tools.ChannelSandbox.Shouqianba;

/// <summary>
/// The codes that Shouqianba's documents name. Those with status 400 and 500 are of the message (<c>result_code</c>), the others of the
/// business in it.
/// </summary>
internal static class ShouqianbaCodes
{
    private const int Business = 200;

    public static CodeTable Table { get; } = new(
    [
        new("INVALID_BARCODE", "条码错误", Effect.Refuse, Business),
        new("INSUFFICIENT_FUND", "账户金额不足", Effect.Refuse, Business),
        new("EXPIRED_BARCODE", "过期的支付条码", Effect.Refuse, Business),
        new("BUYER_OVER_DAILY_LIMIT", "付款人当日付款金额超过上限", Effect.Refuse, Business),
        new("BUYER_OVER_TRANSACTION_LIMIT", "付款人单笔付款金额超过上限", Effect.Refuse, Business),
        new("SELLER_OVER_DAILY_LIMIT", "收款账户当日收款金额超过上限", Effect.Refuse, Business),
        new("TRADE_NOT_EXIST", "交易不存在", Effect.Nothing, Business),
        new("TRADE_HAS_SUCCESS", "交易已被支付", Effect.Charge, Business),
        new("SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足", Effect.Refuse, Business),
        new("REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额无效", Effect.Nothing, Business),
        new("TRADE_FAILED", "交易失败", Effect.Refuse, Business),
        new("UNEXPECTED_PROVIDER_ERROR", "不认识的支付通道", Effect.Charge, Business),
        new("TRADE_TIMEOUT", "交易超时自动撤单", Effect.Refuse, Business),
        new("ACCOUNT_BALANCE_NOT_ENOUGH", "商户余额不足", Effect.Nothing, Business),
        new("CLIENT_SN_CONFLICT", "client_sn在系统中已存在", Effect.Nothing, Business),
        new("UPAY_ORDER_NOT_EXISTS", "订单不存在", Effect.Nothing, Business),
        new("REFUNDABLE_AMOUNT_NOT_ENOUGH", "订单可退金额不足", Effect.Nothing, Business),
        new("UPAY_TERMINAL_NOT_EXISTS", "终端号在交易系统中不存在", Effect.Nothing, Business),
        new("UPAY_TERMINAL_STATUS_ABNORMAL", "终端未激活", Effect.Nothing, Business),
        new("UPAY_CANCEL_ORDER_NOOP", "无效操作，订单已经是撤单状态了", Effect.Nothing, Business),
        new("UPAY_CANCEL_INVALID_ORDER_STATE", "当前订单状态不可撤销", Effect.Nothing, Business),
        new("UPAY_REFUND_ORDER_NOOP", "无效操作，本次退款已经完成了", Effect.Nothing, Business),
        new("UPAY_REFUND_INVALID_ORDER_STATE", "当前订单状态不可退款", Effect.Nothing, Business),
        new("UPAY_STORE_OVER_DAILY_LIMIT", "商户日收款额超过上限", Effect.Refuse, Business),
        new("UPAY_TCP_ORDER_NOT_REFUNDABLE", "订单参与了活动并且无法撤销", Effect.Nothing, Business),
        new("INVALID_PARAMS", "参数错误", Effect.Nothing, 400),
        new("INVALID_TERMINAL", "终端错误", Effect.Nothing, 400),
        new("ILLEGAL_SIGN", "签名错误", Effect.Nothing, 400),
        new("UNKNOWN_SYSTEM_ERROR", "系统错误", Effect.Charge, 500),
        new("MAINTENANCE_INPROGRESS", "服务端正在升级维护，稍候5分钟", Effect.Nothing, 500),
    ],
    [
        ("no-funds", "INSUFFICIENT_FUND"), ("code-expired", "EXPIRED_BARCODE"), ("no-permission", "UPAY_TERMINAL_STATUS_ABNORMAL"),
        ("system-error", "UNEXPECTED_PROVIDER_ERROR"), ("rate-limit", "MAINTENANCE_INPROGRESS"),
    ]);
}
