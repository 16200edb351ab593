using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Faults;
using DeviceHub.Tools.ChannelSandbox.Notices;

namespace DeviceHub.Tools.ChannelSandbox.Http;

/// <summary>What <c>POST /faults</c> takes; README.md has examples.</summary>
/// <param name="Fault">A name of the table, or <c>refuse-connections</c>.</param>
/// <param name="Api">pay, query, reverse, refund, refundQuery, bill; null: any.</param>
/// <param name="Channel">weChat, alipay, shouqianba; null: any.</param>
/// <param name="Order">The merchant's order number; null: any.</param>
/// <param name="Times">How many calls, 1 to 1,000,000.</param>
/// <param name="Done">Whether the call is carried out all the same; null: as the fault's name says.</param>
/// <param name="Code">Answered instead of the truth.</param>
/// <param name="AfterMs">How long it takes: an answer that is slow, hangs; a charge that is late; connections that are refused.</param>
internal sealed record FaultRequest(
    string Fault, Api? Api = null, Channel? Channel = null, string? Order = null, int Times = 1, bool? Done = null, string? Code = null, int? Status = null, int? AfterMs = null);

/// <summary>What <c>PUT /faults/chance</c> takes and answers.</summary>
internal sealed record Chance(int Seed, double Rate, long ClockSkewMs);

internal sealed record FaultView(string Fault, Api? Api, Channel? Channel, string? Order, int Times);

/// <summary>What <c>POST /notices</c> takes: a notice is sent once, now, and what was answered is the answer.</summary>
/// <param name="Refund">Its number; null: the payment.</param>
/// <param name="Url">On loopback; null: where it is told anyway.</param>
internal sealed record NoticeRequest(Channel Channel, string Merchant, string Order, string? Refund = null, string? Url = null, bool Forged = false, int MoreFen = 0);

internal sealed record Problem(string Error);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(FaultRequest))]
[JsonSerializable(typeof(Chance))]
[JsonSerializable(typeof(IEnumerable<FaultView>))]
[JsonSerializable(typeof(NoticeRequest))]
[JsonSerializable(typeof(NoticeResult))]
[JsonSerializable(typeof(Problem))]
internal sealed partial class ControlJson : JsonSerializerContext;

/// <summary>The sandbox's own API, which no channel has: its book, and what shall go wrong.</summary>
internal sealed class Control(Bank.Bank bank, FaultPlan faults, NoticeSender notices, ListenerGate gate, ChannelClock clock)
{
    private const int MaxPage = 100_000;

    public Task Serve(HttpContext context) => (context.Request.Method, context.Request.Path.Value) switch
    {
        ("GET", "/book") => Book(context),
        ("GET", "/faults") => context.Response.WriteAsJsonAsync(
            faults.Scripted.Select(s => new FaultView(s.Fault.Name, s.Api, s.Channel, s.Order, s.Times)), ControlJson.Default.IEnumerableFaultView),
        ("POST", "/faults") => Script(context),
        ("DELETE", "/faults") => Clear(context),
        ("GET", "/faults/chance") => ShowChance(context),
        ("PUT", "/faults/chance") => SetChance(context),
        ("POST", "/notices") => Tell(context),
        _ => Refuse(context, 404, "no such path; README.md of tools/ChannelSandbox lists them"),
    };

