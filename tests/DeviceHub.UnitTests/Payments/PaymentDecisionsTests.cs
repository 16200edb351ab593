using DeviceHub.Core.Payments;

namespace DeviceHub.UnitTests.Payments;

/// <summary>Single decisions that the simulation cannot tell apart by where the money is.</summary>
public sealed class PaymentDecisionsTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);
    private static readonly ChannelVerdict NotFound = new(Verdict.NotFound, "ORDERNOTEXIST");

    private readonly PaymentOptions options = new();

    [Theory]
    [InlineData(100, 100, true)]
    [InlineData(79, 100, false)]
    [InlineData(100, 20, false)]
    public void Not_found_counts_by_when_it_was_asked_and_from_the_attempt_however_long_the_process_has_run(int askedAfter, int watched, bool counts)
    {
        var state = Unknown();
        var asked = new Moment(Start.AddSeconds(askedAfter), TimeSpan.FromSeconds(watched));
        var answered = new Moment(Start.AddSeconds(200), TimeSpan.FromSeconds(200));

        var decision = PaymentDecisions.Decide(state.Id, state, new PaymentInput.QueryReply(1, NotFound, asked), answered, options);

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
