using System.Text.Json;
using DeviceHub.ClusterTests.Payments;
using DeviceHub.ClusterTests.Terminals;
using DeviceHub.Core;
using DeviceHub.Core.Charges;
using DeviceHub.Core.Payments;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tests;
using Code = DeviceHub.Protocol.Wire.Refusal.Types.Code;
using PaymentRequest = DeviceHub.Protocol.Wire.PaymentRequest;

namespace DeviceHub.ClusterTests.Charges;

/// <summary>A charge from the till, from its grain to the terminal's own messages and back. Each test has its own silo.</summary>
public sealed class ChargeTests : IAsyncLifetime
{
    private static readonly ChannelVerdict Paid = new(Verdict.Approved, "SUCCESS", PaidFen: 1000, Transaction: "T1");
    private readonly TerminalFixture hub = new();
    private int charges;

    public ValueTask InitializeAsync() => hub.InitializeAsync();

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public async Task Terminal_collects_what_the_till_asks_for_and_its_scan_is_the_answer()
    {
        var terminal = await hub.LoggedIn(collects: true);
        var charge = await Open(terminal, "A-1");
        Assert.Equal((ChargeStage.Sent, ChargeEnd.None), (charge.Stage, charge.Ended));
        var collect = (await terminal.Next(d => d.Collect is not null)).Collect;
        Assert.Equal((charge.Id, 1000UL, "A-1", 60_000u), (collect.ChargeId, collect.AmountFen, collect.OrderNumber, collect.TimeToLiveMs));

        var collecting = Till(charge.Id).Follow(ChargeStage.Sent, TimeSpan.FromSeconds(20));
        await terminal.SendSealed(new Uplink { Collecting = new() { ChargeId = charge.Id } });
        Assert.Equal(ChargeStage.Collecting, (await collecting)!.Stage);

        var paying = Till(charge.Id).Follow(ChargeStage.Collecting, TimeSpan.FromSeconds(20));
        await terminal.SendSealed(new Uplink { PaymentRequest = Answer(terminal, collect) });
        Assert.Equal(ChargeStage.Paying, (await paying)!.Stage);

        hub.Channel.Say(EffectKind.Pay, Paid);
        Assert.Equal(Outcome.Types.Result.Approved, (await terminal.Next(d => d.Outcome is not null)).Outcome.Result);
        var closed = await Closed(charge.Id);
        Assert.Equal((ChargeEnd.Paid, 1, 1000L), (closed.Ended, closed.Revision, closed.Payment!.PaidFen));
        var told = JsonDocument.Parse(Assert.Single(hub.Charges.Notices).Body).RootElement;
        Assert.Equal(($"{charge.Id}-1", "charge.closed", "paid"), (told.GetProperty("id").GetString(), told.GetProperty("type").GetString(), told.GetProperty("charge").GetProperty("ended").GetString()));
    }

    [Fact]
    public async Task Terminal_that_does_not_say_that_it_collects_is_asked_once_more_and_is_unreachable_after_3_seconds()
    {
        var terminal = await hub.LoggedIn(collects: true);
        var charge = await Open(terminal, "A-1");
        await terminal.Next(d => d.Collect is not null);

        // What a sweeper goes by when the hub died meanwhile.
        Assert.Equal([charge.Id], await hub.Charges.Due(charge.CreatedAt.AddSeconds(3), 10));
        hub.Clock.Advance(TimeSpan.FromSeconds(1.6));
        await terminal.Next(d => d.Collect is not null);
        Assert.Equal(ChargeStage.Sent, (await Now(charge.Id)).Stage);
        hub.Clock.Advance(TimeSpan.FromSeconds(1.5));
        Assert.Equal(ChargeEnd.Unreachable, (await Closed(charge.Id)).Ended);
        await terminal.Next(d => d.CollectCancel is not null);

        // Late: it is told that nobody waits any more, and what it scanned meanwhile charges nobody.
        await terminal.SendSealed(new Uplink { Collecting = new() { ChargeId = charge.Id } });
        Assert.Equal(charge.Id, (await terminal.Next(d => d.CollectCancel is not null)).CollectCancel.ChargeId);
        await Refused(terminal, charge);
    }

    [Fact]
    public async Task Cancel_before_the_scan_closes_the_charge_and_the_scan_is_refused()
    {
        var terminal = await hub.LoggedIn(collects: true);
        var charge = await Collecting(terminal, "A-1");
        Assert.Equal(ChargeEnd.Cancelled, (await Till(charge.Id).Cancel("user:till"))!.Ended);
        Assert.Equal(charge.Id, (await terminal.Next(d => d.CollectCancel is not null)).CollectCancel.ChargeId);
        await Refused(terminal, charge);
        Assert.DoesNotContain(EffectKind.Pay, hub.Channel.Log);
    }

