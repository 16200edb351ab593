using DeviceHub.Core.Payments;

namespace DeviceHub.UnitTests.Channels.Shouqianba;

public sealed class ShouqianbaTerminalsTests
{
    [Fact]
    public async Task First_call_of_a_day_in_China_checks_in_and_keeps_the_key_before_it_is_used()
    {
        var stub = Stub();

        Assert.Equal(Verdict.Approved, (await stub.Pay()).Verdict);

        Assert.Equal(["/terminal/checkin", "/upay/v2/pay"], stub.Paths);
        Assert.Equal(("key2", "2026-11-26"), (stub.Kept.Secret("terminalKey")!.Reveal(), stub.Kept.Setting("keyDay")));
        Assert.Equal(Verdict.Approved, (await stub.Pay()).Verdict);
        Assert.Equal(3, stub.Handler.Requests.Count);

        // 16:30Z is 00:30 in China; 15:59Z is still that day there.
        stub.Clock.Advance(TimeSpan.FromHours(23.4));
        Assert.Equal(Verdict.Approved, (await stub.Pay()).Verdict);
        Assert.Equal(4, stub.Handler.Requests.Count);
        stub.Clock.Advance(TimeSpan.FromHours(0.2));
        Assert.Equal(Verdict.Approved, (await stub.Pay()).Verdict);
        Assert.Equal(("key3", "2026-11-27"), (stub.Kept.Secret("terminalKey")!.Reveal(), stub.Kept.Setting("keyDay")));
    }

