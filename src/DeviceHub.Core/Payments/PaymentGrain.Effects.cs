using DeviceHub.Core.Routing;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Core.Payments;

/// <summary>The calls to channels. They run beside the grain's own calls and come back as inputs.</summary>
internal sealed partial class PaymentGrain
{
    /// <summary>Nobody waits for it. After a fault the next activation reads the ledger and goes on from there, when it is due.</summary>
    private async Task Run(PaymentEffect effect)
    {
        try
        {
            await Perform(effect);
        }
        catch (Exception e)
        {
            LogEffectFault(e, id, effect.Kind);
            DeactivateOnIdle();
        }
    }

    private async Task Perform(PaymentEffect effect)
    {
        using var running = effects.Begin();
        var known = state!;
        var attempt = known.Attempts[effect.Attempt - 1];
        var times = options.For(attempt.Channel);
        var deadline = effect.Kind == EffectKind.Pay ? times.PayDeadline : times.QueryDeadline;
        var started = clock.GetTimestamp();
        var asked = Now();

        // Nobody waits longer than the deadline, but what a payment's answer says in the end is evidence. When "not found" begins to
        // count nothing of it may still be on its way out of here.
        var patience = effect.Kind == EffectKind.Pay ? times.NotFoundWait : deadline;
        using var abandon = new CancellationTokenSource(patience, clock);
        var scanned = order;
        var call = Call(effect, attempt, abandon.Token);
        var verdict = await Answer(call, deadline);
        PaymentMetrics.ChannelMs.Record(
            clock.GetElapsedTime(started).TotalMilliseconds,
            new KeyValuePair<string, object?>("call", effect.Kind.ToString()),
            new KeyValuePair<string, object?>("verdict", verdict.Verdict.ToString()));
        Learn(new RouteLesson(attempt.Account, effect.Kind, verdict, clock.GetElapsedTime(started), known.Accepted.AmountFen, asked.At, id));
        if (effect.Kind == EffectKind.Pay && verdict.Verdict == Verdict.Rerouteable)
        {
            await FeedOnward(attempt.Number, verdict, scanned!);
            return;
        }

        await Feed(Reply(effect, verdict, asked, known), effectEnded: true);
        if (effect.Kind == EffectKind.Pay && !call.IsCompleted
            && await Answer(call, patience - deadline) is { Verdict: not Verdict.Unknown } late)
        {
            await Feed(new PaymentInput.PayReply(effect.Attempt, late));
        }
    }

    /// <summary>Proven not to have reached the payer: the code, which only this activation has, may be sent to another account.</summary>
    private async Task FeedOnward(int attempt, ChannelVerdict verdict, PaymentOrder scanned)
    {
        var now = Now().At;
        var known = state!;
        var next = known.CancelledBy is null && known.Attempts.Length < options.MaxAttempts && now < known.Accepted.ExpiresAt
            ? Choose(scanned, now, [.. known.Attempts.Select(a => a.Account)])
            : null;
        (order, takenUpBy) = (scanned, attempt);
        await Feed(new PaymentInput.PayReply(attempt, verdict, next), effectEnded: true);

        // The next attempt may have been answered while this append ended: then the code is the one's that follows.
        order = takenUpBy == attempt ? null : order;
    }

    /// <summary>Never throws: what a channel has answered must be written, whatever becomes of the routing.</summary>
    private Route Choose(PaymentOrder order, DateTimeOffset now, IReadOnlyList<string> tried)
    {
        try
        {
            return id.IsTest && order.OnlyChannel is null
                ? new Route(null, "a test may go to the test channel only")
                : routing.Choose(new RouteRequest(order.MerchantId, order.StoreId, order.Wallet, order.Request.AmountFen, now, tried, order.OnlyChannel, id));
        }
        catch (Exception e)
        {
            LogRoutingFault(e, id);
            return new Route(null, "the routing failed; the hub's log has more");
        }
    }

    private void Learn(RouteLesson lesson)
    {
        if (id.IsTest)
        {
            // Its faults are wanted, and its amount is nobody's.
            return;
        }

        try
        {
            routing.Learn(lesson);
        }
        catch (Exception e)
        {
            LogRoutingFault(e, id);
        }
    }

