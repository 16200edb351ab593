using System.Security.Cryptography;
using DeviceHub.Core;
using DeviceHub.Gateways.Serial;
using DeviceHub.Protocol;
using DeviceHub.Protocol.Wire;
using Google.Protobuf;
using Refusal = DeviceHub.Protocol.Wire.Refusal;

namespace DeviceHub.UnitTests.Serial;

/// <summary>The terminal that a plain scanner has not got, against a hub that the test plays.</summary>
public sealed class ScannerTerminalTests : IScannerHost
{
    private const string Code = "134567890123456789", OtherCode = "134567890123456780";

    private readonly ScannerTerminal terminal;
    private readonly List<Uplink> sent = [];
    private readonly List<string> counted = [];
    private readonly List<string> told = [];
    private SecretBytes? key;
    private Sealer? seal;
    private Sealer? opener;
    private byte[] nonce = [];
    private int forgotten;

    public ScannerTerminalTests() => terminal = new ScannerTerminal("SCAN-0001", "ABCD-EFGH", 5_000, this);

    void IScannerHost.Send(Uplink message)
    {
        if (message.BodyCase == Uplink.BodyOneofCase.Sealed)
        {
            Assert.Equal(SealFault.None, opener!.Open(message.Sealed));
            Assert.True(MessageCodec.TryDecode(message.Sealed.Body.Span, out Uplink? inner, out _).Ok);
            sent.Add(inner!);
        }
        else
        {
            Assert.False(MessageRules.IsMoney(message.BodyCase));
            sent.Add(message);
        }
    }

    SecretBytes? IScannerHost.LoadKey() => key;

    void IScannerHost.StoreKey(ReadOnlySpan<byte> key) => this.key = new SecretBytes(key.ToArray());

    bool IScannerHost.IsWallet(string code) => code.Length == 18;

    void IScannerHost.ForgetPartOfCode() => forgotten++;

    void IScannerHost.Count(string what) => counted.Add(what);

    void IScannerHost.Tell(string words) => told.Add(words);

    [Fact]
    public void A_port_without_a_key_activates_keeps_the_key_and_proves_it()
    {
        terminal.Connected(0);
        var hello = Assert.Single(Take()).Hello;
        Assert.Contains("collect", hello.Capabilities);
        terminal.Received(new Downlink { Challenge = new() { HubNonce = ByteString.CopyFrom(new byte[16]) } }, 0);
        Assert.Equal("ABCD-EFGH", Assert.Single(Take()).Activate.ActivationCode);
        var given = Enumerable.Range(7, 32).Select(i => (byte)i).ToArray();
        terminal.Received(new Downlink { Offer = new() { TerminalKey = ByteString.CopyFrom(given) } }, 0);
        Assert.Equal(given, key!.Reveal().ToArray());
        var input = Login.ProofInput("serial", "SCAN-0001", hello.HardwareId, new byte[16], hello.TerminalNonce.Span);
        Assert.Equal(HMACSHA256.HashData(given, input), Assert.Single(Take()).Proof.Mac.ToByteArray());
    }

    [Fact]
    public void Only_a_code_that_fits_a_wallet_answers_a_charge_and_the_outcome_is_confirmed()
    {
        LogIn(0);
        terminal.Scanned(Code, 10);
        Assert.Empty(Take());
        Collect("CHARGE-1", 1_280, 100);
        Assert.Equal("CHARGE-1", Assert.Single(Take()).Collecting.ChargeId);
        Assert.Equal(1, forgotten);
        terminal.Scanned("6901234567892", 200);
        Assert.Empty(Take());
        terminal.Scanned(Code, 300);
        var request = Assert.Single(Take()).PaymentRequest;
        Assert.Equal(("CHARGE-1", 1_280ul, "A-1", Code, 30_000u), (request.ChargeId, request.AmountFen, request.OrderNumber, request.PaymentCode, request.TimeToLiveMs));
        terminal.Scanned(OtherCode, 400);
        Assert.Empty(Take());
        Money(new Downlink { Outcome = new() { RequestId = request.RequestId, Revision = 1, Result = Outcome.Types.Result.Approved } }, 900);
        Assert.Equal(request.RequestId, Assert.Single(Take()).OutcomeShown.RequestId);
        Assert.Equal(["not-asked-for", "no-wallet", "answer", "not-asked-for"], counted);
    }

