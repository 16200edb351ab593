using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;
using DeviceHub.Channels.Http;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;

namespace DeviceHub.Channels.Sandbox;

/// <summary>A call to a Sandbox in another process; the code is only in a payment, the refund's number only in refunds.</summary>
public sealed record SandboxCall(string Order, long AmountFen, string? Code = null, string? Refund = null)
{
    /// <summary>Without the code.</summary>
    public override string ToString() => $"{Order}: {AmountFen} fen";
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UseStringEnumConverter = true)]
[JsonSerializable(typeof(SandboxCall))]
[JsonSerializable(typeof(ChannelVerdict))]
[JsonSerializable(typeof(IReadOnlyList<SandboxCharge>))]
public sealed partial class SandboxJson : JsonSerializerContext;

/// <summary>The bank in another process, over HTTP. Whatever is not understood proves nothing: Unknown.</summary>
internal sealed class SandboxHttpChannel(ChannelHttp http, Uri url) : IPaymentChannel
{
    private static readonly MediaTypeHeaderValue ContentType = new("application/json");

    public string Name => SandboxChannel.ChannelName;

    public IReadOnlyList<AccountField> AccountFields => [];

    public Task<AccountCheck> Test(ChannelAccount account, CancellationToken cancellationToken) =>
        Task.FromResult(new AccountCheck(true, "the Sandbox takes every account"));

    public Task<ChannelVerdict> Pay(ChannelPayment payment, CancellationToken cancellationToken) =>
        Ask(EffectKind.Pay, "/pay", new SandboxCall(payment.Reference.OrderNumber, payment.Reference.AmountFen, payment.Code.Reveal()), cancellationToken);

    public Task<ChannelVerdict> Query(ChannelReference reference, CancellationToken cancellationToken) =>
        Ask(EffectKind.Query, "/query", new SandboxCall(reference.OrderNumber, reference.AmountFen), cancellationToken);

    public Task<ChannelVerdict> Reverse(ChannelReference reference, CancellationToken cancellationToken) =>
        Ask(EffectKind.Reverse, "/reverse", new SandboxCall(reference.OrderNumber, reference.AmountFen), cancellationToken);

    public Task<ChannelVerdict> Refund(ChannelRefund refund, CancellationToken cancellationToken) =>
        Ask(EffectKind.Refund, "/refund", new SandboxCall(refund.Reference.OrderNumber, refund.RefundFen, Refund: refund.RefundNumber), cancellationToken);

    public Task<ChannelVerdict> QueryRefund(ChannelRefund refund, CancellationToken cancellationToken) =>
        Ask(EffectKind.QueryRefund, "/refund-query", new SandboxCall(refund.Reference.OrderNumber, refund.RefundFen, Refund: refund.RefundNumber), cancellationToken);

    private async Task<ChannelVerdict> Ask(EffectKind call, string path, SandboxCall body, CancellationToken cancellationToken)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, SandboxJson.Default.SandboxCall)) { Headers = { ContentType = ContentType } };
        var answer = await http.Send(new HttpRequestMessage(HttpMethod.Post, ChannelAddress.Of(url, path)) { Content = content }, cancellationToken);
        return answer.Verdict(call) ?? (answer.Status == 200 ? Read(answer.Body.Span) : new ChannelVerdict(Verdict.Unknown, $"http{answer.Status}"));
    }

    private static ChannelVerdict Read(ReadOnlySpan<byte> body)
    {
        try
        {
            if (JsonSerializer.Deserialize(body, SandboxJson.Default.ChannelVerdict) is { } verdict && Enum.IsDefined(verdict.Verdict))
            {
                return verdict;
            }
        }
        catch (JsonException)
        {
            // As any answer that is none.
        }

        return new ChannelVerdict(Verdict.Unknown, "garbage");
    }
}
