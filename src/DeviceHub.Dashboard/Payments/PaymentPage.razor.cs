using System.Text.Json;
using DeviceHub.Core;
using DeviceHub.Core.Live;
using DeviceHub.Core.Payments;
using DeviceHub.Core.People;
using DeviceHub.Dashboard.Shared;
using Microsoft.AspNetCore.Components;

namespace DeviceHub.Dashboard.Payments;

/// <summary>One payment, from the ledger: how it stands, its walk as a picture and in words, what can be done about it.</summary>
public partial class PaymentPage
{
    private const int MaxOthers = 20;

    private PaymentState? state;
    private PaymentView? view;
    private PaymentTimeline? timeline;
    private IReadOnlyList<PaymentEvent> events = [];
    private IReadOnlyList<PaymentSummary> others = [];
    private int version;
    private string raw = "";
    private DateTimeOffset now;
    private Asking asking;
    private string? amount;
    private string? reason;
    private string key = "";
    private string? done;
    private string? refused;
    private ITimer? second;

    private enum Asking { Nothing, Cancel, Refund }

    [Parameter]
    public required string SerialNumber { get; set; }

    [Parameter]
    public required string RequestId { get; set; }

    [Inject]
    private IPaymentLedger Ledger { get; set; } = default!;

    [Inject]
    private IPaymentSearch Payments { get; set; } = default!;

    [Inject]
    private PaymentDesk Desk { get; set; } = default!;

    [Inject]
    private Who Who { get; set; } = default!;

    [Inject]
    private Doing Doing { get; set; } = default!;

    private PaymentId Id => new(SerialNumber, RequestId);

    private string Payer => view?.Payer ?? T["Customer"];

    /// <summary>Why there is nothing to cancel; null: there is.</summary>
    private string? NoCancel => state switch
    {
        { CancelledBy: not null, IsFinal: false } => T["NoCancelTwice"].Value,
        { Outcome.Result: PaymentResult.Approved } => T["NoCancelPaid"].Value,
        { IsFinal: true } => T["NoCancelFinal"].Value,
        _ => null,
    };

    private string? NoRefund => state switch
    {
        { Outcome.Result: PaymentResult.Approved, RestFen: > 0 } => null,
        { Outcome.Result: PaymentResult.Approved } => T["NoRefundRest"].Value,
        { IsFinal: true } => T["NoRefundUnpaid"].Value,
        _ => T["NoRefundOpen"].Value,
    };

    /// <summary>Null: it is no amount, or more than is left.</summary>
    private long? RefundFen => PaymentsQuery.Fen(amount) is { } fen && fen >= 1 && fen <= state!.RestFen ? fen : null;

    public static string Address(PaymentId id) => $"/payments/{id}";

    protected override async Task OnInitializedAsync()
    {
        Follow(LiveFeed.Payment(SerialNumber, RequestId));
        await base.OnInitializedAsync();
    }

    protected override async Task OnParametersSetAsync()
    {
        if (Loaded && state?.Id != Id)
        {
            (state, asking, done, refused) = (null, Asking.Nothing, null, null);
            Doing.Forget();
            Follow(LiveFeed.Payment(SerialNumber, RequestId));
            await Refresh();
        }
    }

