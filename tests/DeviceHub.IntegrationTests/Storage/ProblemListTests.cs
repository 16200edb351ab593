using DeviceHub.Core.Payments;
using DeviceHub.Core.Problems;
using DeviceHub.Core.Reconciliation;
using DeviceHub.Core.Terminals;
using DeviceHub.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Time.Testing;
using static DeviceHub.IntegrationTests.Storage.StorageFixture;

namespace DeviceHub.IntegrationTests.Storage;

public sealed class ProblemListTests
{
    private readonly FakeTimeProvider clock = new(Now.AddMinutes(1));

    [Fact]
    public async Task What_is_wrong_is_listed_newest_first_and_what_is_well_is_not()
    {
        using var hub = new StorageFixture();
        await hub.Ledger.Accept(Accept("request-1", sn: "T1"), default);
        await hub.Ledger.Append(Approve(new("T1", "request-1")));
        await Doubtful(hub, "T2", 700);
        await hub.Writes.Run(async (db, stop) =>
        {
            db.Terminals.Add(new TerminalRow { SerialNumber = "T3", Status = TerminalStatus.Active, DesiredVersion = 2, ReportedVersion = 2, ReportedResult = ConfigurationResult.Refused, ReportedDetail = "volume: 1 to 5", ReportedAt = Now.AddSeconds(20), RegisteredAt = Now });
            db.Terminals.Add(new TerminalRow { SerialNumber = "T4", Status = TerminalStatus.Active, DesiredVersion = 3, ReportedVersion = 2, ReportedResult = ConfigurationResult.Refused, ReportedAt = Now.AddSeconds(25), RegisteredAt = Now });
            db.Terminals.Add(new TerminalRow { SerialNumber = "T5", Status = TerminalStatus.Active, DesiredVersion = 2, ReportedVersion = 2, ReportedResult = ConfigurationResult.Applied, ReportedAt = Now, RegisteredAt = Now });
            db.Merchants.Add(new MerchantRow { Id = "M1", Name = "Tea" });
            db.Merchants.Add(new MerchantRow { Id = "M2", Name = "Noodles" });
            db.Webhooks.Add(new WebhookRow { MerchantId = "M1", Url = "https://erp.example/hook", Secret = [1], NotBefore = Now.AddHours(1) });
            db.Webhooks.Add(new WebhookRow { MerchantId = "M2", Url = "https://erp.example/hook", Secret = [1], NotBefore = Now });
            db.WebhookEvents.Add(new WebhookEventRow { Id = "e1", MerchantId = "M1", Body = [1], CreatedAt = Now, DueAt = Now.AddHours(1), Tries = 3, Fault = "404" });
            db.RefundProposals.Add(new RefundProposalRow { AccountId = "a", OrderNumber = "d1", SerialNumber = "T9", RequestId = "request-9", AmountFen = 300, ProposedAt = Now.AddSeconds(30), Reason = default });
            db.Reconciliations.Add(new ReconciliationRow { AccountId = "a", Channel = "sandbox", MerchantId = "M1", State = RunState.Failed, RequestedBy = "system", RequestedAt = Now.AddSeconds(40), Fault = "no bill" });
            await db.SaveChangesAsync(stop);
        });
        await hub.Projection.Step();

        var problems = await List(hub).Newest(20);

        Assert.Equal(
            [
                new(ProblemKind.WebhookFailing, null, false, "M1", "404"),
                new(ProblemKind.ReconciliationFailed, Now.AddSeconds(40), false, "a", "no bill"),
                new(ProblemKind.RefundProposed, Now.AddSeconds(30), true, "d1", null, new PaymentId("T9", "request-9"), 300),
                new(ProblemKind.ConfigurationNotApplied, Now.AddSeconds(20), false, "T3", "volume: 1 to 5"),
                new Problem(ProblemKind.PaymentInDoubt, Now, true, "T2", null, new PaymentId("T2", "request-1"), 700),
            ],
            problems);
    }

    [Fact]
    public async Task Of_many_the_newest_are_listed_and_a_full_disk_before_them()
    {
        using var hub = new StorageFixture();
        for (var i = 0; i < 12; i++)
        {
            await Doubtful(hub, $"T{i}", 100 + i);
        }

        await hub.Projection.Step();
        hub.FreeBytes = 0;

        var problems = await List(hub).Newest(5);

        Assert.Equal((5, ProblemKind.DiskFull), (problems.Count, problems[0].Kind));
        Assert.All(problems.Skip(1), p => Assert.Equal(ProblemKind.PaymentInDoubt, p.Kind));
    }

    private ProblemList List(StorageFixture hub) => new([new StoredProblems(hub.Pool, new FreeSpace(hub.Options, clock, () => hub.FreeBytes), clock)]);

    private static async Task Doubtful(StorageFixture hub, string sn, long fen)
    {
        await hub.Ledger.Accept(Accept("request-1", sn: sn, fen: fen), default);
        await hub.Ledger.Append(new LedgerAppend(
            new(sn, "request-1"), 2, [new PayAnswered(Now, 1, new ChannelVerdict(Verdict.Unknown, "timeout"))], [], null, new PaymentStanding(null, false, false)));
    }
}
