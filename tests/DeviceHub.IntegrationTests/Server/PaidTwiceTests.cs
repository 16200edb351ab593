using System.Globalization;
using System.Net;
using System.Text.Json;
using DeviceHub.Channels.Sandbox;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;
using DeviceHub.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace DeviceHub.IntegrationTests.Server;

/// <summary>
/// A customer who paid twice, from the bill to the money. The hub does not let it happen, so the test writes it into the ledger and pays at the
/// Sandbox's bank by itself.
/// </summary>
public sealed class PaidTwiceTests(ReconcilingHub hub) : IClassFixture<ReconcilingHub>
{
    private const long Fen = 1234;

    private static int payments;

    private readonly string account = "M-twice-" + Interlocked.Increment(ref payments).ToString(CultureInfo.InvariantCulture);

    private SandboxBank Bank => hub.Services.GetRequiredService<SandboxBank>();

    private IPaymentLedger Ledger => hub.Services.GetRequiredService<IPaymentLedger>();

    [Fact]
    public async Task Order_that_was_paid_twice_is_refunded_once_when_a_person_has_approved_it()
    {
        var (first, second) = await OrderPaidTwice();
        var run = await Reconcile();
        var proposal = await Proposal(run, "orderPaidTwice", first);
        Assert.Equal((Fen, Fen), (NetFen(first), NetFen(second)));
        await Approve(proposal);
        await Eventually.Becomes(() => Proposals(run), p => State(p) == "done", "the refund is done");
        Assert.Equal((0, Fen), (NetFen(first), NetFen(second)));

        // The books know it now: nothing is found or proposed again, and the money does not go back again.
        Assert.Equal(run, await Reconcile());
        Assert.Equal("done", State(await Proposals(run)));
        Assert.Equal((0, Fen), (NetFen(first), NetFen(second)));
    }

    [Fact]
    public async Task Rest_is_refunded_when_people_gave_a_part_back_before()
    {
        var (first, _) = await OrderPaidTwice();
        var proposal = await Proposal(await Reconcile(), "orderPaidTwice", first);
        var path = $"/api/v1/payments/{proposal.GetProperty("serialNumber").GetString()}/{proposal.GetProperty("requestId").GetString()}/refunds";
        await hub.Admin.Post(path, new { amountFen = 34, reason = "returned", idempotencyKey = "part" }, HttpStatusCode.Accepted);
        await Eventually.Holds(() => NetFen(first) == Fen - 34, "the part is back");
        await Approve(proposal);
        await Eventually.Holds(() => NetFen(first) == 0, "the rest is back");
    }

    [Fact]
    public async Task Refund_that_the_channel_refuses_is_noted_for_people_and_not_tried_again()
    {
        var (first, _) = await OrderPaidTwice();
        var run = await Reconcile();
        var proposal = await Proposal(run, "orderPaidTwice", first);

        // Somebody gave it back on the channel's own pages.
        Bank.Refund(first, "portal", Fen);
        await Approve(proposal);
        var noted = await Eventually.Becomes(
            () => Proposals(run), p => p.GetProperty("note").GetString() is { } note && note.Contains("refused", StringComparison.Ordinal), "what the channel said is noted");
        Assert.Equal(("approved", "the channel refused the refund"), (State(noted), noted.GetProperty("note").GetString()));
        var id = new PaymentId(proposal.GetProperty("serialNumber").GetString()!, proposal.GetProperty("requestId").GetString()!);
        Assert.Single((await Ledger.Read(id))!.Events.OfType<RefundStarted>());
        Assert.Equal(0, NetFen(first));
    }

    [Fact]
    public async Task Of_two_charged_attempts_of_a_payment_the_one_that_did_not_pay_is_refunded()
    {
        var at = TimeProvider.System.GetUtcNow();
        var id = new PaymentId("TWICE", "p" + Interlocked.Increment(ref payments).ToString(CultureInfo.InvariantCulture));
        var (first, second) = (PaymentDecisions.ChannelOrderNumber(id, 1, at), PaymentDecisions.ChannelOrderNumber(id, 2, at));
        await Accept(id, at, first, null, Paid(at, 1), new AttemptStarted(at, 2, "sandbox", account, second, at.AddSeconds(10), "second"), Paid(at, 2), Approved(at, 2));
        Charge(first);
        Charge(second);
        var run = await Reconcile();
        var proposal = await Proposal(run, "paymentPaidTwice", first);
        await Approve(proposal);
        await Eventually.Becomes(() => Proposals(run), p => State(p) == "done", "the refund is done");
        Assert.Equal((0, Fen), (NetFen(first), NetFen(second)));
    }

