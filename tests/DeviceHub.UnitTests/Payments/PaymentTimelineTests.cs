using System.Globalization;
using DeviceHub.Core.Payments;

namespace DeviceHub.UnitTests.Payments;

/// <summary>What people are told of a payment's walk: the steps, their lanes, how long after the scan they began, how long they took, and why.</summary>
public sealed class PaymentTimelineTests
{
    private static readonly ChannelVerdict Typing = new(Verdict.Pending, "USERPAYING");
    private static readonly ChannelVerdict Nothing = new(Verdict.NotFound, "ORDERNOTEXIST");

    [Fact]
    public void Paid_at_once()
    {
        var story = new Told();
        story.Pay(PaymentStory.Paid);
        story.Shown();
        Assert.Equal(
            """
            0+0 terminal Scanned
            0+0 hub Accepted
            0+0 hub Routed First
            0+1 A1 Paid Approved
            1+0 hub Outcome Charged Approved
            1+1 terminal Shown Approved
            """,
            story.Lines);
    }

    [Fact]
    public void Password_is_typed_and_many_queries_with_one_answer_are_one_step()
    {
        var story = new Told();
        story.Pay(Typing);
        for (var i = 0; i < 5; i++)
        {
            story.Query(1, Typing, after: 5);
        }

        story.Query(1, PaymentStory.Paid, after: 5);
        Assert.Equal(
            """
            0+0 terminal Scanned
            0+0 hub Accepted
            0+0 hub Routed First
            0+1 A1 Paid Pending
            6+20 A1 Queried CustomerTypes Pending x5
            31+0 A1 Queried CustomerTypes Approved
            31+0 hub Outcome Charged Approved
            31... terminal Shown Approved
            """,
            story.Lines);
    }

    [Fact]
    public void Another_account_takes_it_when_the_first_was_proven_not_to_have_reached_the_payer()
    {
        var story = new Told();
        story.Pay(PaymentStory.NotReached, PaymentStory.To("A2", "alipay"));
        story.Pay(new ChannelVerdict(Verdict.Declined, "BALANCE", Reason: DeclineReason.InsufficientFunds));
        Assert.Equal(
            """
            0+0 terminal Scanned
            0+0 hub Accepted
            0+0 hub Routed First
            0+1 A1 Paid Rerouteable
            1+0 hub Routed NotReached
            1+1 A2 Paid Declined
            2+0 hub Outcome DeclinedByChannel Declined
            2... terminal Shown Declined
            """,
            story.Lines);
    }

