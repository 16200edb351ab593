using System.IO.Compression;
using System.Net;
using System.Text.Json;
using DeviceHub.Core.Reconciliation;
using DeviceHub.IntegrationTests.BadInput;
using DeviceHub.Storage;
using DeviceHub.Tests;
using Microsoft.EntityFrameworkCore;

namespace DeviceHub.IntegrationTests.Server;

/// <summary>Reconciliation end to end with the Sandbox's own book: pay, ask, read the report.</summary>
public sealed class ReconciliationsApiTests(ReconcilingHub hub) : IClassFixture<ReconcilingHub>
{
    private const string Api = "/api/v1/reconciliations";

    /// <summary>The Sandbox declines it.</summary>
    private const ulong Insufficient = 1501;

    /// <summary>Nothing is sent to the Sandbox.</summary>
    private const ulong Unreachable = 1030;

    [Fact]
    public async Task Payments_of_a_day_are_reconciled_with_the_sandboxs_book_and_again_without_a_change()
    {
        await using var terminal = await hub.Activated();
        await terminal.PayForOutcome(terminal.Request(1234));
        await terminal.PayForOutcome(terminal.Request(1235));
        await terminal.PayForOutcome(terminal.Request(Insufficient));
        var (account, day) = await AccountOf(terminal);
        var run = await Reconcile(account, day);
        var detail = await hub.Admin.Get($"{Api}/{run}");
        Assert.Equal((2, 2469), (detail.GetProperty("matched").GetProperty("count").GetInt32(), detail.GetProperty("matched").GetProperty("fen").GetInt32()));
        Assert.NotEmpty(detail.GetProperty("differences").EnumerateArray());
        Assert.All(detail.GetProperty("differences").EnumerateArray(), d => Assert.Equal(0, d.GetProperty("count").GetInt32()));
        Assert.Equal((2, "finished"), (detail.GetProperty("bill").GetProperty("rows").GetInt32(), detail.GetProperty("run").GetProperty("state").GetString()));
        var before = await Bytes($"{Api}/{run}/report.csv");
        Assert.Equal(run, await Reconcile(account, day));
        Assert.Equal(before, await Bytes($"{Api}/{run}/report.csv"));
        Assert.Contains(
            (await hub.Admin.Get($"{Api}?accountId={account}&state=finished&from={day}&to={day}")).GetProperty("items").EnumerateArray(), r => r.GetProperty("id").GetInt64() == run);
        Assert.Equal(2, (await hub.Audit("reconciliation.run", "account:" + account)).Count);
    }

    [Fact]
    public async Task Report_is_read_in_chinese_and_no_cell_of_it_is_a_formula()
    {
        await using var terminal = await hub.Activated();
        await terminal.PayForOutcome(terminal.Request(4321));
        var (account, day) = await AccountOf(terminal);
        var bank = (DeviceHub.Channels.Sandbox.SandboxBank)hub.Services.GetService(typeof(DeviceHub.Channels.Sandbox.SandboxBank))!;
        bank.Pay("=HYPERLINK(\"x\")", 777, new Core.Payments.PaymentCode("130000000000000000"), account);
        var run = await Reconcile(account, day);
        var item = Assert.Single((await hub.Admin.Get($"{Api}/{run}/differences?class=notOurs")).GetProperty("items").EnumerateArray());
        Assert.Equal(("=HYPERLINK(\"x\")", 777), (item.GetProperty("orderNumber").GetString(), item.GetProperty("billFen").GetInt32()));
        Assert.Empty((await hub.Admin.Get($"{Api}/{run}/differences?settled=true")).GetProperty("items").EnumerateArray());

        var csv = System.Text.Encoding.UTF8.GetString(await Bytes($"{Api}/{run}/report.csv?ui-culture=zh-Hans"));
        Assert.Contains("非本系统订单", csv, StringComparison.Ordinal);
        Assert.Contains("\"'=HYPERLINK(\"\"x\"\")\"", csv, StringComparison.Ordinal);
        Assert.Contains(",7.77,", csv, StringComparison.Ordinal);

        using var book = new ZipArchive(new MemoryStream(await Bytes($"{Api}/{run}/report.xlsx?ui-culture=zh-Hans")));
        var sheets = string.Concat(book.Entries.Where(e => e.FullName.EndsWith(".xml", StringComparison.Ordinal)).Select(Text));
        Assert.Contains("渠道账户", sheets, StringComparison.Ordinal);
        Assert.Contains("=HYPERLINK(", sheets, StringComparison.Ordinal);
        Assert.DoesNotContain("<f>", sheets, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Path.Combine(hub.Folder, "reconciliation")));

