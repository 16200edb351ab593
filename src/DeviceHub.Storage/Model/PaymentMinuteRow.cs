using System.Collections.Immutable;
using System.Globalization;
using DeviceHub.Core.Payments;

namespace DeviceHub.Storage;

/// <summary>
/// The payments that were accepted in one minute, counted as their rows stand: a projection of <see cref="PaymentRow"/>, changed in the same transaction.
/// The times from scan to result are in columns of their own, one for each of <see cref="ResultTimes.LimitsMs"/> and one for longer ones.
/// </summary>
internal sealed class PaymentMinuteRow
{
    /// <summary><c>ms_50</c>, ..., <c>ms_60000</c>, <c>ms_over</c>.</summary>
    public static readonly ImmutableArray<string> TimeColumns =
        [.. ResultTimes.LimitsMs.Select(limit => string.Create(CultureInfo.InvariantCulture, $"ms_{limit}")), "ms_over"];

    /// <summary>Minutes since 1970.</summary>
    public long Minute { get; init; }

    public long Accepted { get; init; }

    public long Approved { get; init; }

    public long Declined { get; init; }

    public long NotCharged { get; init; }

    public long Refunded { get; init; }

    public long InDoubt { get; init; }

    public long ApprovedFen { get; init; }
}
