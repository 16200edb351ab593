using DeviceHub.Channels.Sandbox;
using DeviceHub.Core.Payments;
using DeviceHub.Tools.VirtualTerminals;

namespace DeviceHub.Tools.Demo.Books;

public enum Fault
{
    /// <summary>A terminal was told that the hub has it, or the bank has an order of it, and the ledger does not know it.</summary>
    Lost,

    /// <summary>The customer paid more than once for it.</summary>
    DoubleCharged,

    /// <summary>Two books say different things about it, or a terminal was told two different things.</summary>
    Mismatched,

    /// <summary>Not finished: the terminal waits, the ledger has no outcome or has work to do, or the bank may still charge.</summary>
    Unsettled,
}

/// <param name="Subject">A payment's id, or an order of the bank or of a merchant.</param>
public sealed record Difference(Fault Fault, string Subject, string What);

/// <summary>What three books that were kept apart from each other say against each other: the terminals', the ledger, and the bank's.</summary>
public sealed class Comparison
{
    private readonly IReadOnlyCollection<BookEntry> terminals;
    private readonly IReadOnlyCollection<LedgerPayment> ledger;
    private readonly IReadOnlyCollection<SandboxCharge> bank;
    private readonly IReadOnlySet<string> fleet;
    private readonly DateTimeOffset since;
    private readonly List<Difference> found = [];

    private Comparison(
        IReadOnlyCollection<BookEntry> terminals,
        IReadOnlyCollection<LedgerPayment> ledger,
        IReadOnlyCollection<SandboxCharge> bank,
        IReadOnlySet<string> fleet,
        DateTimeOffset since) =>
        (this.terminals, this.ledger, this.bank, this.fleet, this.since) = (terminals, ledger, bank, fleet, since);

    /// <summary>Every difference; none: all payments are settled and the three books agree to the fen.</summary>
    /// <param name="fleet">Serial numbers of the terminals that keep this book; others may pay too, and are compared with the bank alone.</param>
    /// <param name="since">Payments accepted before it may be unknown to the terminals' book, which begins with each run.</param>
    public static IReadOnlyList<Difference> Of(
        IReadOnlyCollection<BookEntry> terminals,
        IReadOnlyCollection<LedgerPayment> ledger,
        IReadOnlyCollection<SandboxCharge> bank,
        IReadOnlySet<string> fleet,
        DateTimeOffset since)
    {
        var comparison = new Comparison(terminals, ledger, bank, fleet, since);
        comparison.TerminalsWithLedger();
        comparison.LedgerWithBank();
        comparison.OrdersPaidTwice();
        return comparison.found;
    }

    /// <summary>How many payments or orders have such a fault.</summary>
    public static int Count(IEnumerable<Difference> differences, Fault fault) =>
        differences.Where(d => d.Fault == fault).DistinctBy(d => d.Subject).Count();

    private void TerminalsWithLedger()
    {
        var known = ledger.ToDictionary(p => p.Id);
        foreach (var entry in terminals)
        {
            var id = new PaymentId(entry.SerialNumber, entry.RequestId);
            if (entry.Contradiction is { } contradiction)
            {
                Add(Fault.Mismatched, id, "the terminal was " + contradiction);
            }

            if (known.Remove(id, out var payment))
            {
                Compare(entry, payment);
            }
            else if (entry.IsAcknowledged)
            {
                Add(Fault.Lost, id, $"the terminal was told {entry.Told}; the ledger does not know it");
            }
            else if (!entry.IsSettled)
            {
                Add(Fault.Unsettled, id, "the terminal has no answer");
            }
        }

        foreach (var payment in known.Values.Where(p => p.AcceptedAt >= since && fleet.Contains(p.Id.SerialNumber)))
        {
            Add(Fault.Mismatched, payment.Id, "in the ledger; no terminal asked for it");
        }
    }

