using DeviceHub.Core.Payments;

namespace DeviceHub.Tools.Demo.Books;

/// <summary>A payment as the ledger's own events tell it.</summary>
/// <param name="Revision">Of the outcome, from 1; 0: it has none.</param>
/// <param name="Shown">The terminal has said that it showed this revision.</param>
/// <param name="IsDue">The hub will still do something about it by itself, such as a late check.</param>
/// <param name="ChannelOrders">Of all its attempts.</param>
/// <param name="RefundedFen">What people gave back of an approved payment.</param>
/// <param name="Notices">Of its channels that were news.</param>
public sealed record LedgerPayment(
    PaymentId Id,
    DateTimeOffset AcceptedAt,
    string MerchantId,
    string? OrderNumber,
    long AmountFen,
    PaymentResult Result,
    int Revision,
    bool Shown,
    bool IsDue,
    IReadOnlyList<string> ChannelOrders,
    long RefundedFen = 0,
    int Notices = 0)
{
    /// <summary>Nothing about it will change any more.</summary>
    public bool IsAtRest => Result != PaymentResult.None && Shown && !IsDue;

    public static LedgerPayment Of(PaymentId id, LedgerHistory history, bool isDue)
    {
        var state = PaymentState.Fold(id, history.Events) ?? throw new InvalidOperationException($"payment {id} is in the ledger without an event");
        return new LedgerPayment(
            id,
            state.Accepted.At,
            state.Accepted.MerchantId,
            state.Accepted.OrderNumber,
            state.Accepted.AmountFen,
            state.Outcome?.Result ?? PaymentResult.None,
            state.Outcome?.Revision ?? 0,
            state.IsShown,
            isDue,
            [.. state.Attempts.Select(a => a.OrderNumber)],
            state.Outcome is { Result: PaymentResult.Approved } ? state.RefundedFen : 0,
            history.Events.OfType<NoticeReceived>().Count());
    }
}
