using DeviceHub.Core.Payments;

namespace DeviceHub.Channels.Alipay;

/// <summary>
/// What each code of Alipay proves, a table a call. Sources: the error tables of the four methods and PAYMENTS, sections 2 and 7. The codes are
/// those of <see cref="Of"/>; only what provably never became an order is Rerouteable, and what is in no table is Unknown.
/// </summary>
internal static class AlipayCodes
{
    /// <summary>The gateway turned the request away: none of them reached the method.</summary>
    private static readonly (string Code, string Says)[] TurnedAway =
    [
        ("isv.invalid-signature", "Alipay does not accept our signature: private key and the key that Alipay knows are no pair"),
        ("isv.missing-signature-key", "Alipay knows no public key of the application"),
        ("isv.invalid-app-id", "Alipay knows no such APPID"),
        ("isv.invalid-timestamp", "our clock is wrong"),
        ("isv.insufficient-isv-permissions", "the application may not use this method"),
        ("isv.insufficient-user-permissions", "the merchant may not use this method"),
        ("isv.app-unbind-partner", "the application is bound to no merchant"),
        ("aop.invalid-app-auth-token", "the app_auth_token is not right"),
        ("aop.app-auth-token-time-out", "the app_auth_token has expired"),
        ("aop.invalid-app-auth-token-no-api", "the app_auth_token does not allow this method"),
        ("40005", "too many calls: turned away before the method"),
    ];

    public static VerdictTable Pay { get; } = new(
        "alipay pay",
        [
            Row("10000", Verdict.Approved, "paid"),
            Row("10003", Verdict.Pending, "the customer is asked for a password"),

            // May have succeeded.
            Row("20000", Verdict.Unknown, "Alipay does not know"),
            Row("ACQ.SYSTEM_ERROR", Verdict.Unknown, "may have succeeded or failed; inside 'business failed' all the same"),
            Row("AQC.SYSTEM_ERROR", Verdict.Unknown, "the same, as Alipay's own documents misspell it"),

            // Of this number there was an order before.
            Row("ACQ.TRADE_HAS_SUCCESS", Verdict.Unknown, "an order of this number is paid"),
            Row("ACQ.CONTEXT_INCONSISTENT", Verdict.Unknown, "an order of this number has other terms"),
            Row("ACQ.TRADE_STATUS_ERROR", Verdict.Unknown, "an order of this number is in another state"),
            Row("ACQ.TRADE_BUYER_NOT_MATCH", Verdict.Unknown, "an order of this number has another payer"),

            // The customer must act: final for this number.
            Row("ACQ.TRADE_HAS_CLOSE", Verdict.Declined, "the order was closed"),
            Row("ACQ.BUYER_BALANCE_NOT_ENOUGH", Verdict.Declined, "not enough money", DeclineReason.InsufficientFunds),
            Row("ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH", Verdict.Declined, "not enough money on the bank card", DeclineReason.InsufficientFunds),
            Row("ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR", Verdict.Declined, "the customer's limit of the day", DeclineReason.Limit),
            Row("ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR", Verdict.Declined, "the customer's limit of the month", DeclineReason.Limit),
            Row("ACQ.ERROR_BALANCE_PAYMENT_DISABLE", Verdict.Declined, "the customer switched off paying from the balance", DeclineReason.CustomerRefused),
            Row("ACQ.MOBILE_PAYMENT_SWITCH_OFF", Verdict.Declined, "the customer switched off mobile payment", DeclineReason.CustomerRefused),
            Row("ACQ.USER_FACE_PAYMENT_SWITCH_OFF", Verdict.Declined, "the customer switched off paying in shops", DeclineReason.CustomerRefused),
            Row("ACQ.BUYER_ENABLE_STATUS_FORBID", Verdict.Declined, "the customer's account may not pay"),
            Row("ACQ.NOT_CERTIFIED_USER", Verdict.Declined, "the customer's name is not verified"),
            Row("ACQ.ERROR_BUYER_CERTIFY_LEVEL_LIMIT", Verdict.Declined, "the customer's name is not verified enough"),
            Row("ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE", Verdict.Declined, "the customer has nothing to pay with"),
            Row("ACQ.PAYMENT_REQUEST_HAS_RISK", Verdict.Declined, "Alipay holds it for risky"),
            Row("ACQ.BUYER_SELLER_EQUAL", Verdict.Declined, "the customer is the merchant"),
            Row("ACQ.PAYMENT_AUTH_CODE_INVALID", Verdict.Declined, "the code is expired, used or none", DeclineReason.CodeInvalid),
            Row("ACQ.PULL_MOBILE_CASHIER_FAIL", Verdict.Declined, "the customer's phone could not be asked"),
            Row("ACQ.PAYMENT_FAIL", Verdict.Declined, "failed; a fresh code may work"),

            // The merchant or the request: no order was made.
            Row("ACQ.INVALID_PARAMETER", Verdict.Rerouteable, "a parameter is not right"),
            Row("ACQ.ACCESS_FORBIDDEN", Verdict.Rerouteable, "no contract for payment by code (当面付)"),
            Row("ACQ.PARTNER_ERROR", Verdict.Rerouteable, "the APPID is not in order"),
            Row("ACQ.INVALID_STORE_ID", Verdict.Rerouteable, "the store's number is not right"),
            Row("ACQ.EXIST_FORBIDDEN_WORD", Verdict.Rerouteable, "a forbidden word in the subject"),
            Row("ACQ.TOTAL_FEE_EXCEED", Verdict.Rerouteable, "the amount is above what one order may be"),
            Row("ACQ.SELLER_BEEN_BLOCKED", Verdict.Rerouteable, "the merchant is blocked"),
            Row("ACQ.BEYOND_PAY_RESTRICTION", Verdict.Rerouteable, "the merchant's limit"),
            Row("ACQ.BEYOND_PER_RECEIPT_RESTRICTION", Verdict.Rerouteable, "the merchant's limit of the month"),
            Row("ACQ.BEYOND_PER_RECEIPT_SINGLE_RESTRICTION", Verdict.Rerouteable, "the merchant's limit for one payment"),
            Row("ACQ.BEYOND_PER_RECEIPT_DAY_RESTRICTION", Verdict.Rerouteable, "the merchant's limit of the day"),
            Row("ACQ.MERCHANT_PERM_RECEIPT_SUSPEND_LIMIT", Verdict.Rerouteable, "the merchant may not receive"),
            Row("ACQ.MERCHANT_PERM_RECEIPT_SINGLE_LIMIT", Verdict.Rerouteable, "the merchant's limit for one payment"),
            Row("ACQ.MERCHANT_PERM_RECEIPT_DAY_LIMIT", Verdict.Rerouteable, "the merchant's limit of the day"),
            Row("ACQ.PRODUCT_AMOUNT_LIMIT_ERROR", Verdict.Rerouteable, "the product's limit"),
            Row("ACQ.MERCHANT_AGREEMENT_NOT_EXIST", Verdict.Rerouteable, "the merchant has no contract"),
            Row("ACQ.MERCHANT_AGREEMENT_INVALID", Verdict.Rerouteable, "the merchant's contract has ended"),
            Row("ACQ.MERCHANT_STATUS_NOT_NORMAL", Verdict.Rerouteable, "the merchant is not active"),
            .. Away(Verdict.Rerouteable),
        ]);

