using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using DeviceHub.Channels.Http;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.Options;

namespace DeviceHub.Channels.Alipay;

/// <summary>An answer whose signature is right, or the verdict of not having one.</summary>
internal readonly record struct AlipayReply(ChannelVerdict? Fault, IReadOnlyDictionary<string, string> Fields)
{
    public static AlipayReply Of(ChannelVerdict fault) => new(fault, new Dictionary<string, string>());
}

/// <summary>Calls a method of Alipay's gateway: signs the request, checks the answer's signature before anything of it is believed.</summary>
internal sealed class AlipayClient(ChannelHttp http, ChannelAlarms alarms, NoticeAddress notices, IOptions<AlipayOptions> options, TimeProvider clock)
{
    private const string Charset = "utf-8";

    private static readonly TimeSpan China = TimeSpan.FromHours(8);

    public string? FieldFault(string field, string value) => http.FieldFault(field, value);

    /// <summary>Null with what is wrong: nothing may be sent there.</summary>
    public (Uri? Url, string? Fault) AddressOf(ChannelAccount account) => http.AddressOf(account, options.Value.Url);

    public string? Expired(ChannelAccount account) => AlipayKeys.Of(account).ExpiredAt(clock.GetUtcNow());

    public async Task<AlipayReply> Call(
        ChannelAccount account, EffectKind call, string method, CancellationToken cancellationToken, params (string Name, string? Value)[] content)
    {
        var keys = AlipayKeys.Of(account);
        var (gateway, fault) = AddressOf(account);

        // Nothing is begun with an expired certificate. What was begun before is asked about and undone: Alipay says itself whether it still
        // answers, and its answer is checked as ever.
        fault ??= keys.Fault ?? (call == EffectKind.Pay ? Expired(account) : null);
        if (gateway is null || fault is not null)
        {
            return AlipayReply.Of(alarms.UnusableAccount(account, call, fault!));
        }

        var answer = await http.Send(Request(gateway, account, keys, method, content), cancellationToken);
        if (answer.Verdict(call) is { } broken)
        {
            return AlipayReply.Of(broken);
        }

        if (!AlipayEnvelope.TryRead(answer.Body, method, out var envelope))
        {
            return AlipayReply.Of(alarms.WrongAnswer(account, call, "garbage"));
        }

        return Verified(envelope, keys) is { } text
            ? AlipayEnvelope.Fields(text.Span) is { } fields ? new AlipayReply(null, fields) : AlipayReply.Of(alarms.WrongAnswer(account, call, "garbage"))
            : AlipayReply.Of(alarms.BadSignature(account, Unbelieved(envelope)));
    }

    private HttpRequestMessage Request(Uri gateway, ChannelAccount account, AlipayKeys keys, string method, (string Name, string? Value)[] content)
    {
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["app_id"] = account.Setting(AlipayAccount.AppId) ?? "",
            ["method"] = method,
            ["format"] = "JSON",
            ["charset"] = Charset,
            ["sign_type"] = "RSA2",
            ["timestamp"] = clock.GetUtcNow().ToOffset(China).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
            ["version"] = "1.0",
            ["biz_content"] = Json(content),
        };
        Add("notify_url", method == AlipayChannel.PayMethod ? notices.Of(account) : null);
        Add("app_auth_token", account.Secret(AlipayAccount.AppAuthToken)?.Reveal());
        Add("app_cert_sn", keys.ApplicationCertificate);
        Add("alipay_root_cert_sn", keys.RootCertificates);
        parameters["sign"] = keys.Application!.Sign(Encoding.UTF8.GetBytes(AlipaySigning.Content(parameters)));
        var form = new FormUrlEncodedContent(parameters.Where(p => p.Key != "charset"));
        form.Headers.ContentType = new MediaTypeHeaderValue("application/x-www-form-urlencoded", Charset);

        // The gateway decodes the body by the character set of the address; every other parameter is in the body.
        return new HttpRequestMessage(HttpMethod.Post, $"{gateway.AbsoluteUri}?charset={Charset}") { Content = form };

        void Add(string name, string? value)
        {
            if (value is not null)
            {
                parameters[name] = value;
            }
        }
    }

    /// <summary>
    /// The text that the signature is right for; null: none. Alipay signs some answers before their slashes are escaped; its own SDKs try both.
    /// What is read later is the text that was signed.
    /// </summary>
    private static ReadOnlyMemory<byte>? Verified(AlipayEnvelope envelope, AlipayKeys keys)
    {
        if (envelope.Signature is not { Length: > 0 } signature)
        {
            return null;
        }

        if (keys.Alipay!.IsSigned(envelope.Response.Span, signature))
        {
            return envelope.Response;
        }

        if (envelope.Response.Span.IndexOf("\\/"u8) < 0)
        {
            return null;
        }

        var plain = Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(envelope.Response.Span).Replace("\\/", "/", StringComparison.Ordinal));
        return keys.Alipay!.IsSigned(plain, signature) ? plain : null;
    }

    /// <summary>What an unsigned or wrongly signed answer said, as far as it is a code: a hint for people, never a proof.</summary>
    private static string Unbelieved(AlipayEnvelope envelope)
    {
        var said = AlipayEnvelope.Fields(envelope.Response.Span) is { } fields ? ChannelAlarms.Shown(AlipayCodes.Of(fields)) : "unreadable";
        return $"{(envelope.Signature is null ? "no signature" : "wrong signature")}, it said {said}";
    }

    private static string Json((string Name, string? Value)[] members)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes))
        {
            writer.WriteStartObject();
            foreach (var (name, value) in members)
            {
                if (value is not null)
                {
                    writer.WriteString(name, value);
                }
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.ToArray());
    }
}
