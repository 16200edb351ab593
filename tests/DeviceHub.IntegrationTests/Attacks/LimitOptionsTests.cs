using System.ComponentModel.DataAnnotations;
using System.Reflection;
using DeviceHub.Gateways;
using DeviceHub.Gateways.Mqtt;
using DeviceHub.Server.Hosting;
using Microsoft.Extensions.Options;

namespace DeviceHub.IntegrationTests.Attacks;

/// <summary>
/// The limits that the attacks meet: their delivered values are those of RELIABILITY.md, but for the publishes to a terminal, which the longest
/// welcome decides; and none can be switched off.
/// </summary>
public sealed class LimitOptionsTests
{
    [Fact]
    public void Delivered_limits_are_the_suggested_ones()
    {
        var mqtt = new MqttOptions();
        Assert.Equal((4_096, 16_384), (mqtt.MaxPacketBytesBeforeConnect, mqtt.MaxPacketBytes));
        Assert.Equal((10, 50), (mqtt.PacketsPerSecond, mqtt.PacketBurst));
        Assert.Equal((3, 5), (mqtt.ConnectBurst, mqtt.ConnectIntervalSeconds));
        Assert.Equal((50, 8), (mqtt.MaxConnectionsNotLoggedInPerAddress, mqtt.MaxFilters));
        Assert.Equal((15, 300), (mqtt.MinKeepAliveSeconds, mqtt.MaxKeepAliveSeconds));
        Assert.Equal((16, 24), (mqtt.MaxInFlightIn, mqtt.MaxInFlightOut));
        Assert.Equal((10, 30, 30), (mqtt.ConnectSeconds, mqtt.AcknowledgeSeconds, mqtt.LoginSeconds));
        Assert.InRange(mqtt.SlowReaderSeconds, 1, 30);
        Assert.InRange(mqtt.MaxQueuedBytes, 1, 256 * 1024);
    }

    [Theory]
    [InlineData(typeof(MqttOptions))]
    [InlineData(typeof(SessionOptions))]
    public void Every_number_has_a_range_and_a_value_beyond_it_is_refused_by_name(Type options)
    {
        foreach (var property in options.GetProperties().Where(p => p.PropertyType == typeof(int) || p.PropertyType == typeof(double)))
        {
            var range = property.GetCustomAttribute<RangeAttribute>();
            Assert.True(range is not null, $"{property.Name} has no range");
            foreach (var beyond in new[] { Convert.ToDouble(range.Minimum, null) - 1, Convert.ToDouble(range.Maximum, null) + 1 })
            {
                var instance = Activator.CreateInstance(options)!;
                property.SetValue(instance, Convert.ChangeType(beyond, property.PropertyType, null));
                var faults = new List<ValidationResult>();

                Assert.False(Validator.TryValidateObject(instance, new ValidationContext(instance), faults, validateAllProperties: true));
                Assert.Contains(faults, fault => fault.MemberNames.Contains(property.Name));
            }
        }
    }

    [Theory]
    [InlineData("--Mqtt:MaxConnectionsNotLoggedInPerAddress=0", "MaxConnectionsNotLoggedInPerAddress")]
    [InlineData("--Mqtt:MinKeepAliveSeconds=301", "MinKeepAliveSeconds")]
    [InlineData("--Session:WrongDelayMs=0", "WrongDelayMs")]
    public async Task Hub_does_not_start_with_a_limit_that_is_none(string argument, string name)
    {
        var folder = Directory.CreateTempSubdirectory("hub-").FullName;
        try
        {
            var fault = await Assert.ThrowsAsync<OptionsValidationException>(async () =>
            {
                await using var app = HubApplication.Build([$"--Server:DataFolder={folder}", "--Server:Urls=http://127.0.0.1:0", "--Mqtt:Port=0", "--Mqtt:TlsPort=-1", argument]);
                await app.StartAsync();
            });
            Assert.Contains(name, fault.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
