using DeviceHub.Core.Payments;

namespace DeviceHub.Channels.Shouqianba;

/// <summary>
/// What each answer of Shouqianba proves, a table a call. Sources: WoSai/shouqianba-doc, zh-cn/api/annex, and PAYMENTS, sections 3 and 7. An answer
/// has three layers, and <see cref="ShouqianbaAnswer.Code"/> is what it says in all of them: <c>400.ILLEGAL_SIGN</c> of the transport,
/// <c>PAY_FAIL.PAY_CANCELED.EXPIRED_BARCODE</c> of the action, the order and the error. A row with the action alone holds for whatever stands
/// behind it, and so may only be Unknown.
/// </summary>
internal static class ShouqianbaCodes
{
    /// <summary>Turned away before anything was done.</summary>
    private static readonly (string Code, string Says)[] TurnedAway =
    [
        ("400.INVALID_PARAMS", "a parameter is not right"),
        ("400.INVALID_PARAMETER", "a parameter is not right"),
        ("400.INVALID_TERMINAL", "the terminal is not in order"),
        ("400.TERMINAL_NOT_EXISTS", "there is no such terminal"),
        ("400.ILLEGAL_SIGN", "the terminal's key is not accepted: two check-ins in a row were lost, or the terminal was checked in or activated elsewhere; activate it again with a new code"),
        ("FAIL.UPAY_TERMINAL_NOT_EXISTS", "the terminal is not known for payments"),
        ("FAIL.UPAY_TERMINAL_STATUS_ABNORMAL", "the terminal is not activated"),
    ];

    private static readonly (string Code, string Says)[] NoAnswer =
    [
        ("500.UNKNOWN_SYSTEM_ERROR", "Shouqianba does not know"),
        ("500.MAINTENANCE_INPROGRESS", "Shouqianba is being maintained"),
        ("500", "a fault of Shouqianba's server"),
    ];

    /// <summary>The whole code, or else the action alone when the table says that it proves nothing.</summary>
    public static string KeyIn(VerdictTable table, ShouqianbaAnswer answer) =>
        table.Find(answer.Code) is null && table.Find(answer.Action) is { Verdict: Verdict.Unknown } ? answer.Action : answer.Code;

    public static VerdictTable Pay { get; } = new(
        "shouqianba pay",
        [
            Row("PAY_SUCCESS.PAID", Verdict.Approved, "paid"),
            Row("PAY_IN_PROGRESS.CREATED", Verdict.Pending, "the customer is asked for a password"),

            Row("PAY_IN_PROGRESS", Verdict.Unknown, "under way, in another state than it should be"),

            // "Failed and reversed"; with the order, it must say the same.
            .. Failed("INSUFFICIENT_FUND", Verdict.Declined, "not enough money", DeclineReason.InsufficientFunds),
            .. Failed("INVALID_BARCODE", Verdict.Declined, "not a payment code, or one that was used", DeclineReason.CodeInvalid),
            .. Failed("EXPIRED_BARCODE", Verdict.Declined, "the code has expired", DeclineReason.CodeExpired),
            .. Failed("BUYER_OVER_DAILY_LIMIT", Verdict.Declined, "the customer's limit of the day", DeclineReason.Limit),
            .. Failed("BUYER_OVER_TRANSACTION_LIMIT", Verdict.Declined, "the customer's limit for one payment", DeclineReason.Limit),
            .. Failed("UPAY_TERMINAL_NOT_EXISTS", Verdict.Rerouteable, "the terminal is not known for payments"),
            .. Failed("UPAY_TERMINAL_STATUS_ABNORMAL", Verdict.Rerouteable, "the terminal is not activated"),

            // Only the order says that nothing was taken.
            Row("PAY_FAIL.PAY_CANCELED.SELLER_OVER_DAILY_LIMIT", Verdict.Rerouteable, "the merchant's limit of the day"),
            Row("PAY_FAIL.PAY_CANCELED.UPAY_STORE_OVER_DAILY_LIMIT", Verdict.Rerouteable, "the store's limit of the day"),
            Row("PAY_FAIL", Verdict.Unknown, "failed; what became of the order is asked"),
            Row("PAY_FAIL_ERROR", Verdict.Unknown, "failed; whether the wallet took the money is not known"),
            Row("PAY_FAIL_IN_PROGRESS", Verdict.Unknown, "failed; whether the wallet took the money is not known yet"),
            Row("PAY_ERROR", Verdict.Unknown, "failed; whether it was reversed is not known"),
            Row("FAIL.CLIENT_SN_CONFLICT", Verdict.Unknown, "there is an order of this number"),
            Row("FAIL.TRADE_HAS_SUCCESS", Verdict.Unknown, "an order of this number is paid"),
            Row("FAIL.TRADE_TIMEOUT", Verdict.Unknown, "timed out and reversed, it says"),
            Row("FAIL.TRADE_FAILED", Verdict.Unknown, "failed, it says"),
            Row("FAIL.UNEXPECTED_PROVIDER_ERROR", Verdict.Unknown, "the wallet answered with what Shouqianba does not know"),
            .. Rows(TurnedAway, Verdict.Rerouteable),
            .. Rows(NoAnswer, Verdict.Unknown),
        ]);

