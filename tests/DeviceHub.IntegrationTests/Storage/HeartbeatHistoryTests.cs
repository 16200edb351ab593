using DeviceHub.Core.Terminals;
using DeviceHub.Storage;
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

    [Fact]
    public async Task Old_points_of_one_terminal_go_some_at_a_time_and_before_those_of_the_next()
    {
        using var hub = new StorageFixture();
        var old = TimeProvider.System.GetUtcNow().AddDays(-9);
        using (await hub.Database.Gate.Enter())
        {
            for (var i = 0; i < 1001; i++)
            {
                HeartbeatHistory.Write(hub.Database.Derived, "T1", old.AddMinutes(i), Full);
            }

            HeartbeatHistory.Write(hub.Database.Derived, "T2", old, Full);
        }

        await hub.LastSeen.DeleteOld();
        Assert.Equal(2, hub.Number("SELECT count(*) FROM heartbeat"));
        Assert.Single(await hub.Heartbeats.Of("T2", default));
        await hub.LastSeen.DeleteOld();
        Assert.Equal(0, hub.Number("SELECT count(*) FROM heartbeat"));
    }

    [Fact]
    public async Task At_least_as_many_old_points_go_as_new_ones_come()
    {
        using var hub = new StorageFixture();
        var now = TimeProvider.System.GetUtcNow();
        using (await hub.Database.Gate.Enter())
        {
            for (var i = 0; i < 1500; i++)
            {
                HeartbeatHistory.Write(hub.Database.Derived, "T1", now.AddDays(-9).AddMinutes(i), Full);
            }
        }

        for (var i = 0; i < 500; i++)
        {
            hub.LastSeen.Saw(Sighting($"T2-{i}", now, Full));
        }

        await hub.LastSeen.Flush();
        await hub.LastSeen.DeleteOld();
        Assert.Equal(500, hub.Number("SELECT count(*) FROM heartbeat"));
    }

    private static Sighting Sighting(string serialNumber, DateTimeOffset at, HeartbeatFigures sample) =>
        new(serialNumber, at, "10.0.0.1", new HeartbeatReport("1.0", 3, "{}", sample), Sample: sample);
}
