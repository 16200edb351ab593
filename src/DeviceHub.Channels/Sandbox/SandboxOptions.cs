using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace DeviceHub.Channels.Sandbox;

/// <summary>The built-in test channel; section <c>Sandbox</c>. What an amount makes it do: README.md beside this file.</summary>
public sealed class SandboxOptions
{
    public const string Section = "Sandbox";

    /// <summary>The address of a <c>tests/SandboxHost</c> process, such as <c>http://127.0.0.1:7070</c>; none: the bank runs in this process.</summary>
    public Uri? Url { get; set; }

    /// <summary>The file of the bank's own book; none: kept in memory and lost with the process.</summary>
    public string? Book { get; set; }

    /// <summary>Orders that the bank remembers; above it a new payment is turned away with code <c>SANDBOX_FULL</c>. About 250 bytes each.</summary>
    [Range(1, 10_000_000)]
    public int MaxOrders { get; set; } = 1_000_000;

    /// <summary>How long every ordinary answer takes.</summary>
    public TimeSpan Latency { get; set; }

    /// <summary>How long the customer types a password.</summary>
    public TimeSpan PasswordAfter { get; set; } = TimeSpan.FromSeconds(6);

    /// <summary>After how long an answer that is lost is given up: the caller sees a time-out.</summary>
    public TimeSpan TimeoutAfter { get; set; } = TimeSpan.FromSeconds(12);

    /// <summary>A request that is under way for long charges this long after it was sent; until then the order is not found.</summary>
    public TimeSpan DelayedAfter { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// A late success charges this long after the last reversal was answered: longer than the hub waits between two reversals, and
    /// earlier than its last late check.
    /// </summary>
    public TimeSpan LateAfter { get; set; } = TimeSpan.FromSeconds(50);

    /// <summary>How long a slow answer takes, of <see cref="SlowShare"/>.</summary>
    public TimeSpan SlowAfter { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>Of ordinary payments, 0 to 1: charged, and the answer lost.</summary>
    [Range(0.0, 1.0)]
    public double ReplyLostShare { get; set; }

    /// <summary>Of ordinary payments, 0 to 1: charged, the answer lost, and at first not found by queries.</summary>
    [Range(0.0, 1.0)]
    public double NotFoundFirstShare { get; set; }

    /// <summary>Of ordinary payments, 0 to 1: answered late.</summary>
    [Range(0.0, 1.0)]
    public double SlowShare { get; set; }

    /// <summary>Which orders the shares hit: the same seed and order number have the same fault.</summary>
    public int FaultSeed { get; set; } = 1;

    /// <summary>What the bank takes, in hundredths of a percent of each amount; only its bill shows it.</summary>
    [Range(0, 1000)]
    public int FeeBasisPoints { get; set; }

    /// <summary>Whether a payment code that was used once is declined, as wallets do.</summary>
    public bool SingleUseCodes { get; set; }
}

internal sealed class SandboxOptionsValidator : IValidateOptions<SandboxOptions>
{
    private static readonly TimeSpan Max = TimeSpan.FromHours(1);

    public ValidateOptionsResult Validate(string? name, SandboxOptions options)
    {
        var faults = new List<string>();
        Check(options.Latency, nameof(options.Latency));
        Check(options.PasswordAfter, nameof(options.PasswordAfter));
        Check(options.TimeoutAfter, nameof(options.TimeoutAfter));
        Check(options.DelayedAfter, nameof(options.DelayedAfter));
        Check(options.LateAfter, nameof(options.LateAfter));
        Check(options.SlowAfter, nameof(options.SlowAfter));
        if (options.ReplyLostShare + options.NotFoundFirstShare + options.SlowShare > 1)
        {
            faults.Add("Sandbox: ReplyLostShare, NotFoundFirstShare and SlowShare together must be at most 1");
        }

        if (options.Url is { } url && (!url.IsAbsoluteUri || url.Scheme is not ("http" or "https")))
        {
            faults.Add($"Sandbox:Url must be an absolute http or https address; it is '{url}'");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);

        void Check(TimeSpan value, string option)
        {
            if (value < TimeSpan.Zero || value > Max)
            {
                faults.Add($"Sandbox:{option} must be 0 to {Max}; it is {value}");
            }
        }
    }
}
