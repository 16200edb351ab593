using System.Collections.Concurrent;
using DeviceHub.Tools.ChannelSandbox.Faults;

namespace DeviceHub.Tools.ChannelSandbox.Bank;

/// <summary>
/// What all channels have in common: orders, charges, reversals and refunds, by the rules that no dialect changes. A code is used once, an
/// order number once; what is closed is never paid; no more is paid back than was charged. Every change is in the book before it is answered.
/// </summary>
internal sealed class Bank
{
    private const int MaxRefundsOfOrder = 50;

    private readonly ConcurrentDictionary<OrderKey, Order> orders = new();
    private readonly ConcurrentDictionary<UInt128, Order> codes = new();
    private readonly ConcurrentDictionary<OrderKey, Refund> refunds = new();
    private readonly List<Order> inOrder = [];
    private readonly DueList due;
    private readonly Book book;
    private readonly SandboxOptions options;
    private readonly ChannelClock clock;
    private long sequence;
    private int count;

    public Bank(Book book, SandboxOptions options, ChannelClock clock)
    {
        (this.book, this.options, this.clock) = (book, options, clock);
        due = new DueList(clock, Settle);
        foreach (var order in book.Replay())
        {
            Remember(order);
            sequence = Math.Max(sequence, order.Refunds.Select(r => r.Sequence).Append(order.Sequence).Max());
        }
    }

    /// <summary>Something that the merchant may be told: of the payment, or of a refund. Called outside of locks.</summary>
    public Action<Order, Refund?>? Happened { get; set; }

    public int Orders => Volatile.Read(ref count);

    public DueList Due => due;

    public PayAnswer Pay(in Payment payment, Fault? fault)
    {
        if (orders.TryGetValue(payment.Key, out var known))
        {
            Settle(known);
            return Again(known, payment);
        }

        if (fault is { IsDone: false })
        {
            return new(PayOutcome.Nothing, null);
        }

        if (Orders >= options.MaxOrders)
        {
            return new(PayOutcome.Full, null);
        }

        var order = New(payment, fault);
        if (!codes.TryAdd(payment.Code, order))
        {
            return new(PayOutcome.CodeUsed, null);
        }

        lock (order)
        {
            if (!orders.TryAdd(payment.Key, order))
            {
                codes.TryRemove(new(payment.Code, order));
                return Again(orders[payment.Key], payment);
            }

            Interlocked.Increment(ref count);
            lock (inOrder)
            {
                inOrder.Add(order);
            }

            book.Write(order);
        }

        due.Add(order);
        if (order.State == OrderState.Paid)
        {
            Happened?.Invoke(order, null);
        }

        return new(Outcome(order), order);
    }

    public QueryAnswer Query(OrderKey key)
    {
        if (Find(key) is not { } order)
        {
            return new(QueryOutcome.NotFound, null);
        }

        lock (order)
        {
            var nth = ++order.Queries;
            return order.Traits.HasFlag(Traits.NotFoundFirst) && nth <= 2 ? new(QueryOutcome.NotFound, null)
                : order.Traits.HasFlag(Traits.QueriesFail) && order.Reversals == 0 ? new(QueryOutcome.SystemError, null)
                : new(QueryOutcome.Found, order);
        }
    }

    /// <summary>How many calls about an order went before; 0 for one that is not known.</summary>
    public int NthCall(OrderKey key)
    {
        if (!orders.TryGetValue(key, out var order))
        {
            return 0;
        }

        lock (order)
        {
            return ++order.Calls;
        }
    }

    /// <summary>The order that a channel's own number stands for. It looks through the whole book.</summary>
    public Order? FindBySequence(Channel channel, string merchant, long number)
    {
        lock (inOrder)
        {
            return inOrder.Find(o => o.Sequence == number && o.Key.Channel == channel && o.Key.Merchant == merchant);
        }
    }

    /// <summary>An order that is seen by merchants; what was due of it is done.</summary>
    public Order? Find(OrderKey key)
    {
        if (!orders.TryGetValue(key, out var order))
        {
            return null;
        }

        Settle(order);
        lock (order)
        {
            return order.Hidden ? null : order;
        }
    }

