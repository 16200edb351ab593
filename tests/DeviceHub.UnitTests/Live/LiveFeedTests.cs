using DeviceHub.Core.Live;

namespace DeviceHub.UnitTests.Live;

public sealed class LiveFeedTests
{
    private readonly LiveFeed feed = new();
    private int first;
    private int second;

    [Fact]
    public void A_change_reaches_those_who_watch_its_topic_until_they_stop()
    {
        using (feed.Watch(LiveFeed.Payments, () => first++))
        using (feed.Watch(LiveFeed.Terminals, () => second++))
        {
            feed.Changed(LiveFeed.Payments);
        }

        feed.Changed(LiveFeed.Payments);
        Assert.Equal((1, 0), (first, second));
        Assert.False(feed.IsWatched);
    }

    [Fact]
    public void Of_two_who_watch_one_topic_the_other_goes_on_and_stopping_twice_is_once()
    {
        var one = feed.Watch(LiveFeed.Payments, () => first++);
        using var other = feed.Watch(LiveFeed.Payments, () => second++);

        one.Dispose();
        one.Dispose();
        feed.Changed(LiveFeed.Payments);

        Assert.Equal((0, 1), (first, second));
        Assert.True(feed.IsWatched);
    }

    [Fact]
    public void Watching_and_stopping_from_many_threads_loses_nobody()
    {
        Parallel.For(0, 2_000, i =>
        {
            using var watching = feed.Watch("topic" + (i % 3), () => Interlocked.Increment(ref first));
            feed.Changed("topic" + (i % 3));
        });

        Assert.True(first >= 2_000);
        Assert.False(feed.IsWatched);
    }
}
