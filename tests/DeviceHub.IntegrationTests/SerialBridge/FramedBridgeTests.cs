using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DeviceHub.IntegrationTests.Serial;
using DeviceHub.Protocol.Serial;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.SerialBridge;

/// <summary>Terminals on real pseudo-terminals, the built bridge as a process, and the whole hub behind a network that breaks.</summary>
[Collection(BridgeHub.Collection)]
public sealed class FramedBridgeTests(BridgeHub hub)
{
    [Fact]
    public async Task A_terminal_behind_a_bridge_activates_logs_in_is_configured_and_pays_over_TLS()
    {
        await using var store = await Store.Open(hub);
        await using var terminal = await store.LoggedIn();
        await hub.Admin.Put($"/api/v1/terminals/{terminal.SerialNumber}/configuration", new { volume = 7, greeting = "欢迎" });
        var chunk = (await terminal.Expect(Downlink.BodyOneofCase.ConfigurationChunk)).ConfigurationChunk;
        Assert.Equal(["greeting", "volume"], chunk.Entries.Select(e => e.Key).Order(StringComparer.Ordinal));
        var commit = (await terminal.Expect(Downlink.BodyOneofCase.ConfigurationCommit)).ConfigurationCommit;
        terminal.Send(new Uplink { ConfigurationReport = new() { Version = commit.Version, Hash = commit.Hash, Result = ConfigurationReport.Types.Result.Applied } });
        await Eventually.Holds(
            async () => !(await hub.Admin.Get("/api/v1/terminals/" + terminal.SerialNumber)).GetProperty("drift").GetBoolean(), "the report has come");

        var outcome = await terminal.Pay(1_280);
        Assert.Equal((Outcome.Types.Result.Approved, 1_280ul), (outcome.Result, outcome.AmountFen));
        Assert.Equal((1_280, 1), await hub.Charged(terminal.SerialNumber));
        await store.Prints($"c1: {terminal.SerialNumber} is connected with the hub");
        Assert.Equal(0, await store.StopBridge());
        await Eventually.Holds(() => terminal.Downs.Contains((LinkEnd.Closed, (byte)0x8B)), "the terminal is told that the bridge stops");
    }

    [Fact]
    public async Task A_terminal_gets_no_link_while_the_hub_cannot_be_reached_and_one_as_soon_as_it_can()
    {
        await using var store = await Store.Open(hub, broken: true);
        await using var terminal = new CableTerminal(store.Cables[0].TerminalEnd, BridgeHub.NewSerial());
        await store.Prints($"c1: no hub for {terminal.SerialNumber}, it takes no payments");
        await Eventually.Holds(() => store.Network.Connections >= 2, "it is tried again");
        Assert.Equal(0, terminal.Ups);
        Assert.InRange(store.Printed.Split("connecting with the hub").Length, 1, 2);
        store.Network.Mend();
        await terminal.Activate(await hub.NewCode(await hub.NewStore()));
    }