    /// <param name="early">How long after the payment it is refused; zero: never.</param>
    /// <param name="late">After which age it is refused.</param>
    public ReverseAnswer Reverse(OrderKey key, TimeSpan early, TimeSpan late)
    {
        if (!orders.TryGetValue(key, out var order))
        {
            return new(ReverseOutcome.NotFound, null);
        }

        Settle(order);
        lock (order)
        {
            var now = clock.NowMs;
            if (order.Hidden)
            {
                if (order.Traits.HasFlag(Traits.LateSuccess))
                {
                    order.DueAt = now + (long)options.LateAfter.TotalMilliseconds;
                    book.Write(order);
                    due.Add(order);
                }

                return new(ReverseOutcome.NotFound, null);
            }

            if (order.State == OrderState.Revoked)
            {
                return new(order.WasCharged ? ReverseOutcome.PaidBack : ReverseOutcome.Closed, order);
            }

            var age = now - order.CreatedAt;
            if (age < early.TotalMilliseconds || age > late.TotalMilliseconds)
            {
                return new(age < early.TotalMilliseconds ? ReverseOutcome.TooEarly : ReverseOutcome.TooLate, order);
            }

            return order.Refunds.Any(r => r.State != RefundState.Failed) ? new(ReverseOutcome.Refunded, order) : Revoke(order, now);
        }
    }

    public RefundAnswer Refund(OrderKey key, string number, long fen, string? notifyUrl, bool isV3 = false)
    {
        if (Find(key) is not { } order)
        {
            return new(RefundOutcome.NoOrder, null, null);
        }

        var answer = Refund(order, key with { Number = number }, fen, notifyUrl, isV3);
        if (answer is { Outcome: RefundOutcome.Accepted or RefundOutcome.Lost, Refund.State: not RefundState.Processing })
        {
            Happened?.Invoke(order, answer.Refund);
        }

        return answer;
    }

    public Refund? FindRefund(OrderKey refundKey)
    {
        if (!refunds.TryGetValue(refundKey, out var refund))
        {
            return null;
        }

        Settle(refund.Order);
        return refund;
    }

    /// <summary>Orders from a position, at most so many; a copy.</summary>
    public IReadOnlyList<Order> Page(int from, int most)
    {
        lock (inOrder)
        {
            return inOrder.GetRange(Math.Min(from, inOrder.Count), Math.Min(most, Math.Max(0, inOrder.Count - from)));
        }
    }

    private Order New(in Payment payment, Fault? fault)
    {
        var now = clock.NowMs;
        var order = new Order(payment.Key, payment.Fen, payment.Code, now)
        {
            Sequence = Interlocked.Increment(ref sequence),
            Subject = payment.Subject,
            Application = payment.Application,
            Device = payment.Device,
            Attach = payment.Attach,
            NotifyUrl = payment.NotifyUrl,
            IsV3 = payment.IsV3,
            Traits = fault?.Traits ?? Traits.None,
        };
        var effect = fault?.Effect ?? Effect.Usual;
        if (effect == Effect.Usual)
        {
            effect = options.PasswordAboveFen > 0 && payment.Fen > options.PasswordAboveFen ? Effect.PasswordThenCharge : Effect.Charge;
        }

        (order.State, var next, var after) = effect switch
        {
            Effect.Create => (OrderState.Created, OrderState.Created, null),
            Effect.Refuse => (OrderState.Refused, OrderState.Created, null),
            Effect.Close => (OrderState.Closed, OrderState.Created, null),
            Effect.Revoke => (OrderState.Revoked, OrderState.Created, null),
            Effect.PasswordThenCharge => (OrderState.Waiting, OrderState.Paid, (TimeSpan?)options.PasswordAfter),
            Effect.PasswordThenRefuse => (OrderState.Waiting, OrderState.Refused, options.PasswordAfter),
            Effect.PasswordThenClose => (OrderState.Waiting, OrderState.Closed, options.PasswordAfter),
            Effect.PasswordForEver => (OrderState.Waiting, OrderState.Waiting, null),
            Effect.ChargeLate or Effect.ChargeUnseen => (OrderState.Created, OrderState.Paid, options.LateAfter),
            _ => (OrderState.Paid, OrderState.Created, null),
        };
        order.Hidden = effect == Effect.ChargeUnseen;
        order.ChargedAt = order.State == OrderState.Paid ? now : 0;
        if (after is { } usual && !order.Traits.HasFlag(Traits.LateSuccess))
        {
            order.Next = next;
            order.DueAt = now + (long)(fault?.After ?? usual).TotalMilliseconds;
        }

        order.Next = order.Traits.HasFlag(Traits.LateSuccess) ? OrderState.Paid : order.Next;
        return order;
    }

