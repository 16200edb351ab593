using System.Net;
using DeviceHub.IntegrationTests.BadInput;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;

namespace DeviceHub.IntegrationTests.Attacks;

/// <summary>Attacks on logins and sessions: 9, 11, 12, 22 of RELIABILITY.md, and sessions that are replaced or do not listen.</summary>
[Collection(AttackGroup.Name)]
public sealed class LoginAttackTests(StrictHub hub)
{
    private readonly IPAddress from = RawClient.NewAddress();

    [Fact]
    public async Task Attack_9_a_victims_id_with_a_bad_password_does_not_disturb_the_victim()
    {
        var refused = await hub.WatchRefused("credentials");
        await using var victim = await hub.LoggedIn();
        foreach (var password in new[] { "t1.1790000000.00000000000000000000000000000000", "no token at all", Login.Token(new byte[32], victim.SerialNumber, Now) })
        {
            using var attacker = await RawClient.Open(hub.Port, from);
            await attacker.Send(Packets.Connect(victim.SerialNumber, password));
            Assert.Equal(0x86, (await attacker.Expect(Packet.ConnAck)).Reason);
            Assert.Null(await attacker.Next());
        }

        Assert.True(victim.Connected);
        Assert.Equal(Outcome.Types.Result.Approved, (await victim.PayForOutcome(victim.Request(7100))).Result);
        await hub.ServesOthers();
        await refused.Grew(3);
    }

    [Fact]
    public async Task Attack_11_two_clients_with_one_key_that_take_over_from_each_other_are_slowed_down()
    {
        var paced = await hub.Watch("mqtt.connects_paced");
        var replaced = await hub.Watch("session.replaced");
        await using var terminal = await hub.Activated(AttackHub.Unsealed);
        var began = TimeProvider.System.GetTimestamp();

        // Kept until the end: a socket that nobody holds is closed by the collector, and then it is not taken over.
        var sockets = new List<SocketTerminal>();
        for (var i = 0; i < 6; i++)
        {
            sockets.Add(await hub.OnSocket(terminal, from));
        }

        Assert.True(TimeProvider.System.GetElapsedTime(began) > TimeSpan.FromSeconds(1), "nobody slowed them down");
        await hub.ServesOthers();
        Assert.InRange(await paced.Grew(), 1, 3);
        await replaced.Grew(5);
        Assert.Equal(1, hub.Logged(terminal.SerialNumber, "connects too often"));
        using var last = await hub.OnSocket(terminal, from);
        await last.Send(last.Payment(7200));
        Assert.Equal(Outcome.Types.Result.Approved, (await last.Expect(Downlink.BodyOneofCase.Outcome)).Outcome.Result);
        sockets.ForEach(s => s.Dispose());
    }

    [Fact]
    public async Task Attack_12_guesses_are_answered_alike_for_known_and_unknown_ids_ever_later_and_the_right_one_is_taken_all_the_same()
    {
        var wrong = await hub.Watch("session.wrong_credentials");
        await using var known = await hub.Activated();
        var unknown = AttackHub.NewSerial();
        var knownAnswers = new List<(string Bytes, TimeSpan After)>();
        var unknownAnswers = new List<(string Bytes, TimeSpan After)>();
        for (var i = 0; i < 3; i++)
        {
            knownAnswers.Add(await Guess(known.SerialNumber));
            unknownAnswers.Add(await Guess(unknown));
        }

        Assert.Single(knownAnswers.Concat(unknownAnswers).Select(a => a.Bytes).Distinct());
        foreach (var answers in new[] { knownAnswers, unknownAnswers })
        {
            // At the least 250, 500, 1,000 ms; a timer may be a little early.
            Assert.All(answers.Index(), a => Assert.True(a.Item.After > TimeSpan.FromMilliseconds((250 << a.Index) - 20), $"guess {a.Index} was answered after {a.Item.After}"));
        }

        using var right = await RawClient.Open(hub.Port, from);
        await right.Send(Packets.Connect(known.SerialNumber, hub.Token(known)));
        Assert.Equal(0, (await right.Expect(Packet.ConnAck)).Reason);
        await hub.ServesOthers();
        await wrong.Grew(6);
    }

