namespace DeviceHub.Storage;

// The ledger's hot tables as the migrations know them. LedgerWriter writes them with prepared statements; column names are these
// in snake case.

internal sealed class PaymentEventRow
{
    /// <summary>The order of appends, over all payments.</summary>
    public long Seq { get; init; }

    /// <summary><see cref="PaymentKeyRow.Payment"/>.</summary>
    public long Payment { get; init; }

    public required string Sn { get; init; }

    public required string RequestId { get; init; }

    /// <summary>Of its payment, from 1; unique with the payment: the fence.</summary>
    public int Version { get; init; }

    /// <summary>The events of one append, JSON.</summary>
    public required byte[] Body { get; init; }
}

/// <summary>
/// One payment for ever (I2). Its number is the sequence of its first event, so that the fence's keys of payments of one time lie beside
/// each other: a key that begins with the terminal is a page of its own for every entry of a commit, and pages are what a commit costs.
/// </summary>
internal sealed class PaymentKeyRow
{
    public required string Sn { get; init; }

    public required string RequestId { get; init; }

    public long Payment { get; init; }
}

/// <summary>An attempt's order number at its channel, never reused (I3).</summary>
internal sealed class ChannelOrderRow
{
    public required string Number { get; init; }

    public required string Sn { get; init; }

    public required string RequestId { get; init; }
}

/// <summary>A payment that is not final, not shown or has something due. Small: rows leave when all of that is done.</summary>
internal sealed class LivePaymentRow
{
    public required string Sn { get; init; }

    public required string RequestId { get; init; }

    public required string MerchantId { get; init; }

    public string? OrderNo { get; init; }

    public long AmountFen { get; init; }

    public DateTimeOffset AcceptedAt { get; init; }

    public DateTimeOffset? FinalAt { get; init; }

    /// <summary>The terminal has shown the last revision.</summary>
    public bool Shown { get; init; }

    public DateTimeOffset? DueAt { get; init; }
}

/// <summary>Which payment holds a merchant's order number (I13): while it is open, and for ever once it is paid. Open is what live_payment says.</summary>
internal sealed class OrderKeyRow
{
    public required string MerchantId { get; init; }

    public required string OrderNo { get; init; }

    public required string Sn { get; init; }

    public required string RequestId { get; init; }
}