    public static VerdictTable Query { get; } = new(
        "alipay query",
        [
            Row("WAIT_BUYER_PAY", Verdict.Pending, "the customer has not paid yet"),
            Row("TRADE_SUCCESS", Verdict.Approved, "paid"),
            Row("TRADE_FINISHED", Verdict.Approved, "paid, and too old for a refund"),
            Row("TRADE_CLOSED", Verdict.Closed, "closed: never paid, or paid back in full"),
            Row("ACQ.TRADE_NOT_EXIST", Verdict.NotFound, "no such order, or not yet"),
            Row("ACQ.SYSTEM_ERROR", Verdict.Unknown, "Alipay does not know"),
            Row("AQC.SYSTEM_ERROR", Verdict.Unknown, "Alipay does not know"),
            Row("ACQ.INVALID_PARAMETER", Verdict.Unknown, "a parameter is not right"),
            Row("20000", Verdict.Unknown, "Alipay does not know"),
            .. Away(Verdict.Unknown),
        ]);

    /// <summary>
    /// RefundFailed: answered, and it will never do anything; the order is asked about and, when it is paid, refunded.
    /// </summary>
    public static VerdictTable Cancel { get; } = new(
        "alipay cancel",
        [
            Row("close", Verdict.Closed, "closed, nothing had been paid"),
            Row("refund", Verdict.Reversed, "paid back"),

            // Not safe by itself: a payment under way can still make the order. What proves is the next query, and I5's wait.
            Row("nothing", Verdict.NotFound, "answered without an action: no such order, or not yet"),
            Row("retry", Verdict.Unknown, "Alipay wants to be asked again"),
            Row("ACQ.TRADE_NOT_EXIST", Verdict.NotFound, "no such order, or not yet"),
            Row("ACQ.SYSTEM_ERROR", Verdict.Unknown, "Alipay does not know"),
            Row("AQC.SYSTEM_ERROR", Verdict.Unknown, "Alipay does not know"),
            Row("ACQ.INVALID_PARAMETER", Verdict.Unknown, "a parameter is not right"),
            Row("ACQ.SELLER_BALANCE_NOT_ENOUGH", Verdict.Unknown, "the merchant has not enough money to pay it back"),
            Row("ACQ.REASON_TRADE_BEEN_FREEZEN", Verdict.Unknown, "the order is frozen"),
            Row("ACQ.TRADE_STATUS_ERROR", Verdict.Unknown, "the order is in another state"),
            Row("ACQ.REASON_TRADE_STATUS_INVALID", Verdict.Unknown, "the order is in another state"),
            Row("ACQ.REASON_ILLEGAL_STATUS", Verdict.Unknown, "the order is in another state"),
            Row("ACQ.TRADE_CANCEL_TIME_OUT", Verdict.RefundFailed, "too old to be cancelled"),
            Row("ACQ.CANCEL_NOT_ALLOWED", Verdict.RefundFailed, "may not be cancelled"),
            Row("ACQ.TRADE_HAS_FINISHED", Verdict.RefundFailed, "the order is finished"),
            Row("ACQ.REASON_TRADE_REFUND_FEE_ERR", Verdict.RefundFailed, "it was refunded, and so cannot be cancelled"),
            Row("20000", Verdict.Unknown, "Alipay does not know"),
            .. Away(Verdict.Unknown),
        ]);

