using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using DeviceHub.IntegrationTests.BadInput;
using DeviceHub.IntegrationTests.Server;
using DeviceHub.Protocol.Wire;
using DeviceHub.Server.Api;
using DeviceHub.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace DeviceHub.IntegrationTests.Charges;

/// <summary>Charges over the API, with a real MQTT client as the terminal.</summary>
public sealed class ChargesApiTests(TillHub hub) : IClassFixture<TillHub>
{
    private const string Secret = "0123456789abcdef0123456789abcdef";

    [Fact]
    public async Task Till_asks_the_terminal_collects_and_the_result_is_told_by_waiting_by_stream_and_by_webhook_that_fails_twice()
    {
        var (terminal, merchant) = await hub.Collector();
        await using var _ = terminal;
        await hub.Admin.Put($"/api/v1/merchants/{merchant}/webhook", new { url = $"http://127.0.0.1:{hub.Receiver.Port}/{merchant}", secret = Secret });
        hub.Receiver.Fail(2);
        var till = await Till(merchant);

        var charge = await till.Post(Charges(terminal), Body("A-1"));
        Assert.Equal(("sent", "none", 1280), (Text(charge, "stage"), Text(charge, "ended"), charge.GetProperty("amountFen").GetInt64()));
        var id = Text(charge, "id");
        var collect = (await terminal.Expect(Downlink.BodyOneofCase.Collect)).Collect;
        Assert.Equal((id, 1280UL, "A-1"), (collect.ChargeId, collect.AmountFen, collect.OrderNumber));
        var stream = Stream(till, $"{Charges(terminal)}/{id}/events");

        var waits = till.Get($"{Charges(terminal)}/{id}?known=sent&wait=20");
        await terminal.SendSealed(new Uplink { Collecting = new() { ChargeId = id } });
        Assert.Equal("collecting", Text(await waits, "stage"));
        var request = terminal.Answer(collect);
        var outcome = await terminal.PayForOutcome(request);
        Assert.Equal(Outcome.Types.Result.Approved, outcome.Result);

        var closed = await Closed(till, terminal, id);
        Assert.Equal(("paid", request.RequestId), (Text(closed, "ended"), Text(closed.GetProperty("payment").GetProperty("id"), "requestId")));
        var events = await stream;
        Assert.Equal("closed", events[^1]);
        Assert.True(events.Contains("collecting") || events.Contains("sent"), string.Join(' ', events));

        await Eventually.Holds(() => hub.Receiver.Of("/" + merchant).Count == 3, "the webhook is told in the third try");
        var told = hub.Receiver.Of("/" + merchant);
        Assert.Equal($"{id}-1", Assert.Single(told.Select(t => t.Id).Distinct()));
        var (_, _, signature, body) = told[^1];
        var time = signature.Split(',')[0]["t=".Length..];
        Assert.Equal($"t={time},v1={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.ASCII.GetBytes(Secret), Encoding.UTF8.GetBytes($"{time}.{body}")))}", signature);
        var sent = JsonDocument.Parse(body).RootElement;
        Assert.Equal(("charge.closed", "paid", "A-1"), (Text(sent, "type"), Text(sent.GetProperty("charge"), "ended"), Text(sent.GetProperty("charge"), "orderNumber")));
        await Eventually.Holds(
            async () => (await hub.Admin.Get($"/api/v1/merchants/{merchant}/webhook")).GetProperty("waiting").GetInt64() == 0, "nothing waits for the webhook any more");
        Assert.Equal("charge.create", Text((await hub.Audit("charge.create", "terminal:" + terminal.SerialNumber))[0], "what"));
    }

