using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using DeviceHub.Channels;
using DeviceHub.Channels.Http;
using DeviceHub.Channels.Shouqianba;
using DeviceHub.Core;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace DeviceHub.UnitTests.Channels.Shouqianba;

/// <summary>
/// The channel over a Shouqianba that knows one terminal: it refuses what is not signed with the terminal's key, gives a new key with each check-in, and
/// takes the one before it for one more check-in, whose answer may have been lost.
/// </summary>
internal sealed class ShouqianbaStub : IChannelAccounts, IAccountKeeper
{
    public const string Sn = "100000000001";
    public const string Order = "d0199abcdef01234567890123456789";
    public const long Amount = 1234;

    private readonly Func<string, string> answer;
    private ChannelAccount account;
    private string? before;
    private int keys = 1;

    public ShouqianbaStub(Func<string, string>? answer = null, bool checkIn = false, params (string Name, string? Value)[] fields)
    {
        this.answer = answer ?? (_ => "{}");
        account = Account([("terminalSn", Sn), ("terminalKey", "key1"), ("vendorSn", "v001"), ("vendorKey", "vendorkey"), ("appId", "app1"), ("activationCode", "12345678"), .. fields]);
        Handler = new ScriptedHandler(request => Raw is { } raw ? raw(request) : ScriptedHandler.Bytes(Encoding.UTF8.GetBytes(Answer(request))));
        var options = Options.Create(new ShouqianbaOptions { Url = new Uri("http://127.0.0.1:9/"), CheckIn = checkIn });
        var alarms = new ChannelAlarms(new Logs<ChannelAlarms>(Logged), Clock);
        var client = new ShouqianbaClient(new ChannelHttp(new ChannelHttpOptions { AllowedHosts = ["pay.bank.example"] }, Clock, _ => Handler), alarms, options);
        Channel = new ShouqianbaChannel(client, new ShouqianbaTerminals(client, this, this, options, Clock, new Logs<ShouqianbaTerminals>(Logged)), alarms, new NoticeAddress(new Uri("https://hub.example.com/")));
    }

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 11, 25, 16, 30, 0, TimeSpan.Zero));

    public ScriptedHandler Handler { get; }

    public ShouqianbaChannel Channel { get; }

    /// <summary>Instead of the stub's own answer.</summary>
    public Func<ScriptedRequest, HttpResponseMessage>? Raw { get; set; }

    /// <summary>Answers to check-ins that get lost on their way.</summary>
    public int LoseCheckIns { get; set; }

    /// <summary>Keepings that find the account changed by another.</summary>
    public int ChangedMeanwhile { get; set; }

    /// <summary>Happens once, between a look at the account and what is done with it.</summary>
    public Action? Meanwhile { get; set; }

    public List<string> Logged { get; } = [];

    public string Key => $"key{keys}";

    public ChannelAccount Kept => account;

    public ChannelReference Reference => new(Order, account, Amount);

    public IEnumerable<string> Paths => Handler.Requests.Select(r => r.Address.AbsolutePath);

    public ChannelAccount? Find(string id)
    {
        var (found, meanwhile) = (account, Meanwhile);
        Meanwhile = null;
        meanwhile?.Invoke();
        return id == found.Id ? found : null;
    }

    public Task<bool> Keep(ChannelAccount known, IReadOnlyDictionary<string, SecretText> fields, CancellationToken cancellationToken)
    {
        if (ChangedMeanwhile > 0)
        {
            ChangedMeanwhile--;
            account = Account([.. account.Settings.Select(s => (s.Key, (string?)s.Value)), .. account.Secrets.Select(s => (s.Key, (string?)s.Value.Reveal()))]);
        }

        if (!ReferenceEquals(known, account))
        {
            return Task.FromResult(false);
        }

        account = Account([
            .. account.Settings.Select(s => (s.Key, (string?)s.Value)), .. account.Secrets.Select(s => (s.Key, (string?)s.Value.Reveal())),
            .. fields.Select(f => (f.Key, (string?)f.Value.Reveal()))]);
        return Task.FromResult(true);
    }

    public Task<ChannelVerdict> Pay() => Channel.Pay(
        new ChannelPayment(Reference, new PaymentCode("130818341921441147"), Wallet.WeChat, "早餐店", "SN0001", Clock.GetUtcNow().AddMinutes(1)), TestContext.Current.CancellationToken);

    public static JsonElement Json(ScriptedRequest request) => JsonDocument.Parse(request.Body).RootElement;

    public static string Business(string result, string? status = null, string? error = null, string order = Order, string total = "1234", string more = "")
    {
        var code = error is null ? "" : $",\"error_code\":\"{error}\",\"error_message\":\"交易成功，文字不算数\"";
        var data = status is null ? "" : $",\"data\":{{\"sn\":\"7892259488292938\",\"client_sn\":\"{order}\",\"status\":\"SUCCESS\",\"order_status\":\"{status}\",\"total_amount\":\"{total}\",\"net_amount\":\"0\"{more}}}";
        return $"{{\"result_code\":\"200\",\"biz_response\":{{\"result_code\":\"{result}\"{code}{data}}}}}";
    }

    private string Answer(ScriptedRequest request)
    {
        var (sn, sign) = (request.Headers["Authorization"].Split(' ')[0], request.Headers["Authorization"].Split(' ')[1]);
        if (request.Address.AbsolutePath == "/terminal/activate")
        {
            return sn == "v001" && sign == Md5(request, "vendorkey") && Json(request).GetProperty("code").GetString() == "12345678"
                ? Given(Sn + "9")
                : """{"result_code":"400","error_code":"INVALID_PARAMS","error_message":"x"}""";
        }

        var checkIn = request.Address.AbsolutePath == "/terminal/checkin";
        if (sn != Sn || (sign != Md5(request, Key) && !(checkIn && before is not null && sign == Md5(request, before))))
        {
            return """{"result_code":"400","error_code":"ILLEGAL_SIGN","error_message":"签名错误"}""";
        }

        if (!checkIn)
        {
            return answer(request.Address.AbsolutePath);
        }

        before = sign == Md5(request, Key) ? Key : null;
        keys++;
        if (LoseCheckIns > 0)
        {
            LoseCheckIns--;
            throw new HttpRequestException("lost", null, null);
        }

        return Given(Sn);
    }

    private string Given(string sn) => $"{{\"result_code\":\"200\",\"biz_response\":{{\"terminal_sn\":\"{sn}\",\"terminal_key\":\"{Key}\"}}}}";

#pragma warning disable CA5351 // Shouqianba's protocol.
    private static string Md5(ScriptedRequest request, string key) => Convert.ToHexStringLower(MD5.HashData([.. request.Body, .. Encoding.UTF8.GetBytes(key)]));
#pragma warning restore CA5351

    private static ChannelAccount Account((string Name, string? Value)[] fields)
    {
        var (settings, secrets) = (new Dictionary<string, string>(), new Dictionary<string, SecretText>());
        foreach (var (name, value) in fields)
        {
            settings.Remove(name);
            secrets.Remove(name);
            if (value is not null && name is "terminalKey" or "vendorKey" or "activationCode")
            {
                secrets[name] = new SecretText(value!);
            }
            else if (value is not null)
            {
                settings[name] = value;
            }
        }

        return new ChannelAccount { Id = "ca_1", MerchantId = "m1", Channel = "shouqianba", Settings = settings, Secrets = secrets };
    }

    private sealed class Logs<T>(List<string> lines) : ILogger<T>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (lines)
            {
                lines.Add($"{eventId.Name}: {formatter(state, exception)} {exception?.Message}");
            }
        }
    }
}
