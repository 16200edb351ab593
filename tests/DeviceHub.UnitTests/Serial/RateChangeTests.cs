using DeviceHub.Protocol.Serial;

namespace DeviceHub.UnitTests.Serial;

/// <summary>"A faster rate" of firmware-protocol/serial.md.</summary>
public sealed class RateChangeTests
{
    private readonly LinkEndRecorder hubEnd = new();
    private readonly LinkEndRecorder terminalEnd = new();
    private readonly HubLink hub;
    private readonly TerminalLink terminal;
    private uint bootId = 1;

    public RateChangeTests()
    {
        hub = new HubLink(hubEnd, 115_200, 921_600, 4_096);
        terminal = new TerminalLink(terminalEnd, 115_200, new LinkHello(0, 512, 300, "T0000001", [3_000_000, 921_600, 460_800]), () => bootId++);
        hub.Open(0);
    }

    [Fact]
    public void The_best_rate_that_both_do_is_taken_before_the_first_payload()
    {
        Switch(0);
        Assert.Equal((921_600, 921_600), (hub.Rate, terminal.Rate));
        Assert.Equal(["up", "rate 921600"], hubEnd.TakeStory());
        Assert.Equal(["up", "rate 921600"], terminalEnd.TakeStory());
        Assert.False(terminal.CanSend);
        terminal.Tick(103);
        Assert.Equal(["Ack 255"], terminalEnd.TakeFrames(keep: true));
        hub.Receive(terminalEnd.TakeLine(), 104);
        Assert.True(hub.CanSend);
        Assert.True(terminal.TrySend([1], 104));
        Assert.Equal(["Data 1 01"], terminalEnd.TakeFrames());
    }

    [Fact]
    public void Nobody_sends_while_the_rate_changes()
    {
        terminal.Start(0);
        hub.Receive(terminalEnd.TakeLine(), 0);
        terminal.Receive(hubEnd.TakeLine(), 1);
        hub.Receive(terminalEnd.TakeLine(), 2);
        Assert.Equal(["HubAck 0"], hubEnd.TakeFrames(keep: true));
        Assert.False(hub.TrySend([1], 2));
        hub.Tick(22);
        Assert.Equal(115_200, hub.Rate);
        hub.Tick(23);
        Assert.Equal(921_600, hub.Rate);
        Assert.False(hub.TrySend([1], 24));
        hub.Tick(223);
        Assert.True(hub.CanSend);
    }

    [Fact]
    public void Three_bad_frames_in_a_row_bring_both_back_and_that_rate_is_not_granted_again()
    {
        Switch(0);
        terminal.Tick(103);
        hub.Receive(terminalEnd.TakeLine(), 104);
        hubEnd.TakeStory();
        hub.Receive([0, 5, 0, 5, 0], 110);
        hub.Receive(Frame(FrameType.Ack, 255, []), 111);
        hub.Receive([0, 5, 0, 5, 0], 112);
        Assert.True(hub.IsUp);
        hub.Receive([0, 5, 0], 113);
        Assert.Equal(["rate 115200", "down BadFrames 0"], hubEnd.TakeStory());
        terminal.Receive([0, 5, 0, 5, 0, 5, 0], 114);
        Assert.Equal(115_200, terminal.Rate);
        Switch(200);
        Assert.Equal(460_800, hub.Rate);
    }

    [Fact]
    public void A_lost_acknowledgement_of_the_change_is_healed_by_the_first_rate()
    {
        terminal.Start(0);
        hub.Receive(terminalEnd.TakeLine(), 0);
        terminal.Receive(hubEnd.TakeLine(), 1);
        hub.Receive(terminalEnd.TakeLine(), 2);
        hubEnd.TakeLine();
        hubEnd.TakeStory();
        for (var now = 10; now < 6_000; now += 10)
        {
            // What one rate sends is bad frames, or nothing, at the other.
            hub.Tick(now);
            terminal.Tick(now);
            Carry(terminalEnd, terminal.Rate, bytes => hub.Receive(bytes, now), hub.Rate);
            Carry(hubEnd, hub.Rate, bytes => terminal.Receive(bytes, now), terminal.Rate);
        }

        Assert.True(hub.IsUp && terminal.IsUp);
        Assert.Equal((460_800, 460_800), (hub.Rate, terminal.Rate));
    }

    [Fact]
    public void Silence_at_a_rate_that_worked_brings_both_back_and_the_rate_is_granted_again()
    {
        Switch(0);
        terminal.Tick(103);
        hub.Receive(terminalEnd.TakeLine(), 104);
        terminal.Tick(5_200);
        hub.Tick(5_200);
        Assert.Equal((115_200, 115_200), (hub.Rate, terminal.Rate));
        terminalEnd.TakeLine();
        Switch(5_300);
        Assert.Equal(921_600, hub.Rate);
    }

    [Fact]
    public void A_rate_that_was_not_granted_or_comes_late_is_ignored()
    {
        terminal.Start(0);
        hub.Receive(terminalEnd.TakeLine(), 0);
        hubEnd.TakeLine();
        hub.Receive(Frame(FrameType.Baud, 0, BitConverter.GetBytes(460_800)), 1);
        hub.Receive(Frame(FrameType.Baud, 0, []), 1);
        hub.Receive(Frame(FrameType.Data, 0, [1]), 1);
        hubEnd.TakeLine();
        hub.Receive(Frame(FrameType.Baud, 1, BitConverter.GetBytes(921_600)), 2);
        Assert.Empty(hubEnd.Line);
        Assert.Equal(3, hub.Counts.Ignored);
    }

    private void Switch(long now)
    {
        terminal.Start(now);
        hub.Receive(terminalEnd.TakeLine(), now);
        terminal.Receive(hubEnd.TakeLine(), now + 1);
        hub.Receive(terminalEnd.TakeLine(), now + 2);
        terminal.Receive(hubEnd.TakeLine(), now + 3);
        hub.Tick(now + 23);
    }

    private static void Carry(LinkEndRecorder from, int fromRate, Action<byte[]> to, int toRate)
    {
        var bytes = from.TakeLine();
        if (bytes.Length > 0)
        {
            to(fromRate == toRate ? bytes : [0x55, 0xF0, 0]);
        }
    }

    private static byte[] Frame(FrameType type, byte sequence, byte[] payload)
    {
        var line = new byte[FrameSize.OnLine(payload.Length)];
        return line[..new FrameWriter(payload.Length).Write(line, type, sequence, payload)];
    }
}