    [Fact]
    public async Task A_hub_whose_certificate_another_CA_signed_is_none()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=DeviceHub", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var other = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, other.ExportCertificatePem());
        await using var store = await Store.Open(hub, 1, false, "Hub:CaFile=" + file);
        await using var terminal = new CableTerminal(store.Cables[0].TerminalEnd, BridgeHub.NewSerial());
        await store.Prints($"c1: no hub for {terminal.SerialNumber}, it takes no payments: its certificate is not signed by the CA of Hub:CaFile");
        Assert.Equal(0, terminal.Ups);
        File.Delete(file);
    }

    /// <summary>Whoever scans now is told "no network: not sent" by the terminal, at once: it has no link to send on.</summary>
    [Fact]
    public async Task A_lost_network_takes_the_link_at_once_and_what_is_scanned_then_was_never_sent()
    {
        await using var store = await Store.Open(hub);
        await using var terminal = await store.LoggedIn();
        var began = TimeProvider.System.GetTimestamp();
        store.Network.Break();
        await Eventually.Holds(() => terminal.Downs.Contains((LinkEnd.PeerRestarted, (byte)0)), "the link is closed with 0");
        Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(2), "the terminal kept its link without a hub");
        var (ups, request) = (terminal.Ups, Request(terminal, 1_300));
        await Eventually.Holds(() => store.Network.Connections >= 3, "it is tried again");
        Assert.Equal(ups, terminal.Ups);

        await Store.Again(terminal, store.Network.Mend);
        Assert.Equal((0, 0), await hub.Charged(terminal.SerialNumber));
        Assert.Equal(Refusal.Types.Code.UnknownPayment, (await Ask(terminal, request.RequestId)).Refusal.Code);
        Assert.Equal(Outcome.Types.Result.Approved, (await terminal.Pay(1_400)).Result);
        Assert.Equal((1_400, 1), await hub.Charged(terminal.SerialNumber));
    }

    [Fact]
    public async Task A_request_that_the_bridge_had_and_the_silent_network_lost_is_repeated_under_its_id_and_charged_once()
    {
        await using var store = await Store.Open(hub, 1, false, "Hub:AskEverySeconds=1", "Hub:AnswerSeconds=2");
        await using var terminal = await store.LoggedIn();
        store.Network.HoldUp();
        var request = Request(terminal, 1_500);
        terminal.SendSealed(new Uplink { PaymentRequest = request });

        // Nobody answers the bridge's question: it takes the hub for lost, though no connection was closed.
        await Eventually.Holds(() => terminal.Downs.Contains((LinkEnd.PeerRestarted, (byte)0)), "the link is closed with 0");
        Assert.False(terminal.TryNext(out var answer), $"nobody knows, and it was told {answer}");
        store.Network.Break();
        Assert.Equal((0, 0), await hub.Charged(terminal.SerialNumber));

        await Store.Again(terminal, store.Network.Mend);
        terminal.SendSealed(new Uplink { PaymentRequest = request });
        Assert.Equal(Outcome.Types.Result.Approved, (await Result(terminal, request.RequestId)).Result);
        Assert.Equal((1_500, 1), await hub.Charged(terminal.SerialNumber));
    }

    [Fact]
    public async Task An_outcome_that_the_network_lost_comes_after_the_next_login_and_nobody_is_charged_twice()
    {
        await using var store = await Store.Open(hub);
        await using var terminal = await store.LoggedIn();
        store.Network.HoldDown();
        var request = Request(terminal, 1_600);
        terminal.SendSealed(new Uplink { PaymentRequest = request });
        await Eventually.Becomes(() => hub.Charged(terminal.SerialNumber), charged => charged == (1_600, 1), "the bank has charged");
        Assert.False(terminal.TryNext(out var answer), $"the network holds the answer back, and it was told {answer}");

        store.Network.Break();
        await Eventually.Holds(() => !terminal.Downs.IsEmpty, "the link is closed");
        await Store.Again(terminal, store.Network.Mend);
        terminal.SendSealed(new Uplink { PaymentRequest = request });
        Assert.Equal(Outcome.Types.Result.Approved, (await Result(terminal, request.RequestId)).Result);
        Assert.Equal((1_600, 1), await hub.Charged(terminal.SerialNumber));
    }

    [Fact]
    public async Task A_bridge_that_is_killed_in_the_middle_of_a_payment_and_started_again_brings_its_outcome()
    {
        await using var store = await Store.Open(hub);
        await using var terminal = await store.LoggedIn();
        store.Network.HoldDown();
        var request = Request(terminal, 1_700);
        terminal.SendSealed(new Uplink { PaymentRequest = request });
        await Eventually.Becomes(() => hub.Charged(terminal.SerialNumber), charged => charged == (1_700, 1), "the bank has charged");
        store.KillBridge();
        store.Network.Break();
        store.Network.Mend();

        await Store.Again(terminal, store.StartBridge);
        terminal.SendSealed(new Uplink { PaymentRequest = request });
        Assert.Equal(Outcome.Types.Result.Approved, (await Result(terminal, request.RequestId)).Result);
        Assert.Equal((1_700, 1), await hub.Charged(terminal.SerialNumber));
    }

    [Fact]
    public async Task A_cable_that_is_pulled_and_plugged_again_is_said_in_words_and_serves_on()
    {
        await using var store = await Store.Open(hub);
        var terminal = await store.LoggedIn();
        var (key, serialNumber) = (terminal.Key, terminal.SerialNumber);
        store.Cables[0].Unplug();
        await terminal.DisposeAsync();
        await store.Prints($"c1: {store.Cables[0].HubEnd} is not there: not plugged in?");
        await Eventually.Holds(
            async () => !(await hub.Admin.Get("/api/v1/terminals/" + serialNumber)).GetProperty("connected").GetBoolean(), "the hub sees the terminal gone");

        await store.Cables[0].Plug();
        await using var again = new CableTerminal(store.Cables[0].TerminalEnd, serialNumber) { Key = key };
        await again.LogIn();
        Assert.Equal(Outcome.Types.Result.Approved, (await again.Pay(1_800)).Result);
    }

    [Fact]
    public async Task Of_two_terminals_with_one_serial_number_the_one_that_proves_the_key_last_has_the_session()
    {
        await using var store = await Store.Open(hub, cables: 3);
        await using var first = await store.LoggedIn();
        await using var forger = new CableTerminal(store.Cables[1].TerminalEnd, first.SerialNumber) { Key = new byte[32] };
        forger.SendHello();
        await forger.Expect(Downlink.BodyOneofCase.Challenge);
        forger.Send(new Uplink { Proof = new Proof { Mac = Google.Protobuf.ByteString.CopyFrom(new byte[32]) } });
        Assert.Equal(Refusal.Types.Code.Credentials, (await forger.Expect(Downlink.BodyOneofCase.Refusal)).Refusal.Code);
        await Eventually.Holds(() => forger.Downs.Contains((LinkEnd.Closed, (byte)0x87)), "the forger is closed with the hub's code");
        Assert.Equal(Outcome.Types.Result.Approved, (await first.Pay(1_900)).Result);
        await using var second = new CableTerminal(store.Cables[2].TerminalEnd, first.SerialNumber) { Key = first.Key };
        await second.LogIn();
        await Eventually.Holds(() => first.Downs.Contains((LinkEnd.Closed, (byte)0x8E)), "the first is closed with the hub's code");
        Assert.Equal(Outcome.Types.Result.Approved, (await second.Pay(2_100)).Result);
    }

    private static PaymentRequest Request(CableTerminal terminal, ulong amountFen) => new()
    {
        RequestId = $"{terminal.Welcome.RequestEpoch}-t{amountFen}", AmountFen = amountFen, AgeMs = 20, TimeToLiveMs = 60_000,
        PaymentCode = $"13{RandomNumberGenerator.GetInt32(0, int.MaxValue):0000000000000000}",
    };

    private static async Task<Downlink> Ask(CableTerminal terminal, string requestId)
    {
        terminal.SendSealed(new Uplink { PaymentQuery = new() { RequestId = requestId } });
        return await terminal.Next();
    }

    private static async Task<Outcome> Result(CableTerminal terminal, string requestId)
    {
        while (true)
        {
            var message = await terminal.Next();
            Assert.True(message.BodyCase is Downlink.BodyOneofCase.Accepted or Downlink.BodyOneofCase.Outcome, $"got {message}");
            if (message.BodyCase == Downlink.BodyOneofCase.Outcome && message.Outcome.RequestId == requestId)
            {
                terminal.SendSealed(new Uplink { OutcomeShown = new() { RequestId = requestId, Revision = message.Outcome.Revision } });
                return message.Outcome;
            }
        }
    }
}
