using System.Net;
using DeviceHub.Gateways;
using DeviceHub.Gateways.Serial;

namespace DeviceHub.UnitTests.Serial;

/// <summary>What a session, or a bridge's hub, hands to a line.</summary>
public sealed class SerialWireTests : IWireOwner
{
    EndPoint IWireOwner.Remote { get; } = new PortEndPoint("one");

    void IWireOwner.Pump(SerialWire of)
    {
    }

    void IWireOwner.EndSession(SerialWire of, CutReason reason) => Assert.Fail($"cut: {reason}");

    void IWireOwner.Faulted(SerialWire of, Exception error) => Assert.Fail(error.Message);

    /// <summary>The link takes no frame of it, so all that comes after it would wait for ever.</summary>
    [Fact]
    public void What_is_larger_than_the_link_takes_is_lost_and_holds_up_nothing()
    {
        var wire = new SerialWire(this, "T0000001", 512, new SerialOptions(), sessions: null!);
        Assert.True(wire.TrySend(new byte[513]));
        Assert.True(wire.TrySend(new byte[512]));
        Assert.Equal(512, wire.Next()?.Length);
        wire.Sent();
        Assert.Null(wire.Next());
    }
}