    public static VerdictTable Query { get; } = new(
        "shouqianba query",
        [
            Row("SUCCESS.PAID", Verdict.Approved, "paid"),
            Row("SUCCESS.PARTIAL_REFUNDED", Verdict.Approved, "paid, and a part refunded"),
            Row("SUCCESS.CREATED", Verdict.Pending, "the customer has not paid yet"),
            Row("SUCCESS.PAY_CANCELED", Verdict.Closed, "failed and reversed"),
            Row("SUCCESS.CANCELED", Verdict.Reversed, "reversed"),
            Row("SUCCESS.REFUNDED", Verdict.Reversed, "refunded in full; of a part it says PARTIAL_REFUNDED"),
            Row("SUCCESS.PAY_ERROR", Verdict.Unknown, "failed; whether it was reversed is not known"),
            Row("SUCCESS.CANCEL_ERROR", Verdict.Unknown, "the reversal failed; what the wallet did is not known"),
            Row("SUCCESS.CANCEL_INPROGRESS", Verdict.Unknown, "being reversed"),
            Row("SUCCESS.REFUND_ERROR", Verdict.Unknown, "a refund failed; what the wallet did is not known"),
            Row("SUCCESS.INVALID_STATUS_CODE", Verdict.Unknown, "no state of an order"),
            Row("FAIL.UPAY_ORDER_NOT_EXISTS", Verdict.NotFound, "no such order, or not yet"),
            .. Rows(TurnedAway, Verdict.Unknown),
            .. Rows(NoAnswer, Verdict.Unknown),
        ]);

    /// <summary>RefundFailed: answered, and it will never do anything; the order is asked about and, when it is paid, refunded.</summary>
    public static VerdictTable Cancel { get; } = new(
        "shouqianba cancel",
        [
            Row("CANCEL_SUCCESS.CANCELED", Verdict.Reversed, "reversed"),
            Row("CANCEL_SUCCESS.PAY_CANCELED", Verdict.Closed, "closed, nothing had been paid"),
            Row("CANCEL_ABORT_SUCCESS.CANCELED", Verdict.Closed, "the payment was broken off"),
            Row("CANCEL_ABORT_SUCCESS.PAY_CANCELED", Verdict.Closed, "the payment was broken off"),
            Row("FAIL.UPAY_CANCEL_ORDER_NOOP", Verdict.Reversed, "it was reversed before"),
            Row("FAIL.UPAY_ORDER_NOT_EXISTS", Verdict.NotFound, "no such order, or not yet"),
            Row("FAIL.UPAY_CANCEL_INVALID_ORDER_STATE", Verdict.RefundFailed, "cannot be reversed: not of today, refunded, or failed"),
            Row("FAIL.UPAY_TCP_ORDER_NOT_REFUNDABLE", Verdict.RefundFailed, "of a campaign, cannot be reversed"),
            Row("CANCEL_ERROR.UPAY_TCP_ORDER_NOT_REFUNDABLE", Verdict.RefundFailed, "of a campaign, cannot be reversed"),
            Row("CANCEL_ERROR", Verdict.Unknown, "failed; what the wallet did is not known"),
            Row("CANCEL_ABORT_ERROR", Verdict.Unknown, "breaking it off failed; what the wallet did is not known"),
            Row("CANCEL_IN_PROGRESS", Verdict.Unknown, "being reversed"),
            Row("CANCEL_ABORT_IN_PROGRESS", Verdict.Unknown, "being broken off"),
            .. Rows(TurnedAway, Verdict.Unknown),
            .. Rows(NoAnswer, Verdict.Unknown),
        ]);

