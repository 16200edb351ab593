using System.ComponentModel.DataAnnotations;
using DeviceHub.Channels.Http;
using Microsoft.Extensions.Options;

namespace DeviceHub.Channels.Remote;

/// <summary>Routing cores of other companies; section <c>Remote</c>.</summary>
public sealed class RemoteOptions
{
    public const string Section = "Remote";

    /// <summary>Hosts that an account's address may name, as <c>core.example.com</c> or <c>core.example.com:8443</c>: who makes accounts must not be able to send the hub anywhere.</summary>
    [Required, MaxLength(64)]
    public string[] AllowedHosts { get; set; } = [];
}

internal sealed class RemoteOptionsValidator : IValidateOptions<RemoteOptions>
{
    public ValidateOptionsResult Validate(string? name, RemoteOptions options) =>
        ChannelAddress.HostsFault("Remote:AllowedHosts", options.AllowedHosts) is { } fault ? ValidateOptionsResult.Fail(fault) : ValidateOptionsResult.Success;
}
