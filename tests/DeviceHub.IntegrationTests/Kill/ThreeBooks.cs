using System.Text.Json;
using DeviceHub.Channels.Sandbox;
using DeviceHub.Tests;
using DeviceHub.Tools.VirtualTerminals;

namespace DeviceHub.IntegrationTests.Kill;

/// <summary>The terminals' book, the ledger as the API shows it, and the Sandbox's book, laid side by side.</summary>
internal sealed class ThreeBooks(TerminalBook terminals, HubOperator hub, SandboxProcess sandbox)
{
    /// <summary>What does not agree, or is not settled; empty: nothing.</summary>
    public async Task<string> Differences()
    {
        var charges = (await sandbox.Book()).ToDictionary(c => c.Order);
        var ledger = await Ledger();
        var found = new List<string>();
        foreach (var entry in terminals.Entries)
        {
            var payment = ledger.GetValueOrDefault($"{entry.SerialNumber}/{entry.RequestId}");
            var fault = Compare(entry, payment, payment is null ? null : charges.GetValueOrDefault(payment.ChannelOrderNumber));
            if (fault is not null)
            {
                found.Add($"{fault}: terminal {entry}; ledger {payment}; bank {(payment is null ? null : charges.GetValueOrDefault(payment.ChannelOrderNumber))}");
            }
        }

        found.AddRange(ledger.Where(p => terminals.Find(p.Value.SerialNumber, p.Value.RequestId) is null).Select(p => $"no terminal asked for {p.Value}"));
        var known = ledger.Values.Select(p => p.ChannelOrderNumber).ToHashSet();
        found.AddRange(charges.Values.Where(c => !known.Contains(c.Order)).Select(c => $"the ledger knows nothing of {c}"));
        return string.Join('\n', found.Take(20));
    }

    private static string? Compare(BookEntry entry, Payment? payment, SandboxCharge? charge) => entry switch
    {
        { Contradiction: { } contradiction } => contradiction,
        { IsSettled: false } => "the terminal was never told the end",
        { Told: Told.Refused } => payment is null ? null : "refused, and in the ledger",
        _ when payment is null => "acknowledged, and not in the ledger",
        _ when payment.Stage != "final" => "not final",
        _ when !entry.Told.ToString().Equals(payment.Result, StringComparison.OrdinalIgnoreCase) || entry.Revision != payment.Revision => "told otherwise than the ledger says",
        _ when payment.ShownRevision != payment.Revision => "not confirmed as shown",
        _ when entry.AmountFen != payment.AmountFen => "another amount",
        _ when charge is { Charges: > 1 } => "charged more than once",
        _ when charge is { Open: true } => "the bank is not done",
        _ when (charge?.NetFen ?? 0) != (payment.Result == "approved" ? entry.AmountFen : 0) => "the bank holds another sum",
        _ => null,
    };

    private async Task<Dictionary<string, Payment>> Ledger()
    {
        var all = new Dictionary<string, Payment>();
        for (var page = 1; ; page++)
        {
            var list = (await hub.Find($"/api/v1/payments?pageSize=200&page={page}"))!.Value;
            foreach (var item in list.GetProperty("items").EnumerateArray())
            {
                var payment = item.Deserialize<Payment>(JsonSerializerOptions.Web)!;
                all[$"{payment.SerialNumber}/{payment.RequestId}"] = payment;
            }

            if (!list.GetProperty("more").GetBoolean())
            {
                return all;
            }
        }
    }

    private sealed record Payment(
        string SerialNumber, string RequestId, long AmountFen, string Stage, string Result, int Revision, int ShownRevision, string ChannelOrderNumber);
}
