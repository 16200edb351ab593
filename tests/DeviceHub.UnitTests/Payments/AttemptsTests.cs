using DeviceHub.Core.Payments;
using DeviceHub.Core.Routing;
using static DeviceHub.UnitTests.Payments.PaymentStory;

namespace DeviceHub.UnitTests.Payments;

/// <summary>Attempt after attempt under I4, and what an older attempt can still bring.</summary>
public sealed class AttemptsTests
{
    [Fact]
    public void What_never_reached_the_payer_goes_on_to_the_next_account_in_the_same_append()
    {
        var story = new PaymentStory();

        var decision = story.Pay(NotReached, To("A2"));

        Assert.IsType<PayAnswered>(decision.Events[0]);
        var next = Assert.IsType<AttemptStarted>(decision.Events[1]);
        Assert.Equal((2, "A2", "A2 is next"), (next.Attempt, next.Account, next.Why));
        Assert.NotEqual(story.Order(1), next.ChannelOrderNumber);
        Assert.Equal(new PaymentEffect(EffectKind.Pay, 2), decision.Effect);
        Assert.Equal(next.Deadline + story.Options.SweepGrace, decision.Due);
    }

    [Theory]
    [InlineData(Verdict.Approved)]
    [InlineData(Verdict.Declined)]
    [InlineData(Verdict.Pending)]
    [InlineData(Verdict.Unknown)]
    [InlineData(Verdict.NotFound)]
    [InlineData(Verdict.Closed)]
    public void Nothing_else_goes_on(Verdict verdict)
    {
        var story = new PaymentStory();

        var decision = story.Pay(new(verdict, "x"), To("A2"));

        Assert.DoesNotContain(decision.Events, e => e is AttemptStarted);
        Assert.NotEqual(EffectKind.Pay, decision.Effect?.Kind);
    }

    [Fact]
    public void Without_another_account_it_is_declined_and_the_timeline_says_why()
    {
        var story = new PaymentStory();

        var decision = story.Pay(NotReached, new Route(null, "every other account is off"));

        Assert.Equal("every other account is off", Assert.IsType<PayAnswered>(decision.Events[0]).NoRoute);
        Assert.Equal((PaymentResult.Declined, DeclineReason.ChannelUnavailable), (story.State.Outcome!.Result, story.State.Outcome.Reason));
    }

    [Fact]
    public void Attempts_are_limited()
    {
        var story = new PaymentStory();
        for (var attempt = 2; attempt <= story.Options.MaxAttempts; attempt++)
        {
            Assert.Equal(EffectKind.Pay, story.Pay(NotReached, To($"A{attempt}")).Effect?.Kind);
        }

        story.Pay(NotReached, To("A9"));

        Assert.Equal(story.Options.MaxAttempts, story.State.Attempts.Length);
        Assert.Equal(PaymentResult.Declined, story.State.Outcome?.Result);
    }

    [Fact]
    public void Cancelled_or_expired_payment_goes_nowhere()
    {
        var cancelled = new PaymentStory();
        cancelled.Tell(new PaymentInput.Cancel("terminal"), busy: true);
        cancelled.Pay(NotReached, To("A2"));
        var expired = new PaymentStory();
        expired.Tell(new PaymentInput.PayReply(1, NotReached, To("A2")), after: 31);

        Assert.All([cancelled, expired], story => Assert.Single(story.State.Attempts));
        Assert.All([cancelled, expired], story => Assert.True(story.State.IsFinal));
    }

    [Theory]
    [InlineData(true, PaymentResult.NotCharged)]
    [InlineData(false, PaymentResult.Refunded)]
    public void Cancel_that_races_with_success_is_done_by_evidence_or_by_a_refund(bool reversalWorks, PaymentResult end)
    {
        var story = new PaymentStory();
        story.Tell(new PaymentInput.Cancel("terminal"), busy: true);

        var paid = story.Pay(Paid, To("A2"));

        Assert.False(story.State.IsFinal);
        Assert.Equal(EffectKind.Query, paid.Effect?.Kind);
        story.UntilQuiet(e => e.Kind switch
        {
            EffectKind.Reverse => new(Verdict.Reversed, "OK"),
            EffectKind.Query => reversalWorks && story.State.Current.Reversals > 0 ? new(Verdict.Reversed, "REVOKED") : Paid,
            _ => new(Verdict.Refunded, "OK"),
        });
        Assert.Equal((end, 1), (story.State.Outcome!.Result, story.State.Outcome.Revision));
        Assert.Equal(reversalWorks ? 0 : 1, story.State.Refunds.Length);
    }

    [Fact]
    public void Answer_that_comes_after_the_attempt_was_given_up_goes_nowhere()
    {
        var story = new PaymentStory();
        story.Pay(NoAnswer);

        var decision = story.Pay(NotReached, To("A2"));

        Assert.DoesNotContain(decision.Events, e => e is AttemptStarted);
        Assert.Equal(AttemptFate.Unknown, story.State.Current.Fate);
    }

