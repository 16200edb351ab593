namespace DeviceHub.BrowserTests;

/// <summary>The addresses of all pages of the dashboard, in a hub that has one of each thing.</summary>
internal static class EveryPage
{
    /// <summary>Pages that are about nothing in particular, by a name for a file.</summary>
    public static readonly IReadOnlyDictionary<string, string> Lists = new Dictionary<string, string>
    {
        ["overview"] = "/",
        ["terminals"] = "/terminals",
        ["payments"] = "/payments",
        ["activation-codes"] = "/activation-codes",
        ["people"] = "/people",
        ["settings"] = "/settings",
        ["account"] = "/account",
        ["not-found"] = "/not-found",
    };

    /// <summary>With pages of one terminal and of its payments: one that was approved, one that was declined and one that is in doubt.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> Of(DashboardHub hub)
    {
        await using var terminal = await hub.LoggedIn("sealing");
        var pages = new Dictionary<string, string>(Lists) { ["terminal"] = "/terminals/" + terminal.SerialNumber };
        foreach (var (name, fen) in new[] { ("approved", 5200ul), ("declined", 5201ul), ("in-doubt", 5222ul) })
        {
            var request = terminal.Request(fen);
            await terminal.Pay(request);
            pages["payment-" + name] = $"/payments/{terminal.SerialNumber}/{request.RequestId}";
        }

        return pages;
    }
}
