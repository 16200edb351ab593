using DeviceHub.Core.Payments;
using Orleans.Concurrency;

namespace DeviceHub.Core.Charges;

/// <summary>One charge from the till. Key: its id, which the hub makes.</summary>
[Alias("dh.IChargeGrain")]
public interface IChargeGrain : IGrainWithStringKey
{
    /// <summary>
    /// Writes the charge and has the terminal collect. Of a repeat the answer is the first one's charge; refused are a key with other contents
    /// (KeyReused), a terminal with an open charge (ChargeOpen), an order that is open or paid (OrderOpen, OrderPaid), and what the terminal may not.
    /// </summary>
    [Alias("Open")]
    Task<ChargeAnswer> Open(NewCharge wanted);

    /// <summary>Waits until the stage differs from what is known, or the time is over; at most 20 s. Reads only. Null: no such charge.</summary>
    /// <param name="known">Null, and Closed: does not wait.</param>
    [Alias("Follow"), AlwaysInterleave]
    Task<ChargeView?> Follow(ChargeStage? known, TimeSpan waitAtMost);

    /// <summary>The terminal says that it collects. False: it shall not, and is to be told so.</summary>
    [Alias("Collecting")]
    Task<bool> Collecting(string serialNumber);

    /// <summary>The terminal collects no more.</summary>
    [Alias("EndedAtTerminal")]
    Task EndedAtTerminal(string serialNumber, ChargeEnd end);

    /// <summary>Closes an open charge; of one that a payment has consumed it is the payment's cancel. Null: no such charge.</summary>
    [Alias("Cancel")]
    Task<ChargeView?> Cancel(string by);

    /// <summary>The ledger refused the terminal's request for it: its order is paid by another payment.</summary>
    [Alias("OrderPaid")]
    Task OrderPaid(string serialNumber, PaymentId payment);

    /// <summary>Something may have changed: its row, its payment, the time. Harmless at any time.</summary>
    [Alias("Wake")]
    Task Wake();
}

/// <summary>What a terminal is asked to collect.</summary>
[GenerateSerializer, Immutable, Alias("dh.CollectCall")]
public sealed record CollectCall(
    [property: Id(0)] string ChargeId,
    [property: Id(1)] long AmountFen,
    [property: Id(2)] string OrderNumber,
    [property: Id(3)] DateTimeOffset ExpiresAt);

/// <summary>Whether a terminal may be asked to collect, and for whom.</summary>
/// <param name="MerchantId">Null: the terminal is bound to none, or is not known.</param>
[GenerateSerializer, Immutable, Alias("dh.CollectAdmission")]
public sealed record CollectAdmission([property: Id(0)] string? MerchantId, [property: Id(1)] string? StoreId, [property: Id(2)] Refusal? Refusal);
