using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Http;

namespace DeviceHub.Tools.ChannelSandbox.WeChat;

/// <summary>v3's bills, which are announced with a digest and fetched by a token, and the list of platform certificates.</summary>
internal sealed class WeChatV3Bills(WeChatBook book, Bank.Bank bank, ChannelClock clock, SandboxOptions options)
{
    private static readonly string[] Kinds = ["ALL", "SUCCESS", "REFUND"];

    public void Answer(V3Exchange exchange)
    {
        if (exchange.Call.Request.Path == "/v3/bill/tradebill")
        {
            Announce(exchange);
        }
        else
        {
            Send(exchange);
        }
    }

    public void Certificates(V3Exchange exchange)
    {
        const string associated = "certificate";
        var nonce = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
        using var certificate = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(book.Certificate);
        var json = exchange.Begin();
        json.WriteStartObject();
        json.WriteStartArray("data"u8);
        json.WriteStartObject();
        json.WriteString("serial_no"u8, book.CertificateSerial);
        json.WriteString("effective_time"u8, V3Json.Time(new DateTimeOffset(certificate.NotBefore).ToUnixTimeMilliseconds()));
        json.WriteString("expire_time"u8, V3Json.Time(new DateTimeOffset(certificate.NotAfter).ToUnixTimeMilliseconds()));
        json.WriteStartObject("encrypt_certificate"u8);
        json.WriteString("algorithm"u8, "AEAD_AES_256_GCM"u8);
        json.WriteString("nonce"u8, nonce);
        json.WriteString("associated_data"u8, associated);
        json.WriteString("ciphertext"u8, V3Exchange.Encrypt(exchange.Merchant!.Account.ApiV3Key, nonce, associated, Encoding.UTF8.GetBytes(book.Certificate)));
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
    }

    private void Announce(V3Exchange exchange)
    {
        var query = exchange.Call.Request.Query;
        var kind = query["bill_type"].FirstOrDefault() ?? "ALL";
        var tar = query["tar_type"].FirstOrDefault();
        var sub = query["sub_mchid"].FirstOrDefault();
        if (!DateOnly.TryParseExact(query["bill_date"].FirstOrDefault(), "yyyy-MM-dd", out var day) || !Kinds.Contains(kind) || tar is not (null or "" or "GZIP"))
        {
            exchange.Refuse("PARAM_ERROR", "bill_date, bill_type, tar_type");
            return;
        }

        if (WeChatBill.IsTooEarly(day, clock, options))
        {
            exchange.Refuse("STATEMENT_CREATING");
            return;
        }

        var merchant = exchange.Merchant!;
        var bill = new BillOf(sub is null ? merchant.MchId : $"{merchant.MchId}/{sub}", merchant.IsPartner && sub is null, day, kind, clock.NowMs);
        if (!WeChatBill.Rows(bank, bill).Any())
        {
            exchange.Refuse("NO_STATEMENT_EXIST");
            return;
        }

        var token = Token(bill, tar == "GZIP");
        var request = exchange.Call.Request;
        var json = exchange.Begin();
        json.WriteStartObject();
        json.WriteString("hash_type"u8, "SHA1"u8);
        json.WriteString("hash_value"u8, Digest(bill));
        json.WriteString("download_url"u8, $"{request.Scheme}://{request.Host}/v3/billdownload/file?token={token}");
        json.WriteEndObject();
        json.Flush();
    }

    /// <summary>Over the bill itself, not over its compressed form.</summary>
    private string Digest(BillOf bill)
    {
        using var sha = SHA1.Create();
        using (var stream = new CryptoStream(Stream.Null, sha, CryptoStreamMode.Write))
        {
            WeChatBill.Write(bank, bill, bom: false, stream, CancellationToken.None).GetAwaiter().GetResult();
        }

        return Convert.ToHexStringLower(sha.Hash!);
    }

    private void Send(V3Exchange exchange)
    {
        if (Untoken(exchange.Call.Request.Query["token"].FirstOrDefault()) is not var (bill, gzip)
            || (bill.Scope != exchange.Merchant!.MchId && !bill.Scope.StartsWith(exchange.Merchant.MchId + "/", StringComparison.Ordinal)))
        {
            exchange.Refuse("PARAM_ERROR", "token");
            return;
        }

        exchange.Call.ContentType = gzip ? "application/x-gzip" : "text/plain";
        exchange.Call.Stream = (stream, cancellation) => WeChatBill.Send(bank, bill, bom: false, gzip, stream, cancellation);
    }

    private static string Token(BillOf bill, bool gzip) => System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(
        string.Create(CultureInfo.InvariantCulture, $"{bill.Scope}|{bill.AllSubMerchants}|{bill.Day:yyyy-MM-dd}|{bill.Kind}|{bill.UntilMs}|{gzip}")));

    private static (BillOf Bill, bool Gzip)? Untoken(string? token)
    {
        if (token is null || !System.Buffers.Text.Base64Url.IsValid(token))
        {
            return null;
        }

        var parts = Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(token)).Split('|');
        return parts.Length == 6 && bool.TryParse(parts[1], out var all) && DateOnly.TryParseExact(parts[2], "yyyy-MM-dd", out var day)
            && long.TryParse(parts[4], out var until) && bool.TryParse(parts[5], out var gzip)
            ? (new BillOf(parts[0], all, day, parts[3], until), gzip) : null;
    }
}
