using DeviceHub.Gateways.Mqtt;

namespace DeviceHub.UnitTests.Mqtt;

public sealed class ConnectPacketTests
{
    /// <summary>Flags 0xC2: user name, password, clean session; both texts empty, as modems send them when they were given none.</summary>
    [Fact]
    public void Empty_user_name_and_password_are_none()
    {
        byte[] body = [0, 4, .. "MQTT"u8, 4, 0xC2, 0, 60, 0, 8, .. "T0000001"u8, 0, 0, 0, 0];
        var packet = ConnectPacket.Read(body, out _, out _);

        Assert.NotNull(packet);
        Assert.Null(packet.UserName);
        Assert.Null(packet.Password);
    }
}
