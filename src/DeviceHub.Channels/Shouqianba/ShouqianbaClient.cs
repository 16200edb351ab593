using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using DeviceHub.Channels.Http;
using DeviceHub.Core;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.Options;

namespace DeviceHub.Channels.Shouqianba;

/// <summary>An answer, or the verdict of not having one.</summary>
internal readonly record struct ShouqianbaReply(ChannelVerdict? Fault, ShouqianbaAnswer? Answer);

/// <summary>Sends one request, signed with the key that it is given.</summary>
internal sealed class ShouqianbaClient(ChannelHttp http, ChannelAlarms alarms, IOptions<ShouqianbaOptions> options)
{
    public string? FieldFault(string field, string value) => http.FieldFault(field, value);

    public async Task<ShouqianbaReply> Post(
        ChannelAccount account, EffectKind call, string path, string signer, SecretText key, CancellationToken cancellationToken, params (string Name, string? Value)[] members)
    {
        var (url, fault) = http.AddressOf(account, options.Value.Url);
        if (url is null)
        {
            return new ShouqianbaReply(alarms.UnusableAccount(account, call, fault!), null);
        }

        var body = Json(members);
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        var request = new HttpRequestMessage(HttpMethod.Post, ChannelAddress.Of(url, path)) { Content = content };
        request.Headers.TryAddWithoutValidation("Authorization", $"{signer} {Sign(body, key)}");
        var answer = await http.Send(request, cancellationToken);
        if (answer.Verdict(call) is { } broken)
        {
            return new ShouqianbaReply(broken, null);
        }

        return ShouqianbaAnswer.TryRead(answer.Body) is { } read
            ? new ShouqianbaReply(null, read)
            : new ShouqianbaReply(alarms.WrongAnswer(account, call, "garbage"), null);
    }

    /// <summary>MD5 over the body's bytes followed by the key, in lower case.</summary>
    internal static string Sign(ReadOnlySpan<byte> body, SecretText key)
    {
#pragma warning disable CA5351 // Shouqianba's protocol.
        using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
#pragma warning restore CA5351
        md5.AppendData(body);
        md5.AppendData(Encoding.UTF8.GetBytes(key.Reveal()));
        return Convert.ToHexStringLower(md5.GetHashAndReset());
    }

    private static byte[] Json((string Name, string? Value)[] members)
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

        return bytes.ToArray();
    }
}
