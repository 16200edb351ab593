using DeviceHub.Core.Payments;

namespace DeviceHub.Channels.WeChatPay;

/// <summary>
/// What WeChat Pay's codes prove: an allow-list. Decided on codes alone, never on the texts beside them. A code that is in the wrong
/// table costs a minute when it is Unknown and a double charge when it is Rerouteable, so Rerouteable are only those that
/// WeChat gives before it looks at the payment code.
/// </summary>
internal static class WeChatCodes
{
    /// <summary>Version 2, <c>err_code</c> of <c>/pay/micropay</c>.</summary>
    public static readonly VerdictTable PayV2 = new("wechat-v2 pay",
        Pending("USERPAYING", "the payer types a password"),
        Unknown("SYSTEMERROR", "WeChat does not know either"),
        Unknown("BANKERROR", "the bank has not answered WeChat"),
        Unknown("INVALID_REQUEST", "permission, frequency, or a repeat: then the first one may have been paid"),
        Unknown("ORDERPAID", "this order number was paid before: by a request of ours whose answer was lost"),
        Unknown("OUT_TRADE_NO_USED", "this order number was used before: by a request of ours whose answer was lost"),
        Unknown("FREQUENCY_LIMITED", "too many requests"),
        Declined("NOTENOUGH", DeclineReason.InsufficientFunds, "not enough money"),
        Declined("NOTSUPORTCARD", DeclineReason.Other, "this kind of card is not taken; WeChat spells it so"),
        Declined("AUTHCODEEXPIRE", DeclineReason.CodeExpired, "the payment code has expired"),
        Declined("AUTH_CODE_ERROR", DeclineReason.CodeInvalid, "the payment code is wrong or was used"),
        Declined("AUTH_CODE_INVALID", DeclineReason.CodeInvalid, "it is no payment code of WeChat, or it was used"),
        Declined("BUYER_MISMATCH", DeclineReason.Other, "another payer under the same order number"),
        Declined("TRADE_ERROR", DeclineReason.Other, "risk control, the payer's account or a rule"),
        Declined("ORDERCLOSED", DeclineReason.Other, "the order is closed"),
        Declined("ORDERREVERSED", DeclineReason.Other, "the order was reversed"),
        Elsewhere("NOAUTH", "the merchant may not take payment codes"),
        Elsewhere("SIGNERROR", "the signature is wrong"),
        Elsewhere("APPID_NOT_EXIST", "there is no such application id"),
        Elsewhere("MCHID_NOT_EXIST", "there is no such merchant number"),
        Elsewhere("APPID_MCHID_NOT_MATCH", "application id and merchant number do not belong together"),
        Elsewhere("PARAM_ERROR", "a field is wrong"),
        Elsewhere("LACK_PARAMS", "a field is missing"),
        Elsewhere("XML_FORMAT_ERROR", "the request is not XML"),
        Elsewhere("NOT_UTF8", "the request is not UTF-8"),
        Elsewhere("REQUIRE_POST_METHOD", "the request is not a POST"));

    /// <summary>Version 2, <c>err_code</c> of <c>/pay/orderquery</c>.</summary>
    public static readonly VerdictTable QueryV2 = new("wechat-v2 query",
        [
            NotFound("ORDERNOTEXIST", "no such order, or not yet"),
            .. Refused,
        ]);

    /// <summary><c>trade_state</c> of both versions.</summary>
    public static readonly VerdictTable TradeState = new("wechat trade_state",
        new CodeRow("SUCCESS", Verdict.Approved, DeclineReason.None, "paid"),
        Pending("USERPAYING", "the payer types a password"),
        new CodeRow("CLOSED", Verdict.Closed, DeclineReason.None, "closed without a payment"),
        new CodeRow("REVOKED", Verdict.Reversed, DeclineReason.None, "reversed: an unpaid one is closed, a paid one paid back"),
        new CodeRow("REFUND", Verdict.Refunded, DeclineReason.None, "a refund was begun, of all or of a part; the refund's own query says how it ended"),
        Unknown("NOTPAY", "there, and not paid yet"),
        Unknown("ACCEPT", "taken, waits for the deduction"),
        Unknown("PAYERROR", "failed, and to be reversed: only then it is final"));

    /// <summary>Version 2, <c>err_code</c> of <c>/secapi/pay/reverse</c>; only a "not found" is an answer.</summary>
    public static readonly VerdictTable ReverseV2 = new("wechat-v2 reverse",
        [
            NotFound("ORDERNOTEXIST", "there is nothing to reverse, or not yet"),
            .. Refused,
            Unknown("INVALID_TRANSACTIONID", "not WeChat's number"),
            Unknown("REVERSE_EXPIRE", "older than 7 days: it can only be refunded"),
            Unknown("TRADE_ERROR", "a rule forbids it"),
            Unknown("USERPAYING", "the payer types a password: call it again"),
        ]);

