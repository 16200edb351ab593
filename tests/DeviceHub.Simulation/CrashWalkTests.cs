using DeviceHub.Channels.Sandbox;
using DeviceHub.Core.Payments;

namespace DeviceHub.Simulation;

/// <summary>
/// Every rule of the Sandbox, walked crash point by crash point: the process dies before and after each durable append and each call to
/// the channel (pay, query, reverse, refund, refund query), once and twice, with and without a cancel at each point before.
/// </summary>
public sealed class CrashWalkTests(ITestOutputHelper output)
{
    /// <summary>How each rule ends when nothing breaks; the documented test amounts of the Sandbox's README.</summary>
    private static readonly Dictionary<SandboxRule, PaymentResult> Ends = new()
    {
        [SandboxRule.Approve] = PaymentResult.Approved,
        [SandboxRule.InsufficientFunds] = PaymentResult.Declined,
        [SandboxRule.CodeExpired] = PaymentResult.Declined,
        [SandboxRule.PasswordThenPaid] = PaymentResult.Approved,
        [SandboxRule.PasswordThenRefused] = PaymentResult.Declined,
        [SandboxRule.TimeoutPaid] = PaymentResult.Approved,
        [SandboxRule.TimeoutNotPaid] = PaymentResult.NotCharged,
        [SandboxRule.TimeoutPaidLater] = PaymentResult.Approved,
        [SandboxRule.TimeoutNotFoundFirst] = PaymentResult.Approved,
        [SandboxRule.Slow] = PaymentResult.Approved,
        [SandboxRule.Unreachable] = PaymentResult.Declined,
        [SandboxRule.ReversalIgnoredOnce] = PaymentResult.NotCharged,
        [SandboxRule.LateSuccess] = PaymentResult.Refunded,
        [SandboxRule.LateSuccessRefundUnknown] = PaymentResult.Refunded,
        [SandboxRule.LateSuccessRefundReplyLost] = PaymentResult.Refunded,
        [SandboxRule.UnknownCode] = PaymentResult.NotCharged,
    };

    public static TheoryData<SandboxRule> Rules => [.. Enum.GetValues<SandboxRule>()];

    [Theory, MemberData(nameof(Rules))]
    public void Payment_is_settled_and_both_books_agree_wherever_its_process_dies(SandboxRule rule)
    {
        var amount = Amount(rule);
        var whole = Walk(new WalkPlan(amount));
        Assert.True(whole.Result == Ends[rule], $"{whole.Result}\n{CrashWalk.Run(new WalkPlan(amount), traced: true).Story}");
        var walks = 1;
        var ends = new HashSet<PaymentResult> { whole.Result };
        for (var first = 1; first <= whole.Points; first++)
        {
            ends.Add(Walk(new WalkPlan(amount, first, DownSeconds: 30)).Result);
            ends.Add(Walk(new WalkPlan(amount, first, DownSeconds: 600)).Result);
            var once = Walk(new WalkPlan(amount, first));
            ends.Add(once.Result);
            walks += 3;
            for (var second = first + 1; second <= once.Points; second++, walks++)
            {
                ends.Add(Walk(new WalkPlan(amount, first, second)).Result);
            }
        }

        output.WriteLine($"{rule}: {whole.Points} points, {walks} walks, ends: {string.Join(", ", ends)}");

        // A payment that a death left unpaid is not charged, one that it left undone is refunded, and one that never came to the ledger
        // before it expired is none; nothing else may change.
        ends.Remove(PaymentResult.None);
        Assert.Subset(new HashSet<PaymentResult> { Ends[rule], PaymentResult.NotCharged, PaymentResult.Refunded }, ends);
    }

    [Theory, MemberData(nameof(Rules))]
    public void Cancel_at_any_point_ends_by_evidence_wherever_the_process_dies_then(SandboxRule rule)
    {
        var amount = Amount(rule);
        var whole = Walk(new WalkPlan(amount));
        var walks = 0;
        var ends = new HashSet<PaymentResult>();
        for (var cancel = 1; cancel <= whole.Points; cancel++)
        {
            var cancelled = Walk(new WalkPlan(amount, CancelsAt: cancel));
            ends.Add(cancelled.Result);
            for (var death = cancel; death <= cancelled.Points; death++, walks++)
            {
                ends.Add(Walk(new WalkPlan(amount, death, CancelsAt: cancel)).Result);
            }
        }

        output.WriteLine($"{rule}: {walks} walks, ends: {string.Join(", ", ends)}");
        Assert.Subset(new HashSet<PaymentResult> { Ends[rule], PaymentResult.NotCharged, PaymentResult.Refunded }, ends);
        Assert.Contains(ends, end => end != PaymentResult.Approved);
    }

    private static long Amount(SandboxRule rule) =>
        1000 + (rule == SandboxRule.Approve ? 99 : SandboxRules.Table.Single(r => r.Value == rule).Key);

    private static WalkEnd Walk(WalkPlan plan)
    {
        var end = CrashWalk.Run(plan);
        Assert.True(end.Fault is null, end.Fault);
        return end;
    }
}
