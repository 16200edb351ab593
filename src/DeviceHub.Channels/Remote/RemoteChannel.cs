using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using DeviceHub.Channels.Http;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using Microsoft.Extensions.Options;

namespace DeviceHub.Channels.Remote;

/// <summary>
/// Another company's routing core over HTTP, as one channel: charged once an order number, asked, reversed, refunded. What it does behind that is
/// its own affair, and so is I4 there. The contract is <c>DeviceHub.Server/Contracts/routing-core.openapi.json</c>.
/// </summary>
internal sealed class RemoteChannel(ChannelHttp http, ChannelAlarms alarms, IOptions<RemoteOptions> options, TimeProvider clock) : IPaymentChannel
{
    internal const string ChannelName = "remote";

    private const int MaxText = 200;

    public string Name => ChannelName;

    public IReadOnlyList<AccountField> AccountFields => RemoteAccount.Fields;

    public string? FieldFault(string field, string value) => field == ChannelAddress.BaseUrl ? RemoteAccount.Address(value, options.Value).Fault : null;

    public async Task<AccountCheck> Test(ChannelAccount account, CancellationToken cancellationToken)
    {
        var answer = await Call(account, EffectKind.Query, HttpMethod.Get, "/v1/account", null, null, cancellationToken);
        return answer switch
        {
            { Fault: { } fault } => new AccountCheck(false, $"asked the routing core about the account: {fault.Code}{(fault.Text is null ? "" : ", " + fault.Text)}"),
            { Body.State: "active" } => new AccountCheck(true, "asked the routing core about the account: it accepts our signature and signed its answer"),
            { Body: var body } => new AccountCheck(false, $"asked the routing core about the account: it says {ChannelAlarms.Shown(body!.State ?? "")}"),
        };
    }

    public async Task<ChannelVerdict> Pay(ChannelPayment payment, CancellationToken cancellationToken)
    {
        var reference = payment.Reference;
        var body = Json(
            new RemotePayment(
                reference.OrderNumber, reference.AmountFen, "CNY", JsonNamingPolicy.CamelCase.ConvertName(payment.Wallet.ToString()), payment.Code.Reveal(), payment.Subject,
                payment.SerialNumber, payment.ExpiresAt),
            RemoteJson.Default.RemotePayment);
        var answer = await Call(reference.Account, EffectKind.Pay, HttpMethod.Post, "/v1/payments", body, reference.OrderNumber, cancellationToken);
        return Judge(answer, RemoteStates.Pay, EffectKind.Pay, reference);
    }

    public async Task<ChannelVerdict> Query(ChannelReference reference, CancellationToken cancellationToken)
    {
        var answer = await Call(reference.Account, EffectKind.Query, HttpMethod.Get, PathOf(reference), null, null, cancellationToken);
        return Judge(answer, RemoteStates.Query, EffectKind.Query, reference);
    }

    public async Task<ChannelVerdict> Reverse(ChannelReference reference, CancellationToken cancellationToken)
    {
        var body = Json(new RemoteReversal(reference.OrderNumber, reference.AmountFen), RemoteJson.Default.RemoteReversal);
        var answer = await Call(reference.Account, EffectKind.Reverse, HttpMethod.Post, PathOf(reference) + "/reversal", body, reference.OrderNumber, cancellationToken);
        return Judge(answer, RemoteStates.Reverse, EffectKind.Reverse, reference);
    }

    public async Task<ChannelVerdict> Refund(ChannelRefund refund, CancellationToken cancellationToken)
    {
        var reference = refund.Reference;
        var body = Json(new RemoteRefund(reference.OrderNumber, refund.RefundNumber, reference.AmountFen, refund.RefundFen), RemoteJson.Default.RemoteRefund);
        var answer = await Call(reference.Account, EffectKind.Refund, HttpMethod.Post, PathOf(reference) + "/refunds", body, refund.RefundNumber, cancellationToken);
        return Judge(answer, RemoteStates.Refund, EffectKind.Refund, reference, refund);
    }

    public async Task<ChannelVerdict> QueryRefund(ChannelRefund refund, CancellationToken cancellationToken)
    {
        var reference = refund.Reference;
        var path = $"{PathOf(reference)}/refunds/{Uri.EscapeDataString(refund.RefundNumber)}";
        var answer = await Call(reference.Account, EffectKind.QueryRefund, HttpMethod.Get, path, null, null, cancellationToken);
        return Judge(answer, RemoteStates.Refund, EffectKind.QueryRefund, reference, refund);
    }

