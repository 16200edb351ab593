using DeviceHub.Core;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;
using MQTTnet;
using Refusal = DeviceHub.Protocol.Wire.Refusal;

namespace DeviceHub.IntegrationTests.BadInput;

/// <summary>Wrong credentials, versions and codes, over real sockets.</summary>
[Collection(BadInputHub.Collection)]
public sealed class LoginInputTests(BadInputHub hub)
{
    [Fact]
    public async Task Another_protocol_version_is_refused()
    {
        var refused = hub.WatchRefusals(RefusalCode.Version);
        await using var terminal = await hub.Activated();
        await terminal.Connect();
        await terminal.Send(new Uplink
        {
            Hello = new Hello { ProtocolVersion = 2, HardwareId = "HW-1", BootReason = BootReason.PowerOn, TerminalNonce = ByteString.CopyFrom(new byte[16]) },
        });

        Assert.Equal(Refusal.Types.Code.Version, (await terminal.ExpectRefusal()).Code);
        await hub.ServesOthers();
        await refused.Grew();
    }

    [Fact]
    public async Task Two_clients_with_one_key_and_two_hardware_ids_only_the_bound_one_is_let_in()
    {
        var clones = hub.Watch("terminals.other_hardware");
        await using var terminal = await hub.LoggedIn();
        await using var clone = new TestTerminal(terminal.SerialNumber, hub.MqttPort, "HW-CLONE") { Key = terminal.Key };
        await clone.Connect();
        await clone.SendHello();
        await clone.Prove((await clone.Expect(Downlink.BodyOneofCase.Challenge)).Challenge.HubNonce.ToByteArray());

        Assert.Equal(Refusal.Types.Code.Hardware, (await clone.ExpectRefusal()).Code);
        Assert.Equal(Outcome.Types.Result.Approved, (await terminal.PayForOutcome(terminal.Request(2100))).Result);
        await hub.ServesOthers();
        await clones.Grew();
    }

    [Fact]
    public async Task Wrong_proof_is_refused_and_closed_without_disturbing_the_terminal_that_is_there()
    {
        var wrong = hub.Watch("session.wrong_credentials");
        await using var terminal = await hub.LoggedIn();
        await using var guesser = new TestTerminal(terminal.SerialNumber, hub.MqttPort) { Key = new byte[32] };
        await guesser.Connect();
        await guesser.SendHello();
        await guesser.Prove((await guesser.Expect(Downlink.BodyOneofCase.Challenge)).Challenge.HubNonce.ToByteArray());
        Assert.Equal(Refusal.Types.Code.Credentials, (await guesser.ExpectRefusal()).Code);
        await guesser.Closed.Task.WaitAsync(TimeSpan.FromSeconds(10));

        Assert.True(terminal.Connected);
        Assert.Equal(Outcome.Types.Result.Approved, (await terminal.PayForOutcome(terminal.Request(2200))).Result);
        await hub.ServesOthers();
        await wrong.Grew();
    }

    [Fact]
    public async Task Right_proof_is_let_in_at_once_after_many_wrong_ones()
    {
        var wrong = hub.Watch("session.wrong_credentials");
        await using var known = await hub.Activated();
        for (var i = 0; i < 4; i++)
        {
            await using var guesser = new TestTerminal(known.SerialNumber, hub.MqttPort) { Key = new byte[32] };
            await guesser.Connect();
            await guesser.SendHello();
            await guesser.Prove((await guesser.Expect(Downlink.BodyOneofCase.Challenge)).Challenge.HubNonce.ToByteArray());
        }

        var from = TimeProvider.System.GetTimestamp();
        await known.Login();
        Assert.True(TimeProvider.System.GetElapsedTime(from) < TimeSpan.FromSeconds(3), "a right proof waited for others' wrong ones");
        await hub.ServesOthers();
        await wrong.Grew(4);
    }

    [Fact]
    public async Task Unknown_serial_number_gets_the_same_answer_as_a_wrong_key()
    {
        var refused = hub.WatchRefusals(RefusalCode.Credentials);
        await using var stranger = new TestTerminal("NOBODY-0001", hub.MqttPort) { Key = new byte[32] };
        await stranger.Connect();
        await stranger.SendHello();
        await stranger.Prove((await stranger.Expect(Downlink.BodyOneofCase.Challenge)).Challenge.HubNonce.ToByteArray());

        Assert.Equal(Refusal.Types.Code.Credentials, (await stranger.ExpectRefusal()).Code);
        await hub.ServesOthers();
        await refused.Grew();
    }

