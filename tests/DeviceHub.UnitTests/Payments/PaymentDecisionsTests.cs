using DeviceHub.Core.Payments;

namespace DeviceHub.UnitTests.Payments;

/// <summary>Single decisions that the simulation cannot tell apart by where the money is.</summary>
public sealed class PaymentDecisionsTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);
    private static readonly ChannelVerdict NotFound = new(Verdict.NotFound, "ORDERNOTEXIST");
    private static readonly ChannelVerdict NoAnswer = new(Verdict.Unknown, "timeout");
    private static readonly ChannelVerdict Paid = new(Verdict.Approved, "SUCCESS", PaidFen: 1000);

    private readonly PaymentOptions options = new();

    private TimeSpan NotFoundWait => options.For("sandbox").NotFoundWait;

    [Theory]
    [InlineData(100, 100, true)]
    [InlineData(79, 100, false)]
    [InlineData(100, 20, false)]
    public void Not_found_counts_by_when_it_was_asked_and_from_the_attempt_however_long_the_process_has_run(int askedAfter, int watched, bool counts)
    {
        var state = Unknown();
        var asked = new Moment(Start.AddSeconds(askedAfter), TimeSpan.FromSeconds(watched));
        var answered = new Moment(Start.AddSeconds(200), TimeSpan.FromSeconds(200));

        var decision = PaymentDecisions.Decide(state.Id, state, new PaymentInput.QueryReply(1, NotFound, asked, state), answered, options);

        Assert.Equal(counts, Assert.IsType<Queried>(decision.Events[0]).Quiet);
    }

    [Fact]
    public void Reversal_follows_the_last_query_at_once_when_the_customer_has_typed_too_long()
    {
        var state = Unknown();
        for (var asked = 15; asked <= 60; asked += 5)
        {
            state = PaymentState.Apply(state.Id, state, new Queried(Start.AddSeconds(asked), 1, new ChannelVerdict(Verdict.Pending, "USERPAYING")));
        }

        var decision = PaymentDecisions.Decide(state.Id, state, new PaymentInput.Tick(), new Moment(Start.AddSeconds(60), TimeSpan.FromSeconds(60)), options);

        Assert.Equal(EffectKind.Reverse, decision.Effect?.Kind);
    }

    public static TheoryData<int> LongWaits() =>
        [.. new PaymentOptions().QueryWaits.Index().Where(w => w.Item >= TimeSpan.FromMinutes(2)).Select(w => w.Index + 1)];

    [Theory]
    [MemberData(nameof(LongWaits))]
    public void Not_found_after_an_outage_is_asked_again_by_the_activation_that_heard_it(int reversals)
    {
        var state = Unknown();
        var now = Start.AddMinutes(15);
        for (var i = 0; i < reversals; i++)
        {
            state = Apply(state, new ReversalStarted(now, 1), new ReversalAnswered(now, 1, NoAnswer));
        }

        // Each query finds the grain just activated, as the sweeper does after a wait that outlives it.
        var heard = Ask(state, new Moment(now, TimeSpan.Zero));

        Assert.InRange(heard.Due!.Value - now, TimeSpan.Zero, NotFoundWait);
        var due = new Moment(heard.Due.Value, NotFoundWait);
        Assert.Equal(EffectKind.Query, PaymentDecisions.Decide(state.Id, heard.State, new PaymentInput.Tick(), due, options).Effect?.Kind);
        Assert.Equal(EffectKind.Reverse, Ask(heard.State!, due).Effect?.Kind);
    }

    [Fact]
    public void After_not_found_an_unanswered_query_waits_its_full_wait()
    {
        var state = Unknown();
        for (var i = 0; i < 16; i++)
        {
            state = Apply(state, new ReversalStarted(Start.AddHours(1), 1), new ReversalAnswered(Start.AddHours(1), 1, NoAnswer));
        }

        state = Apply(state, new Queried(Start.AddHours(1), 1, NotFound));
        var now = new Moment(Start.AddHours(1.5), NotFoundWait);

        var decision = PaymentDecisions.Decide(state.Id, state, new PaymentInput.QueryReply(1, NoAnswer, now, state), now, options);

        Assert.Equal(options.QueryWaits[^1], decision.Due - now.At);
    }

    [Theory]
    [InlineData(Verdict.Unknown)]
    [InlineData(Verdict.Pending)]
    [InlineData(Verdict.NotFound)]
    public void Refund_that_does_not_end_is_shown_to_people_and_given_up_in_the_end(Verdict answer)
    {
        var state = Refunding();
        var now = Start.AddHours(1).AddMinutes(11);
        var decision = PaymentDecisions.Decide(state.Id, state, new PaymentInput.RefundReply("order-1r1", new(answer, "x")), new Moment(now, TimeSpan.Zero), options);
        Assert.Single(decision.Events.OfType<AttentionNeeded>());
        Assert.NotNull(decision.Due);

        state = decision.State!;
        for (now += TimeSpan.FromHours(1); now < Start + options.GiveUpAfter; now += TimeSpan.FromHours(1))
        {
            decision = PaymentDecisions.Decide(state.Id, state, new PaymentInput.RefundReply("order-1r1", new(answer, "x")), new Moment(now, TimeSpan.Zero), options);
            Assert.IsType<RefundAnswered>(Assert.Single(decision.Events));
            Assert.NotNull(decision.Due);
            state = decision.State!;
        }

        decision = PaymentDecisions.Decide(state.Id, state, new PaymentInput.Tick(), new Moment(now.AddHours(1), TimeSpan.Zero), options);
        Assert.Equal((null, null), (decision.Effect, decision.Due));
    }

    [Fact]
    public void Paid_that_was_asked_before_the_payment_was_reversed_and_settled_is_asked_again_and_refunds_nothing()
    {
        var asker = Unknown();
        var state = Apply(
            asker,
            new Queried(Start.AddSeconds(40), 1, Paid),
            new CancelRequested(Start.AddSeconds(41), "terminal"),
            new ReversalStarted(Start.AddSeconds(41), 1),
            new ReversalAnswered(Start.AddSeconds(42), 1, new(Verdict.Reversed, "OK")),
            new Queried(Start.AddSeconds(43), 1, new(Verdict.Reversed, "REVOKED")),
            new OutcomeReached(Start.AddSeconds(43), 1, PaymentResult.NotCharged, DeclineReason.None, 1));
        var now = new Moment(Start.AddSeconds(45), TimeSpan.FromSeconds(45));

        var decision = PaymentDecisions.Decide(state.Id, state, new PaymentInput.QueryReply(1, Paid, new(Start.AddSeconds(40), TimeSpan.FromSeconds(40)), asker), now, options);

        Assert.DoesNotContain(decision.Events, e => e is RefundStarted);
        Assert.Equal(EffectKind.Query, decision.Effect?.Kind);
    }

    [Fact]
    public void Paid_that_was_asked_while_a_reversal_ran_does_not_say_that_the_reversal_did_nothing()
    {
        var state = Apply(Unknown(), new Queried(Start.AddSeconds(40), 1, Paid), new CancelRequested(Start.AddSeconds(41), "terminal"));
        for (var i = 0; i < options.MaxReversals; i++)
        {
            state = Apply(state, new ReversalStarted(Start.AddSeconds(50 + i), 1));
            var asker = state;
            state = Apply(state, new ReversalAnswered(Start.AddSeconds(50 + i), 1, new(Verdict.Reversed, "OK")));
            var now = new Moment(Start.AddSeconds(50 + i), TimeSpan.FromSeconds(50 + i));
            var decision = PaymentDecisions.Decide(state.Id, state, new PaymentInput.QueryReply(1, Paid, now, asker), now, options);
            Assert.DoesNotContain(decision.Events, e => e is RefundStarted);
            Assert.Equal(EffectKind.Query, decision.Effect?.Kind);
            state = decision.State!;
        }
    }

    private PaymentDecision Ask(PaymentState state, Moment now) =>
        PaymentDecisions.Decide(state.Id, state, new PaymentInput.QueryReply(1, NotFound, now, state), now, options);

    private static PaymentState Apply(PaymentState state, params PaymentEvent[] events) =>
        events.Aggregate(state, (s, e) => PaymentState.Apply(s.Id, s, e));

    /// <summary>Settled on "not found"; then a late check said paid.</summary>
    private PaymentState Refunding() => Apply(
        Unknown(),
        new OutcomeReached(Start.AddMinutes(2), 1, PaymentResult.NotCharged, DeclineReason.None, 1),
        new Queried(Start.AddMinutes(10), 1, Paid),
        new RefundStarted(Start.AddMinutes(10), 1, "order-1r1", 1000, "charged after the payment was settled as not charged"));

    private PaymentState Unknown()
    {
        var id = new PaymentId("SN1", "request-1");
        return PaymentState.Fold(
            id,
            [
                new PaymentAccepted(Start, 1000, "CNY", Wallet.WeChat, "6789", "fingerprint", null, "M1", "Noodle shop", "S1", Start.AddSeconds(30), null),
                new AttemptStarted(Start, 1, "sandbox", "M1", "order-1", Start + options.PayDeadline, "the only one"),
                new PayAnswered(Start.AddSeconds(10), 1, new ChannelVerdict(Verdict.Unknown, "timeout")),
            ])!;
    }
}
