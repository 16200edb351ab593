using DeviceHub.Core.Charges;
using DeviceHub.Core.Payments;
using DeviceHub.Storage;
using Microsoft.AspNetCore.DataProtection;
using SQLitePCL;
using static DeviceHub.IntegrationTests.Storage.StorageFixture;

namespace DeviceHub.IntegrationTests.Storage;

/// <summary>Charges over SQLite, and how the ledger's own transaction consumes them.</summary>
public sealed class ChargeStoreTests : IDisposable
{
    private readonly StorageFixture hub = new();
    private readonly WebhookBook webhooks;
    private readonly ChargeStore charges;

    public ChargeStoreTests()
    {
        webhooks = new WebhookBook(hub.Writes, hub.Pool, DataProtectionProvider.Create(new DirectoryInfo(Path.Combine(hub.Folder, "keys"))));
        charges = new ChargeStore(hub.Writes, hub.Pool, hub.Keys, webhooks);
    }

    public void Dispose()
    {
        webhooks.Dispose();
        hub.Dispose();
    }

    [Fact]
    public async Task Charge_is_read_as_it_was_written_and_each_write_is_a_compare_and_set()
    {
        var charge = New("c00000000001");
        Assert.Equal(ChargeOpeningResult.Opened, (await charges.Open(charge, Now.AddSeconds(3))).Result);
        Assert.Equal(charge with { Version = 1 }, await charges.Load(charge.Id));
        Assert.Equal(new CollectCall(charge.Id, 100, "A-1", charge.ExpiresAt), await charges.OpenOf("T1"));
        Assert.Empty(await charges.Due(Now.AddSeconds(2), 10));
        Assert.Equal([charge.Id], await charges.Due(Now.AddSeconds(3), 10));

        var collecting = charge with { Version = 1, Stage = ChargeStage.Collecting, CollectingAt = Now.AddSeconds(1) };
        Assert.True(await charges.Save(collecting, Now.AddSeconds(9), null));
        Assert.False(await charges.Save(collecting with { Stage = ChargeStage.Closed }, null, null));
        Assert.Equal(collecting with { Version = 2 }, await charges.FindByKey("M1", charge.IdempotencyKey));
        Assert.Empty(await charges.Due(Now.AddSeconds(8), 10));
    }

    [Fact]
    public async Task What_is_in_the_way_of_a_charge_is_named()
    {
        await charges.Open(New("c00000000001"), Now);
        Assert.Equal((ChargeOpeningResult.KeyUsed, "c00000000001"), await Opened(New("c00000000002")));
        Assert.Equal((ChargeOpeningResult.TerminalTaken, "c00000000001"), await Opened(New("c00000000002", order: "A-2", key: "2")));
        Assert.Equal((ChargeOpeningResult.OrderOpen, "c00000000001"), await Opened(New("c00000000002", sn: "T2", key: "2")));
        await hub.Ledger.Accept(Accept("request-1", sn: "T3", order: "A-3"), default);
        Assert.Equal((ChargeOpeningResult.OrderOpen, "T3/request-1"), await Opened(New("c00000000002", sn: "T2", order: "A-3", key: "2")));
        await hub.Ledger.Append(Approve(new PaymentId("T3", "request-1")));
        Assert.Equal((ChargeOpeningResult.OrderPaid, "T3/request-1"), await Opened(New("c00000000002", sn: "T2", order: "A-3", key: "2")));
        Assert.Equal((ChargeOpeningResult.Opened, null), await Opened(New("c00000000002", sn: "T2", order: "A-4", key: "2")));
    }