    [Fact]
    public void A_code_that_answered_is_thrown_away_when_it_is_read_again_within_the_window_also_for_the_next_charge()
    {
        LogIn(0);
        Pay("CHARGE-1", 0);
        Collect("CHARGE-2", 1_280, 100);
        Take();
        for (var at = 200; at <= 9_000; at += 100)
        {
            // Ten codes a second: a scanner that is held on the code.
            terminal.Scanned(Code, at);
        }

        Assert.Empty(Take());
        terminal.Scanned(Code, 14_001);
        Assert.Equal("CHARGE-2", Assert.Single(Take()).PaymentRequest.ChargeId);
    }

    [Fact]
    public void A_request_is_repeated_after_3_6_12_and_12_s_until_it_is_accepted_and_asked_about_afterwards()
    {
        LogIn(0);
        Collect("CHARGE-1", 1_280, 0);
        Take();
        terminal.Scanned(Code, 0);
        var first = Assert.Single(Take()).PaymentRequest;
        foreach (var due in new[] { 3_000, 9_000, 21_000 })
        {
            terminal.Tick(due - 1);
            Assert.Empty(Take());
            terminal.Tick(due);
            var again = Assert.Single(Take()).PaymentRequest;
            Assert.Equal((first.RequestId, (uint)due), (again.RequestId, again.AgeMs));
        }

        Money(new Downlink { Accepted = new() { RequestId = first.RequestId, State = Accepted.Types.State.Working } }, 22_000);
        terminal.Tick(51_999);
        Assert.DoesNotContain(Take(), m => m.BodyCase == Uplink.BodyOneofCase.PaymentQuery);
        terminal.Tick(52_000);
        Assert.Contains(Take(), m => m.PaymentQuery?.RequestId == first.RequestId);
    }

    [Fact]
    public void A_charge_whose_time_is_over_or_that_is_cancelled_is_answered_by_no_scan()
    {
        LogIn(0);
        Collect("CHARGE-1", 1_280, 0, timeToLive: 10_000);
        Take();
        terminal.Tick(10_000);
        Assert.Equal(CollectEnded.Types.Reason.Expired, Assert.Single(Take()).CollectEnded.Reason);
        terminal.Scanned(Code, 10_001);
        Collect("CHARGE-2", 1_280, 11_000);
        Money(new Downlink { CollectCancel = new() { ChargeId = "CHARGE-2" } }, 11_001);
        Take();
        terminal.Scanned(OtherCode, 11_002);
        Assert.Empty(Take());
    }

    [Fact]
    public void Another_charge_while_a_payment_is_open_is_busy_and_the_same_is_confirmed_again()
    {
        LogIn(0);
        Collect("CHARGE-1", 1_280, 0);
        terminal.Scanned(Code, 1);
        Take();
        Collect("CHARGE-1", 1_280, 2);
        Assert.Equal("CHARGE-1", Assert.Single(Take()).Collecting.ChargeId);
        Collect("CHARGE-2", 1_300, 3);
        Assert.Equal(("CHARGE-2", CollectEnded.Types.Reason.Busy), (sent[0].CollectEnded.ChargeId, sent[0].CollectEnded.Reason));
    }