        static string Text(ZipArchiveEntry entry)
        {
            using var reader = new StreamReader(entry.Open());
            return reader.ReadToEnd();
        }
    }

    [Fact]
    public async Task Late_success_is_refunded_once_a_person_has_approved_it()
    {
        await using var terminal = await hub.Activated();
        await terminal.PayForOutcome(terminal.Request(Unreachable));
        var (account, day) = await AccountOf(terminal);
        var order = (await hub.Admin.Get("/api/v1/payments?serialNumber=" + terminal.SerialNumber)).GetProperty("items")[0].GetProperty("channelOrderNumber").GetString()!;

        // Our books say that nothing was sent; the bank says that it was.
        var bank = (DeviceHub.Channels.Sandbox.SandboxBank)hub.Services.GetService(typeof(DeviceHub.Channels.Sandbox.SandboxBank))!;
        bank.Pay(order, 2000, new Core.Payments.PaymentCode("130000000000000000"), account);
        var run = await Reconcile(account, day);
        Assert.Equal(
            ["amountDiffers", "lateSuccess"],
            (await hub.Admin.Get($"{Api}/{run}/differences")).GetProperty("items").EnumerateArray().Select(d => d.GetProperty("reason").GetString()!).Order(StringComparer.Ordinal));
        var proposals = $"/api/v1/refund-proposals?reconciliationId={run}";
        var proposal = Assert.Single((await hub.Admin.Get(proposals + "&state=proposed")).GetProperty("items").EnumerateArray());
        var decide = "/api/v1/refund-proposals/" + proposal.GetProperty("id").GetInt64();
        await hub.Admin.Post(decide + "/approve", new { note = "seen in the bill" }, HttpStatusCode.Accepted);
        await hub.Admin.Post(decide + "/approve", null, HttpStatusCode.Accepted);
        await hub.Admin.Post(decide + "/refuse", null, HttpStatusCode.Conflict);
        await Eventually.Holds(async () => (await hub.Admin.Get(proposals + "&state=done")).GetProperty("items").GetArrayLength() == 1, "the refund is done");
        Assert.Equal(2000 - (long)Unreachable, bank.Charges().Single(c => c.Order == order).NetFen);
        Assert.Single(await hub.Audit("refund-proposal.approve", $"payment:{terminal.SerialNumber}/{proposal.GetProperty("requestId").GetString()}"));

        // Its charge is in our books now, so the difference is settled; nothing is proposed again.
        Assert.Equal(run, await Reconcile(account, day));
        Assert.True(Assert.Single((await hub.Admin.Get($"{Api}/{run}/differences?reason=lateSuccess")).GetProperty("items").EnumerateArray()).GetProperty("settled").GetBoolean());
        Assert.Empty((await hub.Admin.Get(proposals + "&state=proposed")).GetProperty("items").EnumerateArray());
    }

    [Fact]
    public async Task Approved_refund_of_what_the_channel_denies_says_so()
    {
        await using var terminal = await hub.Activated();
        await terminal.PayForOutcome(terminal.Request(Insufficient));
        var (account, day) = await AccountOf(terminal);
        var payment = (await hub.Admin.Get("/api/v1/payments?serialNumber=" + terminal.SerialNumber)).GetProperty("items")[0];
        var order = payment.GetProperty("channelOrderNumber").GetString()!;

        // As a run would have proposed it whose bill shows a charge.
        var writes = (HubWrites)hub.Services.GetService(typeof(HubWrites))!;
        await writes.Run((db, stop) =>
        {
            db.RefundProposals.Add(new RefundProposalRow
            {
                AccountId = account, Day = DateOnly.Parse(day, System.Globalization.CultureInfo.InvariantCulture), OrderNumber = order, SerialNumber = terminal.SerialNumber,
                RequestId = payment.GetProperty("requestId").GetString()!, Attempt = 1, Reason = DifferenceReason.LateSuccess, AmountFen = (long)Insufficient, State = ProposalState.Approved,
            });
            return db.SaveChangesAsync(stop);
        });
        await Eventually.Holds(
            async () => (await hub.Admin.Get("/api/v1/refund-proposals?state=approved")).GetProperty("items").EnumerateArray()
                .Any(p => p.GetProperty("orderNumber").GetString() == order && p.GetProperty("note").GetString()?.Contains("nothing is charged", StringComparison.Ordinal) is true),
            "the proposal says what the channel says");
        await writes.Run((db, stop) => db.RefundProposals.Where(p => p.OrderNumber == order).ExecuteDeleteAsync(stop));
    }

    [Fact]
    public async Task What_cannot_be_reconciled_is_refused_by_name()
    {
        Assert.Equal(["accountId", "day"], (await hub.Admin.Faults(HttpMethod.Post, Api, new { })).Order(StringComparer.Ordinal));
        Assert.Equal(["day"], await hub.Admin.Faults(HttpMethod.Post, Api, new { accountId = "A", day = "2999-01-01" }));
        Assert.Equal(["day"], await hub.Admin.Faults(HttpMethod.Post, Api, new { accountId = "A", day = "yesterday" }));
        Assert.Equal(["state"], await hub.Admin.Faults(HttpMethod.Get, Api + "?state=nonsense"));
        Assert.Equal(["class"], await hub.Admin.Faults(HttpMethod.Get, Api + "/1/differences?class=nonsense"));
        foreach (var path in (string[])["/999999", "/999999/differences", "/999999/report.csv", "/999999/report.xlsx"])
        {
            await hub.Admin.Get(Api + path, HttpStatusCode.NotFound);
        }

        await hub.Admin.Post("/api/v1/refund-proposals/999999/approve", new { }, HttpStatusCode.NotFound);
        var reader = hub.WithKey((await ServerHub.CreateKey(hub.Admin, "read")).Key);
        await reader.Post(Api, new { accountId = "A", day = "2026-01-01" }, HttpStatusCode.Forbidden);
        await reader.Post("/api/v1/refund-proposals/1/approve", new { }, HttpStatusCode.Forbidden);
        Assert.Empty((await reader.Get("/api/v1/refund-proposals?state=approved")).GetProperty("items").EnumerateArray());
    }

    private async Task<long> Reconcile(string account, string day)
    {
        var asked = await hub.Admin.Post(Api, new { accountId = account, day }, HttpStatusCode.Accepted);
        var id = asked.GetProperty("id").GetInt64();
        await Eventually.Becomes(
            () => hub.Admin.Get($"{Api}/{id}"), d => d.GetProperty("run").GetProperty("state").GetString() == "finished", "the run is finished");
        return id;
    }

    private async Task<(string Account, string Day)> AccountOf(TestTerminal terminal)
    {
        var listed = await Eventually.Becomes(
            () => hub.Admin.Get("/api/v1/payments?serialNumber=" + terminal.SerialNumber), l => l.GetProperty("items").GetArrayLength() > 0, "the list has followed the ledger");
        var payment = listed.GetProperty("items")[0];
        var day = BillDay.Of(payment.GetProperty("acceptedAt").GetDateTimeOffset());
        return (payment.GetProperty("merchantId").GetString()!, day.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture));
    }

    private async Task<byte[]> Bytes(string path)
    {
        using var answer = await hub.Admin.Send(HttpMethod.Get, path);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsByteArrayAsync();
    }
}

/// <summary>
/// Looks for approved refunds each second, and waits for the bill of the next day only in the last minute of a day: within two hours of midnight in China, as is set by default, what is
/// a difference at other times would only be awaited.
/// </summary>
public sealed class ReconcilingHub : ServerHub
{
    protected override string[] Options => ["--Reconciliation:LookEvery=00:00:01", "--Reconciliation:MidnightMargin=00:01:00"];
}
