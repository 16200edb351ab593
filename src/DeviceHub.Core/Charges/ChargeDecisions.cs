using DeviceHub.Core.Payments;

namespace DeviceHub.Core.Charges;

/// <summary>What the shell tells the decision core.</summary>
public abstract record ChargeInput
{
    /// <summary>The terminal says that it collects.</summary>
    public sealed record Collecting : ChargeInput;

    /// <summary>The terminal says that it collects no more.</summary>
    public sealed record EndedAtTerminal(ChargeEnd End) : ChargeInput;

    /// <summary>The till wants it undone.</summary>
    public sealed record Cancel : ChargeInput;

    /// <summary>The ledger refused a payment that names it: the request's order, which may be another one than the charge's, is paid.</summary>
    public sealed record OrderPaid(PaymentView By) : ChargeInput;

    /// <summary>How the payment stands that has consumed it.</summary>
    public sealed record PaymentIs(PaymentView View) : ChargeInput;

    /// <summary>Time passed.</summary>
    public sealed record Tick : ChargeInput;
}

/// <summary>What is to be done after the charge is written.</summary>
[Flags]
public enum ChargeEffects
{
    None = 0,

    /// <summary>Ask the terminal to collect.</summary>
    Collect = 1,

    /// <summary>Tell the terminal to collect no more.</summary>
    CancelCollect = 2,

    /// <summary>The charge is a payment by now: its cancel.</summary>
    CancelPayment = 4,
}

/// <param name="Charge">Equal to the one that was decided upon: nothing is to be written.</param>
public sealed record ChargeDecision(Charge Charge, ChargeEffects Effects);

/// <summary>The pure decision core of a charge: no clock, no I/O, no Orleans. That a payment consumes it is the ledger's doing.</summary>
public static class ChargeDecisions
{
    public static ChargeDecision Decide(Charge charge, ChargeInput input, DateTimeOffset now, ChargeOptions options)
    {
        // What time alone has done comes first: a late word of the terminal is late.
        var effects = ChargeEffects.None;
        if (charge.IsOpen && now >= Deadline(charge, options))
        {
            charge = Close(charge, now >= charge.ExpiresAt ? ChargeEnd.Expired : ChargeEnd.Unreachable, now);
            effects = ChargeEffects.CancelCollect;
        }

        return input switch
        {
            ChargeInput.Collecting when charge.Stage == ChargeStage.Sent => new(charge with { Stage = ChargeStage.Collecting, CollectingAt = now }, effects),
            ChargeInput.EndedAtTerminal ended when charge.IsOpen => new(Close(charge, ended.End, now), effects),
            ChargeInput.Cancel when charge.IsOpen => new(Close(charge, ChargeEnd.Cancelled, now), effects | ChargeEffects.CancelCollect),
            ChargeInput.Cancel when charge.Stage == ChargeStage.Paying => new(charge, effects | ChargeEffects.CancelPayment),
            ChargeInput.OrderPaid { By: var by } when charge.IsOpen && by.OrderNumber == charge.OrderNumber =>
                new(Close(charge, ChargeEnd.OrderPaid, now) with { Payment = by.Id.ToString() }, effects),
            ChargeInput.PaymentIs { View: var view } when Tells(charge, view) => new(Settle(charge, view), effects),
            ChargeInput.Tick when charge.Stage == ChargeStage.Sent && now >= Repeat(charge, options) => new(charge, effects | ChargeEffects.Collect),
            _ => new(charge, effects),
        };
    }

    /// <summary>When the charge is to be looked at next; null: somebody else will say.</summary>
    public static DateTimeOffset? Next(Charge charge, DateTimeOffset now, ChargeOptions options) =>
        !charge.IsOpen ? null
        : charge.Stage == ChargeStage.Sent && now < Repeat(charge, options) ? Repeat(charge, options)
        : Deadline(charge, options);

    /// <summary>When time closes an open charge.</summary>
    public static DateTimeOffset Deadline(Charge charge, ChargeOptions options)
    {
        var reached = charge.CreatedAt + options.CollectingWait;
        return charge.Stage == ChargeStage.Sent && reached < charge.ExpiresAt ? reached : charge.ExpiresAt;
    }

    private static DateTimeOffset Repeat(Charge charge, ChargeOptions options) => charge.CreatedAt + (options.CollectingWait / 2);

    private static Charge Close(Charge charge, ChargeEnd end, DateTimeOffset now) => charge with { Stage = ChargeStage.Closed, Ended = end, EndedAt = now };

    /// <summary>An outcome of the payment that consumed it, and news.</summary>
    private static bool Tells(Charge charge, PaymentView view) =>
        charge.Stage is ChargeStage.Paying or ChargeStage.Closed && charge.Ended != ChargeEnd.OrderPaid && charge.Payment == view.Id.ToString()
        && view.Stage == PaymentStage.Final && view.Revision > charge.Revision;

    private static Charge Settle(Charge charge, PaymentView view) => charge with
    {
        Stage = ChargeStage.Closed,
        Ended = view.Result switch
        {
            PaymentResult.Approved => ChargeEnd.Paid,
            PaymentResult.Declined => ChargeEnd.Declined,
            PaymentResult.Refunded => ChargeEnd.Refunded,
            _ => ChargeEnd.NotCharged,
        },
        EndedAt = charge.EndedAt ?? view.FinalAt,
        Revision = view.Revision,
    };
}
