using System.Buffers;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using DeviceHub.Channels.Http;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.Options;

namespace DeviceHub.Channels.WeChatPay;

/// <summary>Signs requests of version 3 and believes nothing of an answer before its signature is WeChat Pay's and its time is now.</summary>
internal sealed class WeChatV3Client(ChannelHttp http, ChannelAlarms alarms, IOptions<WeChatPayOptions> options, TimeProvider clock)
{
    private const string Scheme = "WECHATPAY2-SHA256-RSA2048";

    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private static readonly MediaTypeWithQualityHeaderValue AcceptJson = new("application/json");
    private static readonly ProductInfoHeaderValue Agent = new("DeviceHub", null);

    public ChannelAlarms Alarms => alarms;

    public string? FieldFault(string field, string value) => http.FieldFault(field, value);

    /// <exception cref="AccountFault">Nothing may be sent there.</exception>
    public Uri AddressOf(ChannelAccount account) => WeChatFields.AddressOf(account, http, options.Value);

    /// <param name="body">Null: a GET.</param>
    public HttpRequestMessage Request(WeChatV3Keys keys, Uri url, byte[]? body)
    {
        var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, url);
        var authorization = keys.Authorization(
            request.Method.Method, url.PathAndQuery, clock.GetUtcNow().ToUnixTimeSeconds(), RandomNumberGenerator.GetHexString(32), body);
        request.Headers.Authorization = new AuthenticationHeaderValue(Scheme, authorization);
        request.Headers.Accept.Add(AcceptJson);
        request.Headers.UserAgent.Add(Agent);
        if (keys.PublicKeyId is { } id)
        {
            request.Headers.Add("Wechatpay-Serial", id);
        }

        if (body is not null)
        {
            request.Content = new ByteArrayContent(body) { Headers = { ContentType = Json } };
        }

        return request;
    }

    public static byte[] Body(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using var writer = new Utf8JsonWriter(buffer);
        writer.WriteStartObject();
        write(writer);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <param name="path">Of the account's keys.</param>
    /// <param name="body">Null: a GET.</param>
    /// <param name="read">What a signed answer of status 2xx proves; null when it says a code instead.</param>
    /// <param name="code">Of a signed answer: its <c>code</c>.</param>
    public async Task<ChannelVerdict> Call<T>(
        EffectKind call, ChannelAccount account, Func<WeChatV3Keys, string> path, Func<WeChatV3Keys, byte[]>? body, VerdictTable table, JsonTypeInfo<T> type, Func<T, string?> code,
        Func<WeChatV3Keys, T, ChannelVerdict> read, CancellationToken cancellationToken)
        where T : class
    {
        WeChatV3Keys keys;
        Uri address;
        try
        {
            address = AddressOf(account);
            keys = WeChatV3Keys.Of(account);

            // What nobody could say the end of is not begun.
            if (call == EffectKind.Pay && keys.PlatformFault(clock.GetUtcNow()) is { } fault)
            {
                throw new AccountFault(fault, "platformCertificate");
            }
        }
        catch (AccountFault e)
        {
            return alarms.UnusableAccount(account, call, e.Message);
        }

        var answer = await http.Send(Request(keys, ChannelAddress.Of(address, path(keys)), body?.Invoke(keys)), cancellationToken);
        if ((answer.Verdict(call) ?? Fault(account, call, keys, answer)) is { } broken)
        {
            return broken;
        }

        if (WeChatV3Json.Read(answer.Body.Span, type) is not { } value)
        {
            return alarms.WrongAnswer(account, call, "garbage");
        }

        return code(value) is { } failed ? alarms.Judge(account, call, table, failed)
            : answer.Status is >= 200 and < 300 ? read(keys, value)
            : alarms.WrongAnswer(account, call, $"http{answer.Status}");
    }

    /// <summary>Null: it is signed by WeChat Pay, now.</summary>
    public ChannelVerdict? Fault(ChannelAccount account, EffectKind call, WeChatV3Keys keys, HttpAnswer answer)
    {
        // A request whose own signature is not right is refused without one: it proves nothing but that.
        if (answer.Status == 401 && answer.Header("Wechatpay-Signature") is null)
        {
            return alarms.WrongAnswer(account, call, "http401");
        }

        if (keys.SignatureFault(answer.Header, answer.Body.Span) is { } why)
        {
            return alarms.BadSignature(account, why);
        }

        return IsNow(answer.Header("Wechatpay-Timestamp"), clock.GetUtcNow()) ? null
            : alarms.WrongAnswer(account, call, "clock-skew") with { Text = "WeChat's time and the hub's differ by more than the window" };
    }

    /// <summary>A signed time, within the window.</summary>
    public bool IsNow(string? timestamp, DateTimeOffset now) =>
        long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
        && Math.Abs(now.ToUnixTimeSeconds() - seconds) <= options.Value.TimestampWindow.TotalSeconds;
}
