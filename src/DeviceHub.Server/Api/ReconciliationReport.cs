using System.Globalization;
using DeviceHub.Core.Reconciliation;
using DeviceHub.Server.Hosting;
using DeviceHub.Storage;
using Microsoft.EntityFrameworkCore;
using SpreadCheetah;

namespace DeviceHub.Server.Api;

/// <summary>
/// A report as a file. It is written page by page into a temporary file and sent from there: whoever reads it slowly keeps no reader of the
/// database open, and a report that is made anew meanwhile cannot be mixed into it.
/// </summary>
internal sealed class ReconciliationReport(HubReads reads, DataFolder folder) : IDisposable
{
    public const string XlsxType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

    private const int PageRows = 1_000;
    private const int Restarts = 3;

    private static readonly string[] Columns =
    [
        "ReportNumber", "ReportClass", "ReportReason", "ReportSettled", "ReportOrderNumber", "ReportRefundNumber", "ReportTransaction", "ReportLine", "ReportBillYuan", "ReportLedgerYuan",
        "ReportTime", "ReportOtherDay", "ReportPayment", "ReportAttempt",
    ];

    private readonly SemaphoreSlim atOnce = new(2, 2);

    public Task<IResult> Csv(long id, CancellationToken stop) => Send(id, "csv", "text/csv; charset=utf-8", WriteCsv, stop);

    public Task<IResult> Xlsx(long id, CancellationToken stop) => Send(id, "xlsx", XlsxType, WriteXlsx, stop);

    public void Dispose() => atOnce.Dispose();

    private static string Of(DifferenceClass one) => Texts.Get("Class" + one);

    private static string Of(DifferenceReason one) => Texts.Get("Reason" + one);

    private static string YesNo(bool yes) => Texts.Get(yes ? "Yes" : "No");

    private static string ChinaTime(DateTimeOffset at) => at.ToOffset(BillDay.China).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    private static string Day(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static decimal? Yuan(long? fen) => fen / 100m;

    private static string? Payment(DifferenceRow d) => d.SerialNumber is null ? null : $"{d.SerialNumber}/{d.RequestId}";

    private static string Money(long? fen) => Yuan(fen)?.ToString("0.00", CultureInfo.InvariantCulture) ?? "";

    private async Task<IResult> Send(
        long id, string kind, string type, Func<FileStream, ReconciliationRow, IReadOnlyList<ReconciliationsApi.ClassTotal>, CancellationToken, Task<bool>> write, CancellationToken stop)
    {
        await atOnce.WaitAsync(stop);
        try
        {
            for (var tries = 0; tries < Restarts; tries++)
            {
                var (run, totals) = await reads.Run(
                    async (db, cancel) => await db.Reconciliations.AsNoTracking().FirstOrDefaultAsync(r => r.Id == id && r.ReportedAt != null, cancel) is { } found
                        ? (found, await ReconciliationsApi.Totals(db, found, cancel))
                        : ((ReconciliationRow?)null, (IReadOnlyList<ReconciliationsApi.ClassTotal>)[]),
                    stop);
                if (run is null)
                {
                    return Problems.NotFound($"report of reconciliation {id}");
                }

                var file = Open();
                if (await write(file, run, totals, stop))
                {
                    file.Position = 0;
                    return Results.Stream(file, type, $"reconciliation-{run.AccountId}-{Day(run.Day)}.{kind}");
                }

                await file.DisposeAsync();
            }
        }
        finally
        {
            atOnce.Release();
        }

        return Problems.Conflict("the report is being made anew; try again");
    }

    private FileStream Open()
    {
        var place = Directory.CreateDirectory(Path.Combine(folder.Path, "reconciliation"));
        var path = Path.Combine(place.FullName, Guid.NewGuid().ToString("n") + ".report");
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, 1 << 16, FileOptions.DeleteOnClose | FileOptions.Asynchronous);
        if (!OperatingSystem.IsWindows())
        {
            // It lives as long as it is open: also a death leaves nothing.
            File.Delete(path);
        }

        return file;
    }

    /// <summary>The next rows; null: the report has been made anew.</summary>
    private Task<List<DifferenceRow>?> Next(ReconciliationRow run, int after, CancellationToken stop) => reads.Run<List<DifferenceRow>?>(
        async (db, cancel) => await db.Reconciliations.AnyAsync(r => r.Id == run.Id && r.Generation == run.Generation, cancel)
            ? await db.Differences.AsNoTracking().Where(d => d.ReconciliationId == run.Id && d.Generation == run.Generation && d.Number > after)
                .OrderBy(d => d.Number).Take(PageRows).ToListAsync(cancel)
            : null,
        stop);

