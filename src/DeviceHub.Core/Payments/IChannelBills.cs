using DeviceHub.Core.Merchants;

namespace DeviceHub.Core.Payments;

/// <summary>A channel whose books of a day can be had.</summary>
public interface IChannelBills
{
    /// <summary><see cref="IPaymentChannel.Name"/>.</summary>
    string Name { get; }

    /// <summary>
    /// The rows of one day (China's calendar) as they are read, never all of them in memory. The bill's own totals are compared at the end.
    /// </summary>
    /// <exception cref="BillException">There is no bill, or it is not what it should be: in words, with the line.</exception>
    IAsyncEnumerable<BillRow> Read(ChannelAccount account, DateOnly day, CancellationToken cancellationToken);

    /// <summary>Whether the bill of one account has what was paid through the other, too: both act for one merchant of the channel.</summary>
    /// <param name="other">Of any channel.</param>
    bool SharesBill(ChannelAccount account, ChannelAccount other);
}

public enum BillRowKind { Payment, Refund }

/// <summary>One row of a channel's bill. Amounts are fen and never negative.</summary>
/// <param name="OrderNumber">Ours at the channel; of another system's orders on the same account, theirs.</param>
/// <param name="RefundNumber">Ours; only of refunds.</param>
/// <param name="AmountFen">Charged, or paid back.</param>
/// <param name="FeeFen">The channel's fee; of a refund the fee that came back.</param>
public sealed record BillRow(
    int Line, BillRowKind Kind, string OrderNumber, string? RefundNumber, string Transaction, long AmountFen, long FeeFen, DateTimeOffset At);

/// <summary>A bill that cannot be had or read; the message says what is wrong and where.</summary>
public sealed class BillException(string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>The channel has none for that day: nothing was paid, or it is too early.</summary>
    public bool None { get; init; }
}
