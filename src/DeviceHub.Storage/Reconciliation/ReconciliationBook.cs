using System.Globalization;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Reconciliation;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DeviceHub.Storage;

/// <summary>Runs and proposals in the hub's database. Every write is short; reports are written in pieces and shown when they are whole.</summary>
internal sealed partial class ReconciliationBook(
    HubDatabase database,
    ReadPool reads,
    LedgerKeys keys,
    SearchPool search,
    SearchFile searchFile,
    FreeDisk disk,
    IChannelAccounts accounts,
    TimeProvider clock,
    IOptions<ReconciliationOptions> options,
    ILogger<ReconciliationBook> logger) : IReconciliationBook
{
    private const string Hub = "system";

    /// <summary>An account's bills are read so long after its last payment: a day that our books know nothing of may be one that they have lost.</summary>
    private const int DaysAfterUse = 30;

    internal static string Text(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    internal static DateOnly Day(string text) => DateOnly.ParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture);

    public async Task Plan(DateOnly day, IReadOnlyCollection<string> channels, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var shown = await LedgerIsShown(cancellationToken);
        var last = "";
        while (await search.Read((day, last), NextAccount) is { } account)
        {
            last = account;
            if (accounts.Find(account) is { } known && channels.Contains(known.Channel))
            {
                await Write(db => db.Prepare(
                    """
                    INSERT INTO reconciliation(account_id, channel, merchant_id, day, state, step, requested_by, requested_at, requests, tries, next_at,
                      rows_read, bill_rows, charged_fen, paid_back_fen, fee_fen, matched, matched_fen, generation)
                    VALUES (?1, ?2, ?3, ?4, 0, 0, ?5, ?6, 1, 0, ?6, 0, 0, 0, 0, 0, 0, 0, 0)
                    ON CONFLICT(account_id, day) DO UPDATE SET state = 0, requested_by = ?5, requested_at = ?6, requests = requests + 1, tries = 0, next_at = ?6
                      WHERE state IN (2, 3) AND reported_at < ?7
                    """)
                    .Bind(1, known.Id).Bind(2, known.Channel).Bind(3, known.MerchantId).Bind(4, Text(day)).Bind(5, Hub).Bind(6, now).Bind(7, BillDay.End(day)).Run(), cancellationToken);
            }
        }

        IsStillShown(shown);
    }

    public async Task<ReconciliationRun?> Take(IReadOnlyCollection<string> busyAccounts, DateTimeOffset now, CancellationToken cancellationToken)
    {
        ReconciliationRun? taken = null;
        await Write(db =>
        {
            var due = db.Prepare(
                """
                SELECT id, account_id, day, requests, tries FROM reconciliation
                WHERE state = 1 OR (state = 0 AND next_at <= ?1) ORDER BY state DESC, day, id LIMIT 100
                """).Bind(1, now);
            while (taken is null && due.Next())
            {
                if (!busyAccounts.Contains(due.Text(1)))
                {
                    taken = new ReconciliationRun(due.Long(0), due.Text(1), Day(due.Text(2)), (int)due.Long(3), (int)due.Long(4) + 1);
                }
            }

            due.Reset();
            if (taken is not null)
            {
                db.Prepare("UPDATE reconciliation SET state = 1, step = 1, tries = ?2, started_at = ?3, next_at = NULL, rows_read = 0 WHERE id = ?1")
                    .Bind(1, taken.Id).Bind(2, taken.Tries).Bind(3, now).Run();
            }
        }, cancellationToken);
        return taken;
    }

    public Task Postpone(ReconciliationRun run, DateTimeOffset at, string why, CancellationToken cancellationToken) =>
        Write(db => db.Prepare(
            "UPDATE reconciliation SET state = 0, step = 0, next_at = ?2, fault = ?3 WHERE id = ?1").Bind(1, run.Id).Bind(2, at).Bind(3, why).Run(), cancellationToken);

    public async Task Fail(ReconciliationRun run, DateTimeOffset now, string why, CancellationToken cancellationToken)
    {
        await Write(db => db.Prepare(
            "UPDATE reconciliation SET state = 3, step = 0, fault = ?2 WHERE id = ?1").Bind(1, run.Id).Bind(2, why).Run(), cancellationToken);
        File.Delete(WorkspaceFile(run));
    }

    public async Task<IReadOnlyList<ApprovedRefund>> Approved(long after, int limit, CancellationToken cancellationToken) =>
        await reads.Read((after, limit), static (db, x) =>
        {
            var rows = db.Prepare(
                """
                SELECT id, serial_number, request_id, order_number, attempt, amount_fen, reason, decided_by FROM refund_proposal
                WHERE state = 1 AND id > ?1 ORDER BY id LIMIT ?2
                """).Bind(1, x.after).Bind(2, x.limit);
            var approved = new List<ApprovedRefund>();
            while (rows.Next())
            {
                approved.Add(new(
                    rows.Long(0), new PaymentId(rows.Text(1), rows.Text(2)), rows.Text(3), (int)rows.Long(4), rows.Long(5), (DifferenceReason)rows.Long(6),
                    rows.TextOrNull(7) ?? Hub));
            }

            return approved;
        });

    public Task Follow(long proposal, bool done, string? note, CancellationToken cancellationToken) =>
        Write(db =>
        {
            var followed = db.Prepare("UPDATE refund_proposal SET state = CASE WHEN ?2 THEN 3 ELSE state END, note = coalesce(?3, note) WHERE id = ?1 AND state = 1")
                .Bind(1, proposal).Bind(2, done ? 1L : 0L).Bind(3, note).Run();
            if (done && followed > 0)
            {
                SettleSecondCharge(db, proposal);
            }
        }, cancellationToken);

    /// <summary>One short transaction. It reaches the disk with the ledger's next one: what a power cut takes is found or done again.</summary>
    private async Task Write(Action<PreparedConnection> write, CancellationToken cancellationToken)
    {
        using var lease = await database.Gate.Enter(cancellationToken).ConfigureAwait(false);
        using var transaction = database.Derived.Connection.BeginTransaction(deferred: false);
        write(database.Derived);
        transaction.Commit();
    }

    /// <summary>The next account after one that has attempts of the day or of those before it, or differences of another day that wait for its bill.</summary>
    private static string? NextAccount(PreparedConnection db, (DateOnly Day, string After) x)
    {
        var (first, last) = (OwnOrder.FirstOf(BillDay.Start(x.Day.AddDays(-DaysAfterUse))), OwnOrder.FirstOf(BillDay.End(x.Day)));
        var account = x.After;
        while (true)
        {
            var next = One(db.Prepare("SELECT min(account) FROM attempt WHERE account > ?1").Bind(1, account));
            if (next is null)
            {
                break;
            }

            account = next;
            if (One(db.Prepare("SELECT min(order_number) FROM attempt WHERE account = ?1 AND order_number >= ?2 AND order_number < ?3").Bind(1, account).Bind(2, first).Bind(3, last)) is not null
                || One(db.Prepare(
                    "SELECT min(order_number) FROM reconciliation_difference WHERE account_id = ?1 AND awaits = ?2 AND NOT settled AND awaits IS NOT NULL").Bind(1, account).Bind(2, Text(x.Day))) is not null)
            {
                return account;
            }
        }

        return null;

        static string? One(Statement statement)
        {
            var text = statement.Next() ? statement.TextOrNull(0) : null;
            statement.Reset();
            return text;
        }
    }

    private string WorkspaceFile(ReconciliationRun run) =>
        Path.Combine(Path.GetDirectoryName(database.File)!, "reconciliation", string.Create(CultureInfo.InvariantCulture, $"{run.Id}.bill"));
}
