using DeviceHub.Core.Payments;

namespace DeviceHub.Storage;

/// <summary>
/// Payments as their last commits left them, for who follows the ledger: folding them from their entries again costs more than writing what is
/// made of them. Nothing depends on it: what is not here is read. Any thread may call it.
/// </summary>
/// <param name="limit">Payments at most. One more, and all are dropped: nobody is taking them.</param>
internal sealed class LedgerTail(int limit)
{
    private readonly Lock sync = new();
    private readonly Dictionary<PaymentId, (int Version, PaymentState State)> states = [];

    /// <summary>Entries whose commit is durable.</summary>
    public void Add(List<LedgerItem> batch)
    {
        lock (sync)
        {
            foreach (var item in batch)
            {
                if (item is { Result: WriteResult.Written, After: { } state })
                {
                    if (states.Count >= limit)
                    {
                        states.Clear();
                    }

                    states[item.Id] = (item.Version, state);
                }
            }
        }
    }

    /// <summary>The payment at this version or a later one, once.</summary>
    public bool TryTake(PaymentId id, long version, out (int Version, PaymentState State) found)
    {
        lock (sync)
        {
            return states.Remove(id, out found) && found.Version >= version;
        }
    }
}
