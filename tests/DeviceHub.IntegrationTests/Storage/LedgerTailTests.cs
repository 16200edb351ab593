using DeviceHub.Core.Payments;
using DeviceHub.Storage;
using static DeviceHub.IntegrationTests.Storage.StorageFixture;

namespace DeviceHub.IntegrationTests.Storage;

public sealed class LedgerTailTests
{
    [Fact]
    public void Payment_is_given_once_and_only_at_the_version_that_is_asked_for_or_later()
    {
        var tail = new LedgerTail(10);
        tail.Add([Written("request-1"), Written("request-2")]);

        Assert.True(tail.TryTake(new("T1", "request-1"), 1, out var found));
        Assert.Equal((1, "request-1"), (found.Version, found.State.Id.RequestId));
        Assert.False(tail.TryTake(new("T1", "request-1"), 1, out _));
        Assert.False(tail.TryTake(new("T1", "request-2"), 2, out _));
        Assert.False(tail.TryTake(new("T2", "request-2"), 1, out _));
    }

    [Fact]
    public void Nothing_is_kept_of_what_was_not_written_or_came_without_its_state_and_never_more_than_the_limit()
    {
        var tail = new LedgerTail(2);
        tail.Add([Written("request-1", WriteResult.Conflict), Written("request-2", hasState: false), Written("request-3"), Written("request-4"), Written("request-5")]);

        Assert.Equal(["request-5"], Enumerable.Range(1, 5).Select(i => $"request-{i}").Where(id => tail.TryTake(new("T1", id), 1, out _)));
    }

    private static AcceptItem Written(string request, WriteResult result = WriteResult.Written, bool hasState = true)
    {
        var accept = Accept(request);
        return new AcceptItem(accept with { After = hasState ? PaymentState.Fold(accept.Id, accept.Events) : null }) { Result = result };
    }
}
