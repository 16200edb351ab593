using System.Collections.Frozen;

namespace DeviceHub.Core.Payments;

/// <summary>A channel's own times, where they differ from the section's; null: the section's. Sources of the defaults: PAYMENTS, sections 1 to 3.</summary>
public sealed class ChannelTimeOverrides
{
    /// <summary>Of the channels that there are. Whoever configures one of these values replaces it.</summary>
    public static readonly FrozenDictionary<string, ChannelTimeOverrides> Known = new Dictionary<string, ChannelTimeOverrides>
    {
        ["wechat-v2"] = WeChat(),
        ["wechat-v3"] = WeChat(),
        ["alipay"] = new()
        {
            PendingLimit = TimeSpan.FromSeconds(60),
            ReverseNotBefore = TimeSpan.Zero,
            GiveUpAfter = TimeSpan.FromHours(24),
        },
        ["shouqianba"] = new()
        {
            PendingWait = TimeSpan.FromSeconds(4),
            PendingLimit = TimeSpan.FromSeconds(50),
            ReverseNotBefore = TimeSpan.Zero,
            GiveUpAfter = TimeSpan.FromHours(24),
        },

        // Another company's core may try several channels before it answers.
        ["remote"] = new()
        {
            PayDeadline = TimeSpan.FromSeconds(20),
            ReverseNotBefore = TimeSpan.Zero,
        },
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <inheritdoc cref="PaymentOptions.PayDeadline"/>
    public TimeSpan? PayDeadline { get; set; }

    /// <inheritdoc cref="PaymentOptions.QueryDeadline"/>
    public TimeSpan? QueryDeadline { get; set; }

    /// <inheritdoc cref="PaymentOptions.QueryWaits"/>
    public TimeSpan[]? QueryWaits { get; set; }

    /// <inheritdoc cref="PaymentOptions.PendingWait"/>
    public TimeSpan? PendingWait { get; set; }

    /// <inheritdoc cref="PaymentOptions.PendingLimit"/>
    public TimeSpan? PendingLimit { get; set; }

    /// <inheritdoc cref="PaymentOptions.UnknownLimit"/>
    public TimeSpan? UnknownLimit { get; set; }

    /// <inheritdoc cref="PaymentOptions.ReverseNotBefore"/>
    public TimeSpan? ReverseNotBefore { get; set; }

    /// <inheritdoc cref="PaymentOptions.CodeLifetime"/>
    public TimeSpan? CodeLifetime { get; set; }

    /// <summary>The channel reverses nothing that is older; what is still charged then is refunded. An attempt of which nothing is known is not asked about any more.</summary>
    public TimeSpan? GiveUpAfter { get; set; }

    private static ChannelTimeOverrides WeChat() => new()
    {
        PendingLimit = TimeSpan.FromSeconds(45),
        ReverseNotBefore = TimeSpan.FromSeconds(15),
        GiveUpAfter = TimeSpan.FromDays(7),
    };
}

/// <summary>The times that hold for one channel.</summary>
public sealed record ChannelTimes(
    TimeSpan PayDeadline,
    TimeSpan QueryDeadline,
    IReadOnlyList<TimeSpan> QueryWaits,
    TimeSpan PendingWait,
    TimeSpan PendingLimit,
    TimeSpan UnknownLimit,
    TimeSpan ReverseNotBefore,
    TimeSpan CodeLifetime,
    TimeSpan NotFoundMargin,
    TimeSpan GiveUpAfter)
{
    /// <summary>The wait of I5 before "not found" counts.</summary>
    public TimeSpan NotFoundWait => PayDeadline + CodeLifetime + NotFoundMargin;

    internal TimeSpan QueryWait(int queries) => QueryWaits[Math.Min(queries, QueryWaits.Count - 1)];
}
