using DeviceHub.Core;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Routing;
using static DeviceHub.UnitTests.Payments.PaymentStory;

namespace DeviceHub.UnitTests.Payments;

/// <summary>Refunds that people ask for, I8 at every moment, and each refund's own way to its end.</summary>
public sealed class RefundsTests
{
    [Fact]
    public void Parts_and_the_rest_are_refunded_under_numbers_of_their_own_and_the_outcome_stays()
    {
        var story = Approved();

        var first = story.Refund(400, "k1");
        story.Refunded(first.Effect!.RefundNumber!, Verdict.Refunded);
        var second = story.Refund(600, "k2");
        story.Refunded(second.Effect!.RefundNumber!, Verdict.Refunded);

        Assert.Equal([story.Order(1) + "r1", story.Order(1) + "r2"], story.State.Refunds.Select(r => r.Number));
        Assert.Equal((1000L, 0L), (story.State.RefundedFen, story.State.RestFen));
        Assert.Equal((PaymentResult.Approved, 1), (story.State.Outcome!.Result, story.State.Outcome.Revision));
        Assert.Null(story.Last.Due);
    }

    [Fact]
    public void Refund_above_the_rest_is_refused_and_the_rest_is_named()
    {
        var story = Approved();
        story.Refund(700, "k1");

        var refused = story.Refund(301, "k2");

        Assert.Equal(RefusalCode.RefundTooLarge, refused.Refusal?.Code);
        Assert.Contains("300 fen", refused.Refusal!.Detail, StringComparison.Ordinal);
        Assert.Single(story.State.Refunds);
    }

    [Fact]
    public void Two_at_once_that_together_exceed_it_give_one_refund()
    {
        var story = Approved();
        var before = story.State;
        var one = story.Refund(600, "k1");

        // The other activation decided on the state before: its append conflicts, and it decides again on what is there now.
        Assert.Null(PaymentDecisions.Decide(story.Id, before, Wanted(600, "k2"), default, story.Options).Refusal);
        var again = story.Tell(Wanted(600, "k2"), busy: true);

        Assert.Single(one.Events.OfType<RefundStarted>());
        Assert.Equal(RefusalCode.RefundTooLarge, again.Refusal?.Code);
        Assert.Equal(400, story.State.RestFen);
    }

    [Fact]
    public void Same_key_is_the_same_refund_and_with_another_amount_a_conflict()
    {
        var story = Approved();
        story.Refund(400, "k1");

        var repeat = story.Refund(400, "k1");
        Assert.DoesNotContain(repeat.Events, e => e is RefundStarted);
        Assert.Null(repeat.Refusal);
        Assert.Equal(story.Order(1) + "r1", PaymentDecisions.Repeated(story.State, new("k1", 400, "", ""))?.Number);
        Assert.Equal(RefusalCode.RequestConflict, story.Refund(500, "k1").Refusal?.Code);
    }

    [Fact]
    public void Payment_that_is_not_approved_has_nothing_to_refund()
    {
        var running = new PaymentStory();
        var declined = new PaymentStory();
        declined.Pay(new(Verdict.Declined, "NOTENOUGH"));

        Assert.Equal(RefusalCode.NotApproved, running.Tell(Wanted(1, "k"), busy: true).Refusal?.Code);
        Assert.Equal(RefusalCode.NotApproved, declined.Refund(1, "k").Refusal?.Code);
        Assert.Empty(declined.State.Refunds);
    }

    [Fact]
    public void Unknown_refund_is_queried_and_sent_again_under_its_number_only_when_the_channel_has_none()
    {
        var story = Approved();
        var number = story.Refund(400, "k1").Effect!.RefundNumber!;

        story.Refunded(number, Verdict.Unknown);
        Assert.Equal(new PaymentEffect(EffectKind.QueryRefund, 1, number), story.Wait(60).Effect);
        Assert.Equal(600, story.State.RestFen);
        story.Refunded(number, Verdict.NotFound);
        Assert.Equal(new PaymentEffect(EffectKind.Refund, 1, number), story.Wait(60).Effect);
        story.Refunded(number, Verdict.Pending);
        Assert.Equal(new PaymentEffect(EffectKind.QueryRefund, 1, number), story.Wait(60).Effect);
        story.Refunded(number, Verdict.Refunded);
        Assert.Equal((RefundStanding.Done, null), (story.State.Refunds[0].Standing, story.Last.Due));
    }