    private void Compare(BookEntry entry, LedgerPayment payment)
    {
        if (entry.AmountFen != payment.AmountFen)
        {
            Add(Fault.Mismatched, payment.Id, $"scanned with {entry.AmountFen} fen, in the ledger with {payment.AmountFen}");
        }

        if (entry.Told == Told.Refused || entry.Revision > payment.Revision
            || (entry.Revision > 0 && entry.Revision == payment.Revision && entry.Told != ToldOf(payment.Result)))
        {
            Add(Fault.Mismatched, payment.Id, $"the terminal was told {entry.Told} (revision {entry.Revision}), the ledger has {payment.Result} ({payment.Revision})");
        }
        else if (!entry.IsSettled || entry.Revision < payment.Revision)
        {
            Add(Fault.Unsettled, payment.Id, $"the terminal was told {entry.Told} (revision {entry.Revision}), the ledger has {payment.Result} ({payment.Revision})");
        }
    }

    private void LedgerWithBank()
    {
        var charges = bank.ToDictionary(c => c.Order);
        foreach (var payment in ledger)
        {
            var taken = new List<SandboxCharge>();
            foreach (var order in payment.ChannelOrders)
            {
                if (charges.Remove(order, out var charge))
                {
                    taken.Add(charge);
                }
            }

            Compare(payment, taken);
        }

        // Also one that took nothing: a number is in the ledger before the bank hears of it (I3).
        foreach (var charge in charges.Values)
        {
            found.Add(new(Fault.Lost, charge.Order, $"the bank has an order that holds {charge.NetFen} fen; the ledger knows no such order"));
        }
    }

    private void Compare(LedgerPayment payment, List<SandboxCharge> taken)
    {
        // Whether another's terminal confirms what it was told is between it and the hub.
        var isDone = payment.IsAtRest || (payment is { Result: not PaymentResult.None, IsDue: false } && !fleet.Contains(payment.Id.SerialNumber));
        var net = taken.Sum(c => c.NetFen);
        var owed = payment.Result == PaymentResult.Approved ? payment.AmountFen - payment.RefundedFen : 0;
        if (net > payment.AmountFen || taken.Sum(c => c.Charges) > 1)
        {
            Add(Fault.DoubleCharged, payment.Id, $"the bank took {net} fen in {taken.Sum(c => c.Charges)} charges for {payment.AmountFen}");
        }
        else if (!isDone || taken.Exists(c => c.Open))
        {
            Add(Fault.Unsettled, payment.Id, $"the ledger has {payment.Result} ({(payment.Shown ? "shown" : "not shown")}), and the bank holds {net} fen");
        }
        else if (net != owed)
        {
            Add(Fault.Mismatched, payment.Id, $"the ledger has {payment.Result} of {payment.AmountFen} fen, {payment.RefundedFen} refunded, and the bank holds {net}");
        }
    }

    /// <summary>A merchant's order number is paid at most once, whatever terminals and request ids asked for it (I13).</summary>
    private void OrdersPaidTwice()
    {
        var twice = ledger.Where(p => p is { Result: PaymentResult.Approved, OrderNumber: not null })
            .GroupBy(p => (p.MerchantId, p.OrderNumber)).Where(g => g.Count() > 1);
        foreach (var order in twice)
        {
            found.Add(new(Fault.DoubleCharged, $"{order.Key.MerchantId}/{order.Key.OrderNumber}", "paid by " + string.Join(" and ", order.Select(p => p.Id))));
        }
    }

    private void Add(Fault fault, PaymentId id, string what) => found.Add(new(fault, id.ToString(), what));

    private static Told ToldOf(PaymentResult result) => result switch
    {
        PaymentResult.Approved => Told.Approved,
        PaymentResult.Declined => Told.Declined,
        PaymentResult.NotCharged => Told.NotCharged,
        PaymentResult.Refunded => Told.Refunded,
        _ => Told.Nothing,
    };
}