    [Fact]
    public void Answer_that_is_written_again_because_nobody_knew_begins_no_third_attempt()
    {
        var story = new PaymentStory();
        story.Pay(NotReached, To("A2"));

        var again = story.Tell(new PaymentInput.PayReply(1, NotReached, To("A3")));

        Assert.Empty(again.Events);
        Assert.Equal(2, story.State.Attempts.Length);
    }

    [Fact]
    public void Channel_that_called_it_paid_and_then_answers_that_it_was_not_reached_is_asked_and_not_left()
    {
        var story = new PaymentStory();
        story.Tell(new PaymentInput.Notice(story.Order(1), null, Paid), busy: true);

        var decision = story.Pay(NotReached, To("A2"));

        Assert.Single(story.State.Attempts);
        Assert.Equal((AttemptFate.Unknown, EffectKind.Query), (story.State.Current.Fate, decision.Effect!.Kind));
        Assert.Equal(PaymentStage.InDoubt, story.State.Stage);
    }

    [Fact]
    public void No_attempt_begins_while_an_older_one_is_doubted()
    {
        var story = new PaymentStory();
        story.Pay(NotReached, To("A2"));
        story.Tell(new PaymentInput.Notice(story.Order(1), null, Paid), busy: true);

        var decision = story.Pay(NotReached, To("A3"));

        Assert.Equal(2, story.State.Attempts.Length);
        Assert.Equal(new PaymentEffect(EffectKind.Query, 1), decision.Effect);
        Assert.False(story.State.IsFinal);
    }

    [Fact]
    public void Older_attempt_that_was_charged_pays_and_the_newer_one_is_undone()
    {
        var story = new PaymentStory();
        story.Pay(NotReached, To("A2"));
        story.Pay(new(Verdict.Pending, "USERPAYING"));
        Assert.Equal(new PaymentEffect(EffectKind.Query, 1), story.Notice(1, Paid).Effect);

        var decision = story.Query(1, Paid);

        Assert.Equal((PaymentResult.Approved, 1), (story.State.Outcome!.Result, story.State.Outcome.Attempt));
        Assert.Equal(2, decision.Effect is null ? 2 : decision.Effect.Attempt);
        Assert.NotNull(decision.Due);
        story.UntilQuiet(e => e.Kind == EffectKind.Reverse || story.State.Attempts[1].Reversals > 0 ? new(Verdict.Closed, "CLOSED") : new(Verdict.Pending, "USERPAYING"));
        Assert.Equal((AttemptFate.Charged, AttemptFate.NotCharged), (story.State.Attempts[0].Fate, story.State.Attempts[1].Fate));
        Assert.Equal((PaymentResult.Approved, 1), (story.State.Outcome.Result, story.State.Outcome.Revision));
    }

    [Fact]
    public void Two_charged_attempts_leave_one_paid_and_the_other_refunded_on_its_own_route()
    {
        var story = new PaymentStory();
        story.Pay(NotReached, To("A2"));
        story.Pay(Paid);
        Assert.Equal(2, story.State.Outcome?.Attempt);

        story.Notice(1, Paid);
        story.UntilQuiet(e => e.Kind switch
        {
            EffectKind.Query => Paid,
            _ => new(Verdict.Refunded, "OK"),
        });

        var refund = Assert.Single(story.State.Refunds);
        Assert.Equal((1, story.Order(1) + "r1", 1000L, RefundStanding.Done), (refund.Attempt, refund.Number, refund.AmountFen, refund.Standing));
        Assert.Equal((PaymentResult.Approved, 1), (story.State.Outcome!.Result, story.State.Outcome.Revision));
        Assert.Equal(0, story.State.RefundedFen);
    }

    [Fact]
    public void Declined_payment_that_turns_out_charged_is_refunded_and_the_terminal_told_so()
    {
        var story = new PaymentStory();
        story.Pay(NotReached, new Route(null, "none"));
        Assert.Equal(PaymentResult.Declined, story.State.Outcome?.Result);

        story.Notice(1, Paid);
        story.UntilQuiet(e => e.Kind == EffectKind.Query ? Paid : new(Verdict.Refunded, "OK"));

        Assert.Equal((PaymentResult.Refunded, 2), (story.State.Outcome!.Result, story.State.Outcome.Revision));
    }

    [Fact]
    public void Payment_is_not_quiet_before_its_older_attempt_is_settled()
    {
        var story = new PaymentStory();
        story.Pay(NotReached, To("A2"));
        story.Pay(Paid);
        story.Notice(1, Paid);

        Assert.NotNull(story.Query(1, NoAnswer).Due);
        Assert.NotNull(story.Tell(new PaymentInput.Shown(1)).Due);
    }

    [Fact]
    public void Charged_order_that_the_channel_reverses_no_more_is_refunded()
    {
        foreach (var (channel, hours) in new[] { ("alipay", 25), ("wechat-v2", 7 * 25) })
        {
            var story = new PaymentStory(channel);
            story.Pay(NoAnswer);
            story.Tell(new PaymentInput.Cancel("user:cashier"), hours * 3600);

            var decision = story.Query(1, Paid);

            Assert.Contains("reverses nothing", Assert.Single(decision.Events.OfType<RefundStarted>()).Why, StringComparison.Ordinal);
            Assert.Equal(EffectKind.Refund, decision.Effect?.Kind);
        }
    }
}