    [Fact]
    public async Task Accept_consumes_the_charge_in_its_own_transaction_and_once()
    {
        var charge = New("c00000000001");
        await charges.Open(charge, charge.ExpiresAt);
        Assert.Equal(WriteResult.Written, (await hub.Ledger.Accept(For(charge, "request-1"), default)).Result);
        var consumed = (await charges.Load(charge.Id))!;
        Assert.Equal((ChargeStage.Paying, "T1/request-1", 2L), (consumed.Stage, consumed.Payment, consumed.Version));
        Assert.Null(await charges.OpenOf("T1"));

        // A cancel that had read it before loses.
        Assert.False(await charges.Save(charge with { Version = 1, Stage = ChargeStage.Closed, Ended = ChargeEnd.Cancelled }, null, null));

        // The same request again is a repeat, another one is refused.
        Assert.Equal(new AcceptAnswer(WriteResult.Conflict), await hub.Ledger.Accept(For(charge, "request-1"), default));
        Assert.Equal(
            new AcceptAnswer(WriteResult.Conflict, AcceptCollision.ChargeClosed, new PaymentId("T1", "request-1")), await hub.Ledger.Accept(For(charge, "request-2"), default));
        Assert.Equal(1, hub.Number("SELECT count(*) FROM payment_event"));

        // The outcome makes it due, in the transaction that writes it; later appends do not.
        Assert.Empty(await charges.Due(Now.AddDays(1), 10));
        var id = new PaymentId("T1", "request-1");
        Assert.Equal(WriteResult.Written, await hub.Ledger.Append(Decline(id) with { ChargeId = charge.Id }));
        Assert.Equal([charge.Id], await charges.Due(Now, 10));
        Assert.Equal(3, (await charges.Load(charge.Id))!.Version);
    }

    [Fact]
    public async Task Charge_that_is_declined_frees_its_terminal_and_its_order_and_cannot_be_answered_again()
    {
        var charge = New("c00000000001");
        await charges.Open(charge, charge.ExpiresAt);
        await hub.Ledger.Accept(For(charge, "request-1"), default);
        await hub.Ledger.Append(Decline(new PaymentId("T1", "request-1")) with { ChargeId = charge.Id });
        var closed = (await charges.Load(charge.Id))! with { Stage = ChargeStage.Closed, Ended = ChargeEnd.Declined, EndedAt = Now, Revision = 1 };
        Assert.True(await charges.Save(closed, null, null));
        Assert.Equal(new AcceptAnswer(WriteResult.Conflict, AcceptCollision.ChargeClosed, new PaymentId("T1", "request-1")), await hub.Ledger.Accept(For(charge, "request-2"), default));
        Assert.Equal((ChargeOpeningResult.Opened, null), await Opened(New("c00000000002", key: "2")));
    }

    [Theory, InlineData("closed"), InlineData("expired"), InlineData("amount"), InlineData("order"), InlineData("terminal"), InlineData("merchant"), InlineData("unknown")]
    public async Task Payment_that_may_not_answer_a_charge_is_not_written(string wrong)
    {
        var charge = New("c00000000001");
        await charges.Open(charge, charge.ExpiresAt);
        if (wrong == "closed")
        {
            await charges.Save(charge with { Version = 1, Stage = ChargeStage.Closed, Ended = ChargeEnd.Cancelled }, null, null);
        }

        var accept = For(charge, "request-1", wrong == "terminal" ? "T2" : "T1");
        accept = wrong switch
        {
            "expired" => accept with { AcceptedAt = charge.ExpiresAt },
            "amount" => accept with { AmountFen = 101 },
            "order" => accept with { OrderNumber = "A-9" },
            "merchant" => accept with { MerchantId = "M2" },
            "unknown" => accept with { ChargeId = "c99999999999" },
            _ => accept,
        };
        Assert.Equal(new AcceptAnswer(WriteResult.Conflict, AcceptCollision.ChargeClosed), await hub.Ledger.Accept(accept, default));
        Assert.Equal(0, hub.Number("SELECT count(*) FROM payment_event") + hub.Number("SELECT count(*) FROM live_payment") + hub.Number("SELECT count(*) FROM order_key"));
    }

    [Fact]
    public async Task Of_a_cancel_and_a_scan_that_race_exactly_one_wins()
    {
        for (var round = 0; round < 50; round++)
        {
            var charge = New($"c{round:00000000}", sn: $"T{round}", order: $"R-{round}", key: $"{round}");
            await charges.Open(charge, charge.ExpiresAt);
            var cancel = Task.Run(() => charges.Save(charge with { Version = 1, Stage = ChargeStage.Closed, Ended = ChargeEnd.Cancelled, EndedAt = Now }, null, null));
            var accept = Task.Run(async () => (await hub.Ledger.Accept(For(charge, "request-1", charge.SerialNumber), default)).Result == WriteResult.Written);
            Assert.True(await cancel ^ await accept, $"round {round}: cancelled {await cancel}, accepted {await accept}");
            Assert.Equal(await accept ? ChargeStage.Paying : ChargeStage.Closed, (await charges.Load(charge.Id))!.Stage);
        }
    }

