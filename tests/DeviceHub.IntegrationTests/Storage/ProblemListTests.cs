using DeviceHub.Core.Payments;
using DeviceHub.Core.Problems;
using DeviceHub.Core.Reconciliation;
using DeviceHub.Core.Terminals;
using DeviceHub.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
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
        await Doubtful(hub, "T2", 23, "test-1");
        await hub.Writes.Run(async (db, stop) =>
        {
            db.Terminals.Add(new TerminalRow { SerialNumber = "T3", Status = TerminalStatus.Active, DesiredVersion = 2, ReportedVersion = 2, ReportedResult = ConfigurationResult.Refused, ReportedDetail = "volume: 1 to 5", ReportedAt = Now.AddSeconds(20), RegisteredAt = Now });
            db.Terminals.Add(new TerminalRow { SerialNumber = "T4", Status = TerminalStatus.Active, DesiredVersion = 3, ReportedVersion = 2, ReportedResult = ConfigurationResult.Refused, ReportedAt = Now.AddSeconds(25), RegisteredAt = Now });
            db.Terminals.Add(new TerminalRow { SerialNumber = "T5", Status = TerminalStatus.Active, DesiredVersion = 2, ReportedVersion = 2, ReportedResult = ConfigurationResult.Applied, ReportedAt = Now, RegisteredAt = Now });
            db.Terminals.Add(new TerminalRow { SerialNumber = "T6", Status = TerminalStatus.Active, OtherHardwareId = "HW2", OtherHardwareAddress = "10.0.0.9:1", OtherHardwareAt = Now.AddSeconds(10), RegisteredAt = Now });
            db.Merchants.Add(new MerchantRow { Id = "M1", Name = "Tea" });
            db.Merchants.Add(new MerchantRow { Id = "M2", Name = "Noodles" });
            db.Webhooks.Add(new WebhookRow { MerchantId = "M1", Url = "https://erp.example/hook", Secret = [1], NotBefore = Now.AddHours(1) });
            db.Webhooks.Add(new WebhookRow { MerchantId = "M2", Url = "https://erp.example/hook", Secret = [1], NotBefore = Now });
            db.WebhookEvents.Add(new WebhookEventRow { Id = "e1", MerchantId = "M1", Body = [1], CreatedAt = Now.AddSeconds(5), DueAt = Now.AddHours(1), Tries = 3, Fault = "404" });

            // Due before it, and not tried while its merchant's server is away.
            db.WebhookEvents.Add(new WebhookEventRow { Id = "e2", MerchantId = "M1", Body = [1], CreatedAt = Now.AddSeconds(50), DueAt = Now.AddSeconds(50) });
            db.RefundProposals.Add(new RefundProposalRow { AccountId = "a", OrderNumber = "d1", SerialNumber = "T9", RequestId = "request-9", AmountFen = 300, ProposedAt = Now.AddSeconds(30), Reason = default });
            db.Reconciliations.Add(new ReconciliationRow { AccountId = "a", Channel = "sandbox", MerchantId = "M1", State = RunState.Failed, RequestedBy = "system", Day = new(2026, 4, 30), RequestedAt = Now.AddSeconds(40), Fault = "no bill" });
            await db.SaveChangesAsync(stop);
        });
        await hub.Projection.Step();

        var problems = await List(hub).Newest(20);

        Assert.Equal(
            [
                new(ProblemKind.ReconciliationFailed, Now.AddSeconds(40), false, "a", "no bill", Id: "1", Day: new(2026, 4, 30)),
                new(ProblemKind.RefundProposed, Now.AddSeconds(30), true, "d1", null, new PaymentId("T9", "request-9"), 300),
                new(ProblemKind.ConfigurationNotApplied, Now.AddSeconds(20), false, "T3", "volume: 1 to 5"),
                new(ProblemKind.OtherHardware, Now.AddSeconds(10), true, "T6", "HW2 (10.0.0.9:1)"),
                new(ProblemKind.WebhookFailing, Now.AddSeconds(5), false, "M1", "404"),
                new Problem(ProblemKind.PaymentInDoubt, Now, true, "T2", null, new PaymentId("T2", "request-1"), 700),
            ],
            problems);
    }

    [Fact]
    public async Task Outcomes_that_no_terminal_confirmed_are_one_problem_with_their_number()
    {
        using var hub = new StorageFixture();
        foreach (var sn in (string[])["T1", "T2", "T3"])
        {
            await hub.Ledger.Accept(Accept("request-1", sn: sn), default);
            await hub.Ledger.Append(Approve(new(sn, "request-1")));
        }

        await hub.Ledger.Append(Shown(new("T2", "request-1")));
        await hub.Ledger.Accept(Accept("test-1", sn: "T3"), default);
        await hub.Ledger.Append(Approve(new("T3", "test-1")));
        await hub.Projection.Step();

        Assert.Empty(await List(hub).Newest(5));
        clock.Advance(TimeSpan.FromSeconds(hub.TerminalOptions.ShownWithinSeconds));
        Assert.Equal([new Problem(ProblemKind.OutcomesNotShown, Now, false, "", Count: 2)], await List(hub).Newest(5));
        clock.Advance(Problem.News);
        Assert.Empty(await List(hub).Newest(5));
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

    private ProblemList List(StorageFixture hub) => new([new StoredProblems(hub.SearchPool, new FreeSpace(hub.Options, clock, () => hub.FreeBytes), Options.Create(hub.TerminalOptions), clock)]);

    private static async Task Doubtful(StorageFixture hub, string sn, long fen, string request = "request-1")
    {
        await hub.Ledger.Accept(Accept(request, sn: sn, fen: fen), default);
        await hub.Ledger.Append(new LedgerAppend(
            new(sn, request), 2, [new PayAnswered(Now, 1, new ChannelVerdict(Verdict.Unknown, "timeout"))], [], null, new PaymentStanding(null, false, false)));
    }
}
