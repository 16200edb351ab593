using DeviceHub.Core.Problems;
using DeviceHub.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using static DeviceHub.IntegrationTests.Storage.StorageFixture;

namespace DeviceHub.IntegrationTests.Storage;

/// <summary>A search file that is made anew says where it stands, for as long as that lasts.</summary>
public sealed class SearchProgressTests
{
    private readonly FakeTimeProvider clock = new(Now);
    private readonly LogLines log = new();

    [Fact]
    public void Beginning_and_end_are_told_and_each_ten_seconds_how_far_it_is()
    {
        var progress = new SearchProgress(clock, log.Of<SearchProgress>());
        progress.At(SearchProgress.Far);
        Assert.Null(progress.Behind);
        progress.At(300_000);
        for (var left = 299_000; left >= 0; left -= 1_000)
        {
            clock.Advance(TimeSpan.FromMilliseconds(75));
            progress.At(left + 1_000);
            progress.At(left, 1_000);
        }

        progress.At(0);
        Assert.Equal(
            [
                "SearchCatchesUp: Searchable payments are 300000 ledger rows behind and catch up; lists show what they have",
                "SearchGoesOn: Searchable payments catch up: 133000 ledger rows in 10 s, 167000 are left for about 13 s",
                "SearchGoesOn: Searchable payments catch up: 267000 ledger rows in 20 s, 33000 are left for about 3 s",
                "SearchCaughtUp: Searchable payments show the whole ledger: 300000 ledger rows in 22.5 s",
            ],
            log.All);
        Assert.Null(progress.Behind);
    }

    [Fact]
    public async Task File_that_is_made_anew_is_a_problem_until_it_shows_the_whole_ledger()
    {
        using var hub = new StorageFixture(o => o.ProjectionBatch = 2);
        await Task.WhenAll(Enumerable.Range(0, 90).Select(i => hub.Ledger.Accept(Accept($"request-{i}"), default).AsTask()));
        var progress = new SearchProgress(clock, log.Of<SearchProgress>()) { From = 50 };
        var problems = new ProblemList([new SearchProblem(progress)]);
        using var projection = new PaymentProjection(
            hub.Search, hub.Pool, hub.Ledger, hub.Feed, new FreeDisk(hub.Options, () => long.MaxValue), progress, hub.Options, Options.Create(hub.TerminalOptions), clock,
            NullLogger<PaymentProjection>.Instance);

        Assert.Equal(20, await projection.Step());
        Assert.Equal([new Problem(ProblemKind.SearchBehind, Now, false, "", Count: 70)], await problems.Newest(5));
        while (await projection.Step() > 0)
        {
        }

        Assert.Empty(await problems.Newest(5));
        Assert.Equal("SearchCaughtUp: Searchable payments show the whole ledger: 90 ledger rows in 0.0 s", log.All[^1]);
    }
}
