using System.Text.Json;
using DeviceHub.Tools.LoadBench.Driver;

namespace DeviceHub.Tools.LoadBench.Pages;

/// <summary>How long one address took from the request of its document until the hub had rendered its content.</summary>
/// <param name="LimitMs">Of the median, so that a collection of garbage or another program does not decide; the worst is shown beside it.</param>
internal sealed record PageTime(string Name, string Address, double MedianMs, double WorstMs, int Runs, double LimitMs)
{
    public bool Holds => MedianMs <= LimitMs;
}

/// <summary>
/// Opens every page, and every list with each of its filters and orders, as a browser does, and takes the time: the document, the circuit and all reads
/// until the content is rendered. A filter is opened as an address, so its time has the whole page in it.
/// </summary>
internal sealed class PageTimes(Visitor person, int runs, Action<string> say)
{
    public const double FirstContentMs = 300;
    public const double FilterMs = 500;

    /// <summary>Compiled, cached and read once before it counts.</summary>
    private const int WarmUps = 2;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    /// <summary>A list that has found nothing; as it stands in a rendered change, behind its length.</summary>
    private const string Nothing = "\u0005empty";

    private static readonly string[] Statuses = ["working", "awaitingCustomer", "cancelling", "inDoubt", "approved", "partlyRefunded", "refunded", "declined", "notCharged"];

    private readonly List<PageTime> times = [];

    public async Task<IReadOnlyList<PageTime>> Measure()
    {
        var payment = await Example("/api/v1/payments?pageSize=50", p => p.GetProperty("orderNumber").ValueKind == JsonValueKind.String && p.GetProperty("channelTransaction").ValueKind == JsonValueKind.String);
        string Of(string field) => payment.GetProperty(field).GetString()!;
        var (terminal, request) = (Of("serialNumber"), Of("requestId"));
        var bound = await Example("/api/v1/terminals?pageSize=50&search=" + terminal, _ => true);
        string Text(string field) => Uri.EscapeDataString(bound.GetProperty(field).GetString()!);

        await First("overview", "/", Watchers.OverviewMark);
        await First("overview, day", "/?range=day", Watchers.OverviewMark);
        await First("overview, week", "/?range=week", Watchers.OverviewMark);
        await First("terminals", "/terminals", "row-link");
        var payments = $"/payments/{terminal}/";
        await First("terminal", $"/terminals/{terminal}", payments);
        await First("terminal, log", $"/terminals/{terminal}/log", "card log");
        await First("terminal, heartbeats", $"/terminals/{terminal}/heartbeats", "height:150px");
        await First("terminal, configuration", $"/terminals/{terminal}/configuration", "versions");
        await First("terminal, payments", $"/terminals/{terminal}/payments", payments);
        await First("terminal, audit", $"/terminals/{terminal}/audit", "table-box cards", Nothing);
        await First("payments", "/payments", "table-box payments");
        await First("payment", $"/payments/{terminal}/{request}", "card walk");
        await First("activation codes", "/activation-codes", "table-box codes");
        await First("people", "/people", "deeds");
        await First("keys", "/settings", "table-box");
        await First("account", "/account", "card sessions");

        await Terminals(terminal, Text("storeName"), Text("merchantName"), Text("storeId"), Text("merchantId"));
        await Payments(payment, Text("storeId"), Text("merchantId"));
        await Codes(Text("storeName"));
        return times;
    }

    private async Task Terminals(string serial, string store, string merchant, string storeId, string merchantId)
    {
        string[] filters =
        [
            "q=" + serial, "q=" + serial[^4..], "q=" + store, "q=" + merchant, "q=nobody-has-this", "merchant=" + merchantId, "store=" + storeId, "model=scan-box", "model=plain-scanner",
            "firmware=1.4.2", "firmware=1.0.4", "drift=1", "status=active", "status=suspended", "status=registered", "status=retired",
            "state=payable", "state=notPayable", "state=responsive", "state=silent", "state=connected", "state=offline",
            "sort=lastSeen", "sort=lastSeen&down=1", "sort=store", "sort=store&down=1", "sort=status", "sort=status&down=1", "sort=registered", "sort=registered&down=1", "down=1",
            "state=offline&sort=lastSeen&down=1", "state=payable&sort=store", "model=scan-box&firmware=1.3.9&status=active&state=connected", $"q={merchant}&state=connected&sort=registered&down=1",
        ];
        foreach (var filter in filters)
        {
            await Filter("terminals", "/terminals?" + filter, "row-link", Nothing);
        }
    }

