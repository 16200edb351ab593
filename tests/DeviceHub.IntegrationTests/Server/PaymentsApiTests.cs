using System.Net;
using System.Text.Json;
using DeviceHub.IntegrationTests.BadInput;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.Server;

/// <summary>Payments over the API: search, the whole timeline, cancel.</summary>
public sealed class PaymentsApiTests(ServerHub hub) : IClassFixture<ServerHub>
{
    /// <summary>The Sandbox asks for a password.</summary>
    private const ulong AsksForPassword = 1010;

    /// <summary>The Sandbox declines it.</summary>
    private const ulong Insufficient = 1501;

    [Fact]
    public async Task Payments_are_found_by_terminal_order_stage_result_and_time()
    {
        await using var terminal = await hub.Activated();
        var approved = await Paid(terminal, 1234, "ORDER-1");
        await Paid(terminal, Insufficient, "ORDER-2");
        var running = terminal.Request(AsksForPassword, "ORDER-3");
        await terminal.Pay(running);
        var list = "/api/v1/payments?serialNumber=" + terminal.SerialNumber;
        await Eventually.Holds(async () => (await Orders(list)).Count == 3 && (await Orders(list + "&stage=awaitingCustomer")).Count == 1, "the list has followed the ledger");

        Assert.Equal(["ORDER-3", "ORDER-2", "ORDER-1"], await Orders(list));
        Assert.Equal(["ORDER-1"], await Orders(list + "&result=approved"));
        Assert.Equal(["ORDER-2"], await Orders(list + "&result=declined"));
        Assert.Equal(["ORDER-2", "ORDER-1"], await Orders(list + "&stage=final"));
        Assert.Equal(["ORDER-2"], await Orders(list + "&orderNumber=ORDER-2"));
        Assert.Equal(["ORDER-2"], await Orders(list + "&pageSize=1&page=2"));
        Assert.Empty(await Orders(list + "&to=2020-01-01T00:00:00Z"));
        Assert.Equal(3, (await Orders(list + "&from=2020-01-01T00:00:00Z")).Count);
        Assert.Empty(await Orders("/api/v1/payments?serialNumber=NO-SUCH-1"));
        Assert.Equal(["ORDER-1"], await Orders(list + "&status=approved"));
        Assert.Equal(["ORDER-3"], await Orders(list + "&status=awaitingCustomer"));
        Assert.Equal(["ORDER-1"], await Orders(list + "&q=12.34"));
        Assert.Equal(["ORDER-1"], await Orders(list + "&q=ORDER-1"));
        Assert.Equal(["ORDER-1"], await Orders($"/api/v1/payments?q={terminal.SerialNumber}/{approved}"));
        Assert.Equal(["ORDER-1"], await Orders("/api/v1/payments?q=" + approved));
        Assert.Empty(await Orders("/api/v1/payments?q=" + approved[..^1]));
        Assert.Empty(await Orders(list + "&outcomeNotShown=true"));
        Assert.Equal(3, (await Orders(list + "&outcomeNotShown=false")).Count);
        Assert.Equal(["ORDER-3", "ORDER-2", "ORDER-1"], await Orders("/api/v1/payments?q=" + terminal.SerialNumber));
        Assert.Equal(["ORDER-2"], await Orders(list + $"&minFen=1500&maxFen=1600"));
        var first = await hub.Admin.Get(list + "&pageSize=2");
        Assert.Equal(["ORDER-1"], await Orders(list + "&pageSize=2&after=" + first.GetProperty("next").GetString()));
        Assert.Equal(["after"], await hub.Admin.Faults(HttpMethod.Get, list + "&page=2&after=" + first.GetProperty("next").GetString()));
        foreach (var field in (string[])["stage", "result", "from", "to", "status", "wallet", "minFen", "after", "outcomeNotShown", "test"])
        {
            Assert.Equal([field], await hub.Admin.Faults(HttpMethod.Get, $"/api/v1/payments?{field}=nonsense"));
        }

        Assert.NotEmpty(approved);
    }

