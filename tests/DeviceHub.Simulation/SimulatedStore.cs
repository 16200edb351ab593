using DeviceHub.Core.Payments;
using static DeviceHub.Simulation.InvariantBrokenException;

namespace DeviceHub.Simulation;

/// <summary>The store: every payment's events, and the keys of I13, in one transaction each.</summary>
internal sealed class SimulatedStore(World world, Seams seams)
{
    private readonly List<SimulatedLedger> payments = [];

    public IReadOnlyList<SimulatedLedger> Payments => payments;

    /// <summary>What the till asked for; null: nothing.</summary>
    public SimulatedCharge? Charge { get; set; }

    public SimulatedLedger Open(PaymentId id)
    {
        var payment = new SimulatedLedger(world, id, seams);
        payments.Add(payment);
        return payment;
    }

    public AcceptAnswer Accept(SimulatedLedger payment, LedgerAccept accept)
    {
        if (payment.Version > 0)
        {
            return new(WriteResult.Conflict);
        }

        var collision = Collide(accept, seams.IgnoresOrderNumbers, seams.IgnoresDuplicates);
        if (collision.Collision != AcceptCollision.OrderPaid && accept.ChargeId is not null && !seams.IgnoresClosedCharges && !Charge!.IsOpenFor(accept))
        {
            world.Log($"store: {payment.Id} answers a charge that is closed");
            return new(WriteResult.Conflict, AcceptCollision.ChargeClosed);
        }

        if (collision.Result == WriteResult.Conflict)
        {
            world.Log($"store: {payment.Id} collides with {collision.Other}: {collision.Collision}");
            return collision;
        }

        Require(payments.TrueForAll(p => !p.HasBegun(accept.ChannelOrderNumber)), "I3: an order number of another payment was used again");
        var open = Collide(accept, false, false);
        var wrote = payment.Append(1, accept.Events, accept.Due);
        if (accept.ChargeId is not null && payment.Version > 0)
        {
            Charge!.Consume(payment.Id);
        }

        Require(payment.Version == 0 || open.Collision == AcceptCollision.None, $"I13: {payment.Id} was accepted beside {open.Other} ({open.Collision})");
        return new(wrote);
    }

    private AcceptAnswer Collide(LedgerAccept accept, bool ignoresOrders, bool ignoresDuplicates)
    {
        foreach (var other in payments)
        {
            if (other.Id == accept.Id || other.State is not { } state)
            {
                continue;
            }

            if (!ignoresOrders && accept.OrderNumber is { } order && state.Accepted.OrderNumber == order)
            {
                if (!state.IsFinal)
                {
                    return new(WriteResult.Conflict, AcceptCollision.OrderOpen, other.Id);
                }

                if (state.Outcome!.Result == PaymentResult.Approved)
                {
                    return new(WriteResult.Conflict, AcceptCollision.OrderPaid, other.Id);
                }
            }

            if (!ignoresDuplicates && accept.DuplicatesSince is { } since && other.Id.SerialNumber == accept.Id.SerialNumber && state.Accepted.OrderNumber is null
                && state.Accepted.AmountFen == accept.AmountFen && state.Accepted.At >= since && other.Id.RequestId != accept.DuplicateAllowed && !(state.IsFinal && state.IsShown))
            {
                return new(WriteResult.Conflict, AcceptCollision.PossibleDuplicate, other.Id);
            }
        }

        return new(WriteResult.Written);
    }
}
