using DeviceHub.Core.Payments;

namespace DeviceHub.Core.Charges;

/// <summary>Charges, durable. The ledger consumes them in its own transactions (<see cref="LedgerAccept.ChargeId"/>).</summary>
public interface IChargeStore
{
    /// <summary>Writes a charge of version 0 as version 1, unless something is in its way.</summary>
    /// <param name="due">When somebody must look at it again, if its grain does not.</param>
    Task<ChargeOpening> Open(Charge charge, DateTimeOffset due);

    Task<Charge?> Load(string id);

    /// <summary>By the till's key at its merchant; null: there is none.</summary>
    Task<Charge?> FindByKey(string merchantId, string idempotencyKey);

    /// <summary>Writes the charge over its version. False: another was faster, and nothing is written.</summary>
    /// <param name="due">When somebody must look at it again, if its grain does not; null: never.</param>
    /// <param name="notice">Kept for the merchant's webhook in the same transaction, if it has one.</param>
    Task<bool> Save(Charge charge, DateTimeOffset? due, ChargeNotice? notice);

    /// <summary>What a terminal that logs in is to collect; null: nothing.</summary>
    ValueTask<CollectCall?> OpenOf(string serialNumber);

    /// <summary>Ids of charges that somebody must look at, earliest first.</summary>
    ValueTask<IReadOnlyList<string>> Due(DateTimeOffset now, int limit);
}

public enum ChargeOpeningResult
{
    Opened,

    /// <summary>The key was used: for this same charge, or for another one (compare).</summary>
    KeyUsed,

    /// <summary>The terminal has an open charge.</summary>
    TerminalTaken,

    /// <summary>The order number has an open charge, or a payment that is not final.</summary>
    OrderOpen,

    /// <summary>The order number is paid.</summary>
    OrderPaid,
}

/// <param name="Charge">With KeyUsed: the charge that has the key.</param>
/// <param name="Other">Else: the charge or payment in the way.</param>
public sealed record ChargeOpening(ChargeOpeningResult Result, Charge? Charge = null, string? Other = null);

/// <summary>What a merchant's webhook is told.</summary>
/// <param name="Id">The same for the same event, however often it is sent.</param>
/// <param name="Body">JSON, as it will be sent.</param>
public sealed record ChargeNotice(string Id, string MerchantId, DateTimeOffset At, byte[] Body);
