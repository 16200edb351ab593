using DeviceHub.Core;
using DeviceHub.Core.Configuration;
using DeviceHub.Core.Terminals;
using DeviceHub.Gateways;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Code = DeviceHub.Protocol.Wire.Refusal.Types.Code;

namespace DeviceHub.ClusterTests.Terminals;

/// <summary>Activation, credentials and what people do with a terminal. Each test has its own silo.</summary>
public sealed class TerminalGrainTests : IAsyncLifetime
{
    private readonly TerminalFixture hub = new();

    public ValueTask InitializeAsync() => hub.InitializeAsync();

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public async Task Same_code_and_number_get_a_new_key_until_the_first_login()
    {
        var sn = hub.NewSerial();
        var code = hub.NewCode();
        var first = await Activate(sn, code);
        var second = await Activate(sn, code.Replace("-", "", StringComparison.Ordinal).ToLowerInvariant());
        var other = await Activate(hub.NewSerial(), code);

        Assert.NotEqual(first.Key!.Reveal().ToArray(), second.Key!.Reveal().ToArray());
        Assert.Equal(RefusalCode.Activation, other.Refusal!.Code);
        Assert.Equal(TerminalStatus.Registered, hub.Terminals.Row(sn).Status);
    }

    [Fact]
    public async Task Code_is_used_up_by_the_first_login_and_every_no_sounds_the_same()
    {
        var code = hub.NewCode(uses: 1);
        var terminal = new TestTerminal(hub, hub.NewSerial());
        await terminal.Activate(code);
        await terminal.Prove();
        await terminal.Next(d => d.Synced is not null);
        var again = await Activate(terminal.SerialNumber, code);
        var guessed = await Activate(hub.NewSerial(), "0000-0000-0000-0000");
        var plain = await hub.Grain(hub.NewSerial()).Activate(new ActivateRequest(new ActivationCode(hub.NewCode()), "HW1", Secure: false));

        Assert.Equal(TerminalStatus.Active, hub.Terminals.Row(terminal.SerialNumber).Status);
        Assert.Null(hub.Terminals.Row(terminal.SerialNumber).OfferedKey);
        Assert.Equal(again.Refusal, guessed.Refusal);
        Assert.Equal(again.Refusal, plain.Refusal);
    }

    [Fact]
    public async Task Snapshot_holds_no_key()
    {
        var terminal = await hub.LoggedIn();
        var snapshot = await hub.Grain(terminal.SerialNumber).Snapshot();

        Assert.True(snapshot!.Connected);
        Assert.Null(snapshot.Record.Key);
        Assert.Null(snapshot.Record.OfferedKey);
        Assert.NotNull(hub.Terminals.Row(terminal.SerialNumber).Key);
    }

    [Fact]
    public async Task Change_meets_another_writer_and_is_done_again_on_top()
    {
        var terminal = await hub.LoggedIn();
        hub.Terminals.Touch(terminal.SerialNumber, r => r with { MaxAmountFen = 77 });
        var refusal = await hub.Grain(terminal.SerialNumber).Suspend(TerminalFixture.Admin);

        Assert.Null(refusal);
        Assert.Equal((TerminalStatus.Suspended, 77L), (hub.Terminals.Row(terminal.SerialNumber).Status, hub.Terminals.Row(terminal.SerialNumber).MaxAmountFen!.Value));
    }

    [Fact]
    public async Task Deed_is_saved_once_with_the_change_that_it_made()
    {
        var terminal = await hub.LoggedIn();
        var grain = hub.Grain(terminal.SerialNumber);
        hub.Terminals.Touch(terminal.SerialNumber, r => r with { OtherHardware = new OtherHardware("HW2", "10.0.0.1", r.RegisteredAt) });
        for (var twice = 0; twice < 2; twice++)
        {
            await grain.Suspend(TerminalFixture.Admin);
            await grain.SetMaxAmount(77, TerminalFixture.Admin);
            await grain.SetConfiguration("""{"volume":7}""", TerminalFixture.Admin);
        }

        Assert.Equal(["terminal.suspend", "terminal.limit", "terminal.configuration"], hub.Terminals.Deeds.Select(d => d.What));
        Assert.All(hub.Terminals.Deeds, d => Assert.Equal((TerminalFixture.Admin, "terminal:" + terminal.SerialNumber), (d.By, d.Subject)));
        Assert.Contains("HW2", hub.Terminals.Deeds.First().Before!.ToString());
    }

    [Theory, InlineData(-599, true), InlineData(599, true), InlineData(-601, false), InlineData(601, false)]
    public async Task Token_is_right_within_ten_minutes_of_the_hubs_clock(int seconds, bool right)
    {
        var terminal = await hub.LoggedIn();
        var refusal = await hub.Grain(terminal.SerialNumber).CheckToken(Token(terminal, seconds), secure: true);

        Assert.Equal(right, refusal is null);
    }

