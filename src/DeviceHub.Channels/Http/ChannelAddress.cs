namespace DeviceHub.Channels.Http;

/// <summary>Addresses of channels in options: https, or a test server on this machine.</summary>
public static class ChannelAddress
{
    /// <param name="path">From its slash on, behind whatever path the address has itself.</param>
    public static Uri Of(Uri address, string path) => new(address.AbsoluteUri.TrimEnd('/') + path);

    /// <summary>What is wrong with it, for an options validator; null: nothing.</summary>
    public static string? Fault(string option, Uri? address) =>
        address is { IsAbsoluteUri: true } && address.Query.Length == 0 && address.Fragment.Length == 0
            && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback))
            ? null
            : $"{option} must be an absolute https address, or http on loopback, without a query; it is '{address}'";
}