    protected override async Task Read(CancellationToken stop)
    {
        var id = Id;
        if (await Ledger.Read(id) is not { } history)
        {
            return;
        }

        now = Clock.GetUtcNow();
        if (state?.Id != id || version != history.Version)
        {
            (events, version) = (history.Events, history.Version);
            state = PaymentState.Fold(id, events);
            view = state!.View();
            await Who.Know([state.CancelledBy, .. state.Refunds.Select(r => r.By)], stop);
            timeline = PaymentTimeline.Of(id, events);
            raw = JsonSerializer.Serialize(JsonSerializer.SerializeToElement(events.Select(PaymentEventJson.Shown)), Indented);
            others = view.OrderNumber is { } order
                ? [.. (await Payments.Find(new PaymentFilter { OrderNumber = order, MerchantId = state.Accepted.MerchantId }, new PaymentSlice(MaxOthers), stop)).Items.Where(p => p.Id != id)]
                : [];
        }

        // What has not ended grows while somebody looks.
        second ??= Clock.CreateTimer(_ => Grow(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
    }

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private void Grow() => _ = InvokeAsync(() =>
    {
        if (state is { IsFinal: false })
        {
            now = Clock.GetUtcNow();
            StateHasChanged();
        }
    });

    /// <summary>What is said of a charge that the terminal was told not to be, and whose money is not back; null: there is none.</summary>
    internal static string? ChargedAfterAll(PaymentState payment) =>
        payment is { Outcome.Result: PaymentResult.NotCharged or PaymentResult.Declined } && payment.Attempts.Any(a => a.Fate == AttemptFate.Charged)
            ? payment.NeedsAttention ? "SaysNotGivenBack" : "SaysGivingBack"
            : null;

    private string? Explanation(PaymentStatus status) => status switch
    {
        _ when ChargedAfterAll(state!) is { } says => T[says].Value,
        PaymentStatus.InDoubt => T["SaysInDoubt"].Value,
        PaymentStatus.AwaitingCustomer => T["SaysAwaiting"].Value,
        PaymentStatus.Cancelling => T["SaysCancelling", Words.By(state!.CancelledBy)].Value,
        PaymentStatus.Declined => T["SaysDeclined", Words.Of(state!.Outcome!.Reason)].Value,
        PaymentStatus.NotCharged => T["SaysNotCharged"].Value,
        PaymentStatus.Refunded when state!.Outcome!.Result == PaymentResult.Refunded => T["SaysLate"].Value,
        PaymentStatus.PartlyRefunded => T["SaysPartly", Format.Money(state!.RefundedFen), Format.Money(state.RestFen)].Value,
        PaymentStatus.Approved when state!.Refunds.Any(r => r.IsOpen) => T["SaysRefunding"].Value,
        _ => null,
    };

    private void Ask(Asking what)
    {
        (asking, done, refused) = (asking == what ? Asking.Nothing : what, null, null);
        Doing.Forget();
        if (asking == Asking.Refund)
        {
            (amount, reason, key) = (PaymentsQuery.Yuan(state!.RestFen), null, Guid.NewGuid().ToString("N"));
        }
    }

    private Task Refund() => RefundFen is not { } fen || string.IsNullOrWhiteSpace(reason) ? Task.CompletedTask : Do(async actor =>
    {
        // The key stays until it is answered: whoever presses twice, or again after a fault, asks for the same refund.
        var answer = await Desk.Refund(Id, fen, reason.Trim(), key, actor);
        return answer.Refusal is { } refusal ? (null, Why(refusal, answer.RestFen)) : (T["RefundBegun", Format.Money(fen), answer.Refund!.Number], null);
    });

    private Task Cancel() => Do(async actor => await Desk.Cancel(Id, actor) switch
    {
        { Refusal: { } refusal } => (null, Why(refusal, 0)),
        { View.Result: PaymentResult.Approved } => (null, T["NoCancelPaid"]),
        _ => (T["CancelBegun"], null),
    });

    private string Why(Refusal refusal, long restFen) => refusal.Code switch
    {
        RefusalCode.RefundTooLarge => T["RefusedTooLarge", Format.Money(restFen)],
        RefusalCode.NotApproved => T["NoRefundUnpaid"],
        _ => refusal.Detail,
    };

    private async Task Do(Func<Actor, Task<(string? Done, string? Refused)>> act)
    {
        await Doing.Do(Policies.Operate, async by =>
        {
            (done, refused) = (null, null);
            (done, refused) = await act(by);
            asking = refused is null ? Asking.Nothing : asking;
        });
        await Refresh();
    }

    public override async ValueTask DisposeAsync()
    {
        if (second is not null)
        {
            await second.DisposeAsync();
        }

        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
