using System.Text.Json;
using DeviceHub.Core.Payments;
using DeviceHub.Tools.Demo;
using DeviceHub.Tools.Demo.Books;

namespace DeviceHub.Tools.Chaos;

/// <summary>The ledger as the API lists it: a table that follows the ledger and is killed with the hub at any of its steps.</summary>
internal static class HubList
{
    /// <summary>What the list says otherwise than the ledger.</summary>
    /// <param name="ledger">All at rest.</param>
    public static async Task<IReadOnlyList<Difference>> Differences(HubClient hub, IReadOnlyList<LedgerPayment> ledger)
    {
        var listed = await Read(hub);
        var found = new List<Difference>();
        foreach (var payment in ledger)
        {
            listed.Remove(payment.Id, out var row);
            var known = Expected(payment);
            if (row != known)
            {
                found.Add(new(Fault.Mismatched, payment.Id.ToString(), $"the ledger has {known}, the list {row?.ToString() ?? "nothing"}"));
            }
        }

        found.AddRange(listed.Keys.Select(id => new Difference(Fault.Mismatched, id.ToString(), "in the list, and not in the ledger")));
        return found;
    }

    private static Row Expected(LedgerPayment payment) => new(
        payment.Id.SerialNumber, payment.Id.RequestId, payment.OrderNumber, payment.AmountFen, "final", JsonNamingPolicy.CamelCase.ConvertName(payment.Result.ToString()),
        payment.Revision, payment.Revision);

    private static async Task<Dictionary<PaymentId, Row>> Read(HubClient hub)
    {
        var all = new Dictionary<PaymentId, Row>();
        for (var page = 1; ; page++)
        {
            var list = await hub.Get($"/api/v1/payments?pageSize=200&page={page}");
            foreach (var item in list.GetProperty("items").EnumerateArray())
            {
                var row = item.Deserialize<Row>(JsonSerializerOptions.Web)!;
                all[new PaymentId(row.SerialNumber, row.RequestId)] = row;
            }

            if (!list.GetProperty("more").GetBoolean())
            {
                return all;
            }
        }
    }

    private sealed record Row(string SerialNumber, string RequestId, string? OrderNumber, long AmountFen, string Stage, string Result, int Revision, int ShownRevision);
}
