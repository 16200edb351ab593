using DeviceHub.Protocol.Serial;

namespace DeviceHub.UnitTests.Serial;

/// <summary>The state tables of firmware-protocol/serial.md, row by row.</summary>
public sealed class SerialLinkTests
{
    private readonly LinkEndRecorder hubEnd = new();
    private readonly LinkEndRecorder terminalEnd = new();
    private readonly HubLink hub;
    private readonly TerminalLink terminal;
    private uint bootId = 0x100;

    public SerialLinkTests()
    {
        hub = new HubLink(hubEnd, 115_200, 1_000_000, 4_096);
        terminal = NewTerminal();
    }

    [Fact]
    public void The_hub_calls_each_second_and_the_terminal_says_HELLO_each_second_until_they_are_linked()
    {
        hub.Open(0);
        terminal.Start(0);
        Assert.Equal(["Close 0 00"], hubEnd.TakeFrames());
        Assert.Equal("Hello 0", Kind(Assert.Single(terminalEnd.TakeFrames())));
        Both(999);
        Assert.Empty(hubEnd.Line);
        Assert.Empty(terminalEnd.Line);
        Both(1_000);
        Assert.Equal(["Close 0 00"], hubEnd.TakeFrames());
        var hello = terminalEnd.TakeLine();
        hub.Receive(hello, 1_001);
        terminal.Receive(hubEnd.TakeLine(), 1_002);
        Assert.True(hub.IsUp && terminal.IsUp);
        Assert.Equal(("T0000001", 512, 512), (hub.Hello!.SerialNumber, hub.LargestPayload, terminal.LargestPayload));
        Assert.Equal(["up"], hubEnd.TakeStory());
        Assert.Equal(["up"], terminalEnd.TakeStory());
    }

    [Fact]
    public void A_CLOSE_hastens_a_HELLO_but_not_within_250_ms_of_the_last()
    {
        terminal.Start(0);
        terminalEnd.TakeLine();
        hub.Open(0);
        var close = hubEnd.TakeLine();
        terminal.Receive(close, 249);
        Assert.Empty(terminalEnd.Line);
        terminal.Receive(close, 250);
        Assert.Equal("Hello 0", Kind(Assert.Single(terminalEnd.TakeFrames())));
    }

    [Fact]
    public void The_time_out_is_two_frame_times_and_16_ms_and_the_stall()
    {
        Link();
        Assert.Equal(408, hub.TimeoutMs);
        Assert.Equal(408, terminal.TimeoutMs);
        var slow = new HubLink(hubEnd, 9_600, 0, 16_384);
        slow.Receive(Hello(new LinkHello(1, 16_384, 2_000, "T0000001", [])), 0);
        Assert.Equal(1_024, slow.LargestPayload);
        Assert.Equal((2 * 1_081) + 16 + 2_000, slow.TimeoutMs);
    }

    [Fact]
    public void Payloads_are_acknowledged_at_once_one_at_a_time_and_counted_from_0()
    {
        Link();
        Assert.True(terminal.TrySend([1], 0));
        Assert.False(terminal.TrySend([2], 0));
        hub.Receive(terminalEnd.TakeLine(), 1);
        Assert.Equal(["HubAck 0"], hubEnd.TakeFrames(keep: true));
        Assert.Equal([1], Assert.Single(hubEnd.Delivered));
        terminal.Receive(hubEnd.TakeLine(), 2);
        Assert.True(terminal.TrySend([2], 2));
        Assert.Equal(["Data 1 02"], terminalEnd.TakeFrames());
        Assert.True(hub.TrySend([9], 2));
        Assert.Equal(["HubData 0 09"], hubEnd.TakeFrames());
    }

    [Fact]
    public void A_frame_is_sent_five_times_and_then_the_link_is_down_and_the_terminal_begins_anew()
    {
        Link();
        terminal.TrySend([1], 0);
        for (var send = 1; send <= 5; send++)
        {
            Assert.Contains("Data 0 01", terminalEnd.TakeFrames());
            terminal.Tick((408 * send) - 1);
            Assert.DoesNotContain("Data 0 01", terminalEnd.TakeFrames());
            terminal.Tick(408 * send);
        }

        Assert.False(terminal.IsUp);
        Assert.Equal(["up", "down NotAcknowledged 0"], terminalEnd.TakeStory());
        hub.Receive(terminalEnd.TakeLine(), 2_100);
        Assert.Equal(["down PeerRestarted 0", "up"], hubEnd.TakeStory());
        Assert.Equal(4, terminal.Counts.Resent);
    }

