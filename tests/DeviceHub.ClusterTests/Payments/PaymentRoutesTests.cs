using DeviceHub.Core;
using DeviceHub.Core.Payments;

namespace DeviceHub.ClusterTests.Payments;

/// <summary>The grain with several accounts: where the code goes, and what happens when it can go nowhere. Each test has its own silo.</summary>
public sealed class PaymentRoutesTests : IAsyncLifetime
{
    private static readonly ChannelVerdict Paid = new(Verdict.Approved, "SUCCESS", PaidFen: 1000, Transaction: "T1");
    private static readonly ChannelVerdict NotReached = new(Verdict.Rerouteable, "NOAUTH");
    private readonly PaymentGrainFixture hub = new();

    public ValueTask InitializeAsync() => hub.InitializeAsync();

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public async Task Code_goes_on_to_the_next_account_under_another_number_and_to_each_account_once()
    {
        hub.Routing.Accounts.Add("M2");
        var order = hub.Order();
        hub.Channel.Say(EffectKind.Pay, NotReached);
        hub.Channel.Say(EffectKind.Pay, Paid);
        await hub.Grain(order.Id).Accept(order);
        var view = await hub.Grain(order.Id).Outcome(PaymentStage.Working, TimeSpan.FromSeconds(20));

        Assert.Equal(PaymentResult.Approved, view.Result);
        Assert.Equal(["M1", "M2"], hub.Channel.Paid.Select(p => p.Account));
        Assert.Equal(2, hub.Channel.Paid.Select(p => p.Order).Distinct().Count());
        Assert.Equal(["134567890123456789", "134567890123456789"], hub.Channel.Codes);
        Assert.Equal(["M1", "M2"], hub.Routing.Lessons.Select(l => l.Account));
        foreach (var (_, number) in hub.Channel.Paid)
        {
            Assert.Equal(order.Id, await hub.Ledger.FindByChannelOrder(number));
        }

        // Accept and the answer that began the second attempt, then the outcome: no commit more than it needs.
        Assert.Equal(2, hub.Ledger.Appends);
        var whys = (await hub.Ledger.Read(order.Id))!.Events.OfType<AttemptStarted>().Select(a => a.Why);
        Assert.Equal(["M1 is the first of those left", "M2 is the first of those left"], whys);
    }

    [Fact]
    public async Task Code_goes_on_to_a_third_account_when_the_second_answers_while_the_first_answer_is_still_worked_on()
    {
        hub.Routing.Accounts.AddRange(["M2", "M3"]);
        var order = hub.Order();
        hub.Channel.Say(EffectKind.Pay, NotReached);
        hub.Channel.Say(EffectKind.Pay, NotReached);
        hub.Channel.Say(EffectKind.Pay, Paid);
        await hub.Grain(order.Id).Accept(order);
        var view = await hub.Grain(order.Id).Outcome(PaymentStage.Working, TimeSpan.FromSeconds(20));

        Assert.Equal(PaymentResult.Approved, view.Result);
        Assert.Equal(["M1", "M2", "M3"], hub.Channel.Paid.Select(p => p.Account));
    }

    [Fact]
    public async Task Code_that_no_account_takes_is_declined_with_the_reason()
    {
        hub.Routing.Accounts.Add("M2");
        var order = hub.Order();
        hub.Channel.Say(EffectKind.Pay, NotReached);
        hub.Channel.Say(EffectKind.Pay, NotReached);
        await hub.Grain(order.Id).Accept(order);
        var view = await hub.Grain(order.Id).Outcome(PaymentStage.Working, TimeSpan.FromSeconds(20));

        Assert.Equal((PaymentResult.Declined, DeclineReason.ChannelUnavailable), (view.Result, view.Reason));
        Assert.Equal("no account is left", (await hub.Ledger.Read(order.Id))!.Events.OfType<PayAnswered>().Last().NoRoute);
    }

    [Fact]
    public async Task Payment_that_no_account_can_take_is_refused_and_is_not_in_the_ledger_but_a_known_one_is_answered()
    {
        var known = hub.Order();
        hub.Channel.Say(EffectKind.Pay, Paid);
        await hub.Grain(known.Id).Accept(known);
        var first = await hub.Grain(known.Id).Outcome(PaymentStage.Working, TimeSpan.FromSeconds(20));
        await hub.Grain(known.Id).Shown(first.Revision);
        hub.Routing.Accounts.Clear();
        var order = hub.Order();

        var refused = await hub.Grain(order.Id).Accept(order);
        var repeat = await hub.Grain(known.Id).Accept(known);

        Assert.Equal((RefusalCode.NoChannel, "no account is left"), (refused.Refusal!.Code, refused.Refusal.Detail));
        Assert.Null(await hub.Ledger.Read(order.Id));
        Assert.Equal(PaymentResult.Approved, repeat.View?.Result);
        Assert.Single(hub.Channel.Codes);
    }

    [Fact]
    public async Task Fault_of_the_routing_loses_no_answer_of_a_channel()
    {
        hub.Routing.Accounts.Add("M2");
        var order = hub.Order();
        await hub.Grain(order.Id).Accept(order);
        hub.Routing.Fault = new InvalidOperationException("a fault of the test");
        hub.Channel.Say(EffectKind.Pay, NotReached);
        var view = await hub.Grain(order.Id).Outcome(PaymentStage.Working, TimeSpan.FromSeconds(20));

        Assert.Equal((PaymentResult.Declined, DeclineReason.ChannelUnavailable), (view.Result, view.Reason));
        Assert.NotEmpty(hub.Errors);
        Assert.All(hub.Errors, e => Assert.StartsWith("RoutingFault", e, StringComparison.Ordinal));
        hub.Errors.Clear();
    }

