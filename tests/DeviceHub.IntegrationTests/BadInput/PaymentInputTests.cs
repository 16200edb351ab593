using System.Text;
using DeviceHub.Core;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;
using Refusal = DeviceHub.Protocol.Wire.Refusal;

namespace DeviceHub.IntegrationTests.BadInput;

/// <summary>What terminals get wrong about payments, over real sockets: the answer, that others are served on, and what is counted.</summary>
[Collection(BadInputHub.Collection)]
public sealed class PaymentInputTests(BadInputHub hub)
{
    [Fact]
    public async Task Request_sent_again_after_its_expiry_a_suspension_and_a_lowered_limit_gets_its_original_outcome()
    {
        var (late, above, stopped) = (NotAdmitted("Expired"), NotAdmitted("Amount"), NotAdmitted("Suspended"));
        await using var terminal = await hub.LoggedIn();
        var request = terminal.Request(1000);
        var first = await terminal.PayForOutcome(request);

        request.AgeMs = 3_600_000;
        var expired = await terminal.PayForOutcome(request);
        await hub.SetMaxAmount(terminal, 500);
        var limited = await terminal.PayForOutcome(request);
        await hub.Suspend(terminal);
        var suspended = await terminal.PayForOutcome(request);

        Assert.All([first, expired, limited, suspended], o => Assert.Equal((Outcome.Types.Result.Approved, 1u, first.ChannelTransaction), (o.Result, o.Revision, o.ChannelTransaction)));
        await terminal.Pay(terminal.Request(100));
        Assert.Equal(Refusal.Types.Code.Suspended, (await terminal.ExpectRefusal()).Code);
        await hub.ServesOthers();
        await late.Grew();
        await above.Grew();
        await stopped.Grew(2);
        Assert.Equal(1000, await hub.Charged(terminal));
    }

    [Fact]
    public async Task Paid_order_number_is_answered_already_paid_whatever_id_code_or_terminal_asks_again()
    {
        var collisions = hub.Watch("payments.collisions", "OrderPaid");
        await using var terminal = await hub.LoggedIn();
        await using var other = await hub.LoggedIn();
        var order = Guid.NewGuid().ToString("N");
        var paid = await terminal.PayForOutcome(terminal.Request(1000, order));

        var again = await terminal.PayForOutcome(terminal.Request(1000, order));
        var elsewhere = await other.PayForOutcome(other.Request(1000, order));

        Assert.All([again, elsewhere], o =>
        {
            Assert.Equal(Outcome.Types.Result.Approved, o.Result);
            Assert.Equal(paid.ChannelTransaction, o.ChannelTransaction);
            Assert.Equal($"{terminal.SerialNumber}/{paid.RequestId}", o.PaidBy);
        });
        Assert.Equal(1000, await hub.Charged(terminal) + await hub.Charged(other));
        await hub.ServesOthers();
        await collisions.Grew(2);
    }

    [Fact]
    public async Task Cancel_after_success_is_answered_with_the_success_and_undoes_nothing()
    {
        await using var terminal = await hub.LoggedIn();
        var request = terminal.Request(1000);
        var paid = await terminal.PayForOutcome(request);

        await terminal.SendSealed(new Uplink { PaymentCancel = new PaymentCancel { RequestId = request.RequestId } });

        var told = await terminal.ExpectOutcome(request.RequestId);
        Assert.Equal((Outcome.Types.Result.Approved, 1u, paid.ChannelTransaction), (told.Result, told.Revision, told.ChannelTransaction));
        Assert.Equal(1000, await hub.Charged(terminal));
        await hub.ServesOthers();
    }

    [Fact]
    public async Task Order_number_with_a_payment_that_is_not_final_is_refused_as_open()
    {
        var refused = hub.WatchRefusals(RefusalCode.OrderOpen);
        await using var terminal = await hub.LoggedIn();
        var order = Guid.NewGuid().ToString("N");
        await terminal.Pay(terminal.Request(BadInputHub.AsksForPassword, order));
        Assert.Equal(Downlink.BodyOneofCase.Accepted, (await terminal.Next()).BodyCase);

        await using var other = await hub.LoggedIn();
        await other.Pay(other.Request(BadInputHub.AsksForPassword, order));

        Assert.Equal(Refusal.Types.Code.OrderOpen, (await other.ExpectRefusal()).Code);
        Assert.Equal(0, await hub.Charged(other));
        await hub.ServesOthers();
        await refused.Grew();
    }

