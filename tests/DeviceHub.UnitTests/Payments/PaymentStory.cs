using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using DeviceHub.Core.Routing;

namespace DeviceHub.UnitTests.Payments;

/// <summary>A payment that is told step by step to the decision core, by one activation that watches all the time.</summary>
internal sealed class PaymentStory
{
    public static readonly ChannelVerdict Paid = new(Verdict.Approved, "SUCCESS", PaidFen: 1000);
    public static readonly ChannelVerdict NotReached = new(Verdict.Rerouteable, "NOAUTH");
    public static readonly ChannelVerdict NoAnswer = new(Verdict.Unknown, "timeout");

    private static readonly DateTimeOffset Start = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);
    private TimeSpan elapsed;

    public PaymentStory(string channel = "sandbox", PaymentOptions? options = null)
    {
        Options = options ?? new();
        var wanted = new PaymentRequest(Id.RequestId, 1000, "CNY", new PaymentCode("134567890123456789"), null, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        Tell(new PaymentInput.Request(new PaymentOrder(Id, wanted, Wallet.WeChat, "M1", "Noodle shop", "S1", Start.AddSeconds(30)), "fingerprint", To("A1", channel)));
    }

    public PaymentId Id { get; } = new("SN1", "request-1");

    public PaymentOptions Options { get; }

    public PaymentState State => Last.State!;

    public PaymentDecision Last { get; private set; } = new(null, [], null, null);

    public static Route To(string account, string channel = "sandbox") =>
        new(new ChannelAccount { Id = account, MerchantId = "M1", Channel = channel }, $"{account} is next");

    public string Order(int attempt) => State.Attempts[attempt - 1].OrderNumber;

    /// <param name="after">Seconds since the last input.</param>
    public PaymentDecision Tell(PaymentInput input, double after = 1, bool busy = false)
    {
        elapsed += TimeSpan.FromSeconds(after);
        return Last = PaymentDecisions.Decide(Id, Last.State, input, new Moment(Start + elapsed, elapsed, busy), Options);
    }

    public PaymentDecision Pay(ChannelVerdict verdict, Route? next = null) => Tell(new PaymentInput.PayReply(State.Current.Number, verdict, next));

    public PaymentDecision Query(int attempt, ChannelVerdict verdict) =>
        Tell(new PaymentInput.QueryReply(attempt, verdict, new Moment(Start + elapsed, elapsed), State));

    public PaymentDecision Notice(int attempt, ChannelVerdict verdict, string? refund = null) => Tell(new PaymentInput.Notice(Order(attempt), refund, verdict));

    public PaymentDecision Refund(long fen, string key) => Tell(new PaymentInput.Refund(new RefundRequest(key, fen, "soup was cold", "user:cashier")));

    public PaymentDecision Refunded(string number, Verdict verdict) => Tell(new PaymentInput.RefundReply(number, new(verdict, verdict.ToString())));

    public PaymentDecision Wait(double seconds) => Tell(new PaymentInput.Tick(), seconds);

    /// <summary>Effects are answered with this until nothing is left to do.</summary>
    public void UntilQuiet(Func<PaymentEffect, ChannelVerdict> answer)
    {
        for (var steps = 0; Last.Effect is not null || Last.Due is not null; steps++)
        {
            Assert.True(steps < 300, $"not quiet: {State.Stage}, due {Last.Due}");
            var now = Start + elapsed;
            switch (Last.Effect)
            {
                case null:
                    Wait(Math.Max(0, (Last.Due!.Value - now).TotalSeconds));
                    break;
                case { Kind: EffectKind.Query } e:
                    Query(e.Attempt, answer(e));
                    break;
                case { Kind: EffectKind.Reverse } e:
                    Tell(new PaymentInput.ReversalReply(e.Attempt, answer(e)));
                    break;
                case { Kind: EffectKind.Refund or EffectKind.QueryRefund } e:
                    Tell(new PaymentInput.RefundReply(e.RefundNumber!, answer(e)));
                    break;
                default:
                    throw new InvalidOperationException("Pay is not answered here");
            }
        }
    }
}
