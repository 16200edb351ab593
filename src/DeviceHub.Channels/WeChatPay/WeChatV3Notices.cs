using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;

namespace DeviceHub.Channels.WeChatPay;

/// <summary>Payments and refunds as version 3 tells them: signed by WeChat Pay, with a time, and encrypted with the account's key.</summary>
internal sealed class WeChatV3Notices(WeChatV3Client client, ChannelAlarms alarms) : IChannelNotices
{
    public string Name => WeChatV3Channel.ChannelName;

    public NoticeReading Read(ChannelAccount account, NoticeRequest request)
    {
        WeChatV3Keys keys;
        try
        {
            keys = WeChatV3Keys.Of(account);
        }
        catch (AccountFault e)
        {
            return new(null, e.Message);
        }

        if (keys.SignatureFault(request.Headers.GetValueOrDefault, request.Body.Span) is { } fault)
        {
            return new(null, fault);
        }

        if (!client.IsNow(request.Headers.GetValueOrDefault("wechatpay-timestamp"), request.ReceivedAt))
        {
            return new(null, "too old, or from the future: replayed, or a clock is wrong");
        }

        if (WeChatV3Json.Read(request.Body.Span, WeChatV3Json.Default.WeChatV3Notice) is not { EventType: { } kind, Resource: { Algorithm: "AEAD_AES_256_GCM", Ciphertext: { } text, Nonce: { } nonce } resource })
        {
            return new(null, "not a notice");
        }

        if (keys.Open(text, nonce, resource.AssociatedData) is not { } plain)
        {
            return new(null, "not encrypted with the account's key");
        }

        return kind.StartsWith("TRANSACTION.", StringComparison.Ordinal) ? Payment(account, keys, plain)
            : kind.StartsWith("REFUND.", StringComparison.Ordinal) ? Refund(account, keys, plain)
            : new(null, "of another kind of event");
    }

    public NoticeReply Reply(bool taken) => taken
        ? new(200, "application/json", """{"code":"SUCCESS","message":"OK"}""")
        : new(500, "application/json", """{"code":"FAIL","message":"not taken"}""");

    private NoticeReading Payment(ChannelAccount account, WeChatV3Keys keys, byte[] plain)
    {
        if (WeChatV3Json.Read(plain, WeChatV3Json.Default.WeChatV3Order) is not { OutTradeNo: { } order, TradeState: { } state, Amount.Total: { } total } o)
        {
            return new(null, "a field is missing or wrong");
        }

        return IsOther(keys, o.Mchid, o.SpMchid, o.SubMchid)
            ? new(null, "of another merchant")
            : new(new ChannelNotice(order, null, alarms.Judge(account, EffectKind.Query, WeChatCodes.TradeState, state) with { Transaction = o.TransactionId, PaidFen = total }), null);
    }

    private NoticeReading Refund(ChannelAccount account, WeChatV3Keys keys, byte[] plain)
    {
        if (WeChatV3Json.Read(plain, WeChatV3Json.Default.WeChatV3Refund) is not { OutTradeNo: { } order, OutRefundNo: { } refund, RefundStatus: { } status } r)
        {
            return new(null, "a field is missing or wrong");
        }

        return IsOther(keys, r.Mchid, r.SpMchid, r.SubMchid)
            ? new(null, "of another merchant")
            : new(new ChannelNotice(order, refund, alarms.Judge(account, EffectKind.QueryRefund, WeChatCodes.RefundState, status) with { Transaction = r.RefundId }), null);
    }

    private static bool IsOther(WeChatV3Keys keys, string? mchid, string? spMchid, string? subMchid) =>
        keys.SubMerchantNumber is { } sub ? spMchid != keys.MerchantNumber || subMchid != sub : mchid != keys.MerchantNumber;
}