    [Fact]
    public async Task Calls_at_once_check_in_once()
    {
        var stub = Stub();
        var verdicts = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(stub.Pay)));
        Assert.All(verdicts, v => Assert.Equal(Verdict.Approved, v.Verdict));
        Assert.Equal(1, stub.Paths.Count(p => p == "/terminal/checkin"));
    }

    [Fact]
    public async Task Call_that_looked_before_anothers_check_in_and_comes_after_it_signs_with_the_new_key()
    {
        var stub = Stub();
        var first = Verdict.Unknown;
        stub.Meanwhile = () => first = Task.Run(stub.Pay).GetAwaiter().GetResult().Verdict;

        Assert.Equal(Verdict.Approved, (await stub.Pay()).Verdict);
        Assert.Equal(Verdict.Approved, first);
        Assert.Single(stub.Paths, p => p == "/terminal/checkin");
    }

    [Fact]
    public async Task Caller_with_an_older_instance_of_the_account_signs_with_the_key_that_is_kept()
    {
        var stub = Stub();
        var older = stub.Reference;
        await stub.Pay();
        Assert.NotSame(older.Account, stub.Kept);
        Assert.NotEqual("400.ILLEGAL_SIGN", (await stub.Channel.Query(older, default)).Code);
    }

    [Fact]
    public async Task Lost_answer_to_a_check_in_is_repeated_with_the_old_key()
    {
        var stub = Stub();
        stub.LoseCheckIns = 1;

        Assert.Equal(Verdict.Approved, (await stub.Pay()).Verdict);

        Assert.Equal(["/terminal/checkin", "/terminal/checkin", "/upay/v2/pay"], stub.Paths);
        Assert.Equal("key3", stub.Kept.Secret("terminalKey")!.Reveal());
        Assert.Contains(stub.Logged, l => l.StartsWith("CheckInLost: Shouqianba account ca_1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Account_whose_check_ins_were_both_lost_says_so_until_it_is_activated_again()
    {
        var stub = Stub();
        stub.LoseCheckIns = 2;

        // Nothing reached the customer's wallet: the payment may go another way.
        var verdict = await stub.Pay();
        Assert.Equal((Verdict.Rerouteable, "400.ILLEGAL_SIGN"), (verdict.Verdict, verdict.Code));
        Assert.Contains("activate it again with a new code", verdict.Text, StringComparison.Ordinal);

        // It is not asked at each payment, and when it is, it is refused, which people are told.
        await stub.Pay();
        Assert.Equal(2, stub.Paths.Count(p => p == "/terminal/checkin"));
        stub.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Contains("activate it again", (await stub.Channel.Test(stub.Kept, default)).Says, StringComparison.Ordinal);
        Assert.Contains(stub.Logged, l => l.StartsWith("CheckInRefused: Shouqianba account ca_1: its check-in is refused with 400.ILLEGAL_SIGN", StringComparison.Ordinal));

        var check = await stub.Channel.Activate(stub.Kept, default);
        Assert.Equal(new AccountCheck(true, $"asked Shouqianba to activate a terminal: it is terminal {ShouqianbaStub.Sn}9, and its key is kept"), check);
        Assert.Equal((ShouqianbaStub.Sn + "9", stub.Key, "2026-11-26", "ca_1"), (stub.Kept.Setting("terminalSn"), stub.Kept.Secret("terminalKey")!.Reveal(), stub.Kept.Setting("keyDay"), stub.Kept.Setting("deviceId")));
        Assert.Equal("2026-11-25T16:32:00.000Z", stub.Kept.Setting("terminalSince"));
        Assert.DoesNotContain(stub.Logged, l => l.Contains("key", StringComparison.Ordinal) && l.Any(char.IsDigit) && l.Contains("key1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Order_that_is_older_than_the_terminal_is_not_missing_because_the_terminal_knows_none()
    {
        var stub = new ShouqianbaStub(_ => ShouqianbaStub.Business("FAIL", error: "UPAY_ORDER_NOT_EXISTS"), fields: [("terminalSince", "2026-11-25T16:00:00.000Z")]);
        var since = new DateTimeOffset(2026, 11, 25, 16, 0, 0, TimeSpan.Zero);
        var (older, younger) = (Begun(since.AddMilliseconds(-1)), Begun(since));

        foreach (var call in (Func<ChannelReference, Task<ChannelVerdict>>[])[o => stub.Channel.Query(o, default), o => stub.Channel.Reverse(o, default), o => stub.Channel.Refund(new(o, "r1", 1), default)])
        {
            var verdict = await call(older);
            Assert.Equal((Verdict.Unknown, "order-older-than-account"), (verdict.Verdict, verdict.Code));
            Assert.Equal("FAIL.UPAY_ORDER_NOT_EXISTS", (await call(younger)).Code);
        }

        // Asked for again under its own number, which is what then proves.
        Assert.Equal(Verdict.NotFound, (await stub.Channel.QueryRefund(new(older, "r1", 1), default)).Verdict);

        ChannelReference Begun(DateTimeOffset at) => new($"d{at.ToUnixTimeMilliseconds():x11}{7:x18}", stub.Kept, ShouqianbaStub.Amount);
    }

    [Fact]
    public async Task Key_is_kept_though_the_account_was_changed_meanwhile()
    {
        var stub = Stub();
        stub.ChangedMeanwhile = 2;
        Assert.Equal(Verdict.Approved, (await stub.Pay()).Verdict);
        Assert.Equal("key2", stub.Kept.Secret("terminalKey")!.Reveal());
    }

    [Fact]
    public async Task Key_that_cannot_be_kept_is_had_again_with_the_old_one()
    {
        var stub = Stub();
        stub.ChangedMeanwhile = 3;
        Assert.Equal(Verdict.Approved, (await stub.Pay()).Verdict);
        Assert.Equal("key1", stub.Kept.Secret("terminalKey")!.Reveal());
        Assert.Contains(stub.Logged, l => l.StartsWith("CheckInNotKept", StringComparison.Ordinal));

        stub.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(Verdict.Approved, (await stub.Pay()).Verdict);
        Assert.Equal("key3", stub.Kept.Secret("terminalKey")!.Reveal());
    }

    [Fact]
    public async Task Activation_needs_the_providers_key_and_a_good_code()
    {
        var stub = new ShouqianbaStub(fields: [("vendorKey", null)]);
        Assert.Equal(new AccountCheck(false, "the account needs vendorSn, vendorKey, appId and activationCode to be activated"), await stub.Channel.Activate(stub.Kept, default));

        stub = new ShouqianbaStub(fields: [("activationCode", "87654321")]);
        var refused = await stub.Channel.Activate(stub.Kept, default);
        Assert.Equal((false, "asked Shouqianba to activate a terminal: it was refused with 400.INVALID_PARAMS; a code is good for 7 days and for a number of terminals"), (refused.Works, refused.Says));
        stub = new ShouqianbaStub(fields: [("terminalSn", null), ("terminalKey", null)]) { ChangedMeanwhile = 1 };
        Assert.Contains("its key is not kept; activate again", (await stub.Channel.Activate(stub.Kept, default)).Says, StringComparison.Ordinal);
        Assert.True((await stub.Channel.Activate(stub.Kept, default)).Works);
    }

    private static ShouqianbaStub Stub() => new(path => ShouqianbaStub.Business(path.EndsWith("pay", StringComparison.Ordinal) ? "PAY_SUCCESS" : "SUCCESS", "PAID"), checkIn: true);
}
