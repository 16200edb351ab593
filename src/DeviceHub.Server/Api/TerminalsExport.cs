using System.Globalization;
using DeviceHub.Core.Terminals;
using DeviceHub.Server.ApiKeys;
using DeviceHub.Server.Hosting;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.Api;

/// <summary>Terminals as a file for a spreadsheet, by serial number, written page by page as it is read.</summary>
internal sealed class TerminalsExport(ITerminalSearch terminals, AuditTrail audit, IOptions<ServerOptions> options, TimeProvider clock)
{
    private const int PageRows = 500;

    private static readonly string[] Columns =
    [
        "ExportTerminal", "ExportTerminalStatus", "ExportPresence", "ExportModel", "ExportMerchant", "ExportStore", "ExportLastSeen", "ExportFirmware", "ExportDrift", "ExportRegistered", "ExportActivated",
    ];

    /// <summary>The first page is read before the answer begins, so that a search that fails is an answer and not a broken file.</summary>
    public async Task<IResult> Send(TerminalFilter filter, CancellationToken stop)
    {
        var first = await terminals.After(filter, null, PageRows, stop);
        var limit = options.Value.MaxExportRows;
        await audit.Write("terminal.export", "terminals", null, new { filter, limit });
        return Results.Stream(stream => Write(stream, filter, first, limit, stop), CsvText.Type, $"terminals-{clock.GetUtcNow():yyyyMMdd-HHmmss}.csv");
    }

    private async Task Write(Stream stream, TerminalFilter filter, IReadOnlyList<TerminalSummary> first, int limit, CancellationToken stop)
    {
        await using var csv = CsvText.Writer(stream);
        await csv.WriteRow(Columns.Select(c => Texts.Get(c)));
        await csv.WriteRows(
            first,
            last => terminals.After(filter, last.SerialNumber, PageRows, stop),
            Row,
            limit,
            string.Format(CultureInfo.InvariantCulture, Texts.Get("ExportCutTerminals"), limit),
            stop);
    }

    private static string?[] Row(TerminalSummary t) =>
    [
        t.SerialNumber, Texts.Get("TerminalStatus" + t.Status), Texts.Get("TerminalState" + t.State), t.Model, t.MerchantName ?? t.MerchantId, t.StoreName ?? t.StoreId, Time(t.LastSeen), t.Firmware,
        t.Drifts ? Texts.Get("Yes") : null, Time(t.RegisteredAt), Time(t.ActivatedAt),
    ];

    private static string? Time(DateTimeOffset? at) => at?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
