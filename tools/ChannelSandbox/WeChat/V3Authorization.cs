using System.Globalization;
using DeviceHub.Tools.ChannelSandbox.Bank;
using DeviceHub.Tools.ChannelSandbox.Http;
using Microsoft.AspNetCore.Http.Features;

namespace DeviceHub.Tools.ChannelSandbox.WeChat;

/// <summary>The <c>Authorization</c> header of a v3 request: who signed, when, and with what.</summary>
internal readonly record struct V3Authorization(string MchId, string Nonce, string Timestamp, string Serial, string Signature)
{
    private const string Scheme = "WECHATPAY2-SHA256-RSA2048 ";
    private const int MaxAgeSeconds = 300;

    public static V3Authorization? Parse(string? header)
    {
        if (header is null || !header.StartsWith(Scheme, StringComparison.Ordinal))
        {
            return null;
        }

        var (mchId, nonce, timestamp, serial, signature) = ("", "", "", "", "");
        foreach (var part in header.AsSpan(Scheme.Length).Split(','))
        {
            var pair = header.AsSpan(Scheme.Length)[part].Trim();
            var equals = pair.IndexOf('=');
            if (equals < 1 || pair.Length < equals + 3 || pair[equals + 1] != '"' || pair[^1] != '"')
            {
                return null;
            }

            var value = pair[(equals + 2)..^1].ToString();
            switch (pair[..equals])
            {
                case "mchid":
                    mchId = value;
                    break;
                case "nonce_str":
                    nonce = value;
                    break;
                case "timestamp":
                    timestamp = value;
                    break;
                case "serial_no":
                    serial = value;
                    break;
                case "signature":
                    signature = value;
                    break;
                default:
                    return null;
            }
        }

        return mchId.Length > 0 && nonce.Length is > 0 and <= 128 && timestamp.Length > 0 && serial.Length > 0 && signature.Length > 0
            ? new(mchId, nonce, timestamp, serial, signature) : null;
    }

    /// <summary>Null: it is right; else what is wrong with it.</summary>
    public string? FaultOf(Call call, Merchant merchant, ChannelClock clock)
    {
        if (!long.TryParse(Timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var second) || Math.Abs((clock.NowMs / 1000) - second) > MaxAgeSeconds)
        {
            return "时间戳已过期";
        }

        if (!string.Equals(Serial, merchant.Serial, StringComparison.OrdinalIgnoreCase))
        {
            return "商户证书序列号有误";
        }

        var draft = Draft.Rent();
        draft.Add(call.Request.Method);
        draft.Add((byte)'\n');
        draft.Add(call.Context.Features.Get<IHttpRequestFeature>()!.RawTarget);
        draft.Add((byte)'\n');
        draft.Add(Timestamp);
        draft.Add((byte)'\n');
        draft.Add(Nonce);
        draft.Add((byte)'\n');
        draft.Add(call.Body.Span);
        draft.Add((byte)'\n');
        var good = merchant.Key.Verifies(draft.Written, Signature);
        draft.Return();
        return good ? null : "错误的签名，验签失败";
    }
}