    [Fact]
    public async Task Token_is_used_up_by_a_login_over_a_plain_wire_on_every_wire_and_reusable_over_tls()
    {
        var terminal = await hub.LoggedIn();
        var tls = await ByToken(hub, terminal, 0, secure: true);
        Assert.Null(await hub.Grain(terminal.SerialNumber).CheckToken(Token(terminal, 0), secure: true));
        Assert.Null(await hub.Grain(terminal.SerialNumber).CheckToken(Token(terminal, 0), secure: false));

        await ByToken(hub, terminal, 0, secure: false);
        Assert.Equal(CutReason.TakenOver, await tls.WasCut.Task.WaitAsync(TimeSpan.FromSeconds(10)));
        foreach (var secure in new[] { false, true })
        {
            Assert.Equal(RefusalCode.Credentials, (await hub.Grain(terminal.SerialNumber).CheckToken(Token(terminal, 0), secure))!.Code);
            Assert.Null(await hub.Grain(terminal.SerialNumber).CheckToken(Token(terminal, 1), secure));
        }
    }

    /// <summary>A token may be from ten minutes ahead, so that it outlives what its terminal's grain remembers, too.</summary>
    [Fact]
    public async Task Token_that_was_used_up_stays_so_when_the_hub_starts_again_and_when_another_hub_was_faster_to_save()
    {
        var terminal = await hub.LoggedIn();
        hub.Terminals.Touch(terminal.SerialNumber, r => r with { MaxAmountFen = 77 });
        await ByToken(hub, terminal, 590, secure: false);
        Assert.Equal(77, hub.Terminals.Row(terminal.SerialNumber).MaxAmountFen);

        await using var restarted = new TerminalFixture(hub.Terminals);
        await restarted.InitializeAsync();
        Assert.Equal(RefusalCode.Credentials, (await restarted.Grain(terminal.SerialNumber).CheckToken(Token(terminal, 590), secure: false))!.Code);
        await ByToken(restarted, terminal, 591, secure: false);
    }

    [Fact]
    public async Task Unknown_terminal_and_wrong_key_are_told_the_same()
    {
        var terminal = await hub.LoggedIn();
        var proof = Token(terminal, 0);
        var wrong = await hub.Grain(terminal.SerialNumber).CheckToken(proof with { Mac = new byte[16] }, secure: true);
        var unknown = await hub.Grain(hub.NewSerial()).CheckToken(proof, secure: true);
        var half = await hub.Grain(terminal.SerialNumber).CheckToken(proof with { Mac = proof.Mac[..8] }, secure: true);

        Assert.Equal(wrong, unknown);
        Assert.Equal(wrong, half);
        Assert.Equal(RefusalCode.Credentials, wrong!.Code);
    }

    [Fact]
    public async Task One_heartbeat_in_a_while_is_kept_for_charts_and_has_the_reconnects_of_those_before_it()
    {
        var terminal = await hub.LoggedIn();
        var times = new ConnectTimes { AttachMs = 2100, LoginMs = 190 };
        await Beat(new() { UptimeS = 10, ConnectTimes = times, SignalDbm = -71, Reconnects = { new ReconnectCause { Cause = ReconnectCause.Types.Cause.Dns, Count = 2 } } });
        hub.Clock.Advance(TimeSpan.FromMinutes(5));
        await Beat(new() { UptimeS = 310, ConnectTimes = new() { TlsMs = 480 }, Reconnects = { new ReconnectCause { Cause = ReconnectCause.Types.Cause.Tls, Count = 1 } } });
        hub.Clock.Advance(TimeSpan.FromMinutes(10));
        await Beat(new() { UptimeS = 910, Power = PowerSource.Battery, BatteryPercent = 80, Reconnects = { new ReconnectCause { Cause = ReconnectCause.Types.Cause.Closed, Count = 4 } } });
        var samples = hub.Terminals.Sightings.Where(s => s.SerialNumber == terminal.SerialNumber && s.Sample is not null).Select(s => s.Sample);

        Assert.Equal(
            [new HeartbeatFigures(10, -71, null, 2, 2100, null, null, 190), new HeartbeatFigures(910, null, 80, 5, null, null, 480, null)],
            samples);

        ValueTask Beat(Heartbeat beat) => terminal.Send(new Uplink { Heartbeat = beat });
    }

    [Fact]
    public async Task Older_session_is_refused_by_its_epoch()
    {
        var first = await hub.LoggedIn();
        var second = new TestTerminal(hub, first.SerialNumber, key: first.Key);
        await second.LogIn();
        var report = new HeartbeatReport("1.0", 0, "{}");

        var old = await hub.Grain(first.SerialNumber).Heartbeat((long)first.Welcome.SessionEpoch, report);
        var current = await hub.Grain(first.SerialNumber).Heartbeat((long)second.Welcome.SessionEpoch, report);

        Assert.Equal(RefusalCode.StaleSession, old.Refusal!.Code);
        Assert.Null(current.Refusal);
    }

