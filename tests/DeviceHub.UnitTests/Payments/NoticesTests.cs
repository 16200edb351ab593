using DeviceHub.Core.Payments;
using static DeviceHub.UnitTests.Payments.PaymentStory;

namespace DeviceHub.UnitTests.Payments;

/// <summary>A channel's call is a hint: it has the payment asked about at once, and proves nothing.</summary>
public sealed class NoticesTests
{
    private static readonly ChannelVerdict Typing = new(Verdict.Pending, "USERPAYING");

    [Fact]
    public void Notice_has_the_payment_asked_about_at_once_and_settles_nothing()
    {
        var story = new PaymentStory();
        story.Pay(Typing);

        var decision = story.Notice(1, Paid);

        Assert.IsType<NoticeReceived>(Assert.Single(decision.Events));
        Assert.Equal(EffectKind.Query, decision.Effect?.Kind);
        Assert.Equal(AttemptFate.Pending, story.State.Current.Fate);
    }

    [Fact]
    public void Same_notice_again_writes_nothing()
    {
        var story = new PaymentStory();
        story.Pay(Typing);
        story.Notice(1, Paid);
        story.Query(1, Typing);

        for (var again = 0; again < 100; again++)
        {
            Assert.Empty(story.Notice(1, Paid).Events.OfType<NoticeReceived>());
        }
    }

    [Fact]
    public void Flood_of_different_notices_is_bounded()
    {
        var story = new PaymentStory();
        story.Pay(NoAnswer);
        var written = 0;
        for (var i = 0; i < 1000; i++)
        {
            written += story.Notice(1, new(Verdict.Approved, "SUCCESS", Transaction: $"T{i}")).Events.OfType<NoticeReceived>().Count();
        }

        Assert.Equal(story.Options.MaxNotices, written);
    }

    [Fact]
    public void Notice_that_says_what_is_known_writes_nothing()
    {
        var paid = new PaymentStory();
        paid.Pay(Paid);
        var declined = new PaymentStory();
        declined.Pay(new(Verdict.Declined, "NOTENOUGH"));

        Assert.Empty(paid.Notice(1, Paid).Events);
        Assert.Empty(declined.Notice(1, new(Verdict.Declined, "PAYERROR")).Events);
        Assert.Empty(declined.Notice(1, new(Verdict.Closed, "CLOSED")).Events);
    }

    [Fact]
    public void Notice_of_an_order_that_is_not_the_payments_is_ignored_after_the_ledger_was_read_again()
    {
        var story = new PaymentStory();
        var notice = new PaymentInput.Notice("d-of-another", null, Paid);

        var decision = story.Tell(notice, busy: true);

        Assert.Empty(decision.Events);
        Assert.True(PaymentDecisions.MayBeBehind(notice, decision));
    }

    [Fact]
    public void Late_notice_of_a_charge_that_was_reversed_costs_one_query()
    {
        var story = new PaymentStory();
        story.Pay(NoAnswer);
        story.Tell(new PaymentInput.Cancel("terminal"));
        story.UntilQuiet(e => e.Kind == EffectKind.Query && story.State.Current.Reversals == 0 ? Paid : new(Verdict.Reversed, "REVOKED"));
        Assert.Equal(PaymentResult.NotCharged, story.State.Outcome?.Result);
        var queries = story.State.Current.QueriesInAll;

        story.Notice(1, Paid);
        story.UntilQuiet(_ => new(Verdict.Reversed, "REVOKED"));

        Assert.Equal(queries + 1, story.State.Current.QueriesInAll);
        Assert.Equal((PaymentResult.NotCharged, 1), (story.State.Outcome!.Result, story.State.Outcome.Revision));
        Assert.Empty(story.State.Refunds);
    }

    [Fact]
    public void Notice_of_a_refund_has_the_refund_asked_about_at_once()
    {
        var story = new PaymentStory();
        story.Pay(Paid);
        var number = story.Refund(400, "k1").Effect!.RefundNumber!;
        story.Refunded(number, Verdict.Pending);

        var decision = story.Notice(1, new(Verdict.Refunded, "SUCCESS"), number);

        Assert.Equal(new PaymentEffect(EffectKind.QueryRefund, 1, number), decision.Effect);
        Assert.Equal(RefundStanding.Pending, story.State.Refund(number)!.Standing);
        story.Refunded(number, Verdict.Refunded);
        Assert.Empty(story.Notice(1, new(Verdict.Refunded, "SUCCESS"), number).Events);
    }

    [Fact]
    public void Refund_made_at_the_channels_own_pages_is_found_and_shown_to_people()
    {
        var story = new PaymentStory();
        story.Pay(Paid);

        Assert.Equal(EffectKind.Query, story.Notice(1, new(Verdict.Refunded, "SUCCESS"), "made-elsewhere").Effect?.Kind);
        story.Query(1, new(Verdict.Refunded, "REFUND"));

        Assert.True(story.State.NeedsAttention);
        Assert.Equal(PaymentResult.Approved, story.State.Outcome?.Result);
        Assert.Equal(0, story.State.RestFen);
    }

    [Fact]
    public void Payment_that_was_approved_is_never_reversed_by_the_hub_itself()
    {
        // A part was paid back at the channel's own pages, an old notice comes again, and then the channel is silent.
        var story = new PaymentStory();
        story.Pay(Paid);
        story.Notice(1, new(Verdict.Refunded, "SUCCESS"), "made-elsewhere");
        story.Query(1, new(Verdict.Refunded, "REFUND"));
        story.Notice(1, Paid);

        for (var steps = 0; steps < 60; steps++)
        {
            if (story.Last.Effect is { } effect)
            {
                Assert.Equal(EffectKind.Query, effect.Kind);
                story.Query(1, steps < 30 ? NoAnswer : new(Verdict.NotFound, "ORDERNOTEXIST"));
            }
            else
            {
                story.Wait(300);
            }
        }

        story.Query(1, Paid);
        Assert.Equal((AttemptFate.Charged, 1000L, PaymentResult.Approved), (story.State.Current.Fate, story.State.RestFen, story.State.Outcome!.Result));
        Assert.Equal(0, story.State.Current.Reversals);
    }
}
