using System.Globalization;
using System.IO.Compression;
using System.Text;
using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Http;
using Microsoft.AspNetCore.Http.Features;

namespace DeviceHub.Tools.ChannelSandbox.Alipay;

/// <summary>Alipay's bill of a day: a zip, its names in GBK, of two tables in GBK, one with every payment and refund, one with their sums.</summary>
internal sealed class AlipayBill(Bank.Bank bank, ChannelClock clock, SandboxOptions options)
{
    public const string Path = "/downloadBillFile.resource";
    private const long GoodForMs = 30_000;
    private const string Rule = "#-----------------------------------------业务明细列表";
    private const string Columns = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,"
        + "支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注";

    public void Announce(AlipayExchange exchange)
    {
        var today = ChannelClock.Day(clock.NowMs);
        if (exchange.Text("bill_type") != "trade" || !DateOnly.TryParseExact(exchange.Text("bill_date"), "yyyy-MM-dd", out var day)
            || (options.BillToday ? day > today : day >= today))
        {
            exchange.Refuse("isv.invalid-parameter", "bill_type, bill_date");
            return;
        }

        if (!Rows(exchange.Seller, day, clock.NowMs).Any())
        {
            exchange.Refuse("isp.bill_not_exist");
            return;
        }

        var request = exchange.Call.Request;
        exchange.Write(10000, json => json.WriteString(
            "bill_download_url"u8,
            string.Create(CultureInfo.InvariantCulture, $"{request.Scheme}://{request.Host}{Path}?bizType=trade&userId={exchange.Seller}&bizDates={day:yyyyMMdd}&fileId={clock.NowMs:x}")));
    }