    [Fact]
    public void A_repeat_is_acknowledged_and_not_handed_on_and_a_jump_is_neither()
    {
        Link();
        terminal.TrySend([1], 0);
        var data = terminalEnd.TakeLine();
        hub.Receive(data, 1);
        hub.Receive(data, 2);
        Assert.Equal(["HubAck 0", "HubAck 0"], hubEnd.TakeFrames());
        Assert.Single(hubEnd.Delivered);
        hub.Receive(Frame(FrameType.Data, 2, [3]), 3);
        hub.Receive(Frame(FrameType.Data, 255, [3]), 3);
        Assert.Empty(hubEnd.Line);
        Assert.Single(hubEnd.Delivered);
        Assert.Equal((1, 2), (hub.Counts.Repeated, hub.Counts.Jumped));
    }

    [Fact]
    public void What_there_is_no_room_for_is_not_acknowledged_and_comes_again()
    {
        Link();
        hubEnd.HasRoom = false;
        terminal.TrySend([1], 0);
        hub.Receive(terminalEnd.TakeLine(), 1);
        Assert.Empty(hubEnd.Line);
        hubEnd.HasRoom = true;
        terminal.Tick(500);
        hub.Receive(terminalEnd.TakeLine(), 501);
        Assert.Equal(["HubAck 0"], hubEnd.TakeFrames());
        Assert.Single(hubEnd.Delivered);
    }

    [Fact]
    public void An_idle_end_acknowledges_each_second_and_five_seconds_of_silence_end_the_link()
    {
        Link();
        hub.Tick(1_000);
        Assert.Equal(["HubAck 255"], hubEnd.TakeFrames());
        Both(4_999);
        Assert.True(hub.IsUp && terminal.IsUp);
        hubEnd.TakeLine();
        Both(5_000);
        Assert.False(hub.IsUp || terminal.IsUp);
        Assert.Equal(["down Silence 0"], hubEnd.TakeStory());
        Assert.Equal(["Close 0 00"], hubEnd.TakeFrames());
    }

    [Fact]
    public void A_repeated_HELLO_is_replied_again_and_resets_nothing_and_a_new_boot_id_resets_all()
    {
        hub.Open(0);
        terminal.Start(0);
        var hello = terminalEnd.TakeLine();
        hub.Receive(hello, 0);
        terminal.Receive(hubEnd.TakeLine(), 0);
        terminal.TrySend([1], 0);
        hub.Receive(terminalEnd.TakeLine(), 1);
        hubEnd.TakeLine();
        hubEnd.TakeStory();
        hub.Receive(hello, 2);
        Assert.Equal("Reply 0", Kind(Assert.Single(hubEnd.TakeFrames())));
        Assert.Empty(hubEnd.Story);
        hub.Receive(Frame(FrameType.Data, 0, [1]), 3);
        Assert.Single(hubEnd.Delivered);
        hub.Receive(Hello(new LinkHello(7, 512, 300, "T0000001", [])), 4);
        Assert.Equal(["down PeerRestarted 0", "up"], hubEnd.TakeStory());
        hub.Receive(Frame(FrameType.Data, 0, [1]), 5);
        Assert.Equal(2, hubEnd.Delivered.Count);
    }

    [Fact]
    public void An_old_HELLO_that_is_replayed_is_undone_by_the_terminal_at_once()
    {
        Link();
        hub.Receive(Hello(new LinkHello(0x99, 512, 300, "T0000001", [])), 10);
        terminal.Receive(hubEnd.TakeLine(), 11);
        Assert.Equal("down PeerRestarted 0", terminalEnd.TakeStory()[^1]);
        hub.Receive(terminalEnd.TakeLine(), 12);
        terminal.Receive(hubEnd.TakeLine(), 13);
        Assert.True(hub.IsUp && terminal.IsUp);
        Assert.Equal(0x101u, hub.Hello!.BootId);
    }

