using System.Globalization;
using System.IO.Compression;
using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Http;

namespace DeviceHub.Tools.ChannelSandbox.WeChat;

/// <summary>Which rows a bill has.</summary>
/// <param name="Scope">A merchant's orders, or with <paramref name="AllSubMerchants"/> those of everyone under it.</param>
/// <param name="UntilMs">What came later is not in it, so that a bill that was announced does not change.</param>
internal sealed record BillOf(string Scope, bool AllSubMerchants, DateOnly Day, string Kind, long UntilMs)
{
    public bool Has(Order order, long at) => at != 0 && at <= UntilMs && ChannelClock.Day(at) == Day && Owns(order.Key);

    private bool Owns(OrderKey key) => key.Channel == Channel.WeChat
        && (AllSubMerchants ? key.Merchant.StartsWith(Scope, StringComparison.Ordinal) && key.Merchant.Length > Scope.Length && key.Merchant[Scope.Length] == '/' : key.Merchant == Scope);
}

/// <summary>
/// WeChat's bill of a day: a header, a row for every payment, refund and reversal, each value after a backtick, and two lines of totals. A
/// comma inside of a value is not escaped.
/// </summary>
internal static class WeChatBill
{
    private const string Start = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额";
    private const string RefundColumns = ",微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态";
    private const string End = ",商品名称,商户数据包,手续费,费率,订单金额";
    private const string Totals = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n";
    private const int PageBytes = 32 * 1024;

    private static readonly string[] Kinds = ["ALL", "SUCCESS", "REFUND"];

    public static void AnswerV2(V2Exchange exchange, Bank.Bank bank, ChannelClock clock, SandboxOptions options)
    {
        var fields = exchange.Fields;
        var kind = fields.Text("bill_type"u8) ?? "ALL";
        if (!DateOnly.TryParseExact(fields.Text("bill_date"u8), "yyyyMMdd", out var day) || !Kinds.Contains(kind) || IsTooEarly(day, clock, options))
        {
            exchange.RefuseBill("invalid bill_date or bill_type", "20001");
            return;
        }

        var mchId = exchange.Merchant.MchId;
        var sub = fields.Text("sub_mch_id"u8);
        var bill = new BillOf(sub is null ? mchId : $"{mchId}/{sub}", exchange.Merchant.IsPartner && sub is null, day, kind, clock.NowMs);
        if (!Rows(bank, bill).Any())
        {
            exchange.RefuseBill("No Bill Exist", "20002");
            return;
        }

        var gzip = fields["tar_type"u8].SequenceEqual("GZIP"u8);
        exchange.Call.ContentType = gzip ? "application/x-gzip" : "text/plain; charset=utf-8";
        exchange.Call.Stream = (stream, cancellation) => Send(bank, bill, bom: true, gzip, stream, cancellation);
    }

    public static bool IsTooEarly(DateOnly day, ChannelClock clock, SandboxOptions options)
    {
        var today = ChannelClock.Day(clock.NowMs);
        return options.BillToday ? day > today : day >= today;
    }

