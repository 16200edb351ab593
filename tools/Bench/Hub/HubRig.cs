using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tools.Bench.Conformance;
using DeviceHub.Tools.Bench.Reports;
using Google.Protobuf;
using Beating = DeviceHub.Protocol.Wire.Heartbeat;
using Told = DeviceHub.Protocol.Wire.ConfigurationReport.Types.Result;

namespace DeviceHub.Tools.Bench.Hub;

/// <summary>
/// A unit that is logged in at a hub, seen and commanded by the hub's HTTP API: whatever wire it is on, and what the hub has made of its messages. Payments are charges of
/// the till's kind, at amounts that have the Sandbox end them as wanted.
/// </summary>
internal sealed class HubRig(HubApi api, HubTerminal terminal, IJig jig, Texts texts, CancellationToken cancellation) : Rig(jig, texts, cancellation)
{
    /// <summary>That a case waits for a heartbeat; no hub wants one more often than each 30 s.</summary>
    private const double LongestBeatS = 60;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(150);
    private static readonly JsonParser Parser = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    /// <summary>The Sandbox's README has what the last two digits of an amount do, and how long it takes.</summary>
    private static readonly Dictionary<string, (int Digits, string Ends, TimeSpan Within)> Endings = new()
    {
        ["approved"] = (80, "approved", TimeSpan.FromSeconds(30)),
        ["declined"] = (01, "declined", TimeSpan.FromSeconds(30)),
        ["in-doubt"] = (23, "approved", TimeSpan.FromMinutes(3)),
        ["late"] = (41, "refunded", TimeSpan.FromMinutes(10)),
    };

    /// <summary>Of the till, and not closed yet: a hub takes one at a time.</summary>
    private string? openCharge;

    /// <summary>What a scan may take to reach the hub: a person does it.</summary>
    public TimeSpan ForScan { get; init; } = Hands;

    public override string Place => api.Address.ToString();

    public override string? Hub => Place;

    public override string SerialNumber => terminal.SerialNumber;

    public override UnitSeen? Unit => terminal.Unit;

    public override bool IsThere => terminal.IsConnected;

    public override void Need(JigAction action)
    {
        // Before anything is done to the unit: nothing brings it back to this hub.
        if (action == JigAction.FactoryReset)
        {
            throw new CaseBlockedException("a hub does not activate an active number again: after a factory reset the unit could not log in any more");
        }

        base.Need(action);
    }

    public override async Task<UnitSeen> Identify()
    {
        await Ready();
        return terminal.Unit;
    }

    /// <summary>A hub lets nobody in without it.</summary>
    public override Task ProveKey(TimeSpan within) => Ready();

    public override async Task Ready(bool toPay = false)
    {
        await terminal.Read(Cancellation);
        Assert(terminal.IsConnected, "it is not connected to the hub");
        if (toPay)
        {
            await NobodysMoney();
        }
    }

    public override async Task<Beating> Heartbeat()
    {
        await Ready();
        return terminal.Heartbeat is { ValueKind: JsonValueKind.Object } said ? Parse(said) : throw new CaseFailedException("the hub has heard no heartbeat");
    }

    /// <summary>The versions of a hub go up only: one that tells this version was sent after it was applied.</summary>
    public override async Task<Beating> HeartbeatAfter((ulong Version, byte[] Hash) applied)
    {
        var within = await BeatWithin(LongestBeatS);
        await Until(async () => (await Heartbeat()).ConfigurationVersion == applied.Version, within);
        return await Heartbeat();
    }

    public override async Task<(double IntervalS, TimeSpan At)> Beats(double wantedS, double mostS)
    {
        var within = await BeatWithin(mostS);
        var first = await NextBeat(within) ?? throw new CaseFailedException($"no heartbeat within {within.TotalMilliseconds:0} ms");
        return (terminal.HeartbeatIntervalS, first.At);
    }

    /// <summary>A beat and a half of the hub's interval, unless that is longer than can be waited for.</summary>
    private async Task<TimeSpan> BeatWithin(double mostS)
    {
        await Ready();
        return terminal.HeartbeatIntervalS <= mostS ? TimeSpan.FromSeconds(terminal.HeartbeatIntervalS * 1.5)
            : throw new CaseBlockedException($"the hub wants a heartbeat each {terminal.HeartbeatIntervalS:0} s, and at most {mostS:0} s are waited for here");
    }

    /// <summary>While nothing else is asked of it, what the hub hears of a unit are its heartbeats; the hub's clock has when.</summary>
    public override async Task<Beat?> NextBeat(TimeSpan within)
    {
        await terminal.Read(Cancellation);
        var before = terminal.LastSeen;
        return await Until(async () => await terminal.Read(Cancellation) && terminal.IsConnected && terminal.LastSeen > before, within)
            ? new Beat(await Heartbeat(), terminal.LastSeen!.Value - DateTimeOffset.UnixEpoch)
            : null;
    }