    [Theory]
    [InlineData("abc", null, MqttClientConnectResultCode.ClientIdentifierNotValid, "client-id")]
    [InlineData("with.a.dot", null, MqttClientConnectResultCode.ClientIdentifierNotValid, "client-id")]
    [InlineData("of-33-characters-aaaaaaaaaaaaaaaa", null, MqttClientConnectResultCode.ClientIdentifierNotValid, "client-id")]
    [InlineData("CLIENT-ID", "ANOTHER-SERIAL", MqttClientConnectResultCode.BadUserNameOrPassword, "user-name")]
    public async Task Client_id_that_is_no_serial_number_or_not_that_of_the_user_name_is_refused(string clientId, string? userName, MqttClientConnectResultCode code, string reason)
    {
        var refused = hub.Watch("mqtt.refused", reason);
        await using var terminal = new TestTerminal(userName ?? clientId, hub.MqttPort);
        var answer = await terminal.Connect(userName is null ? null : "t1.1.0", clientId);

        Assert.Equal(code, answer.ResultCode);
        await hub.ServesOthers();
        await refused.Grew();
    }

    [Fact]
    public async Task Newer_session_of_the_same_terminal_takes_over_at_once()
    {
        var replaced = hub.Watch("session.replaced");
        await using var older = await hub.LoggedIn();
        await using var newer = hub.Rebooted(older);
        await newer.Login();

        await older.Closed.Task.WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(Outcome.Types.Result.Approved, (await newer.PayForOutcome(newer.Request(2300))).Result);
        await hub.ServesOthers();
        await replaced.Grew();
    }

    [Fact]
    public async Task Token_logs_in_and_a_wrong_or_old_one_is_refused_at_connect()
    {
        var refusals = hub.Watch("mqtt.refused", "credentials");
        await using var terminal = await hub.Activated();
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        await using var old = new TestTerminal(terminal.SerialNumber, hub.MqttPort) { Key = terminal.Key };
        var refused = await old.Connect(Login.Token(terminal.Key, terminal.SerialNumber, now - 3600));
        Assert.Equal(MqttClientConnectResultCode.BadUserNameOrPassword, refused.ResultCode);
        await using var wrong = new TestTerminal(terminal.SerialNumber, hub.MqttPort) { Key = terminal.Key };
        refused = await wrong.Connect(Login.Token(new byte[32], terminal.SerialNumber, now));
        Assert.Equal(MqttClientConnectResultCode.BadUserNameOrPassword, refused.ResultCode);

        await terminal.Connect(Login.Token(terminal.Key, terminal.SerialNumber, now));
        await terminal.SendHello();
        await terminal.UntilSynced();
        Assert.Equal(Outcome.Types.Result.Approved, (await terminal.PayForOutcome(terminal.Request(2400))).Result);
        await hub.ServesOthers();
        await refusals.Grew(2);
    }

    [Fact]
    public async Task Used_expired_revoked_and_guessed_activation_codes_get_one_and_the_same_refusal()
    {
        var activations = hub.Watch("terminals.activations_refused");
        var used = await hub.NewActivationCode();
        await using var first = new TestTerminal(BadInputHub.NewSerial(), hub.MqttPort);
        await first.Activate(used);
        await using (var session = hub.Rebooted(first))
        {
            await session.Login();
        }

        var refusals = new List<Refusal>();
        foreach (var (code, serial) in new[]
        {
            (used, BadInputHub.NewSerial()),
            (used, first.SerialNumber),
            (await hub.NewActivationCode(expired: true), BadInputHub.NewSerial()),
            (await hub.NewActivationCode(revoked: true), BadInputHub.NewSerial()),
            ("AAAA-BBBB-CCCC-DDDD", BadInputHub.NewSerial()),
        })
        {
            refusals.Add(await Refused(serial, code));
        }

        Assert.Single(refusals.Distinct());
        Assert.Equal(Refusal.Types.Code.Activation, refusals[0].Code);
        await hub.ServesOthers();
        await activations.Grew(5);
    }

