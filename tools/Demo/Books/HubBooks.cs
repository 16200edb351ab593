using DeviceHub.Channels.Sandbox;
using DeviceHub.Core.Payments;
using DeviceHub.Storage;
using DeviceHub.Tools.VirtualTerminals;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace DeviceHub.Tools.Demo.Books;

/// <summary>Reads a hub's ledger and the bank's book, and compares them with the terminals' book.</summary>
/// <param name="hub">The hub's services, or those of its storage alone over the data folder of a hub in another process.</param>
/// <param name="bank">Reads the bank's book.</param>
/// <param name="fleet">Serial numbers of the terminals that keep <paramref name="book"/>.</param>
internal sealed class HubBooks(
    IServiceProvider hub, Func<Task<IReadOnlyCollection<SandboxCharge>>> bank, TerminalBook book, IEnumerable<string> fleet, DateTimeOffset since)
{
    private readonly IPaymentLedger ledger = hub.GetRequiredService<IPaymentLedger>();
    private readonly HubReads reads = hub.GetRequiredService<HubReads>();

    /// <summary>Payments that were at rest when they were read: while the demo runs they are not read again.</summary>
    private readonly Dictionary<PaymentId, LedgerPayment> atRest = [];

    private readonly HashSet<PaymentId> known = [];
    private readonly HashSet<string> serialNumbers = [.. fleet];

    /// <summary>The ledger's payments as they were last read.</summary>
    public IReadOnlyList<LedgerPayment> Payments { get; private set; } = [];

    /// <summary>All that the terminals, the ledger and the bank know, read anew.</summary>
    public async Task<IReadOnlyList<Difference>> CompareAll()
    {
        atRest.Clear();
        var listed = await reads.Search(async (db, stop) => await db.Payments.AsNoTracking().Select(p => new { p.SerialNumber, p.RequestId }).ToListAsync(stop));
        known.UnionWith(listed.Select(p => new PaymentId(p.SerialNumber, p.RequestId)));
        return await CompareKnown();
    }

    /// <summary>
    /// What the terminals of this run know and what was listed before; cheap enough to be asked every moment. While payments run the order
    /// of reading matters: what a terminal was told is older than the ledger's word, and that than the bank's. Only an order that the
    /// bank had before all of that can be one that nobody knows.
    /// </summary>
    public async Task<IReadOnlyList<Difference>> CompareKnown()
    {
        var before = (await bank()).Select(c => c.Order).ToHashSet();
        var entries = book.Entries;
        known.UnionWith(entries.Select(e => new PaymentId(e.SerialNumber, e.RequestId)));
        var due = (await ledger.Due(DateTimeOffset.MaxValue, int.MaxValue)).ToHashSet();
        var payments = new List<LedgerPayment>(known.Count);
        foreach (var id in known)
        {
            if ((atRest.GetValueOrDefault(id) ?? await Read(id, due.Contains(id))) is { } payment)
            {
                payments.Add(payment);
            }
        }

        Payments = payments;
        var orders = payments.SelectMany(p => p.ChannelOrders).ToHashSet();
        var charges = (await bank()).Where(c => before.Contains(c.Order) || orders.Contains(c.Order)).ToList();
        return Comparison.Of(entries, payments, charges, serialNumbers, since);
    }

    private async Task<LedgerPayment?> Read(PaymentId id, bool isDue)
    {
        if (await ledger.Read(id) is not { } history)
        {
            return null;
        }

        var payment = LedgerPayment.Of(id, history, isDue);
        if (payment.IsAtRest)
        {
            atRest[id] = payment;
        }

        return payment;
    }
}
