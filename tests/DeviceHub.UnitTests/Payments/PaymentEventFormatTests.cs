using System.Text;
using DeviceHub.Core.Charges;
using DeviceHub.Core.Payments;

namespace DeviceHub.UnitTests.Payments;

/// <summary>The ledger outlives every process: a change of these bytes would make old payments unreadable.</summary>
public sealed class PaymentEventFormatTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Ledger_events_are_written_as_the_golden_file_says()
    {
        var golden = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Payments", "payment-events.golden.jsonl"));
        var written = Every().Select(e => Encoding.UTF8.GetString(PaymentEventJson.Write([e])));

        Assert.Equal(golden, written);
    }

    [Fact]
    public void Ledger_events_are_read_back_as_they_were()
    {
        foreach (var e in Every())
        {
            Assert.Equal(e, Assert.Single(PaymentEventJson.Read(PaymentEventJson.Write([e]))));
        }
    }

    [Fact]
    public void Every_kind_of_event_is_in_the_golden_file()
    {
        var kinds = typeof(PaymentEvent).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(PaymentEvent))).Select(t => t.Name).Order();

        Assert.Equal(kinds, Every().Select(e => e.GetType().Name).Distinct().Order());
    }

    [Theory]
    [InlineData(typeof(Verdict), "Unknown=0 Approved=1 Declined=2 Rerouteable=3 Pending=4 NotFound=5 Closed=6 Reversed=7 Refunded=8 RefundFailed=9")]
    [InlineData(typeof(Wallet), "None=0 WeChat=1 Alipay=2 UnionPay=3")]
    [InlineData(typeof(PaymentResult), "None=0 Approved=1 Declined=2 NotCharged=3 Refunded=4")]
    [InlineData(typeof(PaymentStage), "None=0 Working=1 AwaitingCustomer=2 Cancelling=3 InDoubt=4 Final=5")]
    [InlineData(typeof(DeclineReason), "None=0 InsufficientFunds=1 CodeExpired=2 CodeInvalid=3 CustomerRefused=4 Limit=5 ChannelUnavailable=6 Expired=7 Other=8")]
    [InlineData(typeof(ChargeStage), "None=0 Sent=1 Collecting=2 Paying=3 AwaitingCustomer=4 Cancelling=5 InDoubt=6 Closed=7")]
    [InlineData(typeof(ChargeEnd), "None=0 Paid=1 Declined=2 NotCharged=3 Refunded=4 Cancelled=5 CancelledAtTerminal=6 Expired=7 Unreachable=8 TerminalBusy=9 OrderPaid=10")]
    public void Stored_enums_keep_their_numbers(Type type, string values)
    {
        Assert.Equal(values, string.Join(' ', Enum.GetValues(type).Cast<object>().Select(v => $"{v}={(int)v}")));
    }

    private static IEnumerable<PaymentEvent> Every()
    {
        var verdict = new ChannelVerdict(Verdict.Approved, "SUCCESS", "ok", DeclineReason.None, 990, 10, "4200001", "o***x");
        yield return new PaymentAccepted(At, 1000, "CNY", Wallet.WeChat, "6789", "c29tZSBtYWM=", "A-1", "M1", "面馆", "S1", At.AddSeconds(30), "epoch0000001-1");
        yield return new AttemptStarted(At, 1, "sandbox", "M1", "d00", At.AddSeconds(10), "the only channel configured");
        yield return new PayAnswered(At, 1, verdict);
        yield return new Interrupted(At, 1);
        yield return new Queried(At, 1, verdict, true);
        yield return new CancelRequested(At, "terminal");
        yield return new ReversalStarted(At, 1);
        yield return new ReversalAnswered(At, 1, new ChannelVerdict(Verdict.Closed, "OK"));
        yield return new RefundStarted(At, 1, "d00r1", 1000, "charged late");
        yield return new RefundAnswered(At, 1, "d00r1", new ChannelVerdict(Verdict.Refunded, "OK"));
        yield return new OutcomeReached(At, 1, PaymentResult.Approved, DeclineReason.None, 1);
        yield return new OutcomeShown(At, 1);
        yield return new AttentionNeeded(At, "not settled");
        yield return new NoticeReceived(At, 1, "d00r1", new ChannelVerdict(Verdict.Refunded, "OK"));
        yield return new PayAnswered(At, 1, new ChannelVerdict(Verdict.Rerouteable, "NOAUTH"), "there is no other channel");
        yield return new RefundStarted(At, 1, "d00r2", 300, "soup was cold", "key:till", "r-1");
        yield return new PaymentAccepted(At, 1000, "CNY", Wallet.WeChat, "6789", "c29tZSBtYWM=", "A-1", "M1", "面馆", "S1", At.AddSeconds(30), null, "c0123456789abcdef");
        yield return new PaymentAccepted(At, 1000, "CNY", Wallet.WeChat, "6789", "c29tZSBtYWM=", null, "M1", "面馆", "S1", At.AddSeconds(30), null, ScanAgeMs: 180);
    }
}