    public override async Task<Pushed> Push(IReadOnlyList<ConfigurationEntry> entries, TimeSpan within)
    {
        var (version, hash) = await terminal.Configure(Document(entries), Cancellation);
        if (!await Until(async () => await terminal.Read(Cancellation) && terminal.ReportedVersion == version, within))
        {
            throw new CaseFailedException($"no {(Phrase)"configuration_report"} within {within.TotalMilliseconds:0} ms");
        }

        return new Pushed((ulong)version, hash, terminal.Report!);
    }

    public override async Task<(string Id, TimeSpan Took)> Collect(long amountFen, string orderNumber)
    {
        if (openCharge is { } left)
        {
            await CloseCharge(left);
        }

        var charge = await api.Ask(
            HttpMethod.Post,
            terminal.Path + "/charges",
            new { amountFen, orderNumber, expiresInSeconds = Hands.TotalSeconds, idempotencyKey = orderNumber },
            problem => problem.ValueKind == JsonValueKind.Object && problem.TryGetProperty("code", out var code) && code.GetString() == "CannotCollect"
                ? (Phrase)"hello does not announce the capability collect" : null,
            Cancellation);
        var id = charge.GetProperty("id").GetString()!;
        charge = await api.Get($"{terminal.Path}/charges/{id}?known=sent&wait=20", Cancellation);
        Assert(charge.GetProperty("stage").GetString() != "closed", $"no collecting came of the collect: the charge ended as {charge.GetProperty("ended")}");
        openCharge = id;
        return (id, charge.GetProperty("collectingAt").GetDateTimeOffset() - charge.GetProperty("createdAt").GetDateTimeOffset());
    }

    public override async Task CloseCharge(string id)
    {
        openCharge = null;
        await api.Ask(HttpMethod.Post, $"{terminal.Path}/charges/{id}/cancel", null, null, Cancellation);
        // The hub has closed it, and now tells the unit.
        await Task.Delay(Ms(500), Cancellation);
    }

    public override async Task<PaymentRequest> Scan(string code, long amountFen)
    {
        Need(JigAction.Scan);
        var before = await Payments();
        await Jig.Do(new JigOrder(JigAction.Scan, code, amountFen), Cancellation);
        string? id = null;
        if (!await Until(async () => (id = (await Payments()).FirstOrDefault(p => !before.Contains(p))) is not null, ForScan))
        {
            throw new CaseFailedException("no payment_request came of the scan");
        }

        var accepted = (await Payment(id!)).GetProperty("timeline")[0].GetProperty("event");
        var request = new PaymentRequest
        {
            RequestId = id,
            AmountFen = accepted.GetProperty("amountFen").GetUInt64(),
            AgeMs = accepted.TryGetProperty("scanAgeMs", out var age) ? age.GetUInt32() : 0,
            OrderNumber = accepted.TryGetProperty("orderNumber", out var order) ? order.GetString() : "",
            ChargeId = accepted.TryGetProperty("chargeId", out var charge) ? charge.GetString() : "",
        };
        openCharge = request.ChargeId == openCharge ? null : openCharge;
        return request;
    }

    public override async Task<PaymentRequest> ScanFor(string result, string code, long amountFen)
    {
        Need(JigAction.Scan);
        var (amount, order) = ((amountFen / 100 * 100) + Endings[result].Digits, ChargeCases.NewOrder());
        var (id, _) = await Collect(amount, order);
        var request = await Scan(code, 0);
        Assert((request.ChargeId, (long)request.AmountFen, request.OrderNumber) == (id, amount, order), "charge_id, amount or order number is not the collect's");
        return request;
    }

    public override async Task<TimeSpan> Conclude(PaymentRequest request, string result, TimeSpan shownWithin)
    {
        var (_, ends, within) = Endings[result];
        var (standing, payment) = (default(JsonElement), default(JsonElement));
        bool Is(string ended) => standing.GetProperty("stage").GetString() == "final" && standing.GetProperty("result").GetString() == ended;
        async Task<bool> Stands(Func<bool> so)
        {
            payment = await Payment(request.RequestId);
            standing = payment.GetProperty("standing");
            return so();
        }

        Assert(await Until(() => Stands(() => Is(ends)), within), $"the payment is {standing.GetProperty("stage")}, {standing.GetProperty("result")} at the hub instead of {ends}");
        Assert(
            await Until(() => Stands(() => standing.GetProperty("shownRevision").GetInt32() >= standing.GetProperty("revision").GetInt32()), shownWithin),
            $"no {(Phrase)"outcome_shown"} within {shownWithin.TotalMilliseconds:0} ms");
        var twins = request.OrderNumber.Length == 0 ? 1 : (await api.Get($"payments?serialNumber={terminal.SerialNumber}&orderNumber={request.OrderNumber}", Cancellation)).GetProperty("items").GetArrayLength();
        Assert(twins == 1, $"one scan became {twins} payments");
        return When(payment, "shown") - When(payment, "outcome");
    }

