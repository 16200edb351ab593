namespace DeviceHub.Core.Payments;

/// <summary>Refunds, the hub's own and people's: one way for all.</summary>
public static partial class PaymentDecisions
{
    /// <summary>The refund that was begun by the same request; null: none was.</summary>
    public static RefundState? Repeated(PaymentState state, RefundRequest wanted)
    {
        foreach (var refund in state.Refunds)
        {
            if (refund.Key == wanted.Key)
            {
                return refund;
            }
        }

        return null;
    }

    /// <summary>I8: why this refund is not begun; null: it may be, or it was.</summary>
    private static Refusal? Refuse(PaymentState state, RefundRequest wanted, PaymentOptions options)
    {
        if (Repeated(state, wanted) is { } same)
        {
            return same.AmountFen == wanted.AmountFen ? null
                : new(RefusalCode.RequestConflict, $"refund key {wanted.Key} was used for {same.AmountFen} fen");
        }

        if (state.Outcome is not { Result: PaymentResult.Approved })
        {
            return new(
                RefusalCode.NotApproved,
                state.IsFinal ? $"the payment is {state.Outcome!.Result}: nothing is there to refund" : "the payment is not final; cancel it instead");
        }

        if (wanted.AmountFen > state.RestFen)
        {
            return new(RefusalCode.RefundTooLarge, $"{state.RestFen} fen of {state.Accepted.AmountFen} can still be refunded, not {wanted.AmountFen}");
        }

        return state.Refunds.Length < options.MaxRefunds ? null
            : new(RefusalCode.RefundTooLarge, $"a payment has at most {options.MaxRefunds} refunds, and this one has them");
    }

    private static Step StartRefund(PaymentState state, AttemptState attempt, Moment now, string why) => new(
        new RefundStarted(now.At, attempt.Number, state.NextRefundNumber(attempt), state.Accepted.AmountFen - state.Promised(attempt.Number), why), null, null);

    private static Step OfRefund(PaymentState state, RefundState refund, Moment now, PaymentOptions options)
    {
        if (!refund.IsOpen)
        {
            return default;
        }

        var times = options.For(state.Attempts[refund.Attempt - 1].Channel);
        if (!refund.AskNow && now.At - refund.StartedAt >= options.GiveUpAfter && refund.Answers >= 4 * times.QueryWaits.Count)
        {
            return state.NeedsAttention
                ? default
                : new(new AttentionNeeded(now.At, $"not refunded after {options.GiveUpAfter}: nothing is asked any more"), null, null);
        }

        var due = refund.LastStepAt + times.QueryWait(refund.Answers);
        if (!refund.AskNow && now.At < due)
        {
            return new(null, null, due);
        }

        // The refund number never changes, so asking for it again is the same refund.
        var kind = refund.Standing == RefundStanding.Asked && !refund.AskNow ? EffectKind.Refund : EffectKind.QueryRefund;
        return new(null, new PaymentEffect(kind, refund.Attempt, refund.Number), Answered(now, options, times));
    }
}