    [Fact]
    public async Task Cancel_that_races_with_the_scan_and_loses_is_the_payments_cancel()
    {
        var terminal = await hub.LoggedIn(collects: true);
        var charge = await Collecting(terminal, "A-1");
        hub.Channel.Say(EffectKind.Pay, new(Verdict.Pending, "USERPAYING"));
        hub.Charges.BeforeSave = () => terminal.SendSealed(new Uplink { PaymentRequest = Answer(terminal, charge) }).AsTask();
        var cancelled = (await Till(charge.Id).Cancel("user:till"))!;
        Assert.Equal((ChargeStage.Cancelling, ChargeEnd.None), (cancelled.Stage, cancelled.Ended));

        hub.Channel.Say(EffectKind.Reverse, new(Verdict.Reversed, "SUCCESS"));
        hub.Channel.Say(EffectKind.Query, new(Verdict.Reversed, "REVOKED"));
        hub.Channel.Say(EffectKind.Query, new(Verdict.Reversed, "REVOKED"));
        var payment = hub.Payment(cancelled.Payment!.Id);
        for (var second = 0; (await payment.Find(null)).View!.Stage != PaymentStage.Final; second++)
        {
            Assert.True(second < 120, "the payment is not undone after 2 minutes: " + string.Join(' ', hub.Channel.Log));
            hub.Clock.Advance(TimeSpan.FromSeconds(1));
            await payment.Wake();
        }

        Assert.Equal(ChargeEnd.NotCharged, (await Closed(charge.Id)).Ended);
    }

    [Fact]
    public async Task Nobody_scans_and_the_charge_expires()
    {
        var terminal = await hub.LoggedIn(collects: true);
        var charge = await Collecting(terminal, "A-1");
        hub.Clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(ChargeEnd.Expired, (await Closed(charge.Id)).Ended);
        await terminal.Next(d => d.CollectCancel is not null);
        await Refused(terminal, charge);
    }

    [Theory]
    [InlineData(CollectEnded.Types.Reason.Cancelled, ChargeEnd.CancelledAtTerminal)]
    [InlineData(CollectEnded.Types.Reason.Busy, ChargeEnd.TerminalBusy)]
    [InlineData(CollectEnded.Types.Reason.Expired, ChargeEnd.Expired)]
    public async Task What_ends_at_the_terminal_ends_at_the_till(CollectEnded.Types.Reason reason, ChargeEnd end)
    {
        var terminal = await hub.LoggedIn(collects: true);
        var charge = await Open(terminal, "A-1");
        await terminal.SendSealed(new Uplink { CollectEnded = new() { ChargeId = charge.Id, Reason = reason } });
        Assert.Equal(end, (await Closed(charge.Id)).Ended);
    }

    [Fact]
    public async Task One_terminal_has_one_open_charge_and_one_key_is_one_charge()
    {
        var terminal = await hub.LoggedIn(collects: true);
        var wanted = Wanted(terminal, "A-1");
        var first = (await hub.Charge(NewId()).Open(wanted)).View!;
        var second = await hub.Charge(NewId()).Open(Wanted(terminal, "A-2"));
        Assert.Equal((RefusalCode.ChargeOpen, first.Id), (second.Refusal!.Code, second.Other));
        var again = await hub.Charge(NewId()).Open(wanted);
        Assert.Equal((first.Id, false), (again.View!.Id, again.IsNew));
        var other = await hub.Charge(NewId()).Open(wanted with { AmountFen = 1001 });
        Assert.Equal((RefusalCode.KeyReused, first.Id), (other.Refusal!.Code, other.Other));

        // A repeat is answered whatever the terminal may today.
        await hub.Grain(terminal.SerialNumber).Suspend(TerminalFixture.Admin);
        Assert.Equal(first.Id, (await hub.Charge(NewId()).Open(wanted)).View!.Id);
        Assert.Equal(RefusalCode.Suspended, (await hub.Charge(NewId()).Open(Wanted(terminal, "A-3"))).Refusal!.Code);
    }

