using System.Buffers;
using System.Text;
using System.Threading.Channels;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace DeviceHub.IntegrationTests.Mqtt;

/// <summary>The good path with a client that nobody here wrote, so that a misreading shared by the endpoint and the raw tests shows.</summary>
[Collection(WireHub.Collection)]
public sealed class PublicLibraryTests(WireHub hub)
{
    [Theory]
    [InlineData(MqttProtocolVersion.V311)]
    [InlineData(MqttProtocolVersion.V500)]
    public async Task MQTTnets_client_connects_subscribes_publishes_receives_and_leaves(MqttProtocolVersion version)
    {
        var serial = WireHub.NewSerial();
        using var client = new MqttClientFactory().CreateMqttClient();
        var inbox = Channel.CreateBounded<string>(10);
        client.ApplicationMessageReceivedAsync += message =>
        {
            inbox.Writer.TryWrite(Encoding.UTF8.GetString(message.ApplicationMessage.Payload.ToArray()));
            return Task.CompletedTask;
        };
        var options = new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", hub.Port).WithClientId(serial).WithProtocolVersion(version)
            .WithTimeout(TimeSpan.FromSeconds(30)).WithKeepAlivePeriod(TimeSpan.FromSeconds(60)).WithCleanSession(false).Build();

        var connected = await client.ConnectAsync(options);
        Assert.Equal(MqttClientConnectResultCode.Success, connected.ResultCode);
        Assert.False(connected.IsSessionPresent);
        var subscribed = await client.SubscribeAsync($"dh/v1/{serial}/down", MqttQualityOfServiceLevel.AtLeastOnce);
        Assert.Equal(MqttClientSubscribeResultCode.GrantedQoS1, Assert.Single(subscribed.Items).ResultCode);

        var session = hub.Sessions.Of(serial);
        foreach (var qos in new[] { MqttQualityOfServiceLevel.AtMostOnce, MqttQualityOfServiceLevel.AtLeastOnce })
        {
            await client.PublishStringAsync($"dh/v1/{serial}/up", $"up {qos}", qos);
            Assert.Equal($"up {qos}", await session.Next());
        }

        Assert.True(session.Wire.TrySend("down"u8));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        Assert.Equal("down", await inbox.Reader.ReadAsync(limit.Token));
        await client.PingAsync();
        await client.DisconnectAsync();
        await session.Disposed.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }
}
