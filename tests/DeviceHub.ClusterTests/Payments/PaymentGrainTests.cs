using DeviceHub.Core;
using DeviceHub.Core.Payments;
using DeviceHub.Tests;
using Microsoft.Extensions.Time.Testing;

namespace DeviceHub.ClusterTests.Payments;

/// <summary>The grain around the decision core: what it writes, when it acts, what it answers. Each test has its own silo.</summary>
public sealed class PaymentGrainTests : IAsyncLifetime
{
    private static readonly ChannelVerdict Paid = new(Verdict.Approved, "SUCCESS", PaidFen: 1000, Transaction: "T1");
    private readonly PaymentGrainFixture hub = new();

    public ValueTask InitializeAsync() => hub.InitializeAsync();

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public async Task Payment_is_approved_and_a_repeat_gets_the_same_outcome_without_another_charge()
    {
        var order = hub.Order();
        hub.Channel.Say(EffectKind.Pay, Paid);

        Assert.Null((await hub.Grain(order.Id).Accept(order)).Refusal);
        var first = await hub.Grain(order.Id).Outcome(PaymentStage.Working, TimeSpan.FromSeconds(20));
        var again = await hub.Grain(order.Id).Accept(order);

        Assert.Equal(PaymentResult.Approved, first.Result);
        Assert.Equal(first, again.View);
        Assert.Equal([EffectKind.Pay], hub.Channel.Log);
    }

