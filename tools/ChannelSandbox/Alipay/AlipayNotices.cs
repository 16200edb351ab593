using System.Globalization;
using System.Text;
using DeviceHub.Tools.ChannelSandbox.Accounts;
using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Notices;

namespace DeviceHub.Tools.ChannelSandbox.Alipay;

/// <summary>Alipay's notices: a form; signed is everything but <c>sign</c> and <c>sign_type</c>. Taken is what is answered with <c>success</c>.</summary>
internal sealed class AlipayNotices(AlipayBook book, ChannelClock clock) : INoticeWriter
{
    public IReadOnlyList<TimeSpan> Waits { get; } =
        [TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(10), TimeSpan.FromHours(1), TimeSpan.FromHours(2), TimeSpan.FromHours(6), TimeSpan.FromHours(15)];

    public bool Tells(Order order, Refund? refund) => order.Key.Channel == Channel.Alipay && refund is null or { State: RefundState.Done };

    public bool IsTaken(int status, string body) => status == 200 && body == "success";

    public Notice Write(Told told)
    {
        var order = told.Order;
        var fields = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["notify_time"] = AlipayBook.Time(clock.NowMs),
            ["notify_type"] = "trade_status_sync",
            ["notify_id"] = Guid.NewGuid().ToString("N"),
            ["app_id"] = order.Application,
            ["auth_app_id"] = order.Application,
            ["charset"] = "utf-8",
            ["version"] = "1.0",
            ["trade_no"] = AlipayBook.TradeNumber(order),
            ["out_trade_no"] = order.Key.Number,
            ["seller_id"] = order.Key.Merchant,
            ["buyer_id"] = AlipayBook.Buyer(order),
            ["buyer_logon_id"] = "158****1562",
            ["trade_status"] = AlipayTrades.StatusOf(order),
            ["total_amount"] = AlipayBook.Yuan(order.Fen + told.MoreFen),
            ["receipt_amount"] = AlipayBook.Yuan(order.Fen + told.MoreFen),
            ["subject"] = order.Subject,
            ["gmt_create"] = AlipayBook.Time(order.CreatedAt),
            ["gmt_payment"] = AlipayBook.Time(order.ChargedAt),
        };
        if (told.Refund is { } refund)
        {
            fields["out_biz_no"] = refund.Number[(refund.Number.IndexOf(' ', StringComparison.Ordinal) + 1)..];
            fields["refund_fee"] = AlipayBook.Yuan(order.RefundedFen + told.MoreFen);
            fields["gmt_refund"] = string.Create(CultureInfo.InvariantCulture, $"{AlipayBook.Time(refund.EndedAt)}.000");
        }

        var signed = Encoding.UTF8.GetBytes(string.Join('&', fields.Select(f => $"{f.Key}={f.Value}")));
        fields["sign_type"] = "RSA2";
        fields["sign"] = (told.Forged ? KeyPool.Foreign : book.Key).Sign(signed);
        return new("application/x-www-form-urlencoded; charset=utf-8", Encoding.ASCII.GetBytes(string.Join('&', fields.Select(f => $"{f.Key}={Uri.EscapeDataString(f.Value)}"))));
    }
}
