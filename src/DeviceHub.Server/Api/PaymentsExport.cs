using System.Globalization;
using DeviceHub.Core.Payments;
using DeviceHub.Server.ApiKeys;
using DeviceHub.Server.Hosting;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.Api;

/// <summary>Payments as a file for a spreadsheet, written page by page as it is read: no reader of the database stays open, and nothing is kept.</summary>
internal sealed class PaymentsExport(IPaymentSearch payments, AuditTrail audit, IOptions<ServerOptions> options, TimeProvider clock)
{
    private const int PageRows = 500;

    private static readonly string[] Columns =
    [
        "ExportTime", "ExportTerminal", "ExportRequest", "ExportMerchant", "ExportStore", "ExportOrderNumber", "ExportStatus", "ExportAmountYuan", "ExportPaidYuan", "ExportDiscountYuan", "ExportRefundedYuan",
        "ExportWallet", "ExportPayer", "ReportChannel", "ReportAccount", "ReportOrderNumber", "ReportTransaction", "ExportFinal", "ExportAttention",
    ];

    /// <summary>The first page is read before the answer begins, so that a search that fails is an answer and not a broken file.</summary>
    public async Task<IResult> Send(PaymentFilter filter, CancellationToken stop)
    {
        var first = await payments.Find(filter, new PaymentSlice(PageRows), stop);
        var limit = options.Value.MaxExportRows;
        await audit.Write("payment.export", "payments", null, new { filter, limit });
        return Results.Stream(stream => Write(stream, filter, first.Items, limit, stop), CsvText.Type, $"payments-{clock.GetUtcNow():yyyyMMdd-HHmmss}.csv");
    }

    private async Task Write(Stream stream, PaymentFilter filter, IReadOnlyList<PaymentSummary> first, int limit, CancellationToken stop)
    {
        await using var csv = CsvText.Writer(stream);
        await csv.WriteRow(Columns.Select(c => Texts.Get(c)));
        await csv.WriteRows(
            first,
            async last => (await payments.Find(filter, new PaymentSlice(PageRows, last.Position), stop)).Items,
            Row,
            limit,
            string.Format(CultureInfo.InvariantCulture, Texts.Get("ExportCut"), limit),
            stop);
    }

    private static string?[] Row(PaymentSummary p) =>
    [
        Time(p.AcceptedAt), p.Id.SerialNumber, p.Id.RequestId, p.MerchantName ?? p.MerchantId, p.StoreName ?? p.StoreId, p.OrderNumber, Texts.Get("Status" + p.Status), Yuan(p.AmountFen), Yuan(p.PaidFen),
        Yuan(p.DiscountFen), Yuan(p.RefundedFen), p.Wallet == Wallet.None ? null : Texts.Get("Wallet" + p.Wallet), p.Payer, p.Channel, p.ChannelAccount, p.ChannelOrderNumber, p.ChannelTransaction,
        p.FinalAt is { } at ? Time(at) : null, p.NeedsAttention ? Texts.Get("Yes") : null,
    ];

    private static string Time(DateTimeOffset at) => at.ToString("yyyy-MM-dd HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static string Yuan(long fen) => (fen / 100m).ToString("0.00", CultureInfo.InvariantCulture);
}
