using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization;
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

/// <summary>
/// The bank in another process, over HTTP. No connection means that nothing was sent: Rerouteable for a payment. Whatever else goes
/// wrong, or is not understood, proves nothing: Unknown.
/// </summary>
/// <param name="http">For questions and reversals; they may be sent again on another connection.</param>
/// <param name="single">
/// For payments: a new connection each, since a client that finds a kept one broken sends again by itself, and the second failure
/// would hide that the first sending arrived.
/// </param>
internal sealed class SandboxHttpChannel(HttpClient http, HttpClient single) : IPaymentChannel
{
    public string Name => SandboxChannel.ChannelName;

    public IReadOnlyList<AccountField> AccountFields => [];

    public Task<AccountCheck> Test(ChannelAccount account, CancellationToken cancellationToken) =>
        Task.FromResult(new AccountCheck(true, "the Sandbox takes every account"));

    public async Task<ChannelVerdict> Pay(ChannelPayment payment, CancellationToken cancellationToken)
    {
        try
        {
            return await Send(
                single, "pay", new SandboxCall(payment.Reference.OrderNumber, payment.Reference.AmountFen, payment.Code.Reveal()), cancellationToken);
        }
        catch (HttpRequestException e) when (e.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
            or HttpRequestError.SecureConnectionError)
        {
            return new ChannelVerdict(Verdict.Rerouteable, "unreachable", e.HttpRequestError.ToString());
        }
        catch (Exception e) when (IsFault(e, cancellationToken))
        {
            return Unknown(e);
        }
    }

    public Task<ChannelVerdict> Query(ChannelReference reference, CancellationToken cancellationToken) =>
        Ask("query", new SandboxCall(reference.OrderNumber, reference.AmountFen), cancellationToken);

    public Task<ChannelVerdict> Reverse(ChannelReference reference, CancellationToken cancellationToken) =>
        Ask("reverse", new SandboxCall(reference.OrderNumber, reference.AmountFen), cancellationToken);

    public Task<ChannelVerdict> Refund(ChannelRefund refund, CancellationToken cancellationToken) =>
        Ask("refund", new SandboxCall(refund.Reference.OrderNumber, refund.RefundFen, Refund: refund.RefundNumber), cancellationToken);

    public Task<ChannelVerdict> QueryRefund(ChannelRefund refund, CancellationToken cancellationToken) =>
        Ask("refund-query", new SandboxCall(refund.Reference.OrderNumber, refund.RefundFen, Refund: refund.RefundNumber), cancellationToken);

    private async Task<ChannelVerdict> Ask(string path, SandboxCall call, CancellationToken cancellationToken)
    {
        try
        {
            return await Send(http, path, call, cancellationToken);
        }
        catch (Exception e) when (IsFault(e, cancellationToken))
        {
            return Unknown(e);
        }
    }

    private static async Task<ChannelVerdict> Send(HttpClient client, string path, SandboxCall call, CancellationToken cancellationToken)
    {
        using var response = await client.PostAsJsonAsync(path, call, SandboxJson.Default.SandboxCall, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            return new ChannelVerdict(Verdict.Unknown, $"http{(int)response.StatusCode}");
        }

        var verdict = await response.Content.ReadFromJsonAsync(SandboxJson.Default.ChannelVerdict, cancellationToken);
        return verdict is not null && Enum.IsDefined(verdict.Verdict) ? verdict : new ChannelVerdict(Verdict.Unknown, "garbage");
    }

    private static bool IsFault(Exception e, CancellationToken cancellationToken) =>
        e is HttpRequestException or JsonException or IOException or NotSupportedException
        || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    private static ChannelVerdict Unknown(Exception e) =>
        new(Verdict.Unknown, e is OperationCanceledException ? "timeout" : "fault", e.GetType().Name);
}
