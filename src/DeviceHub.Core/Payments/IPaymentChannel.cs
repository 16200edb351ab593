using DeviceHub.Core.Merchants;

namespace DeviceHub.Core.Payments;

/// <summary>
/// One way to reach wallets. Stateless: it builds a request, sends it, and turns the answer into a verdict. It never retries,
/// never throws for an answer it does not know (that is Unknown), and says Rerouteable only for what provably never reached the
/// payer's account. A cancelled token means "stop waiting", not "undo".
/// </summary>
public interface IPaymentChannel
{
    /// <summary>As accounts name it: <c>sandbox</c>, <c>wechat-v2</c>, ...</summary>
    string Name { get; }

    /// <summary>What an account at this channel is made of.</summary>
    IReadOnlyList<AccountField> AccountFields { get; }

    /// <summary>Whose codes it can charge.</summary>
    IReadOnlyList<Wallet> Wallets => AccountTerms.AllWallets;

    /// <summary>What is wrong with a field's value beyond its form, in words; null: nothing.</summary>
    string? FieldFault(string field, string value) => null;

    /// <summary>What is wrong with an account's fields together, each of them being right by itself: a field, and why in words, nothing secret. Null: nothing.</summary>
    (string Field, string Says)? WholeFault(ChannelAccount account) => null;

    /// <summary>A harmless authenticated call: does the account work, and if not, what is wrong, in words for an operator. Never throws for what the channel answers.</summary>
    Task<AccountCheck> Test(ChannelAccount account, CancellationToken cancellationToken);

    Task<ChannelVerdict> Pay(ChannelPayment payment, CancellationToken cancellationToken);

    Task<ChannelVerdict> Query(ChannelReference reference, CancellationToken cancellationToken);

    /// <summary>Undo: an unpaid order is closed for good, a paid one is paid back. Its answer is never proof; a query is.</summary>
    Task<ChannelVerdict> Reverse(ChannelReference reference, CancellationToken cancellationToken);

    Task<ChannelVerdict> Refund(ChannelRefund refund, CancellationToken cancellationToken);

    Task<ChannelVerdict> QueryRefund(ChannelRefund refund, CancellationToken cancellationToken);
}

/// <summary>What an answer of a channel proves. Stored by value: never renumber.</summary>
[GenerateSerializer, Alias("dh.Verdict")]
public enum Verdict
{
    /// <summary>It proves nothing. Also every code that is in no table (I5).</summary>
    Unknown = 0,

    /// <summary>Pay and query: the payer was charged.</summary>
    Approved = 1,

    /// <summary>Pay and query: final, not charged; the payer must act.</summary>
    Declined = 2,

    /// <summary>Pay: proven not to have reached the payer's account; another path is safe (I4).</summary>
    Rerouteable = 3,

    /// <summary>Pay and query: the payer types a password. Refunds: being worked on.</summary>
    Pending = 4,

    /// <summary>Query: the channel has no such order, or not yet.</summary>
    NotFound = 5,

    /// <summary>Query: closed without a charge. Reverse: answered, nothing had been charged.</summary>
    Closed = 6,

    /// <summary>Query: was charged and paid back in full. Reverse: answered, the charge is undone.</summary>
    Reversed = 7,

    /// <summary>Refunds: the money went back. Query: a refund of it was begun, of all or of a part, and how it ended is not said.</summary>
    Refunded = 8,

    /// <summary>Refunds: refused for good; a person must look.</summary>
    RefundFailed = 9,
}

/// <summary>A channel's answer, as the timeline keeps it. No secret is in it.</summary>
/// <param name="Code">The channel's own code, or a word of ours such as <c>timeout</c>.</param>
[GenerateSerializer, Immutable, Alias("dh.ChannelVerdict")]
public sealed record ChannelVerdict(
    [property: Id(0)] Verdict Verdict,
    [property: Id(1)] string Code,
    [property: Id(2)] string? Text = null,
    [property: Id(3)] DeclineReason Reason = DeclineReason.None,
    [property: Id(4)] long PaidFen = 0,
    [property: Id(5)] long DiscountFen = 0,
    [property: Id(6)] string? Transaction = null,
    [property: Id(7)] string? Payer = null);

/// <param name="OrderNumber">Ours at the channel: in the ledger before any byte is sent, never reused (I3).</param>
/// <param name="AmountFen">Of the order.</param>
public sealed record ChannelReference(string OrderNumber, ChannelAccount Account, long AmountFen);

public sealed record ChannelPayment(ChannelReference Reference, PaymentCode Code, Wallet Wallet, string Subject, string SerialNumber, DateTimeOffset ExpiresAt);

/// <param name="RefundNumber">Derived from the attempt, so that a repeat is the same refund (I7).</param>
public sealed record ChannelRefund(ChannelReference Reference, string RefundNumber, long RefundFen);

/// <param name="Says">What was tried and what came of it, in plain English.</param>
public sealed record AccountCheck(bool Works, string Says);
