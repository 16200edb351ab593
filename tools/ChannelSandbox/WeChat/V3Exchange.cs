using System.Globalization;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using DeviceHub.Tools.ChannelSandbox.Faults;
using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Http;

namespace DeviceHub.Tools.ChannelSandbox.WeChat;

/// <summary>A v3 request, and the answer that is made of it. Errors are an HTTP status and a code; every answer is signed by the platform.</summary>
internal sealed class V3Exchange(Call call, WeChatBook book, ChannelClock clock)
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [ThreadStatic]
    private static Utf8JsonWriter? writer;

    public Call Call => call;

    public Merchant? Merchant { get; set; }

    /// <summary>Whose orders.</summary>
    public string Scope { get; set; } = "";

    /// <summary>Under a service provider: the sub-merchant's number.</summary>
    public string? SubMerchant { get; set; }

    /// <summary>The paths of service providers.</summary>
    public bool IsPartner { get; init; }

    /// <summary>The fault with WeChat's code; it also decides how the answer travels.</summary>
    public Fault? Plan(Fault? fault) => call.Fault = WeChatCodes.V3.Resolve(fault);

    public void Refuse(string code, string? more = null)
    {
        var known = WeChatCodes.V3[code];
        call.Status = known.Status;
        var json = Begin();
        json.WriteStartObject();
        json.WriteString("code"u8, known.Code);
        json.WriteString("message"u8, string.IsNullOrEmpty(more) ? known.Text : $"{known.Text}: {more}");
        if (code == "PARAM_ERROR" && more is not null)
        {
            json.WriteStartObject("detail"u8);
            json.WriteString("field"u8, more);
            json.WriteString("issue"u8, "invalid or missing");
            json.WriteString("location"u8, "body");
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.Flush();
    }

    /// <summary>Of the answer; flush it.</summary>
    public Utf8JsonWriter Begin()
    {
        call.Reply.Clear();
        if (writer is null)
        {
            return writer = new Utf8JsonWriter(call.Reply, WriterOptions);
        }

        writer.Reset(call.Reply);
        return writer;
    }

    public void WriteOwners(Utf8JsonWriter json, Order order)
    {
        if (IsPartner)
        {
            json.WriteString("sp_appid"u8, order.Application);
            json.WriteString("sp_mchid"u8, Merchant!.MchId);
            json.WriteString("sub_mchid"u8, SubMerchant);
        }
        else
        {
            json.WriteString("appid"u8, order.Application);
            json.WriteString("mchid"u8, Merchant!.MchId);
        }
    }

    /// <summary>Signs what is in the answer, over the second, a nonce and the exact bytes.</summary>
    public void Seal()
    {
        var headers = call.Context.Response.Headers;
        headers["Request-ID"] = call.Context.TraceIdentifier;
        if (call.LacksSignature || call.Stream is not null)
        {
            return;
        }

        var timestamp = (clock.NowMs / 1000).ToString(CultureInfo.InvariantCulture);
        var nonce = Guid.NewGuid().ToString("N");
        var draft = Draft.Rent();
        draft.Add(timestamp);
        draft.Add((byte)'\n');
        draft.Add(nonce);
        draft.Add((byte)'\n');
        draft.Add(call.Reply.Written);
        draft.Add((byte)'\n');
        if (call.SpoilsSignature)
        {
            draft.Written[0] ^= 1;
        }

        headers["Wechatpay-Timestamp"] = timestamp;
        headers["Wechatpay-Nonce"] = nonce;
        headers["Wechatpay-Signature"] = book.Key.Sign(draft.Written);
        headers["Wechatpay-Signature-Type"] = "WECHATPAY2-SHA256-RSA2048";
        headers["Wechatpay-Serial"] = Serial();
        draft.Return();
    }

    /// <summary>Who verifies with the certificate says so by naming its serial number; everyone else gets the public key's id.</summary>
    private string Serial()
    {
        var asked = call.Request.Headers["Wechatpay-Serial"].ToString();
        return string.Equals(asked, book.CertificateSerial, StringComparison.OrdinalIgnoreCase) || call.Request.Path == "/v3/certificates" ? book.CertificateSerial : book.PublicKeyId;
    }

    /// <summary>AES-256-GCM as v3 has it: nonce of 12 characters, the tag after the text, base64.</summary>
    public static string Encrypt(string apiV3Key, string nonce, string associated, ReadOnlySpan<byte> plain)
    {
        using var aes = new AesGcm(System.Text.Encoding.UTF8.GetBytes(apiV3Key), 16);
        var sealedBytes = new byte[plain.Length + 16];
        aes.Encrypt(System.Text.Encoding.UTF8.GetBytes(nonce), plain, sealedBytes.AsSpan(0, plain.Length), sealedBytes.AsSpan(plain.Length), System.Text.Encoding.UTF8.GetBytes(associated));
        return Convert.ToBase64String(sealedBytes);
    }
}