    [Fact]
    public async Task Active_serial_number_is_not_activated_again_by_a_good_code_and_both_the_code_and_its_key_stay_good()
    {
        var activations = hub.Watch("terminals.activations_refused");
        await using var active = await hub.LoggedIn();
        var code = await hub.NewActivationCode();

        var refused = await Refused(active.SerialNumber, code);
        Assert.Equal(Refusal.Types.Code.Activation, refused.Code);
        Assert.Equal(await Refused(BadInputHub.NewSerial(), "AAAA-BBBB-CCCC-DDDD"), refused);

        await using var other = new TestTerminal(BadInputHub.NewSerial(), hub.MqttPort);
        await other.Activate(code);
        await using var again = hub.Rebooted(active);
        await again.Login();
        Assert.Equal(Outcome.Types.Result.Approved, (await again.PayForOutcome(again.Request(2500))).Result);
        await hub.ServesOthers();
        await activations.Grew(2);
    }

    [Fact]
    public async Task After_too_many_wrong_activation_codes_no_other_of_that_serial_number_is_looked_at()
    {
        var wrong = hub.Watch("session.wrong_credentials");
        var serial = BadInputHub.NewSerial();
        var guesses = await Task.WhenAll(Enumerable.Range(0, BadInputHub.MaxWrongCodes).Select(_ => Refused(serial, "AAAA-BBBB-CCCC-DDDD")));
        Assert.All(guesses, guess => Assert.Equal((Refusal.Types.Code.Activation, 0u), (guess.Code, guess.RetryAfterMs)));

        var right = await hub.NewActivationCode();
        var refused = await Refused(serial, right);
        Assert.Equal(Refusal.Types.Code.Activation, refused.Code);
        Assert.InRange(refused.RetryAfterMs, 1u, 600_000u);

        // Another terminal of the same address is none the worse, and the code was not used up.
        await using var other = new TestTerminal(BadInputHub.NewSerial(), hub.MqttPort);
        await other.Activate(right);
        await hub.ServesOthers();
        await wrong.Grew(BadInputHub.MaxWrongCodes + 1);
    }

    [Fact]
    public async Task Wrong_activation_codes_that_come_at_once_are_looked_at_no_more_often_than_one_after_the_other()
    {
        var (looked, wrong) = (hub.Watch("terminals.activations_refused"), hub.Watch("session.wrong_credentials"));
        var serial = BadInputHub.NewSerial();
        var guesses = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => Refused(serial, "AAAA-BBBB-CCCC-DDDD")));

        Assert.All(guesses, guess => Assert.Equal(Refusal.Types.Code.Activation, guess.Code));

        // Those that nobody looked at are told when to come back. The counter is of the whole process, in which other hubs refuse codes, too.
        Assert.Equal(24 - BadInputHub.MaxWrongCodes, guesses.Count(guess => guess.RetryAfterMs > 0));
        await looked.Grew(BadInputHub.MaxWrongCodes);
        await hub.ServesOthers();
        await wrong.Grew(24);
    }

    private async Task<Refusal> Refused(string serial, string code)
    {
        await using var terminal = new TestTerminal(serial, hub.MqttPort);
        await terminal.Connect();
        await terminal.SendHello();
        await terminal.Expect(Downlink.BodyOneofCase.Challenge);
        await terminal.Send(new Uplink { Activate = new Activate { ActivationCode = code } });
        return await terminal.ExpectRefusal();
    }

    [Fact]
    public async Task Same_code_and_serial_number_get_a_new_key_until_the_first_login()
    {
        var (offers, activated) = (hub.Watch("terminals.activation_offers"), hub.Watch("terminals.activated"));
        var code = await hub.NewActivationCode();
        await using var terminal = new TestTerminal(BadInputHub.NewSerial(), hub.MqttPort);
        var lost = await terminal.Activate(code);
        await using var again = new TestTerminal(terminal.SerialNumber, hub.MqttPort);
        var kept = await again.Activate(code);

        Assert.NotEqual(lost, kept);
        await using var session = hub.Rebooted(again);
        await session.Login();
        await hub.ServesOthers();
        await offers.Grew(2);
        await activated.Grew();
    }
}