    [Fact]
    public async Task Till_that_asks_again_while_its_first_question_runs_is_told_of_the_same_charge()
    {
        var terminal = await hub.LoggedIn(collects: true);
        var (written, known) = (new TaskCompletionSource(), new TaskCompletionSource());
        hub.Charges.AfterOpen = () =>
        {
            written.SetResult();
            return known.Task;
        };
        var first = hub.Charge(NewId()).Open(Wanted(terminal, "A-1"));
        await written.Task.WaitAsync(Eventually.DefaultLimit);

        // The row is there, and its grain does not know it yet.
        var asked = new TaskCompletionSource();
        hub.WhenCalled = (nameof(IChargeGrain), asked.SetResult);
        var again = hub.Charge(NewId()).Open(Wanted(terminal, "A-1"));
        await asked.Task.WaitAsync(Eventually.DefaultLimit);
        known.SetResult();
        var (one, two) = (await first, await again);
        Assert.Equal((true, false), (one.IsNew, two.IsNew));
        Assert.Equal(one.View!.Id, two.View?.Id);
        await terminal.Next(d => d.Collect is not null);
        await terminal.SendSealed(new Uplink { Collecting = new() { ChargeId = one.View.Id } });
        Assert.Equal(ChargeStage.Collecting, (await Now(one.View.Id)).Stage);
    }

    [Fact]
    public async Task Two_racing_scans_of_one_charge_are_one_payment()
    {
        var terminal = await hub.LoggedIn(collects: true);
        var charge = await Collecting(terminal, "A-1");
        var (one, two) = (Answer(terminal, charge), Answer(terminal, charge));
        await Task.WhenAll(
            terminal.SendSealed(new Uplink { PaymentRequest = one }).AsTask(), terminal.SendSealed(new Uplink { PaymentRequest = two }).AsTask());
        var refusal = (await terminal.Next(d => d.Refusal is not null)).Refusal;
        Assert.Equal(Code.ChargeClosed, refusal.Code);
        Assert.Contains(refusal.OtherRequestId, (string[])[one.RequestId, two.RequestId]);
        hub.Channel.Say(EffectKind.Pay, Paid);
        await terminal.Next(d => d.Outcome is not null);
        Assert.Single(hub.Channel.Log, EffectKind.Pay);
    }

    [Theory, InlineData("amount"), InlineData("order"), InlineData("terminal"), InlineData("unknown")]
    public async Task Request_that_is_not_the_charges_is_refused(string wrong)
    {
        var terminal = await hub.LoggedIn(collects: true);
        var other = await hub.LoggedIn(collects: true);
        var charge = await Collecting(terminal, "A-1");
        var sender = wrong == "terminal" ? other : terminal;
        var request = Answer(sender, charge);
        request.AmountFen += wrong == "amount" ? 1u : 0;
        request.OrderNumber = wrong == "order" ? "A-2" : request.OrderNumber;
        request.ChargeId = wrong == "unknown" ? "c00000000000" : request.ChargeId;
        await sender.SendSealed(new Uplink { PaymentRequest = request });
        Assert.Equal(Code.ChargeClosed, (await sender.Next(d => d.Refusal is not null)).Refusal.Code);
        Assert.Equal(ChargeStage.Collecting, (await Now(charge.Id)).Stage);
    }

    [Fact]
    public async Task Terminal_that_comes_back_is_asked_again_after_it_is_synced()
    {
        var terminal = await hub.LoggedIn(collects: true);
        var charge = await Collecting(terminal, "A-1");
        await terminal.Session.DisposeAsync();
        var back = new TestTerminal(hub, terminal.SerialNumber, key: terminal.Key) { Collects = true };
        await back.LogIn();
        Assert.Equal(charge.Id, (await back.Next(d => d.Collect is not null)).Collect.ChargeId);

        // Firmware that does not collect is not asked.
        var old = new TestTerminal(hub, terminal.SerialNumber, key: terminal.Key);
        await old.LogIn();
        Assert.True(old.ToldNothing);
        Assert.Equal(RefusalCode.CannotCollect, (await hub.Charge(NewId()).Open(Wanted(old, "A-9"))).Refusal!.Code);
    }

    [Fact]
    public async Task Order_that_was_paid_without_the_charge_closes_it()
    {
        var terminal = await hub.LoggedIn(collects: true);
        var charge = await Collecting(terminal, "A-1");
        hub.Channel.Say(EffectKind.Pay, Paid);
        var before = terminal.Request();
        before.OrderNumber = "A-1";
        await terminal.SendSealed(new Uplink { PaymentRequest = before });
        await terminal.Next(d => d.Outcome is not null);
        await terminal.SendSealed(new Uplink { PaymentRequest = Answer(terminal, charge) });
        var told = (await terminal.Next(d => d.Outcome?.PaidBy.Length > 0)).Outcome;
        Assert.Equal($"{terminal.SerialNumber}/{before.RequestId}", told.PaidBy);
        var closed = await Closed(charge.Id);
        Assert.Equal((ChargeEnd.OrderPaid, before.RequestId), (closed.Ended, closed.Payment!.Id.RequestId));
    }

