using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace DeviceHub.Channels.Http;

/// <summary>How every channel is called over HTTP; section <c>Channels:Http</c>.</summary>
public sealed class ChannelHttpOptions
{
    public const string Section = "Channels:Http";

    /// <summary>Largest answer to a call, in bytes; a longer one is broken off and proves nothing.</summary>
    [Range(1024, 64 * 1024 * 1024)]
    public int MaxAnswerBytes { get; set; } = 1024 * 1024;

    /// <summary>Largest bill as it crosses the network, in bytes.</summary>
    [Range(1024, 16L * 1024 * 1024 * 1024)]
    public long MaxBillBytes { get; set; } = 1024 * 1024 * 1024;

    /// <summary>How long a connection, with its TLS handshake, may take; after it nothing was sent.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>The longest that any call is waited for, when its caller has no earlier deadline. Not shorter than what a late answer to a payment is worth.</summary>
    public TimeSpan LongestCall { get; set; } = TimeSpan.FromSeconds(100);

    /// <summary>How long a bill may bring no byte.</summary>
    public TimeSpan BillStall { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Connections to one host, of accounts with a client certificate an account; further calls wait for one.</summary>
    [Range(1, 10_000)]
    public int MaxConnectionsPerHost { get; set; } = 256;

    /// <summary>How long a connection is kept without a call; shorter than what the channels' servers do.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>After this age a connection is made anew, so that a host that moved is found.</summary>
    public TimeSpan ConnectionLifetime { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>A proxy for calls to channels, such as <c>http://10.0.0.1:3128</c>; none: none is used, whatever the environment says.</summary>
    public Uri? Proxy { get; set; }

    /// <summary>Hosts that an account's own address may name, as <c>pay.bank.example</c> or <c>pay.bank.example:8443</c>: who makes accounts must not be able to send the hub anywhere.</summary>
    [Required, MaxLength(64)]
    public string[] AllowedHosts { get; set; } = [];
}

internal sealed class ChannelHttpOptionsValidator : IValidateOptions<ChannelHttpOptions>
{
    public ValidateOptionsResult Validate(string? name, ChannelHttpOptions options)
    {
        var faults = new List<string>();
        Check(options.ConnectTimeout, TimeSpan.FromMinutes(1), nameof(options.ConnectTimeout));
        Check(options.LongestCall, TimeSpan.FromMinutes(10), nameof(options.LongestCall));
        Check(options.BillStall, TimeSpan.FromMinutes(10), nameof(options.BillStall));
        Check(options.IdleTimeout, TimeSpan.FromHours(1), nameof(options.IdleTimeout));
        Check(options.ConnectionLifetime, TimeSpan.FromDays(1), nameof(options.ConnectionLifetime));
        if (options.Proxy is { } proxy && (!proxy.IsAbsoluteUri || proxy.Scheme != Uri.UriSchemeHttp))
        {
            faults.Add($"Channels:Http:Proxy must be an absolute http address; it is '{proxy}'");
        }

        if (ChannelAddress.HostsFault("Channels:Http:AllowedHosts", options.AllowedHosts) is { } hosts)
        {
            faults.Add(hosts);
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);

        void Check(TimeSpan value, TimeSpan max, string option)
        {
            if (value <= TimeSpan.Zero || value > max)
            {
                faults.Add($"Channels:Http:{option} must be above 0, to {max}; it is {value}");
            }
        }
    }
}
