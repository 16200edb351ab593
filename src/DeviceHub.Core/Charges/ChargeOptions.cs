using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace DeviceHub.Core.Charges;

/// <summary>Times and limits of charges from the till; section <c>Charges</c>.</summary>
public sealed class ChargeOptions
{
    public const string Section = "Charges";

    /// <summary>How long <c>collecting</c> is waited for, the one repeat of <c>collect</c> after half of it included; then the terminal counts as unreachable.</summary>
    public TimeSpan CollectingWait { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>How long a scan is waited for when the till does not say.</summary>
    [Range(10, 3600)]
    public int LifetimeSeconds { get; set; } = 120;

    /// <summary>The longest that a till may ask for.</summary>
    [Range(10, 3600)]
    public int MaxLifetimeSeconds { get; set; } = 900;

    /// <summary>The longest that one question for a charge may wait for news.</summary>
    [Range(1, 300)]
    public int MaxWaitSeconds { get; set; } = 60;

    /// <summary>How long one stream of events is kept; its reader connects again.</summary>
    [Range(10, 86_400)]
    public int StreamSeconds { get; set; } = 900;

    /// <summary>Questions that wait and streams that are open at once in this process; more are refused.</summary>
    [Range(1, 100_000)]
    public int MaxWaiting { get; set; } = 2000;

    /// <summary>How often charges are looked for that nobody looks after, as after a crash.</summary>
    public TimeSpan SweepEvery { get; set; } = TimeSpan.FromSeconds(2);

    [Range(1, 10_000)]
    public int SweepBatch { get; set; } = 500;
}

internal sealed class ChargeOptionsValidator : IValidateOptions<ChargeOptions>
{
    public ValidateOptionsResult Validate(string? name, ChargeOptions options)
    {
        var faults = new List<string>();
        if (options.CollectingWait < TimeSpan.FromMilliseconds(200) || options.CollectingWait > TimeSpan.FromSeconds(30))
        {
            faults.Add($"Charges:CollectingWait must be 0.2 to 30 s; it is {options.CollectingWait}");
        }

        if (options.SweepEvery < TimeSpan.FromMilliseconds(100) || options.SweepEvery > TimeSpan.FromMinutes(1))
        {
            faults.Add($"Charges:SweepEvery must be 0.1 s to 1 minute; it is {options.SweepEvery}");
        }

        if (options.LifetimeSeconds > options.MaxLifetimeSeconds)
        {
            faults.Add($"Charges:LifetimeSeconds must be at most Charges:MaxLifetimeSeconds ({options.MaxLifetimeSeconds}); it is {options.LifetimeSeconds}");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