    [Fact]
    public void Refund_that_fails_gives_its_amount_free_and_is_shown_to_people()
    {
        var story = Approved();
        var number = story.Refund(1000, "k1").Effect!.RefundNumber!;
        Assert.Equal(0, story.State.RestFen);

        story.Refunded(number, Verdict.RefundFailed);

        Assert.Equal((RefundStanding.Failed, 1000L, true), (story.State.Refunds[0].Standing, story.State.RestFen, story.State.NeedsAttention));
        Assert.Null(story.Last.Due);
        Assert.Equal(story.Order(1) + "r2", story.Refund(1000, "k2").Effect?.RefundNumber);
    }

    [Fact]
    public void Refused_refund_of_a_late_charge_is_not_done_because_the_channel_shows_that_one_was_begun()
    {
        var story = new PaymentStory();
        story.Pay(NotReached, new Route(null, "none"));
        story.Notice(1, Paid);

        // As WeChat does: an order of which a refund was begun shows so, whatever became of the refund.
        story.UntilQuiet(e => e.Kind != EffectKind.Query ? new(Verdict.RefundFailed, "CLOSED") : story.State.Refunds.IsEmpty ? Paid : new(Verdict.Refunded, "REFUND"));

        Assert.Equal((PaymentResult.Declined, 1), (story.State.Outcome!.Result, story.State.Outcome.Revision));
        Assert.Equal((AttemptFate.Charged, RefundStanding.Failed, true), (story.State.Current.Fate, story.State.Refunds[0].Standing, story.State.NeedsAttention));
    }

    [Fact]
    public void Refused_refund_leaves_an_approved_payment_charged_whatever_the_order_shows()
    {
        var story = Approved();
        story.Refunded(story.Refund(400, "k1").Effect!.RefundNumber!, Verdict.RefundFailed);

        story.Notice(1, new(Verdict.Refunded, "REFUND"));
        story.Query(1, new(Verdict.Refunded, "REFUND"));

        Assert.Equal((AttemptFate.Charged, 1000L), (story.State.Current.Fate, story.State.RestFen));
    }

    [Fact]
    public void Failed_refund_counts_again_when_the_channel_calls_that_it_was_done()
    {
        var story = Approved();
        var number = story.Refund(1000, "k1").Effect!.RefundNumber!;
        story.Refunded(number, Verdict.RefundFailed);

        story.Notice(1, new(Verdict.Refunded, "SUCCESS"), number);

        Assert.Equal(0, story.State.RestFen);
        Assert.Equal(RefusalCode.RefundTooLarge, story.Tell(Wanted(1, "k2"), busy: true).Refusal?.Code);
    }

    [Fact]
    public void Answer_that_is_older_than_the_proof_does_not_take_it_back()
    {
        var story = Approved();
        var number = story.Refund(400, "k1").Effect!.RefundNumber!;
        story.Refunded(number, Verdict.Refunded);

        story.Refunded(number, Verdict.NotFound);

        Assert.Equal((RefundStanding.Done, null), (story.State.Refunds[0].Standing, story.Last.Effect));
    }

    [Fact]
    public void Refunds_of_one_payment_are_limited()
    {
        var story = new PaymentStory(options: new() { MaxRefunds = 2 });
        story.Pay(Paid);
        story.Refund(1, "k1");
        story.Refund(1, "k2");

        Assert.Equal(RefusalCode.RefundTooLarge, story.Tell(Wanted(1, "k3"), busy: true).Refusal?.Code);
    }

    [Fact]
    public void Refusal_is_given_only_after_the_ledger_was_read_again()
    {
        var story = new PaymentStory();

        Assert.True(PaymentDecisions.MayBeBehind(Wanted(1, "k"), story.Tell(Wanted(1, "k"), busy: true)));
    }

    private static PaymentInput.Refund Wanted(long fen, string key) => new(new RefundRequest(key, fen, "soup was cold", "user:cashier"));

    private static PaymentStory Approved()
    {
        var story = new PaymentStory();
        story.Pay(Paid);
        return story;
    }
}
