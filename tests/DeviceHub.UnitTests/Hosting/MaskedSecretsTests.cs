using DeviceHub.Channels.Sandbox;
using DeviceHub.Gateways.Mqtt;
using DeviceHub.Server.Hosting;

namespace DeviceHub.UnitTests.Hosting;

/// <summary>Records print all they hold unless told otherwise; these hold secrets.</summary>
public sealed class MaskedSecretsTests
{
    private const string Secret = "134567890123456789";

    [Fact]
    public void Connect_packet_prints_no_password() => Assert.DoesNotContain(Secret, new ConnectPacket
    {
        V5 = true, ClientId = "T0000001", KeepAliveSeconds = 60, HasWill = false, WillQos = 0, WillRetain = false, Password = Secret, Properties = default,
    }.ToString(), StringComparison.Ordinal);

    [Fact]
    public void Call_to_the_sandbox_prints_no_payment_code() =>
        Assert.DoesNotContain(Secret, new SandboxCall("O1", 1000, Secret).ToString(), StringComparison.Ordinal);

    [Fact]
    public void Start_of_a_hub_prints_no_password() =>
        Assert.DoesNotContain(Secret, new HubStart([], null, null, "data", "admin", Secret).ToString(), StringComparison.Ordinal);
}
