using System.Text.Json;
using DeviceHub.Core;
using DeviceHub.Core.Payments;
using DeviceHub.Core.People;
using DeviceHub.Server.ApiKeys;

namespace DeviceHub.Server.Api;

/// <summary>Payments: search, one with everything that happened to it, cancel.</summary>
internal static class PaymentsApi
{
    internal sealed record Payment(
        string SerialNumber, string RequestId, DateTimeOffset AcceptedAt, string MerchantId, string StoreId, long AmountFen, long PaidFen, long DiscountFen, long RefundedFen, Wallet Wallet,
        string CodeLastFour, string? OrderNumber, PaymentStatus Status, PaymentStage Stage, PaymentResult Result, DeclineReason Reason, int Revision, int ShownRevision, DateTimeOffset? FinalAt,
        string? Channel, string? ChannelAccount, string? ChannelOrderNumber, string? ChannelTransaction, string? Payer, bool NeedsAttention);

    /// <param name="Next">The <c>after</c> of the next page; null: there is none.</param>
    /// <param name="ReadAs">What <c>q</c> was taken for.</param>
    /// <param name="Behind">Ledger entries that this list may not show yet; 0: it shows all that there were when it was asked for.</param>
    internal sealed record PaymentPage(IReadOnlyList<Payment> Items, int Page, int PageSize, bool More, string? Next, long Behind, PaymentWordKind ReadAs);

    /// <param name="Text">What happened, in plain words.</param>
    /// <param name="Event">The ledger's own event.</param>
    internal sealed record TimelineEntry(DateTimeOffset At, string Text, JsonElement Event);

    internal sealed record PaymentDetail(string SerialNumber, string RequestId, int Version, PaymentView? Standing, IReadOnlyList<TimelineEntry> Timeline);

    internal sealed class Search
    {
        public string? Q { get; init; }
        public DateTimeOffset? From { get; init; }
        public DateTimeOffset? To { get; init; }
        public string? SerialNumber { get; init; }
        public string? MerchantId { get; init; }
        public string? StoreId { get; init; }
        public long? MinFen { get; init; }
        public long? MaxFen { get; init; }
        public string? Wallet { get; init; }
        public string? Channel { get; init; }
        public string? Status { get; init; }
        public string? Stage { get; init; }
        public string? Result { get; init; }
        public string? OrderNumber { get; init; }
        public string? ChannelOrderNumber { get; init; }
        public bool? NeedsAttention { get; init; }
        public bool? OutcomeNotShown { get; init; }
        public bool? Test { get; init; }
        public string? After { get; init; }
        public int? Page { get; init; }
        public int? PageSize { get; init; }

        public PaymentFilter Filter(FieldCheck check) => new()
        {
            Text = Q,
            From = From,
            To = To,
            SerialNumber = SerialNumber,
            MerchantId = MerchantId,
            StoreId = StoreId,
            MinFen = MinFen,
            MaxFen = MaxFen,
            Wallet = check.OneOf<Wallet>(Wallet, "wallet"),
            Channel = Channel,
            Status = check.OneOf<PaymentStatus>(Status, "status"),
            Stage = check.OneOf<PaymentStage>(Stage, "stage"),
            Result = check.OneOf<PaymentResult>(Result, "result"),
            OrderNumber = OrderNumber,
            ChannelOrderNumber = ChannelOrderNumber,
            NeedsAttention = NeedsAttention,
            OutcomeNotShown = OutcomeNotShown,
            IsTest = Test,
        };
    }

