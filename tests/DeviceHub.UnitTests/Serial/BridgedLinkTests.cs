using DeviceHub.Protocol.Serial;

namespace DeviceHub.UnitTests.Serial;

/// <summary>The hub's end at a bridge, firmware-protocol/serial.md "A bridge": no link is given while there is no hub behind it.</summary>
public sealed class BridgedLinkTests
{
    private static readonly LinkHello First = new(0x11, 512, 300, "T0000001", []);

    private readonly Bridge bridge = new();
    private readonly HubLink link;

    public BridgedLinkTests() => link = new HubLink(bridge, 115_200, 0, 4_096);

    [Fact]
    public void A_HELLO_gets_no_REPLY_until_the_bridge_takes_it()
    {
        link.Open(0);
        Say(First, 10);
        Assert.False(link.IsUp);
        Assert.Equal([FrameType.Close], bridge.TakeTypes());
        Assert.Equal("T0000001", bridge.Asked?.SerialNumber);

        bridge.HasHub = true;
        Say(First, 1_010);
        Assert.True(link.IsUp);
        Assert.Equal([FrameType.Reply], bridge.TakeTypes());
        Assert.Equal(["up"], bridge.Story);
    }

    [Fact]
    public void A_restarted_terminal_loses_its_link_and_is_called_until_the_bridge_takes_its_new_HELLO()
    {
        bridge.HasHub = true;
        Say(First, 0);
        bridge.HasHub = false;
        bridge.TakeTypes();
        Say(First with { BootId = 0x22 }, 500);
        Assert.False(link.IsUp);
        Assert.Equal(["up", "down PeerRestarted"], bridge.Story);
        Assert.Empty(bridge.TakeTypes());
        Assert.Equal(1_500, link.NextTick);
        link.Tick(1_500);
        Assert.Equal([FrameType.Close], bridge.TakeTypes());
    }

    [Fact]
    public void A_HELLO_of_the_link_that_is_up_is_replied_without_asking()
    {
        bridge.HasHub = true;
        Say(First, 0);
        bridge.HasHub = false;
        bridge.TakeTypes();
        Say(First, 100);
        Assert.True(link.IsUp);
        Assert.Equal([FrameType.Reply], bridge.TakeTypes());
    }

    [Fact]
    public void A_lost_hub_closes_the_link_with_0_and_the_terminal_is_called_each_second()
    {
        bridge.HasHub = true;
        Say(First, 0);
        bridge.TakeTypes();
        link.Close(0, 100);
        Assert.Equal([FrameType.Close], bridge.TakeTypes());
        Assert.Equal(["up", "down Ended"], bridge.Story);
        link.Tick(1_100);
        Assert.Equal([FrameType.Close], bridge.TakeTypes());
    }

    private void Say(LinkHello hello, long nowMs)
    {
        var payload = new byte[LinkHello.MaxBytes];
        var frame = new byte[FrameSize.OnLine(LinkHello.MaxBytes)];
        var length = new FrameWriter(LinkHello.MaxBytes).Write(frame, FrameType.Hello, 0, payload.AsSpan(0, hello.Write(payload)));
        link.Receive(frame.AsSpan(0, length), nowMs);
    }

    private sealed class Bridge : ILinkHost
    {
        private readonly List<byte> line = [];

        public bool HasHub { get; set; }

        public LinkHello? Asked { get; private set; }

        public List<string> Story { get; } = [];

        public void Write(ReadOnlySpan<byte> bytes) => line.AddRange(bytes);

        public void ChangeRate(int baud)
        {
        }

        public bool Deliver(ReadOnlySpan<byte> payload) => true;

        public bool Takes(LinkHello hello)
        {
            Asked = hello;
            return HasHub;
        }

        public void Up() => Story.Add("up");

        public void Down(LinkEnd end, byte code) => Story.Add($"down {end}");

        public FrameType[] TakeTypes()
        {
            ReadOnlySpan<byte> bytes = line.ToArray();
            line.Clear();
            var reader = new FrameReader(FrameSize.LargestPayload);
            var types = new List<FrameType>();
            while (reader.TryRead(ref bytes, out var frame, out _))
            {
                types.Add(frame.Type);
            }

            return [.. types];
        }
    }
}
