using DeviceHub.Core.Routing;

namespace DeviceHub.Core.Payments;

/// <summary>
/// A moment as a payment sees it. <see cref="At"/> is wall time that was read once and then moved by the monotonic clock, never
/// behind the last event; <see cref="Watched"/> is how long this activation has watched the payment without a gap (I5);
/// <see cref="Busy"/>: an effect of this activation runs, so evidence is taken and nothing else is begun.
/// </summary>
public readonly record struct Moment(DateTimeOffset At, TimeSpan Watched, bool Busy = false);

/// <summary>What the shell tells the decision core.</summary>
public abstract record PaymentInput
{
    /// <param name="Route">Chosen, with an account.</param>
    public sealed record Request(PaymentOrder Order, string CodeFingerprint, Route Route) : PaymentInput;

    /// <summary><c>Pay</c> answered, or was given up waiting for (Unknown).</summary>
    /// <param name="Next">Of a Rerouteable answer, when this activation still holds the code: where it could go next, or why nowhere.</param>
    public sealed record PayReply(int Attempt, ChannelVerdict Verdict, Route? Next = null) : PaymentInput;

    /// <param name="Asked">When it was asked, not when its answer came or could be written: a "not found" counts by it (I5).</param>
    /// <param name="Known">The payment as the asker knew it: an answer that is older than a reversal says nothing of that reversal.</param>
    public sealed record QueryReply(int Attempt, ChannelVerdict Verdict, Moment Asked, PaymentState Known) : PaymentInput;

    public sealed record ReversalReply(int Attempt, ChannelVerdict Verdict) : PaymentInput;

    public sealed record RefundReply(string RefundNumber, ChannelVerdict Verdict) : PaymentInput;

    public sealed record Notice(string OrderNumber, string? RefundNumber, ChannelVerdict Verdict) : PaymentInput;

    public sealed record Cancel(string By) : PaymentInput;

    public sealed record Refund(RefundRequest Wanted) : PaymentInput;

    public sealed record Shown(int Revision) : PaymentInput;

    /// <summary>Time passed, or somebody woke the payment.</summary>
    public sealed record Tick : PaymentInput;
}

public enum EffectKind { Pay, Query, Reverse, Refund, QueryRefund }

/// <summary>A call to a channel. At most one of a payment runs at a time in an activation.</summary>
/// <param name="RefundNumber">Of Refund and QueryRefund.</param>
public sealed record PaymentEffect(EffectKind Kind, int Attempt, string? RefundNumber = null);

/// <param name="Effect">To run after the events are durable; null: none now.</param>
/// <param name="Due">When a Tick is wanted, also by a later activation; null: nothing is left to do by itself.</param>
/// <param name="Refusal">Why what a person asked for is not done.</param>
public sealed record PaymentDecision(
    PaymentState? State, IReadOnlyList<PaymentEvent> Events, PaymentEffect? Effect, DateTimeOffset? Due, Refusal? Refusal = null);
