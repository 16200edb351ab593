using DeviceHub.Core.Payments;

namespace DeviceHub.SimulationTests;

internal enum Journey { Arrives, ReplyLost, ReplySlow, ArrivesLate, NeverArrives, Refused, Rerouteable, Password, PasswordRefused, PasswordForgotten, ChargesAfterSettled }

/// <summary>A bank and the way to it, with every fault that PAYMENTS names. It knows one order number an attempt.</summary>
internal sealed class SimulatedBank(World world, PaymentOptions options, SimulatedLedger ledger) : ISimulatedChannel
{
    private readonly HashSet<string> paid = [];
    private readonly HashSet<string> refunds = [];

    /// <summary>Now and then nothing gets through for up to 20 minutes, longer than an idle activation lives.</summary>
    private readonly TimeSpan outageFrom = world.Between(1, 120);
    private readonly TimeSpan outageFor = world.Chance(0.1) ? world.Between(60, 1200) : TimeSpan.Zero;
    private Standing standing;
    private long chargedFen;
    private long returnedFen;
    private int reversalsThatDoNothing;
    private bool reversesLate;
    private TimeSpan foundFrom;
    private bool lateChargeWaits;

    private enum Standing { Nothing, Waiting, Charged, Refused, Closed }

    public long NetFen => chargedFen - returnedFen;

    public bool Charged => standing == Standing.Charged && NetFen > 0;

    public Journey Journey { get; private set; }

    /// <summary>The answer comes through <paramref name="answer"/>, or never.</summary>
    public void Call(EffectKind kind, string orderNumber, string? refundNumber, long amountFen, Action<ChannelVerdict> answer)
    {
        if (kind == EffectKind.Pay)
        {
            Pay(orderNumber, amountFen, answer);
            return;
        }

        world.After(world.Fault(0.03) ? world.Between(5, 600) : world.Between(0.01, 0.3), () =>
        {
            if (world.Fault(0.08) || (world.Now >= outageFrom && world.Now < outageFrom + outageFor))
            {
                world.Log($"bank: {kind} never arrived");
                return;
            }

            var verdict = kind switch
            {
                EffectKind.Query => Query(),
                EffectKind.Reverse => Reverse(),
                EffectKind.Refund => Refund(refundNumber!, amountFen),
                _ => refunds.Contains(refundNumber!) ? Verdict.Refunded : Verdict.NotFound,
            };
            var lost = world.Fault(0.08);
            world.Log($"bank: {kind} -> {verdict}{(lost ? ", the answer is lost" : "")}; net {NetFen}");
            if (!lost)
            {
                world.After(world.Fault(0.05) ? world.Between(5, 600) : world.Between(0.01, 0.3), () => answer(new(verdict, verdict.ToString())));
            }
        });
    }

    /// <summary>The payment was settled on "not found": now a request that nobody could stop is carried out.</summary>
    public void Settled(long amountFen)
    {
        if (lateChargeWaits)
        {
            lateChargeWaits = false;
            var last = options.LateChecks[^1].TotalSeconds;
            world.After(world.Between(0, last * 0.9), () => Charge(amountFen, late: true));
        }
    }

    private void Pay(string orderNumber, long amountFen, Action<ChannelVerdict> answer)
    {
        Require(paid.Add(orderNumber), "Pay was called twice for one attempt");
        Require(ledger.HasBegun(orderNumber), "I3: Pay was called before its attempt was in the ledger");
        Journey = (Journey)world.Pick(Enum.GetValues<Journey>().Length);
        reversalsThatDoNothing = world.Chance(0.2) ? world.Pick(7) : 0;
        reversesLate = world.Chance(0.1);
        world.Log($"bank: Pay {Journey}");
        var code = options.CodeLifetime.TotalSeconds + options.PayDeadline.TotalSeconds;
        var arrival = Journey == Journey.ArrivesLate ? world.Between(0, code) : world.Between(0.01, 1);
        var way = Journey == Journey.ReplySlow ? world.Between(5, 60) : world.Between(0.01, 1);
        if (Journey is Journey.NeverArrives or Journey.ChargesAfterSettled)
        {
            lateChargeWaits = Journey == Journey.ChargesAfterSettled;
            return;
        }

        if (Journey == Journey.Rerouteable)
        {
            world.After(arrival, () => answer(new(Verdict.Rerouteable, "unreachable")));
            return;
        }

        world.After(arrival, () =>
        {
            var verdict = Arrive(amountFen);
            if (Journey is not (Journey.ReplyLost or Journey.ArrivesLate) && !world.Fault(0.05))
            {
                world.After(way, () => answer(new(verdict, verdict.ToString(), PaidFen: verdict == Verdict.Approved ? amountFen : 0)));
            }
        });
    }

    private Verdict Arrive(long amountFen)
    {
        switch (Journey)
        {
            case Journey.Refused:
                standing = Standing.Refused;
                return Verdict.Declined;
            case Journey.Password or Journey.PasswordRefused or Journey.PasswordForgotten:
                standing = Standing.Waiting;
                if (Journey != Journey.PasswordForgotten)
                {
                    world.After(world.Between(1, 60), () => Typed(amountFen));
                }

                return Verdict.Pending;
            default:
                foundFrom = world.Chance(0.2) ? world.Now + world.Between(0, 20) : world.Now;
                Charge(amountFen);
                return Verdict.Approved;
        }
    }

    private void Typed(long amountFen)
    {
        if (standing != Standing.Waiting)
        {
            return;
        }

        if (Journey == Journey.Password)
        {
            Charge(amountFen);
        }
        else
        {
            standing = Standing.Refused;
        }
    }

    private void Charge(long amountFen, bool late = false)
    {
        Require(chargedFen == 0, "the payer was charged twice");
        Require(late || ledger.State is not { IsFinal: true }, "I5: the payment was settled while its request could still be carried out");
        (standing, chargedFen) = (Standing.Charged, amountFen);
        world.Log($"bank: CHARGED {amountFen}");
    }

    private Verdict Query() => world.Fault(0.08) ? Verdict.Unknown : standing switch
    {
        Standing.Nothing => Verdict.NotFound,
        _ when world.Now < foundFrom => Verdict.NotFound,
        Standing.Waiting => Verdict.Pending,
        Standing.Refused => Verdict.Declined,
        Standing.Closed => Verdict.Closed,
        _ when NetFen == 0 => refunds.Count > 0 ? Verdict.Refunded : Verdict.Reversed,
        _ => Verdict.Approved,
    };

    private Verdict Reverse()
    {
        switch (standing)
        {
            case Standing.Waiting when reversalsThatDoNothing-- <= 0:
                standing = Standing.Closed;
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
                }

                return Verdict.Reversed;
            default:
                // Nothing there (yet): it is answered and stops nothing.
                return Verdict.Closed;
        }
    }

    private Verdict Refund(string number, long amountFen)
    {
        if (refunds.Contains(number))
        {
            return Verdict.Refunded;
        }

        if (standing != Standing.Charged || NetFen < amountFen)
        {
            return Verdict.RefundFailed;
        }

        if (world.Fault(0.2))
        {
            return Verdict.Unknown;
        }

        refunds.Add(number);
        GiveBack(amountFen);
        return world.Fault(0.2) ? Verdict.Pending : Verdict.Refunded;
    }

    private void GiveBack(long amountFen)
    {
        returnedFen += amountFen;
        Require(returnedFen <= chargedFen, "I8: more was given back than taken");
        world.Log($"bank: gave back {amountFen}");
    }

    private static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvariantBrokenException(what);
        }
    }
}
