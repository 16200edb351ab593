using DeviceHub.Core;
using DeviceHub.Core.Payments;
using DeviceHub.Core.People;
using DeviceHub.Server.ApiKeys;

namespace DeviceHub.Server.Api;

/// <summary>Money that goes back on the original route: the hub's own refunds of late charges, and those that people ask for.</summary>
internal static class RefundsApi
{
    internal enum RefundStatus { Pending, Succeeded, Failed, Unknown }

    /// <param name="Number">Ours at the channel.</param>
    /// <param name="By">Who asked; null: the hub itself, of a charge that nobody was told of.</param>
    internal sealed record Refund(
        string Number, long AmountFen, RefundStatus Status, string Reason, string? By, DateTimeOffset StartedAt, DateTimeOffset ChangedAt);

    /// <param name="RestFen">What can still be refunded.</param>
    internal sealed record RefundsOfPayment(IReadOnlyList<Refund> Items, long RestFen);

    internal sealed record NewRefund(long? AmountFen, string? Reason, string? IdempotencyKey);

    public static void MapRefunds(this RouteGroupBuilder api)
    {
        api.MapGet("/payments/{serialNumber}/{requestId}/refunds", List).Produces<RefundsOfPayment>().ProducesProblem(404)
            .WithSummary("Refunds of a payment, oldest first");
        api.MapPost("/payments/{serialNumber}/{requestId}/refunds", Create).RequireAuthorization(Policies.Operate)
            .Produces<Refund>(202).ProducesValidationProblem().ProducesProblem(404).ProducesProblem(409)
            .WithSummary("Gives an approved payment's money back, all of it or a part")
            .WithDescription(
                "amountFen: what goes back. idempotencyKey: 1 to 64 characters of the caller's; the same key is the same refund, however often it is asked for. "
                + "The answer says that the refund is begun: its status in the list says how it ends. Above the rest: 409, with restFen.");
    }

    private static async Task<IResult> List(string serialNumber, string requestId, IGrainFactory grains)
    {
        var id = new PaymentId(serialNumber, requestId);
        return await grains.GetGrain<IPaymentGrain>(id.ToString()).Refunds() is { } refunds
            ? Results.Ok(new RefundsOfPayment([.. refunds.Items.Select(Of)], refunds.RestFen))
            : Problems.NotFound("payment " + id);
    }

    private static async Task<IResult> Create(string serialNumber, string requestId, NewRefund body, PaymentDesk desk, AuditTrail audit)
    {
        var check = new FieldCheck();
        check.That(body.AmountFen is >= 1, "amountFen", "at least 1 fen is needed");
        var reason = check.Text(body.Reason, "reason", 80);
        var key = check.Text(body.IdempotencyKey, "idempotencyKey", 64);
        if (check.Problem is { } fault)
        {
            return fault;
        }

        var id = new PaymentId(serialNumber, requestId);
        var answer = await desk.Refund(id, body.AmountFen!.Value, reason, key, audit.Actor());
        return answer switch
        {
            { Refund: { } refund } => Results.Accepted((string?)null, Of(refund)),
            { Refusal.Code: RefusalCode.UnknownPayment } => Problems.NotFound("payment " + id),
            _ => Problems.Of(answer.Refusal!, "amountFen", ("restFen", answer.RestFen)),
        };
    }

    private static Refund Of(RefundView refund) => new(
        refund.Number,
        refund.AmountFen,
        refund.Standing switch
        {
            RefundStanding.Done => RefundStatus.Succeeded,
            RefundStanding.Failed => RefundStatus.Failed,
            RefundStanding.Unknown => RefundStatus.Unknown,
            _ => RefundStatus.Pending,
        },
        refund.Why,
        refund.By,
        refund.StartedAt,
        refund.ChangedAt);
}
