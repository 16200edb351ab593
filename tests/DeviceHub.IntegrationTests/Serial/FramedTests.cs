using DeviceHub.Protocol.Serial;
using DeviceHub.Protocol.Wire;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.Serial;

/// <summary>Terminals that speak firmware-protocol/serial.md, over real pseudo-terminals, against the whole hub.</summary>
[Collection(SerialHub.Collection)]
public sealed class FramedTests(SerialHub hub)
{
    [Fact]
    public async Task A_terminal_on_a_cable_activates_logs_in_and_pays_at_a_faster_rate()
    {
        await using var terminal = await hub.LoggedIn(hub.Cables[0]);
        Assert.Equal(921_600, terminal.Rate);
        var outcome = await terminal.Pay(1_280);
        Assert.Equal(Outcome.Types.Result.Approved, outcome.Result);
        Assert.Equal(1_280ul, outcome.AmountFen);
    }

    [Fact]
    public async Task Garbage_storms_too_long_frames_jumps_and_replays_do_not_keep_a_terminal_from_paying()
    {
        await using var terminal = await hub.LoggedIn(hub.Cables[0], rates: []);
        var random = new Random(7);
        var garbage = new byte[3_000];
        random.NextBytes(garbage);
        byte[][] bad =
        [
            [.. "\r\nboot 1.2, clock ok\r\n"u8], garbage, new byte[20_000], CableTerminal.Frame(FrameType.Data, 200, [1, 2, 3]),
            CableTerminal.Frame(FrameType.Data, 77, new byte[1_025]), CableTerminal.Frame(FrameType.HubData, 0, [1]), CableTerminal.Frame(FrameType.Hello, 0, [9, 9]),
            CableTerminal.Frame(FrameType.Close, 0, [0x8E]), CableTerminal.Frame((FrameType)0x40, 1, [1]), CableTerminal.Frame(FrameType.Data, 5, [.. garbage.Take(40)])[..20],
        ];
        var amount = 5_000ul;
        foreach (var bytes in bad)
        {
            var ups = terminal.Ups;
            terminal.Raw(bytes);
            Assert.Equal(Outcome.Types.Result.Approved, (await terminal.Pay(amount += 100)).Result);
            Assert.Equal(ups, terminal.Ups);
        }
    }

    [Fact]
    public async Task A_replayed_HELLO_ends_nothing_for_good()
    {
        await using var terminal = await hub.LoggedIn(hub.Cables[0]);
        var payload = new byte[LinkHello.MaxBytes];
        var old = new LinkHello(42, 1_024, 300, "SRV-OLDER", []);
        var ups = terminal.Ups;
        terminal.RawFrame(FrameType.Hello, 0, payload[..old.Write(payload)]);
        await Eventually.Holds(() => terminal.Ups > ups, "the link is up again");
        await terminal.LogIn();
        Assert.Equal(Outcome.Types.Result.Approved, (await terminal.Pay(7_700)).Result);
    }

    [Fact]
    public async Task A_cable_that_is_pulled_in_the_middle_of_a_frame_and_plugged_again_serves_on()
    {
        var cable = hub.Cables[1];
        var terminal = await hub.LoggedIn(cable);
        var key = terminal.Key;
        var serialNumber = terminal.SerialNumber;
        terminal.Raw(CableTerminal.Frame(FrameType.Data, 9, new byte[500])[..200]);
        cable.Unplug();
        await terminal.DisposeAsync();
        await cable.Plug();
        await using var again = new CableTerminal(cable.TerminalEnd, serialNumber) { Key = key };
        await again.LogIn();
        Assert.Equal(Outcome.Types.Result.Approved, (await again.Pay(3_300)).Result);
    }

    [Fact]
    public async Task Of_two_terminals_with_one_serial_number_the_one_that_proves_the_key_last_has_the_session()
    {
        await using var first = await hub.LoggedIn(hub.Cables[0]);
        await using var forger = new CableTerminal(hub.Cables[1].TerminalEnd, first.SerialNumber) { Key = new byte[32] };
        forger.SendHello();
        await forger.Expect(Downlink.BodyOneofCase.Challenge);
        forger.Send(new Uplink { Proof = new Proof { Mac = Google.Protobuf.ByteString.CopyFrom(new byte[32]) } });
        Assert.Equal(Refusal.Types.Code.Credentials, (await forger.Expect(Downlink.BodyOneofCase.Refusal)).Refusal.Code);
        await Eventually.Holds(() => forger.Downs.Contains((LinkEnd.Closed, (byte)0x87)), "the forger is closed");
        Assert.Equal(Outcome.Types.Result.Approved, (await first.Pay(4_400)).Result);

        await using var second = new CableTerminal(hub.Cables[2].TerminalEnd, first.SerialNumber) { Key = first.Key };
        await second.LogIn();
        await Eventually.Holds(() => first.Downs.Contains((LinkEnd.Closed, (byte)0x8E)), "the first is closed");
        Assert.Equal(Outcome.Types.Result.Approved, (await second.Pay(4_600)).Result);
    }

    [Fact]
    public async Task A_port_that_takes_nothing_delays_no_other_and_goes_on_when_it_takes_again()
    {
        var frozen = hub.Cables[2];
        await using var stuck = await hub.LoggedIn(frozen);
        await using var other = await hub.LoggedIn(hub.Cables[0]);
        frozen.Freeze();
        try
        {
            for (var i = 0ul; i < 3; i++)
            {
                Assert.Equal(Outcome.Types.Result.Approved, (await other.Pay(8_000 + (i * 100))).Result);
            }
        }
        finally
        {
            frozen.Thaw();
        }

        Assert.Equal(Outcome.Types.Result.Approved, (await PayOnThisLinkOrTheNext(stuck, 9_900)).Result);
    }

    private static async Task<Outcome> PayOnThisLinkOrTheNext(CableTerminal terminal, ulong amount)
    {
        var ups = terminal.Ups;
        try
        {
            return await terminal.Pay(amount);
        }
        catch (OperationCanceledException) when (terminal.Ups > ups)
        {
            await terminal.LogIn();
            return await terminal.Pay(amount + 1);
        }
    }
}
