using DeviceHub.IntegrationTests.BadInput;
using DeviceHub.Protocol.Wire;

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

    /// <summary>Parts of a terminal's page, by their addresses.</summary>
    private static readonly string[] Parts = ["log", "heartbeats", "configuration", "payments", "audit"];

    /// <summary>
    /// With pages of one terminal and of its payments: one whose answer is lost and that is paid after some 10 s (20: TimeoutPaid), one that was approved, one
    /// that was declined and one that is in doubt for a minute (41: LateSuccess).
    /// </summary>
    public static async Task<IReadOnlyDictionary<string, string>> Of(TestTerminal terminal)
    {
        await terminal.Send(new Uplink { Heartbeat = new() { UptimeS = 4_000, SignalDbm = -71, ConnectTimes = new() { AttachMs = 900, DnsMs = 40, TlsMs = 480, LoginMs = 190 } } });
        var pages = new Dictionary<string, string>(Lists) { ["terminal"] = "/terminals/" + terminal.SerialNumber };
        foreach (var part in Parts)
        {
            pages["terminal-" + part] = $"/terminals/{terminal.SerialNumber}/{part}";
        }

        foreach (var (name, fen) in new[] { ("lost-answer", 5220ul), ("approved", 5200ul), ("declined", 5201ul), ("in-doubt", 5241ul) })
        {
            var request = terminal.Request(fen);
            await terminal.Pay(request);
            pages["payment-" + name] = $"/payments/{terminal.SerialNumber}/{request.RequestId}";
        }

        return pages;
    }
}