    [Fact]
    public async Task Charges_and_payments_agree_when_scans_and_cancels_race_and_commits_fail()
    {
        using var hub = new StorageFixture(o => o.BatchSize = 2);
        using var webhooks = new WebhookBook(hub.Writes, hub.Pool, DataProtectionProvider.Create(new DirectoryInfo(Path.Combine(hub.Folder, "keys"))));
        var charges = new ChargeStore(hub.Writes, hub.Pool, hub.Keys, webhooks);
        var commits = 0;

        // Of the ledger's writer, every third: SQLite turns it into a rollback.
        delegate_commit failing = _ => ++commits % 3 == 0 ? 1 : 0;
        hub.Database.Connected = connection => raw.sqlite3_commit_hook(connection.Handle!, failing, null);
        var all = Enumerable.Range(0, 100).Select(n => New($"c{n:00000000}", sn: $"T{n}", order: $"F-{n}", key: $"{n}")).ToList();
        foreach (var charge in all)
        {
            await charges.Open(charge, charge.ExpiresAt);
        }

        var answers = await Task.WhenAll(all.Select((charge, n) => Task.Run(async () =>
        {
            // Half of the cancels come with the scans, half behind the first one's answer.
            var first = hub.Ledger.Accept(For(charge, "request-1", charge.SerialNumber), default).AsTask();
            var cancel = Task.Run(async () =>
            {
                _ = n % 2 == 0 ? null : await first;
                return await charges.Save(charge with { Version = 1, Stage = ChargeStage.Closed, Ended = ChargeEnd.Cancelled, EndedAt = Now }, null, null);
            });
            var second = hub.Ledger.Accept(For(charge, "request-2", charge.SerialNumber), default).AsTask();
            return (charge, Scans: await Task.WhenAll(first, second), Cancelled: await cancel);
        })));

        Assert.True(commits > 30, $"only {commits} commits");
        Assert.Contains(answers, a => a.Cancelled);
        Assert.Contains(answers, a => a.Scans.Any(s => s.Result == WriteResult.Written));
        foreach (var (charge, scans, cancelled) in answers)
        {
            var row = (await charges.Load(charge.Id))!;
            var written = new List<string>();
            foreach (var (scan, number) in scans.Zip([1, 2]))
            {
                var id = new PaymentId(charge.SerialNumber, $"request-{number}");
                var isThere = await hub.Ledger.Read(id) is not null;
                Assert.True(scan.Result == WriteResult.Unknown || isThere == (scan.Result == WriteResult.Written), $"{id} was answered {scan.Result}, and is {(isThere ? "there" : "not there")}");
                if (isThere)
                {
                    written.Add(id.ToString());
                }
            }

            Assert.Equal(written.SingleOrDefault(), row.Payment);
            Assert.Equal((cancelled, cancelled ? ChargeEnd.Cancelled : ChargeEnd.None), (row.Stage == ChargeStage.Closed, row.Ended));
            Assert.False(cancelled && written.Count > 0, $"{charge.Id} is cancelled and paid");
        }
    }

    [Fact]
    public async Task Payment_that_is_taken_back_consumes_nothing()
    {
        var charge = New("c00000000001");
        await charges.Open(charge, charge.ExpiresAt);
        await hub.Ledger.Accept(Accept("request-0", sn: "T9", channelOrder: "N-TAKEN"), default);
        var accept = Accept("request-1", "T1", charge.AmountFen, charge.OrderNumber, channelOrder: "N-TAKEN") with { ChargeId = charge.Id };
        Assert.Equal(WriteResult.NotWritten, (await hub.Ledger.Accept(accept, default)).Result);
        Assert.Equal(charge with { Version = 1 }, await charges.Load(charge.Id));
        Assert.Equal(WriteResult.Written, (await hub.Ledger.Accept(For(charge, "request-1"), default)).Result);
    }