    [Fact]
    public async Task Terminal_that_is_not_there_is_unreachable_within_seconds()
    {
        var own = new ImpatientTillHub();
        await own.InitializeAsync();
        try
        {
            var (terminal, _) = await own.Collector();
            await terminal.DisposeAsync();
            var charge = await own.Admin.Post(Charges(terminal), Body("A-1"));
            var closed = await own.Admin.Get($"{Charges(terminal)}/{Text(charge, "id")}?known=sent&wait=20");
            Assert.Equal(("closed", "unreachable"), (Text(closed, "stage"), Text(closed, "ended")));

            // The till asks again, and of two questions at once one is a charge.
            var two = await Task.WhenAll(Asked(own, terminal, "A-1"), Asked(own, terminal, "A-2"));
            Assert.Equal([HttpStatusCode.Created, HttpStatusCode.Conflict], two.Order());
        }
        finally
        {
            await own.DisposeAsync();
        }
    }

    [Fact]
    public async Task Question_above_those_that_may_wait_is_refused_with_what_to_do_and_the_place_is_free_again_afterwards()
    {
        var own = new FullTillHub();
        await own.InitializeAsync();
        try
        {
            var (terminal, _) = await own.Collector();
            await using var disposal = terminal;
            var charge = $"{Charges(terminal)}/{Text(await own.Admin.Post(Charges(terminal), Body("F-1")), "id")}";
            var collect = (await terminal.Expect(Downlink.BodyOneofCase.Collect)).Collect;
            var waits = own.Admin.Get($"{charge}?known=sent&wait=60");
            await Eventually.Holds(() => own.Services.GetRequiredService<ChargesApi.Waits>().Taken == 1, "the first one waits");

            var refused = await own.Admin.Get($"{charge}?known=sent&wait=20", HttpStatusCode.ServiceUnavailable);
            Assert.Equal("1 questions wait already (Charges:MaxWaiting is 1); ask without wait, or later", Text(refused, "detail"));
            await own.Admin.Get($"{charge}/events", HttpStatusCode.ServiceUnavailable);
            Assert.Equal("sent", Text(await own.Admin.Get(charge), "stage"));

            await terminal.SendSealed(new Uplink { Collecting = new() { ChargeId = collect.ChargeId } });
            Assert.Equal("collecting", Text(await waits, "stage"));
            await Eventually.Holds(() => own.Services.GetRequiredService<ChargesApi.Waits>().Taken == 0, "its place is free");
            Assert.Equal("collecting", Text(await own.Admin.Get($"{charge}?known=collecting&wait=1"), "stage"));
        }
        finally
        {
            await own.DisposeAsync();
        }
    }

    [Fact]
    public async Task Hub_that_stops_lets_its_readers_go_and_takes_the_charge_up_again()
    {
        var own = new TillHub();
        await own.InitializeAsync();
        try
        {
            var (terminal, _) = await own.Collector();
            await using var disposal = terminal;
            var id = Text(await own.Admin.Post(Charges(terminal), Body("E-1")), "id");
            await terminal.Expect(Downlink.BodyOneofCase.Collect);
            await terminal.SendSealed(new Uplink { Collecting = new() { ChargeId = id } });
            await Eventually.Becomes(() => own.Admin.Get($"{Charges(terminal)}/{id}"), c => Text(c, "stage") == "collecting", "the terminal collects");
            var waits = own.Admin.Get($"{Charges(terminal)}/{id}?known=collecting&wait=60");
            var stream = Stream(own.Admin, $"{Charges(terminal)}/{id}/events");

            // A hub that stops takes no new readers: both must be there.
            await Eventually.Holds(() => own.Services.GetRequiredService<ChargesApi.Waits>().Taken == 2, "both readers wait");
            await own.Stop().WaitAsync(TimeSpan.FromSeconds(15));
            Assert.Equal("collecting", Text(await waits, "stage"));
            Assert.Equal(["collecting"], await stream);

            await own.Start();
            await using var back = own.Collecting(terminal.SerialNumber, terminal.Key!);
            await back.Login();
            Assert.Equal(id, (await back.Expect(Downlink.BodyOneofCase.Collect)).Collect.ChargeId);
        }
        finally
        {
            await own.DisposeAsync();
        }
    }