    private static PayAnswered Paid(DateTimeOffset at, int attempt) => new(at, attempt, new ChannelVerdict(Verdict.Approved, "OK", PaidFen: Fen));

    private static OutcomeReached Approved(DateTimeOffset at, int attempt) => new(at, 1, PaymentResult.Approved, DeclineReason.None, attempt);

    private static string State(JsonElement proposal) => proposal.GetProperty("state").GetString()!;

    private async Task<(string First, string Second)> OrderPaidTwice()
    {
        var (at, orders) = (TimeProvider.System.GetUtcNow(), new List<string>());
        foreach (var which in (string[])["first", "second"])
        {
            var id = new PaymentId("TWICE", account + which);
            orders.Add(PaymentDecisions.ChannelOrderNumber(id, 1, at));
            await Accept(id, at, orders[^1], "O-1", Paid(at, 1), Approved(at, 1));

            // As if it had not been paid: its order number is free for the second.
            var freed = new LedgerAppend(id, 2, [new OutcomeShown(at, 1)], [], null, new PaymentStanding(at, which == "second", true));
            Assert.Equal(WriteResult.Written, await Ledger.Append(freed));
            Charge(orders[^1]);
        }

        return (orders[0], orders[1]);
    }

    private async Task Accept(PaymentId id, DateTimeOffset at, string channelOrder, string? order, params PaymentEvent[] then)
    {
        IReadOnlyList<PaymentEvent> events =
        [
            new PaymentAccepted(at, Fen, "CNY", Wallet.WeChat, "1234", "fingerprint", order, account, "Tea", "S1", at.AddMinutes(1), null),
            new AttemptStarted(at, 1, "sandbox", account, channelOrder, at.AddSeconds(10), "first"), .. then,
        ];
        var answer = await Ledger.Accept(new LedgerAccept(id, events, account, order, Fen, channelOrder, at, at.AddDays(1), null, null), CancellationToken.None);
        Assert.Equal(WriteResult.Written, answer.Result);
    }

    private void Charge(string order) => Assert.Equal(Verdict.Approved, Bank.Pay(order, Fen, new PaymentCode("130000000000000000"), account).Verdict.Verdict);

    private long NetFen(string order) => Bank.Charges().Single(c => c.Order == order).NetFen;

    private async Task<long> Reconcile()
    {
        var day = BillDay.Of(TimeProvider.System.GetUtcNow()).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var id = (await hub.Admin.Post("/api/v1/reconciliations", new { accountId = account, day }, HttpStatusCode.Accepted)).GetProperty("id").GetInt64();
        await Eventually.Becomes(
            () => hub.Admin.Get($"/api/v1/reconciliations/{id}"), d => d.GetProperty("run").GetProperty("state").GetString() == "finished", "the run is finished");
        return id;
    }

    private async Task<JsonElement> Proposals(long run) =>
        Assert.Single((await hub.Admin.Get($"/api/v1/refund-proposals?reconciliationId={run}")).GetProperty("items").EnumerateArray());

    private async Task<JsonElement> Proposal(long run, string reason, string order)
    {
        var proposal = await Proposals(run);
        Assert.Equal(
            (reason, order, Fen, "proposed"),
            (proposal.GetProperty("reason").GetString(), proposal.GetProperty("orderNumber").GetString(), proposal.GetProperty("amountFen").GetInt64(), State(proposal)));
        return proposal;
    }

    private Task<JsonElement> Approve(JsonElement proposal) =>
        hub.Admin.Post($"/api/v1/refund-proposals/{proposal.GetProperty("id").GetInt64()}/approve", new { }, HttpStatusCode.Accepted);
}
