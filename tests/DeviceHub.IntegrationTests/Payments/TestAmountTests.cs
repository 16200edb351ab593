using System.Text.RegularExpressions;
using DeviceHub.Channels.Sandbox;
using DeviceHub.IntegrationTests.BadInput;
using DeviceHub.IntegrationTests.Kill;
using DeviceHub.Protocol.Wire;

namespace DeviceHub.IntegrationTests.Payments;

/// <summary>Every documented test amount of the Sandbox over a real socket: what the terminal is told, in which order, and where the money is.</summary>
public sealed class TestAmountTests(TestAmountTests.ShortHub shortHub) : IClassFixture<TestAmountTests.ShortHub>
{
    /// <summary>
    /// W: accepted, being worked on; C: accepted, the customer types; D: in doubt. Where the hub is slow it may be in doubt for a moment
    /// before the end; where doubt or typing is what the amount is for, it must be told.
    /// </summary>
    private static readonly Dictionary<SandboxRule, string> Told = new()
    {
        [SandboxRule.Approve] = "^W*D*Approved$",
        [SandboxRule.InsufficientFunds] = "^W*D*Declined:InsufficientFunds$",
        [SandboxRule.CodeExpired] = "^W*D*Declined:CodeExpired$",
        [SandboxRule.PasswordThenPaid] = "^W*D*C+Approved$",
        [SandboxRule.PasswordThenRefused] = "^W*D*C+Declined:CustomerRefused$",
        [SandboxRule.TimeoutPaid] = "^W+D*Approved$",
        [SandboxRule.TimeoutNotPaid] = "^W+D*NotCharged$",
        [SandboxRule.TimeoutPaidLater] = "^W+D+(Approved|NotCharged)$",
        [SandboxRule.TimeoutNotFoundFirst] = "^W+D+(Approved|NotCharged)$",
        [SandboxRule.Slow] = "^W+D*Approved$",
        [SandboxRule.Unreachable] = "^W*Declined:ChannelUnavailable$",
        [SandboxRule.ReversalIgnoredOnce] = "^W+D+NotCharged$",
        [SandboxRule.LateSuccess] = "^W+D+NotCharged,Refunded$",
        [SandboxRule.LateSuccessRefundUnknown] = "^W+D+NotCharged,Refunded$",
        [SandboxRule.LateSuccessRefundReplyLost] = "^W+D+NotCharged,Refunded$",
        [SandboxRule.UnknownCode] = "^W*D*NotCharged$",
    };

    private BadInputHub Hub => shortHub.Hub;

    public static TheoryData<SandboxRule> Rules => [.. Enum.GetValues<SandboxRule>()];

    [Theory, MemberData(nameof(Rules))]
    public async Task Terminal_is_told_what_the_test_amount_promises_and_the_bank_holds_as_much(SandboxRule rule)
    {
        await using var terminal = await Hub.LoggedIn();
        var amount = 1000 + (rule == SandboxRule.Approve ? 99 : SandboxRules.Table.Single(r => r.Value == rule).Key);
        var request = terminal.Request((ulong)amount);
        await terminal.Pay(request);

        var told = await Listen(terminal, request.RequestId, ends: Told[rule].Contains(',', StringComparison.Ordinal) ? 2 : 1);

        Assert.Matches(new Regex(Told[rule], RegexOptions.None, TimeSpan.FromSeconds(1)), told);
        Assert.Equal(told.EndsWith("Approved", StringComparison.Ordinal) ? amount : 0, await Hub.Charged(terminal));
    }

    [Fact]
    public async Task Cancel_is_told_as_cancelling_and_the_end_comes_by_evidence()
    {
        await using var terminal = await Hub.LoggedIn();
        var request = terminal.Request(1040);
        await terminal.Pay(request);
        await terminal.Expect(Downlink.BodyOneofCase.Accepted);
        await terminal.SendSealed(new Uplink { PaymentCancel = new PaymentCancel { RequestId = request.RequestId } });
        var cancelling = (await terminal.Expect(Downlink.BodyOneofCase.Accepted)).Accepted;

        Assert.Equal(Accepted.Types.State.Cancelling, cancelling.State);
        Assert.Matches("^W*D*NotCharged$", await Listen(terminal, request.RequestId, ends: 1));
        Assert.Equal(0, await Hub.Charged(terminal));
    }

    /// <summary>What came, one letter a state, up to so many outcomes; each is confirmed as shown.</summary>
    private static async Task<string> Listen(TestTerminal terminal, string requestId, int ends)
    {
        var told = "";
        for (var seen = 0; seen < ends;)
        {
            var message = await terminal.Next(TimeSpan.FromSeconds(40));
            switch (message.BodyCase)
            {
                case Downlink.BodyOneofCase.Accepted:
                    told += message.Accepted.State == Accepted.Types.State.WaitingForCustomer ? "C" : "W";
                    break;
                case Downlink.BodyOneofCase.InDoubt:
                    told += "D";
                    break;
                case Downlink.BodyOneofCase.Outcome when message.Outcome.Revision <= seen:
                    // Sent again before it was known as shown.
                    break;
                case Downlink.BodyOneofCase.Outcome:
                    var outcome = message.Outcome;
                    Assert.Equal(requestId, outcome.RequestId);
                    told += (seen++ > 0 ? "," : "") + outcome.Result + (outcome.Result == Outcome.Types.Result.Declined ? ":" + outcome.Reason : "");
                    await terminal.Shown(outcome);
                    break;
                default:
                    Assert.Fail($"after '{told}' came {message}");
                    break;
            }
        }

        return told;
    }

    /// <summary>The hub with short waits, one for all amounts.</summary>
    public sealed class ShortHub : IAsyncLifetime
    {
        internal BadInputHub Hub { get; } = new([.. ShortWaits.Payments, .. ShortWaits.Sandbox]);

        public ValueTask InitializeAsync() => Hub.InitializeAsync();

        public ValueTask DisposeAsync() => Hub.DisposeAsync();
    }
}
