using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace DeviceHub.Core.Payments;

/// <summary>Times and limits of payments; section <c>Payments</c>. Sources of the defaults: PAYMENTS, sections 1 to 4 and 7.</summary>
public sealed class PaymentOptions
{
    public const string Section = "Payments";

    private readonly ConcurrentDictionary<string, ChannelTimes> byChannel = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>How long an Accept may wait for the ledger before it is withdrawn and refused.</summary>
    public TimeSpan AcceptDeadline { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the answer to a payment is waited for; after it the attempt is Unknown.</summary>
    public TimeSpan PayDeadline { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the answer to a query, reversal or refund is waited for.</summary>
    public TimeSpan QueryDeadline { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Waits before the first, second, ... query of an Unknown attempt; the last one repeats.</summary>
    [Required, MinLength(1), MaxLength(32)]
    public TimeSpan[] QueryWaits { get; set; } =
        [.. new double[] { 0, 1, 2, 3, 5, 5, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600 }.Select(TimeSpan.FromSeconds)];

    /// <summary>Wait between queries while the customer types a password.</summary>
    public TimeSpan PendingWait { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a customer may type before the payment is reversed.</summary>
    public TimeSpan PendingLimit { get; set; } = TimeSpan.FromSeconds(45);

    /// <summary>How long an Unknown attempt is queried before it is reversed.</summary>
    public TimeSpan UnknownLimit { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>A reversal is not sent earlier than this after the attempt began (WeChat: 15 s).</summary>
    public TimeSpan ReverseNotBefore { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Reversals that were answered but did nothing, before the money is refunded instead.</summary>
    [Range(1, 20)]
    public int MaxReversals { get; set; } = 4;

    /// <summary>How long a payment code can still be charged by a request that is under way.</summary>
    public TimeSpan CodeLifetime { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Added to deadline and code lifetime before "not found" counts (I5).</summary>
    public TimeSpan NotFoundMargin { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>When a payment that was settled on "not found" is asked about again, counted from its end: a late charge is refunded.</summary>
    [Required, MaxLength(8)]
    public TimeSpan[] LateChecks { get; set; } = [TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(10)];

    /// <summary>After this age an unsettled payment is listed for people; it is still asked about at the slowest pace.</summary>
    public TimeSpan AttentionAfter { get; set; } = TimeSpan.FromHours(1);

    /// <summary>After this age nothing is asked any more (WeChat reverses for 7 days).</summary>
    public TimeSpan GiveUpAfter { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Within it the same terminal and amount without an order number looks like a second scan (I13).</summary>
    public TimeSpan DuplicateWindow { get; set; } = TimeSpan.FromSeconds(120);

    /// <summary>How often the sweeper looks for payments whose next step is due.</summary>
    public TimeSpan SweepEvery { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>A payment is woken by the sweeper only this long after its step was due: its own timer goes first.</summary>
    public TimeSpan SweepGrace { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Payments that one sweep wakes at most.</summary>
    [Range(1, 10_000)]
    public int SweepBatch { get; set; } = 500;

    /// <summary>At a stop, how long running calls to channels are waited for; what is still open then is taken up at the next start.</summary>
    public TimeSpan StopDeadline { get; set; } = TimeSpan.FromSeconds(12);

    /// <summary>Accounts that one scan may be tried on, each only when the one before was proven not to have reached the payer (I4).</summary>
    [Range(1, 8)]
    public int MaxAttempts { get; set; } = 3;

    /// <summary>Refunds of one payment, the hub's own included.</summary>
    [Range(1, 99)]
    public int MaxRefunds { get; set; } = 50;

    /// <summary>Different notices about one attempt, or one refund, that are kept and acted upon; a repeat never is.</summary>
    [Range(1, 100)]
    public int MaxNotices { get; set; } = 8;

    /// <summary>Times by channel. At most 64.</summary>
    [Required, MaxLength(64)]
    public Dictionary<string, ChannelTimeOverrides> Channels { get; set; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>What holds for a channel: what is configured for it, else what is known of it, else the section's. Read once; options do not change after the start.</summary>
    public ChannelTimes For(string channel) => byChannel.GetOrAdd(channel, static (name, options) => options.Resolve(name), this);

    private ChannelTimes Resolve(string channel)
    {
        var set = Channels.GetValueOrDefault(channel);
        var known = ChannelTimeOverrides.Known.GetValueOrDefault(channel);
        return new(
            set?.PayDeadline ?? known?.PayDeadline ?? PayDeadline,
            set?.QueryDeadline ?? known?.QueryDeadline ?? QueryDeadline,
            set?.QueryWaits ?? known?.QueryWaits ?? QueryWaits,
            set?.PendingWait ?? known?.PendingWait ?? PendingWait,
            set?.PendingLimit ?? known?.PendingLimit ?? PendingLimit,
            set?.UnknownLimit ?? known?.UnknownLimit ?? UnknownLimit,
            set?.ReverseNotBefore ?? known?.ReverseNotBefore ?? ReverseNotBefore,
            set?.CodeLifetime ?? known?.CodeLifetime ?? CodeLifetime,
            NotFoundMargin,
            set?.GiveUpAfter ?? known?.GiveUpAfter ?? GiveUpAfter);
    }
}

/// <summary>Refuses times that would break an invariant or a promise.</summary>
public sealed class PaymentOptionsValidator : IValidateOptions<PaymentOptions>
{
    public ValidateOptionsResult Validate(string? name, PaymentOptions options)
    {
        var faults = new List<string>();
        Positive(options.AcceptDeadline, nameof(options.AcceptDeadline), TimeSpan.FromSeconds(30));
        Positive(options.SweepEvery, nameof(options.SweepEvery), TimeSpan.FromMinutes(1));
        Positive(options.SweepGrace, nameof(options.SweepGrace), TimeSpan.FromMinutes(5));
        Positive(options.AttentionAfter, nameof(options.AttentionAfter), TimeSpan.FromDays(7));
        Positive(options.StopDeadline, nameof(options.StopDeadline), TimeSpan.FromMinutes(5));
        NotNegative(options.NotFoundMargin, nameof(options.NotFoundMargin), TimeSpan.FromMinutes(10));
        NotNegative(options.DuplicateWindow, nameof(options.DuplicateWindow), TimeSpan.FromHours(1));
        Check(options.For(""), "");
        foreach (var channel in options.Channels.Keys)
        {
            Check(options.For(channel), $"Channels:{channel}:");
        }

        if (options.LateChecks.Any(w => w <= TimeSpan.Zero || w > TimeSpan.FromDays(7)) || !options.LateChecks.SequenceEqual(options.LateChecks.Order()))
        {
            faults.Add("Payments:LateChecks must grow, each above 0 and at most 7 days");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);

        void Check(ChannelTimes times, string of)
        {
            Positive(times.PayDeadline, of + nameof(times.PayDeadline), TimeSpan.FromSeconds(60));
            Positive(times.QueryDeadline, of + nameof(times.QueryDeadline), TimeSpan.FromSeconds(60));
            Positive(times.PendingWait, of + nameof(times.PendingWait), TimeSpan.FromMinutes(1));
            Positive(times.PendingLimit, of + nameof(times.PendingLimit), TimeSpan.FromMinutes(10));
            Positive(times.UnknownLimit, of + nameof(times.UnknownLimit), TimeSpan.FromMinutes(10));
            Positive(times.GiveUpAfter, of + nameof(times.GiveUpAfter), TimeSpan.FromDays(90));
            NotNegative(times.ReverseNotBefore, of + nameof(times.ReverseNotBefore), TimeSpan.FromMinutes(10));
            NotNegative(times.CodeLifetime, of + nameof(times.CodeLifetime), TimeSpan.FromMinutes(10));
            if (times.QueryWaits is not { Count: > 0 and <= 32 } waits || waits[^1] <= TimeSpan.Zero || waits.Any(w => w < TimeSpan.Zero || w > TimeSpan.FromDays(1)))
            {
                faults.Add($"Payments:{of}QueryWaits must have 1 to 32 waits, each 0 to 1 day and the last above 0");
            }
        }

        void Positive(TimeSpan value, string option, TimeSpan max)
        {
            if (value <= TimeSpan.Zero || value > max)
            {
                faults.Add($"Payments:{option} must be above 0 and at most {max}; it is {value}");
            }
        }

        void NotNegative(TimeSpan value, string option, TimeSpan max)
        {
            if (value < TimeSpan.Zero || value > max)
            {
                faults.Add($"Payments:{option} must be 0 to {max}; it is {value}");
            }
        }
    }
}
