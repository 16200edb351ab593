using Orleans.Concurrency;

namespace DeviceHub.Core.Payments;

/// <summary>One payment. Key: <c>{sn}/{requestId}</c>. No call waits for a channel but <see cref="Outcome"/>, which only reads.</summary>
[Alias("dh.IPaymentGrain")]
public interface IPaymentGrain : IGrainWithStringKey
{
    /// <summary>
    /// Writes the payment and its first attempt to the ledger and starts it. A repeat gets the payment as it stands; the same id
    /// with other contents gets RequestConflict; I13's cases get OrderOpen, PossibleDuplicate or another payment's view.
    /// </summary>
    [Alias("Accept")]
    Task<PaymentAnswer> Accept(PaymentOrder order);

    /// <summary>
    /// The payment as it stands, for a request that was not admitted: UnknownPayment when the ledger has none, RequestConflict
    /// when its contents differ. With no request (a query) only the first can happen.
    /// </summary>
    [Alias("Find")]
    Task<PaymentAnswer> Find(PaymentRequest? request);

    /// <summary>Waits until the stage differs from <paramref name="known"/> or the time is over; at most 20 s. Reads only.</summary>
    [Alias("Outcome"), AlwaysInterleave]
    Task<PaymentView> Outcome(PaymentStage known, TimeSpan waitAtMost);

    /// <summary>Starts query and reversal of a payment that is not final; of a final one the answer is its outcome.</summary>
    /// <param name="by">Who asked, for the timeline: <c>terminal</c>, or <c>user:NAME</c>.</param>
    [Alias("Cancel")]
    Task<PaymentAnswer> Cancel(string by);

    /// <summary>
    /// Gives money of an approved payment back on the original route. The answer says that it is begun, not that the money is back. A
    /// request with the same key is the same refund; one above what is left, or of a payment that is not approved, is refused.
    /// </summary>
    [Alias("Refund")]
    Task<RefundAnswer> Refund(RefundRequest request);

    /// <summary>All refunds, the hub's own as well, oldest first; null: the ledger has no such payment.</summary>
    [Alias("Refunds")]
    Task<RefundList?> Refunds();

    /// <summary>
    /// A channel called about an order: a hint only, the payment is asked about at once. Durable when it returns; repeats are harmless.
    /// </summary>
    /// <param name="channelOrderNumber">Of one of its attempts (<see cref="IPaymentLedger.FindByChannelOrder"/>); another one is ignored.</param>
    /// <param name="refundNumber">Null: it is about the payment. One that is not ours is taken for a word about the payment.</param>
    [Alias("Noticed")]
    Task Noticed(string channelOrderNumber, string? refundNumber, ChannelVerdict verdict);

    /// <summary>The terminal has shown this revision. Durable; repeats and older revisions are harmless.</summary>
    [Alias("Shown")]
    Task Shown(int revision);

    /// <summary>What is due is done. Called by the sweeper; harmless at any time.</summary>
    [Alias("Wake")]
    Task Wake();
}
