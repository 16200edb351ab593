using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using DeviceHub.Tools.Demo.Books;
using DeviceHub.Tools.VirtualTerminals;

namespace DeviceHub.Tools.Demo;

/// <summary>The demo in figures; the line of <c>--json</c>.</summary>
/// <param name="NotCharged">Settled without a charge that was not a refusal of the payer's bank.</param>
/// <param name="Unsettled">Payments that terminals, ledger or bank have not finished.</param>
/// <param name="Lost">Acknowledged to a terminal or charged by the bank, and not in the ledger.</param>
/// <param name="DoubleCharged">The customer paid more than once.</param>
/// <param name="Mismatched">Two of the three books say different things.</param>
/// <param name="P50Ms">From scan to outcome, as the terminals saw it.</param>
public sealed record DemoResult(
    int Terminals,
    int Ready,
    int Configured,
    int Payments,
    int Approved,
    int Declined,
    int NotCharged,
    int Refunded,
    int Refused,
    int Unsettled,
    int Lost,
    int DoubleCharged,
    int Mismatched,
    int Reconnects,
    double P50Ms,
    double P99Ms,
    double Seconds)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Payments were made, all are settled, and the three books agree.</summary>
    [JsonIgnore]
    public bool IsGood => Payments > 0 && Unsettled == 0 && Lost == 0 && DoubleCharged == 0 && Mismatched == 0;

    internal static DemoResult Of(DemoRun run, IReadOnlyCollection<BookEntry> entries)
    {
        var tally = BookTally.Of(entries);
        return new DemoResult(
            run.Fleet.Terminals.Count,
            run.Fleet.Terminals.Count(t => t.IsSynced),
            run.Configured,
            tally.Payments,
            tally.Approved,
            tally.Declined,
            tally.NotCharged,
            tally.Refunded,
            tally.Refused,
            Comparison.Count(run.Differences, Fault.Unsettled),
            Comparison.Count(run.Differences, Fault.Lost),
            Comparison.Count(run.Differences, Fault.DoubleCharged),
            Comparison.Count(run.Differences, Fault.Mismatched),
            run.Fleet.Terminals.Sum(t => Math.Max(0, t.Connections - 1)),
            Math.Round(tally.P50Ms, 1),
            Math.Round(tally.P99Ms, 1),
            Math.Round(run.Elapsed.TotalSeconds, 1));
    }

    public string ToJson() => JsonSerializer.Serialize(this, Json);
}
