using DeviceHub.Tools.ChannelSandbox.Faults;

namespace DeviceHub.Tools.ChannelSandbox.Alipay;

/// <summary>The codes that Alipay's documents name; a code's status is the gateway's own <c>code</c>, of which it is the <c>sub_code</c>.</summary>
internal static class AlipayCodes
{
    private const int Failed = 40004;

    public static CodeTable Table { get; } = new(
    [
        new("ACQ.SYSTEM_ERROR", "接口返回错误", Effect.Charge, Failed),
        new("aop.ACQ.SYSTEM_ERROR", "系统繁忙", Effect.Charge, 20000),
        new("isp.unknow-error", "服务暂不可用", Effect.Charge, 20000),
        new("ACQ.TRADE_HAS_SUCCESS", "交易已被支付", Effect.Charge, Failed),
        new("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改", Effect.Nothing, Failed),
        new("ACQ.TRADE_STATUS_ERROR", "交易状态不合法", Effect.Nothing, Failed),
        new("ACQ.TRADE_BUYER_NOT_MATCH", "交易买家不匹配", Effect.Nothing, Failed),
        new("ACQ.TRADE_HAS_CLOSE", "交易已经关闭", Effect.Close, Failed),
        new("ACQ.BUYER_BALANCE_NOT_ENOUGH", "买家余额不足", Effect.Refuse, Failed),
        new("ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH", "用户银行卡余额不足", Effect.Refuse, Failed),
        new("ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR", "买家付款日限额超限", Effect.Refuse, Failed),
        new("ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR", "买家付款月额度超限", Effect.Refuse, Failed),
        new("ACQ.ERROR_BALANCE_PAYMENT_DISABLE", "余额支付功能关闭", Effect.Refuse, Failed),
        new("ACQ.BUYER_ENABLE_STATUS_FORBID", "买家状态非法", Effect.Refuse, Failed),
        new("ACQ.NOT_CERTIFIED_USER", "买家未通过人行认证", Effect.Refuse, Failed),
        new("ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE", "没用可用的支付工具", Effect.Refuse, Failed),
        new("ACQ.PAYMENT_REQUEST_HAS_RISK", "支付有风险", Effect.Refuse, Failed),
        new("ACQ.MOBILE_PAYMENT_SWITCH_OFF", "用户关闭了无线支付开关", Effect.Refuse, Failed),
        new("ACQ.USER_FACE_PAYMENT_SWITCH_OFF", "用户当面付付款开关关闭", Effect.Refuse, Failed),
        new("ACQ.BUYER_SELLER_EQUAL", "买卖家不能相同", Effect.Refuse, Failed),
        new("ACQ.PAYMENT_AUTH_CODE_INVALID", "支付授权码无效", Effect.Nothing, Failed),
        new("ACQ.PULL_MOBILE_CASHIER_FAIL", "唤起移动收银台失败", Effect.Refuse, Failed),
        new("ACQ.PAYMENT_FAIL", "支付失败", Effect.Refuse, Failed),
        new("ACQ.INVALID_PARAMETER", "参数无效", Effect.Nothing, Failed),
        new("ACQ.ACCESS_FORBIDDEN", "无权限使用接口", Effect.Nothing, Failed),
        new("ACQ.PARTNER_ERROR", "应用APP_ID填写错误", Effect.Nothing, Failed),
        new("ACQ.INVALID_STORE_ID", "商户门店编号无效", Effect.Nothing, Failed),
        new("ACQ.EXIST_FORBIDDEN_WORD", "订单信息中包含违禁词", Effect.Nothing, Failed),
        new("ACQ.TOTAL_FEE_EXCEED", "订单总金额超过限额", Effect.Nothing, Failed),
        new("ACQ.SELLER_BEEN_BLOCKED", "商家账号被冻结", Effect.Nothing, Failed),
        new("ACQ.BEYOND_PER_RECEIPT_SINGLE_RESTRICTION", "商户收款额度超限", Effect.Nothing, Failed),
        new("ACQ.BEYOND_PER_RECEIPT_RESTRICTION", "商户收款额度超限", Effect.Nothing, Failed),
        new("ACQ.MERCHANT_PERM_RECEIPT_SUSPEND_LIMIT", "商户暂停收款", Effect.Nothing, Failed),
        new("ACQ.MERCHANT_PERM_RECEIPT_SINGLE_LIMIT", "超过单笔收款限额", Effect.Nothing, Failed),
        new("ACQ.MERCHANT_PERM_RECEIPT_DAY_LIMIT", "超过单日累计收款额度", Effect.Nothing, Failed),
        new("ACQ.PRODUCT_AMOUNT_LIMIT_ERROR", "产品额度超限", Effect.Nothing, Failed),
        new("ACQ.TRADE_NOT_EXIST", "交易不存在", Effect.Nothing, Failed),
        new("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限", Effect.Nothing, Failed),
        new("ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求", Effect.Nothing, Failed),
        new("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效", Effect.Nothing, Failed),
        new("ACQ.TRADE_NOT_ALLOW_REFUND", "当前交易不允许退款", Effect.Nothing, Failed),
        new("ACQ.SELLER_BALANCE_NOT_ENOUGH", "商户的支付宝账户中无足够的资金进行撤销", Effect.Nothing, Failed),
        new("ACQ.TRADE_CANCEL_TIME_OUT", "超过撤销时间范围", Effect.Nothing, Failed),
        new("isv.app-call-limited", "应用调用次数超限", Effect.Nothing, 40005),
        new("isv.insufficient-isv-permissions", "ISV权限不足", Effect.Nothing, 40006),
        new("isv.invalid-signature", "无效签名", Effect.Nothing, 40002),
        new("isv.invalid-app-id", "无效的AppID参数", Effect.Nothing, 40002),
        new("isv.invalid-method", "不存在的方法名", Effect.Nothing, 40002),
        new("isv.missing-method", "缺少方法名参数", Effect.Nothing, 40001),
        new("isv.invalid-timestamp", "非法的时间戳参数", Effect.Nothing, 40002),
        new("isv.invalid-parameter", "参数无效", Effect.Nothing, 40002),
        new("aop.invalid-app-auth-token", "无效的应用授权令牌", Effect.Nothing, 20001),
        new("isp.bill_not_exist", "账单不存在", Effect.Nothing, Failed),
    ],
    [
        ("no-funds", "ACQ.BUYER_BALANCE_NOT_ENOUGH"), ("code-expired", "ACQ.PAYMENT_AUTH_CODE_INVALID"), ("no-permission", "ACQ.ACCESS_FORBIDDEN"),
        ("system-error", "ACQ.SYSTEM_ERROR"), ("rate-limit", "isv.app-call-limited"),
    ]);

    /// <summary>The word for a gateway code.</summary>
    public static string Word(int code) => code switch
    {
        10000 => "Success",
        10003 => "order success pay inprocess",
        20000 => "Service Currently Unavailable",
        20001 => "Insufficient Token Permissions",
        40001 => "Missing Required Arguments",
        40002 => "Invalid Arguments",
        40005 => "Call Limited",
        40006 => "Insufficient Permissions",
        _ => "Business Failed",
    };
}
