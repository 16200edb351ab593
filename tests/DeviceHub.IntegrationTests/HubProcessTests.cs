using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests;

/// <summary>The server as an operator starts and stops it.</summary>
public sealed class HubProcessTests
{
    [Fact]
    public async Task Hub_starts_shows_its_password_once_survives_a_kill_and_stops_on_request()
    {
        await using var hub = new HubProcess();
        await hub.Start();
        Assert.Equal(20, hub.FirstPassword?.Length);

        await hub.Kill();
        var printed = hub.Output.Length;
        await hub.Start();
        await Eventually.Holds(() => hub.Output[printed..].Contains("mqtt://", StringComparison.Ordinal), "the second start says where it listens");

        Assert.DoesNotContain(hub.FirstPassword!, hub.Output[printed..], StringComparison.Ordinal);
        Assert.Equal(0, await hub.Stop(TimeSpan.FromSeconds(40)));
    }
}
