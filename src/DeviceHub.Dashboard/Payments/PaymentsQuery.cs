using System.Globalization;
using System.Web;
using DeviceHub.Core.Payments;

namespace DeviceHub.Dashboard.Payments;

/// <summary>What the list shows, as it stands in the page's address: a link to it, or a step back, shows the same again.</summary>
internal sealed record PaymentsQuery
{
    public const string Path = "/payments";

    /// <summary>Spans that end now, by their names in the address.</summary>
    public static readonly IReadOnlyDictionary<string, TimeSpan> Spans = new Dictionary<string, TimeSpan>(StringComparer.Ordinal)
    {
        ["5m"] = TimeSpan.FromMinutes(5), ["15m"] = TimeSpan.FromMinutes(15), ["1h"] = TimeSpan.FromHours(1), ["24h"] = TimeSpan.FromDays(1), ["7d"] = TimeSpan.FromDays(7), ["30d"] = TimeSpan.FromDays(30),
    };

    /// <summary>Times and pages left out.</summary>
    public PaymentFilter Filter { get; init; } = new();

    /// <summary>One of <see cref="Spans"/>; null: the filter's own times, or all.</summary>
    public string? Span { get; init; }

    /// <summary>Only what is older; null: the newest.</summary>
    public PaymentPosition? OlderThan { get; init; }

    /// <summary>A payment may come in long after it was accepted; what has come in is few, and has an index of its own.</summary>
    public bool TakesOldOnes => Filter is { OutcomeNotShown: true } or { NeedsAttention: true } or
    {
        Status: PaymentStatus.Working or PaymentStatus.AwaitingCustomer or PaymentStatus.Cancelling or PaymentStatus.InDoubt or PaymentStatus.PartlyRefunded or PaymentStatus.Refunded,
    };

    public bool IsPlain => this == new PaymentsQuery();

    /// <summary>What cannot be read is left out: an address is typed and cut by people.</summary>
    /// <param name="zone">Of times without one.</param>
    public static PaymentsQuery Parse(string query, TimeZoneInfo zone)
    {
        var values = HttpUtility.ParseQueryString(query);
        string? Text(string name) => values[name]?.Trim() is { Length: > 0 and <= 100 } text ? text : null;
        T? Name<T>(string name)
            where T : struct, Enum => Enum.TryParse<T>(Text(name), ignoreCase: true, out var value) && Enum.IsDefined(value) ? value : null;
        return new()
        {
            Filter = new()
            {
                Text = Text("q"),
                SerialNumber = Text("terminal"),
                MerchantId = Text("merchant"),
                StoreId = Text("store"),
                OrderNumber = Text("order"),
                Channel = Text("channel"),
                From = Time(Text("from"), zone),
                To = Time(Text("to"), zone),
                MinFen = Fen(Text("min")),
                MaxFen = Fen(Text("max")),
                Wallet = Name<Wallet>("wallet") is { } wallet and not Wallet.None ? wallet : null,
                Status = Name<PaymentStatus>("status"),
                Result = Name<PaymentResult>("result") is { } result and not PaymentResult.None ? result : null,
                NeedsAttention = Text("attention") == "1" ? true : null,
                OutcomeNotShown = Text("notShown") == "1" ? true : null,
                IsTest = Text("tests") switch { "0" => false, "1" => true, _ => null },
            },
            Span = Text("span") is { } span && Spans.ContainsKey(span) ? span : null,
            OlderThan = PaymentPosition.TryParse(Text("after"), out var position) ? position : null,
        };
    }

    public string Address(TimeZoneInfo zone) => Path + Parameters(zone, forApi: false);

    /// <summary>The same payments as a file.</summary>
    public string ExportAddress(TimeZoneInfo zone, DateTimeOffset now) => "/api/v1/payments.csv" + (this with { Filter = Find(now), Span = null, OlderThan = null }).Parameters(zone, forApi: true);

    /// <summary>With the span's times.</summary>
    public PaymentFilter Find(DateTimeOffset now) => Span is { } span ? Filter with { From = now - Spans[span], To = null } : Filter;

    private string Parameters(TimeZoneInfo zone, bool forApi)
    {
        var f = Filter;
        (string Name, string? Value)[] all =
        [
            ("q", f.Text), (forApi ? "serialNumber" : "terminal", f.SerialNumber), (forApi ? "merchantId" : "merchant", f.MerchantId), (forApi ? "storeId" : "store", f.StoreId),
            (forApi ? "orderNumber" : "order", f.OrderNumber), ("channel", f.Channel), ("status", Word(f.Status)), ("result", Word(f.Result)), ("wallet", Word(f.Wallet)),
            (forApi ? "minFen" : "min", forApi ? f.MinFen?.ToString(CultureInfo.InvariantCulture) : Yuan(f.MinFen)), (forApi ? "maxFen" : "max", forApi ? f.MaxFen?.ToString(CultureInfo.InvariantCulture) : Yuan(f.MaxFen)),
            ("span", Span), ("from", forApi ? f.From?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture) : Local(f.From, zone)),
            ("to", forApi ? f.To?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture) : Local(f.To, zone)), (forApi ? "needsAttention" : "attention", f.NeedsAttention is true ? forApi ? "true" : "1" : null),
            (forApi ? "outcomeNotShown" : "notShown", f.OutcomeNotShown is true ? forApi ? "true" : "1" : null),
            (forApi ? "test" : "tests", f.IsTest switch { null => null, true => forApi ? "true" : "1", false => forApi ? "false" : "0" }), ("after", OlderThan?.ToString()),
        ];
        var given = string.Join('&', all.Where(p => p.Value is not null).Select(p => $"{p.Name}={Uri.EscapeDataString(p.Value!)}"));
        return given.Length == 0 ? "" : "?" + given;
    }

    /// <summary>Yuan as people type them; null: nothing, or no amount.</summary>
    public static long? Fen(string? yuan) =>
        decimal.TryParse(yuan?.Trim().TrimStart('¥', '￥').Replace(",", "", StringComparison.Ordinal), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount)
            && amount <= 100_000_000 && decimal.Round(amount, 2) == amount ? (long)(amount * 100) : null;

    public static string? Yuan(long? fen) => fen is { } f ? (f / 100m).ToString("0.00", CultureInfo.InvariantCulture) : null;

    /// <summary>As an input of date and time has it.</summary>
    public static string? Local(DateTimeOffset? at, TimeZoneInfo zone) => at is { } a ? TimeZoneInfo.ConvertTime(a, zone).ToString("yyyy-MM-dd'T'HH:mm", CultureInfo.InvariantCulture) : null;

    public static DateTimeOffset? Time(string? local, TimeZoneInfo zone) =>
        DateTime.TryParseExact(local, ["yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var at)
            ? new DateTimeOffset(at, zone.GetUtcOffset(at)) : null;

    private static string? Word<T>(T? value)
        where T : struct, Enum => value is { } v ? System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(v.ToString()) : null;
}
