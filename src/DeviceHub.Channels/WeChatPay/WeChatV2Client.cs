using System.Net.Http.Headers;
using System.Security.Cryptography;
using DeviceHub.Channels.Http;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.Options;

namespace DeviceHub.Channels.WeChatPay;

/// <summary>
/// Asks version 2 and believes an answer only when it is signed with the account's key, of this merchant, and of this order. An answer has three
/// layers: <c>return_code</c> (was it understood; the refusal is not signed, so it proves nothing), <c>result_code</c>, <c>err_code</c>.
/// </summary>
internal sealed class WeChatV2Client(ChannelHttp http, ChannelAlarms alarms, IOptions<WeChatPayOptions> options, TimeProvider clock)
{
    private static readonly MediaTypeHeaderValue Xml = new("text/xml", "utf-8");

    public ChannelAlarms Alarms => alarms;

    public string? FieldFault(string field, string value) => http.FieldFault(field, value);

    /// <exception cref="AccountFault">Nothing may be sent there.</exception>
    public Uri AddressOf(ChannelAccount account) => WeChatFields.AddressOf(account, http, options.Value);

    /// <summary>A message with what every request has.</summary>
    public static WeChatV2Message Begin(WeChatV2Keys keys) => new WeChatV2Message()
        .Add("appid", keys.ApplicationId)
        .Add("mch_id", keys.MerchantNumber)
        .Add("sub_appid", keys.SubApplicationId)
        .Add("sub_mch_id", keys.SubMerchantNumber)
        .Add("nonce_str", RandomNumberGenerator.GetHexString(32))
        .Add("sign_type", keys.SignType);

    public static HttpRequestMessage Request(Uri address, string path, WeChatV2Message message, WeChatV2Keys keys) =>
        new(HttpMethod.Post, ChannelAddress.Of(address, path)) { Content = new ByteArrayContent(message.Write(keys)) { Headers = { ContentType = Xml } } };

    /// <param name="mutual">With the client certificate.</param>
    /// <param name="table">Of the call's <c>err_code</c>.</param>
    /// <param name="read">What an answer of <c>result_code</c> SUCCESS proves; it is ours when this is called.</param>
    public async Task<ChannelVerdict> Call(
        EffectKind call, ChannelReference order, string path, bool mutual, VerdictTable table, Func<WeChatV2Keys, WeChatV2Message> write,
        Func<WeChatV2Message, ChannelVerdict> read, CancellationToken cancellationToken)
    {
        WeChatV2Keys keys;
        Uri address;
        try
        {
            address = AddressOf(order.Account);
            keys = WeChatV2Keys.Of(order.Account);

            // What could not be undone is not begun.
            if ((mutual || call == EffectKind.Pay) && keys.CertificateFault(clock.GetUtcNow()) is { } fault)
            {
                throw new AccountFault(fault);
            }
        }
        catch (AccountFault e)
        {
            return alarms.UnusableAccount(order.Account, call, e.Message);
        }

        var request = Request(address, path, write(keys), keys);
        var answer = await (mutual ? http.Send(request, order.Account, keys.Certificate, cancellationToken) : http.Send(request, cancellationToken));
        return answer.Verdict(call) ?? Read(call, order, keys, answer, table, read);
    }

    private ChannelVerdict Read(
        EffectKind call, ChannelReference order, WeChatV2Keys keys, HttpAnswer answer, VerdictTable table, Func<WeChatV2Message, ChannelVerdict> read)
    {
        var account = order.Account;
        if (answer.Status != 200)
        {
            return alarms.WrongAnswer(account, call, $"http{answer.Status}");
        }

        if (WeChatV2Message.Read(answer.Body) is not { } message)
        {
            return alarms.WrongAnswer(account, call, "garbage");
        }

        if (message["return_code"] != "SUCCESS")
        {
            // Of a wrong key too: it cannot be signed for us then.
            return alarms.WrongAnswer(account, call, "return-fail") with { Text = ChannelAlarms.Words(message["return_msg"]) };
        }

        if (!message.IsSigned(keys))
        {
            return alarms.BadSignature(account, message["sign"] is null ? "no signature" : "another signature");
        }

        if (message["mch_id"] != keys.MerchantNumber || IsOther(message["appid"], keys.ApplicationId) || IsOther(message["sub_mch_id"], keys.SubMerchantNumber))
        {
            return alarms.WrongAnswer(account, call, "other-merchant");
        }

        if (IsOther(message["out_trade_no"], order.OrderNumber))
        {
            return alarms.WrongAnswer(account, call, "other-order");
        }

        return message["result_code"] switch
        {
            "SUCCESS" => read(message),
            "FAIL" when message["err_code"] is { } code => alarms.Judge(account, call, table, code),
            _ => alarms.WrongAnswer(account, call, "garbage"),
        };
    }

    private static bool IsOther(string? answered, string? asked) => answered is not null && answered != asked;
}