    [Fact]
    public async Task Channel_that_was_given_up_waiting_for_is_not_followed_by_another_account()
    {
        hub.Routing.Accounts.Add("M2");
        var order = hub.Order();
        await hub.Grain(order.Id).Accept(order);
        hub.Clock.Advance(hub.Options.PayDeadline + TimeSpan.FromSeconds(1));
        await hub.Until(order.Id, v => v.Stage == PaymentStage.InDoubt, TimeSpan.FromSeconds(30));
        hub.Channel.Say(EffectKind.Pay, NotReached);
        hub.Channel.Say(EffectKind.Query, Paid);
        var view = await hub.Until(order.Id, v => v.Stage == PaymentStage.Final, TimeSpan.FromSeconds(30));

        Assert.Equal(PaymentResult.Approved, view.Result);
        Assert.Single(hub.Channel.Paid);
    }

    [Fact]
    public async Task Notice_settles_a_payment_by_a_query_and_repeats_of_it_write_nothing()
    {
        var order = hub.Order();
        hub.Channel.Say(EffectKind.Pay, new(Verdict.Pending, "USERPAYING"));
        await hub.Grain(order.Id).Accept(order);
        await hub.Until(order.Id, v => v.Stage == PaymentStage.AwaitingCustomer, TimeSpan.FromSeconds(1));
        hub.Channel.Say(EffectKind.Query, Paid);

        await hub.Grain(order.Id).Noticed(hub.Channel.Paid.Single().Order, null, Paid);
        var view = await hub.Grain(order.Id).Outcome(PaymentStage.AwaitingCustomer, TimeSpan.FromSeconds(20));
        var appends = hub.Ledger.Appends;
        for (var again = 0; again < 20; again++)
        {
            await hub.Grain(order.Id).Noticed(hub.Channel.Paid.Single().Order, null, Paid);
        }

        Assert.Equal(PaymentResult.Approved, view.Result);
        Assert.Equal(appends, hub.Ledger.Appends);
        Assert.Equal([EffectKind.Pay, EffectKind.Query], hub.Channel.Log);
    }

    [Fact]
    public async Task Two_refunds_at_once_that_together_exceed_the_payment_give_one_and_name_the_rest()
    {
        var order = await Approved();
        hub.Channel.Say(EffectKind.Refund, new(Verdict.Refunded, "SUCCESS"));

        var answers = await Task.WhenAll(
            hub.Grain(order.Id).Refund(new RefundRequest("k1", 600, "cold", "user:a")), hub.Grain(order.Id).Refund(new RefundRequest("k2", 600, "cold", "user:b")));

        var taken = Assert.Single(answers, a => a.Refund is not null);
        var refused = Assert.Single(answers, a => a.Refusal is not null);
        Assert.Equal((RefusalCode.RefundTooLarge, 400L), (refused.Refusal!.Code, refused.RestFen));
        var repeat = await hub.Grain(order.Id).Refund(new RefundRequest(taken == answers[0] ? "k1" : "k2", 600, "cold", "user:a"));
        Assert.Equal(taken.Refund!.Number, repeat.Refund?.Number);
        Assert.Single(hub.Channel.Log, c => c == EffectKind.Refund);
    }

    [Fact]
    public async Task Refund_goes_its_way_after_the_payment_was_shown_and_forgotten()
    {
        var order = await Approved();
        await hub.Grain(order.Id).Shown(1);
        hub.Channel.Say(EffectKind.Refund, new(Verdict.Unknown, "timeout"));
        hub.Channel.Say(EffectKind.QueryRefund, new(Verdict.Refunded, "SUCCESS"));

        await hub.Grain(order.Id).Refund(new RefundRequest("k1", 400, "cold", "user:a"));
        RefundList? refunds = null;
        for (var seconds = 0; seconds < 60 && refunds?.Items.Single().Standing != RefundStanding.Done; seconds++)
        {
            hub.Clock.Advance(TimeSpan.FromSeconds(1));
            await hub.Grain(order.Id).Wake();
            refunds = await hub.Grain(order.Id).Refunds();
        }

        Assert.Equal((RefundStanding.Done, 600L), (refunds!.Items.Single().Standing, refunds.RestFen));
        Assert.Equal((PaymentResult.Approved, 1), ((await hub.Grain(order.Id).Find(null)).View!.Result, 1));
    }

    [Fact]
    public async Task Activation_that_another_has_overtaken_reads_the_ledger_before_it_answers_no()
    {
        var order = hub.Order();
        hub.Channel.Say(EffectKind.Pay, new(Verdict.Pending, "USERPAYING"));
        await hub.Grain(order.Id).Accept(order);
        await hub.Until(order.Id, v => v.Stage == PaymentStage.AwaitingCustomer, TimeSpan.FromSeconds(1));
        var now = hub.Clock.GetUtcNow();
        var version = (await hub.Ledger.Read(order.Id))!.Version;
        await hub.Ledger.Append(new LedgerAppend(
            order.Id, version + 1, [new Queried(now, 1, Paid), new OutcomeReached(now, 1, PaymentResult.Approved, DeclineReason.None, 1)], [], null, new(now, true, false)));

        var refund = await hub.Grain(order.Id).Refund(new RefundRequest("k1", 400, "cold", "user:a"));
        await hub.Grain(order.Id).Shown(1);

        Assert.Null(refund.Refusal);
        Assert.Contains((await hub.Ledger.Read(order.Id))!.Events, e => e is OutcomeShown { Revision: 1 });
    }

    private async Task<PaymentOrder> Approved()
    {
        var order = hub.Order();
        hub.Channel.Say(EffectKind.Pay, Paid);
        await hub.Grain(order.Id).Accept(order);
        await hub.Grain(order.Id).Outcome(PaymentStage.Working, TimeSpan.FromSeconds(20));
        return order;
    }
}
