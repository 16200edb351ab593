using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;
using DeviceHub.IntegrationTests.Storage;
using DeviceHub.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeviceHub.IntegrationTests.Reconciliation;

/// <summary>The book of reconciliation over a real ledger, with bills that the test writes.</summary>
internal sealed class ReconciliationFixture : IDisposable
{
    public const string Account = "A1";
    public static readonly DateOnly Day = new(2026, 5, 1);
    public static readonly DateTimeOffset Noon = BillDay.Start(Day).AddHours(12);
    public static readonly DateTimeOffset Now = BillDay.End(Day).AddHours(10);

    private int payments;

    private readonly int fee;

    /// <param name="feeBasisPoints">What the account's terms say.</param>
    public ReconciliationFixture(ReconciliationOptions? options = null, int feeBasisPoints = 0)
    {
        fee = feeBasisPoints;
        Options = options ?? new ReconciliationOptions();
        Book = NewBook();
    }

    public StorageFixture Storage { get; } = new();

    public ReconciliationOptions Options { get; }

    public ReconciliationBook Book { get; private set; }

    /// <summary>Of the payment that was made last.</summary>
    public PaymentId LastId { get; private set; }

    /// <summary>Runs when a run has waited for the ledger to be shown and is about to look at it.</summary>
    public Action? Meanwhile { get; set; }

    /// <summary>As a new process has it.</summary>
    public ReconciliationBook NewBook() => Book = new ReconciliationBook(
        Storage.Database, Storage.Pool, Storage.Keys, Storage.SearchPool, Storage.Search, new FreeDisk(Storage.Options, () => Storage.FreeBytes), new AnyAccount(fee, () => Meanwhile?.Invoke()), TimeProvider.System,
        Microsoft.Extensions.Options.Options.Create(Options), NullLogger<ReconciliationBook>.Instance);

    /// <summary>A payment that began then, with these events after its first; its order number at the channel.</summary>
    public Task<string> Pay(DateTimeOffset at, long fen, params Func<DateTimeOffset, string, PaymentEvent>[] then) => Pay(at, fen, null, Account, then);

    /// <param name="merchantOrder">What the merchant calls it; null: nothing.</param>
    public async Task<string> Pay(DateTimeOffset at, long fen, string? merchantOrder, string account, params Func<DateTimeOffset, string, PaymentEvent>[] then)
    {
        var id = LastId = new PaymentId("SN1", $"r{++payments}");
        var order = PaymentDecisions.ChannelOrderNumber(id, 1, at);
        IReadOnlyList<PaymentEvent> events =
        [
            new PaymentAccepted(at, fen, "CNY", Wallet.WeChat, "1234", "fingerprint", merchantOrder, "M1", "Tea", "S1", at.AddMinutes(1), null),
            new AttemptStarted(at, 1, "fake", account, order, at.AddSeconds(10), "first"),
            .. then.Select(t => t(at.AddSeconds(1), order)),
        ];
        var answer = await Storage.Ledger.Accept(new LedgerAccept(id, events, "M1", merchantOrder, fen, order, at, at, null, null), CancellationToken.None);
        Assert.Equal(WriteResult.Written, answer.Result);
        return order;
    }

    public Task<string> Approved(DateTimeOffset at, long fen) => Pay(at, fen, Charged(fen));

    public Task<string> NotCharged(DateTimeOffset at, long fen) => Pay(
        at, fen, (t, _) => new PayAnswered(t, 1, new ChannelVerdict(Verdict.Declined, "NO")), (t, _) => new OutcomeReached(t, 1, PaymentResult.Declined, DeclineReason.Other, 1));

    /// <summary>Breaks I13: the order number of a paid payment is free, as if it had not been paid.</summary>
    public async Task FreeOrder() => Assert.Equal(
        WriteResult.Written, await Storage.Ledger.Append(new LedgerAppend(LastId, 2, [new OutcomeShown(Now, 1)], [], null, new PaymentStanding(Now, false, false))));

    public static Func<DateTimeOffset, string, PaymentEvent> Charged(long fen) => (t, _) => new PayAnswered(t, 1, new ChannelVerdict(Verdict.Approved, "OK", PaidFen: fen));

