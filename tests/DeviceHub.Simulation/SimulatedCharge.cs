using DeviceHub.Core.Charges;
using DeviceHub.Core.Payments;
using static DeviceHub.Simulation.InvariantBrokenException;

namespace DeviceHub.Simulation;

/// <summary>
/// A charge of the till, which a payment answers: its row, the activations that decide upon it, slow and at once, and what the till was told. The
/// store's Accept consumes the row.
/// </summary>
internal sealed class SimulatedCharge
{
    public const string Id = "c00000000001";
    private static readonly ChargeOptions Options = new();

    private readonly World world;
    private readonly Seams seams;
    private readonly List<ShopPayment> payments;

    /// <summary>The charge's own clock: wall time that was read once.</summary>
    private readonly DateTimeOffset anchor;
    private Charge row;
    private ChargeEnd told;

    public SimulatedCharge(World world, Seams seams, List<ShopPayment> payments, PaymentId first, string order, long amountFen)
    {
        (this.world, this.seams, this.payments, anchor) = (world, seams, payments, world.Wall - world.Now);
        row = new Charge
        {
            Id = Id, SerialNumber = first.SerialNumber, MerchantId = "M1", StoreId = "S1", OrderNumber = order, AmountFen = amountFen, IdempotencyKey = "key", By = "key:till",
            CreatedAt = At, ExpiresAt = At.AddSeconds(60), Stage = ChargeStage.Sent, Version = 1,
        };
    }

    private DateTimeOffset At => anchor + world.Now;

    /// <summary>The terminal answers, or not; the till cancels, or not.</summary>
    public void Begin()
    {
        world.After(world.Between(0.1, world.Chance(0.8) ? 2 : 5), () => Feed(new ChargeInput.Collecting()));
        for (var cancels = world.Pick(3); cancels > 0; cancels--)
        {
            world.After(world.Between(0, 70), Cancel);
        }

        if (world.Chance(0.1))
        {
            world.After(world.Between(1, 40), () => Feed(new ChargeInput.EndedAtTerminal(ChargeEnd.CancelledAtTerminal)));
        }

        world.After(Options.SweepEvery, Sweep);
    }

    /// <summary>By the till.</summary>
    public void Cancel() => Feed(new ChargeInput.Cancel());

    public bool IsOpenFor(LedgerAccept accept) =>
        row.IsOpen && row.SerialNumber == accept.Id.SerialNumber && row.AmountFen == accept.AmountFen && row.OrderNumber == accept.OrderNumber && row.ExpiresAt > At;

    public void Consume(PaymentId by)
    {
        world.Log($"charge: consumed by {by}");
        row = row with { Stage = ChargeStage.Paying, Payment = by.ToString(), Version = row.Version + 1 };
    }

    /// <summary>At rest: one payment answered it and its end is the charge's, or none did and the till was told so.</summary>
    public void Check()
    {
        var answers = payments.Where(p => p.Ledger.State?.Accepted.ChargeId is not null).ToList();
        Require(answers.Count <= 1, "a charge was answered by two payments");
        Require(row.Stage == ChargeStage.Closed && told == row.Ended, $"the charge ends {row.Stage}, {row.Ended}, and the till was told {told}");
        if (answers is [var answer])
        {
            var result = answer.Ledger.State!.Outcome!.Result;
            Require(row.Payment == answer.Id.ToString() && row.Ended.ToString() == (result == PaymentResult.Approved ? "Paid" : result.ToString()),
                $"the till was told that its charge is {told}, and its payment {answer.Id} is {result}");
        }
        else
        {
            Require(row.Ended > ChargeEnd.Refunded, $"the till was told that its charge is {told}, and nobody paid it");
        }
    }

    public string Seen => $"charge {row.Ended}";

    /// <summary>Decided upon what was read, written some time later: by version, as the store does.</summary>
    private void Feed(ChargeInput input)
    {
        var read = row;
        world.After(world.Between(0, 0.3), () =>
        {
            var decision = ChargeDecisions.Decide(read, input, At, Options);
            if (decision.Charge != read)
            {
                if (world.Fault(0.05))
                {
                    return;
                }

                if (row.Version != read.Version && !seams.IgnoresChargeVersions)
                {
                    Feed(input);
                    return;
                }

                row = decision.Charge with { Version = row.Version + 1 };
                world.Log($"charge: {row.Stage} {row.Ended} by {input.GetType().Name}");
            }

            told = row.Stage == ChargeStage.Closed ? row.Ended : told;
            if (decision.Effects.HasFlag(ChargeEffects.CancelPayment))
            {
                payments.Single(p => p.Id.ToString() == row.Payment).Feed(new PaymentInput.Cancel("key:till"));
            }
        });
    }

    /// <summary>Wakes it when the ledger has an outcome that it does not: the row is due then, for as long as that takes. False: it knows.</summary>
    public bool Wake()
    {
        var payment = payments.Find(p => p.Id.ToString() == row.Payment);
        if (payment?.Ledger.State is not { Outcome: { } outcome } state || outcome.Revision <= row.Revision)
        {
            return false;
        }

        Feed(new ChargeInput.PaymentIs(state.View()));
        return true;
    }

    private void Sweep()
    {
        if (!Wake() && row.IsOpen)
        {
            Feed(new ChargeInput.Tick());
        }

        if (!world.Calm || row.IsOpen)
        {
            world.After(row.IsOpen ? Options.SweepEvery : TimeSpan.FromSeconds(20), Sweep);
        }
    }
}
