using DeviceHub.Core.Terminals;
using static DeviceHub.IntegrationTests.Storage.StorageFixture;

namespace DeviceHub.IntegrationTests.Storage;

/// <summary>Points of charts on a real disk: written with the sightings, deleted when their time is over.</summary>
public sealed class HeartbeatHistoryTests
{
    private static readonly HeartbeatFigures Full = new(4711, -71, 80, 3, 2100, 45, 480, 190, 2);

    [Fact]
    public async Task Sample_is_kept_whole_and_a_sighting_after_it_does_not_lose_it()
    {
        using var hub = new StorageFixture();
        hub.LastSeen.Saw(Sighting("T1", Now, Full));
        hub.LastSeen.Saw(new Sighting("T1", Now.AddSeconds(1), null, null));
        hub.LastSeen.Saw(Sighting("T2", Now, new HeartbeatFigures()));
        await hub.LastSeen.Flush();
        hub.LastSeen.Saw(Sighting("T1", Now.AddMinutes(15), new HeartbeatFigures(1)));
        await hub.LastSeen.Flush();

        Assert.Equal([Full, new HeartbeatFigures(1)], (await hub.Heartbeats.Of("T1", Now)).Select(s => s.Figures));
        Assert.Equal([new HeartbeatFigures(1)], (await hub.Heartbeats.Of("T1", Now.AddMinutes(1))).Select(s => s.Figures));
        Assert.Equal([new HeartbeatFigures()], (await hub.Heartbeats.Of("T2", Now)).Select(s => s.Figures));
        Assert.Empty(await hub.Heartbeats.Of("T3", Now));
    }

    [Fact]
    public async Task Old_points_go_some_terminals_at_a_time_and_all_have_their_turn()
    {
        using var hub = new StorageFixture();
        var now = DateTimeOffset.FromUnixTimeMilliseconds(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
        for (var i = 0; i < 100; i++)
        {
            hub.LastSeen.Saw(Sighting($"T{i:000}", now.AddDays(-3), Full));
        }

        await hub.LastSeen.Flush();
        hub.LastSeen.Saw(Sighting("T000", now, Full));
        await hub.LastSeen.Flush();
        await hub.LastSeen.DeleteOld();
        Assert.Equal([now], (await hub.Heartbeats.Of("T000", default)).Select(s => s.At));
        Assert.Empty(await hub.Heartbeats.Of("T063", default));
        Assert.Single(await hub.Heartbeats.Of("T064", default));
        await hub.LastSeen.DeleteOld();
        Assert.Empty(await hub.Heartbeats.Of("T099", default));

        // And from the beginning again.
        hub.LastSeen.Saw(Sighting("T000", now.AddDays(-3), Full));
        await hub.LastSeen.Flush();
        await hub.LastSeen.DeleteOld();
        await hub.LastSeen.DeleteOld();
        Assert.Equal([now], (await hub.Heartbeats.Of("T000", default)).Select(s => s.At));
    }

    private static Sighting Sighting(string serialNumber, DateTimeOffset at, HeartbeatFigures sample) =>
        new(serialNumber, at, "10.0.0.1", new HeartbeatReport("1.0", 3, "{}", sample), Sample: sample);
}
