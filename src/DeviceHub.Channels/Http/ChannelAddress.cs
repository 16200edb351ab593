using DeviceHub.Core.Merchants;

namespace DeviceHub.Channels.Http;

/// <summary>Addresses of channels: https, or a test server on this machine.</summary>
public static class ChannelAddress
{
    /// <summary>The account's own, where it has one.</summary>
    internal const string BaseUrl = "baseUrl";

    internal const string BaseUrlPattern = "https?://[^?#@]+";

    /// <summary>Of every channel whose accounts may be through a bank.</summary>
    internal static readonly AccountField Field = new(
        BaseUrl, AccountFieldKind.Text, false,
        "Through a bank service provider: its address, in place of the channel's; https, or http on loopback. Its host must be in the hub's option Channels:Http:AllowedHosts.",
        BaseUrlPattern, 256, Identifies: true);

    /// <param name="path">From its slash on, behind whatever path the address has itself.</param>
    public static Uri Of(Uri address, string path) => new(address.AbsoluteUri.TrimEnd('/') + path);

    /// <summary>What is wrong with it, for an options validator; null: nothing.</summary>
    public static string? Fault(string option, Uri? address) =>
        address is { IsAbsoluteUri: true } && address.Query.Length == 0 && address.Fragment.Length == 0
            && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback))
            ? null
            : $"{option} must be an absolute https address, or http on loopback, without a query; it is '{address}'";

    /// <summary>An address that somebody gave an account, or a merchant's webhook. Null with what is wrong with it: nothing may be sent there.</summary>
    /// <param name="option">Which holds the hosts.</param>
    public static (Uri? Url, string? Fault) OfAccount(string? text, string option, string[] allowedHosts)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("https" or "http") || url.UserInfo.Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0)
        {
            return (null, "is no http address without user, query and fragment");
        }

        if (url.Scheme == "http" && !url.IsLoopback)
        {
            return (null, "must be https: http is for loopback only");
        }

        return allowedHosts.Contains(url.Authority, StringComparer.OrdinalIgnoreCase)
            ? (url, null)
            : (null, $"has a host that is not in the hub's option {option}: '{url.Authority}'");
    }

    /// <summary>What is wrong with a list of hosts; null: nothing.</summary>
    public static string? HostsFault(string option, string[] hosts) =>
        hosts.FirstOrDefault(h => !Uri.TryCreate($"https://{h}/", UriKind.Absolute, out var uri) || !uri.Authority.Equals(h, StringComparison.OrdinalIgnoreCase)) is { } wrong
            ? $"{option} must hold host names, with a port where it is not 443, such as pay.example.com:8443; it has '{wrong}'"
            : null;
}
