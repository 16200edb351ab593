using System.Text;
using DeviceHub.Core.Payments;
using DeviceHub.Gateways;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;
using Code = DeviceHub.Protocol.Wire.Refusal.Types.Code;

namespace DeviceHub.ClusterTests.Terminals;

/// <summary>A terminal's whole conversation with the hub over a wire in memory. Each test has its own silo.</summary>
public sealed class TerminalSessionTests : IAsyncLifetime
{
    private static readonly ChannelVerdict Paid = new(Verdict.Approved, "SUCCESS", PaidFen: 1000, Transaction: "T1");
    private readonly TerminalFixture hub = new();

    public ValueTask InitializeAsync() => hub.InitializeAsync();

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Theory, InlineData(false), InlineData(true)]
    public async Task Terminal_activates_logs_in_and_is_paid_in_its_encoding(bool json)
    {
        var terminal = await hub.LoggedIn(json: json);
        hub.Channel.Say(EffectKind.Pay, Paid);
        await terminal.SendSealed(new Uplink { PaymentRequest = terminal.Request() });
        var outcome = (await terminal.Next(d => d.Outcome is not null)).Outcome;

        Assert.True(terminal.ProvedItself);
        Assert.Equal(Outcome.Types.Result.Approved, outcome.Result);
        Assert.Equal("T1", outcome.ChannelTransaction);
        Assert.False(outcome.Late);
    }

    [Fact]
    public async Task Text_comes_in_the_encoding_that_hello_asked_for()
    {
        var terminal = await hub.LoggedIn();
        hub.Channel.Say(EffectKind.Pay, Paid);
        await terminal.SendSealed(new Uplink { PaymentRequest = terminal.Request() });
        var outcome = (await terminal.Next(d => d.Outcome is not null)).Outcome;

        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        Assert.Equal("收款成功10.00元", Encoding.GetEncoding(936).GetString(outcome.Text.Text_.Span));
    }

    [Fact]
    public async Task Outcome_with_the_longest_fields_reaches_a_sealing_json_terminal_of_512_bytes()
    {
        var terminal = await hub.LoggedIn(json: true);
        hub.Channel.Say(EffectKind.Pay, Paid with { Transaction = new string('9', 64), Payer = new string('*', 32) });
        var request = terminal.Request(id: terminal.Welcome.RequestEpoch + "-12345678901234567890123");
        request.OrderNumber = new string('O', 32);
        await terminal.SendSealed(new Uplink { PaymentRequest = request });
        var outcome = (await terminal.Next(d => d.Outcome is not null)).Outcome;

        Assert.Equal((request.RequestId, Outcome.Types.Result.Approved, 1000UL), (outcome.RequestId, outcome.Result, outcome.PaidFen));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Query_or_cancel_right_behind_its_request_is_never_told_that_there_is_no_payment(bool cancel)
    {
        for (var i = 0; i < 10; i++)
        {
            var terminal = await hub.LoggedIn();
            var request = terminal.Request();
            hub.Channel.Say(EffectKind.Pay, Paid);
            var pay = terminal.SendSealed(new Uplink { PaymentRequest = request }).AsTask();
            await terminal.SendSealed(cancel
                ? new Uplink { PaymentCancel = new() { RequestId = request.RequestId } }
                : new Uplink { PaymentQuery = new() { RequestId = request.RequestId } });
            await pay;
            var told = await terminal.Next(d => d.Refusal is not null || d.Accepted is not null || d.Outcome is not null);

            Assert.True(told.Refusal is null or { Code: Code.Busy, RetryAfterMs: > 0 }, told.ToString());
        }
    }

    [Fact]
    public async Task Unconfirmed_outcome_is_sent_three_times_more_and_not_after_it_was_shown()
    {
        var terminal = await hub.LoggedIn();
        hub.Channel.Say(EffectKind.Pay, Paid);
        var request = terminal.Request();
        await terminal.SendSealed(new Uplink { PaymentRequest = request });
        await terminal.Next(d => d.Outcome is not null);
        hub.Clock.Advance(TimeSpan.FromSeconds(6));
        var second = (await terminal.Next(d => d.Outcome is not null)).Outcome;
        hub.Clock.Advance(TimeSpan.FromSeconds(12));
        var third = (await terminal.Next(d => d.Outcome is not null)).Outcome;
        await terminal.SendSealed(new Uplink { OutcomeShown = new() { RequestId = request.RequestId, Revision = third.Revision } });
        hub.Clock.Advance(TimeSpan.FromSeconds(120));

        Assert.False(second.Late);
        Assert.True(third.Late);
        Assert.True(terminal.ToldNothing);
    }

    [Fact]
    public async Task Outcome_is_told_although_the_session_that_asked_for_the_payment_died_before_it_could_wait()
    {
        var terminal = await hub.LoggedIn();
        var now = hub.Clock.GetUtcNow();
        var id = new PaymentId(terminal.SerialNumber, $"{terminal.Welcome.RequestEpoch}-1");
        var request = new DeviceHub.Core.Payments.PaymentRequest(
            id.RequestId, 1000, "CNY", new PaymentCode("134567890123456789"), null, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        hub.Channel.Say(EffectKind.Pay, new(Verdict.Pending, "USERPAYING"));
        await hub.Payment(id).Accept(new PaymentOrder(id, request, DeviceHub.Core.Payments.Wallet.WeChat, "M1", "面馆", "S1", now.AddSeconds(30)));
        hub.Channel.Say(EffectKind.Query, Paid);
        hub.Clock.Advance(TimeSpan.FromSeconds(6));
        await hub.Payment(id).Wake();

        Assert.Equal(Outcome.Types.Result.Approved, (await terminal.Next(d => d.Outcome is not null)).Outcome.Result);
    }

    [Fact]
    public async Task Next_session_is_told_what_was_not_shown_before_it_is_synced()
    {
        var first = await hub.LoggedIn();
        hub.Channel.Say(EffectKind.Pay, Paid);
        var request = first.Request();
        await first.SendSealed(new Uplink { PaymentRequest = request });
        await first.Next(d => d.Outcome is not null);
        var second = new TestTerminal(hub, first.SerialNumber, key: first.Key);
        await second.Hello();
        await second.Next(d => d.Challenge is not null);
        await second.Prove();
        var outcome = (await second.Next(d => d.Outcome is not null || d.Synced is not null)).Outcome;

        Assert.Equal(request.RequestId, outcome.RequestId);
        Assert.True(outcome.Late);
        Assert.Equal(CutReason.TakenOver, await first.WasCut.Task.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.NotEqual(first.Welcome.RequestEpoch, second.Welcome.RequestEpoch);
        Assert.True(second.Welcome.SessionEpoch > first.Welcome.SessionEpoch);
    }

    [Fact]
    public async Task Wrong_proof_takes_nothing_over_and_is_cut_after_a_delay()
    {
        var right = await hub.LoggedIn();
        var wrong = new TestTerminal(hub, right.SerialNumber, key: new byte[32]);
        await wrong.Hello();
        await wrong.Next(d => d.Challenge is not null);
        var proof = wrong.Prove().AsTask();
        while (!proof.IsCompleted)
        {
            hub.Clock.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Yield();
        }

        Assert.Equal(Code.Credentials, (await wrong.Next(d => d.Refusal is not null)).Refusal.Code);
        Assert.Equal(CutReason.Credentials, await wrong.WasCut.Task.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.False(right.WasCut.Task.IsCompleted);
    }

    [Fact]
    public async Task Right_key_from_another_board_is_refused_as_hardware()
    {
        var right = await hub.LoggedIn();
        var clone = new TestTerminal(hub, right.SerialNumber, key: right.Key) { HardwareId = "HW2" };

        Assert.Equal(Code.Hardware, (await clone.LogIn()).Refusal.Code);
        Assert.False(right.WasCut.Task.IsCompleted);
    }

    /// <summary>The first counts, and is written once: a board that tries for ever writes nothing more.</summary>
    [Fact]
    public async Task Other_board_is_kept_until_a_person_resumes_the_terminal_and_costs_one_write()
    {
        var right = await hub.LoggedIn();
        var before = hub.Terminals.Row(right.SerialNumber).Version;
        var since = hub.Clock.GetUtcNow();
        foreach (var board in new[] { "HW2", "HW3", "HW2" })
        {
            Assert.Equal(Code.Hardware, (await new TestTerminal(hub, right.SerialNumber, key: right.Key) { HardwareId = board }.LogIn()).Refusal.Code);
            hub.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        var row = hub.Terminals.Row(right.SerialNumber);
        Assert.Equal(("HW2", since, before + 1), (row.OtherHardware!.HardwareId, row.OtherHardware.At, row.Version));
        Assert.Equal(row.OtherHardware, (await hub.Grain(right.SerialNumber).Snapshot())!.Record.OtherHardware);
        await hub.Grain(right.SerialNumber).Resume(TerminalFixture.Admin);
        Assert.NotNull(hub.Terminals.Row(right.SerialNumber).OtherHardware);

        await hub.Grain(right.SerialNumber).Suspend(TerminalFixture.Admin);
        Assert.NotNull(hub.Terminals.Row(right.SerialNumber).OtherHardware);
        await hub.Grain(right.SerialNumber).Resume(TerminalFixture.Admin);
        Assert.Null(hub.Terminals.Row(right.SerialNumber).OtherHardware);
    }

    [Fact]
    public async Task Token_logs_in_without_a_challenge_and_seals()
    {
        var first = await hub.LoggedIn();
        var token = Login.Token(first.Key, first.SerialNumber, hub.Clock.GetUtcNow().ToUnixTimeSeconds());
        var second = new TestTerminal(hub, first.SerialNumber, key: first.Key, token: token);
        Assert.True(await hub.Sessions.CheckToken(first.SerialNumber, token, second));
        await second.Hello();
        await second.Next(d => d.Synced is not null);
        hub.Channel.Say(EffectKind.Pay, Paid);
        await second.SendSealed(new Uplink { PaymentRequest = second.Request() });

        Assert.Equal(Outcome.Types.Result.Approved, (await second.Next(d => d.Outcome is not null)).Outcome.Result);
    }

    [Fact]
    public async Task Challenge_waits_until_the_terminal_listens()
    {
        var terminal = new TestTerminal(hub, hub.NewSerial()) { CanReceive = false };
        await terminal.Hello();
        var before = terminal.ToldNothing;
        terminal.CanReceive = true;
        terminal.Session.ReceiverReady();

        Assert.True(before);
        Assert.NotNull((await terminal.Next(_ => true)).Challenge);
    }

    [Fact]
    public async Task Replayed_and_changed_and_plain_money_messages_are_refused()
    {
        var terminal = await hub.LoggedIn();
        var query = terminal.Seal(new Uplink { PaymentQuery = new() { RequestId = "unknown-1" } });
        var changed = query.Clone();
        changed.Sealed.Mac = ByteString.CopyFrom(new byte[8]);
        await terminal.Send(changed);
        var wrongMac = (await terminal.Next(d => d.Refusal is not null)).Refusal.Code;
        await terminal.Send(query);
        var unknown = (await terminal.Next(d => d.Refusal is not null)).Refusal.Code;
        await terminal.Send(query);
        var replayed = (await terminal.Next(d => d.Refusal is not null)).Refusal.Code;
        await terminal.Send(new Uplink { PaymentRequest = terminal.Request() });
        var plain = (await terminal.Next(d => d.Refusal is not null)).Refusal.Code;

        Assert.Equal([Code.Seal, Code.UnknownPayment, Code.Seal, Code.UnsealedModel], [wrongMac, unknown, replayed, plain]);
        Assert.Empty(hub.Channel.Log);
    }

    [Fact]
    public async Task Model_that_does_not_seal_is_paid_with_plain_messages()
    {
        var terminal = await hub.LoggedIn(model: "bare", json: true);
        hub.Channel.Say(EffectKind.Pay, Paid);
        await terminal.Send(new Uplink { PaymentRequest = terminal.Request() });

        Assert.Equal(Outcome.Types.Result.Approved, (await terminal.Next(d => d.Outcome is not null)).Outcome.Result);
    }

    [Fact]
    public async Task Nothing_is_done_before_login_and_another_version_or_rubbish_is_refused()
    {
        var terminal = new TestTerminal(hub, hub.NewSerial());
        await terminal.Send(new Uplink { Heartbeat = new() });
        var early = (await terminal.Next(_ => true)).Refusal.Code;
        await terminal.Session.Receive(new byte[] { 0xFF, 0xFF, 0xFF });
        var rubbish = (await terminal.Next(_ => true)).Refusal.Code;
        await terminal.Hello(version: 2);
        var version = (await terminal.Next(_ => true)).Refusal.Code;

        Assert.Equal([Code.NotLoggedIn, Code.Malformed, Code.Version], [early, rubbish, version]);
    }

    [Theory]
    [InlineData(0UL, Code.Amount), InlineData(5_000_001UL, Code.Amount)]
    public async Task Amount_that_is_not_allowed_is_refused(ulong amountFen, Code expected)
    {
        var terminal = await hub.LoggedIn();
        await terminal.SendSealed(new Uplink { PaymentRequest = terminal.Request(amountFen) });

        Assert.Equal(expected, (await terminal.Next(d => d.Refusal is not null)).Refusal.Code);
    }

    [Fact]
    public async Task Request_with_a_foreign_epoch_or_too_old_or_of_no_wallet_is_refused()
    {
        var terminal = await hub.LoggedIn();
        var old = terminal.Request();
        old.AgeMs = 30_001;
        var noWallet = terminal.Request();
        noWallet.PaymentCode = "9999999999999999";
        var codes = new List<Code>();
        foreach (var request in new[] { terminal.Request(id: "AAAAAAAAAAAA-1"), old, noWallet })
        {
            await terminal.SendSealed(new Uplink { PaymentRequest = request });
            codes.Add((await terminal.Next(d => d.Refusal is not null)).Refusal.Code);
        }

        Assert.Equal([Code.RequestEpoch, Code.Expired, Code.PaymentCode], codes);
    }

    [Fact]
    public async Task Repeat_after_expiry_and_suspension_gets_the_original_outcome()
    {
        var terminal = await hub.LoggedIn();
        hub.Channel.Say(EffectKind.Pay, Paid);
        var request = terminal.Request();
        await terminal.SendSealed(new Uplink { PaymentRequest = request });
        await terminal.Next(d => d.Outcome is not null);
        await hub.Grain(terminal.SerialNumber).Suspend(TerminalFixture.Admin);
        await hub.Grain(terminal.SerialNumber).SetMaxAmount(1, TerminalFixture.Admin);
        request.AgeMs = 60_000;
        await terminal.SendSealed(new Uplink { PaymentRequest = request });
        var again = (await terminal.Next(d => d.Outcome is not null || d.Refusal is not null)).Outcome;
        await terminal.SendSealed(new Uplink { PaymentRequest = terminal.Request() });

        Assert.Equal(Outcome.Types.Result.Approved, again.Result);
        Assert.Equal(Code.Suspended, (await terminal.Next(d => d.Refusal is not null)).Refusal.Code);
        Assert.Single(hub.Channel.Log);
    }

    /// <summary>It shows "suspended" and takes no scan until it logs in: resuming it would change nothing at the counter.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public async Task Terminal_that_knows_that_it_is_suspended_has_to_log_in_when_it_is_resumed_after_its_open_payment(bool open)
    {
        var terminal = await hub.LoggedIn();
        if (open)
        {
            await terminal.SendSealed(new Uplink { PaymentRequest = terminal.Request() });
        }

        await hub.Grain(terminal.SerialNumber).Suspend(TerminalFixture.Admin);
        await terminal.SendSealed(new Uplink { PaymentRequest = terminal.Request(2000) });
        Assert.Equal(Code.Suspended, (await terminal.Next(d => d.Refusal is not null)).Refusal.Code);
        await hub.Grain(terminal.SerialNumber).Resume(TerminalFixture.Admin);
        if (open)
        {
            // The session has been told, and goes on.
            await terminal.SendSealed(new Uplink { PaymentQuery = new() { RequestId = "unknown-1" } });
            Assert.Equal(Code.UnknownPayment, (await terminal.Next(d => d.Refusal is not null)).Refusal.Code);
            hub.Channel.Say(EffectKind.Pay, Paid);
            await terminal.Next(d => d.Outcome is not null);
        }

        Assert.Equal(CutReason.Resumed, await terminal.WasCut.Task.WaitAsync(TimeSpan.FromSeconds(10)));
        var again = new TestTerminal(hub, terminal.SerialNumber, key: terminal.Key);
        await again.LogIn();
        hub.Channel.Say(EffectKind.Pay, Paid with { PaidFen = 2000 });
        await again.SendSealed(new Uplink { PaymentRequest = again.Request(2000) });
        Assert.Equal(2000UL, (await again.Next(d => d.Outcome is not null || d.Refusal is not null)).Outcome?.PaidFen);
    }

    [Fact]
    public async Task Terminal_that_was_told_of_no_suspension_keeps_its_session_when_it_is_resumed()
    {
        var terminal = await hub.LoggedIn();
        await hub.Grain(terminal.SerialNumber).Suspend(TerminalFixture.Admin);
        await hub.Grain(terminal.SerialNumber).Resume(TerminalFixture.Admin);
        hub.Channel.Say(EffectKind.Pay, Paid);
        await terminal.SendSealed(new Uplink { PaymentRequest = terminal.Request() });

        Assert.NotNull((await terminal.Next(d => d.Outcome is not null || d.Refusal is not null)).Outcome);
        Assert.False(terminal.WasCut.Task.IsCompleted);
    }

    [Fact]
    public async Task Configuration_is_cut_to_fit_and_waits_for_an_open_payment()
    {
        var terminal = await hub.LoggedIn();
        await terminal.SendSealed(new Uplink { PaymentRequest = terminal.Request() });
        var entries = string.Join(',', Enumerable.Range(0, 20).Select(i => $"\"k{i}\":\"{new string('x', 90)}\""));
        var set = await hub.Grain(terminal.SerialNumber).SetConfiguration($"{{\"a\":{{\"on\":true,\"n\":-5}},{entries}}}", TerminalFixture.Admin);
        Assert.Null(set.Refusal);
        hub.Channel.Say(EffectKind.Pay, Paid);
        var told = new List<Downlink>();
        await terminal.Next(d =>
        {
            told.Add(d);
            return d.ConfigurationCommit is not null;
        });
        var chunks = told.Where(d => d.ConfigurationChunk is not null).Select(d => d.ConfigurationChunk).ToList();

        Assert.True(told.FindIndex(d => d.Outcome is not null) < told.FindIndex(d => d.ConfigurationChunk is not null));
        Assert.Equal(Enumerable.Range(0, chunks.Count).Select(i => (uint)i), chunks.Select(c => c.Index));
        Assert.Equal(set.Desired!.Hash, ConfigurationHash.Of(chunks.SelectMany(c => c.Entries)));
    }

    [Fact]
    public async Task Payment_of_a_terminal_that_does_not_listen_is_refused()
    {
        var terminal = await hub.LoggedIn();
        terminal.CanReceive = false;
        await terminal.SendSealed(new Uplink { PaymentRequest = terminal.Request() });

        Assert.Equal(Code.NotSubscribed, (await terminal.Next(d => d.Refusal is not null)).Refusal.Code);
        Assert.Empty(hub.Channel.Log);
    }
}
