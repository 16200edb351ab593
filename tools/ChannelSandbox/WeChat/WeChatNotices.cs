using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using DeviceHub.Tools.ChannelSandbox.Accounts;
using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Http;
using DeviceHub.Tools.ChannelSandbox.Notices;

namespace DeviceHub.Tools.ChannelSandbox.WeChat;

/// <summary>When WeChat tries again: 15 s at first, for a day.</summary>
internal static class WeChatWaits
{
    private static readonly int[] Seconds = [15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10_800, 10_800, 10_800, 21_600, 21_600];

    public static IReadOnlyList<TimeSpan> All { get; } = [.. Seconds.Select(s => TimeSpan.FromSeconds(s))];
}

/// <summary>v2's notices: of a payment an XML with the merchant's signature, of a refund one whose inner part is encrypted with the API key.</summary>
internal sealed class WeChatV2Notices(WeChatBook book) : INoticeWriter
{
    public IReadOnlyList<TimeSpan> Waits => WeChatWaits.All;

    public bool Tells(Order order, Refund? refund) => order.Key.Channel == Channel.WeChat && !(refund?.IsV3 ?? order.IsV3);

    public bool IsTaken(int status, string body) =>
        status == 200 && (body.Contains("<return_code><![CDATA[SUCCESS]]></return_code>", StringComparison.Ordinal) || body.Contains("<return_code>SUCCESS</return_code>", StringComparison.Ordinal));

    public Notice Write(Told told)
    {
        var (mchId, sub) = Split(told.Order.Key.Merchant);
        var merchant = book.Find(mchId)!;
        var key = told.Forged ? Encoding.ASCII.GetBytes(new string('f', 32)) : merchant.ApiKey;
        var fields = new FieldSet();
        fields.Add("return_code"u8, "SUCCESS"u8);
        fields.Add("appid"u8, told.Order.Application);
        fields.Add("mch_id"u8, mchId);
        fields.Add("sub_mch_id"u8, sub);
        fields.Add("nonce_str"u8, Guid.NewGuid().ToString("N"));
        if (told.Refund is { } refund)
        {
            fields.Add("req_info"u8, Encrypt(Inner(told, refund), key));
        }
        else
        {
            fields.Add("result_code"u8, "SUCCESS"u8);
            WeChatV2Replies.Money(fields, told.Order, told.MoreFen);
            Span<byte> hex = stackalloc byte[64];
            fields.Add("sign"u8, hex[..fields.Sign(key, hmac: false, hex)].ToArray());
        }

        return new("text/xml", Xml(fields, "xml"u8));
    }

    public static (string MchId, string? Sub) Split(string merchant) => merchant.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash ? (merchant[..slash], merchant[(slash + 1)..]) : (merchant, null);

    private static byte[] Inner(Told told, Refund refund)
    {
        var fields = new FieldSet();
        fields.Add("out_refund_no"u8, refund.Number);
        fields.Add("out_trade_no"u8, told.Order.Key.Number);
        fields.Add("refund_account"u8, "REFUND_SOURCE_RECHARGE_FUNDS"u8);
        fields.Add("refund_fee"u8, refund.Fen + told.MoreFen);
        fields.Add("refund_id"u8, WeChatBook.RefundId(refund));
        fields.Add("refund_recv_accout"u8, "支付用户零钱"u8);
        fields.Add("refund_request_source"u8, "API"u8);
        fields.Add("refund_status"u8, refund.State == RefundState.Done ? "SUCCESS"u8 : "REFUNDCLOSE"u8);
        fields.Add("settlement_refund_fee"u8, refund.Fen + told.MoreFen);
        fields.Add("settlement_total_fee"u8, told.Order.Fen);
        fields.Add("success_time"u8, ChannelClock.Local(refund.EndedAt).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture));
        fields.Add("total_fee"u8, told.Order.Fen);
        fields.Add("transaction_id"u8, WeChatBook.TransactionId(told.Order));
        return Xml(fields, "root"u8);
    }

    private static byte[] Xml(FieldSet fields, ReadOnlySpan<byte> root)
    {
        var draft = Draft.Rent();
        fields.WriteXml(draft, root);
        var bytes = draft.Written.ToArray();
        draft.Return();
        return bytes;
    }

    /// <summary>AES-256 without chaining, under the lower-case MD5 of the API key.</summary>
    private static string Encrypt(byte[] plain, byte[] apiKey)
    {
        using var aes = Aes.Create();
        aes.Key = Encoding.ASCII.GetBytes(Convert.ToHexStringLower(MD5.HashData(apiKey)));
        return Convert.ToBase64String(aes.EncryptEcb(plain, PaddingMode.PKCS7));
    }
}

