using DeviceHub.Core.Payments;
using static DeviceHub.Simulation.InvariantBrokenException;

namespace DeviceHub.Simulation;

internal enum Journey
{
    Arrives, ReplyLost, ReplySlow, ArrivesLate, NeverArrives, Refused, Rerouteable, Password, PasswordRefused, PasswordForgotten, ChargesAfterSettled,

    /// <summary>"It never reached the payer", and then it does: no channel may, some will.</summary>
    SwearsAndCharges,
}

/// <summary>One order at a bank, with every fault that PAYMENTS names.</summary>
internal sealed class SimulatedOrder(World world, SimulatedLedger ledger, string number, long amountFen, Journey journey, Action<string?, Verdict> notify)
{
    private readonly Dictionary<string, long> refunds = [];
    private Standing standing;
    private long chargedFen;
    private long returnedFen;
    private int reversalsThatDoNothing = world.Chance(0.2) ? world.Pick(7) : 0;
    private readonly bool reversesLate = world.Chance(0.1);
    private TimeSpan foundFrom;
    private bool lateChargeWaits = journey == Journey.ChargesAfterSettled;

    private enum Standing { Nothing, Waiting, Charged, Refused, Closed }

    public string Number => number;

    public Journey Journey => journey;

    public long NetFen => chargedFen - returnedFen;

    public bool Charged => standing == Standing.Charged && NetFen > 0;

    /// <summary>What it has said at once, and keeps to: nothing will ever be charged.</summary>
    public bool IsSworn => journey is Journey.Rerouteable or Journey.SwearsAndCharges;

    public void Pay(ChannelTimes times, Action<ChannelVerdict> answer)
    {
        var code = times.CodeLifetime.TotalSeconds + times.PayDeadline.TotalSeconds;
        var arrival = journey == Journey.ArrivesLate ? world.Between(0, code) : world.Between(0.01, 1);
        var way = journey == Journey.ReplySlow ? world.Between(5, 60) : world.Between(0.01, 1);
        switch (journey)
        {
            case Journey.NeverArrives or Journey.ChargesAfterSettled:
                return;
            case Journey.SwearsAndCharges:
                world.After(world.Between(0, 200), () => Charge(late: true));
                goto case Journey.Rerouteable;
            case Journey.Rerouteable:
                world.After(arrival, () => answer(new(Verdict.Rerouteable, "unreachable")));
                return;
        }

        world.After(arrival, () =>
        {
            var verdict = Arrive();
            if (journey is not (Journey.ReplyLost or Journey.ArrivesLate) && !world.Fault(0.05))
            {
                world.After(way, () => answer(new(verdict, verdict.ToString(), PaidFen: verdict == Verdict.Approved ? amountFen : 0)));
            }
        });
    }

    /// <summary>The payment was settled on "not found": now a request that nobody could stop is carried out.</summary>
    public void Settled(TimeSpan last)
    {
        if (lateChargeWaits)
        {
            lateChargeWaits = false;
            world.After(world.Between(0, last.TotalSeconds * 0.9), () => Charge(late: true));
        }
    }

    public Verdict Query() => world.Fault(0.08) ? Verdict.Unknown : standing switch
    {
        Standing.Nothing => Verdict.NotFound,
        _ when world.Now < foundFrom => Verdict.NotFound,
        Standing.Waiting => Verdict.Pending,
        Standing.Refused => Verdict.Declined,
        Standing.Closed => Verdict.Closed,
        _ when NetFen == 0 => refunds.Count > 0 ? Verdict.Refunded : Verdict.Reversed,

        // As WeChat does: "refunded" of an order of which a part was.
        _ when NetFen < chargedFen && world.Chance(0.3) => Verdict.Refunded,
        _ => Verdict.Approved,
    };

    public Verdict Reverse()
    {
        switch (standing)
        {
            case Standing.Waiting when reversalsThatDoNothing-- <= 0:
                standing = Standing.Closed;
                notify(null, Verdict.Closed);
                return Verdict.Closed;
            case Standing.Charged when NetFen > 0:
                if (reversesLate)
                {
                    // Answered now, done some time later, as a queue in the bank does it.
                    world.After(world.Between(1, 300), () => GiveBack(NetFen));
                }
                else if (reversalsThatDoNothing-- <= 0)
                {
                    GiveBack(chargedFen);
                    notify(null, Verdict.Reversed);
                }

                return Verdict.Reversed;
            default:
                // Nothing there (yet): it is answered and stops nothing.
                return Verdict.Closed;
        }
    }

    public Verdict Refund(string refund, long fen)
    {
        if (refunds.TryGetValue(refund, out var before))
        {
            Require(before == fen, $"refund {refund} was {before} fen and is asked for again with {fen}");
            return Verdict.Refunded;
        }

        if (standing != Standing.Charged || NetFen < fen)
        {
            return Verdict.RefundFailed;
        }

        if (world.Fault(0.2))
        {
            return Verdict.Unknown;
        }

        refunds.Add(refund, fen);
        GiveBack(fen);
        notify(refund, Verdict.Refunded);
        return world.Fault(0.2) ? Verdict.Pending : Verdict.Refunded;
    }

    public Verdict QueryRefund(string refund) => refunds.ContainsKey(refund) ? Verdict.Refunded : Verdict.NotFound;

    private Verdict Arrive()
    {
        switch (journey)
        {
            case Journey.Refused:
                standing = Standing.Refused;
                return Verdict.Declined;
            case Journey.Password or Journey.PasswordRefused or Journey.PasswordForgotten:
                standing = Standing.Waiting;
                if (journey != Journey.PasswordForgotten)
                {
                    world.After(world.Between(1, 60), Typed);
                }

                return Verdict.Pending;
            default:
                foundFrom = world.Chance(0.2) ? world.Now + world.Between(0, 20) : world.Now;
                Charge();
                return Verdict.Approved;
        }
    }

    private void Typed()
    {
        if (standing != Standing.Waiting)
        {
            return;
        }

        if (journey == Journey.Password)
        {
            Charge();
        }
        else
        {
            standing = Standing.Refused;
            notify(null, Verdict.Declined);
        }
    }

    private void Charge(bool late = false)
    {
        Require(chargedFen == 0, "one order was charged twice");
        Require(late || ledger.State?.AttemptOf(number) is { IsPossiblyCharged: true }, "I5: the attempt was settled while its request could still be carried out");
        (standing, chargedFen) = (Standing.Charged, amountFen);
        world.Log($"bank: CHARGED {amountFen} of {number}");
        notify(null, Verdict.Approved);
    }

    private void GiveBack(long fen)
    {
        returnedFen += fen;
        Require(returnedFen <= chargedFen, "I8: more was given back than taken");
        world.Log($"bank: gave back {fen} of {number}");
    }
}
