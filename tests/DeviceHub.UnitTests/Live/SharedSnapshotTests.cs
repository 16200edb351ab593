using DeviceHub.Core.Live;
using Microsoft.Extensions.Time.Testing;

namespace DeviceHub.UnitTests.Live;

public sealed class SharedSnapshotTests
{
    private static readonly TimeSpan Apart = TimeSpan.FromMilliseconds(250);
    private readonly FakeTimeProvider clock = new();
    private int reads;

    [Fact]
    public async Task Many_who_ask_at_once_share_one_read()
    {
        var snapshot = Counting();

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => snapshot.Recent()));

        Assert.All(answers, a => Assert.Equal(1, a));
        Assert.Equal(1, await snapshot.Recent());
    }

    [Fact]
    public async Task After_a_change_everybody_gets_what_was_read_after_it_and_not_sooner_than_the_pause()
    {
        var snapshot = Counting();
        await snapshot.Recent();

        var changed = Enumerable.Range(0, 20).Select(_ => snapshot.Fresh()).ToList();
        Assert.Equal(1, await snapshot.Recent());
        Assert.DoesNotContain(changed, c => c.IsCompleted);
        while (!changed[0].IsCompleted)
        {
            clock.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Yield();
        }

        Assert.All(await Task.WhenAll(changed), a => Assert.Equal(2, a));
    }

    [Fact]
    public async Task What_is_older_than_the_pause_is_read_again()
    {
        var snapshot = Counting();
        await snapshot.Recent();

        clock.Advance(Apart);

        Assert.Equal(2, await snapshot.Recent());
    }

    [Fact]
    public async Task A_read_that_took_long_is_followed_by_a_longer_pause()
    {
        var snapshot = new SharedSnapshot<int>(
            () =>
            {
                clock.Advance(TimeSpan.FromSeconds(1));
                return Task.FromResult(++reads);
            },
            Apart,
            clock);
        await snapshot.Recent();

        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(1, await snapshot.Recent());
        clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(2, await snapshot.Recent());
    }

    [Fact]
    public async Task A_read_that_failed_is_told_to_those_who_asked_and_the_next_one_asks_again()
    {
        var snapshot = new SharedSnapshot<int>(
            () => ++reads == 1 ? Task.FromException<int>(new TimeoutException()) : Task.FromResult(reads), TimeSpan.Zero, clock);

        await Assert.ThrowsAsync<TimeoutException>(snapshot.Recent);

        Assert.Equal(2, await snapshot.Recent());
    }

    [Fact]
    public async Task Two_reads_never_run_at_a_time()
    {
        var running = 0;
        var most = 0;
        var snapshot = new SharedSnapshot<int>(
            async () =>
            {
                most = Math.Max(most, Interlocked.Increment(ref running));
                await Task.Yield();
                Interlocked.Decrement(ref running);
                return Interlocked.Increment(ref reads);
            },
            TimeSpan.Zero,
            TimeProvider.System);

        await Parallel.ForAsync(0, 500, async (_, _) =>
        {
            var before = Volatile.Read(ref reads);
            Assert.True(await snapshot.Fresh() > before);
        });

        Assert.Equal(1, most);
    }

    private SharedSnapshot<int> Counting() => new(() => Task.FromResult(++reads), Apart, clock);
}
