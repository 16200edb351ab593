using System.Security.Cryptography;
using System.Text;
using DeviceHub.Channels;
using DeviceHub.Channels.Alipay;
using DeviceHub.Channels.Http;
using DeviceHub.Core;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace DeviceHub.UnitTests.Channels.Alipay;

/// <summary>The channel over an Alipay that answers what a test says, signed with its own key, and refuses a request whose signature is wrong.</summary>
internal sealed class AlipayStub
{
    public const string AppId = "2021000000000001";
    public const string Order = "d0199abcdef01234567890123456789";
    public const long Amount = 1234;

    public static readonly RSA ApplicationKey = RSA.Create(2048);
    public static readonly RSA AlipayKey = RSA.Create(2048);

    public AlipayStub(Func<string, string>? answer = null, Func<ScriptedRequest, HttpResponseMessage>? raw = null)
    {
        Handler = new ScriptedHandler(raw ?? (request => ScriptedHandler.Bytes(Encoding.UTF8.GetBytes(Envelope(request, answer!)))));
        var http = new ChannelHttp(new ChannelHttpOptions { AllowedHosts = ["pay.bank.example"] }, Clock, _ => Handler);
        var options = Options.Create(new AlipayOptions { Url = new Uri("http://127.0.0.1:9/gateway.do") });
        var alarms = new ChannelAlarms(NullLogger<ChannelAlarms>.Instance, Clock);
        var client = new AlipayClient(http, alarms, new NoticeAddress(new Uri("https://hub.example.com/")), options, Clock);
        Channel = new AlipayChannel(client, alarms, Clock);
        Notices = new AlipayNotices();
        Bills = new AlipayBills(client, http);
    }

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 11, 25, 16, 30, 0, TimeSpan.Zero));

    public ScriptedHandler Handler { get; }

    public AlipayChannel Channel { get; }

    public AlipayNotices Notices { get; }

    public AlipayBills Bills { get; }

    public ChannelAccount Account { get; init; } = NewAccount();

    public ChannelReference Reference => new(Order, Account, Amount);

    public static ChannelAccount NewAccount(string? without = null, params (string Name, string Value)[] more)
    {
        var settings = new Dictionary<string, string> { ["appId"] = AppId, ["alipayPublicKey"] = AlipayKey.ExportSubjectPublicKeyInfoPem() };
        var secrets = new Dictionary<string, SecretText> { ["privateKey"] = new(ApplicationKey.ExportPkcs8PrivateKeyPem()) };
        foreach (var (name, value) in more)
        {
            if (name is "appAuthToken" or "privateKey")
            {
                secrets[name] = new SecretText(value);
            }
            else
            {
                settings[name] = value;
            }
        }

        settings.Remove(without ?? "");
        secrets.Remove(without ?? "");
        return new ChannelAccount { Id = "a1", MerchantId = "m1", Channel = "alipay", Settings = settings, Secrets = secrets };
    }

    public Task<ChannelVerdict> Pay(string subject = "七 Eleven/A=1&b,c", TimeSpan? life = null) => Channel.Pay(
        new ChannelPayment(Reference, new PaymentCode("287634438256643949"), Wallet.Alipay, subject, "SN0001", Clock.GetUtcNow() + (life ?? TimeSpan.FromSeconds(185))),
        TestContext.Current.CancellationToken);

    /// <summary>Address and form as the gateway reads them: decoded, each name once.</summary>
    public static Dictionary<string, string> Form(ScriptedRequest request) =>
        $"{request.Address.Query.TrimStart('?')}&{Encoding.UTF8.GetString(request.Body)}".Split('&').Select(p => p.Split('='))
            .ToDictionary(p => Uri.UnescapeDataString(p[0]), p => Uri.UnescapeDataString(p[1].Replace('+', ' ')));

    public static string Sign(string text) => Convert.ToBase64String(AlipayKey.SignData(Encoding.UTF8.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

    /// <summary>A paid order's answer to a payment, with what a test wants to be otherwise.</summary>
    public static string Paid(string order = Order, string total = "12.34", string more = "") =>
        $$"""{"code":"10000","msg":"Success","trade_no":"2026112522001","out_trade_no":"{{order}}","buyer_logon_id":"185***8888","total_amount":"{{total}}"{{more}}}""";

    public static string Failed(string code, string subCode) => $$"""{"code":"{{code}}","msg":"Business Failed","sub_code":"{{subCode}}","sub_msg":"文字不算数，交易成功"}""";

    private static string Envelope(ScriptedRequest request, Func<string, string> answer)
    {
        var form = Form(request);
        var content = string.Join('&', form.Where(p => p.Key != "sign" && p.Value.Length > 0).OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => p.Key + "=" + p.Value));
        var ours = ApplicationKey.VerifyData(Encoding.UTF8.GetBytes(content), Convert.FromBase64String(form["sign"]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var text = ours ? answer(form["method"]) : Failed("40002", "isv.invalid-signature");
        return $$"""{"{{form["method"].Replace('.', '_')}}_response":{{text}},"sign":"{{Sign(text)}}"}""";
    }
}
