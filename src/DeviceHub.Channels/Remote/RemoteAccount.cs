using DeviceHub.Core.Merchants;

namespace DeviceHub.Channels.Remote;

/// <summary>What an account at another company's routing core is made of.</summary>
internal static class RemoteAccount
{
    public const string BaseUrl = "baseUrl";
    public const string Number = "account";
    public const string Secret = "secret";

    public static IReadOnlyList<AccountField> Fields { get; } =
    [
        new(BaseUrl, AccountFieldKind.Text, true, "The core's address; https, or http on loopback. Its host must be in the hub's option Remote:AllowedHosts.", "https?://[^?#@]+", 256),
        new(Number, AccountFieldKind.Text, true, "What the core calls this account.", "[A-Za-z0-9_.-]{1,64}", 64, Identifies: true),
        new(Secret, AccountFieldKind.Secret, true, "What both sides sign with: 32 to 128 random characters.", "[!-~]{32,128}"),
    ];

    /// <summary>Null with what is wrong with it: nothing may be sent there.</summary>
    public static (Uri? Url, string? Fault) Address(string? baseUrl, RemoteOptions options)
    {
        if (!Uri.TryCreate(baseUrl, UriKind.Absolute, out var url) || url.Scheme is not ("https" or "http") || url.UserInfo.Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0)
        {
            return (null, "is no http address without user, query and fragment");
        }

        if (url.Scheme == "http" && !url.IsLoopback)
        {
            return (null, "must be https: http is for loopback only");
        }

        return options.AllowedHosts.Contains(url.Authority, StringComparer.OrdinalIgnoreCase)
            ? (url, null)
            : (null, $"has a host that is not in the hub's option Remote:AllowedHosts: '{url.Authority}'");
    }
}