    [Fact]
    public void A_hub_that_restarts_makes_the_terminal_begin_anew()
    {
        Link();
        var again = new HubLink(hubEnd, 115_200, 0, 4_096);
        again.Open(10);
        terminal.Receive(hubEnd.TakeLine(), 11);
        Assert.Equal(["up", "down PeerRestarted 0"], terminalEnd.TakeStory());
        again.Receive(terminalEnd.TakeLine(), 12);
        Assert.True(again.IsUp);
    }

    [Fact]
    public void A_CLOSE_with_a_code_ends_the_link_and_the_terminal_waits_for_its_own_time()
    {
        Link();
        hub.Close(0x8E, 10);
        terminal.Receive(hubEnd.TakeLine(), 11);
        Assert.Equal(["up", "down Closed 142"], terminalEnd.TakeStory());
        hub.Tick(1_010);
        terminal.Receive(hubEnd.TakeLine(), 1_011);
        terminal.Tick(20_000);
        Assert.Empty(terminalEnd.Line);
        terminal.Start(20_001);
        hub.Receive(terminalEnd.TakeLine(), 20_002);
        Assert.True(hub.IsUp);
    }

    [Theory]
    [InlineData("01", HelloResult.Field), InlineData("02", HelloResult.Version)]
    public void A_HELLO_that_is_refused_is_told_why_and_comes_again_after_30_s(string payload, HelloResult result)
    {
        hub.Receive(Frame(FrameType.Hello, 0, Convert.FromHexString(payload)), 0);
        Assert.False(hub.IsUp);
        Assert.StartsWith($"Reply 0 0100000000{(int)result:x2}", Assert.Single(hubEnd.TakeFrames()), StringComparison.Ordinal);
        terminal.Start(0);
        terminalEnd.TakeLine();
        var reply = new byte[LinkReply.Bytes];
        new LinkReply(bootId - 1, result, 512, 0).Write(reply);
        terminal.Receive(Frame(FrameType.Reply, 0, reply), 1);
        Assert.Equal([$"down Refused {(int)result}"], terminalEnd.TakeStory());
        terminal.Tick(30_000);
        Assert.Empty(terminalEnd.Line);
        terminal.Tick(30_001);
        Assert.Equal("Hello 0", Kind(Assert.Single(terminalEnd.TakeFrames())));
    }

    [Fact]
    public void Bad_frames_at_the_first_rate_and_frames_of_the_own_end_change_nothing()
    {
        Link();
        hub.Receive([0, .. "boot text"u8, 0, .. "more"u8, 0, .. "more"u8, 0, .. "more"u8, 0], 1);
        hub.Receive(Frame(FrameType.HubData, 0, [1]), 1);
        hub.Receive(Frame((FrameType)0x3F, 0, [1]), 1);
        Assert.True(hub.IsUp);
        Assert.Empty(hubEnd.Delivered);
        Assert.Equal((4, 2), (hub.Counts.Bad, hub.Counts.Ignored));
        hub.Receive(Frame(FrameType.Hello, 0, [9, 9]), 1);
        terminal.Receive(hubEnd.TakeLine(), 1);
        Assert.True(hub.IsUp && terminal.IsUp, "a HELLO that was refused ends no link");
    }

    private TerminalLink NewTerminal() =>
        new(terminalEnd, 115_200, new LinkHello(0, 512, 300, "T0000001", []), () => bootId++);

    private void Link()
    {
        hub.Open(0);
        terminal.Start(0);
        hub.Receive(terminalEnd.TakeLine(), 0);
        terminal.Receive(hubEnd.TakeLine(), 0);
        hubEnd.TakeStory();
        Assert.True(hub.IsUp && terminal.IsUp);
    }

    private void Both(long now)
    {
        hub.Tick(now);
        terminal.Tick(now);
    }

    private static string Kind(string frame) => string.Join(' ', frame.Split(' ').Take(2));

    private static byte[] Hello(LinkHello hello)
    {
        var payload = new byte[LinkHello.MaxBytes];
        return Frame(FrameType.Hello, 0, payload[..hello.Write(payload)]);
    }

    private static byte[] Frame(FrameType type, byte sequence, byte[] payload)
    {
        var line = new byte[FrameSize.OnLine(payload.Length)];
        return line[..new FrameWriter(payload.Length).Write(line, type, sequence, payload)];
    }
}