    private static PayAnswer Again(Order order, in Payment payment)
    {
        lock (order)
        {
            return new(order.Fen == payment.Fen && order.Code == payment.Code && !order.Hidden ? PayOutcome.Again : PayOutcome.NumberUsed, order);
        }
    }

    private static PayOutcome Outcome(Order order) => order.State switch
    {
        OrderState.Paid => PayOutcome.Paid,
        OrderState.Waiting => PayOutcome.Waiting,
        OrderState.Refused => PayOutcome.Refused,
        OrderState.Closed => PayOutcome.Closed,
        OrderState.Revoked => PayOutcome.Revoked,
        _ => PayOutcome.Created,
    };

    private ReverseAnswer Revoke(Order order, long now)
    {
        var outcome = order.WasCharged ? ReverseOutcome.PaidBack : ReverseOutcome.Closed;
        order.Reversals++;
        if (!order.Traits.HasFlag(Traits.ReversalIgnored) || order.Reversals > 1)
        {
            (order.State, order.RevokedAt, order.DueAt) = (OrderState.Revoked, now, 0);
            order.ReversedFen = order.WasCharged ? order.Fen : 0;
        }

        book.Write(order);
        return new(outcome, order);
    }

    private RefundAnswer Refund(Order order, OrderKey refundKey, long fen, string? notifyUrl, bool isV3)
    {
        lock (order)
        {
            if (refunds.TryGetValue(refundKey, out var known))
            {
                return new(known.Order == order && known.Fen == fen ? RefundOutcome.Again : RefundOutcome.Differs, order, known);
            }

            if (order.State != OrderState.Paid || order.Refunds.Count >= MaxRefundsOfOrder || fen > order.NetFen)
            {
                return new(order.State != OrderState.Paid ? RefundOutcome.NotPaid : fen > order.NetFen ? RefundOutcome.TooMuch : RefundOutcome.TooMany, order, null);
            }

            var first = order.Refunds.Count == 0;
            if (first && order.Traits.HasFlag(Traits.RefundLost))
            {
                order.Traits &= ~Traits.RefundLost;
                book.Write(order);
                return new(RefundOutcome.Lost, order, null);
            }

            var now = clock.NowMs;
            var slow = order.Traits.HasFlag(Traits.RefundSlow);
            var refund = new Refund(order, refundKey.Number, fen, Interlocked.Increment(ref sequence), now)
            {
                NotifyUrl = notifyUrl,
                IsV3 = isV3,
                State = slow ? RefundState.Processing : order.Traits.HasFlag(Traits.RefundFails) ? RefundState.Failed : RefundState.Done,
                EndedAt = slow ? 0 : now,
            };
            if (!refunds.TryAdd(refundKey, refund))
            {
                return new(RefundOutcome.Differs, order, null);
            }

            order.Add(refund);
            order.DueAt = slow && order.DueAt == 0 ? now + (long)options.RefundAfter.TotalMilliseconds : order.DueAt;
            book.Write(order);
            due.Add(order);
            return new(first && order.Traits.HasFlag(Traits.RefundReplyLost) ? RefundOutcome.Lost : RefundOutcome.Accepted, order, refund);
        }
    }

    /// <summary>Does what is due of an order.</summary>
    private void Settle(Order order)
    {
        var charged = false;
        List<Refund>? ended = null;
        lock (order)
        {
            var now = clock.NowMs;
            if (order.DueAt == 0 || order.DueAt > now)
            {
                return;
            }

            order.DueAt = 0;
            if (order.State is OrderState.Created or OrderState.Waiting)
            {
                (order.State, order.Hidden) = (order.Next, false);
                charged = order.State == OrderState.Paid;
                order.ChargedAt = charged ? now : 0;
            }

            foreach (var refund in order.Refunds.Where(r => r.State == RefundState.Processing))
            {
                refund.State = order.Traits.HasFlag(Traits.RefundFails) ? RefundState.Failed : RefundState.Done;
                refund.EndedAt = now;
                (ended ??= []).Add(refund);
            }

            book.Write(order);
        }

        if (charged)
        {
            Happened?.Invoke(order, null);
        }

        ended?.ForEach(refund => Happened?.Invoke(order, refund));
    }

    private void Remember(Order order)
    {
        orders[order.Key] = order;
        codes[order.Code] = order;
        inOrder.Add(order);
        count++;
        foreach (var refund in order.Refunds)
        {
            refunds[order.Key with { Number = refund.Number }] = refund;
        }

        due.Add(order);
    }
}
