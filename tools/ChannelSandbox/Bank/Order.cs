namespace DeviceHub.Tools.ChannelSandbox.Bank;

/// <summary>Whose book an order is in. WeChat's two dialects are two doors to one house.</summary>
internal enum Channel { WeChat = 0, Alipay = 1, Shouqianba = 2 }

/// <param name="Merchant">Its number at the channel; under a service provider both, with a slash between.</param>
/// <param name="Number">The merchant's order number: one order for ever.</param>
internal readonly record struct OrderKey(Channel Channel, string Merchant, string Number);

/// <summary>Written into the book by value: never renumber.</summary>
internal enum OrderState
{
    /// <summary>Known, not charged, nothing going on.</summary>
    Created = 0,

    /// <summary>The payer types a password.</summary>
    Waiting = 1,

    Paid = 2,

    /// <summary>The payer's side refused.</summary>
    Refused = 3,

    /// <summary>Closed without a charge.</summary>
    Closed = 4,

    /// <summary>Reversed by the merchant: never charged, or charged and paid back.</summary>
    Revoked = 5,
}

/// <summary>What a fault left with an order for later calls. Written into the book by value: never renumber.</summary>
[Flags]
internal enum Traits
{
    None = 0,

    /// <summary>The first two queries do not find it.</summary>
    NotFoundFirst = 1 << 0,

    /// <summary>Queries answer a system error until a reversal was answered.</summary>
    QueriesFail = 1 << 1,

    /// <summary>The first reversal is answered and does nothing.</summary>
    ReversalIgnored = 1 << 2,

    /// <summary>Not found until some time after the last reversal, then charged.</summary>
    LateSuccess = 1 << 3,

    /// <summary>The first refund is not answered and not done.</summary>
    RefundLost = 1 << 4,

    /// <summary>The first refund is done and not answered.</summary>
    RefundReplyLost = 1 << 5,

    /// <summary>Refunds are under way for a while.</summary>
    RefundSlow = 1 << 6,

    /// <summary>Refunds fail in the end.</summary>
    RefundFails = 1 << 7,

    NoticeTwice = 1 << 8,

    /// <summary>What happened last is told first.</summary>
    NoticesReordered = 1 << 9,

    NoticesLost = 1 << 10,

    /// <summary>Signed by a key that is not the channel's.</summary>
    NoticesForged = 1 << 11,

    /// <summary>Rightly signed, with one fen more.</summary>
    NoticesWrongAmount = 1 << 12,
}

internal enum RefundState { Processing = 0, Done = 1, Failed = 2 }

internal sealed class Refund(Order order, string number, long fen, long sequence, long at)
{
    public Order Order => order;

    public string Number => number;

    public long Fen => fen;

    public long Sequence => sequence;

    public long At => at;

    public RefundState State { get; set; }

    /// <summary>When it ended; 0 before.</summary>
    public long EndedAt { get; set; }

    public string? NotifyUrl { get; init; }

    /// <summary>Asked for in WeChat's v3, so told in it.</summary>
    public bool IsV3 { get; init; }
}

/// <summary>One order of one merchant. Locked by itself; times are milliseconds since 1970 by the channel's clock.</summary>
internal sealed class Order(OrderKey key, long fen, UInt128 code, long at)
{
    private List<Refund>? refunds;

    public OrderKey Key => key;

    public long Fen => fen;

    /// <summary>The payment code's digest; the code itself is not kept.</summary>
    public UInt128 Code => code;

    public long CreatedAt => at;

    public long Sequence { get; set; }

    public string Subject { get; init; } = "";

    public string Application { get; init; } = "";

    public string? Device { get; init; }

    public string? Attach { get; init; }

    public string? NotifyUrl { get; init; }

    /// <summary>Paid in WeChat's v3, so told in it.</summary>
    public bool IsV3 { get; init; }

    public OrderState State { get; set; }

    /// <summary>0: never charged.</summary>
    public long ChargedAt { get; set; }

    public long RevokedAt { get; set; }

    /// <summary>What the reversal paid back.</summary>
    public long ReversedFen { get; set; }

    public Traits Traits { get; set; }

    /// <summary>When <see cref="Next"/> becomes of it; 0: nothing is due.</summary>
    public long DueAt { get; set; }

    public OrderState Next { get; set; }

    /// <summary>Queries and reversals do not find it yet.</summary>
    public bool Hidden { get; set; }

    /// <summary>Calls about it after the payment; chance faults tell them apart.</summary>
    public int Calls { get; set; }

    public int Queries { get; set; }

    public int Reversals { get; set; }

    public IReadOnlyList<Refund> Refunds => refunds ?? [];

    public bool WasCharged => ChargedAt != 0;

    public long RefundedFen
    {
        get
        {
            var sum = 0L;
            foreach (var refund in Refunds)
            {
                sum += refund.State == RefundState.Failed ? 0 : refund.Fen;
            }

            return sum;
        }
    }

    /// <summary>What the merchant still has of it.</summary>
    public long NetFen => (WasCharged ? Fen : 0) - ReversedFen - RefundedFen;

    public void Add(Refund refund) => (refunds ??= []).Add(refund);

    public Refund? FindRefund(string number) => refunds?.Find(r => r.Number == number);
}