    public static void MapPayments(this RouteGroupBuilder api)
    {
        api.MapGet("/payments", List).Produces<PaymentPage>().WithSummary("Payments, newest first")
            .WithDescription(
                "needsAttention=true: those for which the hub gave up or waited too long; a person must look at their timeline, and their mark stays when they are settled later. "
                + "outcomeNotShown=true: those whose terminal did not say within Terminals:ShownWithinSeconds that it has shown the outcome, so that the cashier may not know it. "
                + "test=false: without test payments, which no sum counts; true: them alone. "
                + "q: what a person has of a payment: an order number, a channel's order, transaction or refund number, a request id, serialNumber/requestId, a serial number, an amount (12.34) or the "
                + "code's last four digits; readAs says what it was taken for. status: stage, result and refunds in one word. after: next of the page before, however deep. channelOrderNumber finds any attempt. behind: how many ledger entries the list may not show yet.");
        api.MapGet("/payments.csv", Export).Produces(200, contentType: "text/csv").WithSummary("The same list as CSV (UTF-8)")
            .WithDescription("Up to Server:MaxExportRows, newest first. In the language of Accept-Language or ?ui-culture=: English or Chinese.");
        api.MapGet("/payments/{serialNumber}/{requestId}", Get).Produces<PaymentDetail>().ProducesProblem(404)
            .WithSummary("One payment with everything that happened to it, from the ledger");
        api.MapPost("/payments/{serialNumber}/{requestId}/cancel", Cancel).RequireAuthorization(Policies.Operate).Produces<PaymentView>(202).ProducesProblem(404).ProducesProblem(409)
            .WithSummary("Asks for a payment to be cancelled: it is queried and reversed; how it ends is in its timeline")
            .WithDescription("An approved payment is not cancelled but refunded: 409.");
    }

    private static async Task<IResult> List(IPaymentSearch payments, Paging paging, [AsParameters] Search search, CancellationToken stop)
    {
        var check = new FieldCheck();
        var filter = search.Filter(check);
        PaymentPosition? after = PaymentPosition.TryParse(search.After, out var position) ? position : null;
        check.That(search.After is null || after is not null, "after", "next of another page is needed");
        check.That(search.After is null || search.Page is null, "after", "goes without page");
        if (paging.Check(search.Page, search.PageSize, check) is { } fault)
        {
            return fault;
        }

        var (page, size) = (search.Page ?? 1, search.PageSize ?? Paging.DefaultSize);
        var found = await payments.Find(filter, new PaymentSlice(size, after, (page - 1) * size), stop);
        return Results.Ok(new PaymentPage([.. found.Items.Select(Of)], page, size, found.More, found.More ? found.Items[^1].Position.ToString() : null, found.Behind, found.ReadAs));
    }

    private static async Task<IResult> Export(PaymentsExport export, [AsParameters] Search search, CancellationToken stop)
    {
        var check = new FieldCheck();
        var filter = search.Filter(check);
        check.That(search is { After: null, Page: null, PageSize: null }, "page", "a file has no pages");
        return check.Problem ?? await export.Send(filter, stop);
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

    private static async Task<IResult> Cancel(string serialNumber, string requestId, PaymentDesk desk, AuditTrail audit)
    {
        var id = new PaymentId(serialNumber, requestId);
        return await desk.Cancel(id, audit.Actor()) switch
        {
            { Refusal.Code: RefusalCode.UnknownPayment } => Problems.NotFound("payment " + id),
            { Refusal: { } refusal } => Problems.Of(refusal, "requestId"),
            { View.Result: PaymentResult.Approved } => Paid(id),
            var answer => Results.Accepted((string?)null, answer.View),
        };
    }

    private static IResult Paid(PaymentId id) => Problems.Conflict($"the payment is paid; to give the money back: POST /api/v1/payments/{id}/refunds");

    private static TimelineEntry Entry(PaymentEvent e) => new(e.At, Timeline.Say(e), PaymentEventJson.Shown(e));

    private static Payment Of(PaymentSummary p) => new(
        p.Id.SerialNumber, p.Id.RequestId, p.AcceptedAt, p.MerchantId, p.StoreId, p.AmountFen, p.PaidFen, p.DiscountFen, p.RefundedFen, p.Wallet, p.CodeLastFour,
        p.OrderNumber, p.Status, p.Stage, p.Result, p.Reason, p.Revision, p.ShownRevision, p.FinalAt, p.Channel, p.ChannelAccount,
        p.ChannelOrderNumber, p.ChannelTransaction, p.Payer, p.NeedsAttention);
}