    private async Task<ChannelVerdict> Answer(Task<ChannelVerdict> call, TimeSpan deadline)
    {
        try
        {
            return await (call.IsCompleted ? call : call.WaitAsync(deadline, clock));
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            return new ChannelVerdict(Verdict.Unknown, "timeout");
        }
    }

    /// <summary>Never throws: a fault of an adapter proves nothing, so it is Unknown.</summary>
    private async Task<ChannelVerdict> Call(PaymentEffect effect, AttemptState attempt, CancellationToken abandon)
    {
        try
        {
            var account = accounts.Find(attempt.Account) ?? throw new InvalidOperationException($"there is no channel account {attempt.Account}");
            var reference = new ChannelReference(attempt.OrderNumber, account, state!.Accepted.AmountFen);
            var channel = channels.Find(attempt.Channel);
            return await (effect.Kind switch
            {
                EffectKind.Pay => Pay(channel, reference, attempt, abandon),
                EffectKind.Query => channel.Query(reference, abandon),
                EffectKind.Reverse => channel.Reverse(reference, abandon),
                EffectKind.Refund => channel.Refund(Refund(effect, reference), abandon),
                _ => channel.QueryRefund(Refund(effect, reference), abandon),
            });
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogChannelFault(e, id, effect.Kind);
            return new ChannelVerdict(Verdict.Unknown, "fault");
        }
    }

    private ChannelRefund Refund(PaymentEffect effect, ChannelReference reference) =>
        new(reference, effect.RefundNumber!, state!.Refund(effect.RefundNumber!)!.AmountFen);

    /// <summary>
    /// Called at most once an attempt: only the activation that accepted the order has its code, and lets go of it here. It is taken up
    /// again only by the answer that the code went nowhere, and by the append that begins the next attempt.
    /// </summary>
    private Task<ChannelVerdict> Pay(IPaymentChannel channel, ChannelReference reference, AttemptState attempt, CancellationToken abandon)
    {
        var code = (order ?? throw new InvalidOperationException($"payment {id}: its code is gone, it was paid before")).Request.Code;
        order = null;
        var accepted = state!.Accepted;
        var now = Now().At;

        // After a commit that took too long the attempt may be given up elsewhere: then nothing is sent any more.
        return now >= accepted.ExpiresAt || now >= attempt.Deadline
            ? Task.FromResult(new ChannelVerdict(Verdict.Declined, "expired", Reason: DeclineReason.Expired))
            : channel.Pay(
                new ChannelPayment(reference, code, accepted.Wallet, accepted.MerchantName, id.SerialNumber, accepted.ExpiresAt), abandon);
    }

    private static PaymentInput Reply(PaymentEffect effect, ChannelVerdict verdict, Moment asked, PaymentState known) => effect.Kind switch
    {
        EffectKind.Pay => new PaymentInput.PayReply(effect.Attempt, verdict),
        EffectKind.Query => new PaymentInput.QueryReply(effect.Attempt, verdict, asked, known),
        EffectKind.Reverse => new PaymentInput.ReversalReply(effect.Attempt, verdict),
        _ => new PaymentInput.RefundReply(effect.RefundNumber!, verdict),
    };

    [LoggerMessage(EventName = "ChannelFault", Level = LogLevel.Error, Message = "Payment {Id}: the channel's {Call} threw; its answer is Unknown")]
    private partial void LogChannelFault(Exception e, PaymentId id, EffectKind call);

    [LoggerMessage(EventName = "EffectFault", Level = LogLevel.Error, Message = "Payment {Id}: the answer to the channel's {Call} could not be worked on; the payment is taken up again when it is due")]
    private partial void LogEffectFault(Exception e, PaymentId id, EffectKind call);

    [LoggerMessage(EventName = "RoutingFault", Level = LogLevel.Error, Message = "Payment {Id}: the routing threw")]
    private partial void LogRoutingFault(Exception e, PaymentId id);
}