    [Fact]
    public async Task Notice_is_kept_with_the_change_that_it_tells_of_and_only_for_a_merchant_with_a_webhook()
    {
        var charge = New("c00000000001");
        await charges.Open(charge, charge.ExpiresAt);
        var notice = new ChargeNotice("c00000000001-0", "M1", Now, [1, 2, 3]);
        var closed = charge with { Version = 1, Stage = ChargeStage.Closed, Ended = ChargeEnd.Expired, EndedAt = Now };
        Assert.True(await charges.Save(closed, null, notice));
        Assert.Empty(await webhooks.Due(Now, 10));

        await hub.Writes.Run(async (db, stop) =>
        {
            db.Merchants.Add(new MerchantRow { Id = "M1", Name = "Tea", Created = Now });
            webhooks.Put(db, null, "M1", "https://erp.example.com/", new Core.SecretText(new string('s', 32)), Now);
            return await db.SaveChangesAsync(stop);
        });
        Assert.False(await charges.Save(closed, null, notice));
        Assert.Empty(await webhooks.Due(Now, 10));
        Assert.True(await charges.Save(closed with { Version = 2, Revision = 1 }, null, notice));
        var waiting = Assert.Single(await webhooks.Due(Now, 10));
        Assert.Equal((notice.Id, "M1", 0), (waiting.Id, waiting.MerchantId, waiting.Tries));
        Assert.Equal(notice.Body, waiting.Body);
        Assert.DoesNotContain(new string('s', 32), await File.ReadAllTextAsync(hub.Database.File, System.Text.Encoding.Latin1), StringComparison.Ordinal);
        Assert.Equal(new string('s', 32), (await webhooks.Find("M1", default))!.Value.Secret.Reveal());

        // A failure holds back what else the merchant waits for, and no other merchant; what is given up is due no more, and is kept for a while.
        Assert.True(await charges.Save(closed with { Version = 3, Revision = 2 }, null, notice with { Id = "c00000000001-2", At = Now.AddSeconds(1) }));
        await webhooks.Failed(waiting, "HTTP status 500", Now.AddSeconds(50), Now.AddSeconds(5), Now);
        Assert.Empty(await webhooks.Due(Now.AddSeconds(4), 10));
        Assert.Equal("c00000000001-2", Assert.Single(await webhooks.Due(Now.AddSeconds(5), 10)).Id);
        Assert.Equal(Now.AddSeconds(1).ToUnixTimeMilliseconds(), hub.Number("SELECT due_at FROM webhook_event WHERE id = 'c00000000001-2'"));
        await webhooks.Delivered("c00000000001-2");
        waiting = Assert.Single(await webhooks.Due(Now.AddSeconds(50), 10));
        Assert.Equal(1, waiting.Tries);
        await webhooks.Failed(waiting, new string('x', 1000), null, Now, Now);
        Assert.Empty(await webhooks.Due(Now.AddDays(1), 10));
        Assert.Equal(1, hub.Number("SELECT count(*) FROM webhook_event"));
        await webhooks.Failed(waiting, "again", null, Now, Now.AddSeconds(1));
        Assert.Equal(0, hub.Number("SELECT count(*) FROM webhook_event"));
    }

    private static Charge New(string id, string sn = "T1", string order = "A-1", string key = "1") => new()
    {
        Id = id, SerialNumber = sn, MerchantId = "M1", StoreId = "S1", OrderNumber = order, AmountFen = 100, IdempotencyKey = key, By = "key:till",
        CreatedAt = Now, ExpiresAt = Now.AddSeconds(60), Stage = ChargeStage.Sent,
    };

    private static LedgerAccept For(Charge charge, string request, string sn = "T1") => Accept(request, sn, charge.AmountFen, charge.OrderNumber) with { ChargeId = charge.Id };

    private async Task<(ChargeOpeningResult, string?)> Opened(Charge charge)
    {
        var opening = await charges.Open(charge, charge.ExpiresAt);
        return (opening.Result, opening.Other ?? opening.Charge?.Id);
    }
}