    private async Task<bool> WriteCsv(FileStream file, ReconciliationRow run, IReadOnlyList<ReconciliationsApi.ClassTotal> totals, CancellationToken stop)
    {
        await using var text = CsvText.Writer(file);
        await text.WriteRow(Columns.Select(c => Texts.Get(c)));
        var last = 0;
        while (true)
        {
            if (await Next(run, last, stop) is not { } page)
            {
                return false;
            }

            foreach (var d in page)
            {
                last = d.Number;
                await text.WriteLineAsync(string.Join(
                    ',', d.Number, CsvText.Cell(Of(d.Class)), CsvText.Cell(Of(d.Reason)), CsvText.Cell(YesNo(d.Settled)), CsvText.Cell(d.OrderNumber), CsvText.Cell(d.RefundNumber), CsvText.Cell(d.Transaction), d.Line, Money(d.BillFen),
                    Money(d.LedgerFen), ChinaTime(d.At), d.Awaits is { } day ? Day(day) : "", CsvText.Cell(Payment(d)), d.Attempt == 0 ? "" : d.Attempt.ToString(CultureInfo.InvariantCulture)));
            }

            if (page.Count < PageRows)
            {
                return true;
            }
        }
    }

    /// <summary>Every text is a cell of type text: nothing in it can be a formula.</summary>
    private async Task<bool> WriteXlsx(FileStream file, ReconciliationRow run, IReadOnlyList<ReconciliationsApi.ClassTotal> totals, CancellationToken stop)
    {
        if (!await WriteBook(file, run, totals, stop))
        {
            return false;
        }

        ZipTimes.Clear(file);
        return true;
    }

    private async Task<bool> WriteBook(FileStream file, ReconciliationRow run, IReadOnlyList<ReconciliationsApi.ClassTotal> totals, CancellationToken stop)
    {
        // Without properties: they would say when it was made, and the same report is the same bytes.
        await using var book = await Spreadsheet.CreateNewAsync(file, new SpreadCheetahOptions { DocumentProperties = null }, stop);
        await book.StartWorksheetAsync(Texts.Get("ReportTotals"), token: stop);
        foreach (var (name, value) in Head(run))
        {
            await book.AddRowAsync([new DataCell(name), value], stop);
        }

        await book.AddRowAsync([new DataCell(Texts.Get("ReportClass")), new DataCell(Texts.Get("ReportCount")), new DataCell(Texts.Get("ReportOpen")), new DataCell(Texts.Get("ReportSumYuan"))], stop);
        await book.AddRowAsync([new DataCell(Texts.Get("Matched")), new DataCell(run.Matched), new DataCell(0), new DataCell(Yuan(run.MatchedFen))], stop);
        foreach (var total in totals)
        {
            await book.AddRowAsync([new DataCell(Of(total.Class)), new DataCell(total.Count), new DataCell(total.Open), new DataCell(Yuan(total.Fen))], stop);
        }

        await book.StartWorksheetAsync(Texts.Get("ReportDifferences"), token: stop);
        await book.AddRowAsync([.. Columns.Select(c => new DataCell(Texts.Get(c)))], stop);
        var last = 0;
        while (true)
        {
            if (await Next(run, last, stop) is not { } page)
            {
                return false;
            }

            foreach (var d in page)
            {
                last = d.Number;
                await book.AddRowAsync(
                    [
                        new DataCell(d.Number), new DataCell(Of(d.Class)), new DataCell(Of(d.Reason)), new DataCell(YesNo(d.Settled)), new DataCell(d.OrderNumber),
                        new DataCell(d.RefundNumber), new DataCell(d.Transaction), new DataCell(d.Line), new DataCell(Yuan(d.BillFen)), new DataCell(Yuan(d.LedgerFen)),
                        new DataCell(ChinaTime(d.At)), new DataCell(d.Awaits is { } day ? Day(day) : null), new DataCell(Payment(d)), new DataCell(d.Attempt == 0 ? null : d.Attempt),
                    ],
                    stop);
            }

            if (page.Count < PageRows)
            {
                await book.FinishAsync(stop);
                return true;
            }
        }
    }

    private static IEnumerable<(string Name, DataCell Value)> Head(ReconciliationRow run) =>
    [
        (Texts.Get("ReportAccount"), new DataCell(run.AccountId)),
        (Texts.Get("ReportChannel"), new DataCell(run.Channel)),
        (Texts.Get("ReportDay"), new DataCell(Day(run.Day))),
        (Texts.Get("ReportBillRows"), new DataCell(run.BillRows)),
        (Texts.Get("ReportChargedYuan"), new DataCell(Yuan(run.ChargedFen))),
        (Texts.Get("ReportPaidBackYuan"), new DataCell(Yuan(run.PaidBackFen))),
        (Texts.Get("ReportFeeYuan"), new DataCell(Yuan(run.FeeFen))),
    ];
}
