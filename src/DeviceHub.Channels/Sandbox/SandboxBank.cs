using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;
using Microsoft.Extensions.Options;

namespace DeviceHub.Channels.Sandbox;

/// <summary>What the bank says, and how long the saying takes. What it did is in the book already.</summary>
public readonly record struct SandboxAnswer(ChannelVerdict Verdict, TimeSpan After);

/// <summary>
/// A bank with documented test amounts. Every call is done, and written in the book, before it returns: nobody's giving up waiting
/// undoes it. What happens later (a password typed, a delayed request) is done by the first call at or after its time.
/// </summary>
public sealed class SandboxBank : IDisposable
{
    /// <summary>How many queries do not find an order that is found later.</summary>
    private const int NotFoundFirst = 2;

    private static readonly ChannelVerdict Timeout = new(Verdict.Unknown, "timeout", "no answer in time");
    private static readonly ChannelVerdict NotFound = new(Verdict.NotFound, "ORDERNOTEXIST");
    private static readonly ChannelVerdict Closed = new(Verdict.Closed, "CLOSED");
    private static readonly ChannelVerdict Reversed = new(Verdict.Reversed, "REVERSED");
    private static readonly ChannelVerdict Refunded = new(Verdict.Refunded, "REFUNDED");
    private static readonly ChannelVerdict Password = new(Verdict.Pending, "USERPAYING");

    private readonly SandboxOptions options;
    private readonly TimeProvider clock;
    private readonly SandboxBook book;
    private readonly Dictionary<string, SandboxOrder> orders = [];
    private readonly HashSet<int> usedCodes = [];
    private readonly PriorityQueue<SandboxOrder, DateTimeOffset> due = new();
    private readonly Lock gate = new();

    public SandboxBank(IOptions<SandboxOptions> options, TimeProvider clock)
    {
        this.options = options.Value;
        this.clock = clock;
        book = new SandboxBook(this.options.Book);
        foreach (var entry in book.Replay())
        {
            Apply(entry);
        }
    }

    /// <param name="account">For the bill; null: it is in none.</param>
    public SandboxAnswer Pay(string orderNumber, long amountFen, PaymentCode code, string? account = null)
    {
        lock (gate)
        {
            var now = Advance();
            if (orders.TryGetValue(orderNumber, out var known))
            {
                return new(new ChannelVerdict(Verdict.Unknown, "OUT_TRADE_NO_USED", $"the order is {known.State}"), options.Latency);
            }

            var rule = SandboxRules.Of(amountFen, orderNumber, options);
            if (rule == SandboxRule.Unreachable || orders.Count >= options.MaxOrders)
            {
                return new(
                    rule == SandboxRule.Unreachable
                        ? new ChannelVerdict(Verdict.Rerouteable, "unreachable", "nothing was sent")
                        : new ChannelVerdict(Verdict.Rerouteable, "SANDBOX_FULL", $"the Sandbox remembers {options.MaxOrders} orders; raise Sandbox:MaxOrders"),
                    options.Latency);
            }

            if (options.SingleUseCodes && Used(code))
            {
                return new(new ChannelVerdict(Verdict.Declined, "AUTH_CODE_USED", Reason: DeclineReason.CodeInvalid), options.Latency);
            }

            return PayNew(new SandboxEntry(now, SandboxEntryKind.Taken, orderNumber, rule, amountFen, Account: account));
        }
    }

    public SandboxAnswer Query(string orderNumber)
    {
        lock (gate)
        {
            Advance();
            return new(orders.TryGetValue(orderNumber, out var order) ? Standing(order) : NotFound, options.Latency);
        }
    }

    public SandboxAnswer Reverse(string orderNumber)
    {
        lock (gate)
        {
            var now = Advance();
            return new(orders.TryGetValue(orderNumber, out var order) ? Reverse(order, now) : Closed, options.Latency);
        }
    }

