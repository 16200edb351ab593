using DeviceHub.Channels.Http;
using Microsoft.Extensions.Options;

namespace DeviceHub.Channels.Shouqianba;

/// <summary>Where Shouqianba is, and how its terminals' keys are kept fresh; section <c>Shouqianba</c>.</summary>
public sealed class ShouqianbaOptions
{
    public const string Section = "Shouqianba";

    /// <summary>Shouqianba's web API; its newer documents name <c>https://vsi-api.shouqianba.com</c>.</summary>
    public Uri Url { get; set; } = new("https://api.shouqianba.com");

    /// <summary>Whether each account checks in with its first call of a day in China, which changes its key.</summary>
    public bool CheckIn { get; set; } = true;

    /// <summary>How long the answer to a check-in is waited for; it is repeated once, and the call that it stands before waits for both.</summary>
    public TimeSpan CheckInDeadline { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>How long after a check-in that failed the next one is made.</summary>
    public TimeSpan CheckInPause { get; set; } = TimeSpan.FromMinutes(1);
}

internal sealed class ShouqianbaOptionsValidator : IValidateOptions<ShouqianbaOptions>
{
    public ValidateOptionsResult Validate(string? name, ShouqianbaOptions options)
    {
        var faults = new List<string>();
        if (ChannelAddress.Fault("Shouqianba:Url", options.Url) is { } fault)
        {
            faults.Add(fault);
        }

        Check(options.CheckInDeadline, TimeSpan.FromSeconds(30), nameof(options.CheckInDeadline));
        Check(options.CheckInPause, TimeSpan.FromHours(1), nameof(options.CheckInPause));
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);

        void Check(TimeSpan value, TimeSpan max, string option)
        {
            if (value <= TimeSpan.Zero || value > max)
            {
                faults.Add($"Shouqianba:{option} must be above 0, to {max}; it is {value}");
            }
        }
    }
}
