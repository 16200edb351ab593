using System.Web;
using DeviceHub.Core.Terminals;

namespace DeviceHub.Dashboard.Terminals;

/// <summary>What the list shows, as it stands in the page's address: a link to it, or a step back, shows the same again.</summary>
internal sealed record TerminalsQuery
{
    public const string Path = "/terminals";

    public TerminalFilter Filter { get; init; } = new();

    public TerminalOrder Order { get; init; }

    /// <summary>The row to begin at, from 0.</summary>
    public int At { get; init; }

    public bool IsPlain => Filter == new TerminalFilter();

    /// <summary>What cannot be read is left out: an address is typed and cut by people.</summary>
    public static TerminalsQuery Parse(string query)
    {
        var values = HttpUtility.ParseQueryString(query);
        string? Text(string name) => values[name]?.Trim() is { Length: > 0 and <= 100 } text ? text : null;
        T? Name<T>(string name)
            where T : struct, Enum => Text(name) is { } text && !char.IsAsciiDigit(text[0]) && Enum.TryParse<T>(text, ignoreCase: true, out var value) && Enum.IsDefined(value) ? value : null;
        return new()
        {
            Filter = new()
            {
                Text = Text("q"),
                Presence = Name<PresenceFilter>("state"),
                Status = Name<TerminalStatus>("status") is { } status and not TerminalStatus.None ? status : null,
                Model = Text("model"),
                Firmware = Text("firmware"),
                MerchantId = Text("merchant"),
                StoreId = Text("store"),
                Drifts = Text("drift") == "1" ? true : null,
            },
            Order = new(Name<TerminalSort>("sort") ?? TerminalSort.SerialNumber, Text("down") == "1"),
            At = int.TryParse(Text("at"), out var at) && at is > 0 and < 10_000_000 ? at : 0,
        };
    }

    public string Address() => Path + Parameters(
        ("q", Filter.Text), ("state", Word(Filter.Presence)), ("status", Word(Filter.Status)), ("model", Filter.Model), ("firmware", Filter.Firmware), ("merchant", Filter.MerchantId),
        ("store", Filter.StoreId), ("drift", Filter.Drifts is true ? "1" : null), ("sort", Order.By == TerminalSort.SerialNumber ? null : Word<TerminalSort>(Order.By)),
        ("down", Order.Descending ? "1" : null), ("at", At > 0 ? At.ToString(System.Globalization.CultureInfo.InvariantCulture) : null));

    /// <summary>The same terminals as a file.</summary>
    public string ExportAddress() => "/api/v1/terminals.csv" + Parameters(
        ("search", Filter.Text), ("presence", Word(Filter.Presence)), ("status", Word(Filter.Status)), ("model", Filter.Model), ("firmware", Filter.Firmware), ("merchantId", Filter.MerchantId),
        ("storeId", Filter.StoreId), ("drift", Filter.Drifts is true ? "true" : null));

    /// <summary>Another filter begins at its first row.</summary>
    public TerminalsQuery With(TerminalFilter filter) => this with { Filter = filter, At = 0 };

    private static string Parameters(params (string Name, string? Value)[] all)
    {
        var given = string.Join('&', all.Where(p => p.Value is not null).Select(p => $"{p.Name}={Uri.EscapeDataString(p.Value!)}"));
        return given.Length == 0 ? "" : "?" + given;
    }

    private static string? Word<T>(T? value)
        where T : struct, Enum => value is { } v ? System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(v.ToString()) : null;
}
