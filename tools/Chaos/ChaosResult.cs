using System.Text.Json;
using DeviceHub.Tools.Demo.Books;

namespace DeviceHub.Tools.Chaos;

/// <summary>What <c>--json</c> writes: all but the first two must be 0.</summary>
/// <param name="Payments">Scans in the terminals' book.</param>
/// <param name="Lost">Acknowledged to a terminal or an order at a channel, and not in the ledger.</param>
/// <param name="DoubleCharged">The payer was charged more than once, even if one of it went back.</param>
/// <param name="Mismatched">Two of the three books say different things.</param>
/// <param name="Unsettled">Not finished when the time to settle was over.</param>
public sealed record ChaosResult(int Kills, int Payments, int Lost, int DoubleCharged, int Mismatched, int Unsettled)
{
    public bool IsGood => Kills > 0 && Payments > 0 && this is { Lost: 0, DoubleCharged: 0, Mismatched: 0, Unsettled: 0 };

    internal static ChaosResult Of(int kills, int payments, IReadOnlyList<Difference> differences) => new(
        kills,
        payments,
        Comparison.Count(differences, Fault.Lost),
        Comparison.Count(differences, Fault.DoubleCharged),
        Comparison.Count(differences, Fault.Mismatched),
        Comparison.Count(differences, Fault.Unsettled));

    public string ToJson() => JsonSerializer.Serialize(
        new { Kills, Payments, Lost, DoubleCharged, Mismatched, Unsettled }, JsonSerializerOptions.Web);
}
