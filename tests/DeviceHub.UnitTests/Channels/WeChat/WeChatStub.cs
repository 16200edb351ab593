using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using DeviceHub.Channels;
using DeviceHub.Channels.Http;
using DeviceHub.Channels.WeChatPay;
using DeviceHub.Core;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace DeviceHub.UnitTests.Channels.WeChat;

/// <summary>WeChat Pay as a handler: what was asked is kept, what it answers is the test's.</summary>
internal sealed class WeChatStub : HttpMessageHandler, ILogger<ChannelAlarms>
{
    public const string ApiKey = "0123456789abcdef0123456789abcdef";
    public const string PublicKeyId = "PUB_KEY_ID_0114232134912410000000000000";
    public const string Order = "d019ab12345671f2a3b4c5d6e7f8091";

    public static readonly DateTimeOffset Now = new(2026, 11, 25, 4, 0, 0, TimeSpan.Zero);
    public static readonly RSA Merchant = RSA.Create(2048);
    public static readonly RSA Platform = RSA.Create(2048);
    public static readonly string Certificate = SelfSigned(Merchant, Now.AddYears(-1), Now.AddYears(1)).ExportCertificatePem();

    public WeChatStub()
    {
        var options = Options.Create(Settings);
        Http = new ChannelHttp(new ChannelHttpOptions { AllowedHosts = ["pay.bank.example"] }, Clock, certificate =>
        {
            Certificates.Add(certificate);
            return this;
        });
        var alarms = new ChannelAlarms(this, Clock);
        var notices = new NoticeAddress(new Uri("https://hub.example.com/"));
        var v2 = new WeChatV2Client(Http, alarms, options, Clock);
        var v3 = new WeChatV3Client(Http, alarms, options, Clock);
        (V2, V3) = (new(v2, notices, options, Clock), new(v3, notices, options, Clock));
        (NoticesV2, NoticesV3) = (new(alarms), new(v3, alarms));
        (BillsV2, BillsV3) = (new(Http, v2), new(Http, v3));
    }

    public WeChatPayOptions Settings { get; } = new();

    public FakeTimeProvider Clock { get; } = new(Now);

    public ChannelHttp Http { get; }

    public WeChatV2Channel V2 { get; }

    public WeChatV3Channel V3 { get; }

    public WeChatV2Notices NoticesV2 { get; }

    public WeChatV3Notices NoticesV3 { get; }

    public WeChatV2Bills BillsV2 { get; }

    public WeChatV3Bills BillsV3 { get; }

    /// <summary>Client certificates of the transports that were made; the first is of none.</summary>
    public List<X509Certificate2?> Certificates { get; } = [];

    public List<(HttpRequestMessage Request, byte[] Body)> Asked { get; } = [];

    public List<string> Logged { get; } = [];

    public Func<HttpRequestMessage, byte[], HttpResponseMessage> Answer { get; set; } = (_, _) => throw new InvalidOperationException("nothing was to be asked");

    public string AskedText => Encoding.UTF8.GetString(Assert.Single(Asked).Body);

    public static ChannelAccount AccountV2(string signType = "HMAC-SHA256", string? subMchId = null, params (string Field, string? Value)[] other) => Account(
        "wechat-v2", subMchId, [("signType", signType), ("clientCertificate", Certificate), ("apiKey", ApiKey), ("clientPrivateKey", Merchant.ExportPkcs8PrivateKeyPem()), .. other]);

    public static ChannelAccount AccountV3(string? subMchId = null, params (string Field, string? Value)[] other) => Account(
        "wechat-v3", subMchId,
        [
            ("certificateSerial", "1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C"), ("platformPublicKeyId", PublicKeyId), ("platformPublicKey", Platform.ExportSubjectPublicKeyInfoPem()),
            ("apiV3Key", ApiKey), ("privateKey", Merchant.ExportPkcs8PrivateKeyPem()), .. other,
        ]);

    public static ChannelReference Reference(ChannelAccount account, long amount = 888) => new(Order, account, amount);

    public static ChannelPayment Payment(ChannelAccount account, string subject = "Noodles & <Tea> 面馆") =>
        new(Reference(account), new PaymentCode("134567890123456789"), Wallet.WeChat, subject, "T0000001", Now.AddMinutes(2));

    public static X509Certificate2 SelfSigned(RSA key, DateTimeOffset from, DateTimeOffset to) =>
        new CertificateRequest("CN=1900000109", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(from, to);

    /// <summary>A signed answer of version 2; a null field is left out.</summary>
    public static HttpResponseMessage Xml(string signType, params (string Name, string? Value)[] fields) => new(HttpStatusCode.OK)
    {
        Content = new ByteArrayContent(SignedXml(signType, fields)),
    };

    public static byte[] SignedXml(string signType, params (string Name, string? Value)[] fields)
    {
        var message = new WeChatV2Message().Add("nonce_str", "ibuaiVcKdpRxkhJA");
        foreach (var (name, value) in (IEnumerable<(string, string?)>)
            [("return_code", "SUCCESS"), ("return_msg", "OK"), ("appid", "wx8888888888888888"), ("mch_id", "1900000109"), .. fields])
        {
            message.Add(name, value);
        }

        return message.Write(new WeChatV2Keys(ApiKey, signType == "HMAC-SHA256"));
    }

    /// <summary>A signed answer of version 3.</summary>
    public static HttpResponseMessage Json(string body, int status = 200, DateTimeOffset? at = null, RSA? signer = null, string serial = PublicKeyId)
    {
        var response = new HttpResponseMessage((HttpStatusCode)status) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };
        foreach (var (name, value) in Signature(body, at, signer, serial))
        {
            response.Headers.Add(name, value);
        }

        return response;
    }

    public static Dictionary<string, string> Signature(string body, DateTimeOffset? at = null, RSA? signer = null, string serial = PublicKeyId)
    {
        var timestamp = (at ?? Now).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var signature = (signer ?? Platform).SignData(Encoding.UTF8.GetBytes($"{timestamp}\nabc\n{body}\n"), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return new()
        {
            ["wechatpay-timestamp"] = timestamp,
            ["wechatpay-nonce"] = "abc",
            ["wechatpay-signature"] = Convert.ToBase64String(signature),
            ["wechatpay-serial"] = serial,
        };
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Logged.Add(formatter(state, exception));

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        Asked.Add((request, body));
        return Answer(request, body);
    }

    private static ChannelAccount Account(string channel, string? subMchId, IEnumerable<(string Field, string? Value)> fields)
    {
        var settings = new Dictionary<string, string> { ["mchId"] = "1900000109", ["appId"] = "wx8888888888888888" };
        var secrets = new Dictionary<string, SecretText>();
        if (subMchId is not null)
        {
            settings["subMchId"] = subMchId;
        }

        foreach (var (field, value) in fields)
        {
            settings.Remove(field);
            secrets.Remove(field);
            if (value is not null && field is "apiKey" or "apiV3Key" or "privateKey" or "clientPrivateKey")
            {
                secrets[field] = new SecretText(value!);
            }
            else if (value is not null)
            {
                settings[field] = value;
            }
        }

        return new() { Id = "acc1", MerchantId = "m1", Channel = channel, Settings = settings, Secrets = secrets };
    }
}