    private static string PathOf(ChannelReference reference) => "/v1/payments/" + Uri.EscapeDataString(reference.OrderNumber);

    private static byte[] Json<T>(T body, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(body, type);

    /// <summary>Signs, sends, and believes nothing of the answer before its own signature was right.</summary>
    private async Task<Answer> Call(
        ChannelAccount account, EffectKind call, HttpMethod method, string path, byte[]? body, string? idempotencyKey, CancellationToken cancellationToken)
    {
        var (url, fault) = RemoteAccount.Address(account.Setting(ChannelAddress.BaseUrl), options.Value);
        if (url is null || account.Secret(RemoteAccount.Secret) is not { } secret)
        {
            return new(alarms.UnusableAccount(account, call, url is null ? $"baseUrl {fault}" : "the secret is not set"), null);
        }

        var target = ChannelAddress.Of(url, path);
        var nonce = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        var request = new HttpRequestMessage(method, target);
        request.Headers.Add(RemoteSigning.Account, account.Setting(RemoteAccount.Number));
        request.Headers.Add(RemoteSigning.Timestamp, now.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add(RemoteSigning.Nonce, nonce);
        request.Headers.Add(RemoteSigning.Signature, RemoteSigning.OfRequest(secret, method, target.AbsolutePath, now, nonce, body));
        if (body is not null)
        {
            request.Headers.Add("Idempotency-Key", idempotencyKey);
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        var answer = await http.Send(request, cancellationToken);
        if (answer.Verdict(call) is { } broken)
        {
            return new(broken, null);
        }

        if (!RemoteSigning.IsOfAnswer(secret, nonce, answer.Status, answer.Body.Span, answer.Header(RemoteSigning.Signature)))
        {
            return new(alarms.BadSignature(account, $"http{answer.Status}"), null);
        }

        return Read(answer.Body.Span) is { State: not null } read ? new(null, read) : new(alarms.WrongAnswer(account, call, "garbage"), null);
    }

    private static RemoteAnswer? Read(ReadOnlySpan<byte> body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, RemoteJson.Default.RemoteAnswer);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private ChannelVerdict Judge(Answer answer, VerdictTable table, EffectKind call, ChannelReference reference, ChannelRefund? refund = null)
    {
        if (answer.Fault is { } fault)
        {
            return fault;
        }

        var body = answer.Body!;
        if (table.Find(body.State!) is not { } row)
        {
            return alarms.UnknownCode(reference.Account, call, body.State!);
        }

        if (row.Verdict == Verdict.Unknown)
        {
            return new ChannelVerdict(row.Verdict, row.Code, Short(body.Text) ?? row.Says);
        }

        if (body.OrderNumber != reference.OrderNumber || (refund is not null && body.RefundNumber != refund.RefundNumber))
        {
            return alarms.WrongAnswer(reference.Account, call, "other-order");
        }

        // A state that is about money says how much.
        var charged = row.Verdict is Verdict.Approved or Verdict.Reversed && body.AmountFen != reference.AmountFen;
        var refunded = row.Verdict == Verdict.Refunded && body.RefundFen != refund!.RefundFen;
        if (charged || refunded)
        {
            return alarms.WrongAnswer(reference.Account, call, "other-amount");
        }

        return Tell(row, body, reference.AmountFen);
    }

    private static ChannelVerdict Tell(CodeRow row, RemoteAnswer body, long amountFen)
    {
        var paid = row.Verdict == Verdict.Approved && body.PaidFen is { } part and >= 0 && part <= amountFen ? part : amountFen;
        return new(
            row.Verdict,
            body.Code is { Length: > 0 } code ? ChannelAlarms.Shown(code) : row.Code,
            Short(body.Text) ?? row.Says,
            row.Reason == DeclineReason.Other ? RemoteStates.Reason(body.Reason) : row.Reason,
            row.Verdict == Verdict.Approved ? paid : 0,
            row.Verdict == Verdict.Approved ? amountFen - paid : 0,
            Short(body.Transaction, 64),
            Short(body.Payer, 64));
    }

    private static string? Short(string? text, int max = MaxText) =>
        text is null ? null : new string([.. text.Where(c => !char.IsControl(c) && !char.IsSurrogate(c)).Take(max)]);

    /// <summary>What was believed, or the verdict of not having anything to believe.</summary>
    private readonly record struct Answer(ChannelVerdict? Fault, RemoteAnswer? Body);
}