    [Fact]
    public void A_refused_code_lets_the_next_scan_answer_and_one_that_may_be_repeated_is_repeated()
    {
        LogIn(0);
        Collect("CHARGE-1", 1_280, 0);
        terminal.Scanned(Code, 1);
        var first = Take().Last().PaymentRequest;
        Money(new Downlink { Refusal = new() { RequestId = first.RequestId, Code = Refusal.Types.Code.PaymentCode } }, 2);
        terminal.Scanned(OtherCode, 3);
        var second = Assert.Single(Take()).PaymentRequest;
        Assert.NotEqual(first.RequestId, second.RequestId);
        Money(new Downlink { Refusal = new() { RequestId = second.RequestId, Code = Refusal.Types.Code.Storage, RetryAfterMs = 500 } }, 10);
        terminal.Tick(510);
        Assert.Equal(second.RequestId, Assert.Single(Take()).PaymentRequest.RequestId);
        Money(new Downlink { Refusal = new() { RequestId = second.RequestId, Code = Refusal.Types.Code.ChargeClosed } }, 600);
        terminal.Scanned("134567890123456701", 700);
        Assert.Empty(Take());
    }

    [Fact]
    public void A_payment_that_is_open_when_the_session_ends_is_repeated_under_its_id_in_the_next()
    {
        LogIn(0);
        Collect("CHARGE-1", 1_280, 0);
        terminal.Scanned(Code, 1);
        var id = Take().Last().PaymentRequest.RequestId;
        terminal.Disconnected();
        terminal.Tick(5_000);
        Assert.Empty(Take());
        LogIn(6_000, "BBBBBBBBBBBB");
        terminal.Tick(6_000);
        Assert.Equal(id, Assert.Single(Take()).PaymentRequest.RequestId);
    }

    [Fact]
    public void Money_that_is_not_sealed_or_sealed_wrong_is_ignored()
    {
        LogIn(0);
        terminal.Received(new Downlink { Collect = new() { ChargeId = "CHARGE-1", AmountFen = 1, TimeToLiveMs = 60_000 } }, 1);
        var other = new Sealer(new byte[32], SealDirection.Down);
        terminal.Received(new Downlink { Sealed = other.Seal(new Downlink { Collect = new() { ChargeId = "CHARGE-1", AmountFen = 1, TimeToLiveMs = 60_000 } }.ToByteString()) }, 1);
        Assert.Empty(Take());
    }

    private void Pay(string charge, long at)
    {
        Collect(charge, 1_280, at);
        terminal.Scanned(Code, at);
        Money(new Downlink { Outcome = new() { RequestId = Take().Last().PaymentRequest.RequestId, Revision = 1, Result = Outcome.Types.Result.Approved } }, at);
        Take();
    }

    private void Collect(string id, ulong amount, long at, uint timeToLive = 120_000) =>
        Money(new Downlink { Collect = new() { ChargeId = id, AmountFen = amount, OrderNumber = "A-1", TimeToLiveMs = timeToLive } }, at);

    private void Money(Downlink message, long at) => terminal.Received(new Downlink { Sealed = seal!.Seal(message.ToByteString()) }, at);

    private void LogIn(long at, string epoch = "AAAAAAAAAAAA")
    {
        key ??= new SecretBytes(new byte[32]);
        terminal.Connected(at);
        nonce = Take()[0].Hello.TerminalNonce.ToByteArray();
        var session = HMACSHA256.HashData(key.Reveal().Span, Login.SealInput("SCAN-0001", new byte[16], nonce));
        seal = new Sealer(session, SealDirection.Down);
        opener = new Sealer(session, SealDirection.Up);
        terminal.Received(new Downlink { Challenge = new() { HubNonce = ByteString.CopyFrom(new byte[16]) } }, at);
        terminal.Received(new Downlink { Welcome = new() { RequestEpoch = epoch, HeartbeatIntervalS = 300 } }, at);
        terminal.Received(new Downlink { Synced = new() }, at);
        Assert.Equal([Uplink.BodyOneofCase.Proof, Uplink.BodyOneofCase.Heartbeat], Take().Select(m => m.BodyCase));
    }

    private List<Uplink> Take()
    {
        var taken = sent.ToList();
        sent.Clear();
        return taken;
    }
}