    [Fact]
    public async Task Request_for_another_order_that_is_paid_does_not_close_the_charge()
    {
        var terminal = await hub.LoggedIn(collects: true);
        var charge = await Collecting(terminal, "A-1");
        hub.Channel.Say(EffectKind.Pay, Paid);
        var before = terminal.Request();
        before.OrderNumber = "A-2";
        await terminal.SendSealed(new Uplink { PaymentRequest = before });
        await terminal.Next(d => d.Outcome is not null);
        var confused = Answer(terminal, charge);
        confused.OrderNumber = "A-2";
        await terminal.SendSealed(new Uplink { PaymentRequest = confused });
        await terminal.Next(d => d.Outcome?.PaidBy.Length > 0);
        await Till(charge.Id).Wake();
        Assert.Equal(ChargeStage.Collecting, (await Now(charge.Id)).Stage);
    }

    [Fact]
    public async Task Charge_whose_grain_was_told_nothing_of_the_outcome_learns_it_when_it_is_woken()
    {
        var terminal = await hub.LoggedIn(collects: true);
        var charge = await Collecting(terminal, "A-1");
        hub.Channel.Say(EffectKind.Pay, Paid);
        hub.Loses = ("Wake", Arrives: false);
        await terminal.SendSealed(new Uplink { PaymentRequest = Answer(terminal, charge) });
        await terminal.Next(d => d.Outcome is not null);

        // What the sweeper does.
        var due = await hub.Charges.Due(hub.Clock.GetUtcNow(), 10);
        foreach (var id in due)
        {
            await hub.Charge(id).Wake();
        }

        Assert.Equal(ChargeEnd.Paid, (await Closed(charge.Id)).Ended);
        Assert.Empty(await hub.Charges.Due(hub.Clock.GetUtcNow(), 10));
    }

    private IChargeGrain Till(string id) => hub.Charge(id);

    private string NewId() => $"c{Interlocked.Increment(ref charges):00000000}";

    private static NewCharge Wanted(TestTerminal terminal, string order) => new(terminal.SerialNumber, 1000, order, TimeSpan.FromSeconds(60), "key of " + order, "key:till");

    private async Task<ChargeView> Open(TestTerminal terminal, string order)
    {
        var answer = await hub.Charge(NewId()).Open(Wanted(terminal, order));
        Assert.True(answer.IsNew, answer.ToString());
        return answer.View!;
    }

    private async Task<ChargeView> Collecting(TestTerminal terminal, string order)
    {
        var charge = await Open(terminal, order);
        await terminal.Next(d => d.Collect is not null);
        await terminal.SendSealed(new Uplink { Collecting = new() { ChargeId = charge.Id } });
        return await Now(charge.Id) is { Stage: ChargeStage.Collecting } collecting ? collecting : throw new InvalidOperationException("it does not collect");
    }

    private async Task<ChargeView> Now(string id) => (await Till(id).Follow(null, TimeSpan.Zero))!;

    private async Task<ChargeView> Closed(string id)
    {
        var charge = await Now(id);
        while (charge.Stage != ChargeStage.Closed)
        {
            charge = (await Till(id).Follow(charge.Stage, TimeSpan.FromSeconds(20)).WaitAsync(TimeSpan.FromSeconds(10)))!;
        }

        return charge;
    }

    private static PaymentRequest Answer(TestTerminal terminal, Collect collect)
    {
        var request = terminal.Request(collect.AmountFen);
        (request.OrderNumber, request.ChargeId) = (collect.OrderNumber, collect.ChargeId);
        return request;
    }

    private static PaymentRequest Answer(TestTerminal terminal, ChargeView charge)
    {
        var request = terminal.Request((ulong)charge.AmountFen);
        (request.OrderNumber, request.ChargeId) = (charge.OrderNumber, charge.Id);
        return request;
    }

    private static async Task Refused(TestTerminal terminal, ChargeView charge)
    {
        await terminal.SendSealed(new Uplink { PaymentRequest = Answer(terminal, charge) });
        Assert.Equal(Code.ChargeClosed, (await terminal.Next(d => d.Refusal is not null)).Refusal.Code);
    }
}
