using System.Text.Json;
using System.Text.Json.Nodes;
using DeviceHub.Core.Payments;
using DeviceHub.Core.People;
using DeviceHub.Server.ApiKeys;
using DeviceHub.Storage;
using Microsoft.EntityFrameworkCore;

namespace DeviceHub.Server.Api;

/// <summary>Payments: search, one with everything that happened to it, cancel.</summary>
internal static class PaymentsApi
{
    internal sealed record Payment(
        string SerialNumber, string RequestId, DateTimeOffset AcceptedAt, string MerchantId, string StoreId, long AmountFen, long PaidFen, long DiscountFen, long RefundedFen, Wallet Wallet,
        string CodeLastFour, string? OrderNumber, PaymentStage Stage, PaymentResult Result, DeclineReason Reason, int Revision, int ShownRevision, DateTimeOffset? FinalAt,
        string? Channel, string? ChannelAccount, string? ChannelOrderNumber, string? ChannelTransaction, string? Payer, bool NeedsAttention);

    /// <param name="Behind">Ledger entries that this list may not show yet; 0: it shows all that there were when it was asked for.</param>
    internal sealed record PaymentPage(IReadOnlyList<Payment> Items, int Page, int PageSize, bool More, long Behind);

    /// <param name="Text">What happened, in plain words.</param>
    /// <param name="Event">The ledger's own event.</param>
    internal sealed record TimelineEntry(DateTimeOffset At, string Text, JsonElement Event);

    internal sealed record PaymentDetail(string SerialNumber, string RequestId, int Version, PaymentView? Standing, IReadOnlyList<TimelineEntry> Timeline);

    internal sealed class Search
    {
        public DateTimeOffset? From { get; init; }
        public DateTimeOffset? To { get; init; }
        public string? SerialNumber { get; init; }
        public string? MerchantId { get; init; }
        public string? StoreId { get; init; }
        public string? Stage { get; init; }
        public string? Result { get; init; }
        public string? OrderNumber { get; init; }
        public string? ChannelOrderNumber { get; init; }
        public bool? NeedsAttention { get; init; }
        public int? Page { get; init; }
        public int? PageSize { get; init; }
    }

    public static void MapPayments(this RouteGroupBuilder api)
    {
        api.MapGet("/payments", List).Produces<PaymentPage>().WithSummary("Payments, newest first")
            .WithDescription(
                "needsAttention=true: those for which the hub gave up or waited too long; a person must look at their timeline, and their mark stays when they are settled later. "
                + "channelOrderNumber finds any attempt. behind: how many ledger entries the list may not show yet.");
        api.MapGet("/payments/{serialNumber}/{requestId}", Get).Produces<PaymentDetail>().ProducesProblem(404)
            .WithSummary("One payment with everything that happened to it, from the ledger");
        api.MapPost("/payments/{serialNumber}/{requestId}/cancel", Cancel).RequireAuthorization(Policies.Operate).Produces<PaymentView>(202).ProducesProblem(404).ProducesProblem(409)
            .WithSummary("Asks for a payment to be cancelled: it is queried and reversed; how it ends is in its timeline")
            .WithDescription("An approved payment is not cancelled but refunded: 409.");
    }