    public async Task<ReconciliationRun> Ask(DateOnly? day = null)
    {
        await AskOnly(day);
        return await Take();
    }

    public async Task AskOnly(DateOnly? day = null)
    {
        await Storage.Writes.Run(async (db, stop) =>
        {
            var wanted = day ?? Day;
            if (await db.Reconciliations.AsTracking().FirstOrDefaultAsync(r => r.Day == wanted, stop) is not { } run)
            {
                run = new ReconciliationRow { AccountId = Account, Channel = "fake", MerchantId = "M1", Day = wanted, RequestedBy = "test" };
                db.Reconciliations.Add(run);
            }

            (run.State, run.NextAt, run.Requests, run.Tries) = (RunState.Waiting, Now, run.Requests + 1, 0);
            await db.SaveChangesAsync(stop);
        });
    }

    public async Task<ReconciliationRun> Take() => await Book.Take([], Now.AddYears(1), CancellationToken.None) ?? throw new InvalidOperationException("no run is due");

    /// <summary>Asks for the day, reads this bill and gives the report.</summary>
    /// <param name="sharing">Accounts whose payments are in the bill, too.</param>
    public async Task<IReadOnlyList<Difference>> Run(IEnumerable<BillRow> bill, DateOnly? day = null, params string[] sharing)
    {
        var run = await Ask(day);
        await FollowLedger();
        await Book.Reconcile(run, Rows(bill), sharing, Now, CancellationToken.None);
        return await Report(day);
    }

    public async Task FollowLedger()
    {
        while (await Storage.Projection.Step() > 0)
        {
        }
    }

    public Task<List<Difference>> Report(DateOnly? day = null)
    {
        var wanted = day ?? Day;
        return Storage.Reads.Run(async (db, stop) => (await (
            from run in db.Reconciliations
            where run.Day == wanted
            join d in db.Differences on new { run.Id, run.Generation } equals new { Id = d.ReconciliationId, d.Generation }
            orderby d.Number
            select d).ToListAsync(stop)).ConvertAll(d => d.ToDifference()));
    }

    public Task<ReconciliationRow> Row(DateOnly? day = null)
    {
        var wanted = day ?? Day;
        return Storage.Reads.Run((db, stop) => db.Reconciliations.SingleAsync(r => r.Day == wanted, stop));
    }

    public Task<ReconciliationRow?> RowOrNone(DateOnly day) => Storage.Reads.Run((db, stop) => db.Reconciliations.SingleOrDefaultAsync(r => r.Day == day, stop));

    public Task<List<RefundProposalRow>> Proposals() => Storage.Reads.Run((db, stop) => db.RefundProposals.OrderBy(p => p.OrderNumber).ToListAsync(stop));

    /// <summary>As a person does over the API.</summary>
    public Task Approve(long proposal) => Storage.Writes.Run(async (db, stop) =>
    {
        var row = await db.RefundProposals.AsTracking().SingleAsync(p => p.Id == proposal, stop);
        (row.State, row.DecidedBy, row.DecidedAt) = (ProposalState.Approved, "user:ann", Now);
        await db.SaveChangesAsync(stop);
    });

    public static async IAsyncEnumerable<BillRow> Rows(IEnumerable<BillRow> rows)
    {
        await Task.Yield();
        foreach (var row in rows)
        {
            yield return row;
        }
    }

    public static BillRow Charge(string order, long fen, int line = 1, long fee = 0) => new(line, BillRowKind.Payment, order, null, "T" + order, fen, fee, Noon);

    public static BillRow Refund(string order, string? number, long fen, int line = 2) => new(line, BillRowKind.Refund, order, number, "T" + order, fen, 0, Noon);

    public void Dispose() => Storage.Dispose();

    private sealed class AnyAccount(int feeBasisPoints, Action asked) : IChannelAccounts
    {
        public ChannelAccount Find(string id)
        {
            asked();
            return new() { Id = id, MerchantId = "M1", Channel = "fake", Terms = new AccountTerms { FeeBasisPoints = feeBasisPoints } };
        }
    }
}
