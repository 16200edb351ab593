using DeviceHub.Core.Charges;
using DeviceHub.Core.Routing;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Core.Payments;

/// <summary>Accepting a new payment, and telling a repeat from a conflict.</summary>
internal sealed partial class PaymentGrain
{
    /// <summary>Null: the ledger has this payment already, so it is found and not accepted.</summary>
    private async Task<PaymentAnswer?> AcceptNew(PaymentOrder order)
    {
        var started = clock.GetTimestamp();
        var request = order.Request;
        var now = Now();
        var route = Choose(order, now.At, []);
        if (route.Account is null)
        {
            return await NoRoute(route);
        }

        var decision = PaymentDecisions.Decide(
            id,
            null,
            new PaymentInput.Request(order, keys.Fingerprint(request.Code), route),
            now,
            options);
        using var withdraw = new CancellationTokenSource(options.AcceptDeadline, clock);
        var accept = await ledger.Accept(LedgerAccept.Of(order, decision, options), withdraw.Token);
        switch (accept)
        {
            case { Result: WriteResult.Written }:
                PaymentMetrics.Accepted.Add(1);
                PaymentMetrics.AcceptMs.Record(clock.GetElapsedTime(started).TotalMilliseconds);
                (state, version, loaded, acceptedFor, this.order) = (decision.State!, 1, true, clock.GetTimestamp(), order);
                Begin(decision);
                TellCharge(request.ChargeId);
                return new(state.View(), null);
            case { Result: WriteResult.Conflict, Collision: AcceptCollision.OrderPaid }:
                Count(accept.Collision);
                if (request.ChargeId is { } chargeId)
                {
                    GrainFactory.GetGrain<IChargeGrain>(chargeId).OrderPaid(id.SerialNumber, accept.Other).Ignore();
                }

                DeactivateOnIdle();
                return await GrainFactory.GetGrain<IPaymentGrain>(accept.Other.ToString()).Find(null);
            case { Result: WriteResult.Conflict, Collision: AcceptCollision.None }:
                return null;
            case { Result: WriteResult.Conflict }:
                return new(null, InTheWay(accept));
            case { Result: WriteResult.Unknown }:
                // It may be durable. Nothing is paid by this activation; what the ledger says when it is read decides.
                return await Load(locked: true) ? null : new(null, NoStorage());
            default:
                DeactivateOnIdle();
                return new(null, NoStorage());
        }
    }

    /// <summary>A payment that the ledger knows is answered with its state, whatever the accounts say today.</summary>
    private async Task<PaymentAnswer?> NoRoute(Route route)
    {
        if (await Load(locked: true))
        {
            return null;
        }

        PaymentMetrics.NoRoute.Add(1);
        LogNoRoute(id, route.Why);
        DeactivateOnIdle();
        return new(null, new Refusal(RefusalCode.NoChannel, route.Why));
    }

    private static Refusal NoStorage() => new(
        RefusalCode.Storage, "the ledger cannot take payments now; nothing was charged", RetryAfter: TimeSpan.FromSeconds(3));

    private Refusal InTheWay(AcceptAnswer accept)
    {
        DeactivateOnIdle();
        Count(accept.Collision);
        return accept.Collision switch
        {
            AcceptCollision.OrderOpen => new(RefusalCode.OrderOpen, $"the order has payment {accept.Other}, which is not final", accept.Other.RequestId),
            AcceptCollision.ChargeClosed => new(
                RefusalCode.ChargeClosed, "the till's charge is closed, or is another terminal's, amount or order number; nothing was charged", accept.Other.RequestId),
            _ => new(RefusalCode.PossibleDuplicate, $"same terminal and amount as payment {accept.Other}", accept.Other.RequestId),
        };
    }

    /// <summary>The charge that this payment answers looks at it anew. Losing this is harmless: of an outcome its row knows.</summary>
    private void TellCharge(string? chargeId)
    {
        if (chargeId is not null)
        {
            GrainFactory.GetGrain<IChargeGrain>(chargeId).Wake().Ignore();
        }
    }

    private static void Count(AcceptCollision collision) => PaymentMetrics.Collisions.Add(1, new KeyValuePair<string, object?>("kind", collision.ToString()));

    private string? Differs(PaymentRequest request) => state!.Accepted switch
    {
        var a when a.AmountFen != request.AmountFen => "amount",
        var a when a.Currency != request.Currency => "currency",
        var a when a.OrderNumber != request.OrderNumber => "order number",
        var a when a.ChargeId != request.ChargeId => "charge",
        var a when a.CodeFingerprint != keys.Fingerprint(request.Code) => "payment code",
        _ => null,
    };

    [LoggerMessage(EventName = "NoRoute", Level = LogLevel.Warning, Message = "Payment {Id} is refused: {Why}")]
    private partial void LogNoRoute(PaymentId id, string why);
}