    /// <summary>A page of the book, oldest first; <c>next</c> is where the next page begins, null at the end.</summary>
    private async Task Book(HttpContext context)
    {
        var query = context.Request.Query;
        if (!int.TryParse(query["from"].FirstOrDefault() ?? "0", NumberStyles.None, null, out var from)
            || !int.TryParse(query["limit"].FirstOrDefault() ?? "10000", NumberStyles.None, null, out var limit) || limit is < 1 or > MaxPage)
        {
            await Refuse(context, 400, $"from is a position, limit is 1 to {MaxPage}");
            return;
        }

        var page = bank.Page(from, limit);
        context.Response.ContentType = Call.Json;
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        json.WriteStartObject();
        json.WriteNumber("count"u8, bank.Orders);
        if (page.Count == limit)
        {
            json.WriteNumber("next"u8, from + limit);
        }
        else
        {
            json.WriteNull("next"u8);
        }

        json.WriteStartArray("orders"u8);
        foreach (var order in page)
        {
            bank.Find(order.Key);
            Write(json, order);
            if (json.BytesPending > 32 * 1024)
            {
                await json.FlushAsync(context.RequestAborted);
                await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
            }
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, Order order)
    {
        lock (order)
        {
            json.WriteStartObject();
            json.WriteString("channel"u8, order.Key.Channel switch { Channel.WeChat => "weChat", Channel.Alipay => "alipay", _ => "shouqianba" });
            json.WriteString("merchant"u8, order.Key.Merchant);
            json.WriteString("order"u8, order.Key.Number);
            json.WriteNumber("amountFen"u8, order.Fen);
            json.WriteString("state"u8, order.Hidden ? "Hidden" : order.State.ToString());
            json.WriteNumber("charges"u8, order.WasCharged ? 1 : 0);
            json.WriteNumber("reversedFen"u8, order.ReversedFen);
            json.WriteNumber("refundedFen"u8, order.RefundedFen);
            json.WriteNumber("netFen"u8, order.NetFen);
            json.WriteString("createdAt"u8, DateTimeOffset.FromUnixTimeMilliseconds(order.CreatedAt));
            if (order.WasCharged)
            {
                json.WriteString("chargedAt"u8, DateTimeOffset.FromUnixTimeMilliseconds(order.ChargedAt));
            }

            json.WriteStartArray("refunds"u8);
            foreach (var refund in order.Refunds)
            {
                json.WriteStartObject();
                json.WriteString("number"u8, refund.Number);
                json.WriteNumber("fen"u8, refund.Fen);
                json.WriteString("state"u8, refund.State.ToString());
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }
    }

    private async Task Script(HttpContext context)
    {
        FaultRequest? wanted;
        try
        {
            wanted = await context.Request.ReadFromJsonAsync(ControlJson.Default.FaultRequest, context.RequestAborted);
        }
        catch (JsonException e)
        {
            await Refuse(context, 400, e.Message);
            return;
        }

        var after = wanted?.AfterMs is { } ms ? TimeSpan.FromMilliseconds(ms) : (TimeSpan?)null;
        if (wanted is null || wanted.Times is < 1 or > 1_000_000 || after is { TotalHours: > 1 or < 0 } || wanted.Status is < 200 or > 599)
        {
            await Refuse(context, 400, "times is 1 to 1000000, afterMs 0 to an hour, status 200 to 599");
        }
        else if (wanted.Fault == "refuse-connections")
        {
            context.Response.StatusCode = 202;
            await context.Response.CompleteAsync();
            _ = gate.Close(after ?? TimeSpan.FromSeconds(5));
        }
        else if (!FaultTable.ByName.TryGetValue(wanted.Fault, out var fault))
        {
            await Refuse(context, 400, $"'{wanted.Fault}' is no fault; there are refuse-connections, {string.Join(", ", FaultTable.ByName.Keys.Order())}");
        }
        else
        {
            fault = fault with
            {
                Code = wanted.Code ?? fault.Code,
                Status = wanted.Status ?? fault.Status,
                After = after ?? fault.After,
                Effect = wanted.Done switch { true => Effect.Charge, false => Effect.Nothing, _ => fault.Effect },
            };
            var scripted = new ScriptedFault(fault, wanted.Api, wanted.Channel, wanted.Order, wanted.Times);
            if (faults.Script(scripted))
            {
                context.Response.StatusCode = 204;
            }
            else
            {
                await Refuse(context, 409, $"{FaultPlan.MaxScripted} faults wait already; DELETE /faults forgets them");
            }
        }
    }

    private async Task Tell(HttpContext context)
    {
        NoticeRequest? wanted = null;
        try
        {
            wanted = await context.Request.ReadFromJsonAsync(ControlJson.Default.NoticeRequest, context.RequestAborted);
        }
        catch (JsonException)
        {
            // Answered below.
        }

        var order = wanted is null ? null : bank.Find(new(wanted.Channel, wanted.Merchant, wanted.Order));
        var refund = wanted?.Refund is null ? null : order?.Refunds.FirstOrDefault(r => r.Number == wanted.Refund || r.Number.EndsWith(" " + wanted.Refund, StringComparison.Ordinal));
        if (order is null || (wanted!.Refund is not null && refund is null) || NoticeSender.Loopback(wanted.Url ?? refund?.NotifyUrl ?? order.NotifyUrl) is not { } url
            || notices.WriterOf(order, refund) is null)
        {
            await Refuse(context, 400, "it takes channel, merchant, order, perhaps refund, of something that is in the book, and a url on loopback");
            return;
        }

        await context.Response.WriteAsJsonAsync(await notices.Send(new(order, refund, wanted.Forged, wanted.MoreFen), url), ControlJson.Default.NoticeResult);
    }

    private Task Clear(HttpContext context)
    {
        faults.Clear();
        context.Response.StatusCode = 204;
        return Task.CompletedTask;
    }

    private Task ShowChance(HttpContext context) =>
        context.Response.WriteAsJsonAsync(new Chance(faults.Seed, faults.Rate, (long)clock.Skew.TotalMilliseconds), ControlJson.Default.Chance);

    private async Task SetChance(HttpContext context)
    {
        Chance? wanted = null;
        try
        {
            wanted = await context.Request.ReadFromJsonAsync(ControlJson.Default.Chance, context.RequestAborted);
        }
        catch (JsonException)
        {
            // Answered below.
        }

        if (wanted is not { Rate: >= 0 and <= 1 } || Math.Abs(wanted.ClockSkewMs) > TimeSpan.FromDays(3650).TotalMilliseconds)
        {
            await Refuse(context, 400, "it takes seed, rate (0 to 1) and clockSkewMs");
            return;
        }

        (faults.Seed, faults.Rate, clock.Skew) = (wanted.Seed, wanted.Rate, TimeSpan.FromMilliseconds(wanted.ClockSkewMs));
        await ShowChance(context);
    }

    private static Task Refuse(HttpContext context, int status, string why)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new Problem(why), ControlJson.Default.Problem);
    }
}
