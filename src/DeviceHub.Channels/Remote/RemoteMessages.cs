using System.Text.Json;
using System.Text.Json.Serialization;
using DeviceHub.Core.Payments;

namespace DeviceHub.Channels.Remote;

/// <summary>The body of a payment.</summary>
internal sealed record RemotePayment(string OrderNumber, long AmountFen, string Currency, string Wallet, string Code, string Subject, string Terminal, DateTimeOffset ExpiresAt)
{
    /// <summary>Without the code.</summary>
    public override string ToString() => $"{OrderNumber}: {AmountFen} fen";
}

/// <summary>The body of a reversal: which order is in the path, its amount is said again.</summary>
internal sealed record RemoteReversal(string OrderNumber, long AmountFen);

internal sealed record RemoteRefund(string OrderNumber, string RefundNumber, long AmountFen, long RefundFen);

/// <summary>What every answer is made of.</summary>
internal sealed record RemoteAnswer(
    string? State, string? OrderNumber, string? RefundNumber, long? AmountFen, long? RefundFen, string? Reason, string? Code, string? Text, long? PaidFen, long? DiscountFen, string? Transaction, string? Payer);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, MaxDepth = 8)]
[JsonSerializable(typeof(RemotePayment))]
[JsonSerializable(typeof(RemoteReversal))]
[JsonSerializable(typeof(RemoteRefund))]
[JsonSerializable(typeof(RemoteAnswer))]
internal sealed partial class RemoteJson : JsonSerializerContext;

/// <summary>What the states of an answer prove, call by call. A state that is not in its table is Unknown.</summary>
internal static class RemoteStates
{
    public static readonly VerdictTable Pay = new(
        "remote pay",
        new("paid", Verdict.Approved, DeclineReason.None, "the payer was charged"),
        new("awaitingPayer", Verdict.Pending, DeclineReason.None, "the payer types a password"),
        new("declined", Verdict.Declined, DeclineReason.Other, "not charged; the payer must act"),
        new("notSent", Verdict.Rerouteable, DeclineReason.ChannelUnavailable, "it reached no wallet and never will"),
        new("unknown", Verdict.Unknown, DeclineReason.None, "the core does not know yet"));

    public static readonly VerdictTable Query = new(
        "remote query",
        new("paid", Verdict.Approved, DeclineReason.None, "the payer was charged"),
        new("awaitingPayer", Verdict.Pending, DeclineReason.None, "the payer types a password"),
        new("declined", Verdict.Closed, DeclineReason.Other, "not charged, for good"),
        new("notSent", Verdict.Closed, DeclineReason.ChannelUnavailable, "it reached no wallet and never will"),
        new("closed", Verdict.Closed, DeclineReason.None, "closed without a charge"),
        new("reversed", Verdict.Reversed, DeclineReason.None, "charged and paid back in full"),
        new("notFound", Verdict.NotFound, DeclineReason.None, "the core has no such order"),
        new("unknown", Verdict.Unknown, DeclineReason.None, "the core does not know yet"));

    public static readonly VerdictTable Reverse = new(
        "remote reversal",
        new("closed", Verdict.Closed, DeclineReason.None, "closed without a charge"),
        new("reversed", Verdict.Reversed, DeclineReason.None, "the charge is undone"),
        new("unknown", Verdict.Unknown, DeclineReason.None, "the core does not know yet"));

    public static readonly VerdictTable Refund = new(
        "remote refund",
        new("refunded", Verdict.Refunded, DeclineReason.None, "the money went back"),
        new("pending", Verdict.Pending, DeclineReason.None, "it is being worked on"),
        new("failed", Verdict.RefundFailed, DeclineReason.None, "refused for good"),
        new("notFound", Verdict.NotFound, DeclineReason.None, "the core has no such refund"),
        new("unknown", Verdict.Unknown, DeclineReason.None, "the core does not know yet"));

    /// <summary>Why a payment was declined; any other word is Other.</summary>
    public static DeclineReason Reason(string? word) => word switch
    {
        "insufficientFunds" => DeclineReason.InsufficientFunds,
        "codeExpired" => DeclineReason.CodeExpired,
        "codeInvalid" => DeclineReason.CodeInvalid,
        "customerRefused" => DeclineReason.CustomerRefused,
        "limit" => DeclineReason.Limit,
        "channelUnavailable" => DeclineReason.ChannelUnavailable,
        "expired" => DeclineReason.Expired,
        _ => DeclineReason.Other,
    };
}