    public override Task Settle(PaymentRequest request) => Conclude(request, "approved", Ms(3000));

    public override async Task Show(string text)
    {
        await Ready();
        var pushed = await Push(ConfigurationCases.Entries(5, text), Ms(5000));
        ConfigurationCases.Is(pushed.Report, Told.Applied, pushed.Hash, pushed.Version);
    }

    /// <summary>What was up before the order to it, or was not heard since, is not back.</summary>
    public override async Task<Beating?> Restart(JigAction action, TimeSpan within)
    {
        await terminal.Read(Cancellation);
        var (from, before) = (Now, terminal.LastSeen);
        await Jig.Do(new JigOrder(action), Cancellation);
        if (!await Until(async () => await terminal.Read(Cancellation) && IsBack(), within))
        {
            return null;
        }

        // It may have been seen for its login, with the heartbeat of before: its own follows at once.
        await Task.Delay(Look * 2, Cancellation);
        return await Heartbeat();

        bool IsBack() => terminal.IsConnected && terminal.LastSeen > before && terminal.Heartbeat is { ValueKind: JsonValueKind.Object } said && Parse(said).UptimeS <= (Now - from).TotalSeconds;
    }

    /// <summary>The bench's codes are nobody's, but an account of a merchant is real.</summary>
    private async Task NobodysMoney()
    {
        var merchant = terminal.MerchantId ?? throw new CaseBlockedException("it is bound to no store");
        var accounts = (await api.Get($"channel-accounts?merchantId={Uri.EscapeDataString(merchant)}&pageSize=200", Cancellation)).GetProperty("items").EnumerateArray().ToList();
        var route = await api.Ask(HttpMethod.Post, "routing/explain", new { merchantId = merchant, codeShape = "13xxxxxxxxxxxxxxxx", amountFen = PaymentCases.AmountFen }, null, Cancellation);
        if (accounts.Any(a => a.GetProperty("enabled").GetBoolean() && a.GetProperty("channel").GetString() != "sandbox") || route.GetProperty("channel").GetString() != "sandbox")
        {
            throw new CaseBlockedException("its merchant has an account that moves money: the bench pays at the Sandbox only");
        }
    }

    private async Task<HashSet<string>> Payments() =>
        [.. (await api.Get($"payments?serialNumber={terminal.SerialNumber}&pageSize=50", Cancellation)).GetProperty("items").EnumerateArray()
            .Select(p => p.GetProperty("requestId").GetString()!).Where(id => !id.StartsWith("test-", StringComparison.Ordinal))];

    private Task<JsonElement> Payment(string requestId) => api.Get($"payments/{terminal.SerialNumber}/{requestId}", Cancellation);

    /// <summary>The last event of a kind, on the hub's clock.</summary>
    private static DateTimeOffset When(JsonElement payment, string kind) =>
        payment.GetProperty("timeline").EnumerateArray().Last(e => e.GetProperty("event").GetProperty("kind").GetString() == kind).GetProperty("at").GetDateTimeOffset();

    private async Task<bool> Until(Func<Task<bool>> condition, TimeSpan within)
    {
        for (var from = Now; Now - from < within; await Task.Delay(Look, Cancellation))
        {
            if (await condition())
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The document that a hub makes these entries of.</summary>
    private static JsonObject Document(IReadOnlyList<ConfigurationEntry> entries)
    {
        var document = new JsonObject();
        foreach (var entry in entries)
        {
            var (at, names) = (document, entry.Key.Split('.'));
            foreach (var name in names[..^1])
            {
                at = (JsonObject)(at[name] ??= new JsonObject());
            }

            at[names[^1]] = entry.ValueCase switch
            {
                ConfigurationEntry.ValueOneofCase.Flag => JsonValue.Create(entry.Flag),
                ConfigurationEntry.ValueOneofCase.Number => JsonValue.Create(entry.Number),
                _ => JsonValue.Create(entry.Text),
            };
        }

        return document;
    }

    private static Beating Parse(JsonElement heartbeat) => Parser.Parse<Beating>(heartbeat.GetRawText());
}
