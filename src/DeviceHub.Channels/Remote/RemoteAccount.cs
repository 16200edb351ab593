using DeviceHub.Channels.Http;
using DeviceHub.Core.Merchants;

namespace DeviceHub.Channels.Remote;

/// <summary>What an account at another company's routing core is made of.</summary>
internal static class RemoteAccount
{
    public const string Number = "account";
    public const string Secret = "secret";

    public static IReadOnlyList<AccountField> Fields { get; } =
    [
        new(ChannelAddress.BaseUrl, AccountFieldKind.Text, true, "The core's address; https, or http on loopback. Its host must be in the hub's option Remote:AllowedHosts.", ChannelAddress.BaseUrlPattern, 256),
        new(Number, AccountFieldKind.Text, true, "What the core calls this account.", "[A-Za-z0-9_.-]{1,64}", 64, Identifies: true),
        new(Secret, AccountFieldKind.Secret, true, "What both sides sign with: 32 to 128 random characters.", "[!-~]{32,128}"),
    ];

    /// <summary>Null with what is wrong with it: nothing may be sent there.</summary>
    public static (Uri? Url, string? Fault) Address(string? baseUrl, RemoteOptions options) =>
        ChannelAddress.OfAccount(baseUrl, "Remote:AllowedHosts", options.AllowedHosts);
}