    private async Task Payments(JsonElement payment, string storeId, string merchantId)
    {
        string Of(string field) => Uri.EscapeDataString(payment.GetProperty(field).ToString());
        var accepted = payment.GetProperty("acceptedAt").GetDateTimeOffset();
        string Day(int back) => accepted.AddDays(-back).ToString("yyyy-MM-dd'T'HH:mm", null);
        string[] filters =
        [
            "q=" + Of("orderNumber"), "q=" + Of("channelTransaction"), "q=" + Of("channelOrderNumber"), "q=" + Of("requestId"), "q=" + Of("serialNumber"), $"q={Of("serialNumber")}%2F{Of("requestId")}",
            "q=12.50", "q=" + Of("codeLastFour"), "q=nobody-has-this", "terminal=" + Of("serialNumber"), "merchant=" + merchantId, "store=" + storeId, "channel=sandbox", "channel=alipay",
            .. Statuses.Select(status => "status=" + status), "attention=1", "notShown=1", "notShown=1&span=7d", "wallet=weChat", "wallet=alipay", "wallet=unionPay", "span=15m", "span=1h", "span=24h", "span=7d", "span=30d",
            "min=4000", "min=4999.99", "max=1.00", "min=12.50&max=12.50", $"from={Day(14)}&to={Day(13)}", $"from={Day(20)}&to={Day(1)}",
            "wallet=unionPay&min=1000&span=30d", "status=declined&wallet=alipay&span=7d", $"status=refunded&merchant={merchantId}", $"merchant={merchantId}&wallet=unionPay&min=100", $"q={Of("codeLastFour")}&span=7d",
            $"store={storeId}&status=approved&span=30d",
        ];
        foreach (var filter in filters)
        {
            await Filter("payments", "/payments?" + filter, "table-box payments", Nothing);
        }

        var page = JsonElement.Parse(await person.Get("/api/v1/payments?pageSize=50", CancellationToken.None));
        await Filter("payments, older", "/payments?after=" + page.GetProperty("next").GetString(), "table-box payments");
    }

    private async Task Codes(string store)
    {
        foreach (var filter in (string[])["q=" + store, "q=nobody-has-this", "state=open", "state=usedUp", "state=expired", "state=revoked", "page=2", $"q={store}&state=expired"])
        {
            await Filter("activation codes", "/activation-codes?" + filter, "table-box codes", Nothing);
        }
    }

    private Task First(string name, string address, params string[] marks) => Take(name, address, FirstContentMs, marks);

    private Task Filter(string name, string address, params string[] marks) => Take(name, address, FilterMs, marks);

    private async Task Take(string name, string address, double limitMs, string[] marks)
    {
        var took = new List<double>();
        for (var n = -WarmUps; n < runs; n++)
        {
            var page = await OpenPage.Open(person, address, marks, Limit);
            await page.DisposeAsync();
            if (n >= 0)
            {
                took.Add(page.Took.TotalMilliseconds);
            }
        }

        took.Sort();
        times.Add(new(name, Uri.UnescapeDataString(address), Math.Round(took[took.Count / 2], 1), Math.Round(took[^1], 1), took.Count, limitMs));
        say($"{times[^1].Name} {times[^1].Address}: {times[^1].MedianMs} ms, at worst {times[^1].WorstMs} ms{(times[^1].Holds ? "" : " MISSED")}");
    }

    private async Task<JsonElement> Example(string list, Func<JsonElement, bool> fits)
    {
        var items = JsonElement.Parse(await person.Get(list, CancellationToken.None)).GetProperty("items").EnumerateArray().Where(fits).ToList();
        return items.Count > 0 ? items[0] : throw new BenchException($"{list} has nothing to go by");
    }
}