    [Fact]
    public async Task Bytes_that_are_no_message_are_refused_and_the_session_goes_on()
    {
        await using var terminal = await hub.LoggedIn();
        var refused = hub.WatchRefusals(RefusalCode.Malformed);
        foreach (var bytes in new byte[][] { [0xFF, 0xFF, 0xFF], Encoding.UTF8.GetBytes("{\"hello\":"), Encoding.UTF8.GetBytes("{\"a\":{\"a\":1,\"a\":2}}"), [0x12] })
        {
            await terminal.SendRaw(bytes);
            Assert.Equal(Refusal.Types.Code.Malformed, (await terminal.ExpectRefusal()).Code);
        }

        Assert.Equal(Outcome.Types.Result.Approved, (await terminal.PayForOutcome(terminal.Request(1100))).Result);
        await hub.ServesOthers();
        await refused.Grew(4);
    }

    [Fact]
    public async Task Json_with_unknown_fields_is_taken_and_with_missing_or_negative_ones_is_refused()
    {
        var refused = hub.WatchRefusals(RefusalCode.Malformed);
        await using var terminal = await hub.LoggedIn(BadInputHub.Unsealed, json: true);
        await Json(terminal, $$$"""{"payment_request":{"request_id":"{{{terminal.NewRequestId()}}}","amount_fen":"1200","payment_code":"131234567890120001","time_to_live_ms":30000,"future_field":{"x":[1,2]}},"another":1}""");
        var outcome = (await terminal.Expect(Downlink.BodyOneofCase.Outcome)).Outcome;
        Assert.Equal(Outcome.Types.Result.Approved, outcome.Result);

        foreach (var bad in new[]
        {
            $$$"""{"payment_request":{"amount_fen":"1200","payment_code":"131234567890120001","time_to_live_ms":30000}}""",
            $$$"""{"payment_request":{"request_id":"{{{terminal.NewRequestId()}}}","amount_fen":"-5","payment_code":"131234567890120001","time_to_live_ms":30000}}""",
            $$$"""{"payment_request":{"request_id":"{{{terminal.NewRequestId()}}}","amount_fen":99999999999999999999,"payment_code":"131234567890120001","time_to_live_ms":30000}}""",
            $$$"""{"payment_request":{"request_id":"{{{terminal.NewRequestId()}}}","amount_fen":"NaN","payment_code":"131234567890120001","time_to_live_ms":30000}}""",
            $$$"""{"payment_request":{"request_id":"{{{terminal.NewRequestId()}}}","amount_fen":"5","payment_code":"1312345678\u0000120001","time_to_live_ms":30000}}""",
            new string('[', 10_000),
            "{" + string.Concat(Enumerable.Repeat("\"a\":{", 2_000)),
        })
        {
            await Json(terminal, bad);
            Assert.Equal(Refusal.Types.Code.Malformed, (await terminal.ExpectRefusal()).Code);
        }

        await hub.ServesOthers();
        await refused.Grew(7);
        Assert.Equal(1200, await hub.Charged(terminal));
    }

    [Theory]
    [InlineData(0UL, Refusal.Types.Code.Amount)]
    [InlineData(9_000_000_000_000UL, Refusal.Types.Code.Amount)]
    public async Task Amount_of_nothing_or_above_the_limit_is_refused(ulong amountFen, Refusal.Types.Code code)
    {
        var refused = hub.WatchRefusals(RefusalCode.Amount);
        await using var terminal = await hub.LoggedIn();
        var request = terminal.Request(amountFen);
        await terminal.Pay(request);
        var refusal = await terminal.ExpectRefusal();

        Assert.Equal((code, request.RequestId), (refusal.Code, refusal.RequestId));
        Assert.Equal(0, await hub.Charged(terminal));
        await hub.ServesOthers();
        await refused.Grew();
    }

    [Fact]
    public async Task Code_that_fits_no_wallet_and_an_expired_request_are_refused()
    {
        var (codes, expiries) = (hub.WatchRefusals(RefusalCode.PaymentCode), hub.WatchRefusals(RefusalCode.Expired));
        await using var terminal = await hub.LoggedIn();
        var noWallet = terminal.Request(1300);
        noWallet.PaymentCode = "9912345678901234";
        await terminal.Pay(noWallet);
        Assert.Equal(Refusal.Types.Code.PaymentCode, (await terminal.ExpectRefusal()).Code);

        var expired = terminal.Request(1300);
        expired.AgeMs = 31_000;
        await terminal.Pay(expired);
        Assert.Equal(Refusal.Types.Code.Expired, (await terminal.ExpectRefusal()).Code);
        Assert.Equal(0, await hub.Charged(terminal));
        await hub.ServesOthers();
        await codes.Grew();
        await expiries.Grew();
    }

