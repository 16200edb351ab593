using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;

namespace DeviceHub.Core.Routing;

/// <summary>Picks the account that takes a payment. From memory and at once: it stands in the way of every payment.</summary>
public interface IRoutingCore
{
    Route Choose(RouteRequest request);

    /// <summary>What became of a call to a channel, for the health of its account and what it took today.</summary>
    void Learn(RouteLesson lesson);
}

/// <param name="Tried">Accounts of this payment's earlier attempts.</param>
/// <param name="OnlyChannel">Accounts at other channels are not there for it; null: all are.</param>
/// <param name="Payment">Which one it is: while it runs its amount counts for a day limit. Null: it does not count.</param>
public sealed record RouteRequest(
    string MerchantId, string StoreId, Wallet Wallet, long AmountFen, DateTimeOffset At, IReadOnlyList<string> Tried, string? OnlyChannel = null, PaymentId? Payment = null);

/// <param name="Account">Null: none can take it.</param>
/// <param name="Why">Why this one, or why none, in plain words; kept with the payment.</param>
public sealed record Route(ChannelAccount? Account, string Why);

/// <param name="Took">From the call to its answer or to its deadline.</param>
/// <param name="Payment">As in its request.</param>
public sealed record RouteLesson(string Account, EffectKind Call, ChannelVerdict Verdict, TimeSpan Took, long AmountFen, DateTimeOffset At, PaymentId? Payment = null);