    /// <summary>NotFound: not refunded and not refused for good; it is asked for again under the same number.</summary>
    public static VerdictTable Refund { get; } = new(
        "shouqianba refund",
        [
            Row("REFUND_SUCCESS.REFUNDED", Verdict.Refunded, "the money went back, and with it all of the order"),
            Row("REFUND_SUCCESS.PARTIAL_REFUNDED", Verdict.Refunded, "the money went back"),
            Row("FAIL.UPAY_REFUND_ORDER_NOOP", Verdict.Refunded, "this refund was done before"),
            Row("REFUND_IN_PROGRESS", Verdict.Pending, "being refunded"),
            Row("REFUND_ERROR", Verdict.Unknown, "failed; what the wallet did is not known"),
            Row("REFUND_FAIL", Verdict.Unknown, "failed; what became of it is asked"),
            .. Each("FAIL", "REFUND_FAIL", "SELLER_BALANCE_NOT_ENOUGH", Verdict.NotFound, "the merchant has not enough money; asked for again until there is"),
            .. Each("FAIL", "REFUND_FAIL", "ACCOUNT_BALANCE_NOT_ENOUGH", Verdict.NotFound, "the merchant has not enough money; asked for again until there is"),
            .. Each("FAIL", "REFUND_FAIL", "REFUNDABLE_AMOUNT_NOT_ENOUGH", Verdict.RefundFailed, "above what is left of the order"),
            .. Each("FAIL", "REFUND_FAIL", "REFUND_AMT_NOT_EQUAL_TOTAL", Verdict.RefundFailed, "the amount is not right"),
            .. Each("FAIL", "REFUND_FAIL", "UPAY_REFUND_INVALID_ORDER_STATE", Verdict.RefundFailed, "the order cannot be refunded, or is already in full"),
            .. Each("FAIL", "REFUND_FAIL", "UPAY_TCP_ORDER_NOT_REFUNDABLE", Verdict.RefundFailed, "of a campaign, cannot be refunded"),
            .. Each("FAIL", "REFUND_FAIL", "UPAY_ORDER_NOT_EXISTS", Verdict.RefundFailed, "no such order"),
            .. Rows(TurnedAway, Verdict.Unknown),
            .. Rows(NoAnswer, Verdict.Unknown),
        ]);

    private static IEnumerable<CodeRow> Each(string one, string other, string error, Verdict verdict, string says) =>
        [Row($"{one}.{error}", verdict, says), Row($"{other}.{error}", verdict, says)];

    private static IEnumerable<CodeRow> Failed(string error, Verdict verdict, string says, DeclineReason reason = DeclineReason.None) =>
        [Row($"PAY_FAIL.{error}", verdict, says, reason), Row($"PAY_FAIL.PAY_CANCELED.{error}", verdict, says, reason)];

    private static IEnumerable<CodeRow> Rows(IEnumerable<(string Code, string Says)> rows, Verdict verdict) => rows.Select(r => Row(r.Code, verdict, r.Says));

    private static CodeRow Row(string code, Verdict verdict, string says, DeclineReason reason = DeclineReason.None) => new(code, verdict, reason, says);
}