    [Fact]
    public async Task Suspended_terminal_may_log_in_and_is_told_that_it_takes_no_payments()
    {
        var terminal = await hub.LoggedIn();
        await hub.Grain(terminal.SerialNumber).Suspend(TerminalFixture.Admin);
        var again = new TestTerminal(hub, terminal.SerialNumber, key: terminal.Key);
        await again.LogIn();

        Assert.Equal(Code.Suspended, (await again.Next(d => d.Refusal is not null)).Refusal.Code);
    }

    [Fact]
    public async Task Heartbeat_shows_drift_until_the_terminal_has_applied_or_refused_the_version()
    {
        var terminal = await hub.LoggedIn();
        var grain = hub.Grain(terminal.SerialNumber);
        var epoch = (long)terminal.Welcome.SessionEpoch;
        var desired = (await grain.SetConfiguration("""{"volume":7}""", TerminalFixture.Admin)).Desired!;
        var before = await grain.Heartbeat(epoch, new HeartbeatReport("1.0", 0, "{}"));
        await grain.ConfigurationReported(epoch, new(desired.Version, desired.Hash, ConfigurationResult.Applied, null, hub.Clock.GetUtcNow()));
        var after = await grain.Heartbeat(epoch, new HeartbeatReport("1.0", desired.Version, "{}"));
        var second = (await grain.SetConfiguration("""{"volume":8}""", TerminalFixture.Admin)).Desired!;
        await grain.ConfigurationReported(epoch, new(second.Version, desired.Hash, ConfigurationResult.Refused, "volume", hub.Clock.GetUtcNow()));
        var refused = await grain.Heartbeat(epoch, new HeartbeatReport("1.0", desired.Version, "{}"));

        Assert.Equal((1L, 2L), (desired.Version, second.Version));
        Assert.Equal([true, false, false], [before.ConfigurationDrifts, after.ConfigurationDrifts, refused.ConfigurationDrifts]);
    }

    [Fact]
    public async Task Configuration_made_from_another_version_than_the_desired_one_is_refused_with_that_one()
    {
        var terminal = await hub.LoggedIn();
        var grain = hub.Grain(terminal.SerialNumber);
        var first = await grain.SetConfigurationAfter("""{"volume":7}""", 0, TerminalFixture.Admin);
        Assert.Equal((null, 1L, 1UL), (first.Refusal, first.Desired!.Version, await Told(terminal)));
        var stale = await grain.SetConfigurationAfter("""{"volume":3}""", 0, TerminalFixture.Admin);
        var second = await grain.SetConfigurationAfter("""{"volume":8}""", 1, TerminalFixture.Admin);

        Assert.Equal((RefusalCode.ChangedMeanwhile, 1L, """{"volume":7}"""), (stale.Refusal!.Code, stale.Desired!.Version, stale.Desired.Json));
        Assert.Equal((null, 2L, """{"volume":8}""", 2UL), (second.Refusal, second.Desired!.Version, second.Desired.Json, await Told(terminal)));

        static async Task<ulong> Told(TestTerminal terminal) => (await terminal.Next(d => d.ConfigurationCommit is not null)).ConfigurationCommit.Version;
    }

    [Fact]
    public async Task Configuration_that_another_writer_set_first_is_not_overwritten()
    {
        var terminal = await hub.LoggedIn();
        var other = ConfigurationDocument.TryParse("""{"volume":3}""", out _)!;
        hub.Terminals.Touch(terminal.SerialNumber, r => r with { DesiredConfiguration = """{"volume":3}""", DesiredVersion = 1, DesiredHash = other.Hash });
        var answer = await hub.Grain(terminal.SerialNumber).SetConfigurationAfter("""{"volume":7}""", 0, TerminalFixture.Admin);

        Assert.Equal((RefusalCode.ChangedMeanwhile, 1L), (answer.Refusal!.Code, answer.Desired!.Version));
        Assert.Equal((1L, """{"volume":3}"""), (hub.Terminals.Row(terminal.SerialNumber).DesiredVersion, hub.Terminals.Row(terminal.SerialNumber).DesiredConfiguration));
    }

    private async Task<ActivateAnswer> Activate(string serialNumber, string code) =>
        await hub.Grain(serialNumber).Activate(new ActivateRequest(new ActivationCode(code), "HW1", Secure: true));

    private async Task<TestTerminal> ByToken(TerminalFixture at, TestTerminal known, int offsetSeconds, bool secure)
    {
        var token = Login.Token(known.Key, known.SerialNumber, hub.Clock.GetUtcNow().AddSeconds(offsetSeconds).ToUnixTimeSeconds());
        var terminal = new TestTerminal(at, known.SerialNumber, key: known.Key, token: token) { Secure = secure };
        await terminal.Hello();
        await terminal.Next(d => d.Synced is not null);
        return terminal;
    }

    private LoginProof Token(TestTerminal terminal, int offsetSeconds)
    {
        var at = hub.Clock.GetUtcNow().AddSeconds(offsetSeconds);
        Assert.True(Login.TryParseToken(Login.Token(terminal.Key, terminal.SerialNumber, at.ToUnixTimeSeconds()), out var seconds, out var mac));
        return new LoginProof(Login.TokenInput(terminal.SerialNumber, seconds), mac, at);
    }
}