    [Fact]
    public async Task Payment_is_found_by_the_channels_number_and_the_list_says_how_far_it_is_behind()
    {
        await using var terminal = await hub.Activated();
        await Paid(terminal, 1234, "CHANNEL-1");
        await Paid(terminal, 1235, "CHANNEL-2");
        var list = "/api/v1/payments?serialNumber=" + terminal.SerialNumber;
        var all = await Eventually.Becomes(
            () => hub.Admin.Get(list), l => l.GetProperty("behind").GetInt64() == 0 && l.GetProperty("items").GetArrayLength() == 2, "the list has followed the ledger");
        var number = all.GetProperty("items")[0].GetProperty("channelOrderNumber").GetString()!;
        Assert.Equal("sandbox", all.GetProperty("items")[0].GetProperty("channel").GetString());
        Assert.Equal(["CHANNEL-2"], await Orders("/api/v1/payments?channelOrderNumber=" + number));
        Assert.Empty(await Orders("/api/v1/payments?channelOrderNumber=NO-SUCH-NUMBER"));
        Assert.Empty(await Orders(list + "&channelOrderNumber=" + number + "&result=declined"));
    }

    [Fact]
    public async Task List_is_exported_as_csv_in_the_readers_language_and_the_audit_log_says_who_took_it()
    {
        await using var terminal = await hub.Activated();
        await Paid(terminal, 1234, "-FORMULA");
        await Paid(terminal, Insufficient, "EXPORT-2");
        var query = "?serialNumber=" + terminal.SerialNumber;
        await Eventually.Holds(async () => (await Orders("/api/v1/payments" + query)).Count == 2, "the list has followed the ledger");
        using var answer = await hub.Admin.Send(HttpMethod.Get, $"/api/v1/payments.csv{query}&ui-culture=zh-Hans");
        Assert.Equal("text/csv", answer.Content.Headers.ContentType?.MediaType);
        var lines = (await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Split("\r\n");

        Assert.StartsWith("受理时间（UTC）,终端,请求号", lines[0].TrimStart('\uFEFF'), StringComparison.Ordinal);
        Assert.Equal(4, lines.Length);
        Assert.Contains(",EXPORT-2,支付失败,15.01,0.00,", lines[1], StringComparison.Ordinal);
        Assert.Contains(",\"'-FORMULA\",支付成功,12.34,12.34,", lines[2], StringComparison.Ordinal);
        Assert.Contains(terminal.SerialNumber, Assert.Single(await hub.Audit("payment.export", "payments")).GetProperty("after").GetString(), StringComparison.Ordinal);
        Assert.Equal(["page"], await hub.Admin.Faults(HttpMethod.Get, "/api/v1/payments.csv?page=2"));
        Assert.Equal(["status"], await hub.Admin.Faults(HttpMethod.Get, "/api/v1/payments.csv?status=nonsense"));
    }

    [Fact]
    public async Task Payment_that_needs_a_person_is_listed_and_counted()
    {
        await using var own = new ImpatientHub();
        await own.InitializeAsync();
        await using var terminal = await own.Activated();
        await Paid(terminal, 1234, "SETTLED");
        await terminal.Pay(terminal.Request(AsksForPassword, "STUCK"));
        var list = await Eventually.Becomes(
            () => own.Admin.Get("/api/v1/payments?needsAttention=true"), l => l.GetProperty("items").GetArrayLength() > 0, "what needs a person is listed");
        var stuck = Assert.Single(list.GetProperty("items").EnumerateArray());
        Assert.Equal(("STUCK", true), (stuck.GetProperty("orderNumber").GetString(), stuck.GetProperty("needsAttention").GetBoolean()));
        var others = Assert.Single((await own.Admin.Get("/api/v1/payments?needsAttention=false")).GetProperty("items").EnumerateArray());
        Assert.Equal(("SETTLED", false), (others.GetProperty("orderNumber").GetString(), others.GetProperty("needsAttention").GetBoolean()));
        await Eventually.Holds(async () => await Metrics.Value(own.Admin, "payments_attention_total") >= 1, "it is counted");
        Assert.Equal(["needsAttention"], await own.Admin.Faults(HttpMethod.Get, "/api/v1/payments?needsAttention=nonsense"));
    }

    [Fact]
    public async Task Payment_is_told_from_acceptance_to_the_terminals_display_without_its_code()
    {
        await using var terminal = await hub.Activated();
        var request = terminal.Request(1234, "TIMELINE-1");
        await terminal.Shown(await terminal.PayForOutcome(request));
        var path = $"/api/v1/payments/{terminal.SerialNumber}/{request.RequestId}";
        var detail = await Eventually.Becomes(
            () => hub.Admin.Get(path), d => d.GetProperty("timeline").GetArrayLength() == 5, "the terminal's display is in the timeline");
        Assert.Equal(
            ["accepted", "attempt", "pay", "outcome", "shown"],
            detail.GetProperty("timeline").EnumerateArray().Select(e => e.GetProperty("text").GetString()!.ToUpperInvariant() switch
            {
                var t when t.StartsWith("ACCEPTED", StringComparison.Ordinal) => "accepted",
                var t when t.Contains("BEGAN", StringComparison.Ordinal) => "attempt",
                var t when t.Contains("ANSWERED THE PAYMENT", StringComparison.Ordinal) => "pay",
                var t when t.StartsWith("OUTCOME", StringComparison.Ordinal) => "outcome",
                var t when t.Contains("SHOWN", StringComparison.Ordinal) => "shown",
                var t => t,
            }));
        var text = detail.GetRawText();
        Assert.DoesNotContain(request.PaymentCode, text, StringComparison.Ordinal);
        Assert.Contains(request.PaymentCode[^4..], text, StringComparison.Ordinal);
        Assert.DoesNotContain("fingerprint", text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(request.PaymentCode, (await hub.Admin.Get("/api/v1/payments")).GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelled_payment_ends_reversed_and_the_audit_log_says_who_asked()
    {
        await using var terminal = await hub.Activated();
        var request = terminal.Request(AsksForPassword);
        await terminal.Pay(request);
        await terminal.Expect(Downlink.BodyOneofCase.Accepted);
        var path = $"/api/v1/payments/{terminal.SerialNumber}/{request.RequestId}";
        await hub.Admin.Post(path + "/cancel", null, HttpStatusCode.Accepted);
        Assert.Contains("Cancel was asked for by key:", (await hub.Admin.Get(path)).GetProperty("timeline").GetRawText(), StringComparison.Ordinal);
        var entry = Assert.Single(await hub.Audit("payment.cancel", $"payment:{terminal.SerialNumber}/{request.RequestId}"));
        Assert.Contains("stage", entry.GetProperty("before").GetString(), StringComparison.Ordinal);
        Assert.NotEqual(Outcome.Types.Result.Approved, (await terminal.ExpectOutcome(request.RequestId, TimeSpan.FromSeconds(40))).Result);
    }

    [Fact]
    public async Task Paid_payment_is_not_cancelled_but_refunded_in_parts_and_never_above_the_rest()
    {
        await using var terminal = await hub.Activated();
        var payment = $"{terminal.SerialNumber}/{await Paid(terminal, 1234, "REFUND-1")}";
        var path = "/api/v1/payments/" + payment;
        var paid = await hub.Admin.Post(path + "/cancel", null, HttpStatusCode.Conflict);
        Assert.Contains($"POST {path}/refunds", paid.GetProperty("detail").GetString(), StringComparison.Ordinal);

        var first = await hub.Admin.Post(path + "/refunds", new { amountFen = 234, reason = "汤凉了", idempotencyKey = "k1" }, HttpStatusCode.Accepted);
        var repeat = await hub.Admin.Post(path + "/refunds", new { amountFen = 234, reason = "again", idempotencyKey = "k1" }, HttpStatusCode.Accepted);
        Assert.Equal(first.GetProperty("number").GetString(), repeat.GetProperty("number").GetString());
        var tooMuch = await hub.Admin.Post(path + "/refunds", new { amountFen = 1001, reason = "x", idempotencyKey = "k2" }, HttpStatusCode.Conflict);
        Assert.Equal(1000, tooMuch.GetProperty("restFen").GetInt64());
        Assert.Contains("1000 fen", tooMuch.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await hub.Admin.Post(path + "/refunds", new { amountFen = 1, reason = "x", idempotencyKey = "k1" }, HttpStatusCode.Conflict);
        await hub.Admin.Post(path + "/refunds", new { amountFen = 1000, reason = "the rest", idempotencyKey = "k3" }, HttpStatusCode.Accepted);

        var refunds = await Eventually.Becomes(
            () => hub.Admin.Get(path + "/refunds"), r => r.GetProperty("items").EnumerateArray().All(i => i.GetProperty("status").GetString() == "succeeded"), "the money is back");
        Assert.Equal([234L, 1000L], refunds.GetProperty("items").EnumerateArray().Select(i => i.GetProperty("amountFen").GetInt64()));
        Assert.Equal(0, refunds.GetProperty("restFen").GetInt64());
        var row = await Eventually.Becomes(
            () => hub.Admin.Get("/api/v1/payments?orderNumber=REFUND-1"), l => l.GetProperty("items")[0].GetProperty("refundedFen").GetInt64() == 1234, "the list has followed the ledger");
        Assert.Equal("approved", row.GetProperty("items")[0].GetProperty("result").GetString());
        Assert.Contains("asked for by key:", (await hub.Admin.Get(path)).GetProperty("timeline").GetRawText(), StringComparison.Ordinal);
        var audit = await hub.Audit("payment.refund", "payment:" + payment);
        Assert.Equal(2, audit.Count);
        Assert.Contains(audit, a => a.GetProperty("after").GetString()!.Contains("汤凉了", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Refund_of_what_is_not_paid_or_not_said_rightly_is_refused()
    {
        await using var terminal = await hub.Activated();
        var path = $"/api/v1/payments/{terminal.SerialNumber}/{await Paid(terminal, Insufficient, "REFUND-2")}/refunds";
        var declined = await hub.Admin.Post(path, new { amountFen = 1, reason = "x", idempotencyKey = "k1" }, HttpStatusCode.Conflict);

        Assert.Contains("Declined", declined.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(["amountFen", "reason", "idempotencyKey"], await hub.Admin.Faults(HttpMethod.Post, path, new { amountFen = 0 }));
        Assert.Equal(["idempotencyKey"], await hub.Admin.Faults(HttpMethod.Post, path, new { amountFen = 1, reason = "x", idempotencyKey = new string('k', 65) }));
        Assert.Empty((await hub.Admin.Get(path)).GetProperty("items").EnumerateArray());
    }

    [Theory]
    [InlineData("NO-SUCH-1/abcdefgh-1")]
    [InlineData("no%20serial/%3Cscript%3E")]
    public async Task Unknown_payment_is_404(string payment)
    {
        await hub.Admin.Get("/api/v1/payments/" + payment, HttpStatusCode.NotFound);
        await hub.Admin.Post($"/api/v1/payments/{payment}/cancel", null, HttpStatusCode.NotFound);
        await hub.Admin.Get($"/api/v1/payments/{payment}/refunds", HttpStatusCode.NotFound);
        await hub.Admin.Post($"/api/v1/payments/{payment}/refunds", new { amountFen = 1, reason = "x", idempotencyKey = "k" }, HttpStatusCode.NotFound);
    }

    private sealed class ImpatientHub : ServerHub
    {
        protected override string[] Options => ["--Payments:AttentionAfter=00:00:02"];
    }

    private static async Task<string> Paid(TestTerminal terminal, ulong amountFen, string order)
    {
        var request = terminal.Request(amountFen, order);
        await terminal.Shown(await terminal.PayForOutcome(request));
        return request.RequestId;
    }

    private async Task<IReadOnlyList<string>> Orders(string path) =>
        [.. (await hub.Admin.Get(path)).GetProperty("items").EnumerateArray().Select(p => p.GetProperty("orderNumber").GetString()!)];
}
