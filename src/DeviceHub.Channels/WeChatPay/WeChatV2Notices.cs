using System.Security.Cryptography;
using System.Text;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;

namespace DeviceHub.Channels.WeChatPay;

/// <summary>
/// What became of a refund. Version 2 sends no notice of a payment by code. The notice is not signed; what counts is encrypted
/// with a key that is made of the API key (AES-256-ECB), and is no more than a reason to ask.
/// </summary>
internal sealed class WeChatV2Notices(ChannelAlarms alarms) : IChannelNotices
{
    private const string Fail = "<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[not taken]]></return_msg></xml>";
    private const string Success = "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>";

    public string Name => WeChatV2Channel.ChannelName;

    public NoticeReading Read(ChannelAccount account, NoticeRequest request)
    {
        WeChatV2Keys keys;
        try
        {
            keys = WeChatV2Keys.Of(account);
        }
        catch (AccountFault e)
        {
            return new(null, e.Message);
        }

        if (WeChatV2Message.Read(request.Body) is not { } outer || outer["return_code"] != "SUCCESS" || outer["req_info"] is not { } sealedInfo)
        {
            return new(null, "not a notice of a refund");
        }

        if (outer["mch_id"] != keys.MerchantNumber || outer["appid"] is { } application && application != keys.ApplicationId)
        {
            return new(null, "of another merchant");
        }

        if (Open(sealedInfo, keys.ApiKey) is not { } plain || WeChatV2Message.Read(plain, "root") is not { } inner)
        {
            return new(null, "not encrypted with the account's key");
        }

        return inner["out_trade_no"] is { } order && inner["out_refund_no"] is { } refund && inner["refund_status"] is { } status
            ? new(new ChannelNotice(order, refund, alarms.Judge(account, EffectKind.QueryRefund, WeChatCodes.RefundState, status) with { Transaction = inner["refund_id"] }), null)
            : new(null, "a field is missing or wrong");
    }

    public NoticeReply Reply(bool taken) => new(200, "text/xml; charset=utf-8", taken ? Success : Fail);

    /// <summary>Null: it was not encrypted with that key. The AES key is the lower-case hex of the API key's MD5.</summary>
    internal static byte[]? Open(string info, ReadOnlySpan<byte> apiKey)
    {
        try
        {
#pragma warning disable CA5351, CA5358 // The channel's own rule.
            using var aes = Aes.Create();
            aes.Key = Encoding.ASCII.GetBytes(Convert.ToHexStringLower(MD5.HashData(apiKey)));
            return aes.DecryptEcb(Convert.FromBase64String(info), PaddingMode.PKCS7);
#pragma warning restore CA5351, CA5358
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            return null;
        }
    }
}