    /// <summary>Version 2, <c>err_code</c> of <c>/secapi/pay/refund</c>. The same number again is the same refund, so that only what another try cannot mend has failed.</summary>
    public static readonly VerdictTable RefundV2 = new("wechat-v2 refund",
        [
            Failed("TRADE_OVERDUE", "older than a year"),
            Failed("USER_ACCOUNT_ABNORMAL", "the payer's account is closed"),
            NotFound("NOTENOUGH", "the merchant's balance does not cover it; asked for again until it does"),
            .. Refused,

            // What the earlier call did is not known, so its amount is not free.
            Unknown("REFUND_FEE_MISMATCH", "this refund number was used with another amount"),
            Unknown("BIZERR_NEED_RETRY", "send it again"),
            Unknown("ERROR", "a rule forbids it: the query says what became of it"),
            Unknown("INVALID_TRANSACTIONID", "no such payment"),
            Unknown("ORDERNOTEXIST", "no such order"),
            Unknown("ORDER_NOT_READY", "the order is being worked on"),
            Unknown("ORDERNOTREADY", "the order is being worked on"),
        ]);

    /// <summary>Version 2, <c>err_code</c> of <c>/pay/refundquery</c>.</summary>
    public static readonly VerdictTable RefundQueryV2 = new("wechat-v2 refund query",
        [
            NotFound("REFUNDNOTEXIST", "no such refund, or not yet"),
            .. Refused,
            Unknown("INVALID_TRANSACTIONID", "no such payment"),
            Unknown("ORDERNOTEXIST", "no such order"),
        ]);

    /// <summary><c>refund_status</c> of both versions.</summary>
    public static readonly VerdictTable RefundState = new("wechat refund_status",
        new CodeRow("SUCCESS", Verdict.Refunded, DeclineReason.None, "the money is back"),
        Pending("PROCESSING", "on its way"),
        Failed("REFUNDCLOSE", "closed: nothing was paid back"),
        Failed("CLOSED", "closed: nothing was paid back"),

        // Not the end of it: a person has WeChat send it elsewhere, under the same number, and until then nobody may refund that money again.
        Pending("CHANGE", "it cannot go back where it came from: a person says in WeChat's merchant platform where it shall go"),
        Pending("ABNORMAL", "it cannot go back where it came from: a person says in WeChat's merchant platform where it shall go"));

    /// <summary>Version 3, <c>code</c> of <c>codepay</c>. Those of status 500 are Unknown by their status.</summary>
    public static readonly VerdictTable PayV3 = new("wechat-v3 pay",
        Pending("USERPAYING", "the payer types a password"),
        Unknown("INVALID_REQUEST", "against a rule, or a repeat: then the first one may have been paid"),
        Unknown("ORDERPAID", "this order number was paid before: by a request of ours whose answer was lost"),
        Unknown("ORDER_PAID", "this order number was paid before: by a request of ours whose answer was lost"),
        Unknown("OUT_TRADE_NO_USED", "this order number was used before: by a request of ours whose answer was lost"),
        Unknown("ALREADY_EXISTS", "this order number was used before: by a request of ours whose answer was lost"),
        Unknown("RULE_LIMIT", "a rule forbids it"),
        Unknown("FREQUENCY_LIMITED", "too many requests"),
        Unknown("FREQUENCY_LIMIT_EXCEED", "too many requests"),
        Unknown("RATELIMIT_EXCEEDED", "too many requests"),
        Declined("NOTENOUGH", DeclineReason.InsufficientFunds, "not enough money"),
        Declined("NOT_ENOUGH", DeclineReason.InsufficientFunds, "not enough money"),
        Declined("AUTHCODEEXPIRE", DeclineReason.CodeExpired, "the payment code has expired"),
        Declined("AUTH_CODE_EXPIRE", DeclineReason.CodeExpired, "the payment code has expired"),
        Declined("AUTH_CODE_ERROR", DeclineReason.CodeInvalid, "the payment code is wrong or was used"),
        Declined("AUTH_CODE_INVALID", DeclineReason.CodeInvalid, "it is no payment code of WeChat, or it was used"),
        Declined("BUYER_MISMATCH", DeclineReason.Other, "another payer under the same order number"),
        Declined("TRADE_ERROR", DeclineReason.Other, "risk control, the payer's account or a rule"),
        Declined("ACCOUNT_ERROR", DeclineReason.Other, "the payer's account is restricted"),
        Declined("USER_ACCOUNT_ABNORMAL", DeclineReason.Other, "the payer's account is restricted"),
        Declined("NOT_SUPPORT_CARD", DeclineReason.Other, "this kind of card is not taken"),
        Declined("ORDERCLOSED", DeclineReason.Other, "the order is closed"),
        Declined("ORDER_CLOSED", DeclineReason.Other, "the order is closed"),
        Declined("ORDERREVERSED", DeclineReason.Other, "the order was reversed"),
        Declined("ORDER_REVERSED", DeclineReason.Other, "the order was reversed"),
        Elsewhere("NO_AUTH", "the merchant may not take payment codes"),
        Elsewhere("NOAUTH", "the merchant may not take payment codes"),
        Elsewhere("SIGN_ERROR", "the signature is wrong"),
        Elsewhere("PARAM_ERROR", "a field is wrong or missing"),
        Elsewhere("APPID_MCHID_NOT_MATCH", "application id and merchant number do not belong together"),
        Elsewhere("MCH_NOT_EXISTS", "there is no such merchant number"));