/// <summary>v3's notices: the transaction or refund encrypted with the merchant's v3 key, in JSON, signed by the platform.</summary>
internal sealed class WeChatV3Notices(WeChatBook book, ChannelClock clock) : INoticeWriter
{
    public IReadOnlyList<TimeSpan> Waits => WeChatWaits.All;

    public bool Tells(Order order, Refund? refund) => order.Key.Channel == Channel.WeChat && (refund?.IsV3 ?? order.IsV3);

    public bool IsTaken(int status, string body) => status is 200 or 204;

    public Notice Write(Told told)
    {
        var (mchId, sub) = WeChatV2Notices.Split(told.Order.Key.Merchant);
        var kind = told.Refund is null ? "transaction" : "refund";
        var nonce = Guid.NewGuid().ToString("N")[..12];
        var draft = new Draft();
        using (var json = new Utf8JsonWriter(draft))
        {
            json.WriteStartObject();
            json.WriteString("id"u8, Guid.NewGuid().ToString());
            json.WriteString("create_time"u8, V3Json.Time(clock.NowMs));
            json.WriteString("resource_type"u8, "encrypt-resource"u8);
            json.WriteString("event_type"u8, told.Refund is null ? "TRANSACTION.SUCCESS" : told.Refund.State == RefundState.Done ? "REFUND.SUCCESS" : "REFUND.CLOSED");
            json.WriteString("summary"u8, told.Refund is null ? "支付成功" : told.Refund.State == RefundState.Done ? "退款成功" : "退款关闭");
            json.WriteStartObject("resource"u8);
            json.WriteString("original_type"u8, kind);
            json.WriteString("algorithm"u8, "AEAD_AES_256_GCM"u8);
            json.WriteString("ciphertext"u8, V3Exchange.Encrypt(book.Find(mchId)!.Account.ApiV3Key, nonce, kind, Resource(told, mchId, sub)));
            json.WriteString("associated_data"u8, kind);
            json.WriteString("nonce"u8, nonce);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Signed(draft.Written.ToArray(), told.Forged ? KeyPool.Foreign : book.Key);
    }

    private Notice Signed(byte[] body, KeyPool key)
    {
        var timestamp = (clock.NowMs / 1000).ToString(CultureInfo.InvariantCulture);
        var nonce = Guid.NewGuid().ToString("N");
        byte[] signed = [.. Encoding.ASCII.GetBytes($"{timestamp}\n{nonce}\n"), .. body, (byte)'\n'];
        return new("application/json", body, ("Wechatpay-Timestamp", timestamp), ("Wechatpay-Nonce", nonce), ("Wechatpay-Signature", key.Sign(signed)),
            ("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048"), ("Wechatpay-Serial", book.PublicKeyId));
    }

    private static byte[] Resource(Told told, string mchId, string? sub)
    {
        var draft = new Draft();
        using var json = new Utf8JsonWriter(draft);
        json.WriteStartObject();
        json.WriteString(sub is null ? "mchid"u8 : "sp_mchid"u8, mchId);
        if (sub is not null)
        {
            json.WriteString("sub_mchid"u8, sub);
        }

        if (told.Refund is { } refund)
        {
            Refund(json, told, refund);
        }
        else
        {
            json.WriteString(sub is null ? "appid"u8 : "sp_appid"u8, told.Order.Application);
            V3Json.WriteOrder(json, told.Order, sub is not null, told.Order.Fen + told.MoreFen);
        }

        json.WriteEndObject();
        json.Flush();
        return draft.Written.ToArray();
    }

    private static void Refund(Utf8JsonWriter json, Told told, Refund refund)
    {
        json.WriteString("out_trade_no"u8, told.Order.Key.Number);
        json.WriteString("transaction_id"u8, WeChatBook.TransactionId(told.Order));
        json.WriteString("out_refund_no"u8, refund.Number);
        json.WriteString("refund_id"u8, WeChatBook.RefundId(refund));
        json.WriteString("refund_status"u8, V3Json.StatusOf(refund));
        json.WriteString("success_time"u8, V3Json.Time(refund.EndedAt));
        json.WriteString("user_received_account"u8, "支付用户零钱"u8);
        json.WriteStartObject("amount"u8);
        json.WriteNumber("total"u8, told.Order.Fen);
        json.WriteNumber("refund"u8, refund.Fen + told.MoreFen);
        json.WriteNumber("payer_total"u8, told.Order.Fen);
        json.WriteNumber("payer_refund"u8, refund.Fen + told.MoreFen);
        json.WriteEndObject();
    }
}
