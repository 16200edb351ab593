using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace DeviceHub.Core.Payments;

/// <summary>
/// What happened to a payment, for ever: the ledger's format. Kinds and fields are only added, never renamed or reused; a golden
/// test freezes the JSON. No payment code, key or secret is ever in one (I9).
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(PaymentAccepted), "accepted")]
[JsonDerivedType(typeof(AttemptStarted), "attempt")]
[JsonDerivedType(typeof(PayAnswered), "pay")]
[JsonDerivedType(typeof(Interrupted), "interrupted")]
[JsonDerivedType(typeof(Queried), "query")]
[JsonDerivedType(typeof(CancelRequested), "cancel")]
[JsonDerivedType(typeof(ReversalStarted), "reversal")]
[JsonDerivedType(typeof(ReversalAnswered), "reversed")]
[JsonDerivedType(typeof(RefundStarted), "refund")]
[JsonDerivedType(typeof(RefundAnswered), "refunded")]
[JsonDerivedType(typeof(OutcomeReached), "outcome")]
[JsonDerivedType(typeof(OutcomeShown), "shown")]
[JsonDerivedType(typeof(AttentionNeeded), "attention")]
[JsonDerivedType(typeof(NoticeReceived), "notice")]
public abstract record PaymentEvent(DateTimeOffset At);

/// <summary>The request is in the ledger. From here the terminal may be told <c>accepted</c>.</summary>
/// <param name="ScanAgeMs">Milliseconds since the scan, as the terminal measured them, when its message was received.</param>
public sealed record PaymentAccepted(
    DateTimeOffset At,
    long AmountFen,
    string Currency,
    Wallet Wallet,
    string CodeLastFour,
    string CodeFingerprint,
    string? OrderNumber,
    string MerchantId,
    string MerchantName,
    string StoreId,
    DateTimeOffset ExpiresAt,
    string? RepeatOf,
    string? ChargeId = null,
    long ScanAgeMs = 0) : PaymentEvent(At);

/// <summary>An attempt began: its order number at the channel is durable before any byte is sent (I3).</summary>
public sealed record AttemptStarted(
    DateTimeOffset At,
    int Attempt,
    string Channel,
    string Account,
    string ChannelOrderNumber,
    DateTimeOffset Deadline,
    string Why) : PaymentEvent(At);

/// <summary>The answer to <c>Pay</c>, or that none came in time (Unknown, code <c>timeout</c>). May come late, and then again.</summary>
/// <param name="NoRoute">Of a Rerouteable one: why no other account could take the payment.</param>
public sealed record PayAnswered(DateTimeOffset At, int Attempt, ChannelVerdict Verdict, string? NoRoute = null) : PaymentEvent(At);

/// <summary>Somebody found the attempt without an answer: its process died. It is Unknown and is never paid again.</summary>
public sealed record Interrupted(DateTimeOffset At, int Attempt) : PaymentEvent(At);

/// <param name="Quiet">Asked after the wait of I5, on the clock of one activation: a "not found" counts.</param>
/// <param name="Stale">
/// Asked by an activation that did not know of a step of a reversal, or of the outcome, that is in the ledger by now: "paid" and "not
/// found" may have been true before it, so they only have it asked again.
/// </param>
public sealed record Queried(DateTimeOffset At, int Attempt, ChannelVerdict Verdict, bool Quiet = false, bool Stale = false) : PaymentEvent(At);

/// <param name="By"><c>terminal</c> or <c>user:NAME</c>.</param>
public sealed record CancelRequested(DateTimeOffset At, string By) : PaymentEvent(At);

public sealed record ReversalStarted(DateTimeOffset At, int Attempt) : PaymentEvent(At);

public sealed record ReversalAnswered(DateTimeOffset At, int Attempt, ChannelVerdict Verdict) : PaymentEvent(At);

/// <summary>Money goes back on the original route with a number derived from the attempt (I7).</summary>
/// <param name="Why">Ours, or what the person said who asked for it.</param>
/// <param name="By">Who asked; null: the hub itself, of a charge that nobody was told of.</param>
/// <param name="Key">Of the person's or program's request: a repeat of it is this refund.</param>
public sealed record RefundStarted(
    DateTimeOffset At, int Attempt, string RefundNumber, long AmountFen, string Why, string? By = null, string? Key = null) : PaymentEvent(At);

public sealed record RefundAnswered(DateTimeOffset At, int Attempt, string RefundNumber, ChannelVerdict Verdict) : PaymentEvent(At);

/// <summary>Final, or added to: the revision grows. "Not charged" may become "refunded", never "approved" (I2).</summary>
public sealed record OutcomeReached(DateTimeOffset At, int Revision, PaymentResult Result, DeclineReason Reason, int Attempt) : PaymentEvent(At);

public sealed record OutcomeShown(DateTimeOffset At, int Revision) : PaymentEvent(At);

/// <summary>The channel called by itself, and was who it said it was. It only has the attempt, or the refund, asked about at once.</summary>
public sealed record NoticeReceived(DateTimeOffset At, int Attempt, string? RefundNumber, ChannelVerdict Verdict) : PaymentEvent(At);

/// <summary>A limit was reached and people must look; the hub goes on asking at its slowest pace where it still can.</summary>
public sealed record AttentionNeeded(DateTimeOffset At, string Why) : PaymentEvent(At);

/// <summary>The ledger's JSON: camel case, enums as numbers, nulls left out.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(IReadOnlyList<PaymentEvent>))]
[JsonSerializable(typeof(List<PaymentEvent>))]
[JsonSerializable(typeof(JsonElement))]
public sealed partial class PaymentEventJson : JsonSerializerContext
{
    /// <summary>The events of one append as one stored body.</summary>
    public static byte[] Write(IReadOnlyList<PaymentEvent> events) =>
        JsonSerializer.SerializeToUtf8Bytes(events, Default.IReadOnlyListPaymentEvent);

    /// <summary>An event as people and programs may see it: a code's fingerprint tells nobody anything but which code was used twice.</summary>
    public static JsonElement Shown(PaymentEvent happened)
    {
        var json = JsonNode.Parse(Write([happened]))![0]!.AsObject();
        json.Remove("codeFingerprint");
        return json.Deserialize(Default.JsonElement);
    }

    public static List<PaymentEvent> Read(ReadOnlySpan<byte> body) =>
        JsonSerializer.Deserialize(body, Default.ListPaymentEvent)
        ?? throw new JsonException("a ledger row's body is null");
}
