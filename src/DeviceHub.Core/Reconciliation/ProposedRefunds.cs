using DeviceHub.Core.Payments;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Core.Reconciliation;

/// <summary>
/// Sees approved proposals through, by the payments' own ways: of a late success the payment is told that its channel knows more, and then it
/// asks and refunds by itself (I7), as it does of every charge of its own that did not pay; of an order's second payment a refund is asked for
/// under a key of the proposal's, so that a repeat is the same.
/// </summary>
public sealed partial class ProposedRefunds(IReconciliationBook book, IPaymentLedger ledger, IGrainFactory grains, ILogger<ProposedRefunds> logger)
{
    private const int AtOnce = 100;

    /// <summary>All that is approved and not done, in pages.</summary>
    internal async Task Follow(CancellationToken cancellationToken)
    {
        var last = 0L;
        while (await book.Approved(last, AtOnce, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var approved in page)
            {
                cancellationToken.ThrowIfCancellationRequested();
                last = approved.Id;
                try
                {
                    await Follow(approved, cancellationToken);
                }
                catch (Exception e) when (!cancellationToken.IsCancellationRequested)
                {
                    LogNotDone(e, approved.Id, approved.Payment);
                }
            }
        }
    }

    private async Task Follow(ApprovedRefund approved, CancellationToken cancellationToken)
    {
        if (await ledger.Read(approved.Payment) is not { } history
            || PaymentState.Fold(approved.Payment, history.Events) is not { } state || state.AttemptOf(approved.OrderNumber) is not { } attempt)
        {
            await book.Follow(approved.Id, false, "the ledger has no such payment", cancellationToken);
            return;
        }

        var refunds = state.Refunds.Where(r => r.Attempt == attempt.Number).ToList();
        var back = refunds.Where(r => r.Standing == RefundStanding.Done).Sum(r => r.AmountFen);
        var isBack = approved.Reason == DifferenceReason.ChargedTwice
            ? refunds.Any(r => r.Key == Key(approved) && r.Standing == RefundStanding.Done)
            : back >= state.Accepted.AmountFen || LedgerAttempt.MoneyOf(attempt) == AttemptMoney.Returned;
        if (isBack)
        {
            await book.Follow(approved.Id, true, null, cancellationToken);
            return;
        }

        // What is on its way is not asked for twice; what the channel has refused is for people.
        var note = refunds.Any(r => r.IsOpen) ? null
            : refunds.Any(r => r.Standing == RefundStanding.Failed) ? "the channel refused the refund"
            : await Start(approved, state, attempt);
        await book.Follow(approved.Id, false, note, cancellationToken);
    }

    /// <summary>Why it could not be begun; null: it is.</summary>
    private async Task<string?> Start(ApprovedRefund approved, PaymentState state, AttemptState attempt)
    {
        var grain = grains.GetGrain<IPaymentGrain>(approved.Payment.ToString());
        if (attempt.Fate != AttemptFate.Charged && approved.Reason == DifferenceReason.ChargedTwice)
        {
            return "our books have given back all of the charge that they know: give the other back at the channel";
        }

        if (attempt.Fate != AttemptFate.Charged)
        {
            var bill = new ChannelVerdict(Verdict.Approved, "BILL", "the channel's bill shows a charge", PaidFen: approved.AmountFen);
            if (attempt is { Fate: AttemptFate.NotCharged, AskNow: false } && attempt.LastNotice == bill)
            {
                return "the bill shows a charge, and the channel, asked again, says that nothing is charged: a person must look at the channel";
            }

            await grain.Noticed(approved.OrderNumber, null, bill);
            return null;
        }

        if (state.Outcome is not { Result: PaymentResult.Approved, Attempt: var paid } || paid != attempt.Number)
        {
            // A refund that is asked for goes to the attempt that paid: of any other charge the payment refunds by itself (I7).
            await grain.Wake();
            return null;
        }

        // Of a second payment, what people have not given back. Of a second charge of one number our books have only the one: its whole amount or none.
        var fen = approved.Reason == DifferenceReason.ChargedTwice || state.RestFen == 0 ? approved.AmountFen : Math.Min(approved.AmountFen, state.RestFen);
        var answer = await grain.Refund(new RefundRequest(Key(approved), fen, "the customer paid twice: found by reconciliation", approved.DecidedBy));
        return answer.Refusal?.Detail;
    }

    private static string Key(ApprovedRefund approved) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"reconciliation-{approved.Id}");

    [LoggerMessage(EventName = "ProposalNotDone", Level = LogLevel.Warning, Message = "Proposal {Id} of payment {Payment} could not be followed; it is tried again")]
    private partial void LogNotDone(Exception e, long id, PaymentId payment);
}