    [Fact]
    public async Task Repeat_with_another_amount_or_code_is_refused_and_the_first_stays()
    {
        var order = hub.Order();
        hub.Channel.Say(EffectKind.Pay, Paid);
        await hub.Grain(order.Id).Accept(order);

        var amount = await hub.Grain(order.Id).Accept(order with { Request = order.Request with { AmountFen = 999 } });
        var code = await hub.Grain(order.Id).Accept(order with { Request = order.Request with { Code = new PaymentCode("134567890123456780") } });

        Assert.Equal(RefusalCode.RequestConflict, amount.Refusal!.Code);
        Assert.Equal(RefusalCode.RequestConflict, code.Refusal!.Code);
        Assert.DoesNotContain("13456789", code.Refusal.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Time_out_is_in_doubt_and_becomes_approved_when_a_query_says_paid()
    {
        var order = hub.Order();
        await hub.Grain(order.Id).Accept(order);
        hub.Clock.Advance(hub.Options.PayDeadline + TimeSpan.FromSeconds(1));
        var doubt = await hub.Until(order.Id, v => v.Stage == PaymentStage.InDoubt, TimeSpan.FromSeconds(30));
        hub.Channel.Say(EffectKind.Query, Paid);

        var view = await hub.Until(order.Id, v => v.Stage == PaymentStage.Final, TimeSpan.FromSeconds(30));

        Assert.Equal(0, doubt.Revision);
        Assert.Equal(PaymentResult.Approved, view.Result);
        Assert.Single(hub.Channel.Codes);
    }

    [Fact]
    public async Task Cancel_reverses_and_only_a_query_makes_it_not_charged()
    {
        var order = hub.Order();
        hub.Channel.Say(EffectKind.Pay, new(Verdict.Pending, "USERPAYING"));
        await hub.Grain(order.Id).Accept(order);
        await hub.Until(order.Id, v => v.Stage == PaymentStage.AwaitingCustomer, TimeSpan.FromSeconds(1));

        var asked = await hub.Grain(order.Id).Cancel("terminal");
        Assert.Equal(PaymentStage.Cancelling, asked.View!.Stage);
        hub.Channel.Say(EffectKind.Query, new(Verdict.Pending, "USERPAYING"));
        hub.Channel.Say(EffectKind.Reverse, new(Verdict.Closed, "OK"));
        hub.Channel.Say(EffectKind.Query, new(Verdict.Closed, "REVOKED"));
        var view = await hub.Until(order.Id, v => v.Stage == PaymentStage.Final, TimeSpan.FromMinutes(2));

        Assert.Equal(PaymentResult.NotCharged, view.Result);
        Assert.Equal([EffectKind.Pay, EffectKind.Query, EffectKind.Reverse, EffectKind.Query], hub.Channel.Log);
    }

    [Fact]
    public async Task Full_disk_refuses_new_payments_and_keeps_the_answer_of_a_running_one_until_it_can_be_written()
    {
        var refused = hub.Order();
        hub.Ledger.Faults.Enqueue(WriteResult.NotWritten);
        var answer = await hub.Grain(refused.Id).Accept(refused);
        Assert.Equal(RefusalCode.Storage, answer.Refusal!.Code);

        var order = hub.Order();
        hub.Channel.Say(EffectKind.Pay, Paid);
        hub.Ledger.Faults.Enqueue(WriteResult.Written);
        hub.Ledger.Faults.Enqueue(WriteResult.NotWritten);
        hub.Ledger.Faults.Enqueue(WriteResult.NotWritten);
        await hub.Grain(order.Id).Accept(order);
        PaymentView view;
        var tries = 0;
        while ((view = await hub.Grain(order.Id).Outcome(PaymentStage.Working, TimeSpan.Zero)).Stage != PaymentStage.Final && tries++ < 100)
        {
            hub.Clock.Advance(TimeSpan.FromMilliseconds(50));
        }

        Assert.Equal(PaymentResult.Approved, view.Result);
        Assert.Single(hub.Channel.Log);
    }

    [Fact]
    public async Task Order_number_is_paid_once_and_later_requests_get_that_payment()
    {
        var order = hub.Order(orderNumber: "A-1");
        var other = hub.Order(orderNumber: "A-1");
        await hub.Grain(order.Id).Accept(order);
        var open = await hub.Grain(other.Id).Accept(other);
        hub.Channel.Say(EffectKind.Pay, Paid);
        await hub.Until(order.Id, v => v.Stage == PaymentStage.Final, TimeSpan.FromSeconds(5));
        var third = hub.Order(orderNumber: "A-1");
        var paid = await hub.Grain(third.Id).Accept(third);

        Assert.Equal(RefusalCode.OrderOpen, open.Refusal!.Code);
        Assert.Equal(order.Request.RequestId, open.Refusal.OtherRequestId);
        Assert.Equal(order.Id, paid.View!.Id);
        Assert.Single(hub.Channel.Log);
    }

    [Fact]
    public async Task Second_scan_of_the_same_amount_is_refused_until_the_first_is_shown_or_a_person_confirms()
    {
        var first = hub.Order(serialNumber: "SNX");
        hub.Channel.Say(EffectKind.Pay, Paid);
        await hub.Grain(first.Id).Accept(first);
        await hub.Until(first.Id, v => v.Stage == PaymentStage.Final, TimeSpan.FromSeconds(5));
        var second = hub.Order(serialNumber: "SNX");
        var refused = await hub.Grain(second.Id).Accept(second);
        var third = hub.Order(serialNumber: "SNX");
        third = third with { Request = third.Request with { RepeatOf = first.Request.RequestId, RepeatConfirmed = true } };
        var confirmed = await hub.Grain(third.Id).Accept(third);

        Assert.Equal(RefusalCode.PossibleDuplicate, refused.Refusal!.Code);
        Assert.Equal(first.Request.RequestId, refused.Refusal.OtherRequestId);
        Assert.Null(confirmed.Refusal);
    }

    [Fact]
    public async Task Expired_request_is_not_sent_to_the_channel()
    {
        var order = hub.Order();
        order = order with { ExpiresAt = hub.Clock.GetUtcNow() };
        await hub.Grain(order.Id).Accept(order);
        var view = await hub.Grain(order.Id).Outcome(PaymentStage.Working, TimeSpan.FromSeconds(20));

        Assert.Equal((PaymentResult.Declined, DeclineReason.Expired), (view.Result, view.Reason));
        Assert.Empty(hub.Channel.Log);
    }

    [Fact]
    public async Task Payment_whose_commit_took_too_long_is_not_sent_to_the_channel()
    {
        var order = hub.Order();
        var held = (Reached: new TaskCompletionSource(), Release: new TaskCompletionSource());
        hub.Ledger.Held = held;
        var accepting = hub.Grain(order.Id).Accept(order);
        await held.Reached.Task.WaitAsync(Eventually.DefaultLimit);
        hub.Clock.Advance(hub.Options.PayDeadline);
        held.Release.SetResult();
        Assert.Null((await accepting).Refusal);
        var view = await hub.Grain(order.Id).Outcome(PaymentStage.Working, TimeSpan.FromSeconds(20));

        Assert.Equal((PaymentResult.Declined, DeclineReason.Expired), (view.Result, view.Reason));
        Assert.Empty(hub.Channel.Log);
    }

    [Fact]
    public async Task Fault_that_nobody_foresaw_is_logged_and_the_payment_is_taken_up_again()
    {
        var order = hub.Order();
        hub.Ledger.Broken = new InvalidOperationException("a fault of the test");
        hub.Channel.Say(EffectKind.Pay, Paid);
        hub.Channel.Say(EffectKind.Query, Paid);
        await hub.Grain(order.Id).Accept(order);
        var view = await hub.Until(order.Id, v => v.Stage == PaymentStage.Final, TimeSpan.FromMinutes(1));

        Assert.Equal(PaymentResult.Approved, view.Result);
        Assert.Single(hub.Channel.Paid);
        var error = Assert.Single(hub.Errors);
        Assert.StartsWith("EffectFault", error, StringComparison.Ordinal);
        Assert.Contains("a fault of the test", error, StringComparison.Ordinal);
        hub.Errors.Clear();
    }

    [Fact]
    public async Task Answer_is_kept_when_the_ledger_cannot_be_read_after_a_conflict()
    {
        var order = hub.Order();
        hub.Channel.Say(EffectKind.Pay, Paid);
        hub.Ledger.Faults.Enqueue(WriteResult.Written);
        hub.Ledger.Faults.Enqueue(WriteResult.Conflict);
        hub.Ledger.ReadFaults = 2;
        await hub.Grain(order.Id).Accept(order);
        PaymentView view;
        var tries = 0;
        while ((view = await hub.Grain(order.Id).Outcome(PaymentStage.Working, TimeSpan.Zero)).Stage != PaymentStage.Final && tries++ < 100)
        {
            hub.Clock.Advance(TimeSpan.FromMilliseconds(50));
        }

        Assert.Equal(PaymentResult.Approved, view.Result);
    }

    [Fact]
    public async Task Sweeper_wakes_what_is_due_although_other_payments_cannot_be_woken()
    {
        await using var other = new PaymentGrainFixture(sweeps: true);
        await other.InitializeAsync();
        other.Ledger.Unreadable.AddRange(Enumerable.Range(0, 40).Select(n => new PaymentId("BROKEN", $"request-{n}")));
        other.Channel.Say(EffectKind.Query, Paid);
        var order = other.Order();
        var now = other.Clock.GetUtcNow();
        await other.Ledger.Accept(
            new LedgerAccept(
                order.Id,
                [
                    new PaymentAccepted(now, 1000, "CNY", Wallet.WeChat, "6789", "fingerprint", null, "M1", "Noodle shop", "S1", now.AddSeconds(30), null),
                    new AttemptStarted(now, 1, "sandbox", "M1", "order-1", now.AddSeconds(10), "the only one"),
                ],
                "M1", null, 1000, "order-1", now, now.AddMinutes(-1), null, null),
            CancellationToken.None);
        other.Clock.Advance(other.Options.SweepEvery);

        Assert.Equal(order.Id, await other.Ledger.NextFinal.Task.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal([EffectKind.Query], other.Channel.Log);
    }

    [Fact]
    public async Task Stop_goes_on_as_soon_as_the_last_call_to_a_channel_has_ended()
    {
        var clock = new WaitClock(new PaymentOptions().StopDeadline);
        var other = new PaymentGrainFixture(sweeps: true) { Clock = clock };
        await other.InitializeAsync();
        var order = other.Order();
        await other.Grain(order.Id).Accept(order);
        await Eventually.Holds(() => other.Channel.Log.Contains(EffectKind.Pay), "the channel is called");

        // Virtual time stands still: no deadline ends the wait.
        var stopping = other.DisposeAsync().AsTask();
        await clock.Waits.Task.WaitAsync(Eventually.DefaultLimit);
        Assert.False(stopping.IsCompleted);
        other.Channel.Say(EffectKind.Pay, Paid);
        await stopping.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Single((await other.Ledger.Read(order.Id))!.Events.OfType<PayAnswered>());
    }

    [Fact]
    public async Task Nothing_in_the_ledger_shows_the_payment_code()
    {
        var order = hub.Order();
        hub.Channel.Say(EffectKind.Pay, Paid);
        await hub.Grain(order.Id).Accept(order);
        await hub.Grain(order.Id).Outcome(PaymentStage.Working, TimeSpan.FromSeconds(20));
        var history = await hub.Ledger.Read(order.Id);
        var text = System.Text.Encoding.UTF8.GetString(PaymentEventJson.Write(history!.Events));

        Assert.Contains("6789", text, StringComparison.Ordinal);
        Assert.DoesNotContain("134567890123456789", text, StringComparison.Ordinal);
        Assert.Equal("****6789", order.Request.Code.ToString());
    }

    /// <summary>Tells when somebody begins to wait for so long.</summary>
    private sealed class WaitClock(TimeSpan time) : FakeTimeProvider(PaymentGrainFixture.Start)
    {
        public TaskCompletionSource Waits { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            if (dueTime == time)
            {
                Waits.TrySetResult();
            }

            return timer;
        }
    }
}
