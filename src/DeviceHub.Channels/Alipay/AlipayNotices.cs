using System.Text;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;

namespace DeviceHub.Channels.Alipay;

/// <summary>Alipay's asynchronous notices: a form, signed over its decoded values.</summary>
internal sealed class AlipayNotices : IChannelNotices
{
    /// <summary>A notice has some thirty.</summary>
    private const int MaxFields = 200;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public string Name => AlipayChannel.ChannelName;

    public NoticeReading Read(ChannelAccount account, NoticeRequest request)
    {
        var keys = AlipayKeys.Of(account);
        if (keys.Fault is { } fault)
        {
            return Not(fault);
        }

        if (Form(request.Body.Span) is not { } fields)
        {
            return Not("it is no form, or has a field twice");
        }

        if (!fields.TryGetValue("sign", out var signature) || fields.GetValueOrDefault("sign_type") != "RSA2")
        {
            return Not("it is not signed with RSA2");
        }

        var content = AlipaySigning.Content(fields.Where(f => f.Key != "sign_type"));
        if (!keys.Alipay!.IsSigned(Encoding.UTF8.GetBytes(content), signature))
        {
            return Not("its signature is wrong");
        }

        // One key of Alipay signs for many applications.
        if (fields.GetValueOrDefault("app_id") != account.Setting(AlipayAccount.AppId))
        {
            return Not("it is for another application");
        }

        return fields.GetValueOrDefault("out_trade_no") is { Length: > 0 and <= 64 } order
            ? new NoticeReading(Notice(order, fields), null)
            : Not("it names no order");
    }

    public NoticeReply Reply(bool taken) => new(200, "text/plain; charset=utf-8", taken ? "success" : "failure");

    private static ChannelNotice Notice(string order, Dictionary<string, string> fields)
    {
        var refund = fields.GetValueOrDefault("out_biz_no") is { Length: > 0 and <= 64 } number ? number : null;
        if (refund is not null)
        {
            return new ChannelNotice(order, refund, new ChannelVerdict(Verdict.Refunded, "refund", "money went back"));
        }

        var status = fields.GetValueOrDefault("trade_status", "");
        var verdict = AlipayCodes.Query.Find(status) is { } row && status.Length > 0
            ? new ChannelVerdict(row.Verdict, row.Code, row.Says)
            : new ChannelVerdict(Verdict.Unknown, ChannelAlarms.Shown(status), "in no table");
        return new ChannelNotice(order, null, verdict.Verdict == Verdict.Approved && AlipayChannel.Read(fields, "total_amount", out var total)
            ? AlipayChannel.WithMoney(verdict, fields, total)
            : verdict);
    }

    private static NoticeReading Not(string fault) => new(null, fault);

    /// <summary>Null: it is no form of UTF-8 texts with each name once.</summary>
    private static Dictionary<string, string>? Form(ReadOnlySpan<byte> body)
    {
        try
        {
            var fields = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var pair in Strict.GetString(body).Split('&', MaxFields + 1))
            {
                var equals = pair.IndexOf('=', StringComparison.Ordinal);
                if (equals <= 0 || fields.Count == MaxFields || !fields.TryAdd(Decode(pair[..equals]), Decode(pair[(equals + 1)..])))
                {
                    return null;
                }
            }

            return fields;
        }
        catch (ArgumentException)
        {
            return null;
        }

        static string Decode(string text)
        {
            var bytes = System.Net.WebUtility.UrlDecodeToBytes(Encoding.UTF8.GetBytes(text), 0, Encoding.UTF8.GetByteCount(text));
            return Strict.GetString(bytes);
        }
    }
}