    [Theory]
    [InlineData(0L, 0L)]
    [InlineData(-3_600_000L, -3_600_000L)]
    [InlineData(3_600_000L, 3_600_000L)]
    [InlineData(0L, 3_600_000L)]
    [InlineData(3_600_000L, -86_400_000L)]
    public async Task Terminal_whose_clock_is_at_1970_an_hour_off_or_jumps_during_a_payment_is_paid(long offsetMs, long laterOffsetMs)
    {
        var accepted = hub.Watch("payments.accepted");
        await using var terminal = await hub.LoggedIn();
        var request = terminal.Request(1400);
        request.WallTimeMs = offsetMs == 0 ? 1 : Clock(offsetMs);
        await terminal.Pay(request);

        // Sent again, as a terminal does, after its clock was set.
        request.WallTimeMs = laterOffsetMs == 0 ? 1 : Clock(laterOffsetMs);
        Assert.Equal(Outcome.Types.Result.Approved, (await terminal.PayForOutcome(request)).Result);
        Assert.Equal(1400, await hub.Charged(terminal));
        await hub.ServesOthers();
        await accepted.Grew(2);

        static ulong Clock(long offset) => (ulong)(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() + offset);
    }

    [Fact]
    public async Task Same_request_id_with_another_amount_or_code_is_refused_and_the_first_stays()
    {
        var conflicts = hub.WatchRefusals(RefusalCode.RequestConflict);
        await using var terminal = await hub.LoggedIn();
        var request = terminal.Request(1500);
        var first = await terminal.PayForOutcome(request);
        var changed = request.Clone();
        changed.AmountFen = 1;
        await terminal.Pay(changed);
        Assert.Equal(Refusal.Types.Code.RequestConflict, (await terminal.ExpectRefusal()).Code);
        var code = request.Clone();
        code.PaymentCode = "131111111111111111";
        await terminal.Pay(code);
        Assert.Equal(Refusal.Types.Code.RequestConflict, (await terminal.ExpectRefusal()).Code);

        Assert.Equal(first.ChannelTransaction, (await terminal.PayForOutcome(request)).ChannelTransaction);
        Assert.Equal(1500, await hub.Charged(terminal));
        await hub.ServesOthers();
        await conflicts.Grew(2);
    }

    [Fact]
    public async Task Request_id_of_an_epoch_that_was_never_given_to_this_terminal_is_refused()
    {
        var refused = hub.WatchRefusals(RefusalCode.RequestEpoch);
        await using var terminal = await hub.LoggedIn();
        await using var other = await hub.LoggedIn();
        foreach (var id in new[] { "AAAAAAAAAAAA-1", "short-id-1", other.NewRequestId() })
        {
            var request = terminal.Request(1600);
            request.RequestId = id;
            await terminal.Pay(request);
            Assert.Equal(Refusal.Types.Code.RequestEpoch, (await terminal.ExpectRefusal()).Code);
        }

        Assert.Equal(0, await hub.Charged(terminal));
        await hub.ServesOthers();
        await refused.Grew(3);
    }

    [Fact]
    public async Task Power_cut_after_the_publish_and_a_second_scan_of_the_same_amount_does_not_charge_twice()
    {
        var refused = hub.WatchRefusals(RefusalCode.PossibleDuplicate);
        var terminal = await hub.LoggedIn();
        var first = terminal.Request(1700);
        await terminal.Pay(first);
        await terminal.DisposeAsync();

        await using var rebooted = hub.Rebooted(terminal);
        var missed = await rebooted.Login();
        Assert.Contains(missed, m => m.Outcome?.RequestId == first.RequestId || m.Accepted?.RequestId == first.RequestId);
        await rebooted.Pay(rebooted.Request(1700));
        Downlink answer;
        do
        {
            answer = await rebooted.Next();
        }
        while (answer.BodyCase is Downlink.BodyOneofCase.Outcome);

        Assert.Equal((Refusal.Types.Code.PossibleDuplicate, first.RequestId), (answer.Refusal.Code, answer.Refusal.OtherRequestId));
        var confirmed = rebooted.Request(1700);
        (confirmed.RepeatOf, confirmed.RepeatConfirmed) = (first.RequestId, true);
        Assert.Equal(Outcome.Types.Result.Approved, (await rebooted.PayForOutcome(confirmed)).Result);
        Assert.Equal(3400, await hub.Charged(terminal));
        await hub.ServesOthers();
        await refused.Grew();
    }

