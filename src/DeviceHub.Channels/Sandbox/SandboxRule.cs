namespace DeviceHub.Channels.Sandbox;

/// <summary>How the bank behaves for an order. Written in its book by name.</summary>
public enum SandboxRule
{
    Approve,
    InsufficientFunds,
    CodeExpired,
    PasswordThenPaid,
    PasswordThenRefused,
    TimeoutPaid,
    TimeoutNotPaid,
    TimeoutPaidLater,
    TimeoutNotFoundFirst,
    Slow,
    Unreachable,
    ReversalIgnoredOnce,
    LateSuccess,
    LateSuccessRefundUnknown,
    LateSuccessRefundReplyLost,
    UnknownCode,
}

/// <summary>Which rule an order has: by the last two digits of its amount in fen, and for all others by the seeded shares.</summary>
public static class SandboxRules
{
    private static readonly Dictionary<int, SandboxRule> ByLastDigits = new()
    {
        [01] = SandboxRule.InsufficientFunds,
        [02] = SandboxRule.CodeExpired,
        [10] = SandboxRule.PasswordThenPaid,
        [11] = SandboxRule.PasswordThenRefused,
        [20] = SandboxRule.TimeoutPaid,
        [21] = SandboxRule.TimeoutNotPaid,
        [22] = SandboxRule.TimeoutPaidLater,
        [23] = SandboxRule.TimeoutNotFoundFirst,
        [24] = SandboxRule.Slow,
        [30] = SandboxRule.Unreachable,
        [40] = SandboxRule.ReversalIgnoredOnce,
        [41] = SandboxRule.LateSuccess,
        [42] = SandboxRule.LateSuccessRefundUnknown,
        [43] = SandboxRule.LateSuccessRefundReplyLost,
        [50] = SandboxRule.UnknownCode,
    };

    /// <summary>The documented test amounts: last two digits of the fen, and what they do.</summary>
    public static IReadOnlyDictionary<int, SandboxRule> Table => ByLastDigits;

    public static SandboxRule Of(long amountFen) => ByLastDigits.GetValueOrDefault((int)(amountFen % 100), SandboxRule.Approve);

    internal static SandboxRule Of(long amountFen, string orderNumber, SandboxOptions options)
    {
        var rule = Of(amountFen);
        if (rule != SandboxRule.Approve || options is { ReplyLostShare: 0, NotFoundFirstShare: 0, SlowShare: 0 })
        {
            return rule;
        }

        var share = Share(orderNumber, options.FaultSeed);
        if (share < options.ReplyLostShare)
        {
            return SandboxRule.TimeoutPaid;
        }

        share -= options.ReplyLostShare;
        return share < options.NotFoundFirstShare ? SandboxRule.TimeoutNotFoundFirst
            : share - options.NotFoundFirstShare < options.SlowShare ? SandboxRule.Slow
            : SandboxRule.Approve;
    }

    /// <summary>FNV-1a, mixed: 0 to 1, the same in every process, which string.GetHashCode is not.</summary>
    private static double Share(string orderNumber, int seed)
    {
        var hash = 14695981039346656037UL ^ (uint)seed;
        foreach (var c in orderNumber)
        {
            hash = (hash ^ c) * 1099511628211UL;
        }

        hash ^= hash >> 33;
        hash *= 0xff51afd7ed558ccdUL;
        hash ^= hash >> 33;
        return (hash >> 11) / (double)(1UL << 53);
    }
}