    public SandboxAnswer Refund(string orderNumber, string refundNumber, long refundFen)
    {
        lock (gate)
        {
            var now = Advance();
            if (!orders.TryGetValue(orderNumber, out var order) || order.State != SandboxOrderState.Charged)
            {
                return new(new ChannelVerdict(Verdict.RefundFailed, "NOT_PAID", "nothing was charged"), options.Latency);
            }

            if (order.Refunds.Contains(refundNumber))
            {
                return new(Refunded, options.Latency);
            }

            if (refundFen <= 0 || refundFen > order.NetFen)
            {
                return new(new ChannelVerdict(Verdict.RefundFailed, "REFUND_EXCEEDS", $"{order.NetFen} fen are left"), options.Latency);
            }

            if (order is { Rule: SandboxRule.LateSuccessRefundUnknown, IgnoredRefunds: 0 })
            {
                Record(order.Entry(now, SandboxEntryKind.RefundIgnored));
                return new(Timeout, options.TimeoutAfter);
            }

            Record(order.Entry(now, SandboxEntryKind.PaidBack) with { AmountFen = refundFen, Number = refundNumber });
            return order.Rule == SandboxRule.LateSuccessRefundReplyLost ? new(Timeout, options.TimeoutAfter) : new(Refunded, options.Latency);
        }
    }

    public SandboxAnswer QueryRefund(string orderNumber, string refundNumber)
    {
        lock (gate)
        {
            Advance();
            var done = orders.TryGetValue(orderNumber, out var order) && order.Refunds.Contains(refundNumber);
            return new(done ? Refunded : new ChannelVerdict(Verdict.NotFound, "REFUNDNOTEXIST"), options.Latency);
        }
    }

    /// <summary>Every order that the bank knows, as it stands now.</summary>
    public IReadOnlyList<SandboxCharge> Charges()
    {
        lock (gate)
        {
            Advance();
            return [.. orders.Values.Select(o => new SandboxCharge(o.Number, o.AmountFen, o.Charges, o.NetFen, o.Due is not null))];
        }
    }

    /// <summary>What the book has of an account's day, as it stands now; read from the file and not from memory. Null: the bank keeps none.</summary>
    public IEnumerable<BillRow>? Bill(string account, DateOnly day)
    {
        lock (gate)
        {
            Advance();
        }

        return book.Read()?.Where(e => e.Account == account && BillDay.Of(e.At) == day && e.Kind is SandboxEntryKind.Charged or SandboxEntryKind.PaidBack).Select(Row);

        BillRow Row(SandboxEntry e, int line) => e.Kind == SandboxEntryKind.Charged
            ? new(line + 1, BillRowKind.Payment, e.Order, null, "SB" + e.Order, e.AmountFen, Fee(e.AmountFen), e.At)
            : new(line + 1, BillRowKind.Refund, e.Order, e.Number, "SB" + e.Order, e.AmountFen, Fee(e.AmountFen), e.At);

        long Fee(long fen) => (long)Math.Round(fen * options.FeeBasisPoints / 10_000m, MidpointRounding.AwayFromZero);
    }

    public void Dispose() => book.Dispose();

    private SandboxAnswer PayNew(SandboxEntry taken)
    {
        var now = taken.At;
        switch (taken.Rule)
        {
            case SandboxRule.InsufficientFunds:
                Record(taken with { Kind = SandboxEntryKind.Refused });
                return new(new ChannelVerdict(Verdict.Declined, "NOTENOUGH", "insufficient balance", DeclineReason.InsufficientFunds), options.Latency);
            case SandboxRule.CodeExpired:
                Record(taken with { Kind = SandboxEntryKind.Refused });
                return new(new ChannelVerdict(Verdict.Declined, "AUTHCODEEXPIRE", "the code is too old", DeclineReason.CodeExpired), options.Latency);
            case SandboxRule.PasswordThenPaid or SandboxRule.PasswordThenRefused:
                Record(taken with { Due = now + options.PasswordAfter });
                return new(Password, options.Latency);
            case SandboxRule.TimeoutPaidLater:
                Record(taken with { Due = now + options.DelayedAfter });
                return new(Timeout, options.TimeoutAfter);
            case SandboxRule.LateSuccess or SandboxRule.LateSuccessRefundUnknown or SandboxRule.LateSuccessRefundReplyLost:
                Record(taken);
                return new(Timeout, options.TimeoutAfter);
            case SandboxRule.TimeoutNotPaid:
                Record(taken with { Kind = SandboxEntryKind.Closed });
                return new(Timeout, options.TimeoutAfter);
            case SandboxRule.UnknownCode:
                Record(taken with { Kind = SandboxEntryKind.Closed });
                return new(new ChannelVerdict(Verdict.Unknown, "E_9999", "a code that is in no table"), options.Latency);
            case SandboxRule.TimeoutPaid or SandboxRule.TimeoutNotFoundFirst or SandboxRule.ReversalIgnoredOnce:
                Record(taken with { Kind = SandboxEntryKind.Charged });
                return new(Timeout, options.TimeoutAfter);
            default:
                Record(taken with { Kind = SandboxEntryKind.Charged });
                return new(Approved(taken.Order, taken.AmountFen), taken.Rule == SandboxRule.Slow ? options.SlowAfter : options.Latency);
        }
    }