    [Fact]
    public void Answer_is_lost_and_the_order_is_not_found_reversed_and_proven_unknown()
    {
        var story = new Told();
        story.Pay(PaymentStory.NoAnswer);
        story.UntilFinal(effect => effect.Kind == EffectKind.Reverse ? new(Verdict.Closed, "OK") : Nothing);
        var lines = story.Lines.Split('\n');
        Assert.Equal("0+1 A1 Paid Unknown", lines[3]);
        Assert.Contains(lines, l => l.Contains("A1 Queried InDoubt NotFound", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.Contains("A1 Reversed DoubtTooLong Closed", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.Contains("A1 Reversed NotFound Closed", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.Contains("hub Outcome ProvenUnknown NotCharged", StringComparison.Ordinal));
        Assert.InRange(lines.Length, 8, 16);
    }

    [Fact]
    public void Cancelled_by_the_cashier_and_given_back_by_a_person()
    {
        var story = new Told();
        story.Pay(Typing);
        story.Tell(new PaymentInput.Cancel("terminal"));
        Assert.Contains("2+0 terminal Cancelled by terminal", story.Lines, StringComparison.Ordinal);

        var paid = new Told();
        paid.Pay(PaymentStory.Paid);
        paid.Refund(300, "k1");
        Assert.EndsWith("2... A1 Refunded AskedFor by user:cashier ¥300", paid.Lines, StringComparison.Ordinal);
        paid.Refunded(paid.Number, Verdict.Pending);
        Assert.EndsWith("2... A1 Refunded AskedFor Pending by user:cashier ¥300", paid.Lines, StringComparison.Ordinal);
        paid.Refunded(paid.Number, Verdict.Refunded);
        Assert.EndsWith("2+2 A1 Refunded AskedFor Refunded x2 by user:cashier ¥300", paid.Lines, StringComparison.Ordinal);
    }

    [Fact]
    public void Process_died_while_the_channel_had_the_payment_and_its_answer_came_late()
    {
        var story = new Told();
        story.Wait(20);
        story.Pay(PaymentStory.Paid);
        Assert.Equal(
            """
            0+0 terminal Scanned
            0+0 hub Accepted
            0+0 hub Routed First
            0+20 A1 Paid
            20+0 hub Interrupted
            21+0 A1 LateAnswer Approved
            """,
            story.Lines);
    }

    [Fact]
    public void Reversing_and_asking_again_and_again_for_hours_are_two_steps()
    {
        var story = new Told();
        story.Pay(PaymentStory.NoAnswer);
        story.Go(60, effect => PaymentStory.NoAnswer);
        var lines = story.Lines.Split('\n');
        Assert.InRange(lines.Length, 6, 14);
        Assert.Contains(lines, l => l.Contains("A1 Reversed DoubtTooLong Unknown", StringComparison.Ordinal));
        Assert.Matches("A1 Reversed Again Unknown x1[0-9]", story.Lines);
        Assert.Matches("A1 Queried AfterReversal Unknown x1[0-9]", story.Lines);
    }

    [Fact]
    public void Charged_late_and_given_back_by_the_hub()
    {
        var story = new Told();
        story.Pay(PaymentStory.NoAnswer);
        story.UntilFinal(effect => effect.Kind == EffectKind.Reverse ? new(Verdict.Closed, "OK") : Nothing);
        story.Go(8, effect => effect.Kind == EffectKind.Refund ? new(Verdict.Refunded, "OK") : PaymentStory.Paid);
        Assert.Contains("A1 Queried ToBeSure Approved", story.Lines, StringComparison.Ordinal);
        Assert.Contains("A1 Refunded ChargedLate Refunded", story.Lines, StringComparison.Ordinal);
        Assert.Contains("hub Outcome GivenBack Refunded", story.Lines, StringComparison.Ordinal);
        Assert.Single(story.Lines.Split('\n'), l => l.Contains("terminal Shown", StringComparison.Ordinal));
    }

    [Fact]
    public void Times_are_told_from_the_scan_by_the_terminals_own_measure()
    {
        var at = new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);
        var accepted = new PaymentAccepted(at, 1000, "CNY", Wallet.WeChat, "6789", "mac", null, "M1", "Noodle shop", "S1", at.AddSeconds(30), null, ScanAgeMs: 420);
        var timeline = PaymentTimeline.Of(new("SN1", "request-1"), [accepted]);
        Assert.Equal(at.AddMilliseconds(-420), timeline.ScannedAt);
        Assert.Equal((timeline.ScannedAt, at), (timeline.Steps[0].From, timeline.Steps[0].To!.Value));
        Assert.Equal(2, timeline.Lanes.Count);
    }

    /// <summary>A story with all its events.</summary>
    private sealed class Told
    {
        private readonly PaymentStory story = new();
        private readonly List<PaymentEvent> events = [];

        public Told() => events.AddRange(story.Last.Events);

        public string Number => story.State.Refunds[0].Number;

        public string Lines
        {
            get
            {
                var timeline = PaymentTimeline.Of(story.Id, events);
                return string.Join('\n', timeline.Steps.Select(s => Line(timeline, s)));
            }
        }

        public void Tell(PaymentInput input) => Keep(story.Tell(input));

        public void Pay(ChannelVerdict verdict, DeviceHub.Core.Routing.Route? next = null) => Keep(story.Pay(verdict, next));

        public void Query(int attempt, ChannelVerdict verdict, double after)
        {
            Keep(story.Wait(after - 1));
            Keep(story.Query(attempt, verdict));
        }

        public void Wait(double seconds) => Keep(story.Wait(seconds));

        public void Shown() => Tell(new PaymentInput.Shown(1));

        public void Refund(long fen, string key) => Keep(story.Refund(fen, key));

        public void Refunded(string number, Verdict verdict) => Keep(story.Refunded(number, verdict));

        public void UntilFinal(Func<PaymentEffect, ChannelVerdict> answer)
        {
            for (var steps = 0; !story.State.IsFinal; steps++)
            {
                Assert.True(steps < 300);
                Keep(story.Last.Effect switch
                {
                    { Kind: EffectKind.Query } e => story.Query(e.Attempt, answer(e)),
                    { Kind: EffectKind.Reverse } e => story.Tell(new PaymentInput.ReversalReply(e.Attempt, answer(e))),
                    _ => story.Wait(1),
                });
            }
        }

        /// <summary>So many effects are answered, however long the hub waits between them.</summary>
        public void Go(int effects, Func<PaymentEffect, ChannelVerdict> answer)
        {
            for (var steps = 0; effects > 0 && steps < 100_000; steps++)
            {
                effects -= story.Last.Effect is null ? 0 : 1;
                Keep(story.Last.Effect switch
                {
                    { Kind: EffectKind.Query } e => story.Query(e.Attempt, answer(e)),
                    { Kind: EffectKind.Reverse } e => story.Tell(new PaymentInput.ReversalReply(e.Attempt, answer(e))),
                    { RefundNumber: { } number } e => story.Tell(new PaymentInput.RefundReply(number, answer(e))),
                    _ => story.Wait(10),
                });
            }
        }

        private void Keep(PaymentDecision decision) => events.AddRange(decision.Events);

        private static string Line(PaymentTimeline timeline, TimelineStep s)
        {
            var lane = timeline.Lanes[s.Lane].Account ?? (s.Lane == PaymentTimeline.Terminal ? "terminal" : "hub");
            var from = string.Create(CultureInfo.InvariantCulture, $"{(s.From - timeline.ScannedAt).TotalSeconds}");
            var took = s.To is { } to ? string.Create(CultureInfo.InvariantCulture, $"+{(to - s.From).TotalSeconds}") : "...";
            return $"{from}{took} {lane} {s.Kind}" + (s.Reason == TimelineReason.None ? "" : $" {s.Reason}") + (s.Outcome is { } o ? $" {o.Result}" : s.Said is { } v ? $" {v.Verdict}" : "")
                + (s.Times > 1 ? $" x{s.Times}" : "") + (s.By is null ? "" : $" by {s.By}") + (s.Kind == TimelineStepKind.Refunded ? $" ¥{s.AmountFen}" : "");
        }
    }
}
