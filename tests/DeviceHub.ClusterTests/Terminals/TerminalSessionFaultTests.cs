using System.Diagnostics.Metrics;
using DeviceHub.Core.Payments;
using DeviceHub.Gateways;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tests;
using Code = DeviceHub.Protocol.Wire.Refusal.Types.Code;

namespace DeviceHub.ClusterTests.Terminals;

/// <summary>A session when connections, calls or terminals fail. Each test has its own silo.</summary>
public sealed class TerminalSessionFaultTests : IAsyncLifetime
{
    private static readonly ChannelVerdict Paid = new(Verdict.Approved, "SUCCESS", PaidFen: 1000, Transaction: "T1");
    private readonly TerminalFixture hub = new();

    public ValueTask InitializeAsync() => hub.InitializeAsync();

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public async Task Outcome_is_pushed_to_the_next_session_although_the_wait_of_the_dead_one_is_still_open()
    {
        var dead = await hub.LoggedIn();
        await dead.SendSealed(new Uplink { PaymentRequest = dead.Request() });
        await dead.Session.DisposeAsync();
        var next = new TestTerminal(hub, dead.SerialNumber, key: dead.Key);
        await next.LogIn();
        hub.Channel.Say(EffectKind.Pay, Paid);

        Assert.Equal(Outcome.Types.Result.Approved, (await next.Next(d => d.Outcome is not null)).Outcome.Result);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Outcome_that_comes_during_a_login_is_told_after_the_welcome(bool beforeItIsAnswered)
    {
        var first = await hub.LoggedIn();
        var request = first.Request();
        await first.SendSealed(new Uplink { PaymentRequest = request });
        await Eventually.Holds(() => hub.Channel.Log.Contains(EffectKind.Pay), "the channel is called");
        await first.Session.DisposeAsync();
        var next = new TestTerminal(hub, first.SerialNumber, key: first.Key);
        hub.Around = (beforeItIsAnswered ? "Connect" : "Find", async call =>
        {
            await call();
            hub.Channel.Say(EffectKind.Pay, Paid);
            var id = await hub.Ledger.NextFinal.Task.WaitAsync(Eventually.DefaultLimit);
            ((TerminalSessions)hub.Sessions).Link.PaymentChanged(id.SerialNumber, ((TerminalSession)next.Session).Epoch, (await hub.Payment(id).Find(null)).View!);
        });

        var outcomes = new List<Outcome>();
        next.Sent = message => outcomes.AddRange(message.Outcome is { } outcome ? [outcome] : []);
        Assert.NotNull((await next.LogIn()).Synced);
        if (!beforeItIsAnswered)
        {
            await next.Next(d => d.Outcome is not null);
        }

        Assert.Equal(Outcome.Types.Result.Approved, Assert.Single(outcomes).Result);
    }

    [Fact]
    public async Task Older_word_of_a_payment_is_not_told_after_its_outcome_and_a_later_revision_is()
    {
        var terminal = await hub.LoggedIn();
        hub.Channel.Say(EffectKind.Pay, Paid);
        var request = terminal.Request();
        await terminal.SendSealed(new Uplink { PaymentRequest = request });
        await terminal.Next(d => d.Outcome is not null);
        var told = (await hub.Payment(new PaymentId(terminal.SerialNumber, request.RequestId)).Find(null)).View!;
        Change(told with { Stage = PaymentStage.Working });
        Change(told with { Revision = told.Revision - 1 });
        Assert.True(terminal.ToldNothing);

        Change(told with { Revision = told.Revision + 1 });
        Assert.Equal(told.Revision + 1, (int)(await terminal.Next(d => d.Outcome is not null)).Outcome.Revision);

        void Change(PaymentView view) =>
            ((TerminalSessions)hub.Sessions).Link.PaymentChanged(terminal.SerialNumber, ((TerminalSession)terminal.Session).Epoch, view);
    }

    [Fact]
    public async Task Older_word_that_comes_after_a_confirmed_outcome_does_not_open_the_payment_again()
    {
        var terminal = await hub.LoggedIn();
        hub.Channel.Say(EffectKind.Pay, Paid);
        var request = terminal.Request();
        await terminal.SendSealed(new Uplink { PaymentRequest = request });
        var outcome = (await terminal.Next(d => d.Outcome is not null)).Outcome;
        await terminal.SendSealed(new Uplink { OutcomeShown = new() { RequestId = request.RequestId, Revision = outcome.Revision } });
        var payment = hub.Payment(new PaymentId(terminal.SerialNumber, request.RequestId));
        var shown = (await payment.Find(null)).View!;
        Assert.Equal(shown.Revision, shown.ShownRevision);
        var link = ((TerminalSessions)hub.Sessions).Link;
        link.PaymentChanged(terminal.SerialNumber, ((TerminalSession)terminal.Session).Epoch, shown);
        Assert.True(terminal.ToldNothing);

        link.PaymentChanged(terminal.SerialNumber, ((TerminalSession)terminal.Session).Epoch, shown with { Stage = PaymentStage.Working });
        var told = await terminal.Next(_ => true);
        Assert.Equal((request.RequestId, outcome.Revision), (told.Outcome?.RequestId, told.Outcome?.Revision));
    }

    [Fact]
    public async Task Payments_of_earlier_sessions_do_not_keep_the_terminal_from_selling()
    {
        var dead = await hub.LoggedIn();
        for (var i = 0; i < hub.SessionOptions.MaxConcurrentPayments; i++)
        {
            await dead.SendSealed(new Uplink { PaymentRequest = dead.Request((ulong)(1000 + i)) });
        }

        await dead.Session.DisposeAsync();
        var next = new TestTerminal(hub, dead.SerialNumber, key: dead.Key);
        await next.LogIn();
        await next.SendSealed(new Uplink { PaymentRequest = next.Request(2000) });

        Assert.True(next.ToldNothing, "a refusal would have been told by now");
    }

    [Fact]
    public async Task Every_new_configuration_is_pushed_however_many_the_session_has_had()
    {
        hub.SessionOptions.MaxPushes = 2;
        var terminal = await hub.LoggedIn();
        for (var i = 1; i <= 4; i++)
        {
            var set = await hub.Grain(terminal.SerialNumber).SetConfiguration($"{{\"a\":{{\"n\":{i}}}}}", TerminalFixture.Admin);
            var commit = (await terminal.Next(d => d.ConfigurationCommit is not null)).ConfigurationCommit;

            Assert.Equal((ulong)set.Desired!.Version, commit.Version);
        }
    }

    [Fact]
    public async Task Older_configuration_is_never_pushed_after_a_newer_one()
    {
        const int Versions = 300;
        var terminal = await hub.LoggedIn();
        for (var i = 1; i <= Versions; i++)
        {
            await hub.Grain(terminal.SerialNumber).SetConfiguration($"{{\"a\":{{\"n\":{i}}}}}", TerminalFixture.Admin);
        }

        var told = new List<ulong>();
        while (told.LastOrDefault() < Versions)
        {
            told.Add((await terminal.Next(d => d.ConfigurationCommit is not null)).ConfigurationCommit.Version);
        }

        Assert.Equal(told.Order(), told);
    }

    [Fact]
    public async Task One_configuration_is_pushed_only_so_often_and_its_stop_is_counted_once()
    {
        var stopped = 0L;
        using var meters = new MeterListener { InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "session.configuration_pushes_stopped")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        } };
        meters.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref stopped, value));
        meters.Start();
        hub.SessionOptions.MaxPushes = 2;
        var terminal = await hub.LoggedIn();
        await hub.Grain(terminal.SerialNumber).SetConfiguration("{\"a\":{\"n\":1}}", TerminalFixture.Admin);
        for (var push = 0; push < hub.SessionOptions.MaxPushes; push++)
        {
            await terminal.Next(d => d.ConfigurationCommit is not null);
            await terminal.Send(Mismatch());
        }

        await terminal.Send(Mismatch());
        await terminal.Send(Mismatch());

        Assert.True(terminal.ToldNothing);
        Assert.Equal(1, stopped);

        static Uplink Mismatch() => new() { ConfigurationReport = new() { Version = 1, Result = ConfigurationReport.Types.Result.HashMismatch } };
    }

    [Fact]
    public async Task Outcome_fits_what_the_wire_takes_when_hello_promised_more()
    {
        var first = await hub.LoggedIn(json: true);
        var terminal = new TestTerminal(hub, first.SerialNumber, json: true, key: first.Key) { MaxBytes = 4096, MaxMessageBytes = 512 };
        await terminal.LogIn();
        hub.Channel.Say(EffectKind.Pay, Paid with { Transaction = new string('9', 64), Payer = new string('*', 32) });
        await terminal.SendSealed(new Uplink { PaymentRequest = terminal.Request() });

        Assert.Equal(1000UL, (await terminal.Next(d => d.Outcome is not null)).Outcome.PaidFen);
    }

    [Fact]
    public async Task Terminal_whose_login_was_never_answered_does_not_stay_connected()
    {
        var first = await hub.LoggedIn();
        var second = new TestTerminal(hub, first.SerialNumber, key: first.Key);
        await second.Hello();
        await second.Next(d => d.Challenge is not null);
        hub.Loses = ("Connect", Arrives: true);
        await second.Prove();
        Assert.Equal(CutReason.Fault, await second.WasCut.Task.WaitAsync(TimeSpan.FromSeconds(10)));
        await second.Session.DisposeAsync();

        Assert.False((await hub.Grain(first.SerialNumber).Snapshot())!.Connected);
    }

    [Fact]
    public async Task Request_that_could_not_be_looked_at_does_not_hold_configuration_back()
    {
        var terminal = await hub.LoggedIn();
        hub.Loses = ("Admit", Arrives: false);
        await terminal.SendSealed(new Uplink { PaymentRequest = terminal.Request() });
        Assert.Equal(Code.Busy, (await terminal.Next(d => d.Refusal is not null)).Refusal.Code);
        await hub.Grain(terminal.SerialNumber).SetConfiguration("{\"a\":{\"n\":1}}", TerminalFixture.Admin);

        await terminal.Next(d => d.ConfigurationCommit is not null);
    }

    [Fact]
    public async Task Repeat_that_could_not_be_looked_at_leaves_its_payment_open()
    {
        var terminal = await hub.LoggedIn();
        var request = terminal.Request();
        await terminal.SendSealed(new Uplink { PaymentRequest = request });
        hub.Loses = ("Admit", Arrives: false);
        await terminal.SendSealed(new Uplink { PaymentRequest = request });
        Assert.Equal(Code.Busy, (await terminal.Next(d => d.Refusal is not null)).Refusal.Code);
        await hub.Grain(terminal.SerialNumber).SetConfiguration("{\"a\":{\"n\":1}}", TerminalFixture.Admin);
        hub.Channel.Say(EffectKind.Pay, Paid);

        Assert.Null((await terminal.Next(d => d.Outcome is not null || d.ConfigurationChunk is not null)).ConfigurationChunk);
    }

    [Fact]
    public async Task Request_that_never_reached_its_payment_holds_configuration_back_until_the_next_heartbeat()
    {
        var terminal = await hub.LoggedIn();
        hub.Loses = ("Accept", Arrives: false);
        await terminal.SendSealed(new Uplink { PaymentRequest = terminal.Request() });
        await hub.Grain(terminal.SerialNumber).SetConfiguration("{\"a\":{\"n\":1}}", TerminalFixture.Admin);
        await terminal.Send(new Uplink { Heartbeat = new() });

        await terminal.Next(d => d.ConfigurationCommit is not null);
    }

    [Fact]
    public async Task Payment_whose_acceptance_was_not_answered_is_found_at_the_next_heartbeat()
    {
        var terminal = await hub.LoggedIn();
        hub.Loses = ("Accept", Arrives: true);
        await terminal.SendSealed(new Uplink { PaymentRequest = terminal.Request() });
        await hub.Grain(terminal.SerialNumber).SetConfiguration("{\"a\":{\"n\":1}}", TerminalFixture.Admin);
        await terminal.Send(new Uplink { Heartbeat = new() });
        hub.Channel.Say(EffectKind.Pay, Paid);

        Assert.NotNull((await terminal.Next(d => d.Outcome is not null || d.ConfigurationChunk is not null)).Outcome);
    }

    [Fact]
    public async Task Fault_of_one_session_while_outcomes_are_sent_again_ends_that_session_alone()
    {
        var broken = await hub.LoggedIn();
        var whole = await hub.LoggedIn();
        foreach (var terminal in new[] { broken, whole })
        {
            hub.Channel.Say(EffectKind.Pay, Paid);
            await terminal.SendSealed(new Uplink { PaymentRequest = terminal.Request() });
            await terminal.Next(d => d.Outcome is not null);
        }

        broken.Breaks = true;
        hub.Clock.Advance(TimeSpan.FromSeconds(6));

        await whole.Next(d => d.Outcome is not null);
        Assert.Equal(CutReason.Fault, await broken.WasCut.Task.WaitAsync(TimeSpan.FromSeconds(10)));
    }
}