    private static ChannelVerdict Standing(SandboxOrder order) => order switch
    {
        { Rule: SandboxRule.ReversalIgnoredOnce, IgnoredReversals: 0 } => new ChannelVerdict(Verdict.Unknown, "SYSTEMERROR"),
        { Rule: SandboxRule.TimeoutNotFoundFirst } when order.Queries++ < NotFoundFirst => NotFound,
        { State: SandboxOrderState.Charged, NetFen: 0 } => order.Refunds.Count > 0 ? Refunded : Reversed,
        { State: SandboxOrderState.Charged } => Approved(order.Number, order.AmountFen),
        { State: SandboxOrderState.Refused } => new ChannelVerdict(Verdict.Declined, "PAYERROR", "refused", order.Refusal),
        { State: SandboxOrderState.Closed } => Closed,
        { Rule: SandboxRule.PasswordThenPaid or SandboxRule.PasswordThenRefused } => Password,
        _ => NotFound,
    };

    private ChannelVerdict Reverse(SandboxOrder order, DateTimeOffset now)
    {
        switch (order)
        {
            case { State: SandboxOrderState.Charged, NetFen: 0 }:
                return Reversed;
            case { State: SandboxOrderState.Charged, Rule: SandboxRule.ReversalIgnoredOnce, IgnoredReversals: 0 }:
                Record(order.Entry(now, SandboxEntryKind.ReversalIgnored));
                return Reversed;
            case { State: SandboxOrderState.Charged }:
                Record(order.Entry(now, SandboxEntryKind.PaidBack) with { AmountFen = order.NetFen });
                return Reversed;
            case { State: SandboxOrderState.Taken, Rule: SandboxRule.PasswordThenPaid or SandboxRule.PasswordThenRefused }:
                Record(order.Entry(now, SandboxEntryKind.Closed));
                return Closed;
            case { State: SandboxOrderState.Taken, Rule: not SandboxRule.TimeoutPaidLater }:
                Record(order.Entry(now, SandboxEntryKind.PutOff) with { Due = now + options.LateAfter });
                return Closed;
            default:
                // Closed, refused, or a request that is still under way and that nothing stops.
                return Closed;
        }
    }

    private DateTimeOffset Advance()
    {
        var now = clock.GetUtcNow();
        while (due.TryPeek(out var order, out var at) && at <= now)
        {
            due.Dequeue();
            if (order.Due == at)
            {
                var kind = order.Rule == SandboxRule.PasswordThenRefused ? SandboxEntryKind.Refused : SandboxEntryKind.Charged;
                Record(order.Entry(at, kind));
            }
        }

        return now;
    }

    private void Record(in SandboxEntry entry)
    {
        book.Append(entry);
        Apply(entry);
    }

    private void Apply(in SandboxEntry entry)
    {
        if (!orders.TryGetValue(entry.Order, out var order))
        {
            order = new SandboxOrder(entry.Order, entry.AmountFen, entry.Rule, entry.Account);
            orders.Add(entry.Order, order);
        }

        order.Apply(entry);
        if (entry.Due is { } at)
        {
            due.Enqueue(order, at);
        }
    }

    /// <summary>Only 32 bits of the code are kept, in memory, and no more of them than orders.</summary>
    private bool Used(PaymentCode code) => usedCodes.Count < options.MaxOrders && !usedCodes.Add(string.GetHashCode(code.Reveal(), StringComparison.Ordinal));

    private static ChannelVerdict Approved(string orderNumber, long amountFen) =>
        new(Verdict.Approved, "SUCCESS", PaidFen: amountFen, Transaction: "SB" + orderNumber, Payer: "c***r");
}
