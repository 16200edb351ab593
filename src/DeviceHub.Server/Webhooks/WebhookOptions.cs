using System.ComponentModel.DataAnnotations;
using DeviceHub.Channels.Http;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.Webhooks;

/// <summary>How merchants are told of their charges; section <c>Webhooks</c>.</summary>
public sealed class WebhookOptions
{
    public const string Section = "Webhooks";

    /// <summary>Hosts that a webhook's address may name, as <c>erp.example.com</c> or <c>erp.example.com:8443</c>: who sets one must not be able to send the hub anywhere.</summary>
    [Required, MaxLength(1024)]
    public string[] AllowedHosts { get; set; } = [];

    /// <summary>How long the answer to one try is waited for.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Waits before the second, third, ... try of an event; after the last it is given up and kept for people.</summary>
    [Required, MinLength(1), MaxLength(32)]
    public TimeSpan[] RetryWaits { get; set; } = [.. new double[] { 2, 10, 60, 300, 1800, 3600, 10_800, 21_600, 43_200 }.Select(TimeSpan.FromSeconds)];

    /// <summary>How long an event that was given up is kept for people, from when it was made.</summary>
    [Range(1, 3650)]
    public int KeepGivenUpDays { get; set; } = 30;

    /// <summary>Merchants that are told at once; one merchant's events go one after another.</summary>
    [Range(1, 256)]
    public int MaxConcurrent { get; set; } = 16;
}

internal sealed class WebhookOptionsValidator : IValidateOptions<WebhookOptions>
{
    public ValidateOptionsResult Validate(string? name, WebhookOptions options)
    {
        var faults = new List<string>();
        if (ChannelAddress.HostsFault("Webhooks:AllowedHosts", options.AllowedHosts) is { } hosts)
        {
            faults.Add(hosts);
        }

        if (options.Timeout < TimeSpan.FromMilliseconds(100) || options.Timeout > TimeSpan.FromMinutes(1))
        {
            faults.Add($"Webhooks:Timeout must be 0.1 s to 1 minute; it is {options.Timeout}");
        }

        if (options.RetryWaits.Any(w => w <= TimeSpan.Zero || w > TimeSpan.FromDays(1)))
        {
            faults.Add("Webhooks:RetryWaits must each be above 0 and at most 1 day");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