    [Fact]
    public async Task Attack_22_a_sealed_request_that_is_replayed_or_changed_moves_no_money()
    {
        var seals = await hub.Watch("session.seal_faults", "Replayed");
        var conflicts = await hub.Watch("session.refusals", "RequestConflict");
        await using var terminal = await hub.LoggedIn();
        var request = terminal.Request(7300);
        var body = Google.Protobuf.ByteString.CopyFrom(MessageCodec.Encode(new Uplink { PaymentRequest = request }, WireEncoding.Protobuf));
        var sealer = new Sealer(terminal.SessionKey, SealDirection.Up);
        var message = new Uplink { Sealed = sealer.Seal(body) };
        await terminal.Send(message);
        var first = await terminal.ExpectOutcome(request.RequestId);
        await terminal.Send(message);
        Assert.Equal(Refusal.Types.Code.Seal, (await terminal.ExpectRefusal()).Code);

        request.AmountFen = 1;
        var changed = Google.Protobuf.ByteString.CopyFrom(MessageCodec.Encode(new Uplink { PaymentRequest = request }, WireEncoding.Protobuf));
        await terminal.Send(new Uplink { Sealed = sealer.Seal(changed) });
        Assert.Equal(Refusal.Types.Code.RequestConflict, (await terminal.ExpectRefusal()).Code);

        await hub.ServesOthers();
        await seals.Grew();
        await conflicts.Grew();
        Assert.Equal(1, await hub.Payments(terminal));
        Assert.Equal(7300u, first.AmountFen);
    }

    [Fact]
    public async Task A_payment_from_a_session_that_is_not_subscribed_is_refused_and_taken_once_it_is()
    {
        var refused = await hub.Watch("session.refusals", "NotSubscribed");
        await using var terminal = await hub.Activated(AttackHub.Unsealed);
        using var client = await hub.OnSocket(terminal, from);
        var down = Names.DownTopic(terminal.SerialNumber);
        await client.Client.Send(Packets.Unsubscribe(down, 70));
        Assert.Equal(0, (await client.Client.Expect(11)).Body[^1]);
        var payment = client.Payment(7400);
        await client.Send(payment);
        await client.Client.Expect(Packet.PubAck);
        await refused.Grew();
        Assert.Equal(0, await hub.Payments(terminal));

        await client.Client.Send(Packets.Subscribe(down, 71));
        await client.Client.Expect(Packet.SubAck);
        await client.Send(payment);
        Assert.Equal(payment.PaymentRequest.RequestId, (await client.Expect(Downlink.BodyOneofCase.Outcome)).Outcome.RequestId);
        await hub.ServesOthers();
    }

    [Fact]
    public async Task What_an_older_session_still_sends_after_a_takeover_reaches_nothing()
    {
        var replaced = await hub.Watch("session.replaced");
        await using var terminal = await hub.Activated(AttackHub.Unsealed);
        using var older = await hub.OnSocket(terminal, from);
        using var newer = await hub.OnSocket(terminal, from);
        var late = older.Payment(7500);
        await older.Send(late);

        Assert.Equal((byte)0x8E, await older.Client.ToTheEnd());
        await newer.Send(newer.Payment(7600));
        Assert.Equal(7600u, (await newer.Expect(Downlink.BodyOneofCase.Outcome)).Outcome.AmountFen);
        await newer.Send(new Uplink { PaymentQuery = new PaymentQuery { RequestId = late.PaymentRequest.RequestId } });
        Assert.Equal(Refusal.Types.Code.UnknownPayment, (await newer.Expect(Downlink.BodyOneofCase.Refusal)).Refusal.Code);
        await hub.ServesOthers();
        await replaced.Grew();
    }

    private static long Now => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    private async Task<(string Bytes, TimeSpan After)> Guess(string serialNumber)
    {
        using var attacker = await RawClient.Open(hub.Port, from);
        var began = TimeProvider.System.GetTimestamp();
        await attacker.Send(Packets.Connect(serialNumber, Login.Token(new byte[32], serialNumber, Now)));
        var answer = await attacker.Expect(Packet.ConnAck);
        var after = TimeProvider.System.GetElapsedTime(began);
        Assert.Null(await attacker.Next());
        return (Convert.ToHexString(answer.Body), after);
    }
}
