using System.Net.Http.Json;
using System.Text.Json;
using DeviceHub.Channels.Sandbox;
using DeviceHub.Tools.Demo;

namespace DeviceHub.Tools.Chaos;

/// <summary>The ChannelSandbox from outside: its accounts, its book, and faults that are asked for.</summary>
internal sealed class Channels(Uri url, string accountsFile) : IDisposable
{
    public static readonly IReadOnlyList<string> Used = ["wechat-v2", "wechat-v3", "alipay", Activated];

    /// <summary>Its accounts get their keys for an activation code.</summary>
    private const string Activated = "shouqianba";

    private const int Tries = 50;
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(200);

    private readonly HttpClient http = new() { BaseAddress = url, Timeout = TimeSpan.FromSeconds(20) };

    /// <summary>All accounts of the file at these channels become the merchant's, and are tried.</summary>
    /// <exception cref="ChaosException">One does not work.</exception>
    public async Task MakeAccounts(HubClient hub, string merchantId)
    {
        var file = JsonElement.Parse(await File.ReadAllTextAsync(accountsFile));
        foreach (var account in file.GetProperty("hub").EnumerateArray().Where(a => Used.Contains(a.GetProperty("channel").GetString())))
        {
            var name = account.GetProperty("name").GetString();
            var fields = account.GetProperty("settings").EnumerateObject().Concat(account.GetProperty("secrets").EnumerateObject()).ToDictionary(f => f.Name, f => f.Value.GetString());
            var channel = account.GetProperty("channel").GetString();
            var made = await hub.Post("/api/v1/channel-accounts", new { merchantId, channel, name, fields });
            foreach (var step in (string[])[.. channel == Activated ? ["activate"] : Array.Empty<string>(), "test"])
            {
                var check = await hub.Post($"/api/v1/channel-accounts/{made.GetProperty("id").GetString()}/{step}", null);
                if (!check.GetProperty("works").GetBoolean())
                {
                    throw new ChaosException($"the account {name} does not work: {check.GetProperty("says").GetString()}");
                }
            }
        }
    }

    /// <summary>From now on, so many calls go wrong by chance.</summary>
    public Task SetChance(int seed, double rate) => Again(async () =>
    {
        using var answer = await http.PutAsJsonAsync(new Uri("/faults/chance", UriKind.Relative), new { seed, rate, clockSkewMs = 0 });
        return answer.EnsureSuccessStatusCode();
    });

    public Task Ask(object fault) => Again(async () =>
    {
        using var answer = await http.PostAsJsonAsync(new Uri("/faults", UriKind.Relative), fault);
        return answer.EnsureSuccessStatusCode();
    });

    /// <summary>An order whose payer types a password now and will pay (an amount that asks for it); null: there is none.</summary>
    public async Task<string?> Typing() => (await Orders()).Find(o => o.State == "Waiting" && o.AmountFen % 100 == 10)?.Number;

    /// <summary>Everything that the channels did to payers. One order number at two merchants is one order charged twice.</summary>
    public async Task<IReadOnlyCollection<SandboxCharge>> Book() =>
    [
        .. (await Orders()).GroupBy(o => o.Number)
            .Select(g => new SandboxCharge(g.Key, g.First().AmountFen, g.Sum(o => o.Charges), g.Sum(o => o.NetFen), g.Any(o => o.IsOpen))),
    ];

    public void Dispose() => http.Dispose();

    private async Task<List<Order>> Orders()
    {
        var all = new List<Order>();
        for (int? from = 0; from is not null;)
        {
            var path = new Uri($"/book?limit=100000&from={from}", UriKind.Relative);
            var page = await Again(() => http.GetFromJsonAsync<Page>(path, JsonSerializerOptions.Web));
            all.AddRange(page!.Orders);
            from = page.Next;
        }

        return all;
    }

    /// <summary>They take no connections for moments: that was asked for.</summary>
    private static async Task<T> Again<T>(Func<Task<T>> call)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await call();
            }
            catch (HttpRequestException) when (tries < Tries)
            {
                await Task.Delay(Between);
            }
        }
    }

    private sealed record Page(int? Next, List<Order> Orders);

    private sealed record Order(
        [property: System.Text.Json.Serialization.JsonPropertyName("order")] string Number, long AmountFen, string State, int Charges, long NetFen, List<Refund> Refunds)
    {
        /// <summary>It may still be charged, or money is on its way back.</summary>
        public bool IsOpen => State is "Hidden" or "Waiting" or "Created" || Refunds.Exists(r => r.State == "Processing");
    }

    private sealed record Refund(string State);
}
