using DeviceHub.Core.Payments;

namespace DeviceHub.Channels.Sandbox;

/// <summary>The Sandbox for tests of a terminal's way: the smallest of its amounts for each ending.</summary>
internal sealed class SandboxTests : ITestChannel
{
    public string Name => SandboxChannel.ChannelName;

    public long AmountFen(TestEnding ending)
    {
        var rule = ending switch
        {
            TestEnding.Approved => SandboxRule.Approve,
            TestEnding.Declined => SandboxRule.InsufficientFunds,
            TestEnding.InDoubt => SandboxRule.TimeoutNotFoundFirst,
            _ => throw new ArgumentOutOfRangeException(nameof(ending), ending, null),
        };
        return Enumerable.Range(1, 100).First(fen => SandboxRules.Of(fen) == rule);
    }
}