    /// <summary>Without a signature, for 30 s after it was announced.</summary>
    public void Send(Call call)
    {
        var query = call.Request.Query;
        if (!DateOnly.TryParseExact(query["bizDates"].FirstOrDefault(), "yyyyMMdd", out var day)
            || !long.TryParse(query["fileId"].FirstOrDefault(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var announced)
            || Math.Abs(clock.NowMs - announced) > GoodForMs)
        {
            call.Status = 404;
            return;
        }

        // A zip archive writes the ends of its entries at once, whoever asks it to do so later.
        call.Context.Features.Get<IHttpBodyControlFeature>()!.AllowSynchronousIO = true;
        var seller = query["userId"].FirstOrDefault() ?? "";
        call.ContentType = "application/octet-stream";
        call.Stream = (stream, cancellation) => Write(seller, day, announced, stream, cancellation);
    }

    private IEnumerable<(Order Order, Refund? Refund, bool Reversal)> Rows(string seller, DateOnly day, long untilMs)
    {
        foreach (var order in bank.Page(0, int.MaxValue))
        {
            if (order.Key.Channel != Channel.Alipay || order.Key.Merchant != seller)
            {
                continue;
            }

            if (IsOf(order.ChargedAt))
            {
                yield return (order, null, false);
            }

            foreach (var refund in order.Refunds.Where(r => r.State == RefundState.Done && IsOf(r.EndedAt)))
            {
                yield return (order, refund, false);
            }

            if (order.ReversedFen > 0 && IsOf(order.RevokedAt))
            {
                yield return (order, null, true);
            }
        }

        bool IsOf(long at) => at != 0 && at <= untilMs && ChannelClock.Day(at) == day;
    }

    private async Task Write(string seller, DateOnly day, long untilMs, Stream stream, CancellationToken cancellation)
    {
        await using var zip = await ZipArchive.CreateAsync(stream, ZipArchiveMode.Create, leaveOpen: true, AlipayForm.Gbk, cancellation);
        var name = $"{seller}0156_{day:yyyyMMdd}_业务明细";
        var sums = await WriteDetails(zip, name + ".csv", seller, day, untilMs, cancellation);
        await using var entry = await zip.CreateEntry(name + "(汇总).csv", CompressionLevel.Fastest).OpenAsync(cancellation);
        await using var text = new StreamWriter(entry, AlipayForm.Gbk);
        await text.WriteAsync(Head("#支付宝业务汇总查询", seller, day));
        await text.WriteAsync("#-----------------------------------------业务汇总列表----------------------------------------\r\n");
        await text.WriteAsync("门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,支付宝优惠（元）,商家优惠（元）,卡消费金额（元）,服务费（元）,分润（元）,实收净额（元）\r\n");
        await text.WriteAsync($"合计\t,\t,{sums.Paid},{sums.Refunds},{AlipayBook.Yuan(sums.PaidFen - sums.BackFen)},{AlipayBook.Yuan(sums.PaidFen - sums.BackFen)},0.00,0.00,0.00,{AlipayBook.Yuan(-sums.FeeFen)},0.00,{AlipayBook.Yuan(sums.PaidFen - sums.BackFen - sums.FeeFen)}\r\n");
        await text.WriteAsync("#-----------------------------------------业务汇总列表结束------------------------------------\r\n");
        await text.WriteAsync($"#导出时间：[{Long(clock.NowMs)}]\r\n");
    }

    private async Task<Sums> WriteDetails(ZipArchive zip, string name, string seller, DateOnly day, long untilMs, CancellationToken cancellation)
    {
        var sums = new Sums();
        await using var entry = await zip.CreateEntry(name, CompressionLevel.Fastest).OpenAsync(cancellation);
        await using var text = new StreamWriter(entry, AlipayForm.Gbk, 32 * 1024);
        await text.WriteAsync(Head("#支付宝业务明细查询", seller, day));
        await text.WriteAsync($"{Rule}----------------------------------------\r\n{Columns}\r\n");
        foreach (var (order, refund, reversal) in Rows(seller, day, untilMs))
        {
            var back = refund?.Fen ?? (reversal ? order.ReversedFen : 0);
            var fen = back > 0 ? -back : order.Fen;
            var fee = Math.Sign(fen) * ((Math.Abs(fen) * 6) + 500) / 1000;
            sums.Add(back, order.Fen, fee);
            await text.WriteAsync(Row(order, refund, fen, fee, refund?.EndedAt ?? (reversal ? order.RevokedAt : order.ChargedAt)));
        }

        await text.WriteAsync($"{Rule}结束------------------------------------\r\n");
        await text.WriteAsync($"#交易合计：{sums.Paid}笔，商家实收共{AlipayBook.Yuan(sums.PaidFen)}元，商家优惠共0.00元\r\n");
        await text.WriteAsync($"#退款合计：{sums.Refunds}笔，商家实收退款共{AlipayBook.Yuan(-sums.BackFen)}元，商家优惠退款共0.00元\r\n");
        await text.WriteAsync($"#导出时间：[{Long(clock.NowMs)}]\r\n");
        return sums;
    }

    /// <summary>Numbers and words that a spreadsheet would spoil have a tab behind them.</summary>
    private static string Row(Order order, Refund? refund, long fen, long fee, long at)
    {
        var amount = AlipayBook.Yuan(fen);
        var request = fen > 0 ? "" : refund is null ? order.Key.Number : refund.Number[(refund.Number.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        return $"{AlipayBook.TradeNumber(order)}\t,{order.Key.Number}\t,{(fen > 0 ? "交易" : "退款")}\t,{order.Subject.ReplaceLineEndings(" ").Replace(',', '，')},{AlipayBook.Time(order.CreatedAt)},{AlipayBook.Time(at)},\t,\t,\t,{order.Device}\t,**付(158******62),"
            + $"{amount},{amount},0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,{request}\t,{AlipayBook.Yuan(-fee)},0.00,\r\n";
    }

    private static string Head(string title, string seller, DateOnly day) =>
        $"{title}\r\n#账号：[{seller}0156]\r\n#起始日期：[{Date(day)} 00:00:00]   终止日期：[{Date(day.AddDays(1))} 00:00:00]\r\n";

    private static string Date(DateOnly day) => day.ToString("yyyy年MM月dd日", CultureInfo.InvariantCulture);

    private static string Long(long ms) => ChannelClock.Local(ms).ToString("yyyy年MM月dd日 HH:mm:ss", CultureInfo.InvariantCulture);

    private sealed class Sums
    {
        public long Paid { get; private set; }

        public long Refunds { get; private set; }

        public long PaidFen { get; private set; }

        public long BackFen { get; private set; }

        public long FeeFen { get; private set; }

        public void Add(long back, long fen, long fee)
        {
            (Paid, PaidFen) = back > 0 ? (Paid, PaidFen) : (Paid + 1, PaidFen + fen);
            (Refunds, BackFen) = back > 0 ? (Refunds + 1, BackFen + back) : (Refunds, BackFen);
            FeeFen += fee;
        }
    }
}