    public static async Task Send(Bank.Bank bank, BillOf bill, bool bom, bool gzip, Stream stream, CancellationToken cancellation)
    {
        if (!gzip)
        {
            await Write(bank, bill, bom, stream, cancellation);
            return;
        }

        await using var zipped = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true);
        await Write(bank, bill, bom, zipped, cancellation);
    }

    /// <summary>The rows of a day: an order as a payment, then what was paid back of it.</summary>
    public static IEnumerable<(Order Order, Refund? Refund, bool Reversal)> Rows(Bank.Bank bank, BillOf bill)
    {
        foreach (var order in bank.Page(0, int.MaxValue))
        {
            if (bill.Kind != "REFUND" && bill.Has(order, order.ChargedAt))
            {
                yield return (order, null, false);
            }

            if (bill.Kind == "SUCCESS")
            {
                continue;
            }

            foreach (var refund in order.Refunds)
            {
                if (bill.Has(order, refund.At))
                {
                    yield return (order, refund, false);
                }
            }

            if (order.ReversedFen > 0 && bill.Has(order, order.RevokedAt))
            {
                yield return (order, null, true);
            }
        }
    }

    public static async Task Write(Bank.Bank bank, BillOf bill, bool bom, Stream stream, CancellationToken cancellation)
    {
        var draft = Draft.Rent();
        if (bom)
        {
            draft.Add("\uFEFF"u8);
        }

        var refunds = bill.Kind != "SUCCESS";
        draft.Add($"{Start}{(bill.Kind == "REFUND" ? ",退款申请时间,退款成功时间" : "")}{(refunds ? RefundColumns : "")}{End}{(refunds ? ",申请退款金额" : "")},费率备注\r\n");
        var (count, charged, paidBack, fees) = (0L, 0L, 0L, 0L);
        foreach (var (order, refund, reversal) in Rows(bank, bill))
        {
            var back = refund?.Fen ?? (reversal ? order.ReversedFen : 0);
            var fen = back == 0 ? order.Fen : 0;
            AddRow(draft, bill, order, refund, fen, back);
            var failed = refund is { State: RefundState.Failed };
            (count, charged, paidBack, fees) = (count + 1, charged + fen, paidBack + (failed ? 0 : back), fees + Fee(fen) - (failed ? 0 : Fee(back)));
            if (draft.Length > PageBytes)
            {
                await stream.WriteAsync(draft.WrittenMemory, cancellation);
                draft.Clear();
            }
        }

        draft.Add(Totals);
        draft.Add($"`{count},`{Yuan(charged)},`{Yuan(paidBack)},`0.00,`{Yuan(fees)}000,`{Yuan(charged)},`{Yuan(paidBack)}\r\n");
        await stream.WriteAsync(draft.WrittenMemory, cancellation);
        draft.Return();
    }

    /// <summary>0.6 %, rounded to the fen.</summary>
    public static long Fee(long fen) => ((fen * 6) + 500) / 1000;

    public static string Yuan(long fen) => string.Create(CultureInfo.InvariantCulture, $"{(fen < 0 ? "-" : "")}{Math.Abs(fen) / 100}.{Math.Abs(fen) % 100:d2}");

    private static void AddRow(Draft draft, BillOf bill, Order order, Refund? refund, long fen, long back)
    {
        var at = refund?.At ?? (back > 0 ? order.RevokedAt : order.ChargedAt);
        var slash = order.Key.Merchant.IndexOf('/', StringComparison.Ordinal);
        var state = back == 0 ? "SUCCESS" : refund is null ? "REVOKED" : "REFUND";
        draft.Add($"`{Time(at)},`{order.Application},`{(slash < 0 ? order.Key.Merchant : order.Key.Merchant[..slash])},`{(slash < 0 ? "0" : order.Key.Merchant[(slash + 1)..])}");
        draft.Add($",`{order.Device},`{WeChatBook.TransactionId(order)},`{order.Key.Number},`{WeChatBook.OpenId(order)},`MICROPAY,`{state},`OTHERS,`CNY,`{Yuan(fen)},`0.00");
        if (bill.Kind == "REFUND")
        {
            draft.Add($",`{Time(at)},`{(refund is { State: not RefundState.Done } ? "" : Time(at))}");
        }

        if (bill.Kind != "SUCCESS")
        {
            var status = back == 0 ? "" : refund?.State switch { RefundState.Processing => "PROCESSING", RefundState.Failed => "FAIL", _ => "SUCCESS" };
            var id = back == 0 ? "0" : refund is null ? $"5030000{ChannelClock.Local(at):yyyyMMdd}{order.Sequence:d13}" : WeChatBook.RefundId(refund);
            draft.Add($",`{id},`{(back == 0 ? "0" : refund?.Number ?? order.Key.Number)},`{Yuan(back)},`0.00,`{(back == 0 ? "" : "ORIGINAL")},`{status}");
        }

        draft.Add($",`{OneLine(order.Subject)},`{OneLine(order.Attach)},`{(back == 0 ? Yuan(Fee(fen)) : "-" + Yuan(Fee(back)))}000,`0.60%,`{Yuan(fen)}");
        draft.Add(bill.Kind == "SUCCESS" ? ",`\r\n" : $",`{Yuan(back)},`\r\n");
    }

    private static string Time(long ms) => ChannelClock.Local(ms).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    private static string? OneLine(string? text) => text?.ReplaceLineEndings(" ");
}