    private static async Task<IResult> List(HubReads reads, Paging paging, [AsParameters] Search search, CancellationToken stop)
    {
        var check = new FieldCheck();
        var wantedStage = check.OneOf<PaymentStage>(search.Stage, "stage");
        var wantedResult = check.OneOf<PaymentResult>(search.Result, "result");
        if (paging.Check(search.Page, search.PageSize, check) is { } fault)
        {
            return fault;
        }

        return Results.Ok(await reads.Run(
            async (db, cancel) =>
            {
                var rows = (search.ChannelOrderNumber is { } number ? db.PaymentsOfChannelOrder(number) : db.Payments).AsNoTracking();
                rows = search.From is { } from ? rows.Where(p => p.AcceptedAt >= from) : rows;
                rows = search.To is { } to ? rows.Where(p => p.AcceptedAt < to) : rows;
                rows = search.SerialNumber is { } sn ? rows.Where(p => p.SerialNumber == sn) : rows;
                rows = search.MerchantId is { } merchant ? rows.Where(p => p.MerchantId == merchant) : rows;
                rows = search.StoreId is { } store ? rows.Where(p => p.StoreId == store) : rows;
                rows = wantedStage is { } stage ? rows.Where(p => p.Stage == stage) : rows;
                rows = wantedResult is { } result ? rows.Where(p => p.Result == result) : rows;
                rows = search.OrderNumber is { } order ? rows.Where(p => p.OrderNumber == order) : rows;

                // Not compared with a parameter: the index of the few that need one would not be used.
                rows = search.NeedsAttention switch { true => rows.Where(p => p.NeedsAttention), false => rows.Where(p => !p.NeedsAttention), null => rows };

                // First: 0 then says that the list shows all that was in the ledger when it was asked for.
                var behind = await db.PaymentsBehind(cancel);
                var page = await paging.Read(rows.OrderByDescending(p => p.AcceptedAt).ThenByDescending(p => p.Seq), search.Page, search.PageSize, Of, cancel);
                return new PaymentPage(page.Items, page.Page, page.PageSize, page.More, behind);
            },
            stop));
    }

    private static async Task<IResult> Get(string serialNumber, string requestId, IPaymentLedger ledger, IGrainFactory grains)
    {
        var id = new PaymentId(serialNumber, requestId);
        if (await ledger.Read(id) is not { } history)
        {
            return Problems.NotFound("payment " + id);
        }

        var standing = await grains.GetGrain<IPaymentGrain>(id.ToString()).Find(null);
        return Results.Ok(new PaymentDetail(serialNumber, requestId, history.Version, standing.View, [.. history.Events.Select(Entry)]));
    }

    private static async Task<IResult> Cancel(string serialNumber, string requestId, IPaymentLedger ledger, IGrainFactory grains, AuditTrail audit, HttpContext http)
    {
        var id = new PaymentId(serialNumber, requestId);
        if (await ledger.Read(id) is null)
        {
            return Problems.NotFound("payment " + id);
        }

        var grain = grains.GetGrain<IPaymentGrain>(id.ToString());
        var before = (await grain.Find(null)).View;
        if (before?.Result == PaymentResult.Approved)
        {
            return Paid(id);
        }

        var answer = await grain.Cancel(AuditTrail.Who(http.User));
        if (answer.Refusal is { } refusal)
        {
            return Problems.Of(refusal, "requestId");
        }

        if (answer.View?.Result == PaymentResult.Approved)
        {
            // It was paid while it was asked for.
            return Paid(id);
        }

        await audit.Write("payment.cancel", "payment:" + id, new { before?.Stage, before?.Result }, new { answer.View?.Stage, answer.View?.Result });
        return Results.Accepted((string?)null, answer.View);
    }

    private static IResult Paid(PaymentId id) => Problems.Conflict($"the payment is paid; to give the money back: POST /api/v1/payments/{id}/refunds");

    private static TimelineEntry Entry(PaymentEvent e)
    {
        // The fingerprint tells nobody anything but which code was used twice.
        var happened = JsonNode.Parse(PaymentEventJson.Write([e]))![0]!.AsObject();
        happened.Remove("codeFingerprint");
        return new(e.At, Timeline.Say(e), happened.Deserialize<JsonElement>());
    }

    private static Payment Of(PaymentRow row) => new(
        row.SerialNumber, row.RequestId, row.AcceptedAt, row.MerchantId, row.StoreId, row.AmountFen, row.PaidFen, row.DiscountFen, row.RefundedFen, row.Wallet, row.CodeLastFour,
        row.OrderNumber, row.Stage, row.Result, row.Reason, row.Revision, row.ShownRevision, row.FinalAt, row.Channel, row.ChannelAccount,
        row.ChannelOrderNumber, row.ChannelTransaction, row.Payer, row.NeedsAttention);
}
