using System.ComponentModel.DataAnnotations;
using DeviceHub.Channels.Http;
using Microsoft.Extensions.Options;

namespace DeviceHub.Channels.WeChatPay;

/// <summary>WeChat Pay, versions 2 and 3; section <c>WeChatPay</c>.</summary>
public sealed class WeChatPayOptions
{
    public const string Section = "WeChatPay";

    /// <summary>
    /// Where WeChat Pay is called. The fallback domain <c>https://api2.mch.weixin.qq.com</c> may stand here instead: an order is then begun and
    /// ended at one of the two, since all calls go to this address.
    /// </summary>
    [Required]
    public Uri Url { get; set; } = new("https://api.mch.weixin.qq.com");

    /// <summary>The address of the terminal that WeChat wants to be told (<c>spbill_create_ip</c>, <c>device_ip</c>): the shop's, or the hub's towards the Internet.</summary>
    [Required, MaxLength(45)]
    public string ClientIp { get; set; } = "127.0.0.1";

    /// <summary>How far the time of a signed answer or notice of version 3 may be from the hub's, both ways.</summary>
    public TimeSpan TimestampWindow { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long the test of an account may take.</summary>
    public TimeSpan TestDeadline { get; set; } = TimeSpan.FromSeconds(10);
}

internal sealed class WeChatPayOptionsValidator : IValidateOptions<WeChatPayOptions>
{
    private static readonly TimeSpan Max = TimeSpan.FromMinutes(10);

    public ValidateOptionsResult Validate(string? name, WeChatPayOptions options)
    {
        var faults = new List<string>();
        if (ChannelAddress.Fault("WeChatPay:Url", options.Url) is { } fault)
        {
            faults.Add(fault);
        }

        if (!System.Net.IPAddress.TryParse(options.ClientIp, out _))
        {
            faults.Add($"WeChatPay:ClientIp must be an IP address; it is '{options.ClientIp}'");
        }

        Check(options.TimestampWindow, nameof(options.TimestampWindow));
        Check(options.TestDeadline, nameof(options.TestDeadline));
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);

        void Check(TimeSpan value, string option)
        {
            if (value <= TimeSpan.Zero || value > Max)
            {
                faults.Add($"WeChatPay:{option} must be above 0, to {Max}; it is {value}");
            }
        }
    }
}
