using System.Collections.Concurrent;
using DeviceHub.ClusterTests.Charges;
using DeviceHub.Core.Payments;

namespace DeviceHub.ClusterTests.Payments;

/// <summary>The ledger's contract in memory, through its stored format, with faults that a test turns on.</summary>
internal sealed class MemoryLedger : IPaymentLedger
{
    private readonly Lock gate = new();
    private readonly Dictionary<PaymentId, List<byte[]>> rows = [];
    private readonly Dictionary<(string, string), (PaymentId Id, bool Paid)> orders = [];
    private readonly Dictionary<PaymentId, (LedgerAccept Accept, PaymentStanding Standing, DateTimeOffset? Due)> live = [];

    /// <summary>What its payments consume; null: a test without charges.</summary>
    public MemoryCharges? Charges { get; init; }

    /// <summary>Answers to give instead of writing; taken one by one.</summary>
    public ConcurrentQueue<WriteResult> Faults { get; } = new();

    /// <summary>Thrown by the next append: what nobody foresaw.</summary>
    public Exception? Broken { get; set; }

    /// <summary>Reads to fail, as a busy pool does.</summary>
    public int ReadFaults { get; set; }

    /// <summary>Payments that are due for ever and cannot be read.</summary>
    public List<PaymentId> Unreadable { get; } = [];

    /// <summary>Completed when the next payment becomes final.</summary>
    public TaskCompletionSource<PaymentId> NextFinal { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Holds the next accept at its commit until the test lets it go.</summary>
    public (TaskCompletionSource Reached, TaskCompletionSource Release)? Held { get; set; }

    /// <summary>Holds the next look for a terminal's unsettled payments when it has read.</summary>
    public (TaskCompletionSource Reached, TaskCompletionSource Release)? HeldUnsettled { get; set; }

    public int Appends { get; private set; }

    public async ValueTask<AcceptAnswer> Accept(LedgerAccept accept, CancellationToken withdraw)
    {
        if (Held is { } held)
        {
            Held = null;
            held.Reached.SetResult();
            await held.Release.Task;
        }

        return await Write(accept);
    }

    private ValueTask<AcceptAnswer> Write(LedgerAccept accept)
    {
        if (Faults.TryDequeue(out var fault) && fault != WriteResult.Written)
        {
            return new(new AcceptAnswer(fault));
        }

        lock (gate)
        {
            if (rows.ContainsKey(accept.Id))
            {
                return new(new AcceptAnswer(WriteResult.Conflict));
            }

            var order = accept.OrderNumber is { } number && orders.TryGetValue((accept.MerchantId, number), out var taken) ? taken : default;
            if (!order.Paid && accept.ChargeId is not null && Charges!.Judge(accept) is (false, var other))
            {
                return new(new AcceptAnswer(WriteResult.Conflict, AcceptCollision.ChargeClosed, other));
            }

            if (order != default)
            {
                return new(new AcceptAnswer(WriteResult.Conflict, order.Paid ? AcceptCollision.OrderPaid : AcceptCollision.OrderOpen, order.Id));
            }

            foreach (var (id, alike) in live)
            {
                if (accept.DuplicatesSince is { } since && id.SerialNumber == accept.Id.SerialNumber && alike.Accept.OrderNumber is null
                    && alike.Accept.AmountFen == accept.AmountFen && alike.Accept.AcceptedAt >= since
                    && id.RequestId != accept.DuplicateAllowed && !(alike.Standing.Final is not null && alike.Standing.Shown))
                {
                    return new(new AcceptAnswer(WriteResult.Conflict, AcceptCollision.PossibleDuplicate, id));
                }
            }

            if (accept.OrderNumber is { } taking)
            {
                orders[(accept.MerchantId, taking)] = (accept.Id, false);
            }

            if (accept.ChargeId is { } chargeId)
            {
                Charges!.Consume(chargeId, accept.Id);
            }

            rows[accept.Id] = [PaymentEventJson.Write(accept.Events)];
            live[accept.Id] = (accept, new PaymentStanding(null, false, false), accept.Due);
            return new(new AcceptAnswer(WriteResult.Written));
        }
    }

    public ValueTask<WriteResult> Append(LedgerAppend append)
    {
        if (Broken is { } broken)
        {
            Broken = null;
            throw broken;
        }

        if (Faults.TryDequeue(out var fault) && fault != WriteResult.Written)
        {
            return new(fault);
        }

        lock (gate)
        {
            if (rows[append.Id].Count != append.Version - 1)
            {
                return new(WriteResult.Conflict);
            }

            rows[append.Id].Add(PaymentEventJson.Write(append.Events));
            var accept = live[append.Id].Accept;
            live[append.Id] = (accept, append.Standing, append.Due);
            if (accept.OrderNumber is { } number && append.Standing.Final is not null)
            {
                if (append.Standing.Paid)
                {
                    orders[(accept.MerchantId, number)] = (append.Id, true);
                }
                else
                {
                    orders.Remove((accept.MerchantId, number));
                }
            }

            if (append.ChargeId is { } chargeId)
            {
                Charges!.MakeDue(chargeId);
            }

            Appends++;
            if (append.Standing.Final is not null)
            {
                NextFinal.TrySetResult(append.Id);
            }

            return new(WriteResult.Written);
        }
    }

    public ValueTask<LedgerHistory?> Read(PaymentId id)
    {
        lock (gate)
        {
            if (Unreadable.Contains(id) || ReadFaults-- > 0)
            {
                throw new TimeoutException("all readers were busy");
            }

            ReadFaults = 0;
            return new(rows.TryGetValue(id, out var bodies)
                ? new LedgerHistory(bodies.Count, [.. bodies.SelectMany(b => PaymentEventJson.Read(b))])
                : null);
        }
    }

    public ValueTask<PaymentId?> FindByChannelOrder(string channelOrderNumber)
    {
        lock (gate)
        {
            foreach (var (id, bodies) in rows)
            {
                if (bodies.SelectMany(b => PaymentEventJson.Read(b)).OfType<AttemptStarted>().Any(a => a.ChannelOrderNumber == channelOrderNumber))
                {
                    return new(id);
                }
            }

            return new((PaymentId?)null);
        }
    }

    public async ValueTask<IReadOnlyList<PaymentId>> Unsettled(string serialNumber, DateTimeOffset since, int limit)
    {
        IReadOnlyList<PaymentId> found;
        lock (gate)
        {
            found = [.. live.Where(l => l.Key.SerialNumber == serialNumber && !l.Key.IsTest && !(l.Value.Standing.Final is not null && l.Value.Standing.Shown))
                .OrderByDescending(l => l.Value.Accept.AcceptedAt).Take(limit).Select(l => l.Key)];
        }

        if (HeldUnsettled is { } held)
        {
            HeldUnsettled = null;
            held.Reached.SetResult();
            await held.Release.Task;
        }

        return found;
    }

    public ValueTask<IReadOnlyList<PaymentId>> Due(DateTimeOffset now, int limit)
    {
        lock (gate)
        {
            return new([.. Unreadable, .. live.Where(l => l.Value.Due <= now).OrderBy(l => l.Value.Due).Take(limit).Select(l => l.Key)]);
        }
    }
}