    /// <summary>NotFound: not refunded and not refused for good; it is asked for again under the same number.</summary>
    public static VerdictTable Refund { get; } = new(
        "alipay refund",
        [
            Row("Y", Verdict.Refunded, "the money went back"),
            Row("N", Verdict.Pending, "no money moved by this call: it went back before, or has not yet; the refund is asked about"),
            Row("ACQ.SYSTEM_ERROR", Verdict.Unknown, "may have succeeded or failed"),
            Row("AQC.SYSTEM_ERROR", Verdict.Unknown, "may have succeeded or failed"),
            Row("ACQ.SELLER_BALANCE_NOT_ENOUGH", Verdict.NotFound, "the merchant has not enough money; asked for again until there is"),
            Row("ACQ.REASON_TRADE_BEEN_FREEZEN", Verdict.NotFound, "the order is frozen; asked for again"),

            // The number was used with other terms: what the earlier call did is not known.
            Row("ACQ.DISCORDANT_REPEAT_REQUEST", Verdict.Unknown, "a refund of this number has other terms"),
            Row("ACQ.TRADE_STATUS_ERROR", Verdict.Unknown, "the order is in another state"),
            Row("ACQ.INVALID_PARAMETER", Verdict.Unknown, "a parameter is not right"),
            Row("ACQ.TRADE_NOT_EXIST", Verdict.RefundFailed, "no such order"),
            Row("ACQ.TRADE_HAS_FINISHED", Verdict.RefundFailed, "the order is too old for a refund"),
            Row("ACQ.TRADE_NOT_ALLOW_REFUND", Verdict.RefundFailed, "the order may not be refunded"),
            Row("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", Verdict.RefundFailed, "above what is left of the order"),
            Row("ACQ.REASON_TRADE_REFUND_FEE_ERR", Verdict.RefundFailed, "the amount is not right"),
            Row("ACQ.REFUND_FEE_ERROR", Verdict.RefundFailed, "the amount is not right"),
            Row("20000", Verdict.Unknown, "Alipay does not know"),
            .. Away(Verdict.Unknown),
        ]);

    public static VerdictTable RefundQuery { get; } = new(
        "alipay refund query",
        [
            Row("REFUND_SUCCESS", Verdict.Refunded, "the money went back"),

            Row("REFUND_PROCESSING", Verdict.Pending, "being refunded"),

            // The documents of today call it not done, those of 2018 done.
            Row("found", Verdict.Unknown, "the refund is shown without a state"),

            // Alipay says so of a refund that never arrived and of one that failed: both are asked for again under the same number.
            Row("REFUND_FAIL", Verdict.NotFound, "it failed"),
            Row("nothing", Verdict.NotFound, "no such refund, or it failed"),
            Row("ACQ.TRADE_NOT_EXIST", Verdict.NotFound, "no such refund"),
            Row("TRADE_NOT_EXIST", Verdict.NotFound, "no such refund"),
            Row("ACQ.SYSTEM_ERROR", Verdict.Unknown, "Alipay does not know"),
            Row("AQC.SYSTEM_ERROR", Verdict.Unknown, "Alipay does not know"),
            Row("ACQ.INVALID_PARAMETER", Verdict.Unknown, "a parameter is not right"),
            Row("ACQ.TRADE_STATUS_ERROR", Verdict.Unknown, "the order is in another state"),
            Row("20000", Verdict.Unknown, "Alipay does not know"),
            .. Away(Verdict.Unknown),
        ]);

    /// <summary>The one code that decides: of what a method refused its sub_code, but only where the method or the gateway says that it refused.</summary>
    public static string Of(IReadOnlyDictionary<string, string> fields)
    {
        var code = fields.GetValueOrDefault("code", "");
        return code is "40004" or "40001" or "40002" or "40003" or "40006" or "20001" && fields.TryGetValue("sub_code", out var sub) && sub.Length > 0 ? sub : code;
    }

    private static IEnumerable<CodeRow> Away(Verdict verdict) => TurnedAway.Select(t => Row(t.Code, verdict, t.Says));

    private static CodeRow Row(string code, Verdict verdict, string says, DeclineReason reason = DeclineReason.None) => new(code, verdict, reason, says);
}
