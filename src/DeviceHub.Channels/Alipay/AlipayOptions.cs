using DeviceHub.Channels.Http;
using Microsoft.Extensions.Options;

namespace DeviceHub.Channels.Alipay;

/// <summary>Where Alipay is; section <c>Alipay</c>.</summary>
public sealed class AlipayOptions
{
    public const string Section = "Alipay";

    /// <summary>Alipay's gateway.</summary>
    public Uri Url { get; set; } = new("https://openapi.alipay.com/gateway.do");
}

internal sealed class AlipayOptionsValidator : IValidateOptions<AlipayOptions>
{
    public ValidateOptionsResult Validate(string? name, AlipayOptions options) =>
        ChannelAddress.Fault("Alipay:Url", options.Url) is { } fault ? ValidateOptionsResult.Fail(fault) : ValidateOptionsResult.Success;
}