    [Fact]
    public async Task Unsealed_forged_replayed_and_foreign_messages_move_no_money()
    {
        await using var terminal = await hub.LoggedIn();
        await using var other = await hub.LoggedIn();
        var (plain, wrong, replayed) = (hub.Watch("session.seal_faults", "plain"), hub.Watch("session.seal_faults", nameof(SealFault.WrongMac)), hub.Watch("session.seal_faults", nameof(SealFault.Replayed)));
        await terminal.Send(new Uplink { PaymentRequest = terminal.Request(1800) });
        Assert.Equal(Refusal.Types.Code.UnsealedModel, (await terminal.ExpectRefusal()).Code);

        var body = ByteString.CopyFrom(MessageCodec.Encode(new Uplink { PaymentRequest = terminal.Request(1800) }, WireEncoding.Protobuf));
        var forged = new Sealer(new byte[32], SealDirection.Up).Seal(body);
        await terminal.Send(new Uplink { Sealed = forged });
        Assert.Equal(Refusal.Types.Code.Seal, (await terminal.ExpectRefusal()).Code);

        var foreign = new Sealer(other.SessionKey, SealDirection.Up).Seal(body);
        await terminal.Send(new Uplink { Sealed = foreign });
        Assert.Equal(Refusal.Types.Code.Seal, (await terminal.ExpectRefusal()).Code);

        var good = new Sealer(terminal.SessionKey, SealDirection.Up);
        var message = good.Seal(body);
        await terminal.Send(new Uplink { Sealed = message });
        await terminal.Expect(Downlink.BodyOneofCase.Outcome);
        await terminal.Send(new Uplink { Sealed = message });
        Assert.Equal(Refusal.Types.Code.Seal, (await terminal.ExpectRefusal()).Code);

        // What its own earlier session would still take is nothing to the next.
        await using var next = hub.Rebooted(terminal);
        await next.Login();
        await next.Send(new Uplink { Sealed = good.Seal(body) });
        Assert.Equal(Refusal.Types.Code.Seal, (await next.ExpectRefusal()).Code);

        Assert.Equal(1800, await hub.Charged(terminal));
        await hub.ServesOthers();
        await plain.Grew();
        await wrong.Grew(3);
        await replayed.Grew();
    }

    [Fact]
    public async Task Payment_before_login_is_refused()
    {
        var refused = hub.WatchRefusals(RefusalCode.NotLoggedIn);
        await using var stranger = await hub.Activated();
        await stranger.Connect();
        var request = stranger.Request(1850);
        request.RequestId = "BpVq9KJ5VwM5-1";
        await stranger.Send(new Uplink { PaymentRequest = request });
        Assert.Equal(Refusal.Types.Code.NotLoggedIn, (await stranger.ExpectRefusal()).Code);
        Assert.Equal(0, await hub.Charged(stranger));
        await hub.ServesOthers();
        await refused.Grew();
    }

    [Fact]
    public async Task Outcome_that_nobody_confirms_comes_again_and_with_the_next_welcome_until_it_is_shown()
    {
        var resent = hub.Watch("session.outcomes_resent");
        var terminal = await hub.LoggedIn();
        var outcome = await terminal.PayForOutcome(terminal.Request(1900));
        var again = await terminal.ExpectOutcome(outcome.RequestId, TimeSpan.FromSeconds(20));
        Assert.True(again.AgeMs > 0);
        await terminal.DisposeAsync();

        await using var back = hub.Rebooted(terminal);
        var missed = Assert.Single(await back.Login());
        Assert.Equal((outcome.RequestId, true), (missed.Outcome.RequestId, missed.Outcome.Late));
        await back.Shown(missed.Outcome);
        await back.DisposeAsync();

        await using var third = hub.Rebooted(terminal);
        await Tests.Eventually.Holds(async () => !await hub.IsUnsettled(terminal), "the shown outcome is settled");
        Assert.Empty(await third.Login());
        await hub.ServesOthers();
        await resent.Grew();
    }

    private Watched NotAdmitted(string code) => hub.Watch("terminals.requests_not_admitted", code);

    private static Task Json(TestTerminal terminal, string text) => terminal.SendRaw(Encoding.UTF8.GetBytes(text));
}