    /// <summary>Version 3, <c>code</c> of the query of an order and of its reversal.</summary>
    public static readonly VerdictTable OrderV3 = new("wechat-v3 order",
        [
            NotFound("ORDER_NOT_EXIST", "no such order, or not yet"),
            NotFound("ORDERNOTEXIST", "no such order, or not yet"),
            .. RefusedV3,
            Unknown("NOT_FOUND", "perhaps the address is wrong"),
            Unknown("RESOURCE_NOT_EXISTS", "perhaps the address is wrong"),
            Unknown("TRADE_ERROR", "a rule forbids it"),
            Unknown("USERPAYING", "the payer types a password"),
        ]);

    /// <summary>Version 3, <c>code</c> of a refund and of its query.</summary>
    public static readonly VerdictTable RefundV3 = new("wechat-v3 refund",
        [
            NotFound("RESOURCE_NOT_EXISTS", "no such refund or order, or not yet"),
            NotFound("REFUND_NOT_EXISTS", "no such refund, or not yet"),
            Failed("USER_ACCOUNT_ABNORMAL", "the payer's account is closed"),
            NotFound("NOT_ENOUGH", "the merchant's balance does not cover it; asked for again until it does"),
            Failed("TRADE_OVERDUE", "older than a year"),
            .. RefusedV3,
            Unknown("REQUEST_BLOCKED", "a rule forbids it: the query says what became of it"),
            Unknown("ORDER_NOT_EXIST", "no such order"),
            Unknown("MCH_NOT_EXISTS", "no such merchant number"),
        ]);

    /// <summary>What says nothing of the order: the account or the request is refused as such.</summary>
    private static CodeRow[] Refused =>
    [
        Unknown("NOAUTH", "the merchant may not do this"),
        Unknown("SIGNERROR", "the signature is wrong"),
        Unknown("APPID_NOT_EXIST", "there is no such application id"),
        Unknown("MCHID_NOT_EXIST", "there is no such merchant number"),
        Unknown("APPID_MCHID_NOT_MATCH", "application id and merchant number do not belong together"),
        Unknown("PARAM_ERROR", "a field is wrong"),
        Unknown("LACK_PARAMS", "a field is missing"),
        Unknown("XML_FORMAT_ERROR", "the request is not XML"),
        Unknown("NOT_UTF8", "the request is not UTF-8"),
        Unknown("REQUIRE_POST_METHOD", "the request is not a POST"),
        Unknown("INVALID_REQUEST", "permission, frequency or certificate"),
        Unknown("CERT_ERROR", "the client certificate is wrong"),
        Unknown("FREQUENCY_LIMITED", "too many requests"),
        Unknown("INVALID_REQ_TOO_MUCH", "too many wrong requests"),
        Unknown("SYSTEMERROR", "ask, or send it, again"),
    ];

    private static CodeRow[] RefusedV3 =>
    [
        Unknown("NO_AUTH", "the merchant may not do this"),
        Unknown("NOAUTH", "the merchant may not do this"),
        Unknown("SIGN_ERROR", "the signature is wrong"),
        Unknown("PARAM_ERROR", "a field is wrong or missing"),
        Unknown("INVALID_REQUEST", "against a rule"),
        Unknown("APPID_MCHID_NOT_MATCH", "application id and merchant number do not belong together"),
        Unknown("RULE_LIMIT", "a rule forbids it"),
        Unknown("FREQUENCY_LIMITED", "too many requests"),
        Unknown("FREQUENCY_LIMIT_EXCEED", "too many requests"),
        Unknown("RATELIMIT_EXCEEDED", "too many requests"),
    ];

    private static CodeRow Pending(string code, string says) => new(code, Verdict.Pending, DeclineReason.None, says);

    private static CodeRow Unknown(string code, string says) => new(code, Verdict.Unknown, DeclineReason.None, says);

    private static CodeRow NotFound(string code, string says) => new(code, Verdict.NotFound, DeclineReason.None, says);

    private static CodeRow Failed(string code, string says) => new(code, Verdict.RefundFailed, DeclineReason.None, says);

    private static CodeRow Declined(string code, DeclineReason reason, string says) => new(code, Verdict.Declined, reason, says);

    private static CodeRow Elsewhere(string code, string says) => new(code, Verdict.Rerouteable, DeclineReason.None, says);
}