    [Fact]
    public async Task Cancel_before_the_scan_refuses_it_and_after_it_is_the_payments()
    {
        var (terminal, _) = await hub.Collector();
        await using var disposal = terminal;
        var first = await Collected(terminal, "B-1");
        Assert.Equal("cancelled", Text(await hub.Admin.Post($"{Charges(terminal)}/{first.ChargeId}/cancel", expected: HttpStatusCode.Accepted), "ended"));
        await terminal.Expect(Downlink.BodyOneofCase.CollectCancel);
        await terminal.Pay(terminal.Answer(first));
        Assert.Equal(Refusal.Types.Code.ChargeClosed, (await terminal.ExpectRefusal()).Code);

        // The Sandbox asks for a password: there is time to cancel.
        var second = await Collected(terminal, "B-2", OperatedHub.AsksForPassword);
        var request = terminal.Answer(second);
        await terminal.Pay(request);
        await Eventually.Becomes(() => hub.Admin.Get($"{Charges(terminal)}/{second.ChargeId}"), c => Text(c, "stage") == "awaitingCustomer", "the customer is asked for a password");
        await hub.Admin.Post($"{Charges(terminal)}/{second.ChargeId}/cancel", expected: HttpStatusCode.Accepted);
        Assert.Equal(Outcome.Types.Result.NotCharged, (await terminal.ExpectOutcome(request.RequestId, TimeSpan.FromSeconds(40))).Result);
        Assert.Equal("notCharged", Text(await Closed(hub.Admin, terminal, second.ChargeId), "ended"));

        var third = await Collected(terminal, "B-3");
        await terminal.PayForOutcome(terminal.Answer(third));
        await Closed(hub.Admin, terminal, third.ChargeId);
        await hub.Admin.Post($"{Charges(terminal)}/{third.ChargeId}/cancel", expected: HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task What_is_in_the_way_of_a_charge_is_said_as_a_problem()
    {
        var (terminal, _) = await hub.Collector();
        await using var disposal = terminal;
        var path = Charges(terminal);
        Assert.Equal(["amountFen", "idempotencyKey", "orderNumber"], (await hub.Admin.Faults(HttpMethod.Post, path, new { })).Order());
        Assert.Equal(["expiresInSeconds"], await hub.Admin.Faults(HttpMethod.Post, path, new { amountFen = 1, orderNumber = "C-1", idempotencyKey = "1", expiresInSeconds = 1 }));
        Assert.Equal(["amountFen"], await hub.Admin.Faults(HttpMethod.Post, path, new { amountFen = 100_000_001, orderNumber = "C-1", idempotencyKey = "1" }));
        Assert.Equal(["orderNumber"], await hub.Admin.Faults(HttpMethod.Post, path, new { amountFen = 1, orderNumber = "C 1", idempotencyKey = "1" }));
        await hub.Admin.Post("/api/v1/terminals/NO-SUCH-1/charges", Body("C-1"), HttpStatusCode.NotFound);
        await hub.Admin.Get(path + "/c0000000000000000", HttpStatusCode.NotFound);
        await hub.Admin.Get(path + "/x", HttpStatusCode.NotFound);

        var collect = await Collected(terminal, "C-1");
        var again = await hub.Admin.Post(path, Body("C-1"), HttpStatusCode.OK);
        Assert.Equal(collect.ChargeId, Text(again, "id"));
        var reused = await hub.Admin.Post(path, new { amountFen = 1281, orderNumber = "C-1", idempotencyKey = "key of C-1" }, HttpStatusCode.UnprocessableEntity);
        Assert.Equal(("KeyReused", collect.ChargeId), (Text(reused, "code"), Text(reused, "other")));
        var taken = await hub.Admin.Post(path, Body("C-2"), HttpStatusCode.Conflict);
        Assert.Equal(("ChargeOpen", collect.ChargeId), (Text(taken, "code"), Text(taken, "other")));
        Assert.Equal(["known", "wait"], (await hub.Admin.Faults(HttpMethod.Get, $"{path}/{collect.ChargeId}?known=nonsense&wait=0")).Order());

        await terminal.PayForOutcome(terminal.Answer(collect));
        await Closed(hub.Admin, terminal, collect.ChargeId);
        var paid = await hub.Admin.Post(path, Body("C-1", "another key"), HttpStatusCode.Conflict);
        Assert.Equal("OrderPaid", Text(paid, "code"));
        Assert.Equal([collect.ChargeId], (await hub.Admin.Get(path)).GetProperty("items").EnumerateArray().Select(c => Text(c, "id")));
    }

    [Fact]
    public async Task Key_of_a_till_does_charges_and_nothing_else_and_a_key_that_reads_begins_none()
    {
        var (terminal, merchant) = await hub.Collector();
        await using var disposal = terminal;
        var till = await Till(merchant);
        var reader = hub.WithKey((await ServerHub.CreateKey(hub.Admin, "read")).Key);
        await reader.Post(Charges(terminal), Body("D-1"), HttpStatusCode.Forbidden);
        var id = Text(await till.Post(Charges(terminal), Body("D-1")), "id");
        await reader.Get($"{Charges(terminal)}/{id}");
        await reader.Post($"{Charges(terminal)}/{id}/cancel", expected: HttpStatusCode.Forbidden);
        foreach (var path in (string[])["/api/v1/payments", "/api/v1/terminals", "/api/v1/audit", $"/api/v1/merchants/{merchant}/webhook", "/metrics"])
        {
            await till.Get(path, HttpStatusCode.Forbidden);
        }

        await till.Post($"{Charges(terminal)}/{id}/cancel", expected: HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task Key_of_a_till_knows_no_terminal_of_another_merchant()
    {
        var (terminal, merchant) = await hub.Collector();
        await using var disposal = terminal;
        var own = await Till(merchant);
        var foreign = await Till(await hub.NewMerchant());
        await foreign.Post(Charges(terminal), Body("H-1"), HttpStatusCode.NotFound);
        var id = Text(await own.Post(Charges(terminal), Body("H-1")), "id");
        await foreign.Post(Charges(terminal), Body("H-1"), HttpStatusCode.NotFound);
        await foreign.Get($"{Charges(terminal)}/{id}", HttpStatusCode.NotFound);
        await foreign.Get($"{Charges(terminal)}/{id}?known=sent&wait=5", HttpStatusCode.NotFound);
        await foreign.Get($"{Charges(terminal)}/{id}/events", HttpStatusCode.NotFound);
        await foreign.Post($"{Charges(terminal)}/{id}/cancel", expected: HttpStatusCode.NotFound);
        Assert.Empty((await foreign.Get(Charges(terminal))).GetProperty("items").EnumerateArray());
        Assert.Single((await own.Get(Charges(terminal))).GetProperty("items").EnumerateArray());
        Assert.Equal("none", Text(await own.Get($"{Charges(terminal)}/{id}"), "ended"));
        await own.Post($"{Charges(terminal)}/{id}/cancel", expected: HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task Webhook_wants_a_host_that_the_operator_named_and_keeps_its_secret()
    {
        var merchant = await hub.NewMerchant();
        var path = $"/api/v1/merchants/{merchant}/webhook";
        var good = $"http://127.0.0.1:{hub.Receiver.Port}/hook";
        await hub.Admin.Get(path, HttpStatusCode.NotFound);
        foreach (var url in (string[])["https://169.254.169.254/", "http://127.0.0.1:1/", "https://erp.example.com/", "file:///etc/passwd", "nonsense"])
        {
            Assert.Equal(["url"], await hub.Admin.Faults(HttpMethod.Put, path, new { url, secret = Secret }));
        }

        Assert.Equal(["secret"], await hub.Admin.Faults(HttpMethod.Put, path, new { url = good }));
        Assert.Equal(["secret"], await hub.Admin.Faults(HttpMethod.Put, path, new { url = good, secret = "short" }));
        var set = await hub.Admin.Put(path, new { url = good, secret = Secret });
        Assert.DoesNotContain(Secret, set.GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, (await hub.Admin.Get(path)).GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, string.Concat((await hub.Audit("webhook.set")).Select(a => a.GetRawText())), StringComparison.Ordinal);
        await hub.Admin.Put(path, new { url = good + "2" });
        using var ended = await hub.Admin.Send(HttpMethod.Delete, path);
        Assert.Equal(HttpStatusCode.NoContent, ended.StatusCode);
        await hub.Admin.Get(path, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Merchant_whose_program_does_not_answer_keeps_no_other_waiting()
    {
        var (deaf, deafMerchant) = await hub.Collector();
        var (other, otherMerchant) = await hub.Collector();
        await using var disposal = deaf;
        await using var disposalToo = other;
        hub.Receiver.Deaf = "/" + deafMerchant;
        foreach (var merchant in (string[])[deafMerchant, otherMerchant])
        {
            await hub.Admin.Put($"/api/v1/merchants/{merchant}/webhook", new { url = $"http://127.0.0.1:{hub.Receiver.Port}/{merchant}", secret = Secret });
        }

        await Cancelled(deaf, "G-1");
        await Eventually.Holds(() => hub.Receiver.Of("/" + deafMerchant).Count == 1, "the deaf one is told");
        await Cancelled(other, "G-1");
        await Eventually.Holds(() => hub.Receiver.Of("/" + otherMerchant).Count == 1, "the other one is told");

        // Its first try still runs.
        Assert.Single(hub.Receiver.Of("/" + deafMerchant));
        Assert.Equal(JsonValueKind.Null, (await hub.Admin.Get($"/api/v1/merchants/{deafMerchant}/webhook")).GetProperty("fault").ValueKind);
    }

    private async Task<Caller> Till(string merchantId) =>
        hub.WithKey(Text(await hub.Admin.Post("/api/v1/api-keys", new { name = "till", scopes = new[] { "charge" }, merchantId }), "key"));

    private static string Charges(TestTerminal terminal) => $"/api/v1/terminals/{terminal.SerialNumber}/charges";

    private static object Body(string order, string? key = null) => new { amountFen = 1280, orderNumber = order, idempotencyKey = key ?? "key of " + order };

    private static async Task<HttpStatusCode> Asked(TillHub hub, TestTerminal terminal, string order)
    {
        using var answer = await hub.Admin.Send(HttpMethod.Post, Charges(terminal), JsonContent.Create(Body(order, "again " + order)));
        return answer.StatusCode;
    }

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;

    private static Task<JsonElement> Closed(Caller till, TestTerminal terminal, string id) =>
        Eventually.Becomes(() => till.Get($"{Charges(terminal)}/{id}"), c => Text(c, "stage") == "closed", "the charge is closed");

    /// <summary>The stages that a stream told, until it ended.</summary>
    private static async Task<IReadOnlyList<string>> Stream(Caller till, string path)
    {
        using var answer = await till.Send(HttpMethod.Get, path);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
        var lines = (await answer.Content.ReadAsStringAsync()).Split('\n');
        return [.. lines.Where(l => l.StartsWith("data: ", StringComparison.Ordinal)).Select(l => Text(JsonDocument.Parse(l["data: ".Length..]).RootElement, "stage"))];
    }

    private async Task Cancelled(TestTerminal terminal, string order)
    {
        var collect = await Collected(terminal, order);
        await hub.Admin.Post($"{Charges(terminal)}/{collect.ChargeId}/cancel", expected: HttpStatusCode.Accepted);
    }

    private async Task<Collect> Collected(TestTerminal terminal, string order, ulong amountFen = 1280)
    {
        await hub.Admin.Post(Charges(terminal), new { amountFen, orderNumber = order, idempotencyKey = "key of " + order });
        Collect? collect;
        while ((collect = (await terminal.Next()).Collect) is null)
        {
            // An outcome before it, which this terminal never says it has shown, comes again.
        }

        await terminal.SendSealed(new Uplink { Collecting = new() { ChargeId = collect.ChargeId } });
        return collect;
    }
}
