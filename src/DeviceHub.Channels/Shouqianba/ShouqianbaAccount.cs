using System.Globalization;
using DeviceHub.Channels.Http;
using DeviceHub.Core.Merchants;

namespace DeviceHub.Channels.Shouqianba;

/// <summary>What an account at Shouqianba is made of: one of its terminals, which an activation code makes.</summary>
internal static class ShouqianbaAccount
{
    public const string TerminalSn = "terminalSn";
    public const string TerminalKey = "terminalKey";
    public const string KeyDay = "keyDay";
    public const string TerminalSince = "terminalSince";
    public const string DeviceId = "deviceId";
    public const string VendorSn = "vendorSn";
    public const string VendorKey = "vendorKey";
    public const string AppId = "appId";
    public const string ActivationCode = "activationCode";
    public const string NoticeKey = "noticePublicKey";

    public const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    public static IReadOnlyList<AccountField> Fields { get; } =
    [
        new(TerminalSn, AccountFieldKind.Text, false, "The terminal's number (terminal_sn). Leave it out when the account is activated with a code: the hub sets it then.", "[0-9A-Za-z]{1,32}", 32, Identifies: true),
        new(TerminalKey, AccountFieldKind.Secret, false, "The terminal's key (terminal_key). Leave it out when the account is activated with a code: the hub sets it then, and each day anew.", "[0-9A-Za-z]{1,128}"),
        new(KeyDay, AccountFieldKind.Text, false, "The day in China of the terminal's key, 2026-11-25; the hub sets it with each check-in. Leave it out.", "[0-9]{4}-[0-9]{2}-[0-9]{2}", 10),
        new(TerminalSince, AccountFieldKind.Text, false, "When the account was activated, 2026-11-25T01:02:03.000Z; the hub sets it. Leave it out.", "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z", 24),
        new(DeviceId, AccountFieldKind.Text, false, "The device_id that the terminal was activated with; when it is left out, the account's id.", "[!-~]{1,128}"),
        new(VendorSn, AccountFieldKind.Text, false, "For activation: the service provider's number (vendor_sn), from Shouqianba's service-provider platform.", "[0-9A-Za-z]{1,64}", 64),
        new(VendorKey, AccountFieldKind.Secret, false, "For activation: the service provider's key (vendor_key).", "[0-9A-Za-z]{1,128}"),
        new(AppId, AccountFieldKind.Text, false, "For activation: the application's id (app_id), from Shouqianba's service-provider platform.", "[0-9A-Za-z_-]{1,64}", 64),
        new(ActivationCode, AccountFieldKind.Secret, false, "For activation: an activation code of the account's own store; good for 7 days and for a number of terminals.", "[0-9A-Za-z]{1,64}", 64),
        new(NoticeKey, AccountFieldKind.PublicKey, false, "Shouqianba's public key for notices, from its technical support; without it notices are not believed.", MaxLength: 4096),
        ChannelAddress.Field,
    ];

    /// <summary>It is a terminal, or can be made one.</summary>
    public static (string Field, string Says)? WholeFault(ChannelAccount account) =>
        (account.Setting(TerminalSn) is not null && account.Secret(TerminalKey) is not null)
        || (account.Setting(VendorSn) is not null && account.Secret(VendorKey) is not null && account.Setting(AppId) is not null && account.Secret(ActivationCode) is not null)
            ? null
            : (ActivationCode, $"the account needs {TerminalSn} and {TerminalKey}, or to be activated {VendorSn}, {VendorKey}, {AppId} and {ActivationCode}");

    /// <summary>Since when it is this terminal; null: it never was another.</summary>
    public static DateTimeOffset? Since(ChannelAccount account) =>
        DateTimeOffset.TryParseExact(account.Setting(TerminalSince), TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var since) ? since : null;

    public static string DeviceOf(ChannelAccount account) => account.Setting(DeviceId) ?? account.Id;
}
